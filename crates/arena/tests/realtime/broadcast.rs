//! Broadcasts: who gets them, and whether they arrive as they were sent.

use super::client::{Client, Kind};
use super::gateway::Gateway;
use serde_json::{Value, json};

const TOPIC: &str = "room:1";

#[test]
fn every_client_hears_every_other_across_versions_and_languages() {
    let gateway = Gateway::start();
    let mut clients = gateway.one_of_each(TOPIC, &json!({}));
    for sender in 0..clients.len() {
        let event = format!("from-{sender}");
        let payload = json!({ "text": "schöne Grüße 🦊 \u{2028} \"quoted\"", "n": [1, -2.5, 9007199254740991_u64, null, true], "deep": { "": {} } });
        clients[sender].send(TOPIC, &event, payload.clone());
        for (place, client) in clients.iter_mut().enumerate().filter(|(place, _)| *place != sender) {
            let heard = client.broadcast(TOPIC, &event);
            assert_eq!(heard["payload"], payload, "from {sender} to {place}");
            assert!(heard["meta"]["id"].is_string(), "{heard}");
        }
    }
    for (place, client) in clients.iter().enumerate() {
        assert!(client.broadcasts(&format!("from-{place}")).is_empty(), "{:?} heard itself", client.kind());
    }
}

#[test]
fn a_client_hears_itself_only_if_it_asks_for_it() {
    let gateway = Gateway::start();
    for hears_itself in [true, false] {
        let config = json!({ "broadcast": { "self": hears_itself } });
        let mut other = gateway.client(Kind::RealtimeJs2, "other");
        other.join(TOPIC, json!({}));
        let mut clients = gateway.one_of_each(TOPIC, &config);
        for client in &mut clients {
            let event = format!("mine-{:?}", client.kind());
            client.send(TOPIC, &event, json!({}));
            other.broadcast(TOPIC, &event);
        }
        // Whatever was sent before this arrives before it.
        other.send(TOPIC, "after", json!({}));
        for client in &mut clients {
            client.broadcast(TOPIC, "after");
            let own = client.broadcasts(&format!("mine-{:?}", client.kind())).len();
            assert_eq!(own, usize::from(hears_itself), "{:?}", client.kind());
        }
    }
}

#[test]
fn an_acknowledged_broadcast_is_reported_as_sent() {
    let gateway = Gateway::start();
    for kind in Kind::ALL {
        let mut client = gateway.client(kind, "ada");
        client.join(TOPIC, json!({ "broadcast": { "ack": true } }));
        assert_eq!(client.send(TOPIC, "counted", json!({ "n": 1 })), "ok", "{kind:?}");
        assert_eq!(client.ask(TOPIC, "counted", json!({ "n": 2 }))["status"], "ok", "{kind:?}");
    }
}

#[test]
fn a_burst_arrives_whole_and_in_order() {
    const MESSAGES: u64 = 60;
    let gateway = Gateway::start();
    let mut clients = gateway.one_of_each(TOPIC, &json!({ "broadcast": { "self": true } }));
    for n in 0..MESSAGES {
        let payload = json!({ "topic": TOPIC, "event": "step", "payload": { "n": n } });
        clients[0].tell("send", payload);
    }
    for client in &mut clients {
        let heard: Vec<Value> =
            (0..MESSAGES).map(|_| client.broadcast(TOPIC, "step")["payload"]["n"].take()).collect();
        assert_eq!(heard, (0..MESSAGES).map(Value::from).collect::<Vec<_>>(), "{:?}", client.kind());
    }
}

#[test]
fn positions_rise_one_by_one_under_one_epoch() {
    let gateway = Gateway::start();
    let mut sender = gateway.client(Kind::Python, "ada");
    sender.join(TOPIC, json!({}));
    let mut listeners: Vec<Client> = Kind::TELLING.map(|kind| gateway.client(kind, "bo")).into();
    listeners.iter_mut().for_each(|listener| listener.join(TOPIC, json!({})));
    for n in 0..3 {
        sender.send(TOPIC, "step", json!({ "n": n }));
    }
    for listener in &mut listeners {
        let metas: Vec<Value> = (0..3).map(|_| listener.broadcast(TOPIC, "step")["meta"].take()).collect();
        let offsets: Vec<u64> = metas.iter().map(|meta| meta["offset"].as_u64().unwrap()).collect();
        assert_eq!(offsets, [offsets[0], offsets[0] + 1, offsets[0] + 2], "{:?}", listener.kind());
        assert!(metas.iter().all(|meta| meta["epoch"] == metas[0]["epoch"] && meta["epoch"].is_string()));
    }
}

#[test]
fn bytes_arrive_as_bytes_and_harm_nobody_who_cannot_take_them() {
    let gateway = Gateway::start();
    let mut clients = gateway.one_of_each(TOPIC, &json!({}));
    let mut sender = gateway.client(Kind::RealtimeJs2, "sender");
    sender.join(TOPIC, json!({}));
    // A text broadcast on protocol 2.0.0 is what tells phoenix.js from realtime-js.
    for client in clients.iter_mut().filter(|client| client.kind() == Kind::Phoenix) {
        client.send(TOPIC, "hello", json!({}));
        sender.broadcast(TOPIC, "hello");
    }
    for base64 in ["AAECA/8=", ""] {
        sender.tell("send", json!({ "topic": TOPIC, "event": "bytes", "base64": base64 }));
        sender.send(TOPIC, "after", json!({}));
        for client in &mut clients {
            if client.kind() == Kind::RealtimeJs2 {
                assert_eq!(client.broadcast(TOPIC, "bytes")["base64"], base64);
            }
            client.broadcast(TOPIC, "after");
        }
    }
}

#[test]
fn a_message_of_a_hundred_kilobytes_passes() {
    let gateway = Gateway::start();
    let mut clients = gateway.one_of_each(TOPIC, &json!({}));
    let payload = json!({ "text": "x".repeat(100_000) });
    clients[1].send(TOPIC, "large", payload.clone());
    for client in clients.iter_mut().filter(|client| client.kind() != Kind::RealtimeJs2) {
        assert_eq!(client.broadcast(TOPIC, "large")["payload"], payload, "{:?}", client.kind());
    }
}

#[test]
fn an_event_of_a_plain_phoenix_client_is_a_broadcast_to_the_others() {
    let gateway = Gateway::start();
    let mut clients = gateway.one_of_each(TOPIC, &json!({}));
    let mut sender = gateway.client(Kind::Phoenix, "sender");
    sender.join_with(TOPIC, json!({}));
    sender.tell("plain", json!({ "topic": TOPIC, "event": "bytes", "base64": "AAECA/8=" }));
    sender.tell("plain", json!({ "topic": TOPIC, "event": "shout", "payload": { "text": "hi" } }));
    for client in &mut clients {
        assert_eq!(client.broadcast(TOPIC, "shout")["payload"]["text"], "hi", "{:?}", client.kind());
        if client.kind() == Kind::RealtimeJs2 {
            assert_eq!(client.broadcast(TOPIC, "bytes")["base64"], "AAECA/8=");
        }
    }
}
