//! Presence: who is there, told alike to every client.

use super::client::{Client, Kind};
use super::gateway::Gateway;
use serde_json::{Value, json};

const TOPIC: &str = "lounge:1";

fn enter(gateway: &Gateway, kind: Kind, key: &str) -> Client {
    let mut client = gateway.client(kind, &format!("{key} by {kind:?}"));
    let config = json!({ "presence": { "key": key, "enabled": true } });
    client.tell("join", json!({ "topic": TOPIC, "config": config, "presence": true }));
    client
}

fn track(client: &mut Client, payload: Value) {
    client.tell("track", json!({ "topic": TOPIC, "payload": payload }));
    let sent =
        client.expect("the tracking's result", |seen| seen["saw"] == "sent" && seen["event"] == "track");
    assert_eq!(sent["result"], "ok", "{:?}", client.kind());
}

/// Waits until somebody comes or goes, and returns what they are tracked with.
fn change(client: &mut Client, event: &str, key: &str) -> Value {
    client.expect(&format!("{event} of {key}"), |seen| {
        seen["saw"] == "presence" && seen["event"] == event && seen["key"] == key
    })["metas"]
        .take()
}

/// What the client takes the state to be: what each key is tracked with, without the references.
fn state(client: &mut Client) -> Value {
    client.tell("state", json!({ "topic": TOPIC }));
    let mut state = client.expect("the state", |seen| seen["saw"] == "state")["state"].take();
    for metas in state.as_object_mut().unwrap().values_mut() {
        for meta in metas.as_array_mut().unwrap() {
            let reference = meta.as_object_mut().unwrap().remove("presence_ref");
            assert!(reference.is_some_and(|reference| reference.is_string()));
        }
    }
    state
}

/// One client of each kind, each of which is tracked and knows of all the others.
fn full_house(gateway: &Gateway) -> Vec<(String, Client)> {
    let key = |kind: Kind| format!("{kind:?}");
    let mut clients: Vec<_> = Kind::ALL.map(|kind| (key(kind), enter(gateway, kind, &key(kind)))).into();
    clients.iter_mut().for_each(|(_, client)| client.subscribed(TOPIC));
    for place in 0..clients.len() {
        let key = clients[place].0.clone();
        track(&mut clients[place].1, json!({ "mood": "new" }));
        for (_, client) in &mut clients {
            assert_eq!(change(client, "join", &key)[0]["mood"], "new");
        }
    }
    clients
}

#[test]
fn everybody_sees_who_comes_changes_and_goes() {
    let gateway = Gateway::start();
    let mut clients = full_house(&gateway);
    for place in 0..clients.len() {
        let key = clients[place].0.clone();
        track(&mut clients[place].1, json!({ "mood": "better" }));
        for (watcher, client) in &mut clients {
            assert_eq!(change(client, "join", &key)[0]["mood"], "better", "{watcher} of {key}");
            assert_eq!(change(client, "leave", &key)[0]["mood"], "new", "{watcher} of {key}");
        }
    }
    let expected: Value = clients
        .iter()
        .map(|(key, _)| (key.clone(), json!([{ "mood": "better" }])))
        .collect::<serde_json::Map<_, _>>()
        .into();
    for (key, client) in &mut clients {
        assert_eq!(state(client), expected, "{key}");
    }
    for place in 0..clients.len() {
        let key = clients[place].0.clone();
        clients[place].1.tell("untrack", json!({ "topic": TOPIC }));
        for (_, client) in &mut clients {
            assert_eq!(change(client, "leave", &key)[0]["mood"], "better");
        }
    }
    for (key, client) in &mut clients {
        assert_eq!(state(client), json!({}), "{key}");
    }
}

#[test]
fn whoever_dies_or_leaves_is_gone_for_all_others() {
    let gateway = Gateway::start();
    let mut clients = full_house(&gateway);
    let (dead, mut victim) = clients.remove(1);
    victim.kill();
    for (_, client) in &mut clients {
        change(client, "leave", &dead);
    }
    let (left, mut leaver) = clients.remove(0);
    leaver.tell("leave", json!({ "topic": TOPIC }));
    for (key, client) in &mut clients {
        change(client, "leave", &left);
        let state = state(client);
        assert!(
            state.get(&dead).is_none() && state.get(&left).is_none() && state.get(&*key).is_some(),
            "{state}"
        );
    }
}

#[test]
fn whoever_comes_late_gets_the_whole_state() {
    let gateway = Gateway::start();
    let mut tracked = enter(&gateway, Kind::RealtimeJs2, "ada");
    track(&mut tracked, json!({ "mood": "calm" }));
    change(&mut tracked, "join", "ada");
    for kind in Kind::ALL {
        let mut late = enter(&gateway, kind, "late");
        change(&mut late, "join", "ada");
        assert_eq!(state(&mut late), json!({ "ada": [{ "mood": "calm" }] }), "{kind:?}");
    }
}

#[test]
fn two_connections_under_one_key_are_two_entries() {
    let gateway = Gateway::start();
    let (mut phone, mut desk) =
        (enter(&gateway, Kind::Python, "ada"), enter(&gateway, Kind::RealtimeJs1, "ada"));
    track(&mut phone, json!({ "on": "phone" }));
    change(&mut desk, "join", "ada");
    track(&mut desk, json!({ "on": "desk" }));
    change(&mut desk, "join", "ada");
    assert_eq!(state(&mut desk)["ada"].as_array().unwrap().len(), 2);
    phone.kill();
    change(&mut desk, "leave", "ada");
    assert_eq!(state(&mut desk), json!({ "ada": [{ "on": "desk" }] }));
}

#[test]
fn without_a_key_the_gateway_gives_one() {
    let gateway = Gateway::start();
    for kind in Kind::ALL {
        let mut client = enter(&gateway, kind, "");
        track(&mut client, json!({ "mood": "new" }));
        let joined =
            client.expect("the own entry", |seen| seen["saw"] == "presence" && seen["event"] == "join");
        assert_eq!(joined["key"].as_str().map(str::len), Some(36), "{kind:?}: {joined}");
        client.kill();
    }
}

#[test]
fn a_python_client_that_starts_to_listen_later_stays_and_sees_everybody() {
    let gateway = Gateway::start();
    let mut tracked = enter(&gateway, Kind::RealtimeJs2, "ada");
    track(&mut tracked, json!({ "mood": "calm" }));
    change(&mut tracked, "join", "ada");
    let mut listener = gateway.client(Kind::Python, "bo");
    listener.join(TOPIC, json!({}));
    listener.tell("presence", json!({ "topic": TOPIC }));
    // It leaves and joins again on the same connection.
    assert_eq!(listener.status(TOPIC)["status"], "CLOSED");
    listener.subscribed(TOPIC);
    change(&mut listener, "join", "ada");
    tracked.send(TOPIC, "hello", json!({}));
    listener.broadcast(TOPIC, "hello");
}
