//! What has to be done from time to time: orphans, positions, players' seats, partitions, expiry.

use crate::error::ServiceError;
use crate::runtime::Shared;
use arena_core::Timestamp;
use arena_core::admission::{AdmitError, Op};
use arena_store::{Actor, StoreError, now};
use arena_worlds::{PositionKeeper, WorldEvent};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// Orphans returned in one round.
const ORPHANS: u32 = 500;
/// Conversations, and lines of deleted ones, dropped in one transaction.
const TRIMMED: u32 = 500;
/// How often old entries are dropped and new partitions made.
const EXPIRY_EVERY: Duration = Duration::from_secs(3_600);
/// How often what was written is moved into SQLite's file. Seldom enough that pages which are written again and again are
/// moved once.
const MOVE_WAL_EVERY: Duration = Duration::from_millis(250);

/// Wakes the sync of a channel at once when its world ends.
pub(crate) async fn watch_worlds(
    shared: Arc<Shared>,
    mut events: broadcast::Receiver<WorldEvent>,
    stop: CancellationToken,
) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            event = events.recv() => match event {
                Ok(WorldEvent::Gone(hosted)) => {
                    shared.discovery.invalidate(&hosted.channel, &hosted.world);
                    shared.nudges.nudge([&hosted.channel]);
                }
                // Too many worlds ended at once to be told of each: every channel is looked at instead.
                Err(broadcast::error::RecvError::Lagged(_)) => {
                    shared.discovery.clear(None);
                    shared.nudges.nudge_all();
                }
                Err(broadcast::error::RecvError::Closed) => return,
            },
        }
    }
}

/// Saves positions every few seconds, and once more at the end.
pub(crate) async fn keep_positions(shared: Arc<Shared>, stop: CancellationToken) {
    let mut keeper = PositionKeeper::new(shared.store.clone(), shared.host.clone());
    let mut every = interval(shared.settings.snapshot_every);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let last = tokio::select! {
            () = stop.cancelled() => true,
            _ = every.tick() => false,
        };
        if let Err(error) = keeper.save().await {
            tracing::warn!(%error, "positions could not be saved; the next snapshot will be");
        }
        if last {
            return;
        }
    }
}

/// Returns orphaned bots to main, and ends worlds of channels that no longer exist.
pub(crate) async fn sweep(shared: Arc<Shared>, stop: CancellationToken) {
    let mut every = interval(shared.settings.sync_every);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = every.tick() => {}
        }
        if let Err(error) = adopt_orphans(&shared).await {
            tracing::warn!(%error, "orphaned bots could not be returned to main; the next sweep will try again");
        }
        if let Err(error) = end_strays(&shared).await {
            tracing::warn!(%error, "the worlds could not be compared with the channels");
        }
    }
}

/// Round after round, until all are home or one finds no home.
async fn adopt_orphans(shared: &Shared) -> Result<(), ServiceError> {
    loop {
        let orphans = shared.store.orphans(ORPHANS).await?;
        let more = orphans.len() == ORPHANS as usize;
        for bot in orphans {
            match shared.carry_out(&Actor::system(), Op::Adopt { bot }).await {
                Ok(_) | Err(ServiceError::Refused(AdmitError::BotNotFound(_))) => {}
                Err(error) => return Err(error),
            }
        }
        if !more {
            return Ok(());
        }
    }
}

async fn end_strays(shared: &Shared) -> Result<(), StoreError> {
    // Worlds first: one that is created after this cannot look like a stray.
    let Ok(worlds) = shared.host.list().await else { return Ok(()) };
    let rows = shared.store.all_channels().await?;
    let known: HashSet<_> = rows.into_iter().map(|row| row.channel.seats.name).collect();
    let strays =
        worlds.into_iter().map(|world| world.hosted.channel).filter(|channel| !known.contains(channel));
    shared.nudges.nudge(&strays.collect::<Vec<_>>());
    Ok(())
}

/// Moves what was written into SQLite's file, so that no commit has to.
pub(crate) async fn move_wal(shared: Arc<Shared>, stop: CancellationToken) {
    let mut every = interval(MOVE_WAL_EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = every.tick() => {}
        }
        if let Err(error) = shared.store.move_wal().await {
            tracing::warn!(%error, "what was written stays in the write-ahead log; commits will move it");
        }
    }
}

/// Frees players' seats that have expired, and wakes the syncs that take the bodies out.
pub(crate) async fn free_seats(shared: Arc<Shared>, stop: CancellationToken) {
    let mut every = interval(shared.settings.players.free_every);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = every.tick() => {}
        }
        if let Err(error) = free_expired(&shared).await {
            tracing::warn!(%error, "expired seats could not be freed; the next round will try again");
        }
    }
}

async fn free_expired(shared: &Shared) -> Result<(), ServiceError> {
    shared.leave_lost_seats().await?;
    let freed = shared.store.free_expired_seats(now()).await?;
    shared.nudges.nudge(freed.iter().map(|(_, channel)| channel));
    Ok(())
}

/// Drops conversations that ended long ago, and the logs of those that were deleted, a few at a time.
async fn trim_conversations(shared: &Shared, stop: &CancellationToken) -> Result<(), StoreError> {
    let (store, settings) = (&shared.store, &shared.settings.conversations);
    if let Some(retention) = settings.retention {
        let before =
            Timestamp(now().0.saturating_sub(i64::try_from(retention.as_millis()).unwrap_or(i64::MAX)));
        while !stop.is_cancelled() && store.prune_conversations(before, TRIMMED).await? > 0 {}
    }
    while !stop.is_cancelled() && store.clear_deleted(TRIMMED).await? > 0 {}
    Ok(())
}

/// Makes partitions, drops old activity and old outcomes.
pub(crate) async fn expire(shared: Arc<Shared>, stop: CancellationToken) {
    let mut every = interval(EXPIRY_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = every.tick() => {}
        }
        let (store, settings) = (&shared.store, &shared.settings);
        if let Err(error) = store.keep_activity(now(), settings.activity_retention).await {
            tracing::warn!(%error, "the activity log could not be trimmed");
        }
        if let Err(error) = store.expire_replies(now(), settings.idempotency_ttl).await {
            tracing::warn!(%error, "old idempotency keys could not be dropped");
        }
        if let Err(error) = trim_conversations(&shared, &stop).await {
            tracing::warn!(%error, "old conversations could not be dropped; the next round will try again");
        }
    }
}
