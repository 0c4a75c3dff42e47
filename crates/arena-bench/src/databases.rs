//! Throw-away databases with the durability that a real one has.

use crate::floor::Floor;
use crate::machine::{family, process_cpu, written_bytes};
use anyhow::Context;
use arena_core::admission::AdmissionRules;
use arena_core::bot::Bot;
use arena_store::{BotFilter, PageRequest, Store, StoreOptions};
use arena_testing::{Durability, PostgresOptions, PostgresServer, TestDatabase};
use clap::ValueEnum;
use std::time::Duration;

/// Which databases to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DatabaseChoice {
    /// A SQLite file
    Sqlite,
    /// A PostgreSQL server of the benchmark's own, as durable as its defaults are
    Postgres,
    /// One after the other
    Both,
}

impl DatabaseChoice {
    /// Starts them.
    pub fn start(self) -> anyhow::Result<Vec<Database>> {
        let sqlite = matches!(self, DatabaseChoice::Sqlite | DatabaseChoice::Both);
        let postgres = matches!(self, DatabaseChoice::Postgres | DatabaseChoice::Both);
        let mut databases = Vec::new();
        if sqlite {
            databases.push(Database { server: None });
        }
        if postgres {
            let options = PostgresOptions { durability: Durability::Default, ..PostgresOptions::default() };
            let server = PostgresServer::start(options).context("start PostgreSQL")?;
            databases.push(Database { server: Some(server) });
        }
        Ok(databases)
    }
}

/// SQLite, or a PostgreSQL server. Its empty databases must be dropped before it.
#[derive(Debug)]
pub struct Database {
    server: Option<PostgresServer>,
}

impl Database {
    /// Its name in reports.
    pub fn name(&self) -> &'static str {
        if self.server.is_some() { "PostgreSQL" } else { "SQLite" }
    }

    /// Whether it is a process of its own.
    pub fn is_server(&self) -> bool {
        self.server.is_some()
    }

    /// A new empty database.
    pub fn create(&self) -> anyhow::Result<TestDatabase> {
        match &self.server {
            Some(server) => TestDatabase::on(server).context("create a database"),
            None => Ok(TestDatabase::sqlite()),
        }
    }

    /// Processor time that the server's processes have used that run now; none for SQLite, which is a part of ours.
    pub fn server_cpu(&self) -> anyhow::Result<Duration> {
        // One may end while it is looked at.
        Ok(self.server_pids()?.iter().flat_map(|pid| process_cpu(pid)).sum())
    }

    /// Bytes that this process and the server's have made the disk write.
    pub fn written_bytes(&self) -> anyhow::Result<u64> {
        Ok(written_bytes("self")?
            + self.server_pids()?.iter().flat_map(|pid| written_bytes(pid)).sum::<u64>())
    }

    fn server_pids(&self) -> anyhow::Result<Vec<String>> {
        let Some(server) = &self.server else { return Ok(Vec::new()) };
        let file = server.dir().join("data/postmaster.pid");
        let text = std::fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
        family(text.lines().next().unwrap_or_default())
    }

    /// The bare database, reached by as many connections as have callers, or by the one that SQLite writes through.
    pub async fn floor(&self, database: &TestDatabase, callers: usize) -> anyhow::Result<Floor> {
        match &self.server {
            Some(_) => Floor::postgres(database.url(), callers).await,
            None => Floor::sqlite(database.url(), callers).await,
        }
    }
}

/// Opens the store as the server does, under these rules.
pub async fn open(database: &TestDatabase, rules: AdmissionRules) -> anyhow::Result<Store> {
    let options = StoreOptions { rules, ..StoreOptions::new(database.url()) };
    Store::open(&options).await.context("open the store")
}

/// Every bot by name.
pub async fn every_bot(store: &Store) -> anyhow::Result<Vec<Bot>> {
    let mut bots = Vec::new();
    let mut page = PageRequest::first(PageRequest::MAX_LIMIT);
    loop {
        let found = store.bots(&BotFilter::default(), &page).await?;
        bots.extend(found.items);
        page.cursor = found.next_cursor;
        if page.cursor.is_none() {
            return Ok(bots);
        }
    }
}
