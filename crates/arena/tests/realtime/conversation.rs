//! Conversations as topics: what members say is charged, refused and remembered.

use super::client::{Client, Kind};
use super::gateway::{Gateway, USER};
use serde_json::{Value, json};

/// A conversation, made by an operator; returns its topic.
fn conversation(gateway: &Gateway, id: &str, mut setup: Value) -> String {
    setup["id"] = id.into();
    gateway.post("/api/conversations", &setup);
    format!("conversation:{id}")
}

fn say(gateway: &Gateway, topic: &str, author: &str, text: &str) -> Value {
    let id = topic.strip_prefix("conversation:").unwrap();
    let path = format!("/api/conversations/{id}/messages");
    gateway.post(&path, &json!({ "author": author, "text": text }))
}

fn answers() -> Value {
    json!({ "broadcast": { "ack": true } })
}

fn texts(client: &Client) -> Vec<String> {
    let said = client.broadcasts("message");
    said.iter().map(|message| message["payload"]["text"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_client_says_what_its_budget_allows_and_is_told_when_it_is_spent() {
    let gateway = Gateway::start();
    let limits = json!({ "max_replies_per_participant": 2 });
    let topic = conversation(&gateway, "budgets", json!({ "limits": limits }));
    let mut clients = gateway.one_of_each(&topic, &answers());
    let mut expected = Vec::new();
    for speaker in 0..clients.len() {
        let kind = clients[speaker].kind();
        for n in 0..2 {
            let text = format!("{kind:?} {n}");
            assert_eq!(clients[speaker].send(&topic, "message", json!({ "text": text })), "ok", "{kind:?}");
            for client in &mut clients {
                let said = client.broadcast(&topic, "message");
                let payload = (&said["payload"]["author"], &said["payload"]["text"]);
                assert_eq!(payload, (&json!(format!("{kind:?}")), &json!(text)));
            }
            expected.push(text);
        }
        assert_eq!(clients[speaker].send(&topic, "message", json!({ "text": "too much" })), "error");
        let refused = clients[speaker].broadcast(&topic, "refused")["payload"].clone();
        assert_eq!(
            (&refused["input"], &refused["code"], &refused["scope"]),
            (&json!("message"), &json!("participant_limit"), &json!("participant")),
            "{kind:?}: {refused}"
        );
        assert_eq!(
            (&refused["limit"], &refused["used"], &refused["remaining"]),
            (&json!(2), &json!(2), &json!(0))
        );
        for client in &mut clients {
            let dropped = client.broadcast(&topic, "channel_capacity_exceeded");
            assert_eq!(dropped["payload"]["participant"], format!("{kind:?}"));
        }
    }
    assert!(clients.iter().all(|client| texts(client) == expected), "what was dropped was not delivered");
}

#[test]
fn whatever_is_no_message_is_refused_and_the_session_goes_on() {
    let gateway = Gateway::start();
    let topic = conversation(&gateway, "malformed", json!({}));
    let mut client = gateway.client(Kind::Phoenix, "ada");
    client.join(&topic, answers());
    for (payload, code) in [
        (json!("a bare string"), "invalid_body"),
        (json!(7), "invalid_body"),
        (json!([1]), "invalid_body"),
        (json!({}), "invalid_body"),
        (json!({ "text": null }), "invalid_body"),
        (json!({ "text": 5 }), "invalid_body"),
        (json!({ "text": "hi", "tokens": -1 }), "invalid_body"),
        (json!({ "text": "hi", "tokens": 1.5 }), "invalid_body"),
        (json!({ "text": "hi", "shout": true }), "invalid_body"),
        (json!({ "text": "hi", "id": "" }), "invalid_body"),
        (json!({ "text": "x".repeat(20_000) }), "text_too_long"),
        (json!({ "text": "hi", "author": "bob" }), "not_your_name"),
    ] {
        let reply = client.ask(&topic, "message", payload.clone());
        assert_eq!(
            (&reply["status"], &reply["response"]["code"]),
            (&json!("error"), &json!(code)),
            "{payload}"
        );
        let reason = reply["response"]["reason"].as_str().unwrap();
        assert!(reason.starts_with(&format!("{code}: ")), "{reason}");
    }
    let big = client.ask(&topic, "message", json!({ "text": "x".repeat(300_000) }));
    assert_eq!(big["response"]["error"], "payload_size_exceeded");
    for (event, code) in [("top_up", "service_only"), ("close", "service_only"), ("shout", "UnknownEvent")] {
        assert_eq!(client.ask(&topic, event, json!({}))["response"]["code"], code, "{event}");
    }
    let said = client.ask(&topic, "message", json!({ "text": "hi" }));
    assert_eq!((&said["status"], &said["response"]["offset"]), (&json!("ok"), &json!(2)), "{said}");
}

#[test]
fn who_comes_back_gets_what_it_missed_even_over_a_restart_of_the_server() {
    let mut gateway = Gateway::start();
    let topic = conversation(&gateway, "durable", json!({}));
    let mut first = gateway.client(Kind::Phoenix, "ada");
    first.join(&topic, json!({}));
    let position = first.last("joined")["response"]["position"].clone();
    drop(first);
    // More than a stream remembers.
    for n in 0..100 {
        say(&gateway, &topic, "bob", &n.to_string());
    }
    gateway.kill();
    gateway.launch();
    say(&gateway, &topic, "bob", "100");
    let id = format!("{}:{}", position["epoch"].as_str().unwrap(), position["offset"]);
    let mut clients = Vec::new();
    for kind in Kind::ALL {
        // Python's client knows of ids only.
        let recover = if kind == Kind::Python { json!({ "id": id }) } else { position.clone() };
        let mut client = gateway.client(kind, &format!("{kind:?}"));
        client.join(&topic, json!({ "broadcast": { "recover": recover } }));
        for n in 0..=100 {
            let said = client.broadcast(&topic, "message");
            assert_eq!(said["payload"]["text"], n.to_string(), "{kind:?}");
            if kind != Kind::Python {
                assert_eq!(
                    (&said["meta"]["offset"], &said["meta"]["replayed"]),
                    (&json!(n + 2), &json!(true))
                );
            }
        }
        if kind == Kind::Phoenix {
            assert_eq!(client.last("joined")["response"]["recovered"], true);
        }
        clients.push(client);
    }
    say(&gateway, &topic, "bob", "live");
    for client in &mut clients {
        assert_eq!(client.broadcast(&topic, "message")["payload"]["text"], "live", "{:?}", client.kind());
    }
}

#[test]
fn a_message_that_is_sent_again_under_its_id_is_said_once() {
    let gateway = Gateway::start();
    let topic = conversation(&gateway, "again", json!({}));
    let mut client = gateway.client(Kind::Phoenix, "ada");
    client.join(&topic, json!({ "broadcast": { "id_field": "id" } }));
    let message = json!({ "text": "hi", "id": "m-1" });
    let said: Vec<Value> =
        (0..3).map(|_| client.ask(&topic, "message", message.clone())["response"].clone()).collect();
    assert_eq!(said.iter().map(|said| &said["repeated"]).collect::<Vec<_>>(), [false, true, true]);
    assert!(said.iter().all(|receipt| receipt["offset"] == 2 && receipt["id"] == "m-1"), "{said:?}");
    let other = client.ask(&topic, "message", json!({ "text": "something else", "id": "m-1" }));
    assert_eq!(other["response"]["code"], "id_conflict");
}

#[test]
fn a_service_runs_a_conversation_over_its_topic_and_asks_what_is_left() {
    let gateway = Gateway::start();
    let limits = json!({ "max_total_messages": 1 });
    let topic = conversation(&gateway, "run", json!({ "limits": limits }));
    let token = gateway.token("runner", "service_role", "1h");
    let mut service = Client::start(Kind::Phoenix, &gateway.endpoint(), Some(&token));
    service.join(&topic, json!({}));
    let mut ask = |event: &str, payload: Value| service.ask(&topic, event, payload)["response"].clone();
    let say = |text: &str| json!({ "author": "ada", "text": text });
    assert_eq!(ask("capacity", json!({}))["total"]["remaining"]["messages"], 1);
    assert_eq!(ask("message", say("one"))["exhausted"], "total_limit");
    assert_eq!(ask("message", say("two"))["code"], "total_limit");
    assert_eq!(ask("top_up", json!({ "total": { "messages": 2 } }))["exhausted"], Value::Null);
    assert_eq!(ask("message", say("three"))["exhausted"], Value::Null);
    ask("system", json!({ "text": "careful" }));
    assert_eq!(ask("close", json!({}))["exhausted"], "closed_by_moderator");
    assert_eq!(ask("message", say("four"))["code"], "closed_by_moderator");
    ask("reopen", json!({}));
    let held = ask("reserve", json!({ "id": "r-1", "participant": "ada", "tokens": 5 }));
    assert_eq!(held["reservation"]["id"], "r-1", "{held}");
    ask("release", json!({ "id": "r-1", "participant": "ada" }));
    ask("configure", json!({ "participants": null, "limits": { "max_total_messages": 9 } }));
    let context = ask("context", json!({ "participant": "ada", "last": 2 }));
    assert_eq!(context["last"].as_array().unwrap().len(), 2, "{context}");
    let page = ask("messages", json!({ "after": 1, "limit": 2 }));
    assert_eq!((&page["more"], page["items"].as_array().unwrap().len()), (&json!(true), 2), "{page}");
    service.broadcast(&topic, "exhausted");
}

#[test]
fn who_cannot_answer_is_told_to_listen_only_or_is_not_woken() {
    let gateway = Gateway::start();
    for (delivery, mark) in [("context_only", Some(true)), ("withhold", None)] {
        let limits = json!({ "max_replies_per_participant": 1 });
        let setup = json!({ "limits": limits, "delivery": delivery });
        let topic = conversation(&gateway, delivery, setup);
        let (mut ada, mut eve) =
            (gateway.client(Kind::Phoenix, "ada"), gateway.client(Kind::RealtimeJs2, "eve"));
        ada.join(&topic, json!({}));
        eve.join(&topic, json!({}));
        let said = ada.ask(&topic, "message", json!({ "text": "my only one" }));
        say(&gateway, &topic, "bob", "what do you think, ada?");
        gateway.post(&format!("/api/conversations/{delivery}/system"), &json!({ "text": "end" }));
        for client in [&mut ada, &mut eve] {
            client.broadcast(&topic, "system");
        }
        assert_eq!(texts(&eve), ["my only one", "what do you think, ada?"]);
        let heard = ada.broadcasts("message");
        let from_bob = heard.iter().find(|message| message["payload"]["author"] == "bob");
        assert_eq!(from_bob.map(|message| message["payload"]["context_only"] == true), mark, "{delivery}");
        // It does not change when it comes back, from the stream or from the log.
        let place = json!({ "offset": said["response"]["offset"], "epoch": said["response"]["epoch"] });
        let mut again = gateway.client(Kind::Phoenix, "ada");
        again.join(&topic, json!({ "broadcast": { "recover": place } }));
        again.broadcast(&topic, "system");
        let heard = again.broadcasts("message");
        assert_eq!(
            heard.first().map(|message| message["payload"]["context_only"] == true),
            mark,
            "{delivery}"
        );
    }
}

#[test]
fn nothing_comes_into_a_conversation_but_by_its_own_doors() {
    let gateway = Gateway::start();
    let roster = json!({ "participants": ["ada", "bob"] });
    let topic = conversation(&gateway, "closed", roster);
    let broadcast =
        json!({ "messages": [{ "topic": topic, "event": "message", "payload": { "text": "hi" } }] });
    for role in [USER, "service_role"] {
        let token = gateway.token("ada", role, "1h");
        let (status, body) = gateway.post_as(&token, "/api/broadcast", &broadcast);
        assert_eq!(status, 403, "{body}");
        assert!(body["message"].as_str().unwrap().starts_with("ChargedTopic: "), "{body}");
    }
    let mut carl = gateway.client(Kind::Phoenix, "carl");
    carl.tell("join", json!({ "topic": topic, "config": {} }));
    let status = carl.status(&topic);
    assert!(status["error"].as_str().unwrap().starts_with("Unauthorized: "), "{status}");
    let mut bob = gateway.client(Kind::Phoenix, "bob");
    bob.join(&topic, json!({}));
    gateway.delete("/api/conversations/closed/participants/bob");
    assert_eq!(bob.status(&topic)["status"], "CLOSED");
}
