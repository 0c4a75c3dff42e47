//! People with published clients meet each other, and bots, by the socket alone.

use super::client::{Client, Kind};
use super::desk::put_queue;
use super::gateway::Gateway;
use super::service::{Fleet, QuickBots, key};
use serde_json::{Value, json};

/// Somebody with a published client.
struct Person {
    user: &'static str,
    own: String,
    client: Client,
    /// Matches that it has agreed to.
    met: Vec<Value>,
}

impl Person {
    /// Opens their own topic.
    fn enter(gateway: &Gateway, kind: Kind, user: &'static str) -> Person {
        let mut client = gateway.client(kind, user);
        let own = format!("user:{user}");
        client.join(&own, json!({ "private": true, "broadcast": { "ack": true } }));
        Person { user, own, client, met: Vec::new() }
    }

    #[track_caller]
    fn asks(&mut self, event: &str, payload: Value) {
        let result = self.client.send(&self.own, event, payload);
        assert_eq!(result, "ok", "{} asked {event}", self.user);
    }

    fn waits_in(&mut self, queue: &str) {
        let (user, queue) = (self.user, queue.to_owned());
        self.asks("match_enqueue", json!({ "queue": queue, "name": user, "language": "en" }));
    }

    /// The next notice of a ticket in this state.
    #[track_caller]
    fn ticket(&mut self, state: &str) -> Value {
        self.ticket_that(&format!("is {state}"), |ticket| ticket["state"] == state)
    }

    #[track_caller]
    fn ticket_that(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let own = self.own.clone();
        let is = |seen: &Value| {
            seen["saw"] == "broadcast" && seen["topic"] == own.as_str() && seen["event"] == "ticket"
        };
        let seen =
            self.client.expect(&format!("a ticket that {what}"), |seen| is(seen) && fits(&seen["payload"]));
        seen["payload"].clone()
    }

    /// Agrees to what is proposed, which is told more than once. Gives the match.
    #[track_caller]
    fn agrees(&mut self) -> Value {
        let met = self.met.clone();
        let proposed = self.ticket_that("is proposed", |ticket| {
            ticket["state"] == "proposed" && !met.contains(&ticket["match"]["id"])
        });
        let of = proposed["match"].clone();
        self.met.push(of["id"].clone());
        self.asks("match_confirm", json!({ "match": of["id"] }));
        of
    }

    /// Comes into the conversation of the match that it has agreed to. Gives its topic.
    #[track_caller]
    fn comes(&mut self) -> String {
        let of = self.ticket("matched")["match"].take();
        assert_eq!((Some(&of["id"]), &of["state"]), (self.met.last(), &json!("standing")));
        let topic = format!("conversation:{}", of["conversation"].as_str().unwrap());
        let config = json!({ "broadcast": { "ack": true }, "presence": { "key": self.user } });
        self.client.join_with(&topic, json!({ "config": config, "presence": true }));
        topic
    }

    #[track_caller]
    fn says(&mut self, topic: &str, text: &str) {
        assert_eq!(self.client.send(topic, "message", json!({ "text": text })), "ok");
    }

    #[track_caller]
    fn hears(&mut self, topic: &str, author: &str) -> Value {
        let from = |seen: &Value| {
            seen["topic"] == topic && seen["event"] == "message" && seen["payload"]["author"] == author
        };
        self.client.expect(&format!("a line of {author}"), from)["payload"].take()
    }

    /// Shows that it types, as everybody who is there sees.
    fn types(&mut self, topic: &str) {
        self.client.tell("track", json!({ "topic": topic, "payload": { "typing": true } }));
        self.client.expect("the sending's result", |seen| seen["saw"] == "sent" && seen["event"] == "track");
    }

    #[track_caller]
    fn sees_typing(&mut self, topic: &str, who: &str) {
        let typing =
            |metas: &Value| metas.as_array().is_some_and(|all| all.iter().any(|meta| meta["typing"] == true));
        self.client.expect(&format!("{who} types"), |seen| {
            seen["saw"] == "presence"
                && seen["topic"] == topic
                && seen["key"] == who
                && typing(&seen["metas"])
        });
    }
}

