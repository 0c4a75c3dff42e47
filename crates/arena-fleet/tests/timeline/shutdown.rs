//! The end.

use crate::endpoint::OnConnect;
use crate::setting::{joined, pass, pool, secs, spec};
use arena_fleet::channel::ChannelSpec;
use serde_json::json;

fn shown(topic: &str) -> ChannelSpec {
    ChannelSpec { presence_key: Some("bot".to_owned()), presence: Some(json!({"bot": true})), ..spec(topic) }
}

#[tokio::test(start_paused = true)]
async fn presences_are_taken_back_topics_left_and_connections_closed_in_this_order() {
    let (fake, pool) = pool();
    let mut channels: Vec<_> = (0..30).map(|n| pool.open("bot", shown(&format!("t:{n}")))).collect();
    for channel in &mut channels {
        joined(channel).await;
    }
    pass(1).await;
    let before = fake.now();
    assert!(pool.shutdown(secs(10)).await);
    assert!(fake.now() - before < secs(2), "{:?}", fake.now() - before);
    for n in 0..30 {
        let events = fake.events(&format!("realtime:t:{n}"));
        assert_eq!(events, ["phx_join", "presence", "presence", "phx_leave"]);
    }
    assert_eq!(fake.seen.lock().unwrap().closes, [1000, 1000, 1000]);
    for channel in &mut channels {
        while channel.next().await.is_some() {}
    }
    let stats = pool.stats();
    assert_eq!((stats.channels, stats.supervised, stats.connections), (0, 0, 0));
    let mut late = pool.open("bot", spec("late"));
    assert_eq!(late.next().await, None, "nothing is begun any more");
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_does_not_answer_costs_the_deadline_and_no_more() {
    let (fake, pool) = pool();
    let mut channel = pool.open("bot", shown("t"));
    joined(&mut channel).await;
    fake.set(|script| script.leave = Box::new(|_| false));
    let before = fake.now();
    assert!(!pool.shutdown(secs(5)).await);
    assert_eq!(fake.now() - before, secs(5));
    pass(1).await;
    assert_eq!((fake.open(), pool.stats().connections), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_at_a_dead_endpoint_goes_at_once() {
    let (fake, pool) = pool();
    fake.on_connect(|_| OnConnect::HangAtTcp);
    let _channels: Vec<_> = (0..100).map(|n| pool.open(&format!("bot-{n}"), spec("lobby"))).collect();
    pass(20).await;
    let before = fake.now();
    assert!(pool.shutdown(secs(5)).await);
    assert!(fake.now() - before < secs(1));
}
