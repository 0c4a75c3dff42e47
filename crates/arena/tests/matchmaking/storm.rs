//! A hundred users who do what users do, while the server is killed again and again.

use super::desk::{Desk, put_queue};
use super::support::{Arena, PATIENCE};
use arena_testing::{TestDatabase, wait_until};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const USERS: usize = 100;
const THREADS: usize = 10;
const KILLS: usize = 4;

/// Numbers that are the same in every run (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }
}

/// A user, who may be told nothing at any moment.
struct User {
    name: String,
    ticket: Option<String>,
}

impl User {
    /// Does one thing. What is not answered is looked up the next time.
    fn act(&mut self, desk: &Desk, dice: &mut Dice) {
        let Some(id) = self.ticket.clone() else {
            let id = uuid::Uuid::from_u128(
                (u128::from(dice.below(u64::MAX)) << 64) | u128::from(dice.below(u64::MAX)),
            );
            // Known before it is sent: an answer that is lost makes no second ticket.
            self.ticket = Some(id.to_string());
            let wish = json!({ "queue": "storm", "id": id, "user": self.name, "requeue": true });
            desk.try_post("tickets", &wish);
            return;
        };
        match desk.try_get(&format!("tickets/{id}")) {
            Some((200, ticket)) => self.go_on(desk, &ticket, dice),
            // It was never made.
            Some((404, _)) => self.ticket = None,
            _ => {}
        }
    }

    fn go_on(&mut self, desk: &Desk, ticket: &Value, dice: &mut Dice) {
        let of = ticket["match"]["id"].as_str().unwrap_or_default();
        let me = json!({ "user": self.name });
        match ticket["state"].as_str().unwrap() {
            "over" => self.ticket = None,
            "proposed" => {
                let act = if dice.below(10) == 0 { "decline" } else { "confirm" };
                desk.try_post(&format!("matches/{of}/{act}"), &me);
            }
            "matched" if dice.below(3) == 0 => {
                let act = if dice.below(3) == 0 { "leave" } else { "skip" };
                desk.try_post(&format!("matches/{of}/{act}"), &me);
            }
            _ => {
                desk.try_post(&format!("tickets/{}/heartbeat", ticket["id"].as_str().unwrap()), &json!({}));
            }
        }
    }
}

#[test]
fn a_storm_of_users_and_kills_leaves_nobody_in_two_matches_and_nothing_open() {
    let mut arena = Arena::start(TestDatabase::sqlite());
    put_queue(&arena, "storm", &json!({ "skip_window_ms": 0, "confirm_ms": 1_500 }));
    let desk = Desk::of(&arena);
    let ended = Arc::new(AtomicBool::new(false));
    let threads: Vec<_> = (0..THREADS)
        .map(|thread| {
            let (desk, ended) = (desk.clone(), ended.clone());
            std::thread::spawn(move || {
                let mut dice = Dice(thread as u64);
                let name = |n| format!("user-{thread}-{n}");
                let mut users: Vec<User> =
                    (0..USERS / THREADS).map(|n| User { name: name(n), ticket: None }).collect();
                while !ended.load(Ordering::Relaxed) {
                    users.iter_mut().for_each(|user| user.act(&desk, &mut dice));
                }
            })
        })
        .collect();
    let mut dice = Dice(7);
    let stood = || desk.all("matches").iter().filter(|of| of["state"] != "proposed").count();
    for _ in 0..KILLS {
        let before = stood();
        wait_until(PATIENCE, "people meet", || stood() > before + 5);
        std::thread::sleep(Duration::from_millis(dice.below(300)));
        arena.kill();
        arena.launch();
    }
    ended.store(true, Ordering::Relaxed);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    desk.check_sound();
    // Everybody goes home, and nothing is left.
    wait_until(PATIENCE, "everybody is free", || {
        let live =
            desk.all("tickets").into_iter().filter(|ticket| ticket["state"] != "over").collect::<Vec<_>>();
        for ticket in &live {
            arena.delete(&format!("/api/matchmaking/tickets/{}", ticket["id"].as_str().unwrap()));
        }
        live.is_empty()
    });
    desk.check_sound();
    assert!(desk.all("matches").iter().all(|of| of["state"] == "over"));
}
