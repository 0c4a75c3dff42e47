//! An endpoint that refuses.

use crate::endpoint::{OnConnect, OnJoin};
use crate::setting::{fault, joined, pass, peak, pool, secs, spec};
use arena_core::fleet::{BreakerState, FaultClass};
use arena_fleet::TokenSource;
use arena_fleet::channel::ChannelEvent;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

fn refuse(status: u16, retry_after: Option<&'static str>) -> OnConnect {
    OnConnect::Refuse { status, retry_after, body: "" }
}

/// Whoever is not known there is not known by asking again: one asks, and nobody else until an operator says so.
#[tokio::test(start_paused = true)]
async fn a_refused_key_or_project_halts_the_pool_until_it_is_resumed() {
    for (status, class) in [
        (401, FaultClass::Authentication),
        (403, FaultClass::Authentication),
        (404, FaultClass::TenantMissing),
    ] {
        let (fake, pool) = pool();
        fake.on_connect(move |_| refuse(status, None));
        let mut channels: Vec<_> = (0..30).map(|n| pool.open("bot", spec(&format!("t:{n}")))).collect();
        pass(3_600).await;
        let asked = fake.connects().len();
        // Those that were under way at that moment have asked too.
        assert!(asked <= 3, "{status}: {asked} connects");
        assert_eq!(pool.halted().unwrap().class, class);
        fake.on_connect(|_| OnConnect::Accept);
        pass(600).await;
        assert_eq!(fake.connects().len(), asked, "{status}: nothing is tried");
        pool.resume();
        for channel in &mut channels {
            joined(channel).await;
        }
    }
}

