use crate::support::*;
use arena_store::{Store, StoreError, StoreOptions};
use arena_testing::{PostgresOptions, PostgresServer, TempDir, free_port, psql};

fn check(url: &str) -> StoreError {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(Store::open(&StoreOptions::new(url))).unwrap_err()
}

#[track_caller]
fn assert_unusable(url: &str, text: &str) {
    let error = check(url);
    assert!(matches!(&error, StoreError::Unusable(got) if got.contains(text)), "{url}: {error:?}");
}

#[test]
fn a_url_that_makes_no_sense_says_what_would() {
    for url in ["", "mysql://host/db", "arena.db", "/var/lib/arena.db", "http://x"] {
        assert_unusable(url, "must start with sqlite:, postgres:// or postgresql://");
    }
    assert_unusable("postgres://host:port/db", "URL is wrong");
    assert_unusable("postgres://h/db?sslmode=perhaps", "URL is wrong");
}

#[test]
fn a_database_in_memory_is_refused() {
    for url in ["sqlite::memory:", "sqlite://:memory:", "sqlite:", "sqlite://"] {
        assert_unusable(url, "needs a file");
    }
}

#[test]
fn a_file_that_cannot_be_opened_is_named() {
    let dir = TempDir::new("unopenable").unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "not a database, but long enough to be taken for one: ".repeat(40)).unwrap();
    assert_unusable(&format!("sqlite:{}", dir.path().display()), "unable to open database file");
    assert_unusable(&format!("sqlite:{}/below/arena.db", file.display()), "cannot create the directory");
    assert_unusable(&format!("sqlite:{}", file.display()), "file is not a database");
}

#[test]
fn a_file_of_any_name_is_opened_under_that_name() {
    let dir = TempDir::new("names").unwrap();
    for file in ["plain.db", "Sub Dir/a b.db", "50%.db", "a%20b.db", "x#y.db", "ü/ö.db", "&=+.db", "../up.db"]
    {
        let path = dir.path().join("in").join(file);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let store = Store::open(&StoreOptions::new(format!("sqlite:{}", path.display()))).await.unwrap();
            store.ping().await.unwrap();
            store.close().await;
        });
        assert!(path.is_file(), "{file}");
    }
}

#[test]
fn a_server_that_is_not_there_is_an_outage() {
    let error = check(&format!("postgres://nobody@127.0.0.1:{}/arena", free_port()));
    assert!(matches!(&error, StoreError::Unavailable(why) if why.contains("refused")), "{error:?}");
}

#[test]
fn a_database_that_is_not_there_says_so() {
    let server = PostgresServer::start(PostgresOptions::default()).unwrap();
    assert_unusable(&server.database_url("atlantis"), "atlantis");
    psql(&server.url(), "CREATE ROLE shut NOLOGIN").unwrap();
    assert_unusable(&server.url().replace("postgres@", "shut@"), "shut");
}

on_both!(violations_are_told_apart, async |db| {
    let store = db.open().await;
    enroll(&store, 2).await;
    let error = async |sql: &str| StoreError::from(raw_sql(db, sql).await.unwrap_err());
    let taken = error("UPDATE bots SET name = 'bot-000'").await;
    assert!(matches!(&taken, StoreError::Taken(what) if what == "name"), "{taken:?}");
    let overfull = error("UPDATE channels SET max_bots = 1").await;
    assert!(matches!(overfull, StoreError::Overfull), "{overfull:?}");
    let other = error("UPDATE bots SET state = 'asleep'").await;
    assert!(matches!(&other, StoreError::Database(text) if text.contains("bots_state")), "{other:?}");
    let foreign = error("UPDATE bots SET channel = 'nowhere'").await;
    assert!(matches!(foreign, StoreError::Database(_)), "{foreign:?}");
});

on_both!(a_value_that_this_version_cannot_read_is_said_to_be_corrupt, async |db| {
    let store = db.open().await;
    let bots = enroll(&store, 1).await;
    raw_sql(db, "UPDATE bots SET traits = 'none'").await.unwrap();
    let error = store.bot(bots[0]).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt(_)), "{error:?}");
});

on_both!(a_closed_store_is_an_outage, async |db| {
    let store = db.open().await;
    store.ping().await.unwrap();
    store.close().await;
    let error = store.ping().await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
});
