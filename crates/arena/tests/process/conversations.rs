//! kill -9 in the middle of conversations: whatever was acknowledged is in the log, once, where the answer said.

use super::crash::durable_postgres;
use super::support::{Arena, Line, PATIENCE};
use arena_testing::{TestDatabase, wait_until};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Messages that are tried in all. The kill comes after half of them.
const MESSAGES: usize = 10_000;

const SENDERS: usize = 50;

/// How many messages each conversation takes: one is at its end before the kill, one after it, the others never.
const LIMITS: [Option<u64>; 8] = [Some(300), Some(900), None, None, None, None, None, None];

/// Which message: its conversation, and its id.
type Name = (usize, String);

/// What the senders know.
#[derive(Default)]
struct Known {
    /// Where each message is that was taken.
    taken: BTreeMap<Name, u64>,
    refused: BTreeSet<Name>,
    /// Asked, and not answered.
    open: BTreeSet<Name>,
}

impl Known {
    fn merge(mut self, other: Known) -> Known {
        self.taken.extend(other.taken);
        self.refused.extend(other.refused);
        self.open.extend(other.open);
        self
    }
}

/// The messages of a sender, in their order.
fn plan(sender: usize) -> impl Iterator<Item = Name> {
    (0..MESSAGES / SENDERS).map(move |n| ((sender + n) % LIMITS.len(), format!("m-{sender}-{n}")))
}

/// Says what is planned and not known yet over one connection, until it is all said or the server is gone.
fn say_all(address: &str, sender: usize, before: &Known, answers: &AtomicUsize) -> Known {
    let mut line = Line::to(address);
    let mut known = Known::default();
    for name in plan(sender) {
        if before.taken.contains_key(&name) || before.refused.contains(&name) {
            continue;
        }
        let (conversation, id) = &name;
        let message =
            json!({ "author": format!("sender-{sender}"), "text": format!("I say {id}"), "id": id });
        match line.post(&format!("/api/conversations/c-{conversation}/messages"), &message) {
            Some((200 | 201, receipt)) => {
                let again = receipt["repeated"].as_bool().unwrap();
                assert!(!again || before.open.contains(&name), "{name:?} was never said before: {receipt}");
                known.taken.insert(name, receipt["offset"].as_u64().unwrap());
            }
            Some((409, problem)) => {
                assert_eq!(problem["code"], "total_limit", "{problem}");
                known.refused.insert(name);
            }
            Some(other) => panic!("{name:?}: {other:?}"),
            None => {
                known.open.insert(name);
                return known;
            }
        }
        answers.fetch_add(1, Ordering::Relaxed);
    }
    known
}

fn everybody_speaks(address: &str, before: &Known, answers: &AtomicUsize) -> Known {
    std::thread::scope(|scope| {
        let speak = |sender| scope.spawn(move || say_all(address, sender, before, answers));
        let speaking: Vec<_> = (0..SENDERS).map(speak).collect();
        speaking.into_iter().map(|thread| thread.join().unwrap()).fold(Known::default(), Known::merge)
    })
}

/// The whole log of a conversation, without gaps.
fn log(arena: &Arena, conversation: usize) -> Vec<Value> {
    let mut lines: Vec<Value> = Vec::new();
    loop {
        let path = format!("/api/conversations/c-{conversation}/messages?limit=1000&after={}", lines.len());
        let page = arena.get(&path);
        lines.extend(page["items"].as_array().unwrap().iter().cloned());
        if page["more"] == false {
            let offsets = lines.iter().map(|line| line["offset"].as_u64().unwrap());
            assert!(offsets.eq(1..=lines.len() as u64), "offsets of c-{conversation} have gaps");
            return lines;
        }
    }
}

/// How many messages each author has in a log.
fn by_author<'a>(messages: impl Iterator<Item = &'a Value>) -> BTreeMap<&'a str, u64> {
    messages.fold(BTreeMap::new(), |mut counts, line| {
        *counts.entry(line["payload"]["author"].as_str().unwrap()).or_default() += 1;
        counts
    })
}

/// What the logs hold is what the senders know, and what is counted. Returns where each message is.
fn check(arena: &Arena, known: &Known) -> BTreeMap<Name, u64> {
    let mut stored = BTreeMap::new();
    for (conversation, limit) in LIMITS.iter().enumerate() {
        let lines = log(arena, conversation);
        let messages = || lines.iter().filter(|line| line["event"] == "message");
        for line in messages() {
            let name = (conversation, line["id"].as_str().unwrap().to_owned());
            let twice = stored.insert(name, line["offset"].as_u64().unwrap());
            assert_eq!(twice, None, "stored twice: {line}");
        }
        let count = messages().count() as u64;
        let full = limit.is_some_and(|limit| count == limit);
        assert!(limit.is_none_or(|limit| count <= limit), "c-{conversation} has {count} messages");
        let ends = lines.iter().filter(|line| line["event"] == "exhausted").count();
        assert_eq!(ends, usize::from(full), "c-{conversation} with {count} messages");
        let capacity = arena.get(&format!("/api/conversations/c-{conversation}/capacity"));
        assert_eq!(capacity["total"]["used"]["messages"], count, "{capacity}");
        let shares = capacity["participants"].as_array().unwrap();
        let counted = shares.iter().map(|share| {
            (share["participant"].as_str().unwrap(), share["used"]["messages"].as_u64().unwrap())
        });
        assert_eq!(counted.collect::<BTreeMap<_, _>>(), by_author(messages()), "shares of c-{conversation}");
    }
    for (name, offset) in &known.taken {
        assert_eq!(stored.get(name), Some(offset), "{name:?} was acknowledged");
    }
    for name in stored.keys() {
        assert!(known.taken.contains_key(name) || known.open.contains(name), "{name:?} was not to be stored");
    }
    stored
}

fn killed_in_the_middle_of_conversations(database: TestDatabase) {
    let mut arena = Arena::start(database);
    for (conversation, limit) in LIMITS.iter().enumerate() {
        let limits = json!({ "max_total_messages": limit });
        arena.post("/api/conversations", &json!({ "id": format!("c-{conversation}"), "limits": limits }));
    }
    let (address, answers) = (arena.address(), AtomicUsize::new(0));
    let before = std::thread::scope(|scope| {
        let speaking = scope.spawn(|| everybody_speaks(&address, &Known::default(), &answers));
        wait_until(3 * PATIENCE, "half of it is said", || answers.load(Ordering::Relaxed) >= MESSAGES / 2);
        arena.kill();
        speaking.join().unwrap()
    });
    let answered = answers.load(Ordering::Relaxed);
    assert!(answered < MESSAGES && !before.open.is_empty(), "it was not killed in the middle");

    arena.launch();
    let stored = check(&arena, &before);
    let after = everybody_speaks(&address, &before, &answers);
    assert!(after.open.is_empty());
    for name in &before.open {
        let again = after.taken.get(name);
        assert!(stored.get(name).is_none_or(|offset| again == Some(offset)), "{name:?} was said twice");
    }
    let known = Known { open: BTreeSet::new(), ..before.merge(after) };
    assert_eq!(known.taken.len() + known.refused.len(), MESSAGES);
    check(&arena, &known);
}

#[test]
fn a_kill_in_the_middle_of_conversations_loses_nothing_and_doubles_nothing_on_sqlite() {
    killed_in_the_middle_of_conversations(TestDatabase::sqlite());
}

#[test]
fn a_kill_in_the_middle_of_conversations_loses_nothing_and_doubles_nothing_on_postgres() {
    let server = durable_postgres();
    killed_in_the_middle_of_conversations(TestDatabase::on(&server).unwrap());
}
