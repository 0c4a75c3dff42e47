//! A human with a published client talks with a bot, in a conversation with a budget, to its end.

use super::client::Kind;
use super::gateway::Gateway;
use super::lobby::Visitor;
use super::service::{Fleet, LOBBY, QuickBots, key};
use serde_json::{Value, json};

const TOPIC: &str = "conversation:visit";

/// Both sides' messages of the whole conversation. The bot begins, and the last one is for its goodbye.
const MESSAGES: usize = 5;

/// The next message of the bot's, or the end.
fn heard(visitor: &mut Visitor, bot: &str) -> Value {
    visitor.client.expect("an answer, or the end", |seen| {
        seen["topic"] == TOPIC
            && (seen["event"] == "exhausted"
                || seen["event"] == "message" && seen["payload"]["author"] == bot)
    })
}

fn a_whole_visit(kind: Kind) {
    let gateway = Gateway::start();
    let bots = QuickBots::new(3, "scripted");
    let fleet = Fleet::with(3, &gateway.endpoint(), &key(&gateway), &bots.settings());
    let mut ann = Visitor::enter(&gateway, kind, "ann");
    ann.show();
    let bot = ann.until_bots(3).into_keys().next().unwrap();
    let limits = json!({ "max_total_messages": MESSAGES });
    let setup = json!({ "id": "visit", "participants": ["ann", bot], "limits": limits });
    gateway.post("/api/conversations", &setup);
    ann.client.join(TOPIC, json!({ "broadcast": { "ack": true } }));

    ann.client.send(LOBBY, "bot_wanted", json!({ "conversation": "visit", "bot": bot }));
    let joined = ann.client.broadcast(LOBBY, "bot_joined")["payload"].take();
    assert_eq!((&joined["conversation"], &joined["bot"]), (&json!("visit"), &json!(bot)), "{kind:?}");
    ann.until("the lobby shows that it talks", |bots| bots[&bot][0]["state"] == "talking");

    let mut answers = Vec::new();
    let mut said = 0;
    loop {
        let answer = heard(&mut ann, &bot);
        if answer["event"] == "exhausted" {
            assert_eq!(answer["payload"]["reason"], "total_limit", "{kind:?}");
            break;
        }
        assert_eq!(answer["payload"]["data"]["bot"], true, "{kind:?}: it says what it is: {answer}");
        answers.push(answer["payload"]["text"].as_str().unwrap().to_owned());
        // The last word is the bot's.
        if said + answers.len() < MESSAGES - 1 {
            said += 1;
            ann.client.send(TOPIC, "message", json!({ "text": format!("What about number {said}?") }));
        }
    }
    assert!(answers.len() >= 2 && answers.iter().all(|text| !text.is_empty()), "{kind:?}: {answers:?}");
    ann.until("the lobby shows that it has time again", |bots| bots[&bot][0]["state"] == "idle");
    let log = gateway.get("/api/conversations/visit/messages");
    let lines = log["items"].as_array().unwrap().iter().filter(|line| line["event"] == "message");
    let authors: Vec<&Value> = lines.map(|line| &line["payload"]["author"]).collect();
    assert_eq!(json!(authors), json!([bot, "ann", bot, "ann", bot]), "{kind:?}: {log}");
    let report = fleet.until("its place there is given back", |report| report["pool"]["channels"] == 3 + 1);
    assert_eq!(report["errors"], json!([]), "{kind:?}: a budget that is spent is no failure");
}

#[test]
fn a_human_on_realtime_js_talks_with_a_bot_until_their_budget_is_spent() {
    a_whole_visit(Kind::RealtimeJs2);
}

#[test]
fn a_human_on_python_talks_with_a_bot_until_their_budget_is_spent() {
    a_whole_visit(Kind::Python);
}
