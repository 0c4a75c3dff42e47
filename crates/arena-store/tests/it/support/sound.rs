use super::{Db, all_bots, all_players};
use arena_core::channel::ChannelName;
use arena_store::Store;
use std::collections::{BTreeMap, BTreeSet};

/// What must hold at every moment: counts equal the rows, no channel over its limit, every bot and player in a channel
/// that is there, one name one bot, one shard number one channel.
pub(crate) async fn assert_sound(store: &Store) {
    assert_eq!(store.miscounted_channels().await.unwrap(), Vec::<ChannelName>::new());
    let bots = all_bots(store).await;
    let names: BTreeSet<_> = bots.iter().map(|bot| &bot.profile.name).collect();
    assert_eq!(names.len(), bots.len());
    let mut held: BTreeMap<ChannelName, u32> = BTreeMap::new();
    for bot in &bots {
        bot.channel.iter().for_each(|channel| *held.entry(channel.clone()).or_default() += 1);
    }
    let mut seated: BTreeMap<ChannelName, u32> = BTreeMap::new();
    for player in all_players(store).await {
        *seated.entry(player.channel).or_default() += 1;
    }
    let mut shards = BTreeSet::new();
    for row in store.all_channels().await.unwrap() {
        let seats = row.channel.seats;
        let bots = held.remove(&seats.name).unwrap_or(0);
        assert_eq!(seats.bots, bots, "count of {}", seats.name);
        let players = seated.remove(&seats.name).unwrap_or(0);
        assert_eq!(seats.players, players, "players of {}", seats.name);
        assert!(bots + players <= seats.max_bots, "{} holds {bots} and {players}", seats.name);
        assert!(shards.insert((seats.group, seats.name.split().1)), "shard of {}", seats.name);
    }
    assert!(seated.is_empty(), "players in channels that are not there: {seated:?}");
    assert!(held.is_empty(), "bots in channels that are not there: {held:?}");
}

impl Db {
    /// The number that a query counts, read around the store.
    pub(crate) async fn count(&self, sql: &str) -> i64 {
        let pool = self.raw().await;
        let count = sqlx::query_scalar(sqlx::AssertSqlSafe(sql.to_owned())).fetch_one(&pool).await.unwrap();
        pool.close().await;
        count
    }
}
