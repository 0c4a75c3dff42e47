//! A world as a topic: players and spectators.

use super::client::{Client, Kind};
use super::gateway::{Gateway, USER};
use super::proxy::Proxy;
use super::support::roster;
use serde_json::{Value, json};

const TOPIC: &str = "world:main";

fn populated() -> Gateway {
    let gateway = Gateway::start();
    gateway.post("/api/bots/import", &roster(20));
    gateway.check_whole(20);
    gateway
}

/// A client in the world with a seat, and its player's id.
fn player(gateway: &Gateway, kind: Kind, user: &str) -> (Client, String) {
    player_with(gateway, kind, user, json!({ "broadcast": { "ack": true } }))
}

fn player_with(gateway: &Gateway, kind: Kind, user: &str, config: Value) -> (Client, String) {
    let token = gateway.token(user, USER, "1h");
    let (status, seat) = gateway.post_as(&token, "/api/channels/main/join", &json!({ "name": user }));
    assert_eq!((status, seat["topic"].as_str()), (201, Some(TOPIC)), "{seat}");
    let mut client = Client::start(kind, seat["endpoint"].as_str().unwrap(), seat["token"].as_str());
    client.join(TOPIC, config);
    (client, seat["player"].as_str().unwrap().to_owned())
}

/// Where the player's body is, in a snapshot of the world.
fn body<'a>(snapshot: &'a Value, player: &str) -> Option<&'a Value> {
    snapshot["residents"].as_array().unwrap().iter().find(|resident| resident["id"] == player)
}

#[test]
fn a_player_gets_the_world_as_it_stands_and_what_happens_in_it() {
    let gateway = populated();
    for kind in Kind::TELLING {
        let (mut client, player) = player(&gateway, kind, &format!("{kind:?}"));
        let delta = client.broadcast(TOPIC, "delta");
        let joined = client.last("joined");
        let snapshot = &joined["response"]["snapshot"];
        assert!(snapshot["residents"].as_array().unwrap().len() > 20, "{kind:?}: {snapshot}");
        assert_eq!(body(snapshot, &player).unwrap()["kind"], "player", "{kind:?}");
        assert!(delta["payload"]["tick"].as_u64() > snapshot["tick"].as_u64(), "{kind:?}: {delta}");
        let position = joined["response"]["position"]["offset"].as_u64().unwrap();
        assert_eq!(delta["meta"]["offset"].as_u64(), Some(position + 1), "{kind:?}: nothing between the two");
    }
}

#[test]
fn who_cannot_read_answers_gets_the_world_as_a_broadcast() {
    let gateway = populated();
    for kind in Kind::ALL {
        let config = json!({ "broadcast": { "snapshot": "broadcast" } });
        let (mut client, player) = player_with(&gateway, kind, &format!("{kind:?}"), config);
        let snapshot = client.broadcast(TOPIC, "snapshot");
        assert_eq!(body(&snapshot["payload"], &player).unwrap()["kind"], "player", "{kind:?}");
        let delta = client.broadcast(TOPIC, "delta");
        assert!(delta["payload"]["tick"].as_u64() > snapshot["payload"]["tick"].as_u64(), "{kind:?}");
    }
}

#[test]
fn a_refused_input_is_told_even_to_who_cannot_read_answers() {
    let gateway = populated();
    for kind in [Kind::RealtimeJs1, Kind::RealtimeJs2, Kind::Python] {
        let (mut client, _) = player(&gateway, kind, &format!("{kind:?}"));
        let result = client.send(TOPIC, "move", json!({ "x": -1, "y": 100_000 }));
        assert_eq!(result, "error", "{kind:?}");
        let refused = client.broadcast(TOPIC, "refused");
        assert_eq!(refused["payload"]["input"], "move", "{kind:?}: {refused}");
        assert!(refused["payload"]["code"].is_string(), "{kind:?}: {refused}");
    }
}

#[test]
fn whoever_joins_a_seat_again_takes_it_from_the_connection_that_had_it() {
    let gateway = populated();
    let token = gateway.token("ada", USER, "1h");
    let (_, seat) = gateway.post_as(&token, "/api/channels/main/join", &json!({ "name": "Ada" }));
    let (endpoint, ticket) = (seat["endpoint"].as_str().unwrap(), seat["token"].as_str());
    let config = json!({ "broadcast": { "ack": true } });
    let mut old: Option<Client> = None;
    for kind in Kind::ALL {
        let mut new = Client::start(kind, endpoint, ticket);
        new.join(TOPIC, config.clone());
        if let Some(mut old) = old.replace(new) {
            let told = old.expect("the word of the other", |seen| seen["saw"] == "system");
            assert!(told.to_string().contains("SeatTaken"), "{told}");
            assert_eq!(old.status(TOPIC)["status"], "CLOSED", "{:?} would take the seat back", old.kind());
        }
    }
    let mut last = old.unwrap();
    assert_eq!(last.ask(TOPIC, "say", json!({ "text": "mine" }))["status"], "ok");
}

