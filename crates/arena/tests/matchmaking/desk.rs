//! The matchmaker's REST, as a test asks it, and what has to hold whatever has happened.

use super::support::{Arena, PATIENCE, get, post};
use arena_testing::wait_until;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A PUT that must succeed.
pub fn put_queue(arena: &Arena, name: &str, rules: &Value) {
    let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build();
    let url = format!("http://{}/api/matchmaking/queues/{name}", arena.address());
    let request = ureq::Agent::from(config).put(url).header("content-type", "application/json");
    let mut answer = request.send(rules.to_string()).unwrap();
    assert!(answer.status().is_success(), "{:?}", answer.body_mut().read_to_string());
}

/// A desk at which anybody acts for anybody.
#[derive(Debug, Clone)]
pub struct Desk {
    address: String,
}

impl Desk {
    /// Of this server, and of whatever comes after it at the same address.
    pub fn of(arena: &Arena) -> Desk {
        Desk { address: arena.address() }
    }

    /// Where it is.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// A GET that may fail.
    pub fn try_get(&self, path: &str) -> Option<(u16, Value)> {
        get(&self.address, &format!("/api/matchmaking/{path}"))
    }

    /// A GET that must succeed.
    #[track_caller]
    pub fn get(&self, path: &str) -> Value {
        let (status, body) = self.try_get(path).unwrap();
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// A POST that may fail.
    pub fn try_post(&self, path: &str, body: &Value) -> Option<(u16, Value)> {
        post(&self.address, &format!("/api/matchmaking/{path}"), body)
    }

    /// A POST that must succeed.
    #[track_caller]
    pub fn post(&self, path: &str, body: &Value) -> Value {
        let (status, answer) = self.try_post(path, body).unwrap();
        assert!((200..300).contains(&status), "{path}: {answer}");
        answer
    }

    /// A ticket of this wish; its id.
    #[track_caller]
    pub fn enqueue(&self, wish: &Value) -> String {
        self.post("tickets", wish)["id"].as_str().unwrap().to_owned()
    }

    /// A ticket as it is now.
    #[track_caller]
    pub fn ticket(&self, id: &str) -> Value {
        self.get(&format!("tickets/{id}"))
    }

    /// Something that a user does about a match.
    #[track_caller]
    pub fn act(&self, of: &Value, what: &str, user: &str) -> Value {
        self.post(&format!("matches/{}/{what}", of["id"].as_str().unwrap()), &json!({ "user": user }))
    }

    /// Waits until a ticket is in this state, and returns its match.
    #[track_caller]
    pub fn until(&self, id: &str, state: &str) -> Value {
        let mut last = Value::Null;
        wait_until(PATIENCE, &format!("ticket {id} is {state}"), || {
            last = self.ticket(id);
            last["state"] == state
        });
        last["match"].take()
    }

    /// Every row of a list.
    #[track_caller]
    pub fn all(&self, list: &str) -> Vec<Value> {
        let (mut items, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.get(&format!("{list}?limit=500{cursor}"));
            items.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                None => return items,
                Some(next) => cursor = format!("&cursor={}", next.replace(' ', "%20")),
            }
        }
    }

    /// Whether a conversation is at its end, or gone.
    fn is_closed(&self, conversation: &str) -> bool {
        match get(&self.address, &format!("/api/conversations/{conversation}")) {
            Some((404, _)) => true,
            Some((200, body)) => !body["exhausted"].is_null(),
            _ => false,
        }
    }

    /// Nobody is on two tickets or in two matches, tickets and matches say the same of each other, and conversations of
    /// matches that are over come to be closed. To be called while nobody acts.
    #[track_caller]
    pub fn check_sound(&self) {
        // Sweeps go on meanwhile, so that a look may fall between two changes.
        let mut wrong = Vec::new();
        let sound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            wait_until(PATIENCE, "tickets and matches agree", || {
                wrong = self.contradictions();
                wrong.is_empty()
            });
        }));
        assert!(sound.is_ok(), "{wrong:#?}");
    }

    fn contradictions(&self) -> Vec<String> {
        let (tickets, matches) = (self.all("tickets"), self.all("matches"));
        let mut wrong = Vec::new();
        let mut on: BTreeMap<&str, &Value> = BTreeMap::new();
        for ticket in tickets.iter().filter(|ticket| ticket["state"] != "over") {
            if let Some(other) = on.insert(ticket["user"].as_str().unwrap(), ticket) {
                wrong.push(format!("on two tickets: {ticket} and {other}"));
            }
        }
        let mut within: BTreeMap<&str, &Value> = BTreeMap::new();
        for of in &matches {
            if of["state"] == "over" {
                let talk = of["conversation"].as_str().unwrap();
                if !self.is_closed(talk) {
                    wrong.push(format!("a match is over and its conversation open: {of}"));
                }
                continue;
            }
            let state = if of["state"] == "standing" { "matched" } else { "proposed" };
            for member in of["members"].as_array().unwrap() {
                let user = member["user"].as_str().unwrap();
                if let Some(other) = within.insert(user, of) {
                    wrong.push(format!("`{user}` is in two matches: {of} and {other}"));
                }
                let fits = |ticket: &&&Value| {
                    ticket["id"] == member["ticket"]
                        && ticket["match"]["id"] == of["id"]
                        && ticket["state"] == state
                };
                if on.get(user).filter(fits).is_none() {
                    wrong.push(format!("`{user}` is in a match that its ticket is not in: {of}"));
                }
            }
        }
        for ticket in on.values().filter(|ticket| ticket["state"] != "waiting") {
            if !within.contains_key(ticket["user"].as_str().unwrap()) {
                wrong.push(format!("a ticket without its match: {ticket}"));
            }
        }
        wrong
    }
}
