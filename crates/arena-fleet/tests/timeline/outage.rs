//! An endpoint that lets connections in and does nothing for them.

use crate::endpoint::{Fake, OnConnect, OnJoin};
use crate::setting::{joined, pass, pool, secs, spec};
use arena_core::fleet::BreakerState;
use arena_fleet::channel::{Channel, ChannelEvent};
use arena_fleet::pool::Pool;
use serde_json::json;
use std::time::Duration;

fn open(pool: &Pool, topics: usize) -> Vec<Channel> {
    (0..50).map(|n| pool.open(&format!("bot-{n}"), spec(&format!("t:{}", n % topics)))).collect()
}

/// Everything that the endpoint sees of this kind within a minute, at most, after the first two minutes.
fn busiest_minute(times: &[Duration]) -> usize {
    let late: Vec<_> = times.iter().filter(|at| **at > secs(120)).collect();
    let within =
        |from: &Duration| late.iter().filter(|at| ***at >= *from && ***at < *from + secs(60)).count();
    late.iter().map(|from| within(from)).max().unwrap_or_default()
}

/// Ten minutes of this, and then it works: all come back, and nobody has been given up.
async fn survives(what: &str, begins_joined: bool, breaks: impl Fn(&Fake)) {
    for topics in [1, 50] {
        let (fake, pool) = pool();
        let mut channels = open(&pool, topics);
        if begins_joined {
            for channel in &mut channels {
                joined(channel).await;
            }
            pass(90).await;
        }
        breaks(&fake);
        let began = fake.now();
        fake.break_all();
        let (connects, joins) = (fake.connects().len(), fake.joins().len());
        pass(600).await;
        assert!(!matches!(pool.stats().breaker, BreakerState::Closed), "{what}: {:?}", pool.stats());
        let since = |times: Vec<Duration>| times.into_iter().map(|at| at - began).collect::<Vec<_>>();
        let connects = since(fake.connects().split_off(connects));
        let joins = since(fake.joins().split_off(joins).into_iter().map(|join| join.at).collect());
        assert!(busiest_minute(&connects) <= 6, "{what}, {topics} topics: {connects:?}");
        assert!(busiest_minute(&joins) <= 6, "{what}, {topics} topics: {joins:?}");
        fake.on_connect(|_| OnConnect::Accept);
        fake.on_join(|_| OnJoin::Ok);
        fake.set(|script| script.heartbeat = Box::new(|_| true));
        let works = fake.now();
        for channel in &mut channels {
            joined(channel).await;
        }
        assert!(fake.now() - works < secs(70), "{what}: {:?}", fake.now() - works);
        assert_eq!(pool.stats().breaker, BreakerState::Closed);
    }
}

#[tokio::test(start_paused = true)]
async fn joins_that_hang_for_ten_minutes_end_nobody() {
    for begins_joined in [false, true] {
        survives("hang", begins_joined, |fake| fake.on_join(|_| OnJoin::Hang)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn joins_that_are_refused_by_a_service_in_trouble_end_nobody() {
    for reason in [
        "RealtimeRestarting: Realtime is restarting, please standby",
        "DatabaseConnectionDown: the database is down",
        "UnableToConnectToProject: Realtime was unable to connect to the project database",
    ] {
        for begins_joined in [false, true] {
            survives(reason, begins_joined, |fake| {
                fake.on_join(move |_| OnJoin::Refuse(json!({"reason": reason})));
            })
            .await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn connections_that_close_right_after_the_handshake_end_nobody() {
    for begins_joined in [false, true] {
        survives("upgrade", begins_joined, |fake| fake.on_connect(|_| OnConnect::AcceptAndClose)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn connections_that_break_at_the_join_end_nobody() {
    survives("break", true, |fake| fake.on_join(|_| OnJoin::Break)).await;
}

/// What one topic has is its own, while others are joined: it is given up, and nobody else waits for it.
#[tokio::test(start_paused = true)]
async fn a_topic_that_nobody_can_join_is_its_own_trouble() {
    let (fake, pool) = pool();
    fake.on_join(|join| match join.topic.as_str() {
        "realtime:world" => OnJoin::Refuse(json!({"reason": "world_unavailable: it is not there"})),
        _ => OnJoin::Ok,
    });
    let mut lobby = pool.open("first", spec("lobby"));
    joined(&mut lobby).await;
    let mut worlds: Vec<_> = (0..10).map(|n| pool.open(&format!("bot-{n}"), spec("world"))).collect();
    for minute in 0..5 {
        pass(60).await;
        assert_eq!(pool.stats().breaker, BreakerState::Closed, "minute {minute}");
        let asked = fake.now();
        joined(&mut pool.open("late", spec("lobby"))).await;
        assert!(fake.now() - asked < secs(1));
    }
    for world in &mut worlds {
        while !matches!(world.next().await.unwrap(), ChannelEvent::Ended { .. }) {}
    }
}
