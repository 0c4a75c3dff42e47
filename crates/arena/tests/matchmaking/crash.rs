//! kill -9 of the server at every step of a match: no ticket is lost, nobody is in two matches, and everything comes to
//! its end.

use super::desk::Desk;
use super::support::{Arena, PATIENCE, post};
use arena_testing::{Durability, PostgresOptions, PostgresServer, TestDatabase, wait_until};
use serde_json::{Value, json};

/// Where two users are when the server is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Enqueued,
    Proposed,
    OneConfirmed,
    BothConfirmed,
    Talking,
    Skipped,
    WaitsAgain,
}

const STEPS: [Step; 7] = [
    Step::Enqueued,
    Step::Proposed,
    Step::OneConfirmed,
    Step::BothConfirmed,
    Step::Talking,
    Step::Skipped,
    Step::WaitsAgain,
];

/// Two users and their tickets.
struct Pair {
    users: [String; 2],
    tickets: [String; 2],
}

impl Pair {
    fn enqueue(desk: &Desk, step: Step) -> Pair {
        let users = ["ann", "bob"].map(|name| format!("{name}-{step:?}"));
        // They meet nobody but each other: whoever is left over of a step before is of another pair.
        let wish = |user: &String| json!({ "queue": "pairs", "user": user, "requeue": true, "attributes": { "pair": format!("{step:?}") } });
        let tickets = [&users[0], &users[1]].map(|user| desk.enqueue(&wish(user)));
        Pair { users, tickets }
    }

    /// Does what both do, up to this step. Gives their match.
    fn go_to(&self, desk: &Desk, step: Step) -> Value {
        let [ann, bob] = &self.users;
        if step == Step::Enqueued {
            return Value::Null;
        }
        let of = desk.until(&self.tickets[0], "proposed");
        if step >= Step::OneConfirmed {
            desk.act(&of, "confirm", ann);
        }
        if step >= Step::BothConfirmed {
            desk.act(&of, "confirm", bob);
        }
        if step >= Step::Talking {
            let talk = of["conversation"].as_str().unwrap();
            let line = json!({ "author": ann, "text": "hello" });
            let said = format!("/api/conversations/{talk}/messages");
            let (status, body) = post(desk.address(), &said, &line).unwrap();
            assert!((200..300).contains(&status), "{body}");
        }
        if step >= Step::Skipped {
            desk.act(&of, "skip", ann);
        }
        if step >= Step::WaitsAgain {
            desk.until(&self.tickets[1], "waiting");
        }
        of
    }

    /// Both confirm whatever they are offered until they are in a match that stands. Gives the match.
    fn meet(&self, desk: &Desk) -> Value {
        let mut of = Value::Null;
        wait_until(PATIENCE, "both are in a match that stands", || {
            let tickets = [&self.tickets[0], &self.tickets[1]].map(|id| desk.ticket(id));
            for (ticket, user) in tickets.iter().zip(&self.users) {
                assert_ne!(ticket["state"], "over", "nobody has taken it back: {ticket}");
                if ticket["state"] == "proposed" {
                    let id = ticket["match"]["id"].as_str().unwrap();
                    // Too late is no failure: then there is another one.
                    desk.try_post(&format!("matches/{id}/confirm"), &json!({ "user": user }));
                }
            }
            of = tickets[0]["match"].clone();
            tickets.iter().all(|ticket| ticket["state"] == "matched")
        });
        assert_eq!(desk.ticket(&self.tickets[1])["match"]["id"], of["id"], "with each other");
        of
    }
}

fn killed_at_every_step(database: TestDatabase) {
    let mut arena = Arena::start(database);
    let desk = Desk::of(&arena);
    // They meet again at once, and have time for a restart.
    let rules = json!({ "must": ["attributes.pair"], "skip_window_ms": 0, "confirm_ms": 30_000 });
    super::desk::put_queue(&arena, "pairs", &rules);
    for step in STEPS {
        let pair = Pair::enqueue(&desk, step);
        let before = pair.go_to(&desk, step);
        arena.kill();
        arena.launch();
        let of = pair.meet(&desk);
        // What was agreed on still holds, and what was ended is not taken up again.
        let same = of["id"] == before["id"];
        assert_eq!(same, (Step::Proposed..=Step::Talking).contains(&step), "{step:?}: {before} and {of}");
        desk.check_sound();
        desk.act(&of, "leave", &pair.users[0]);
        desk.until(&pair.tickets[0], "over");
        arena.delete(&format!("/api/matchmaking/tickets/{}", pair.tickets[1]));
        desk.until(&pair.tickets[1], "over");
        desk.check_sound();
    }
    let states: Vec<Value> = desk.all("matches").iter().map(|of| of["state"].clone()).collect();
    assert!(states.iter().all(|state| state == "over") && states.len() >= STEPS.len(), "{states:?}");
}

#[test]
fn a_kill_at_any_step_of_a_match_loses_nobody_on_sqlite() {
    killed_at_every_step(TestDatabase::sqlite());
}

#[test]
fn a_kill_at_any_step_of_a_match_loses_nobody_on_postgres() {
    let options = PostgresOptions { durability: Durability::Default, ..PostgresOptions::default() };
    let server = PostgresServer::start(options).unwrap();
    killed_at_every_step(TestDatabase::on(&server).unwrap());
}
