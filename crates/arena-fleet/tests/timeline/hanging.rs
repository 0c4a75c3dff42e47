//! An endpoint that does not answer.

use crate::endpoint::{OnConnect, OnJoin};
use crate::setting::{fault, joined, pass, pool, pool_of, secs, spec};
use arena_core::fleet::{BreakerState, FaultClass};
use arena_fleet::PoolSettings;
use arena_fleet::channel::PushError;
use serde_json::json;

#[tokio::test(start_paused = true)]
async fn a_connect_that_hangs_is_given_up_after_eight_seconds() {
    for what in [OnConnect::HangAtTcp, OnConnect::HangAtHandshake] {
        let (fake, pool) = pool();
        let hangs = what.clone();
        fake.on_connect(move |n| if *n == 0 { hangs.clone() } else { OnConnect::Accept });
        let mut channel = pool.open("bot", spec("t"));
        let (ended, fault) = fault(&mut channel).await;
        assert!(!ended);
        assert_eq!((fault.class, fault.code.as_str()), (FaultClass::Timeout, "connect_timeout"));
        assert!(fake.now() >= secs(8) && fake.now() < secs(9), "{what:?}: {:?}", fake.now());
        joined(&mut channel).await;
        assert!(fake.now() <= secs(11));
    }
}

/// Three hundred channels want in, and a dead endpoint sees one of them at a time, ever more rarely.
#[tokio::test(start_paused = true)]
async fn a_dead_endpoint_is_probed_by_one_and_not_by_all() {
    let (fake, pool) = pool();
    fake.on_connect(|_| OnConnect::Nobody);
    let mut channels: Vec<_> = (0..300).map(|n| pool.open(&format!("bot-{n}"), spec("lobby"))).collect();
    pass(30).await;
    let at_first = fake.connects().iter().filter(|at| **at < secs(1)).count();
    assert!(at_first <= 20, "{at_first}");
    pass(570).await;
    assert!(!matches!(pool.stats().breaker, BreakerState::Closed));
    let times = fake.connects();
    let probes: Vec<_> = times[at_first..].to_vec();
    for pair in probes.windows(2) {
        assert!(pair[1] - pair[0] >= secs(1), "two probes at once: {pair:?}");
    }
    let late: Vec<_> = probes.windows(2).filter(|pair| pair[0] > secs(120)).collect();
    assert!(late.len() >= 10);
    for pair in late {
        let gap = (pair[1] - pair[0]).as_secs_f64();
        assert!((20.9..=30.1).contains(&gap), "{gap}");
    }
    // Nobody has died of it, and all come when it lives.
    fake.on_connect(|_| OnConnect::Accept);
    let began = fake.now();
    for channel in &mut channels {
        joined(channel).await;
    }
    assert!(fake.now() - began < secs(45), "{:?}", fake.now() - began);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_hangs_keeps_the_others_waiting_and_nothing_more() {
    let (fake, pool) = pool();
    fake.on_connect(|_| OnConnect::HangAtTcp);
    let _channels: Vec<_> = (0..100).map(|n| pool.open(&format!("bot-{n}"), spec("lobby"))).collect();
    pass(300).await;
    let times = fake.connects();
    let late: Vec<_> = times.iter().filter(|at| **at > secs(60)).collect();
    assert!((3..=10).contains(&late.len()), "{late:?}");
}

/// Whoever probes may be told to go in the middle of it; another one takes over at once.
#[tokio::test(start_paused = true)]
async fn a_probe_that_is_given_up_is_taken_over() {
    let (fake, pool) = pool();
    fake.on_connect(|_| OnConnect::Nobody);
    let mut channels: Vec<_> = (0..20).map(|n| pool.open(&format!("bot-{n}"), spec("lobby"))).collect();
    pass(5).await;
    fake.on_connect(|_| OnConnect::HangAtTcp);
    while pool.stats().breaker != BreakerState::Probing {
        pass(1).await;
    }
    fake.on_connect(|_| OnConnect::Accept);
    channels.drain(..19);
    let before = fake.now();
    joined(&mut channels[0]).await;
    assert!(fake.now() - before < secs(3), "{:?}", fake.now() - before);
}

#[tokio::test(start_paused = true)]
async fn a_join_without_an_answer_is_left_and_tried_on_another_connection() {
    let (fake, pool) = pool();
    fake.on_join(|join| if join.link == 0 { OnJoin::Hang } else { OnJoin::Ok });
    let mut channel = pool.open("bot", spec("t"));
    let (ended, fault) = fault(&mut channel).await;
    assert!(!ended);
    assert_eq!(fault.code, "join_timeout");
    assert!(fake.now() >= secs(8) && fake.now() < secs(9));
    joined(&mut channel).await;
    assert_eq!(fake.events("realtime:t"), ["phx_join", "phx_leave", "phx_join"]);
    assert_eq!(fake.joins().iter().map(|join| join.link).collect::<Vec<_>>(), [0, 1]);
    pass(30).await;
    assert_eq!(fake.open(), 1, "the first connection is not kept for nothing");
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_without_an_answer_leads_to_a_new_connection() {
    let (fake, pool) = pool();
    fake.set(|script| script.heartbeat = Box::new(|link| *link != 0));
    let mut channel = pool.open("bot", spec("t"));
    joined(&mut channel).await;
    let (ended, fault) = fault(&mut channel).await;
    assert!(!ended);
    assert_eq!(fault.code, "heartbeat_timeout");
    assert!(fake.now() >= secs(37) && fake.now() <= secs(51), "{:?}", fake.now());
    joined(&mut channel).await;
    assert!(fake.now() <= secs(54));
    pass(600).await;
    assert_eq!(fake.connects().len(), 2, "that one is answered, and stays");
}

#[tokio::test(start_paused = true)]
async fn a_push_without_an_answer_says_so_and_the_channel_stays() {
    let (fake, pool) = pool();
    fake.set(|script| script.push = Box::new(|_| None));
    let mut channel = pool.open("bot", spec("t"));
    joined(&mut channel).await;
    let began = fake.now();
    assert_eq!(channel.push("chat", json!({})).await, Err(PushError::Timeout));
    assert_eq!(fake.now() - began, secs(8));
    fake.set(|script| script.push = Box::new(|_| Some(("ok", json!({"n": 1})))));
    assert!(channel.push("chat", json!({})).await.unwrap().ok);
}

#[tokio::test(start_paused = true)]
async fn a_leave_without_an_answer_frees_its_place_all_the_same() {
    let settings = PoolSettings { max_connections: 1, ..PoolSettings::default() };
    let (fake, pool) = pool_of(settings);
    fake.set(|script| script.leave = Box::new(|_| false));
    let mut first = pool.open("a", spec("t"));
    joined(&mut first).await;
    let mut second = pool.open("b", spec("t"));
    first.leave(secs(20)).await;
    joined(&mut second).await;
    assert!(fake.now() < secs(10));
}