#[test]
fn two_humans_meet_chat_part_and_wait_again() {
    let gateway = Gateway::start();
    let mut ann = Person::enter(&gateway, Kind::RealtimeJs2, "ann");
    let mut bob = Person::enter(&gateway, Kind::Python, "bob");
    ann.waits_in("strangers");
    bob.waits_in("strangers");
    let of = ann.agrees();
    assert_eq!(bob.agrees()["id"], of["id"]);
    let topic = ann.comes();
    bob.comes();
    let mut members: Vec<(&str, &str)> = of["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|member| (member["user"].as_str().unwrap(), member["kind"].as_str().unwrap()))
        .collect();
    members.sort_unstable();
    assert_eq!(members, [("ann", "human"), ("bob", "human")]);
    assert!(of["members"][0]["ticket"].is_null(), "tickets of others are nobody's business");

    bob.types(&topic);
    ann.sees_typing(&topic, "bob");
    bob.says(&topic, "hello, Ann");
    assert_eq!(ann.hears(&topic, "bob")["text"], "hello, Ann");
    ann.types(&topic);
    bob.sees_typing(&topic, "ann");
    ann.says(&topic, "goodbye, Bob");
    assert_eq!(bob.hears(&topic, "ann")["text"], "goodbye, Bob");

    // Ann wants somebody else: both are told, she waits again and Bob, who did not ask for that, does not.
    ann.asks("match_skip", json!({ "match": of["id"] }));
    ann.ticket_that("waits again", |ticket| {
        ticket["state"] == "waiting" && ticket["match"]["ended"] == "skipped"
    });
    let left = bob.ticket("over");
    assert_eq!((&left["ended"], &left["match"]["ended_by"]), (&json!("played"), &json!("ann")));
    for person in [&mut ann, &mut bob] {
        person.client.expect("the conversation's end", |seen| {
            seen["topic"] == topic.as_str() && seen["event"] == "exhausted"
        });
    }
    // Bob comes back, and they are spared each other: somebody else is there for one of them, and it is the one who waits
    // longer.
    bob.waits_in("strangers");
    bob.ticket("waiting");
    let mut cleo = Person::enter(&gateway, Kind::RealtimeJs1, "cleo");
    cleo.waits_in("strangers");
    let other = cleo.agrees();
    assert_eq!(ann.agrees()["id"], other["id"]);
    let topic = cleo.comes();
    ann.comes();
    cleo.says(&topic, "and who are you?");
    ann.hears(&topic, "cleo");
    cleo.asks("match_leave", json!({ "match": other["id"] }));
    assert_eq!(ann.ticket("over")["match"]["ended"], "left");
    assert_eq!(cleo.ticket("over")["ended"], "played");
    bob.asks("match_cancel", json!({}));
    assert_eq!(bob.ticket("over")["ended"], "cancelled");
}

fn a_human_meets_a_bot(kind: Kind) {
    let gateway = Gateway::start();
    put_queue(&gateway, "lonely", &json!({ "bots_after_ms": 300 }));
    let bots = QuickBots::new(2, "scripted");
    let mut settings = bots.settings().to_vec();
    settings.push(("ARENA_FLEET__QUEUES", "lonely".to_owned()));
    let fleet = Fleet::with(2, &gateway.endpoint(), &key(&gateway), &settings);
    fleet.until("both are there", |report| report["totals"]["active"] == 2);

    let mut ann = Person::enter(&gateway, kind, "ann");
    ann.waits_in("lonely");
    let of = ann.agrees();
    let topic = ann.comes();
    let partner = of["members"].as_array().unwrap().iter().find(|member| member["user"] != "ann").unwrap();
    assert_eq!(partner["kind"], "bot", "{kind:?}: it does not hide what it is");
    let bot = partner["user"].as_str().unwrap();
    ann.hears(&topic, bot);
    ann.says(&topic, "What do you like?");
    let answer = ann.hears(&topic, bot);
    assert_eq!(answer["data"]["bot"], true, "{kind:?}: {answer}");
    // Whoever skips a bot gets the other one, and the bot is idle again.
    ann.asks("match_skip", json!({ "match": of["id"] }));
    let next = ann.agrees();
    let topic = ann.comes();
    let other = next["members"].as_array().unwrap().iter().find(|member| member["user"] != "ann").unwrap();
    assert!(other["kind"] == "bot" && other["user"] != bot, "{kind:?}: {next}");
    ann.hears(&topic, other["user"].as_str().unwrap());
    ann.asks("match_leave", json!({ "match": next["id"] }));
    fleet.until("both are idle", |report| {
        report["bots"].as_array().unwrap().iter().all(|bot| bot["state"] == "idle")
    });
    arena_testing::wait_until(super::support::PATIENCE, "both wait again", || {
        gateway.get("/api/matchmaking/queues/lonely")["waiting"]["bots"] == 2
    });
}

#[test]
fn a_human_on_realtime_js_meets_a_bot() {
    a_human_meets_a_bot(Kind::RealtimeJs2);
}

#[test]
fn a_human_on_python_meets_a_bot() {
    a_human_meets_a_bot(Kind::Python);
}
