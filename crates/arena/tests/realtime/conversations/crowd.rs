//! Many who come and go while much is said.

use crate::gateway::Gateway;
use crate::plain::Plain;
use crate::support::Line;
use serde_json::{Value, json};

const CLIENTS: usize = 50;
const SENDERS: usize = 4;
const MESSAGES: u64 = 2_000;

/// The last line of the log; the first is that of its creation.
const LAST: u64 = MESSAGES + 1;

const TOPIC: &str = "conversation:c";

/// How a client comes back each time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// By a new connection, and goes on where it was.
    Reconnect,
    /// By the same connection, which it left, and goes on where it was.
    Rejoin,
    /// By the same connection that it never left, and begins where the log is now.
    Again,
}

/// One of the crowd.
struct Attendant {
    address: String,
    client: Plain,
    way: Way,
    /// What it heard last.
    last: Option<(u64, Value)>,
}

impl Attendant {
    /// Joins, and returns the offset of what it is to hear first.
    fn join(&mut self) -> u64 {
        let recover = self.last.as_ref().filter(|_| self.way != Way::Again);
        let Some((offset, epoch)) = recover else {
            return self.client.join(TOPIC, &json!({}))["position"]["offset"].as_u64().unwrap() + 1;
        };
        let recover = json!({ "recover": { "offset": offset, "epoch": epoch } });
        let joined = self.client.join(TOPIC, &recover);
        assert_eq!(joined["recovered"], true, "{:?} after {offset}: {joined}", self.way);
        offset + 1
    }

    /// Hears so many lines, each in its place; fewer where the log or the connection ends.
    fn stay(&mut self, lines: u64, mut next: u64) {
        for _ in 0..lines {
            if next > LAST {
                return;
            }
            let Some(heard) = self.client.next_broadcast() else { return };
            let meta = &heard["meta"];
            assert_eq!(meta["offset"], next, "{:?} after {:?}: {heard}", self.way, self.last);
            self.last = Some((next, meta["epoch"].clone()));
            next += 1;
        }
    }

    fn come_back(&mut self) {
        match self.way {
            Way::Reconnect => self.client = Plain::connect(&self.address, None),
            Way::Rejoin => assert_eq!(self.client.push("phx_leave", &json!({}))["status"], "ok"),
            Way::Again => {}
        }
    }
}

/// Comes and goes until the log has ended. Returns how often it came.
fn attend(address: &str, number: usize) -> usize {
    let way = [Way::Reconnect, Way::Rejoin, Way::Again][number % 3];
    let client = Plain::connect(address, None);
    let mut attendant = Attendant { address: address.to_owned(), client, way, last: None };
    for came in 1.. {
        let next = attendant.join();
        attendant.stay(40 + number as u64 * 3, next);
        if next > LAST || attendant.last.as_ref().is_some_and(|(offset, _)| *offset == LAST) {
            return came;
        }
        attendant.come_back();
    }
    unreachable!("the log ends")
}

#[test]
fn who_comes_and_goes_hears_each_line_once_in_its_place() {
    let gateway = Gateway::start();
    gateway.post("/api/conversations", &json!({ "id": "c" }));
    let address = gateway.address();
    let came: Vec<usize> = std::thread::scope(|scope| {
        let crowd: Vec<_> = (0..CLIENTS)
            .map(|number| {
                scope.spawn({
                    let address = &address;
                    move || attend(address, number)
                })
            })
            .collect();
        for sender in 0..SENDERS {
            let mut line = Line::to(&address);
            scope.spawn(move || {
                for n in 0..MESSAGES as usize / SENDERS {
                    let message = json!({ "author": format!("sender-{sender}"), "text": n.to_string() });
                    let answer = line.post("/api/conversations/c/messages", &message);
                    assert!(matches!(answer, Some((201, _))), "{answer:?}");
                }
            });
        }
        crowd.into_iter().map(|attendant| attendant.join().unwrap()).collect()
    });
    assert!(came.iter().sum::<usize>() > 5 * CLIENTS, "they came and stayed: {came:?}");
}
