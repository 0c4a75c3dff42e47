//! Published clients that lose a conversation and come back to it: its log makes up for what they missed.

use crate::client::{Client, Kind};
use crate::gateway::{Gateway, USER};
use crate::proxy::Proxy;
use crate::support::Line;
use serde_json::{Value, json};

const TOPIC: &str = "conversation:c";

/// More than the stream of a topic remembers.
const MISSED: u64 = 150;

/// Says so many things, which are numbered from `first`.
fn say(gateway: &Gateway, first: u64, count: u64) {
    let mut line = Line::to(&gateway.address());
    for n in first..first + count {
        let message = json!({ "author": "bo", "text": n.to_string() });
        let answer = line.post("/api/conversations/c/messages", &message);
        assert!(matches!(answer, Some((201, _))), "{answer:?}");
    }
}

/// Clients that resume, and have heard the first message. Python's is not among them: it gives up after 15 s, which a busy
/// machine may need for what is said meanwhile.
fn listeners(gateway: &Gateway, endpoint: &str) -> Vec<Client> {
    let begin = |kind| {
        let token = gateway.token(&format!("{kind:?}"), USER, "1h");
        Client::start(kind, endpoint, Some(&token))
    };
    let mut clients: Vec<Client> = Kind::TELLING.map(begin).into();
    for client in &mut clients {
        client.join_with(TOPIC, json!({ "config": { "broadcast": {} }, "resume": true }));
    }
    say(gateway, 0, 1);
    for client in &mut clients {
        assert_eq!(client.broadcast(TOPIC, "message")["payload"]["text"], "0", "{:?}", client.kind());
    }
    clients
}

/// What was missed is heard in its order.
fn nothing_is_missing(client: &mut Client) {
    let kind = client.kind();
    let heard: Vec<Value> = (1..MISSED).map(|_| client.broadcast(TOPIC, "message")).collect();
    for (n, message) in (1..).zip(&heard) {
        assert_eq!(message["payload"]["text"], n.to_string(), "{kind:?}");
        assert_eq!(message["meta"]["replayed"], true, "{kind:?}: {message}");
        // The first line is that of its creation.
        assert_eq!(message["meta"]["offset"], n + 2, "{kind:?}");
    }
    assert_eq!(client.last("joined")["response"]["recovered"], true, "{kind:?}");
}

/// One more is said to all, and all have heard everything once.
fn all_go_on(gateway: &Gateway, clients: &mut [Client]) {
    say(gateway, MISSED, 1);
    let next = MISSED.to_string();
    for client in clients {
        let kind = client.kind();
        let after = client.expect("the next one", |seen| seen["payload"]["text"] == next);
        assert_ne!(after["meta"]["replayed"], true, "{kind:?}");
        let heard = client.broadcasts("message").len() as u64;
        assert_eq!(heard, MISSED + 1, "{kind:?} heard each once");
    }
}

#[test]
fn what_was_said_during_a_broken_connection_comes_from_the_log() {
    let gateway = Gateway::start();
    gateway.post("/api/conversations", &json!({ "id": "c" }));
    let proxy = Proxy::to(gateway.address());
    let mut clients = listeners(&gateway, &proxy.endpoint());
    proxy.cut();
    for client in &mut clients {
        assert_eq!(client.status(TOPIC)["status"], "CHANNEL_ERROR", "{:?}", client.kind());
    }
    say(&gateway, 1, MISSED - 1);
    proxy.mend();
    for client in &mut clients {
        nothing_is_missing(client);
    }
    all_go_on(&gateway, &mut clients);
}

#[test]
fn a_conversation_goes_on_after_the_server_was_killed() {
    let mut gateway = Gateway::start();
    gateway.post("/api/conversations", &json!({ "id": "c" }));
    let proxy = Proxy::to(gateway.address());
    let mut clients = listeners(&gateway, &proxy.endpoint());
    proxy.cut();
    say(&gateway, 1, MISSED / 2);
    gateway.kill();
    gateway.launch();
    say(&gateway, 1 + MISSED / 2, MISSED - 1 - MISSED / 2);
    proxy.mend();
    for client in &mut clients {
        nothing_is_missing(client);
    }
    all_go_on(&gateway, &mut clients);
}
