//! Broadcasts that come over HTTP.

use super::client::{Client, Kind};
use super::gateway::{Gateway, USER};
use serde_json::{Value, json};

fn listener(gateway: &Gateway, kind: Kind, topic: &str) -> Client {
    let mut client = gateway.client(kind, "listener");
    client.join(topic, json!({}));
    client
}

fn http(client: &mut Client, what: Value) -> Value {
    let event = what["event"].clone();
    client.tell("http", what);
    client.expect("the request's result", |seen| seen["saw"] == "http" && seen["event"] == event)["result"]
        .take()
}

#[test]
fn a_broadcast_over_http_reaches_members_whatever_the_topic_is_called() {
    let gateway = Gateway::start();
    let token = gateway.token("ada", USER, "1h");
    let topics = ["room:1", "a/b:c d%20ü"];
    let mut listeners = gateway.one_of_each(topics[0], &json!({}));
    listeners.iter_mut().for_each(|listener| listener.join(topics[1], json!({})));
    for sender in Kind::WITH_HTTP {
        for path in ["socket", "realtime/v1"] {
            let endpoint = format!("ws://{}/{path}", gateway.address());
            let mut client = Client::start(sender, &endpoint, Some(&token));
            for topic in topics {
                let payload = json!({ "from": format!("{sender:?} at {path} to {topic}") });
                let sent =
                    http(&mut client, json!({ "topic": topic, "event": "news/1", "payload": payload }));
                assert_eq!(sent, "ok", "{payload}");
                for listener in &mut listeners {
                    assert_eq!(listener.broadcast(topic, "news/1")["payload"], payload);
                }
            }
        }
    }
}

#[test]
fn bytes_over_http_arrive_as_bytes() {
    let gateway = Gateway::start();
    let mut listener = listener(&gateway, Kind::RealtimeJs2, "room:1");
    for sender in Kind::WITH_HTTP {
        let mut client = gateway.client(sender, "ada");
        let sent = http(&mut client, json!({ "topic": "room:1", "event": "bytes", "base64": "AAH/" }));
        assert_eq!(sent, "ok", "{sender:?}");
        assert_eq!(listener.broadcast("room:1", "bytes")["base64"], "AAH/");
    }
}

#[test]
fn sending_before_joining_takes_the_way_over_http() {
    let gateway = Gateway::start();
    let mut listener = listener(&gateway, Kind::Python, "room:1");
    for kind in [Kind::RealtimeJs1, Kind::RealtimeJs2] {
        let mut client = gateway.client(kind, "ada");
        assert_eq!(client.send("room:1", "early", json!({ "kind": format!("{kind:?}") })), "ok");
        assert_eq!(listener.broadcast("room:1", "early")["payload"]["kind"], format!("{kind:?}"));
    }
}

#[test]
fn a_refused_request_says_why() {
    let gateway = Gateway::with(&[("ARENA_REALTIME__ANONYMOUS", "never")]);
    for kind in Kind::WITH_HTTP {
        let mut client = Client::start(kind, &gateway.endpoint(), Some("not.a.token"));
        let said = http(&mut client, json!({ "topic": "room:1", "event": "news", "payload": {} }));
        assert!(said.as_str().unwrap().contains("token"), "{kind:?}: {said}");
    }
}
