//! An endpoint that says what nobody can believe.

use crate::endpoint::{OnConnect, OnJoin};
use crate::setting::{fault, joined, pass, pool, secs, spec};
use arena_core::fleet::{BreakerState, FaultClass};
use arena_fleet::channel::{ChannelEvent, ChannelSpec};
use serde_json::json;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;

/// Frames that no version of the protocol has.
const LIES: [&str; 12] = [
    "not json at all",
    "{}",
    "[]",
    r#"[1,2,3,4,5]"#,
    r#"[null,null,"realtime:t","phx_reply",{"status":"ok","response":{}}]"#,
    r#"[null,"999999","realtime:t","phx_reply",{"status":"ok","response":{}}]"#,
    r#"[null,"1","realtime:t","phx_reply",{"status":"perhaps"}]"#,
    r#"[null,"1","realtime:t","phx_reply","ok"]"#,
    r#"[null,null,"realtime:never","presence_state",{}]"#,
    r#"[null,null,"realtime:t","presence_state",[1,2]]"#,
    r#"[null,null,"realtime:t","system",{}]"#,
    r#"[null,null,"realtime:t","broadcast",7]"#,
];

#[tokio::test(start_paused = true)]
async fn a_few_frames_that_nobody_understands_are_dropped() {
    for lie in LIES {
        let (fake, pool) = pool();
        let mut channel = pool.open("bot", ChannelSpec { watches_presence: true, ..spec("t") });
        joined(&mut channel).await;
        for _ in 0..5 {
            fake.tell("realtime:t", lie).await;
        }
        pass(60).await;
        fake.tell("realtime:t", r#"[null,null,"$t","broadcast",{"event":"m","payload":{}}]"#).await;
        let heard = channel.next().await;
        assert!(matches!(heard, Some(ChannelEvent::Message { .. })), "{lie}: {heard:?}");
        assert_eq!(fake.connects().len(), 1, "{lie}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_says_nothing_else_is_left_and_the_bot_is_kept_away_from_it() {
    let (fake, pool) = pool();
    let mut channel = pool.open("bot", ChannelSpec { watches_presence: true, ..spec("t") });
    joined(&mut channel).await;
    for lie in LIES {
        fake.tell("realtime:t", lie).await;
    }
    let (ended, fault) = fault(&mut channel).await;
    assert!(ended);
    assert_eq!((fault.class, fault.code.as_str()), (FaultClass::Protocol, "not_understood"));
    pass(60).await;
    assert_eq!(fake.seen.lock().unwrap().closes, [1002]);
    assert_eq!((fake.connects().len(), pool.stats().channels), (1, 0));
}

/// Slips that are far apart never add up.
#[tokio::test(start_paused = true)]
async fn a_slip_now_and_then_is_no_lie() {
    let (fake, pool) = pool();
    let mut channel = pool.open("bot", spec("t"));
    joined(&mut channel).await;
    for _ in 0..60 {
        fake.tell("realtime:t", "nonsense").await;
        pass(20).await;
    }
    assert!(channel.push("chat", json!({})).await.unwrap().ok);
    assert_eq!(fake.connects().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn closes_and_errors_of_joins_from_before_change_nothing() {
    let (fake, pool) = pool();
    let mut channel = pool.open("bot", spec("t"));
    joined(&mut channel).await;
    for frame in [
        r#"["77","77","$t","phx_close",{}]"#,
        r#"[null,"77","$t","phx_close",{}]"#,
        r#"["77","77","$t","phx_error",{}]"#,
    ] {
        fake.tell("realtime:t", frame).await;
    }
    pass(60).await;
    assert!(channel.push("chat", json!({})).await.unwrap().ok);
    assert_eq!(fake.joins().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_join_that_is_answered_twice_is_joined_once() {
    let (fake, pool) = pool();
    fake.on_join(|_| OnJoin::Twice);
    let mut channel = pool.open("bot", spec("t"));
    joined(&mut channel).await;
    assert!(channel.push("chat", json!({})).await.unwrap().ok);
    pass(60).await;
    assert_eq!(pool.stats().channels, 1);
    let more = tokio::time::timeout(secs(1), channel.next()).await;
    assert!(more.is_err(), "{more:?}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_in_another_topic_is_none() {
    let (fake, pool) = pool();
    fake.on_join(|join| if join.link == 0 { OnJoin::Elsewhere } else { OnJoin::Ok });
    let mut channel = pool.open("bot", spec("t"));
    let (ended, fault) = fault(&mut channel).await;
    assert_eq!((ended, fault.code.as_str()), (false, "join_timeout"));
    joined(&mut channel).await;
}

#[tokio::test(start_paused = true)]
async fn what_answers_without_being_an_endpoint_is_left_to_the_breaker() {
    let teapot = OnConnect::Refuse { status: 418, retry_after: None, body: "" };
    for what in [OnConnect::Garbage, teapot] {
        let (fake, pool) = pool();
        let lie = what.clone();
        fake.on_connect(move |n| if *n < 12 { lie.clone() } else { OnConnect::Accept });
        let mut channel = pool.open("bot", spec("t"));
        let (ended, fault) = fault(&mut channel).await;
        assert_eq!((ended, fault.class), (false, FaultClass::Protocol), "{what:?}");
        joined(&mut channel).await;
        assert_eq!(pool.stats().breaker, BreakerState::Closed);
    }
}

/// Presence of nonsense is handed over as far as it is an object; who reads it makes nothing of it.
#[tokio::test(start_paused = true)]
async fn presence_of_nonsense_harms_nobody() {
    let (fake, pool) = pool();
    let mut channel = pool.open("bot", ChannelSpec { watches_presence: true, ..spec("t") });
    joined(&mut channel).await;
    fake.tell(
        "realtime:t",
        r#"[null,null,"$t","presence_state",{"a":7,"b":{"metas":"x"},"c":{"metas":[{}]}}]"#,
    )
    .await;
    let Some(ChannelEvent::Presence { event, payload }) = channel.next().await else { panic!("presence") };
    let mut there = arena_fleet::channel::Present::default();
    there.apply(&event, &payload);
    assert_eq!(there.iter().map(|(key, _)| key).collect::<Vec<_>>(), ["c"]);
}

/// One frame out of pieces of frames.
fn babble(random: &mut fastrand::Rng) -> Message {
    const PIECES: [&str; 24] = [
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "null",
        "\"$j\"",
        "\"1\"",
        "\"2\"",
        "7",
        "true",
        "\"realtime:t\"",
        "\"phx_reply\"",
        "\"phx_close\"",
        "\"phx_error\"",
        "\"broadcast\"",
        "\"presence_diff\"",
        "\"system\"",
        "\"status\"",
        "\"ok\"",
        "\"response\"",
        "\"event\"",
        "\"\u{fe0f}\"",
    ];
    let mut piece = || PIECES[random.usize(0..PIECES.len())];
    match piece().len() % 3 {
        0 => Message::text((0..12).map(|_| piece()).collect::<String>()),
        1 => {
            let parts = [piece(), piece(), "\"realtime:t\"", piece()];
            Message::text(format!("[{},{{\"status\":{},\"message\":{}}}]", parts.join(","), piece(), piece()))
        }
        _ => Message::binary((0..20).map(|_| piece().as_bytes()[0] % 7).collect::<Vec<u8>>()),
    }
}

/// Whatever comes, in whatever order: nothing panics, nothing is held afterwards, and the pool works on.
#[tokio::test(start_paused = true)]
async fn a_pool_outlives_an_endpoint_that_babbles() {
    for seed in 0..20 {
        let (fake, pool) = pool();
        let mut random = fastrand::Rng::with_seed(seed);
        let watches = ChannelSpec { watches_presence: true, ..spec("t") };
        let mut channel = pool.open("bot", watches.clone());
        joined(&mut channel).await;
        for _ in 0..200 {
            fake.say_all(babble(&mut random)).await;
            tokio::time::sleep(Duration::from_millis(random.u64(0..2_000))).await;
            let heard = tokio::time::timeout(Duration::from_millis(1), channel.next()).await;
            if let Ok(None) = heard {
                channel = pool.open("bot", watches.clone());
            }
        }
        drop(channel);
        pass(60).await;
        let stats = pool.stats();
        assert_eq!((stats.channels, stats.connections, stats.supervised), (0, 0, 0), "seed {seed}");
        joined(&mut pool.open("bot", spec("t"))).await;
    }
}
