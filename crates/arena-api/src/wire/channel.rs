//! Channels and what is done to them.

use arena_control::{ChannelPatch, ChannelStats, ChannelView, Discovery, NewChannel, ResetItem, SyncRecord};
use arena_core::admission::Applied;
use arena_core::channel::{ChannelKind, ChannelName, GroupName, Mode, Region, Seats, Status};
use arena_core::health::StateCounts;
use arena_core::{Metadata, Timestamp, WorldId};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A channel, its load and its world.
#[derive(Debug, Serialize)]
pub(crate) struct ChannelBody {
    name: ChannelName,
    group: GroupName,
    shard: u32,
    kind: ChannelKind,
    status: Status,
    region: Option<Region>,
    max_bots: u32,
    bots: u32,
    players: u32,
    load_percent: f64,
    metadata: Metadata,
    world: Option<WorldId>,
    created_at_ms: Timestamp,
    updated_at_ms: Timestamp,
}

impl From<ChannelView> for ChannelBody {
    fn from(ChannelView { channel, world, .. }: ChannelView) -> Self {
        let seats = channel.seats;
        ChannelBody {
            shard: seats.name.split().1,
            status: seats.status(),
            load_percent: percent(&seats),
            name: seats.name,
            group: seats.group,
            kind: seats.kind,
            region: seats.region,
            max_bots: seats.max_bots,
            bots: seats.bots,
            players: seats.players,
            metadata: channel.metadata,
            world,
            created_at_ms: channel.created_at,
            updated_at_ms: channel.updated_at,
        }
    }
}

/// To one decimal, as the health report has it.
fn percent(seats: &Seats) -> f64 {
    (seats.load() * 1_000.0).round() / 10.0
}

/// Whole microseconds as milliseconds.
fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

/// A channel to be opened.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OpenChannel {
    name: Option<ChannelPlace>,
    kind: ChannelKind,
    region: Option<Region>,
    max_bots: Option<u32>,
    metadata: Option<Metadata>,
}

impl From<OpenChannel> for NewChannel {
    fn from(open: OpenChannel) -> Self {
        let OpenChannel { name, kind, region, max_bots, metadata } = open;
        let name = name.map(|ChannelPlace(name)| name);
        NewChannel { name, kind, region, max_bots, metadata: metadata.unwrap_or_default() }
    }
}

/// The name of a channel that can be addressed: not one of the words that stand in a channel's place in a path.
#[derive(Debug, Deserialize)]
#[serde(try_from = "ChannelName")]
pub(crate) struct ChannelPlace(ChannelName);

impl ChannelPlace {
    /// The last part of `/api/channels/init` and its like.
    pub(crate) const RESERVED: [&str; 3] = ["init", "rebalance", "reset"];
}

impl TryFrom<ChannelName> for ChannelPlace {
    type Error = String;

    fn try_from(name: ChannelName) -> Result<Self, String> {
        if ChannelPlace::RESERVED.contains(&name.as_str()) {
            Err(format!("`{name}` is reserved; choose another name"))
        } else {
            Ok(ChannelPlace(name))
        }
    }
}

/// New settings; what is left out stays.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PutChannel {
    max_bots: Option<u32>,
    metadata: Option<Metadata>,
    status: Option<Mode>,
}

impl From<PutChannel> for ChannelPatch {
    fn from(PutChannel { max_bots, metadata, status }: PutChannel) -> Self {
        ChannelPatch { max_bots, metadata, mode: status }
    }
}

/// What an operation moved and opened.
#[derive(Debug, Serialize)]
pub(crate) struct AppliedBody {
    moved: usize,
    opened: Vec<ChannelName>,
}

impl From<Applied> for AppliedBody {
    fn from(applied: Applied) -> Self {
        AppliedBody { moved: applied.moves.len(), opened: applied.opened }
    }
}

/// A drained channel and where its bots went.
#[derive(Debug, Serialize)]
pub(crate) struct DrainedBody {
    channel: ChannelBody,
    #[serde(flatten)]
    applied: AppliedBody,
}

impl From<(ChannelView, Applied)> for DrainedBody {
    fn from((channel, applied): (ChannelView, Applied)) -> Self {
        DrainedBody { channel: channel.into(), applied: applied.into() }
    }
}

/// The basic channels, and which of them are new.
#[derive(Debug, Serialize)]
pub(crate) struct InitBody {
    channels: Vec<ChannelBody>,
    opened: Vec<ChannelName>,
}

impl From<(Vec<ChannelView>, Vec<ChannelName>)> for InitBody {
    fn from((channels, opened): (Vec<ChannelView>, Vec<ChannelName>)) -> Self {
        InitBody { channels: channels.into_iter().map(ChannelBody::from).collect(), opened }
    }
}

/// A channel's figures.
#[derive(Debug, Serialize)]
pub(crate) struct StatsBody {
    channel: ChannelName,
    assigned: u32,
    players: u32,
    max_bots: u32,
    load_percent: f64,
    bots: StateCounts,
    world: Option<WorldId>,
    world_state: &'static str,
    epoch: i64,
    last_sync: Option<SyncBody>,
}

#[derive(Debug, Serialize)]
struct SyncBody {
    at_ms: Timestamp,
    duration_ms: f64,
    ok: bool,
    trouble: Option<String>,
}

impl From<ChannelStats> for StatsBody {
    fn from(stats: ChannelStats) -> Self {
        StatsBody {
            load_percent: percent(&stats.seats),
            channel: stats.seats.name,
            assigned: stats.seats.bots,
            players: stats.seats.players,
            max_bots: stats.seats.max_bots,
            bots: stats.bots,
            world: stats.world,
            world_state: stats.world_state,
            epoch: stats.epoch,
            last_sync: stats.last_sync.map(SyncBody::from),
        }
    }
}

impl From<SyncRecord> for SyncBody {
    fn from(SyncRecord { at, duration, ok, trouble }: SyncRecord) -> Self {
        SyncBody { at_ms: at, duration_ms: millis(duration), ok, trouble }
    }
}

/// Which world a channel has, and how that was found out.
#[derive(Debug, Serialize)]
pub(crate) struct DiscoveryBody {
    world: WorldId,
    source: &'static str,
    duration_ms: f64,
}

impl From<Discovery> for DiscoveryBody {
    fn from(Discovery { world, source, took }: Discovery) -> Self {
        DiscoveryBody { world, source: source.as_str(), duration_ms: millis(took) }
    }
}

/// What a reset did, or would do.
#[derive(Debug, Serialize)]
pub(crate) struct ResetBody {
    channels: Vec<ResetChannel>,
    applied: bool,
}

#[derive(Debug, Serialize)]
struct ResetChannel {
    channel: ChannelName,
    world: Option<WorldId>,
    bots: u32,
    failed: u32,
}

impl ResetBody {
    pub(crate) fn new(items: Vec<ResetItem>, applied: bool) -> ResetBody {
        let channels = items
            .into_iter()
            .map(|ResetItem { channel, world, bots, failed }| ResetChannel { channel, world, bots, failed })
            .collect();
        ResetBody { channels, applied }
    }
}
