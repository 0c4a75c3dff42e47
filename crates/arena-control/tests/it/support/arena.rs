//! A control plane over a database and a host with faults.

use super::{Db, FaultyHost, actor, bot, name, until};
use arena_bus::Bus;
use arena_control::{ChannelPatch, Control, ControlSettings, NewChannel, PageRequest, Services};
use arena_core::bot::{Bot, BotState};
use arena_core::channel::{ChannelKind, Mode};
use arena_core::player::Player;
use arena_core::{BotId, Metadata, RetryPolicy};
use arena_store::{BotFilter, NewBot, PlayerFilter, Store};
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

/// Retries within the patience of a test, and no sweep after the first: what comes to pass does so by nudges.
pub(crate) fn brisk() -> ControlSettings {
    ControlSettings {
        sync_every: Duration::from_secs(3_600),
        retry: RetryPolicy {
            base: Duration::from_millis(40),
            factor: 2,
            cap: Duration::from_millis(160),
            max_attempts: 4,
            jitter: 0.3,
        },
        host_timeout: Duration::from_secs(2),
        snapshot_every: Duration::from_millis(50),
        ..ControlSettings::default()
    }
}

/// Everything that runs for one test. Its services are its own.
pub(crate) struct Arena {
    pub(crate) store: Store,
    pub(crate) host: FaultyHost,
    control: Option<Control>,
    services: Services,
}

impl Deref for Arena {
    type Target = Services;

    fn deref(&self) -> &Services {
        &self.services
    }
}

impl Arena {
    pub(crate) async fn start(db: &Db) -> Arena {
        Arena::start_with(db, FaultyHost::new(), brisk()).await
    }

    pub(crate) async fn start_with(db: &Db, host: FaultyHost, settings: ControlSettings) -> Arena {
        let store = Store::open(&db.options()).await.unwrap();
        let control = Control::start(store.clone(), Arc::new(host.clone()), Bus::default(), settings);
        let services = control.services();
        Arena { store, host, control: Some(control), services }
    }

    /// Channels with one bot each per name given, settled.
    pub(crate) async fn settled_with(db: &Db, channels: &[(&str, usize)]) -> Arena {
        let arena = Arena::start(db).await;
        for (channel, bots) in channels {
            arena.open(channel, 30).await;
            arena.fill(channel, *bots).await;
        }
        arena.until_settled().await;
        arena
    }

    pub(crate) async fn open(&self, channel: &str, max_bots: u32) {
        let new = NewChannel {
            name: Some(name(channel)),
            kind: ChannelKind::Main,
            region: None,
            max_bots: Some(max_bots),
            metadata: Metadata::default(),
        };
        self.channels.open(&actor(), new).await.unwrap();
    }

    /// Imports so many bots named `<channel>-000` and on into a channel.
    pub(crate) async fn fill(&self, channel: &str, bots: usize) -> Vec<BotId> {
        let roster = (0..bots).map(|n| bot(&format!("{channel}-{n:03}"), Some(channel)));
        self.enroll(roster.collect()).await
    }

    pub(crate) async fn enroll(&self, roster: Vec<NewBot>) -> Vec<BotId> {
        let names: Vec<String> = roster.iter().map(|bot| bot.profile.name.clone()).collect();
        self.bots.import(&actor(), roster).await.unwrap();
        let mut ids = Vec::new();
        for name in names {
            ids.push(self.store.bot_named(&name).await.unwrap().unwrap().id);
        }
        ids
    }

    pub(crate) async fn move_to(&self, bot: BotId, channel: &str) {
        self.bots.move_to(&actor(), bot, name(channel)).await.unwrap();
    }

    pub(crate) async fn set_mode(&self, channel: &str, mode: Mode) {
        let patch = ChannelPatch { mode: Some(mode), ..ChannelPatch::default() };
        self.channels.configure(&actor(), &name(channel), patch).await.unwrap();
    }

    pub(crate) async fn wipe(&self) -> u32 {
        self.worlds.wipe(&actor(), None).await.unwrap()
    }

    pub(crate) async fn bot(&self, id: BotId) -> Bot {
        self.store.bot(id).await.unwrap().unwrap()
    }

    pub(crate) async fn state(&self, id: BotId) -> BotState {
        self.bot(id).await.state
    }

    pub(crate) async fn why(&self, id: BotId) -> String {
        self.bots.get(&arena_control::BotRef::Id(id)).await.unwrap().1.unwrap_or_default()
    }

    /// Every bot, by name.
    pub(crate) async fn all_bots(&self) -> Vec<Bot> {
        let mut bots = Vec::new();
        let mut page = PageRequest::first(PageRequest::MAX_LIMIT);
        loop {
            let got = self.store.bots(&BotFilter::default(), &page).await.unwrap();
            bots.extend(got.items);
            match got.next_cursor {
                Some(cursor) => page.cursor = Some(cursor),
                None => return bots,
            }
        }
    }

    /// Every player, by id.
    pub(crate) async fn all_players(&self) -> Vec<Player> {
        let page = PageRequest::first(PageRequest::MAX_LIMIT);
        self.store.players(&PlayerFilter::default(), &page).await.unwrap().items
    }

    /// The trouble of a channel's last sync.
    pub(crate) async fn trouble(&self, channel: &str) -> Option<String> {
        self.channels.stats(&name(channel)).await.unwrap().last_sync.and_then(|sync| sync.trouble)
    }

    /// Nudges a channel and waits for a sync of it that began afterwards and ended well.
    pub(crate) async fn sync(&self, channel: &str) {
        self.sync_with(channel, true).await;
    }

    /// The same for one that failed.
    pub(crate) async fn sync_in_vain(&self, channel: &str) {
        self.sync_with(channel, false).await;
    }

    async fn sync_with(&self, channel: &str, ok: bool) {
        let last = async || self.channels.stats(&name(channel)).await.unwrap().last_sync;
        let before = last().await;
        self.channels.sync(&name(channel)).await.unwrap();
        until(&format!("{channel} is synced (ok: {ok})"), async || {
            let now = last().await;
            now != before && now.is_some_and(|sync| sync.ok == ok)
        })
        .await;
    }

    /// Ends everything in good order, the host too.
    pub(crate) async fn stop(mut self) {
        assert!(self.stop_control().await, "not in time");
        self.host.native.shutdown().await;
        self.store.close().await;
    }

    /// Ends the loops only.
    pub(crate) async fn stop_control(&mut self) -> bool {
        self.control.take().unwrap().shutdown(Duration::from_secs(20)).await
    }

    pub(crate) fn control(&mut self) -> Control {
        self.control.take().unwrap()
    }
}
