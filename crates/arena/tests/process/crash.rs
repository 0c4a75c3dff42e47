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

fn durable_postgres() -> PostgresServer {
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
