//! What clients live through: lost connections, restarted servers, tokens that end.

use super::client::{Client, Kind};
use super::gateway::{Gateway, USER};
use super::proxy::Proxy;
use super::support::PATIENCE;
use arena_testing::wait_until;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const TOPIC: &str = "room:1";

/// Waits until the client has lost the topic and has it again, and returns the reported losses.
fn back_again(client: &mut Client) -> Vec<Value> {
    let mut losses = Vec::new();
    loop {
        let status = client.status(TOPIC);
        if status["status"] == "SUBSCRIBED" {
            return losses;
        }
        assert_ne!(status["status"], "CLOSED", "{:?} never comes back from that", client.kind());
        losses.push(status);
    }
}

fn exchange(clients: &mut [Client], event: &str) {
    for sender in 0..clients.len() {
        let event = format!("{event}-{sender}");
        clients[sender].send(TOPIC, &event, json!({}));
        for (_, client) in clients.iter_mut().enumerate().filter(|(place, _)| *place != sender) {
            client.broadcast(TOPIC, &event);
        }
    }
}

#[test]
fn heartbeats_are_answered() {
    let gateway = Gateway::start();
    for kind in Kind::TELLING {
        let mut client = gateway.client(kind, "ada");
        client.join(TOPIC, json!({}));
        client.tell("heartbeat", json!({}));
        let ok = |seen: &Value| seen["saw"] == "heartbeat" && seen["status"] == "ok";
        client.expect("the answer to a heartbeat", ok);
    }
}

#[test]
fn every_client_comes_back_after_the_server_was_killed() {
    let mut gateway = Gateway::start();
    let mut clients = gateway.one_of_each(TOPIC, &json!({}));
    gateway.kill();
    gateway.launch();
    for client in &mut clients {
        assert!(!back_again(client).is_empty());
    }
    exchange(&mut clients, "after");
}

#[test]
fn every_client_comes_back_after_an_orderly_restart_and_was_told() {
    let mut gateway = Gateway::start();
    let mut clients = gateway.one_of_each(TOPIC, &json!({}));
    assert_eq!(gateway.interrupt().code(), Some(0));
    gateway.launch();
    for client in &mut clients {
        let losses = back_again(client);
        // phoenix.js tells its user no code.
        let told =
            losses.iter().any(|loss| loss["error"].as_str().is_some_and(|error| error.contains("1012")));
        assert!(told || client.kind() == Kind::Phoenix, "{:?}: {losses:?}", client.kind());
    }
    exchange(&mut clients, "after");
}

#[test]
fn a_lost_connection_is_made_up_for() {
    let gateway = Gateway::start();
    each(&Kind::ALL, |kind| {
        let topic = format!("room:{kind:?}");
        let mut sender = gateway.client(Kind::RealtimeJs2, "sender");
        sender.join(&topic, json!({ "broadcast": { "ack": true } }));
        let proxy = Proxy::to(gateway.address());
        let token = gateway.token("ada", USER, "1h");
        let mut client = Client::start(kind, &proxy.endpoint(), Some(&token));
        let config = json!({ "broadcast": { "self": false } });
        client.join_with(&topic, json!({ "config": config, "resume": true }));
        sender.send(&topic, "before", json!({}));
        client.broadcast(&topic, "before");

        proxy.cut();
        let status = client.status(&topic);
        assert_eq!(status["status"], "CHANNEL_ERROR", "{kind:?}: {status}");
        for n in 0..3 {
            sender.send(&topic, "missed", json!({ "n": n }));
        }
        proxy.mend();
        for n in 0..3 {
            let missed = client.broadcast(&topic, "missed");
            assert_eq!(
                (&missed["payload"]["n"], &missed["meta"]["replayed"]),
                (&json!(n), &json!(true)),
                "{kind:?}"
            );
        }
        sender.send(&topic, "after", json!({}));
        let after = client.broadcast(&topic, "after");
        assert_ne!(after["meta"]["replayed"], true, "{kind:?}");
        assert_eq!(
            (client.broadcasts("missed").len(), client.broadcasts("before").len()),
            (3, 1),
            "{kind:?}"
        );
        if kind != Kind::Python {
            assert_eq!(client.last("joined")["response"]["recovered"], true, "{kind:?}");
        }
    });
}

