//! Published clients as participants: refused, warned, topped up, and in turn.

use crate::client::{Client, Kind};
use crate::gateway::Gateway;
use serde_json::{Value, json};

const TOPIC: &str = "conversation:c";

/// Begins the conversation `c` with ada and bo.
fn begin(gateway: &Gateway, mut setup: Value) {
    setup["id"] = json!("c");
    setup["participants"] = json!(["ada", "bo"]);
    gateway.post("/api/conversations", &setup);
}

/// Somebody who is in the conversation and waits for what becomes of its messages.
fn participant(gateway: &Gateway, kind: Kind, user: &str) -> Client {
    let mut client = gateway.client(kind, user);
    client.join(TOPIC, json!({ "broadcast": { "ack": true } }));
    client
}

fn say(client: &mut Client, text: &str) -> Value {
    client.send(TOPIC, "message", json!({ "text": text }))
}

fn levels(heard: &[&Value]) -> Vec<Value> {
    heard.iter().map(|notice| notice["payload"]["level"].clone()).collect()
}

/// A participant with three messages says five.
fn refused_warned_and_topped_up(kind: Kind) {
    let gateway = Gateway::start();
    begin(&gateway, json!({ "limits": { "max_replies_per_participant": 3 } }));
    let mut ada = participant(&gateway, kind, "ada");
    let mut bo = participant(&gateway, Kind::Python, "bo");
    assert_eq!(say(&mut ada, "one"), "ok");
    assert_eq!(say(&mut ada, "two"), "ok");
    // What warns is told by itself, and rides on the message that brought it about.
    let notice = ada.broadcast(TOPIC, "notice");
    assert_eq!((&notice["payload"]["participant"], &notice["payload"]["limit"]), (&json!("ada"), &json!(3)));
    let warned = ada.expect("the message", |seen| seen["payload"]["text"] == "two");
    let rides = warned["payload"]["notices"].as_array().unwrap();
    assert!(rides.contains(&notice["payload"]), "{warned}");
    assert_eq!(say(&mut ada, "three"), "ok");
    assert!(levels(&ada.broadcasts("notice")).contains(&json!("last_message")), "{kind:?}");
    assert_eq!(ada.broadcast(TOPIC, "participant_blocked")["payload"]["participant"], "ada");

    assert_eq!(say(&mut ada, "four"), "error", "{kind:?}");
    let refused = ada.broadcast(TOPIC, "refused")["payload"].take();
    let told = ["input", "code", "scope", "limit", "used", "remaining"].map(|member| &refused[member]);
    assert_eq!(json!(told), json!(["message", "participant_limit", "participant", 3, 3, 0]), "{refused}");
    let exceeded = bo.broadcast(TOPIC, "channel_capacity_exceeded");
    let told = ["participant", "reason"].map(|member| &exceeded["payload"][member]);
    assert_eq!(json!(told), json!(["ada", "participant_limit"]));

    gateway.post("/api/conversations/c/top-up", &json!({ "participants": { "ada": { "messages": 1 } } }));
    ada.broadcast(TOPIC, "topped_up");
    assert_eq!(say(&mut ada, "five"), "ok", "{kind:?}");
    let heard = |client: &mut Client| -> Vec<Value> {
        client.expect("the last message", |seen| seen["payload"]["text"] == "five");
        let messages = client.broadcasts("message");
        messages.iter().map(|message| message["payload"]["text"].clone()).collect()
    };
    for client in [&mut ada, &mut bo] {
        assert_eq!(heard(client), ["one", "two", "three", "five"], "{:?} beside {kind:?}", client.kind());
    }
    assert!(bo.broadcasts("refused").is_empty(), "nobody else is told so");
}

#[test]
fn a_participant_is_warned_refused_and_topped_up_and_goes_on() {
    std::thread::scope(|scope| {
        for kind in Kind::TELLING {
            scope.spawn(move || refused_warned_and_topped_up(kind));
        }
    });
}

/// Speaks whenever a message says that it is this one's turn, until the end. Returns how often that was.
fn converse(mut client: Client, me: &str) -> (Client, usize) {
    for asked in 0.. {
        let heard = client.expect("a turn, or the end", |seen| {
            seen["event"] == "exhausted" || seen["event"] == "message" && seen["payload"]["turn"] == me
        });
        if heard["event"] == "exhausted" {
            return (client, asked);
        }
        assert_ne!(heard["payload"]["context_only"], true, "{me} is asked and cannot answer: {heard}");
        assert_eq!(say(&mut client, &format!("{me} says {asked}")), "ok");
    }
    unreachable!("messages are bounded")
}

#[test]
fn two_agents_take_turns_and_who_has_no_budget_is_not_asked() {
    let gateway = Gateway::start();
    let limits = json!({ "max_replies_per_participant": 3 });
    let turns = json!({ "policy": "round_robin" });
    begin(&gateway, json!({ "limits": limits, "turns": turns, "delivery": "context_only" }));
    gateway.post("/api/conversations/c/top-up", &json!({ "participants": { "bo": { "messages": 2 } } }));
    let mut ada = participant(&gateway, Kind::RealtimeJs2, "ada");
    let mut bo = participant(&gateway, Kind::RealtimeJs1, "bo");
    assert_eq!(say(&mut bo, "me first"), "error");
    assert_eq!(bo.broadcast(TOPIC, "refused")["payload"]["code"], "not_your_turn");

    assert_eq!(say(&mut ada, "hello"), "ok");
    let ((ada, ada_asked), (bo, bo_asked)) = std::thread::scope(|scope| {
        let (ada, bo) = (scope.spawn(|| converse(ada, "ada")), scope.spawn(|| converse(bo, "bo")));
        (ada.join().unwrap(), bo.join().unwrap())
    });
    // Her third message is her last: from there on she is passed over, and what bo says is for her to know only.
    assert_eq!((ada_asked, bo_asked), (2, 5));
    let marks = |client: &Client, author: &str| -> Vec<bool> {
        let messages = client.broadcasts("message");
        let of = messages.iter().filter(|seen| seen["payload"]["author"] == author);
        of.map(|seen| seen["payload"]["context_only"] == true).collect()
    };
    assert_eq!(marks(&ada, "bo"), [false, false, true, true, true]);
    assert_eq!(marks(&bo, "ada"), [false, false, false]);
    for client in [&ada, &bo] {
        let ends = client.broadcasts("exhausted");
        assert_eq!(ends.len(), 1, "{:?}", client.kind());
        assert_eq!(ends[0]["payload"]["reason"], "all_participants_exhausted");
    }
    assert!(ada.broadcasts("refused").is_empty(), "no answer was made in vain");
}
