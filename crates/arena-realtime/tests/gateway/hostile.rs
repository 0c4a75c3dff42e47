//! Clients that do their worst, and neighbours that do not notice.

use crate::support::{Client, Heard, House};
use arena_realtime::frame::{Opcode, mask, masked};
use arena_realtime::limits::{RateLimit, RealtimeLimits};
use serde_json::{Value, json};

const KEY: [u8; 4] = [1, 2, 3, 4];

fn quiet() -> Value {
    json!({"broadcast": {"ack": true}, "presence": {"enabled": false}})
}

/// With the limits that are the default, but for the frames.
fn guarded() -> House {
    House::with(|settings| {
        let no_limit = RateLimit { per_second: 0, burst: 0 };
        settings.limits =
            RealtimeLimits { connections: 300, session_frames: no_limit, ..RealtimeLimits::default() };
    })
}

/// Two that talk to each other on a topic of their own, and on the topic that is attacked.
struct Neighbours(Client, Client);

impl Neighbours {
    async fn in_house(house: &House) -> Neighbours {
        let (mut ann, mut bob) = (house.guest().await, house.guest().await);
        for client in [&mut ann, &mut bob] {
            client.join("lobby:a", quiet()).await;
        }
        Neighbours(ann, bob)
    }

    /// Each hears the other.
    async fn talk(&mut self, n: u64) {
        for _ in 0..2 {
            let Neighbours(ann, bob) = self;
            let reference = ann.broadcast("lobby:a", "mine", json!(n)).await;
            assert_eq!(ann.reply(&reference).await["status"], "ok");
            let mine = |m: &Value| m[4]["event"] == "mine" && m[4]["payload"] == n;
            bob.until(mine).await;
            bob.all().await;
            std::mem::swap(&mut self.0, &mut self.1);
        }
    }
}

