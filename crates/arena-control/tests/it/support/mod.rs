//! What the tests share: a database of each kind, a control plane over a host with faults, and what must hold once
//! everything has come to rest.

mod arena;
mod faulty;
mod settled;

pub(crate) use arena::{Arena, brisk};
pub(crate) use faulty::{Call, Fault, FaultyHost};

use arena_core::bot::Profile;
use arena_core::channel::{ChannelKind, ChannelName};
use arena_store::{Actor, NewBot, StoreOptions};
use arena_testing::TestDatabase;
use sqlx::{AnyConnection, Connection};
use std::time::{Duration, Instant};

/// Long enough for a busy machine; nothing waits that long when all is well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// An empty database.
pub(crate) struct Db(TestDatabase);

impl Db {
    pub(crate) fn new(database: TestDatabase) -> Db {
        Db(database)
    }

    pub(crate) fn options(&self) -> StoreOptions {
        StoreOptions { max_connections: 6, ..StoreOptions::new(self.0.url()) }
    }

    pub(crate) fn is_postgres(&self) -> bool {
        self.0.name().is_some()
    }

    /// A connection that knows nothing of our rules.
    pub(crate) async fn raw(&self) -> AnyConnection {
        sqlx::any::install_default_drivers();
        AnyConnection::connect(self.0.url()).await.unwrap()
    }

    /// Runs statements around our rules.
    pub(crate) async fn raw_sql(&self, sql: &str) {
        let mut raw = self.raw().await;
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(&mut raw).await.unwrap();
        raw.close().await.unwrap();
    }
}

/// Runs a check on a database that is gone afterwards.
pub(crate) fn run(database: TestDatabase, check: impl AsyncFnOnce(&Db)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(check(&Db(database)));
}

pub(crate) fn name(text: &str) -> ChannelName {
    text.parse().unwrap()
}

pub(crate) fn actor() -> Actor {
    Actor::parse("tester").unwrap()
}

/// A bot for main, or for the channel that is named.
pub(crate) fn bot(bot: &str, channel: Option<&str>) -> NewBot {
    let profile = Profile {
        name: bot.to_owned(),
        persona: "Counts cards.".to_owned(),
        traits: vec!["curious".to_owned()],
        home_zone: None,
        region: None,
        kind: ChannelKind::Main,
    };
    NewBot { profile, channel: channel.map(name) }
}

/// Waits until a condition holds.
pub(crate) async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition().await {
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} in vain until {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Numbers that look random and are the same at every run.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    /// A number below `sides`.
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}