#[test]
fn a_player_whose_seat_is_freed_is_told_and_closed_out_of_the_world() {
    let gateway = populated();
    for kind in [Kind::Phoenix, Kind::RealtimeJs2] {
        let (mut client, player) = player(&gateway, kind, &format!("{kind:?}"));
        gateway.delete(&format!("/api/players/{player}"));
        let told = client.expect("the end of the seat", |seen| seen["saw"] == "system");
        assert!(told.to_string().contains("SeatLost"), "{told}");
        assert_eq!(client.status(TOPIC)["status"], "CLOSED", "{kind:?}");
    }
}

#[test]
fn a_player_whose_connection_is_lost_keeps_its_seat_for_a_while() {
    let gateway = populated();
    let token = gateway.token("ada", USER, "1h");
    let (_, seat) = gateway.post_as(&token, "/api/channels/main/join", &json!({ "name": "Ada" }));
    for kind in Kind::ALL {
        let proxy = Proxy::to(gateway.address());
        let mut client = Client::start(kind, &proxy.endpoint(), seat["token"].as_str());
        client.join(TOPIC, json!({ "broadcast": { "ack": true } }));
        proxy.cut();
        assert_eq!(client.status(TOPIC)["status"], "CHANNEL_ERROR", "{kind:?}");
        proxy.mend();
        client.subscribed(TOPIC);
        assert_eq!(client.ask(TOPIC, "say", json!({ "text": "back" }))["status"], "ok", "{kind:?}");
    }
}

#[test]
fn what_a_player_does_is_answered_and_seen_by_others() {
    let gateway = populated();
    let mut spectator = gateway.client(Kind::RealtimeJs2, "spectator");
    spectator.join(TOPIC, json!({}));
    for kind in Kind::ALL {
        let (mut client, player) = player(&gateway, kind, &format!("{kind:?}"));
        let said = client.ask(TOPIC, "say", json!({ "text": format!("hello from {kind:?}") }));
        assert_eq!(said["status"], "ok", "{kind:?}: {said}");
        spectator.expect("the words", |seen| {
            let said = seen["payload"]["said"].as_array();
            seen["event"] == "delta"
                && said.is_some_and(|said| said.iter().any(|line| line["id"] == player.as_str()))
        });
        assert!(client.broadcasts("say").is_empty(), "an input is not a broadcast");
    }
}

#[test]
fn a_player_moves_and_a_move_that_cannot_be_is_refused_with_a_code() {
    let gateway = populated();
    for kind in Kind::ALL {
        let (mut client, player) = player(&gateway, kind, &format!("{kind:?}"));
        let refused = client.ask(TOPIC, "move", json!({ "x": -1, "y": 100_000 }));
        assert_eq!(refused["status"], "error", "{kind:?}: {refused}");
        assert!(
            refused["response"]["code"].is_string() && refused["response"]["reason"].is_string(),
            "{refused}"
        );
        let (x, y) = gateway.somewhere_else(&player);
        let moved = client.ask(TOPIC, "move", json!({ "x": x, "y": y }));
        assert_eq!(moved["status"], "ok", "{kind:?}: {moved}");
        client.expect("the own steps", |seen| {
            let moved = seen["payload"]["moved"].as_array();
            seen["event"] == "delta"
                && moved.is_some_and(|moved| moved.iter().any(|body| body["id"] == player.as_str()))
        });
    }
}

#[test]
fn a_spectator_watches_and_may_not_act() {
    let gateway = populated();
    for kind in Kind::ALL {
        let mut spectator = gateway.client(kind, "spectator");
        spectator.join(TOPIC, json!({ "broadcast": { "ack": true } }));
        spectator.broadcast(TOPIC, "delta");
        let refused = spectator.ask(TOPIC, "say", json!({ "text": "hello" }));
        assert_eq!(refused["status"], "error", "{kind:?}: {refused}");
        assert!(refused["response"]["reason"].is_string(), "{kind:?}: {refused}");
    }
}
