//! `arena serve`, `arena migrate` and the commands against a real server.

use super::support::{Arena, arena, roster};
use arena_testing::TestDatabase;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::process::Output;

fn run(arena_process: &Arena, args: &[&str]) -> Output {
    arena().args(["--server", &format!("http://{}", arena_process.address())]).args(args).output().unwrap()
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_server_keeps_what_it_had_and_ends_cleanly() {
    let mut arena = Arena::start(TestDatabase::sqlite());
    arena.post("/api/bots/import", &roster(40));
    arena.check_whole(40);
    assert_eq!(arena.interrupt().code(), Some(0));
    arena.launch();
    arena.check_whole(40);
}

#[test]
fn a_second_server_on_the_same_database_is_refused_and_harms_nothing() {
    for database in [TestDatabase::sqlite(), TestDatabase::postgres()] {
        let arena = Arena::start(database);
        arena.post("/api/bots/import", &roster(10));
        let second = arena.command_at("127.0.0.1:0").output().unwrap();
        assert_eq!(second.status.code(), Some(1));
        let said = String::from_utf8_lossy(&second.stderr);
        assert!(said.contains("another server uses this database"), "{said}");
        arena.check_whole(10);
    }
}

#[test]
fn an_address_in_use_is_refused_with_what_to_do() {
    let arena_process = Arena::start(TestDatabase::sqlite());
    let elsewhere = arena_testing::TempDir::new("elsewhere").unwrap();
    let args = ["serve", "--listen", &arena_process.address(), "--data-dir"];
    let second = arena().args(args).arg(elsewhere.path()).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(said.contains("--listen"), "{said}");
}

#[test]
fn migrate_brings_a_database_up_to_date_apart_from_a_start() {
    for database in [TestDatabase::sqlite(), TestDatabase::postgres()] {
        let migrate = || arena().args(["migrate", "--database-url", database.url()]).output().unwrap();
        let first = String::from_utf8_lossy(&migrate().stderr).into_owned();
        assert!(first.contains("applied 0001_channels"), "{first}");
        let second = String::from_utf8_lossy(&migrate().stderr).into_owned();
        assert!(second.contains("up to date"), "{second}");
    }
}

#[test]
fn an_operator_gets_by_with_the_command_line_alone() {
    let arena_process = Arena::start(TestDatabase::sqlite());
    let roster = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/rosters/night-shift-40.json");
    stdout(&run(&arena_process, &["channels", "init"]));
    stdout(&run(&arena_process, &["bots", "import", roster]));
    arena_process.check_whole(40);
    let discovered = stdout(&run(&arena_process, &["worlds", "discover", "main"]));
    assert!(discovered.contains("cache") && discovered.contains("known"), "{discovered}");
    let health: Value =
        serde_json::from_str(&stdout(&run(&arena_process, &["--output", "json", "bots", "list"]))).unwrap();
    let bots = health["items"].as_array().or(health.as_array()).unwrap();
    assert!(!bots.is_empty());
    stdout(&run(&arena_process, &["channels", "drain", "main", "--yes"]));
    let main = arena_process.get("/api/channels/main");
    assert_eq!((main["status"].as_str(), main["bots"].as_u64()), (Some("DRAINING"), Some(0)));
    arena_process.check_whole(40);
    stdout(&run(&arena_process, &["worlds", "wipe", "--all", "--yes"]));
    arena_process.check_whole(40);
    stdout(&run(&arena_process, &["channels", "reset", "--yes"]));
    arena_process.check_whole(40);
    let report = run(&arena_process, &["channels", "health"]);
    assert_eq!(report.status.code(), Some(1), "a draining channel is a warning");
    let deleted = run(&arena_process, &["channels", "delete", "main", "--yes"]);
    assert!(deleted.status.success());
    arena_process.check_whole(40);
}

#[test]
fn two_hundred_clients_race_for_one_seat_and_one_gets_it() {
    let arena = Arena::start(TestDatabase::postgres());
    arena.post("/api/channels", &json!({ "name": "tiny", "kind": "TEST", "max_bots": 1 }));
    arena.post("/api/bots/import", &roster(200));
    let bots = arena.all("/api/bots");
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let race = |bot: &Value| {
            let (address, id) = (arena.address(), bot["id"].clone());
            scope.spawn(move || {
                super::support::post(&address, "/api/channels/tiny/assign-bot", &json!({ "bot_id": id }))
                    .unwrap()
                    .0
            })
        };
        let racers: Vec<_> = bots.iter().map(race).collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1);
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 199);
    arena.check_whole(200);
}

#[test]
fn a_server_on_loopback_answers_to_no_name_that_somebody_else_gave_it() {
    let arena_process = Arena::start(TestDatabase::sqlite());
    let status = |request: &str, host: &str| {
        let mut stream = std::net::TcpStream::connect(arena_process.address()).unwrap();
        let head =
            format!("{request} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().parse::<u16>().unwrap()
    };
    for request in [
        "GET /api/channels",
        "POST /api/channels/init",
        "GET /healthz",
        "GET /socket/websocket",
        "POST /api/fleet/drain",
    ] {
        assert_eq!(status(request, "evil.example:7700"), 403, "{request}");
    }
    assert_eq!(status("GET /api/channels", "localhost:7700"), 200);
}
