//! Joining and leaving topics, and who may.

use super::client::{Client, Kind};
use super::gateway::{Gateway, USER};
use serde_json::json;

const TOPIC: &str = "room:1";

#[test]
fn every_client_joins_at_both_addresses() {
    let gateway = Gateway::start();
    let token = gateway.token("ada", USER, "1h");
    for kind in Kind::ALL {
        for path in ["socket", "realtime/v1"] {
            let endpoint = format!("ws://{}/{path}", gateway.address());
            Client::start(kind, &endpoint, Some(&token)).join(TOPIC, json!({}));
        }
    }
}

#[test]
fn the_reply_to_a_join_says_where_the_topic_stands() {
    let gateway = Gateway::start();
    for kind in Kind::TELLING {
        let mut client = gateway.client(kind, "ada");
        client.join(TOPIC, json!({}));
        let joined = client.last("joined");
        let position = &joined["response"]["position"];
        assert!(position["offset"].is_u64() && position["epoch"].is_string(), "{kind:?}: {joined}");
        assert!(joined["response"].get("recovered").is_none(), "nobody asked for it: {joined}");
    }
}

#[test]
fn a_join_without_any_config_is_taken() {
    let gateway = Gateway::start();
    let mut client = gateway.client(Kind::Phoenix, "ada");
    client.join_with(TOPIC, json!({}));
}

#[test]
fn a_refused_join_shows_its_coded_reason_and_the_others_go_on() {
    let gateway = Gateway::start();
    for kind in Kind::ALL {
        let mut client = gateway.client(kind, "ada");
        client.join(TOPIC, json!({ "broadcast": { "self": true } }));
        let private = "vault:1";
        client.tell("join", json!({ "topic": private, "config": { "private": true } }));
        let status = client.status(private);
        assert_eq!(status["status"], "CHANNEL_ERROR", "{kind:?}: {status}");
        let reason =
            format!("Unauthorized: You do not have permissions to read from this Channel topic: {private}");
        assert!(status["error"].as_str().unwrap().contains(&reason), "{kind:?}: {status}");
        client.send(TOPIC, "still-here", json!({}));
        client.broadcast(TOPIC, "still-here");
    }
}

#[test]
fn a_private_topic_is_open_to_tokens_that_grant_it_as_far_as_they_do() {
    let gateway = Gateway::start();
    let vault = "vault:1";
    let reader = gateway.token_with(&["--user", "reader", "--topics-read", "vault:*"]);
    let writer = gateway.token_with(&["--user", "writer", "--topics-read", vault, "--topics-write", vault]);
    for kind in Kind::ALL {
        let config = json!({ "private": true, "broadcast": { "ack": true } });
        let start = |token: &str| Client::start(kind, &gateway.endpoint(), Some(token));
        let (mut reads, mut writes) = (start(&reader), start(&writer));
        reads.join(vault, config.clone());
        writes.join(vault, config);
        let refused = reads.ask(vault, "secret", json!({}));
        assert_eq!(refused["status"], "error", "{kind:?}: {refused}");
        assert!(refused["response"]["reason"].as_str().unwrap().starts_with("Unauthorized: "), "{refused}");
        writes.send(vault, "secret", json!({ "n": 1 }));
        assert_eq!(reads.broadcast(vault, "secret")["payload"]["n"], 1, "{kind:?}");
    }
}

#[test]
fn a_world_is_addressed_by_its_channel_and_the_refusal_says_so() {
    let gateway = Gateway::start();
    for kind in Kind::ALL {
        let mut client = gateway.client(kind, "ada");
        let topic = "world:w-0190f3c2a5b47d1e8f90a1b2c3d4e5f6";
        client.tell("join", json!({ "topic": topic }));
        let status = client.status(topic);
        assert_eq!(status["status"], "CHANNEL_ERROR", "{kind:?}: {status}");
        assert!(status["error"].as_str().unwrap().contains("channel"), "{kind:?}: {status}");
    }
}

#[test]
fn a_left_topic_can_be_joined_again_on_the_same_connection() {
    let gateway = Gateway::start();
    for kind in Kind::ALL {
        let mut client = gateway.client(kind, "ada");
        for round in ["first", "second"] {
            client.join(TOPIC, json!({ "broadcast": { "self": true } }));
            client.send(TOPIC, round, json!({}));
            client.broadcast(TOPIC, round);
            client.tell("leave", json!({ "topic": TOPIC }));
            let status = client.status(TOPIC);
            assert_eq!(status["status"], "CLOSED", "{kind:?}: {status}");
        }
        assert_eq!(client.broadcasts("second").len(), 1, "{kind:?} was in the topic once");
    }
}

#[test]
fn whoever_needs_no_token_joins_without_one() {
    let gateway = Gateway::with(&[("ARENA_REALTIME__ANONYMOUS", "loopback")]);
    for kind in Kind::ALL {
        Client::start(kind, &gateway.endpoint(), None).join(TOPIC, json!({}));
    }
}

#[test]
fn without_a_token_nobody_gets_in_where_one_is_needed() {
    let gateway = Gateway::with(&[("ARENA_REALTIME__ANONYMOUS", "never")]);
    for kind in [Kind::RealtimeJs1, Kind::RealtimeJs2, Kind::Phoenix] {
        let mut client = Client::start(kind, &gateway.endpoint(), None);
        client.tell("join", json!({ "topic": TOPIC }));
        assert_eq!(client.status(TOPIC)["status"], "CHANNEL_ERROR", "{kind:?}");
    }
}
