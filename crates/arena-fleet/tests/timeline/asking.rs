//! What the endpoint is asked, and how.

use crate::setting::{joined, pool, pool_of_vsn, secs, spec};
use arena_fleet::channel::{ChannelEvent, ChannelSpec};
use arena_realtime::codec::Vsn;
use serde_json::json;

/// URLs end in logs; headers do not.
#[tokio::test(start_paused = true)]
async fn the_key_is_shown_in_headers_and_never_in_the_url() {
    let (fake, pool) = pool();
    joined(&mut pool.open("bot", spec("t"))).await;
    let (uri, headers) = fake.seen.lock().unwrap().handshakes[0].clone();
    assert_eq!(uri, "/socket/websocket?vsn=2.0.0");
    for name in ["x-api-key", "apikey"] {
        assert!(headers.contains(&(name.to_owned(), "key".to_owned())), "{headers:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_join_says_what_its_channel_wants() {
    let (fake, pool) = pool();
    let wants = ChannelSpec {
        private: true,
        presence_key: Some("bot-ada".to_owned()),
        watches_presence: true,
        ..spec("room:1")
    };
    joined(&mut pool.open("bot", wants)).await;
    let join = fake.joins().remove(0);
    assert_eq!((join.topic.as_str(), join.token.as_deref()), ("realtime:room:1", Some("token")));
    let expected = json!({
        "broadcast": {"ack": true, "self": false},
        "presence": {"key": "bot-ada", "enabled": true},
        "postgres_changes": [],
        "private": true,
    });
    assert_eq!(join.config, expected);
}

/// Everything above works in the older version too.
#[tokio::test(start_paused = true)]
async fn version_one_is_spoken_as_well() {
    let (fake, pool) = pool_of_vsn(Vsn::V1);
    let mut channel = pool.open("bot", ChannelSpec { presence: Some(json!({"bot": true})), ..spec("t") });
    joined(&mut channel).await;
    assert!(channel.push("chat", json!({})).await.unwrap().ok);
    fake.tell(
        "realtime:t",
        r#"{"topic":"$t","event":"broadcast","payload":{"event":"m","payload":{"n":1}},"ref":null}"#,
    )
    .await;
    let Some(ChannelEvent::Message { event, payload, .. }) = channel.next().await else {
        panic!("a message")
    };
    assert_eq!((event.as_str(), payload), ("m", json!({"n": 1})));
    fake.tell("realtime:t", r#"{"topic":"$t","event":"phx_close","payload":{},"ref":"77"}"#).await;
    fake.tell("realtime:t", r#"{"topic":"$t","event":"phx_close","payload":{},"ref":"$j"}"#).await;
    joined(&mut channel).await;
    channel.leave(secs(5)).await;
    tokio::time::sleep(secs(100)).await;
    let expected = ["phx_join", "presence", "broadcast", "phx_join", "presence", "presence", "phx_leave"];
    assert_eq!(fake.events("realtime:t"), expected);
    assert!(fake.seen.lock().unwrap().handshakes[0].0.ends_with("vsn=1.0.0"));
}

/// A beat at each interval, the first of them at a random moment, so that a thousand do not beat together.
#[tokio::test(start_paused = true)]
async fn hearts_beat_regularly_and_not_together() {
    let (fake, pool) = pool();
    let mut channels: Vec<_> = (0..50).map(|n| pool.open(&format!("bot-{n}"), spec("lobby"))).collect();
    for channel in &mut channels {
        joined(channel).await;
    }
    tokio::time::sleep(secs(300)).await;
    let seen = fake.seen.lock().unwrap();
    let beats: Vec<_> = seen.frames.iter().filter(|(.., event, _)| event == "heartbeat").collect();
    for link in 0..50 {
        let own = beats.iter().filter(|(_, of, ..)| *of == link).count();
        assert!((11..=12).contains(&own), "{own}");
    }
    let times: Vec<_> = beats.iter().map(|(at, ..)| *at).collect();
    assert!(crate::setting::peak(&times) <= 12, "{}", crate::setting::peak(&times));
}
