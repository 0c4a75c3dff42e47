//! An endpoint that breaks off.

use crate::endpoint::{OnConnect, OnJoin};
use crate::setting::{fault, joined, pass, pool, secs, spec};
use arena_core::fleet::FaultClass;
use arena_fleet::channel::{ChannelEvent, ChannelSpec, PushError};
use arena_fleet::{Token, TokenSource};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_in_the_middle_of_a_join_is_tried_again() {
    let (fake, pool) = pool();
    fake.on_join(|join| if join.link < 2 { OnJoin::Break } else { OnJoin::Ok });
    let mut channel = pool.open("bot", spec("t"));
    joined(&mut channel).await;
    let times = fake.connects();
    assert_eq!(times.len(), 3);
    let gaps = [(times[1] - times[0]).as_secs_f64(), (times[2] - times[1]).as_secs_f64()];
    assert!((1.39..=2.01).contains(&gaps[0]) && (2.79..=4.01).contains(&gaps[1]), "{gaps:?}");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_takes_its_channels_and_their_pushes_along_and_all_come_back() {
    let (fake, pool) = pool();
    fake.set(|script| script.push = Box::new(|_| None));
    let mut channels: Vec<_> = (0..10).map(|n| pool.open("bot", spec(&format!("t:{n}")))).collect();
    for channel in &mut channels {
        joined(channel).await;
    }
    assert_eq!(fake.open(), 1);
    let first = channels.remove(0);
    let (answer, ()) = tokio::join!(first.push("chat", json!({})), async {
        pass(1).await;
        fake.break_all();
    });
    assert_eq!(answer, Err(PushError::Lost));
    channels.push(first);
    let before = fake.now();
    for channel in &mut channels {
        let (ended, fault) = fault(channel).await;
        assert!(!ended);
        assert_eq!(fault.class, FaultClass::Network);
        joined(channel).await;
    }
    assert!(fake.now() - before < secs(3));
    assert_eq!(fake.open(), 1, "together again on one connection");
    let again: Vec<_> = fake.joins()[10..].iter().map(|join| join.at).collect();
    let spread = *again.iter().max().unwrap() - *again.iter().min().unwrap();
    assert!(spread.as_millis() > 100, "they come back at different times: {spread:?}");
}

/// Whoever works for less than a minute has not recovered.
#[tokio::test(start_paused = true)]
async fn failures_are_forgotten_only_after_a_stable_minute() {
    let (fake, pool) = pool();
    let mut channel = pool.open("bot", spec("t"));
    joined(&mut channel).await;
    let mut delays = Vec::new();
    for stays in [1, 30, 58, 62, 1] {
        pass(stays).await;
        fake.break_all();
        loop {
            if let Some(ChannelEvent::Down { after, .. }) = channel.next().await {
                delays.push(after.as_secs_f64());
                break;
            }
        }
        joined(&mut channel).await;
    }
    for (delay, full) in delays.iter().zip([2.0, 4.0, 8.0, 2.0, 4.0]) {
        assert!(*delay >= full * 0.69 && *delay <= full, "{delay} of {full}: {delays:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_restart_that_is_announced_is_a_pause_and_no_end() {
    let (fake, pool) = pool();
    let mut channel = pool.open("bot", spec("t"));
    joined(&mut channel).await;
    for (code, reason, expected) in [
        (1012, "service restart", "RealtimeRestarting"),
        (1001, "", "closed_going_away"),
        (1013, "SlowConsumer: come back and recover", "SlowConsumer"),
        (1011, "", "closed_server_error"),
    ] {
        pass(61).await;
        fake.close_all(code, reason).await;
        let (ended, fault) = fault(&mut channel).await;
        assert_eq!((ended, fault.code.as_str()), (false, expected));
        joined(&mut channel).await;
    }
}

fn numbered() -> TokenSource {
    let asked = Arc::new(AtomicUsize::new(0));
    TokenSource::new(move || Token {
        text: format!("token-{}", asked.fetch_add(1, Ordering::Relaxed)).into(),
        ttl: None,
    })
}

#[tokio::test(start_paused = true)]
async fn a_closed_channel_is_rebuilt_with_the_current_token_on_the_same_connection() {
    let (fake, pool) = pool();
    let mut channel = pool.open("bot", ChannelSpec { token: numbered(), ..spec("t") });
    joined(&mut channel).await;
    fake.tell("realtime:t", r#"["$j",null,"$t","system",{"status":"error","message":"Token has expired 5 seconds ago","extension":"system"}]"#).await;
    fake.tell("realtime:t", r#"["$j","$j","$t","phx_close",{}]"#).await;
    let (ended, fault) = fault(&mut channel).await;
    assert_eq!((ended, fault.class), (false, FaultClass::Authentication));
    joined(&mut channel).await;
    let shown: Vec<_> = fake.joins().into_iter().map(|join| join.token.unwrap()).collect();
    assert_eq!(shown, ["token-0", "token-1"]);
    assert_eq!(fake.connects().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_error_of_the_channel_and_a_close_without_a_word_lead_to_a_rejoin() {
    let (fake, pool) = pool();
    let mut channel = pool.open("bot", spec("t"));
    joined(&mut channel).await;
    for (frame, code) in [
        (r#"["$j","$j","$t","phx_error",{"reason":"crashed"}]"#, "channel_error"),
        (r#"["$j","$j","$t","phx_close",{}]"#, "channel_closed"),
    ] {
        fake.tell("realtime:t", frame).await;
        let (ended, fault) = fault(&mut channel).await;
        assert_eq!((ended, fault.code.as_str()), (false, code));
        joined(&mut channel).await;
    }
    assert_eq!(fake.connects().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_seat_that_is_lost_is_not_asked_for_again() {
    let (fake, pool) = pool();
    let mut channel = pool.open("bot", spec("world:main"));
    joined(&mut channel).await;
    fake.tell(
        "realtime:world:main",
        r#"[null,null,"$t","system",{"status":"ok","message":"SeatLost: freed","extension":"seat"}]"#,
    )
    .await;
    fake.tell("realtime:world:main", r#"["$j","$j","$t","phx_close",{}]"#).await;
    let (ended, fault) = fault(&mut channel).await;
    assert_eq!((ended, fault.code.as_str()), (true, "SeatLost"));
    pass(600).await;
    assert_eq!(fake.joins().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_which_the_endpoint_only_tells_slows_all_down_and_ends_nothing() {
    let (fake, pool) = pool();
    let mut channel = pool.open("bot", spec("t"));
    joined(&mut channel).await;
    fake.tell(
        "realtime:t",
        r#"["$j",null,"$t","system",{"status":"error","message":"Too many messages per second"}]"#,
    )
    .await;
    assert!(matches!(channel.next().await, Some(ChannelEvent::System { ok: false, .. })));
    assert_eq!((pool.stats().joins_per_sec, pool.stats().connects_per_sec), (50.0, 25.0));
    assert!(channel.push("chat", json!({})).await.unwrap().ok);
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_closes_a_channel_slows_all_down() {
    let (fake, pool) = pool();
    let mut channel = pool.open("bot", spec("t"));
    joined(&mut channel).await;
    fake.tell(
        "realtime:t",
        r#"["$j",null,"$t","system",{"status":"error","message":"Too many messages per second"}]"#,
    )
    .await;
    fake.tell("realtime:t", r#"["$j","$j","$t","phx_close",{}]"#).await;
    let (ended, fault) = fault(&mut channel).await;
    assert_eq!((ended, fault.class), (false, FaultClass::RateLimit));
    assert_eq!(pool.stats().joins_per_sec, 50.0);
    joined(&mut channel).await;
}

/// After a break the endpoint is told what was seen last, so that nothing is missed.
#[tokio::test(start_paused = true)]
async fn a_rejoin_asks_for_what_followed_the_last_message() {
    let (fake, pool) = pool();
    fake.on_join(|join| {
        if join.config["broadcast"]["recover"].is_null() {
            OnJoin::Frames(vec![
                r#"["$j","$r","$t","phx_reply",{"status":"ok","response":{"position":{"offset":3,"epoch":"e"}}}]"#,
                r#"[null,null,"$t","broadcast",{"type":"broadcast","event":"m","payload":{},"meta":{"id":"x","offset":4,"epoch":"e"}}]"#,
            ])
        } else {
            OnJoin::Ok
        }
    });
    let mut channel = pool.open("bot", spec("t"));
    joined(&mut channel).await;
    assert!(matches!(channel.next().await, Some(ChannelEvent::Message { .. })));
    fake.break_all();
    joined(&mut channel).await;
    let asked: Vec<Value> =
        fake.joins().into_iter().map(|join| join.config["broadcast"]["recover"].clone()).collect();
    assert_eq!(asked, [Value::Null, json!({"id": "x", "offset": 4, "epoch": "e"})]);
}

#[tokio::test(start_paused = true)]
async fn a_bot_that_does_not_listen_loses_its_place_and_goes_on_where_it_was() {
    let (fake, pool) = pool();
    let mut channel = pool.open("bot", spec("t"));
    joined(&mut channel).await;
    for n in 1..=200 {
        let frame = format!(
            r#"[null,null,"$t","broadcast",{{"event":"m","payload":{n},"meta":{{"offset":{n},"epoch":"e"}}}}]"#
        );
        fake.tell("realtime:t", &frame).await;
        tokio::task::yield_now().await;
    }
    pass(10).await;
    let mut last = 0;
    loop {
        match channel.next().await.unwrap() {
            ChannelEvent::Message { payload, .. } => last = payload.as_u64().unwrap(),
            ChannelEvent::Down { fault, .. } => assert_eq!(fault.code, "bot_behind"),
            ChannelEvent::Joined { .. } => break,
            other => panic!("{other:?}"),
        }
    }
    let asked = fake.joins().last().unwrap().config["broadcast"]["recover"]["offset"].clone();
    assert_eq!(asked, json!(last));
    assert!(last < 200);
    assert_eq!(fake.members(), 1, "the place from before is left");
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_accepts_and_hangs_up_is_asked_ten_times_and_no_more() {
    let (fake, pool) = pool();
    fake.on_connect(|_| OnConnect::Accept);
    fake.on_join(|_| OnJoin::Break);
    let mut channel = pool.open("bot", spec("t"));
    while !fault(&mut channel).await.0 {}
    assert_eq!(fake.connects().len(), 10);
    pass(600).await;
    assert_eq!((fake.connects().len(), pool.stats().channels), (10, 0));
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_too_large_is_dropped_and_the_next_is_heard() {
    let (fake, pool) = pool();
    let mut channel = pool.open("bot", spec("t"));
    joined(&mut channel).await;
    for bytes in [300 * 1024, 200 * 1024] {
        let text = "x".repeat(bytes);
        let frame = format!(r#"[null,null,"$t","broadcast",{{"event":"m","payload":{{"text":"{text}"}}}}]"#);
        fake.tell("realtime:t", &frame).await;
    }
    let Some(ChannelEvent::Message { payload, .. }) = channel.next().await else { panic!("a message") };
    assert_eq!(payload["text"].as_str().unwrap().len(), 200 * 1024);
    assert_eq!(fake.connects().len(), 1);
}
