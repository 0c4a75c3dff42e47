//! Those who do not read.

use crate::support::{Client, House};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};

const QUIET: &str = r#"{"presence": {"enabled": false}}"#;

fn quiet() -> Value {
    serde_json::from_str(QUIET).unwrap()
}

/// A client whose socket takes little at once, so that the gateway's queue fills soon.
async fn narrow(house: &House) -> Client {
    let admitted = house.admit("2.0.0", None).unwrap();
    let door = TcpSocket::new_v4().unwrap();
    door.set_send_buffer_size(16 * 1024).unwrap();
    door.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = door.listen(1).unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4 * 1024).unwrap();
    let ours: TcpStream = socket.connect(listener.local_addr().unwrap()).await.unwrap();
    let (theirs, _) = listener.accept().await.unwrap();
    house.gateway.start_session(admitted, theirs, Vec::new());
    Client::new(ours)
}

#[tokio::test]
async fn a_slow_reader_of_a_lobby_is_closed_with_1013_and_its_neighbours_hear_everything() {
    let house = House::with(|settings| settings.limits.outbox_bytes = 64 * 1024);
    let (mut slow, mut fast, mut loud) = (narrow(&house).await, house.guest().await, house.guest().await);
    for client in [&mut slow, &mut fast, &mut loud] {
        client.join("lobby:a", quiet()).await;
    }
    let text = "x".repeat(60_000);
    let mut said = 0;
    // In step with the fast one: if it had to wait for the slow one, this would not go on.
    let begun = std::time::Instant::now();
    while house.gateway.stats().slow_closed == 0 && begun.elapsed().as_secs() < 30 {
        loud.broadcast("lobby:a", "e", json!({"n": said, "text": text})).await;
        let heard = fast.event("lobby:a", "broadcast").await;
        assert_eq!(heard["payload"]["n"], said);
        said += 1;
        if said % 100 == 0 {
            // Its task counts once its socket has taken the close, or the clock has cut it off.
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }
    assert_eq!(house.gateway.stats().slow_closed, 1, "after {said} messages");
    drop((slow, fast, loud));
    house.is_left_empty().await;
}

/// Reads to the end of a session; returns the last place of a message, which all followed each other.
async fn last_place(client: &mut Client, mut at: u64) -> u64 {
    loop {
        match client.hear().await {
            crate::support::Heard::Message(message) => {
                let now = message[4]["meta"]["offset"].as_u64().unwrap();
                assert_eq!(now, at + 1, "a gap or a repetition");
                at = now;
            }
            crate::support::Heard::Close(code, _) => assert_eq!(code, 1013),
            _ => return at,
        }
    }
}

#[tokio::test]
async fn a_slow_reader_of_a_conversation_is_closed_and_gets_the_rest_from_the_log_when_it_comes_back() {
    let house = House::new();
    house.stage.talks.begin("7", &[]);
    let mut slow = narrow(&house).await;
    let joined = slow.join("conversation:7", quiet()).await;
    // A little more than its outbox holds.
    let text = "x".repeat(2_000);
    for _ in 0..600 {
        house.stage.talks.write("7", "message", json!({"text": text}));
    }
    let at = last_place(&mut slow, joined["position"]["offset"].as_u64().unwrap()).await;
    let end = house.stage.talks.position("7");
    assert!(at + 64 < end.offset, "a stream remembers all of it, and this tests nothing");
    let mut back = house.guest().await;
    let recover = json!({"offset": at, "epoch": end.epoch.as_str()});
    let config = json!({"broadcast": {"recover": recover}, "presence": {"enabled": false}});
    assert_eq!(back.join("conversation:7", config).await["recovered"], true);
    let heard = back.all().await;
    let offsets: Vec<_> = heard.iter().map(|m| m[4]["meta"]["offset"].as_u64().unwrap()).collect();
    assert_eq!(offsets, (at + 1..=end.offset).collect::<Vec<_>>());
    drop((slow, back));
    house.is_left_empty().await;
}

#[tokio::test]
async fn a_slow_reader_that_reads_again_finds_whole_messages_and_then_the_reason() {
    let house = House::with(|settings| settings.limits.outbox_bytes = 64 * 1024);
    let (mut slow, mut loud) = (narrow(&house).await, house.guest().await);
    slow.join("lobby:a", quiet()).await;
    loud.join("lobby:a", quiet()).await;
    let text = "x".repeat(60_000);
    for n in 0..200 {
        loud.broadcast("lobby:a", "e", json!({"n": n, "text": text})).await;
    }
    loud.all().await;
    let mut heard = 0;
    let closing = loop {
        match slow.hear().await {
            crate::support::Heard::Message(message) => {
                assert_eq!(message[4]["payload"]["n"], heard, "whole and in order");
                heard += 1;
            }
            other => break other,
        }
    };
    let reason = "SlowConsumer: come back and recover".to_owned();
    assert_eq!(closing, crate::support::Heard::Close(1013, reason));
    assert!(heard < 200);
    drop((slow, loud));
    house.is_left_empty().await;
}

#[tokio::test]
async fn a_slow_reader_of_a_world_skips_and_gets_a_snapshot_and_then_every_delta() {
    let house = House::with(|settings| settings.limits.outbox_bytes = 64 * 1024);
    let (mut slow, mut fast) = (narrow(&house).await, house.guest().await);
    let mut count = slow.join("world:main", quiet()).await["snapshot"]["n"].as_u64().unwrap();
    fast.join("world:main", quiet()).await;
    for n in 1..=200 {
        house.stage.long_tick("main", 60_000);
        assert_eq!(fast.event("world:main", "broadcast").await["payload"]["n"], n);
    }
    assert_eq!(house.gateway.stats().caught_up, 0);
    let mut snapshots = 0;
    while count < 200 || snapshots == 0 {
        let message = slow.event("world:main", "broadcast").await;
        let n = message["payload"]["n"].as_u64().unwrap();
        match message["event"].as_str().unwrap() {
            "snapshot" => {
                assert!(n > count, "a step back");
                snapshots += 1;
            }
            _ => assert_eq!(n, count + 1, "a gap"),
        }
        count = n;
    }
    for n in 201..=220 {
        house.stage.tick("main");
        assert_eq!(slow.event("world:main", "broadcast").await["payload"]["n"], n);
    }
    assert_eq!(snapshots, 1);
    assert_eq!(house.gateway.stats().caught_up, 1);
    drop((slow, fast));
    house.is_left_empty().await;
}

#[tokio::test]
async fn a_slow_reader_of_a_world_is_not_closed_for_presence_but_told_the_state_when_it_reads_again() {
    let house = House::with(|settings| {
        settings.limits.outbox_bytes = 64 * 1024;
        settings.presence.window = std::time::Duration::ZERO;
    });
    let (mut slow, mut loud) = (narrow(&house).await, house.guest().await);
    slow.join("world:main", json!({})).await;
    loud.join("world:main", json!({"presence": {"key": "loud"}})).await;
    let text = "x".repeat(7_000);
    for n in 0..2_000 {
        loud.track("world:main", json!({"n": n, "text": text})).await;
        loud.all().await;
    }
    // What it has had so far, then the state as it is.
    let mut last = Value::Null;
    while last["n"] != 1_999 {
        let message = slow.until(|m| m[3] == "presence_diff" || m[3] == "presence_state").await;
        let joined = if message[3] == "presence_diff" { &message[4]["joins"] } else { &message[4] };
        last = joined["loud"]["metas"][0].clone();
    }
    assert_eq!(house.gateway.stats().sessions, 2);
    drop(loud);
    let diff = slow.event("world:main", "presence_diff").await;
    assert_eq!(diff["leaves"]["loud"]["metas"][0]["n"], 1_999);
    drop(slow);
    house.is_left_empty().await;
}

#[tokio::test]
async fn a_world_that_cannot_be_looked_at_is_asked_again_until_the_viewer_knows_it() {
    let house = House::with(|settings| settings.limits.outbox_bytes = 64 * 1024);
    let mut slow = narrow(&house).await;
    slow.join("world:main", quiet()).await;
    for _ in 0..200 {
        house.stage.long_tick("main", 60_000);
    }
    house.stage.make_stale(2);
    let mut last = json!({});
    while last["event"] != "snapshot" {
        last = slow.event("world:main", "broadcast").await;
    }
    let now = last["payload"]["n"].as_u64().unwrap();
    house.stage.tick("main");
    assert_eq!(slow.event("world:main", "broadcast").await["payload"]["n"], now + 1);
    drop(slow);
    house.is_left_empty().await;
}

#[tokio::test]
async fn a_socket_that_never_reads_is_cut_off_and_leaves_nothing() {
    let house = House::with(|settings| settings.limits.outbox_bytes = 64 * 1024);
    let (mut deaf, mut loud) = (narrow(&house).await, house.guest().await);
    deaf.ask_to_join("lobby:a", json!({})).await;
    loud.join("lobby:a", quiet()).await;
    house.becomes("both are in", |house| house.gateway.stats().joins == 2).await;
    let text = "x".repeat(60_000);
    for _ in 0..200 {
        loud.broadcast("lobby:a", "e", json!(text)).await;
    }
    loud.all().await;
    // Its end stays open, unread.
    house.becomes("it is cut off", |house| house.gateway.stats().sessions == 1).await;
    assert_eq!(house.gateway.stats().slow_closed, 1);
    drop(loud);
    house.is_left_empty().await;
    drop(deaf);
}
