//! A server that is killed with players in their seats.

use super::client::{Client, Kind};
use super::gateway::{Gateway, USER};
use super::support::{PATIENCE, roster};
use arena_testing::wait_until;
use serde_json::{Value, json};

const TOPIC: &str = "world:main";

fn states(gateway: &Gateway) -> Vec<(String, String)> {
    let field = |player: &Value, name: &str| player[name].as_str().unwrap().to_owned();
    gateway.all("/api/players").iter().map(|p| (field(p, "id"), field(p, "state"))).collect()
}

#[test]
fn seats_outlive_a_kill_for_those_who_come_back_and_are_free_of_the_others_after_the_grace() {
    // Long enough for a client's back-off, short enough to wait for.
    let mut gateway = Gateway::with(&[("ARENA_REALTIME__SEAT_GRACE_SECS", "12")]);
    gateway.post("/api/bots/import", &roster(20));
    gateway.check_whole(20);
    let mut seats = Vec::new();
    for user in ["ada", "bo"] {
        let token = gateway.token(user, USER, "1h");
        let (_, seat) = gateway.post_as(&token, "/api/channels/main/join", &json!({ "name": user }));
        seats.push(seat);
    }
    let id = |seat: &Value| seat["player"].as_str().unwrap().to_owned();
    let mut clients: Vec<Client> = seats
        .iter()
        .map(|seat| {
            let endpoint = seat["endpoint"].as_str().unwrap();
            let mut client = Client::start(Kind::RealtimeJs2, endpoint, seat["token"].as_str());
            client.join(TOPIC, json!({ "broadcast": { "ack": true } }));
            client
        })
        .collect();
    assert!(states(&gateway).iter().all(|(_, state)| state == "seated"), "{:?}", states(&gateway));

    drop(clients.pop());
    gateway.kill();
    gateway.launch();
    let mut ada = clients.remove(0);
    assert_eq!(ada.status(TOPIC)["status"], "CHANNEL_ERROR");
    ada.subscribed(TOPIC);
    assert_eq!(ada.ask(TOPIC, "say", json!({ "text": "still here" }))["status"], "ok");
    wait_until(PATIENCE, "the seat of the one who stays away is free", || {
        states(&gateway) == [(id(&seats[0]), "seated".to_owned())]
    });
    wait_until(PATIENCE, "its body has left the world", || {
        let world = gateway.all("/api/worlds").into_iter().find(|world| world["channel"] == "main").unwrap();
        world["residents"] == 21
    });
}