fn reason(reply: &Value) -> &str {
    reply["response"]["reason"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_flood_of_joins_is_refused_with_its_code_and_lets_others_join() {
    let house = guarded();
    let mut client = house.guest().await;
    let mut waiting = Vec::new();
    for n in 0..300 {
        waiting.push(client.ask_to_join(&format!("lobby:{}", n % 50), quiet()).await);
    }
    let mut refused = 0;
    for reference in waiting {
        let reply = client.reply(&reference).await;
        if reply["status"] == "error" {
            assert_eq!(reason(&reply), "ClientJoinRateLimitReached: Too many joins per second");
            refused += 1;
        }
    }
    assert!((100..=200).contains(&refused), "{refused} of 300; 100 at once are allowed");
    house.guest().await.join("lobby:0", quiet()).await;
    drop(client);
    house.is_left_empty().await;
}

#[tokio::test]
async fn a_thousand_topics_are_too_many() {
    let house = House::new();
    let mut client = house.guest().await;
    for n in 0..1_000 {
        let reply = client.try_join(&format!("room:{n}"), quiet()).await;
        if n < 100 {
            assert_eq!(reply["status"], "ok", "{n}");
        } else {
            assert_eq!(reason(&reply), "ChannelRateLimitReached: Too many channels");
        }
    }
    client.join("room:5", quiet()).await;
    client.leave("room:5").await;
    client.join("room:999", quiet()).await;
    assert_eq!(house.gateway.stats().rooms, 100);
    drop(client);
    house.is_left_empty().await;
}

#[tokio::test]
async fn a_flood_of_messages_is_refused_with_its_code_and_its_neighbours_go_on() {
    let house = guarded();
    let mut neighbours = Neighbours::in_house(&house).await;
    let mut client = house.guest().await;
    client.join("lobby:a", quiet()).await;
    let mut refused = 0;
    for round in 0..10 {
        let mut waiting = Vec::new();
        for _ in 0..100 {
            waiting.push(client.broadcast("lobby:a", "flood", json!({})).await);
        }
        neighbours.talk(round).await;
        for reference in waiting {
            let reply = client.reply(&reference).await;
            if reply["status"] == "error" {
                assert_eq!(reason(&reply), "MessagePerSecondRateLimitReached: Too many messages per second");
                refused += 1;
            }
        }
    }
    assert!(refused > 300, "{refused} of 1,000");
    let heard = client.all().await;
    let told: Vec<_> = heard.iter().filter(|m| m[3] == "system").collect();
    assert!(!told.is_empty() && told.len() < 30, "told once a second: {}", told.len());
    assert_eq!(
        (&told[0][4]["message"], &told[0][4]["status"], &told[0][4]["channel"]),
        (&json!("Too many messages per second"), &json!("ok"), &json!("lobby:a"))
    );
    drop((client, neighbours));
    house.is_left_empty().await;
}

#[tokio::test]
async fn a_flood_of_presence_calls_is_refused_with_its_code() {
    let house = guarded();
    let mut neighbours = Neighbours::in_house(&house).await;
    let mut client = house.guest().await;
    client.join("lobby:a", json!({"presence": {"key": "me"}})).await;
    let mut refused = 0;
    for n in 0..500 {
        let call = json!({"type": "presence", "event": "track", "payload": {"n": n}});
        let reference = client.push("lobby:a", "presence", call).await;
        let reply = client.reply(&reference).await;
        if reply["status"] == "error" {
            assert_eq!(reason(&reply), "ClientPresenceRateLimitReached: Client presence rate limit exceeded");
            refused += 1;
        }
    }
    assert!(refused >= 300, "{refused} of 500");
    neighbours.talk(1).await;
    let system = client.event("lobby:a", "system").await;
    assert_eq!(system["message"], "Client presence rate limit exceeded");
    let huge = json!({"type": "presence", "event": "track", "payload": {"x": "x".repeat(9_000)}});
    let reference = client.push("lobby:a", "presence", huge).await;
    assert_eq!(reason(&client.reply(&reference).await), "PayloadSizeExceeded: Track message size exceeded");
    drop((client, neighbours));
    house.is_left_empty().await;
}

#[tokio::test]
async fn a_flood_of_frames_is_closed_with_1008() {
    let house = House::with(|settings| settings.limits.session_frames = RateLimit::of(50));
    let mut neighbours = Neighbours::in_house(&house).await;
    let mut client = house.guest().await;
    let ping = mask(Opcode::Ping, b"x", KEY);
    client.send_raw(&ping.repeat(1_000)).await;
    let reason = "FrameRateLimitReached: Too many frames per second".to_owned();
    assert_eq!(client.closing().await, Some((1008, reason)));
    neighbours.talk(1).await;
    drop(neighbours);
    house.is_left_empty().await;
}

#[tokio::test]
async fn broken_frames_are_closed_with_the_code_that_fits() {
    let house = House::new();
    let close_one_byte = masked(true, Opcode::Close, b"x", KEY);
    for (bytes, code) in [
        (vec![0x81, 0x01, b'x'], 1002),
        (vec![0xf1, 0x80, 0, 0, 0, 0], 1002),
        (vec![0x83, 0x80, 0, 0, 0, 0], 1002),
        (masked(true, Opcode::Continuation, b"x", KEY), 1002),
        (masked(false, Opcode::Ping, b"x", KEY), 1002),
        (close_one_byte, 1002),
        (mask(Opcode::Text, &[0xff, 0xfe], KEY), 1007),
        (vec![0x82, 0xff, 0, 0, 0, 0, 0, 0x4c, 0x4b, 0x41, 1, 2, 3, 4], 1009),
        (vec![0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4], 1009),
    ] {
        let mut client = house.guest().await;
        client.join("lobby:a", json!({})).await;
        client.send_raw(&bytes).await;
        let closing = client.closing().await;
        assert_eq!(closing.as_ref().map(|(code, _)| *code), Some(code), "{bytes:?}: {closing:?}");
    }
    assert_eq!(house.gateway.stats().broken_frames, 9);
    house.is_left_empty().await;
}

#[tokio::test]
async fn messages_that_mean_nothing_are_dropped_and_the_session_stays() {
    let house = House::new();
    let mut client = house.guest().await;
    client.join("lobby:a", quiet()).await;
    let deep =
        format!("[null,\"1\",\"realtime:lobby:a\",\"x\",{}{}]", "[".repeat(200_000), "]".repeat(200_000));
    for text in [
        "",
        "{",
        "[]",
        "null",
        "[1,2,3]",
        r#"[{},"1","realtime:lobby:a","phx_join",{}]"#,
        r#"[null,"1",null,"phx_join",{}]"#,
        r#"[null,"1","realtime:lobby:a","broadcast",7]"#,
        r#"[null,"1","realtime:lobby:a","broadcast",[]]"#,
        &format!("[null,\"1\",\"realtime:{}\",\"phx_join\",{{}}]", "x".repeat(300)),
    ] {
        client.send_raw(&mask(Opcode::Text, text.as_bytes(), KEY)).await;
    }
    for bytes in [&[][..], &[3], &[3, 255, 255, 255, 255, 255, 1], &[9; 100]] {
        client.send_raw(&mask(Opcode::Binary, bytes, KEY)).await;
    }
    assert_eq!(client.all().await.len(), 0);
    assert_eq!(house.gateway.stats().malformed, 14);
    // Too deep to be worth reading, but nothing that breaks anything.
    client.send_raw(&mask(Opcode::Text, deep.as_bytes(), KEY)).await;
    client.send(json!(["lobby:a", "77", "realtime:lobby:a", "presence", 5])).await;
    assert_eq!(reason(&client.reply("77").await), "InvalidPresence: it has an event and a payload");
    drop(client);
    house.is_left_empty().await;
}

#[tokio::test]
async fn topics_that_cannot_be_are_refused_with_a_coded_reason() {
    let house = House::new();
    let mut client = house.guest().await;
    for (topic, code) in [
        ("realtime:", "TopicNameRequired: "),
        ("room:1", "unmatched topic"),
        ("phoenix", "unmatched topic"),
        ("realtime:a\nb", "InvalidTopic: "),
        ("realtime:\u{1}lobby:a", "InvalidTopic: "),
        ("realtime:world:w-0123456789abcdef0123456789abcdef", "InvalidTopic: "),
        ("realtime:world:", "InvalidTopic: "),
        ("realtime:conversation:1", "conversation_not_found: "),
        ("realtime:conversation:", "conversation_not_found: "),
        ("realtime:operator:conversations", "Unauthorized: "),
        ("realtime:user:somebody", "Unauthorized: "),
    ] {
        let reference = client.fresh_ref();
        client.send(json!([reference, reference, topic, "phx_join", {}])).await;
        let reply = client.reply(&reference).await;
        assert!(reason(&reply).starts_with(code), "{topic}: {reply}");
    }
    let reference = client.broadcast("lobby:a", "e", json!({})).await;
    assert_eq!(reason(&client.reply(&reference).await), "unmatched topic", "it is no member");
    assert_eq!((house.gateway.stats().rooms, house.gateway.stats().refused_joins), (0, 11));
    drop(client);
    house.is_left_empty().await;
}

#[tokio::test]
async fn a_payload_that_is_too_large_is_refused_and_the_session_stays() {
    let house = House::new();
    let mut neighbours = Neighbours::in_house(&house).await;
    let mut client = house.guest().await;
    client.join("lobby:a", quiet()).await;
    let reference = client.broadcast("lobby:a", "e", json!("x".repeat(300_000))).await;
    let refused = json!({"status": "error", "response": {"error": "payload_size_exceeded"}});
    assert_eq!(client.reply(&reference).await, refused);
    neighbours.talk(1).await;
    assert_eq!(client.all().await.len(), 2, "what the neighbours said");
    drop((client, neighbours));
    house.is_left_empty().await;
}

#[tokio::test]
async fn one_frame_byte_by_byte_disturbs_nobody() {
    let house = House::new();
    let mut neighbours = Neighbours::in_house(&house).await;
    let mut client = house.guest().await;
    let join = Client::frame(&json!(["1", "1", "realtime:lobby:a", "phx_join", {}]));
    for (n, byte) in join.iter().enumerate() {
        client.send_raw(&[*byte]).await;
        if n % 20 == 0 {
            neighbours.talk(n as u64).await;
        }
    }
    assert_eq!(client.reply("1").await["status"], "ok");
    drop((client, neighbours));
    house.is_left_empty().await;
}

#[tokio::test]
async fn a_socket_that_is_silent_is_closed_as_idle_and_one_that_beats_is_not() {
    let house = House::with(|settings| settings.limits.idle_timeout = std::time::Duration::from_secs(1));
    let (mut silent, mut alive) = (house.guest().await, house.guest().await);
    let (player, ticket) = {
        let player = uuid::Uuid::new_v4();
        (player, house.ticket(player, "main"))
    };
    let mut seated = house.holder_of(&ticket).await;
    seated.join("world:main", quiet()).await;
    silent.join("lobby:a", quiet()).await;
    alive.join("lobby:a", quiet()).await;
    while house.gateway.stats().idle_closed < 2 {
        alive.all().await;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let expected = Some((1001, "idle: nothing was heard".to_owned()));
    assert_eq!((silent.closing().await, seated.closing().await), (expected.clone(), expected));
    house.becomes("the seat is left", |house| house.stage.holder(player).is_none()).await;
    alive.all().await;
    drop((alive, silent, seated));
    house.is_left_empty().await;
}

#[tokio::test]
async fn a_client_that_never_stops_sending_does_not_keep_the_others_waiting() {
    // One thread for all: whoever does not let go of it stops everybody.
    let house = House::new();
    let mut neighbours = Neighbours::in_house(&house).await;
    for closes_first in [false, true] {
        let mut socket = house.socket("2.0.0", None).await.into_std().unwrap();
        socket.set_nonblocking(false).unwrap();
        let flood = std::thread::spawn(move || {
            use std::io::Write;
            if closes_first {
                let _ = socket.write_all(&mask(Opcode::Close, &1000u16.to_be_bytes(), KEY));
            }
            let frame = mask(Opcode::Binary, &[9; 4_000_000], KEY);
            // 400 MB, or until it is cut off.
            let _ = (0..100).try_for_each(|_| socket.write_all(&frame));
        });
        let mut n = 0;
        while !flood.is_finished() {
            n += 1;
            neighbours.talk(n).await;
        }
        flood.join().unwrap();
        assert!(n > 1, "they talked only when it was over");
    }
    drop(neighbours);
    house.is_left_empty().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sockets_that_die_at_any_moment_leave_nothing_behind() {
    let house = House::new();
    let mut neighbours = Neighbours::in_house(&house).await;
    for round in 0u64..150 {
        let ticket = house.ticket(uuid::Uuid::from_u128(u128::from(round % 5)), "main");
        let mut client = house.holder_of(&ticket).await;
        let mut bytes = Vec::new();
        for (n, topic) in ["lobby:a", "world:main", "room:1", "world:main", "lobby:a"].iter().enumerate() {
            let wire = format!("realtime:{topic}");
            let reference = n.to_string();
            bytes.extend(Client::frame(&json!([reference, reference, wire, "phx_join", {}])));
            let track = json!({"event": "track", "payload": {"n": n}});
            bytes.extend(Client::frame(&json!([reference, reference, wire, "presence", track])));
        }
        // Cut anywhere.
        let cut = bytes.len() * usize::try_from(round).unwrap() / 150;
        client.send_raw(&bytes[..cut]).await;
        if round % 3 == 0 {
            socket2::SockRef::from(&client.socket).set_linger(Some(std::time::Duration::ZERO)).unwrap();
        }
        drop(client);
        if round % 30 == 0 {
            neighbours.talk(round).await;
        }
    }
    drop(neighbours);
    house.is_left_empty().await;
}

#[tokio::test]
async fn pings_are_answered_with_their_payload() {
    let house = House::new();
    let mut client = house.guest().await;
    client.send_raw(&mask(Opcode::Ping, b"who", KEY)).await;
    assert_eq!(client.hear().await, Heard::Pong(b"who".to_vec()));
    drop(client);
    house.is_left_empty().await;
}
