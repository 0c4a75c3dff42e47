//! What the tests share: a database of each kind, a roster, and what must hold whatever happened.

mod matching;
mod random_op;
mod sound;

pub(crate) use matching::*;
pub(crate) use random_op::any_op;
pub(crate) use sound::assert_sound;

use arena_core::admission::{AdmissionRules, AdmitError, Applied, Op};
use arena_core::bot::{Bot, Profile};
use arena_core::channel::{ChannelKind, ChannelName, Mode, Region};
use arena_core::player::{NewPlayer, Player};
use arena_core::{BotId, PlayerId, Timestamp};
use arena_store::{Actor, BotFilter, NewBot, OpError, PageRequest, PlayerFilter, Store, StoreOptions};
use arena_testing::TestDatabase;
use sqlx::AnyPool;
use std::sync::Arc;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

/// An empty database.
pub(crate) struct Db(TestDatabase);

impl Db {
    pub(crate) fn url(&self) -> &str {
        self.0.url()
    }

    pub(crate) fn options(&self) -> StoreOptions {
        StoreOptions::new(self.url())
    }

    /// A store of its own on this database, with the schema.
    pub(crate) async fn open(&self) -> Store {
        Store::open(&self.options()).await.unwrap()
    }

    pub(crate) async fn open_with(&self, rules: AdmissionRules) -> Store {
        Store::open(&StoreOptions { rules, ..self.options() }).await.unwrap()
    }

    /// Connections that know nothing of our rules.
    pub(crate) async fn raw(&self) -> AnyPool {
        sqlx::any::install_default_drivers();
        let url = if self.is_postgres() { self.url().to_owned() } else { format!("{}?mode=rwc", self.url()) };
        sqlx::any::AnyPoolOptions::new().max_connections(20).connect(&url).await.unwrap()
    }

    pub(crate) fn is_postgres(&self) -> bool {
        self.0.name().is_some()
    }
}

/// Runs a check on a database that is gone afterwards.
pub(crate) fn run(database: TestDatabase, check: impl AsyncFnOnce(&Db)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(check(&Db(database)));
}

/// Starts `count` tasks at the same moment and gives back what they returned.
pub(crate) async fn at_once<T, F>(count: usize, task: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let gate = Arc::new(Barrier::new(count));
    let mut tasks = JoinSet::new();
    for n in 0..count {
        let (gate, task) = (gate.clone(), task(n));
        tasks.spawn(async move {
            gate.wait().await;
            task.await
        });
    }
    tasks.join_all().await
}

pub(crate) fn name(text: &str) -> ChannelName {
    text.parse().unwrap()
}

pub(crate) fn region(text: &str) -> Region {
    text.parse().unwrap()
}

pub(crate) fn actor() -> Actor {
    Actor::parse("tester").unwrap()
}

/// A bot for main.
pub(crate) fn bot(name: &str) -> NewBot {
    let profile = Profile {
        name: name.to_owned(),
        persona: "Counts cards.".to_owned(),
        traits: vec!["curious".to_owned()],
        home_zone: None,
        region: None,
        kind: ChannelKind::Main,
    };
    NewBot { profile, channel: None }
}

pub(crate) fn bot_of(name: &str, kind: ChannelKind, region: Option<&str>) -> NewBot {
    let mut new = bot(name);
    new.profile.kind = kind;
    new.profile.region = region.map(|region| region.parse().unwrap());
    new
}

/// Bots for main named `bot-000` and on.
pub(crate) fn roster(bots: usize) -> Vec<NewBot> {
    (0..bots).map(|n| bot(&format!("bot-{n:03}"))).collect()
}

/// Enrolls such a roster; the bots' ids by name.
pub(crate) async fn enroll(store: &Store, bots: usize) -> Vec<BotId> {
    store.enroll(&actor(), &roster(bots)).await.unwrap();
    all_bots(store).await.into_iter().map(|bot| bot.id).collect()
}

/// Every bot, by name.
pub(crate) async fn all_bots(store: &Store) -> Vec<Bot> {
    let mut bots = Vec::new();
    let mut page = PageRequest::first(PageRequest::MAX_LIMIT);
    loop {
        let got = store.bots(&BotFilter::default(), &page).await.unwrap();
        bots.extend(got.items);
        match got.next_cursor {
            Some(cursor) => page.cursor = Some(cursor),
            None => return bots,
        }
    }
}

pub(crate) fn player_id(n: usize) -> PlayerId {
    PlayerId(uuid::Uuid::from_u128(n as u128))
}

/// A player whose reservation lapses then.
pub(crate) fn new_player(id: PlayerId, expires_at: Timestamp) -> NewPlayer {
    NewPlayer { id, user: "anon-1".to_owned(), name: "Ada".to_owned(), expires_at }
}

/// Every player, by id.
pub(crate) async fn all_players(store: &Store) -> Vec<Player> {
    let page = PageRequest::first(PageRequest::MAX_LIMIT);
    store.players(&PlayerFilter::default(), &page).await.unwrap().items
}

pub(crate) async fn act(store: &Store, op: Op) -> Applied {
    store.carry_out(&actor(), op).await.unwrap()
}

/// Carries out what the rules must refuse.
pub(crate) async fn refusal(store: &Store, op: Op) -> AdmitError {
    match store.carry_out(&actor(), op).await {
        Err(OpError::Refused(refused)) => refused,
        other => panic!("not refused by the rules: {other:?}"),
    }
}

pub(crate) async fn open(store: &Store, channel: &str, max_bots: u32) {
    let op = Op::Open {
        name: Some(name(channel)),
        kind: ChannelKind::Main,
        region: None,
        max_bots: Some(max_bots),
    };
    act(store, op).await;
}

pub(crate) fn assign(bot: BotId, channel: &str) -> Op {
    Op::Assign { bot, channel: name(channel) }
}

pub(crate) fn set_mode(channel: &str, mode: Mode) -> Op {
    Op::Configure { channel: name(channel), max_bots: None, mode: Some(mode) }
}

pub(crate) fn set_limit(channel: &str, max_bots: u32) -> Op {
    Op::Configure { channel: name(channel), max_bots: Some(max_bots), mode: None }
}

pub(crate) fn close(channel: &str) -> Op {
    Op::Close { channel: name(channel) }
}

/// Channels and how many bots each counts.
pub(crate) async fn loads(store: &Store) -> Vec<(String, u32)> {
    let channels = store.all_channels().await.unwrap();
    channels.into_iter().map(|row| (row.channel.seats.name.to_string(), row.channel.seats.bots)).collect()
}

/// The same for comparing.
pub(crate) fn expected(loads: &[(&str, u32)]) -> Vec<(String, u32)> {
    loads.iter().map(|(name, bots)| ((*name).to_owned(), *bots)).collect()
}

pub(crate) async fn get(store: &Store, id: BotId) -> Bot {
    store.bot(id).await.unwrap().unwrap()
}

/// Runs one statement around our rules.
pub(crate) async fn raw_sql(db: &Db, sql: &str) -> Result<u64, sqlx::Error> {
    let pool = db.raw().await;
    let outcome = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(&pool).await;
    pool.close().await;
    outcome.map(|done| done.rows_affected())
}
