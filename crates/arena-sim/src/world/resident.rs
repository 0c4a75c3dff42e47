//! One body in the world.

use super::{SUBTICK, Slot, Tick};
use crate::brain::{BrainKind, Persona, Temper};
use crate::geometry::Heading;
use crate::input::Emote;
use crate::map::{TileIndex, TownMap, ZoneId};
use crate::settings::WorldSettings;
use arena_core::BotId;
use serde::{Deserialize, Serialize};

/// Speed of residents that others steer: 1.25 tiles/s.
const PUPPET_SPEED: u16 = 320;
/// Partners whose last talk a wanderer remembers.
const RECENT: usize = 4;

/// A bot's body.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Resident {
    pub(super) bot: BotId,
    /// Rises with each join, so that a slot's next owner is not taken for the last one.
    pub(super) serial: u32,
    pub(super) name: Box<str>,
    pub(super) brain: Brain,
    /// The tile whose middle it last was at.
    pub(super) tile: TileIndex,
    /// Where it stands, or will stop. No two residents share one.
    pub(super) stop: TileIndex,
    /// A spot near the stop that the way leads towards first: many share that way.
    pub(super) via: Option<TileIndex>,
    pub(super) leg: Option<Leg>,
    /// The rest of the way, last step first, if the map's cache does not hold it. It follows from the rest.
    #[serde(skip)]
    pub(super) path: Vec<u8>,
    pub(super) heading: Heading,
    /// In 1/256ths of a tile a second.
    pub(super) speed: u16,
    pub(super) mode: Mode,
    pub(super) conversation: Option<Slot>,
}

/// The step of a walk that is under way.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Leg {
    pub(super) to: TileIndex,
    /// When its middle is reached, in 1/256ths of a tick.
    pub(super) arrive: u64,
}

/// What somebody does who neither walks nor talks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Mode {
    Idle,
    Resting,
    Emoting(Emote),
}

/// A brain as this world uses it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Brain {
    Puppet,
    Wanderer(Box<Wanderer>),
}

/// A persona on one map.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Wanderer {
    pub(super) home: Option<ZoneId>,
    /// One for each zone of the map.
    pub(super) weights: Box<[u16]>,
    pub(super) sociability: u8,
    pub(super) restlessness: u8,
    pub(super) chattiness: u8,
    pub(super) temper: Temper,
    /// It starts no talk before this tick.
    pub(super) sociable_from: Tick,
    recent: [(u32, Tick); RECENT],
    oldest: u8,
}

impl Brain {
    /// The brain, and the speed that goes with it.
    pub(super) fn build(kind: &BrainKind, map: &TownMap) -> (Brain, u16) {
        match kind {
            BrainKind::Puppet => (Brain::Puppet, PUPPET_SPEED),
            BrainKind::Wanderer(persona) => {
                (Brain::Wanderer(Box::new(Wanderer::new(persona, map))), persona.speed.clamp(64, 2_048))
            }
        }
    }

    pub(super) fn wanderer(&self) -> Option<&Wanderer> {
        match self {
            Brain::Puppet => None,
            Brain::Wanderer(wanderer) => Some(wanderer),
        }
    }

    pub(super) fn wanderer_mut(&mut self) -> Option<&mut Wanderer> {
        match self {
            Brain::Puppet => None,
            Brain::Wanderer(wanderer) => Some(wanderer),
        }
    }
}

impl Wanderer {
    fn new(persona: &Persona, map: &TownMap) -> Wanderer {
        let weight = |zone: &crate::map::Zone| persona.zone_weights.get(&zone.name).copied().unwrap_or(1);
        Wanderer {
            home: persona.home_zone.as_deref().and_then(|home| map.zone_named(home)),
            weights: map.zones().iter().map(weight).collect(),
            sociability: persona.sociability.min(100),
            restlessness: persona.restlessness.min(100),
            chattiness: persona.chattiness.min(100),
            temper: persona.temper,
            sociable_from: 0,
            recent: [(0, 0); RECENT],
            oldest: 0,
        }
    }

    /// Leaves that partner alone until the tick. The oldest of four memories makes room.
    pub(super) fn remember(&mut self, serial: u32, until: Tick) {
        let at = self.recent.iter().position(|entry| entry.0 == serial);
        let at = at.unwrap_or(usize::from(self.oldest) % RECENT);
        self.oldest = ((at + 1) % RECENT) as u8;
        self.recent[at] = (serial, until);
    }

    pub(super) fn wants_to_meet(&self, serial: u32, now: Tick) -> bool {
        self.recent.iter().all(|(known, until)| *known != serial || *until <= now)
    }
}

impl Resident {
    /// How long a tile takes, in 1/256ths of a tick.
    pub(super) fn leg_time(&self, settings: &WorldSettings) -> u64 {
        let per_tick = u64::from(settings.tick_ms) * u64::from(self.speed.max(1));
        (SUBTICK * 1_000 * 256 / per_tick).max(1)
    }

    pub(super) fn stands(&self) -> bool {
        self.leg.is_none()
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let brain = self.brain.wanderer().map_or(0, |w| size_of::<Wanderer>() + w.weights.len() * 2);
        self.name.len() + self.path.capacity() + brain
    }
}
