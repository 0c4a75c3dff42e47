//! The throw-away servers, against the installed PostgreSQL and PgBouncer.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use arena_testing::{Durability, PgBouncer, PostgresOptions, PostgresServer, TestDatabase, psql, wait_until};

#[test]
fn two_databases_do_not_see_each_other() {
    let (one, two) = (TestDatabase::postgres(), TestDatabase::postgres());
    psql(one.url(), "CREATE TABLE bots (name text)").unwrap();
    psql(two.url(), "CREATE TABLE bots (name text)").unwrap();
    psql(one.url(), "INSERT INTO bots VALUES ('ada')").unwrap();
    assert_eq!(psql(one.url(), "SELECT count(*) FROM bots").unwrap(), "1");
    assert_eq!(psql(two.url(), "SELECT count(*) FROM bots").unwrap(), "0");
}

#[test]
fn a_dropped_database_is_gone_from_its_server() {
    let keeper = TestDatabase::postgres();
    let dropped = TestDatabase::postgres();
    let query = format!("SELECT count(*) FROM pg_database WHERE datname = '{}'", dropped.name().unwrap());
    assert_eq!(psql(keeper.url(), &query).unwrap(), "1");
    drop(dropped);
    assert_eq!(psql(keeper.url(), &query).unwrap(), "0");
}

#[test]
fn a_sqlite_database_lives_in_a_directory_of_its_own() {
    let (one, two) = (TestDatabase::sqlite(), TestDatabase::sqlite());
    assert_ne!(one.url(), two.url());
    let file = Path::new(one.url().strip_prefix("sqlite:").unwrap()).to_owned();
    std::fs::write(&file, "").unwrap();
    drop(one);
    assert!(!file.parent().unwrap().exists());
}

#[test]
fn a_stopped_server_refuses_and_comes_back_with_its_data() {
    let mut server = PostgresServer::start(PostgresOptions::default()).unwrap();
    let database = TestDatabase::on(&server).unwrap();
    psql(database.url(), "CREATE TABLE bots (name text); INSERT INTO bots VALUES ('ada')").unwrap();

    server.stop();
    assert!(!server.is_running());
    assert!(psql(database.url(), "SELECT 1").is_err());

    server.resume().unwrap();
    assert_eq!(psql(database.url(), "SELECT name FROM bots").unwrap(), "ada");
    server.restart().unwrap();
    assert_eq!(psql(database.url(), "SELECT name FROM bots").unwrap(), "ada");
}

#[test]
fn a_durable_server_keeps_what_was_committed_before_it_was_killed() {
    let options = PostgresOptions { durability: Durability::Default, ..PostgresOptions::default() };
    let mut server = PostgresServer::start(options).unwrap();
    assert_eq!(psql(&server.url(), "SHOW fsync").unwrap(), "on");
    psql(&server.url(), "CREATE TABLE bots (name text); INSERT INTO bots VALUES ('ada')").unwrap();
    server.kill();
    server.resume().unwrap();
    assert_eq!(psql(&server.url(), "SELECT name FROM bots").unwrap(), "ada");
}

#[test]
fn a_dropped_server_leaves_neither_files_nor_a_listener() {
    let server = PostgresServer::start(PostgresOptions::default()).unwrap();
    let (url, dir) = (server.url(), server.dir().to_owned());
    drop(server);
    assert!(!dir.exists());
    assert!(psql(&url, "SELECT 1").is_err());
}

#[test]
fn a_server_outlives_the_thread_that_started_it() {
    let start = || PostgresServer::start(PostgresOptions::default()).unwrap();
    let server = std::thread::spawn(start).join().unwrap();
    for _ in 0..5 {
        assert_eq!(psql(&server.url(), "SELECT 1").unwrap(), "1");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Set for the process that `a_killed_process_takes_its_server_and_files_along` starts and kills.
const ENV_VICTIM: &str = "ARENA_TESTING_VICTIM";

#[test]
fn a_killed_process_takes_its_server_and_files_along() {
    if std::env::var_os(ENV_VICTIM).is_some() {
        let server = PostgresServer::start(PostgresOptions::default()).unwrap();
        println!("victim {} {}", server.url(), server.dir().display());
        std::thread::sleep(Duration::from_secs(600));
        return;
    }
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_killed_process_takes_its_server_and_files_along", "--nocapture"])
        .env(ENV_VICTIM, "yes")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(victim.stdout.take().unwrap()).lines().map(Result::unwrap);
    let line = lines.into_iter().find(|line| line.contains("victim ")).unwrap();
    let words: Vec<&str> = line.split_whitespace().rev().collect();
    let (dir, url) = (Path::new(words[0]), words[1]);
    assert_eq!(psql(url, "SELECT 1").unwrap(), "1");

    victim.kill().unwrap();
    victim.wait().unwrap();
    wait_until(Duration::from_secs(10), "the end of the server", || psql(url, "SELECT 1").is_err());
    wait_until(Duration::from_secs(10), "the end of its files", || !dir.exists());
}

#[test]
fn pgbouncer_shares_server_connections_between_transactions() {
    let database = TestDatabase::postgres();
    let pool = PgBouncer::in_front_of(database.url()).unwrap();
    let url = pool.url(database.name().unwrap());
    assert_eq!(psql(&url, "SELECT current_database()").unwrap(), database.name().unwrap());

    // A transaction that stays open on one client's connection pushes the next client to another one.
    psql(&url, "CREATE TABLE backends (pid int)").unwrap();
    std::thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| {
                psql(&url, "INSERT INTO backends SELECT pg_backend_pid() FROM pg_sleep(0.2)").unwrap();
            });
        }
    });
    let backends: u32 = psql(&url, "SELECT count(DISTINCT pid) FROM backends").unwrap().parse().unwrap();
    assert_eq!(psql(&url, "SELECT count(*) FROM backends").unwrap(), "12");
    assert!((2..=4).contains(&backends), "{backends} server connections for 12 clients");
}

#[test]
fn pgbouncer_in_front_of_a_server_of_its_own_answers() {
    let server = PostgresServer::start(PostgresOptions::default()).unwrap();
    let pool = PgBouncer::start(&server).unwrap();
    assert_eq!(psql(&pool.url("postgres"), "SELECT 1 + 1").unwrap(), "2");
}

#[test]
#[should_panic(expected = "in vain for: the end of time")]
fn waiting_in_vain_names_what_was_waited_for() {
    wait_until(Duration::from_millis(10), "the end of time", || false);
}

#[test]
fn waiting_ends_as_soon_as_the_condition_holds() {
    let mut asked = 0;
    wait_until(Duration::from_secs(60), "the third question", || {
        asked += 1;
        asked == 3
    });
    assert_eq!(asked, 3);
}
