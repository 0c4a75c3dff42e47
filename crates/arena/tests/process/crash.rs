//! kill -9 at bad moments: nothing is lost and nothing is double.

use super::support::{Arena, post, roster};
use arena_testing::{Durability, PostgresOptions, PostgresServer, TestDatabase, wait_until};
use serde_json::json;
use std::time::Duration;

const BOTS: usize = 3_000;

fn killed_in_the_middle_of_an_import(database: TestDatabase) {
    let mut arena = Arena::start(database);
    let address = arena.address();
    let import = std::thread::spawn(move || post(&address, "/api/bots/import", &roster(BOTS)));
    wait_until(super::support::PATIENCE, "some bots are stored", || {
        arena.try_get("/api/bots?limit=1").is_some_and(|(_, page)| page["items"].get(0).is_some())
    });
    arena.kill();
    let answered = import.join().unwrap();

    arena.launch();
    let stored = arena.all("/api/bots").len();
    match answered {
        Some((200, _)) => assert_eq!(stored, BOTS, "an acknowledged import must be whole"),
        _ => assert!(stored > 0 && stored.is_multiple_of(500), "{stored} bots: a transaction was torn"),
    }
    let again = arena.post("/api/bots/import", &roster(BOTS));
    assert_eq!(again["created"].as_u64().unwrap() as usize, BOTS - stored);
    assert_eq!(again["existing"].as_u64().unwrap() as usize, stored);
    arena.check_whole(BOTS);
}

fn killed_in_the_middle_of_healing(database: TestDatabase) {
    const FEW: usize = 1_000;
    let mut arena = Arena::start(database);
    arena.post("/api/bots/import", &roster(FEW));
    arena.check_whole(FEW);
    for delay_ms in [0, 30, 120] {
        arena.post("/api/worlds/wipe", &json!({}));
        std::thread::sleep(Duration::from_millis(delay_ms));
        arena.kill();
        arena.launch();
        arena.check_whole(FEW);
    }
}

/// A server that keeps what it has confirmed.
pub fn durable_postgres() -> PostgresServer {
    PostgresServer::start(PostgresOptions { durability: Durability::Default, ..PostgresOptions::default() })
        .unwrap()
}

#[test]
fn a_kill_during_import_loses_nothing_and_doubles_nothing_on_sqlite() {
    killed_in_the_middle_of_an_import(TestDatabase::sqlite());
}

#[test]
fn a_kill_during_import_loses_nothing_and_doubles_nothing_on_postgres() {
    let server = durable_postgres();
    killed_in_the_middle_of_an_import(TestDatabase::on(&server).unwrap());
}

#[test]
fn a_kill_during_healing_loses_nothing_and_doubles_nothing_on_sqlite() {
    killed_in_the_middle_of_healing(TestDatabase::sqlite());
}

#[test]
fn a_kill_during_healing_loses_nothing_and_doubles_nothing_on_postgres() {
    let server = durable_postgres();
    killed_in_the_middle_of_healing(TestDatabase::on(&server).unwrap());
}

/// Seats outlive the process: what was promised is still reserved, and the counts are right whatever else was.
fn killed_while_players_join(database: TestDatabase) {
    const SEATS: u64 = 40;
    let mut arena = Arena::start(database);
    arena.post("/api/channels", &json!({"name": "club", "kind": "VIP", "max_bots": SEATS}));
    let address = arena.address();
    let joining: Vec<_> = (0..4)
        .map(|_| {
            let address = address.clone();
            std::thread::spawn(move || {
                let join = || post(&address, "/api/channels/club/join", &json!({}));
                let answers = std::iter::from_fn(|| Some(join()?.1)).take(20);
                answers.filter_map(|answer| answer["player"].as_str().map(str::to_owned)).collect::<Vec<_>>()
            })
        })
        .collect();
    wait_until(super::support::PATIENCE, "some seats are reserved", || {
        arena.try_get("/api/channels/club").is_some_and(|(_, channel)| channel["players"].as_u64() > Some(5))
    });
    arena.kill();
    let answered: Vec<String> = joining.into_iter().flat_map(|thread| thread.join().unwrap()).collect();

    arena.launch();
    let players = arena.all("/api/players");
    let channel = arena.get("/api/channels/club");
    assert_eq!(channel["players"].as_u64(), Some(players.len() as u64), "{channel}");
    assert!(players.len() as u64 <= SEATS);
    let kept = |id: &String| players.iter().any(|player| player["id"] == id.as_str());
    assert!(answered.iter().all(kept), "a seat that was promised is gone");
    for id in &answered {
        arena.delete(&format!("/api/players/{id}"));
    }
    let left = arena.get("/api/channels/club")["players"].as_u64();
    assert_eq!(left, Some((players.len() - answered.len()) as u64));
    arena.check_whole(0);
}

#[test]
fn a_kill_while_players_join_keeps_what_was_promised_on_sqlite() {
    killed_while_players_join(TestDatabase::sqlite());
}

#[test]
fn a_kill_while_players_join_keeps_what_was_promised_on_postgres() {
    let server = durable_postgres();
    killed_while_players_join(TestDatabase::on(&server).unwrap());
}
