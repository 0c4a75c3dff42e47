//! Worlds and their residents.

use arena_control::{Validity, WorldSummary, WorldView};
use arena_core::channel::ChannelName;
use arena_core::{BotId, WorldId};
use serde::Serialize;

/// A running world.
#[derive(Debug, Serialize)]
pub(crate) struct WorldBody {
    id: WorldId,
    channel: ChannelName,
    residents: u32,
    tick: u64,
    tick_ms: u32,
    tick_ms_actual: f64,
    lagging: bool,
}

impl From<WorldSummary> for WorldBody {
    fn from(world: WorldSummary) -> Self {
        let WorldSummary { hosted, residents, tick, tick_ms, tick_ms_actual, lagging } = world;
        let (id, channel) = (hosted.world, hosted.channel);
        WorldBody { id, channel, residents, tick, tick_ms, tick_ms_actual, lagging }
    }
}

/// A running world, who is in it and what was said there last.
#[derive(Debug, Serialize)]
pub(crate) struct WorldWithResidents {
    #[serde(flatten)]
    world: WorldBody,
    resident_list: Vec<ResidentBody>,
    overheard: Vec<LineBody>,
}

#[derive(Debug, Serialize)]
struct ResidentBody {
    bot: BotId,
    name: String,
    x: f64,
    y: f64,
    zone: Option<String>,
    activity: String,
}

#[derive(Debug, Serialize)]
struct LineBody {
    name: String,
    text: String,
}

impl From<WorldView> for WorldWithResidents {
    fn from(WorldView { summary, residents, overheard }: WorldView) -> Self {
        let residents = residents.into_iter().map(|r| {
            let (bot, name, x, y, zone, activity) = (r.bot, r.name, r.x, r.y, r.zone, r.activity);
            ResidentBody { bot, name, x, y, zone, activity }
        });
        WorldWithResidents {
            world: summary.into(),
            resident_list: residents.collect(),
            overheard: overheard.into_iter().map(|(name, text)| LineBody { name, text }).collect(),
        }
    }
}

/// What a host says of a world.
#[derive(Debug, Serialize)]
pub(crate) struct ValidityBody {
    outcome: &'static str,
    detail: Option<String>,
}

impl From<Validity> for ValidityBody {
    fn from(validity: Validity) -> Self {
        let (outcome, detail) = match validity {
            Validity::Valid(_) => ("valid", None),
            Validity::Gone => ("gone", None),
            Validity::Unknown(why) => ("unknown", Some(why)),
        };
        ValidityBody { outcome, detail }
    }
}
