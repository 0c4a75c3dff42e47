//! A database of each kind, a native host, and bodies to put into worlds.

use arena_bus::Bus;
use arena_core::channel::ChannelName;
use arena_core::{BotId, WorldId};
use arena_sim::{TownMap, WorldSettings};
use arena_store::{Store, StoreOptions};
use arena_testing::TestDatabase;
use arena_worlds::native::{NativeHost, NativeSettings};
use arena_worlds::{Body, BodyKind, CreateWorld, GuardedHost, Talk, WorldHost};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

/// Long enough for a busy machine; nothing waits that long when all is well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Runs a check on a database that is gone afterwards.
pub(crate) fn run(database: TestDatabase, check: impl AsyncFnOnce(Store)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let options = StoreOptions { max_connections: 4, ..StoreOptions::new(database.url()) };
        let store = Store::open(&options).await.unwrap();
        check(store.clone()).await;
        store.close().await;
    });
}

/// A host that publishes on this bus.
pub(crate) fn native_on(bus: &Bus, tick_ms: u32, mailbox: usize) -> NativeHost {
    native_saying(bus, tick_ms, mailbox, None)
}

/// A host that asks before anything is said.
pub(crate) fn native_saying(
    bus: &Bus,
    tick_ms: u32,
    mailbox: usize,
    talk: Option<Arc<dyn Talk>>,
) -> NativeHost {
    let world = WorldSettings { tick_ms, ..WorldSettings::default() };
    let settings = NativeSettings { map: TownMap::town(), world, mailbox, seed: 7, bus: bus.clone(), talk };
    NativeHost::new(settings).unwrap()
}

/// A host with ticks of this length and mailboxes of this size.
pub(crate) fn native_with(tick_ms: u32, mailbox: usize) -> NativeHost {
    native_on(&Bus::default(), tick_ms, mailbox)
}

pub(crate) fn native() -> NativeHost {
    native_with(20, 64)
}

pub(crate) fn guarded(host: &NativeHost) -> GuardedHost {
    GuardedHost::new(Arc::new(host.clone()), Duration::from_secs(10))
}

pub(crate) fn name(text: &str) -> ChannelName {
    text.parse().unwrap()
}

pub(crate) fn request(channel: &str, epoch: i64) -> CreateWorld {
    CreateWorld { channel: name(channel), epoch }
}

pub(crate) async fn create(host: &NativeHost, channel: &str, epoch: i64) -> WorldId {
    host.create(request(channel, epoch)).await.unwrap()
}

pub(crate) fn bot(n: u128) -> BotId {
    format!("{:032x}", n + 1).parse().unwrap()
}

pub(crate) fn body(n: u128, epoch: i64) -> Body {
    let traits = vec!["curious".to_owned()];
    Body {
        bot: bot(n),
        kind: BodyKind::Bot,
        epoch,
        name: format!("Bot {n}"),
        home_zone: None,
        traits,
        position: None,
    }
}

/// A player's body.
pub(crate) fn player(n: u128, epoch: i64) -> Body {
    Body { kind: BodyKind::Player, name: format!("Player {n}"), ..body(n, epoch) }
}

pub(crate) fn bodies(range: std::ops::Range<u128>, epoch: i64) -> Vec<Body> {
    range.map(|n| body(n, epoch)).collect()
}

/// Waits until a condition holds.
pub(crate) async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition().await {
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} in vain until {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Starts a future and leaves it where it first waits.
pub(crate) async fn begin<F: Future>(mut future: Pin<&mut F>) {
    poll_fn(|context| {
        assert!(future.as_mut().poll(context).is_pending(), "it ended at once");
        Poll::Ready(())
    })
    .await;
}