#[test]
fn a_position_of_another_process_is_resumed_and_a_lost_one_is_called_lost() {
    let mut gateway = Gateway::start();
    let mut sender = gateway.client(Kind::RealtimeJs2, "sender");
    sender.join(TOPIC, json!({ "broadcast": { "ack": true } }));
    let position = sender.last("joined")["response"]["position"].clone();
    sender.send(TOPIC, "missed", json!({ "n": 1 }));
    for kind in Kind::ALL {
        let mut client = gateway.client(kind, "ada");
        client.join_with(TOPIC, json!({ "since": position, "resume": true, "config": { "broadcast": {} } }));
        assert_eq!(client.broadcast(TOPIC, "missed")["meta"]["replayed"], true, "{kind:?}");
    }
    gateway.kill();
    gateway.launch();
    for kind in Kind::TELLING {
        let mut client = gateway.client(kind, "ada");
        client.join_with(TOPIC, json!({ "since": position, "resume": true, "config": { "broadcast": {} } }));
        assert_eq!(client.last("joined")["response"]["recovered"], false, "{kind:?}");
        assert!(client.broadcasts("missed").is_empty(), "{kind:?}");
    }
}

/// How long a token lasts that ends during a test. A client gets it when it runs already.
const SHORT: Duration = Duration::from_secs(6);

/// Tokens are warned of a little before their end, and end when they say.
const STRICT: [(&str, &str); 2] =
    [("ARENA_REALTIME__TOKEN_WARNING_SECS", "3"), ("ARENA_REALTIME__TOKEN_GRACE_SECS", "0")];

/// Does the same with several clients at once: most of it is waiting for a token to end.
fn each(kinds: &[Kind], check: impl Fn(Kind) + Sync) {
    std::thread::scope(|scope| {
        for kind in kinds {
            scope.spawn(|| check(*kind));
        }
    });
}

/// A client in a topic of its own, whose token is exchanged for one that ends soon.
fn with_short_token(gateway: &Gateway, kind: Kind, topic: &str) -> Client {
    let mut client = gateway.client(kind, "ada");
    client.join(topic, json!({ "broadcast": { "self": true } }));
    refresh(gateway, &mut client, &format!("{}s", SHORT.as_secs()));
    client
}

fn refresh(gateway: &Gateway, client: &mut Client, ttl: &str) {
    client.tell("auth", json!({ "token": gateway.token("ada", USER, ttl) }));
    client.expect("the new token", |event| event["saw"] == "auth");
}

#[test]
fn a_refreshed_token_outlives_the_one_before() {
    let gateway = Gateway::with(&STRICT);
    each(&Kind::ALL, |kind| {
        let topic = format!("room:{kind:?}");
        let mut client = with_short_token(&gateway, kind, &topic);
        let started = Instant::now();
        refresh(&gateway, &mut client, "1h");
        wait_until(PATIENCE, "the token before has ended", || {
            started.elapsed() > SHORT + Duration::from_secs(2)
        });
        client.send(&topic, "still-here", json!({}));
        client.broadcast(&topic, "still-here");
    });
}

#[test]
fn a_token_that_ends_closes_the_topic_after_a_warning_and_says_so() {
    let gateway = Gateway::with(&STRICT);
    each(&Kind::ALL, |kind| {
        let mut client = with_short_token(&gateway, kind, &format!("room:{kind:?}"));
        let warning = client.expect("the warning", |event| event["saw"] == "system");
        assert_eq!(warning["payload"]["status"], "ok", "{kind:?} would join again: {warning}");
        // The Python client reports a system error as an error of its channel, the others show it as it is.
        let said = client.expect("the reason", |event| match kind {
            Kind::Python => event["status"] == "CHANNEL_ERROR",
            _ => event["saw"] == "system" && event["payload"]["status"] == "error",
        });
        assert!(said.to_string().contains("expired"), "{kind:?}: {said}");
        closed(&mut client);
    });
}

/// Waits until the topic is closed for good.
fn closed(client: &mut Client) {
    client.expect("the close", |event| event["saw"] == "status" && event["status"] == "CLOSED");
}

#[test]
fn a_join_with_an_ended_token_is_refused_with_a_code_and_works_with_a_new_one() {
    let gateway = Gateway::start();
    let ended = gateway.ended_token("ada");
    for kind in [Kind::RealtimeJs1, Kind::RealtimeJs2, Kind::Python] {
        let mut client = gateway.client(kind, "ada");
        client.tell("auth", json!({ "token": ended }));
        client.expect("the old token", |event| event["saw"] == "auth");
        client.tell("join", json!({ "topic": TOPIC }));
        let status = client.status(TOPIC);
        assert_eq!(status["status"], "CHANNEL_ERROR", "{kind:?}: {status}");
        assert!(status["error"].as_str().unwrap().contains("InvalidJWTToken: "), "{kind:?}: {status}");
        client.tell("auth", json!({ "token": gateway.token("ada", USER, "1h") }));
        // Its own next try, with the new token.
        back_again(&mut client);
    }
}