/// The first retries of one channel: doubled, shortened by up to 30 %, and 30 s at most once the breaker is open.
#[tokio::test(start_paused = true)]
async fn an_endpoint_in_trouble_is_asked_at_growing_intervals_within_the_jitter() {
    for status in [500, 503] {
        let (fake, pool) = pool();
        fake.on_connect(move |_| refuse(status, None));
        let _channel = pool.open("bot", spec("t"));
        pass(60).await;
        let times = fake.connects();
        let gaps: Vec<_> = times.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64()).collect();
        assert!(gaps.len() >= 3, "{gaps:?}");
        for (gap, full) in gaps.iter().zip([2.0, 4.0, 8.0, 16.0]) {
            assert!(*gap >= full * 0.7 - 0.01 && *gap <= full + 0.01, "{gap} of {full}: {gaps:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_is_obeyed_by_everybody() {
    let (fake, pool) = pool();
    fake.on_connect(|n| if *n == 0 { refuse(429, Some("40")) } else { OnConnect::Accept });
    let mut channels: Vec<_> = (0..5).map(|n| pool.open(&format!("bot-{n}"), spec("lobby"))).collect();
    for channel in &mut channels {
        joined(channel).await;
    }
    let times = fake.connects();
    // Connects that were let through together with the refused one are all there is before.
    let early = times.iter().filter(|at| **at < secs(40)).count();
    assert!(early <= 5, "{times:?}");
    assert!(times.iter().filter(|at| **at > secs(1) && **at < secs(40)).count() == 0, "{times:?}");
    assert!(*times.last().unwrap() >= secs(40), "{times:?}");
}

/// One that restarts and says when it will be back is believed, and is no slower afterwards.
#[tokio::test(start_paused = true)]
async fn a_restart_that_says_when_it_is_over_is_waited_for() {
    let (fake, pool) = pool();
    fake.on_connect(|n| if *n == 0 { refuse(503, Some("20")) } else { OnConnect::Accept });
    let mut channels = vec![pool.open("bot-0", spec("lobby"))];
    pass(1).await;
    channels.extend((1..30).map(|n| pool.open(&format!("bot-{n}"), spec("lobby"))));
    for channel in &mut channels {
        joined(channel).await;
    }
    let times = fake.connects();
    assert!(times[1] >= secs(20), "{times:?}");
    assert!(*times.last().unwrap() <= secs(27), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_slows_the_whole_pool_and_kills_nobody() {
    let (fake, pool) = pool();
    let limit = |n: &usize| if *n < 60 { refuse(429, None) } else { OnConnect::Accept };
    fake.on_connect(limit);
    let refusals = pool.refusals();
    let mut channels: Vec<_> = (0..40).map(|n| pool.open(&format!("bot-{n}"), spec("lobby"))).collect();
    pass(5).await;
    assert!(pool.stats().connects_per_sec < 26.0, "{}", pool.stats().connects_per_sec);
    assert!(*refusals.borrow() > 0);
    assert_eq!(pool.stats().breaker, BreakerState::Closed, "it answers, so it is not dead");
    for channel in &mut channels {
        joined(channel).await;
    }
    pass(200).await;
    assert_eq!(pool.stats().connects_per_sec, 50.0);
}

#[tokio::test(start_paused = true)]
async fn joins_that_are_too_fast_slow_down_and_are_made_in_the_end() {
    let (fake, pool) = pool();
    let joins = AtomicUsize::new(0);
    fake.on_join(move |_| match joins.fetch_add(1, Ordering::Relaxed) {
        0..30 => OnJoin::Refuse(json!({"reason": "ClientJoinRateLimitReached: Too many joins per second"})),
        _ => OnJoin::Ok,
    });
    let mut channels: Vec<_> = (0..50).map(|n| pool.open("bot", spec(&format!("t:{n}")))).collect();
    pass(1).await;
    let slowed = pool.stats().joins_per_sec;
    assert!(slowed <= 50.0, "{slowed}");
    for channel in &mut channels {
        joined(channel).await;
    }
    let times: Vec<_> = fake.joins().iter().map(|join| join.at).collect();
    assert!(peak(&times) <= 120);
}

#[tokio::test(start_paused = true)]
async fn a_topic_that_is_not_permitted_ends_that_channel_only() {
    let (fake, pool) = pool();
    fake.on_join(|join| {
        if join.topic == "realtime:secret" {
            OnJoin::Refuse(json!({"reason": "Unauthorized: You do not have permissions to read from this Channel topic: secret"}))
        } else {
            OnJoin::Ok
        }
    });
    let mut secret = pool.open("bot", spec("secret"));
    let mut open = pool.open("bot", spec("open"));
    let (ended, fault) = fault(&mut secret).await;
    assert!(ended);
    assert_eq!(fault.class, FaultClass::Permission);
    assert_eq!(secret.next().await, None);
    joined(&mut open).await;
    pass(600).await;
    assert_eq!(fake.joins().iter().filter(|join| join.topic == "realtime:secret").count(), 1);
    assert_eq!((pool.stats().channels, pool.halted()), (1, None));
}

/// Tokens that count how often they were asked for.
fn counted() -> (TokenSource, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let source = TokenSource::new(move || arena_fleet::Token {
        text: format!("token-{}", count.fetch_add(1, Ordering::Relaxed)).into(),
        ttl: Some(Duration::from_secs(1_000)),
    });
    (source, asked)
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_replaced_once_at_once_and_then_it_is_over() {
    let (fake, pool) = pool();
    fake.on_join(|_| OnJoin::Refuse(json!({"reason": "InvalidJWTToken: Token has expired 3 seconds ago"})));
    let (token, _) = counted();
    let mut channel = pool.open("bot", arena_fleet::channel::ChannelSpec { token, ..spec("t") });
    let (ended, fault) = fault(&mut channel).await;
    assert!(ended);
    assert_eq!(fault.class, FaultClass::Authentication);
    let shown: Vec<_> = fake.joins().into_iter().map(|join| join.token.unwrap()).collect();
    assert_eq!(shown, ["token-0", "token-1"]);
    assert!(fake.now() < secs(1));
    assert_eq!(pool.halted(), None, "another bot may have a better one");
}

#[tokio::test(start_paused = true)]
async fn a_new_token_is_shown_before_the_old_one_ends() {
    let (fake, pool) = pool();
    let (token, asked) = counted();
    let mut channel = pool.open("bot", arena_fleet::channel::ChannelSpec { token, ..spec("t") });
    joined(&mut channel).await;
    pass(2_500).await;
    let shown = fake.events("realtime:t").iter().filter(|event| *event == "access_token").count();
    assert_eq!((shown, asked.load(Ordering::Relaxed)), (3, 4));
    let seen = fake.seen.lock().unwrap();
    let renewed = seen.frames.iter().find(|(_, _, event, _)| event == "access_token").unwrap().0;
    assert!(renewed >= secs(720) && renewed <= secs(801), "{renewed:?}");
}

/// A source whose token cannot be renewed says how long it is still good for: ever less.
#[tokio::test(start_paused = true)]
async fn a_token_that_stays_the_same_is_not_shown_again_and_asked_for_rarely() {
    let (fake, pool) = pool();
    let (asked, began) = (Arc::new(AtomicUsize::new(0)), tokio::time::Instant::now());
    let count = Arc::clone(&asked);
    let token = TokenSource::new(move || {
        count.fetch_add(1, Ordering::Relaxed);
        let ttl = Some(secs(600).saturating_sub(began.elapsed()));
        arena_fleet::Token { text: "always".into(), ttl }
    });
    let mut channel = pool.open("bot", arena_fleet::channel::ChannelSpec { token, ..spec("t") });
    joined(&mut channel).await;
    pass(900).await;
    assert!(!fake.events("realtime:t").contains(&"access_token".to_owned()));
    assert!(asked.load(Ordering::Relaxed) < 30, "{}", asked.load(Ordering::Relaxed));
}

/// Whoever starts bots hears of each join that comes to nothing, but not of one topic's closed door.
#[tokio::test(start_paused = true)]
async fn joins_that_are_refused_or_late_are_counted_as_refusals() {
    for (join, counts) in [
        (OnJoin::Refuse(json!({"reason": "overloaded: try again later"})), true),
        (OnJoin::Hang, true),
        (OnJoin::Refuse(json!({"reason": "Unauthorized: no"})), false),
    ] {
        let (fake, pool) = pool();
        fake.on_join(move |_| join.clone());
        let refusals = pool.refusals();
        let mut channel = pool.open("bot", spec("t"));
        fault(&mut channel).await;
        assert_eq!(*refusals.borrow() > 0, counts);
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_full_for_the_endpoint_is_avoided() {
    for reason in ["TooManyTopics: no more here", "ChannelRateLimitReached: Too many channels"] {
        let (fake, pool) = pool();
        fake.on_join(move |join| match (join.link, join.topic.as_str()) {
            (0, "realtime:second") => OnJoin::Refuse(json!({"reason": reason})),
            _ => OnJoin::Ok,
        });
        let mut first = pool.open("bot", spec("first"));
        joined(&mut first).await;
        joined(&mut pool.open("bot", spec("second"))).await;
        assert_eq!(fake.joins().iter().map(|join| join.link).collect::<Vec<_>>(), [0, 0, 1], "{reason}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_tenth_failed_join_is_the_last() {
    let (fake, pool) = pool();
    fake.on_join(|_| OnJoin::Refuse(json!({"reason": "overloaded: try again later"})));
    let mut channel = pool.open("bot", spec("t"));
    let mut downs = 0;
    let last = loop {
        match channel.next().await.unwrap() {
            ChannelEvent::Down { .. } => downs += 1,
            ChannelEvent::Ended { fault } => break fault,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((downs, last.code.as_str()), (9, "overloaded"));
    assert_eq!(fake.joins().len(), 10);
    pass(20).await;
    assert_eq!((pool.stats().channels, pool.stats().connections), (0, 0));
}
