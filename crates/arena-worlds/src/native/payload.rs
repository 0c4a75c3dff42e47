//! What viewers are sent of a world, as JSON: a snapshot, and from then on what changed at each tick.
//!
//! A delta is the difference between what viewers know and what the world is now, so that whatever moves the
//! simulation, viewers end up where the world is. Effects add what leaves no trace: words, feelings, meetings, and
//! turns that were undone within the tick.

use arena_core::BotId;
use arena_sim::{
    Activity, ConversationPhase, Effect, Emote, EndReason, Heading, MoveKind, Pos, ResidentView, SUBTILE,
    Tile, TownMap, World, ZoneId,
};
use bytes::Bytes;
use serde::{Serialize, Serializer};

#[cfg(test)]
mod tests;

/// Bytes that a resident takes in a snapshot, about.
const RESIDENT_BYTES: usize = 192;
/// Bytes that one entry takes in a delta, about.
const ENTRY_BYTES: usize = 112;

/// What viewers know of a resident; where it is on its way follows from where the way began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    bot: BotId,
    /// Where it stands; of a walker, where it will.
    stop: Tile,
    heading: Heading,
    doing: Doing,
    zone: Option<ZoneId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    Idle,
    Walking,
    Talking,
    Resting,
    Emoting(Emote),
}

impl Doing {
    fn as_str(self) -> &'static str {
        match self {
            Doing::Idle => "idle",
            Doing::Walking => "walking",
            Doing::Talking => "talking",
            Doing::Resting => "resting",
            Doing::Emoting(_) => "emoting",
        }
    }
}

impl From<&ResidentView<'_>> for Known {
    fn from(view: &ResidentView<'_>) -> Known {
        let (stop, doing) = match view.activity {
            Activity::Idle => (view.tile, Doing::Idle),
            Activity::Walking { to } => (to, Doing::Walking),
            Activity::Talking { .. } => (view.tile, Doing::Talking),
            Activity::Resting { .. } => (view.tile, Doing::Resting),
            Activity::Emoting { emote, .. } => (view.tile, Doing::Emoting(emote)),
        };
        Known { bot: view.bot, stop, heading: view.heading, doing, zone: view.zone }
    }
}

impl Known {
    fn to(&self) -> Option<(u16, u16)> {
        (self.doing == Doing::Walking).then_some((self.stop.x, self.stop.y))
    }

    fn emote(&self) -> Option<Emote> {
        if let Doing::Emoting(emote) = self.doing { Some(emote) } else { None }
    }
}

/// Everyone as viewers will know them, in the order of their ids.
pub(super) fn known(sim: &World) -> Vec<Known> {
    sim.residents().map(|view| Known::from(&view)).collect()
}

/// The world as it is.
pub(super) fn snapshot(sim: &World) -> Bytes {
    let map = sim.map();
    let snapshot = Snapshot {
        tick: sim.tick(),
        tick_ms: sim.settings().tick_ms,
        map: MapSize { width: map.width(), height: map.height() },
        residents: sim.residents().map(|view| Resident::new(sim, &view)).collect(),
        conversations: (sim.conversations())
            .map(|talk| Conversation {
                conversation: talk.conversation.0,
                a: talk.a,
                b: talk.b,
                state: match talk.phase {
                    ConversationPhase::Invited => "invited",
                    ConversationPhase::Approaching => "approaching",
                    ConversationPhase::Talking => "talking",
                },
            })
            .collect(),
    };
    json(&snapshot, 128 + snapshot.residents.len() * RESIDENT_BYTES)
}

/// What a tick changed for viewers who know `before`, and did; brings `before` up to date. `None` if there is nothing
/// to tell.
pub(super) fn delta(sim: &World, effects: &[Effect], before: &mut Vec<Known>) -> Option<Bytes> {
    let map = sim.map();
    let mut delta = Delta { tick: sim.tick(), ..Delta::default() };
    for effect in effects {
        delta.add(effect);
    }
    // Somebody who left and came back within the tick did both.
    let went = bots(effects, |effect| match effect {
        Effect::Left { bot, .. } => Some(*bot),
        _ => None,
    });
    // Somebody who turned twice may look the same and be a tile beside its way.
    let turned = bots(effects, |effect| match effect {
        Effect::Moved { bot, kind, .. } if *kind != MoveKind::Passed => Some(*bot),
        _ => None,
    });
    let mut old = before.iter().peekable();
    let mut after = Vec::with_capacity(sim.len());
    for view in sim.residents() {
        let now = Known::from(&view);
        after.push(now);
        while let Some(gone) = old.next_if(|old| old.bot < now.bot) {
            delta.left.push(gone.bot);
        }
        match old.next_if(|old| old.bot == now.bot) {
            Some(then) if went.binary_search(&now.bot).is_ok() => {
                delta.left.push(then.bot);
                delta.joined.push(Resident::new(sim, &view));
            }
            Some(then) if *then == now && turned.binary_search(&now.bot).is_err() => {}
            Some(then) => delta.moved.push(Moved::new(then, &now, &view, map)),
            None => delta.joined.push(Resident::new(sim, &view)),
        }
    }
    delta.left.extend(old.map(|gone| gone.bot));
    *before = after;
    let entries = delta.entries();
    (entries > 0).then(|| json(&delta, 32 + entries * ENTRY_BYTES))
}

/// Those whom effects of one sort are about, in order.
fn bots(effects: &[Effect], sort: impl Fn(&Effect) -> Option<BotId>) -> Vec<BotId> {
    let mut bots: Vec<BotId> = effects.iter().filter_map(sort).collect();
    bots.sort_unstable();
    bots
}

fn json(value: &impl Serialize, capacity: usize) -> Bytes {
    let mut text = Vec::with_capacity(capacity);
    serde_json::to_writer(&mut text, value).expect("invariant: what viewers are sent is plain JSON");
    text.into()
}

#[derive(Serialize)]
struct Snapshot<'a> {
    tick: u64,
    tick_ms: u32,
    map: MapSize,
    residents: Vec<Resident<'a>>,
    conversations: Vec<Conversation>,
}

#[derive(Serialize)]
struct MapSize {
    width: u16,
    height: u16,
}

#[derive(Serialize)]
struct Conversation {
    conversation: u64,
    a: BotId,
    b: BotId,
    state: &'static str,
}

#[derive(Serialize)]
struct Resident<'a> {
    id: BotId,
    name: &'a str,
    kind: &'static str,
    speed: Rounded,
    x: Rounded,
    y: Rounded,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<(u16, u16)>,
    heading: u16,
    zone: Option<&'a str>,
    activity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    emote: Option<Emote>,
}

impl<'a> Resident<'a> {
    fn new(sim: &'a World, view: &ResidentView<'a>) -> Resident<'a> {
        let known = Known::from(view);
        let (x, y) = place(view.pos);
        Resident {
            id: view.bot,
            name: view.name,
            kind: if view.puppet { "player" } else { "bot" },
            speed: speed(sim, view),
            x,
            y,
            to: known.to(),
            heading: known.heading.degrees(),
            zone: zone_name(known.zone, sim.map()),
            activity: known.doing.as_str(),
            emote: known.emote(),
        }
    }
}

/// In the order in which a viewer applies it.
#[derive(Default, Serialize)]
struct Delta<'a> {
    tick: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left: Vec<BotId>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    joined: Vec<Resident<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    moved: Vec<Moved<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    emoted: Vec<Emoted>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    invited: Vec<Pair>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    accepted: Vec<Accepted>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    met: Vec<Pair>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    said: Vec<Said<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ended: Vec<Ended>,
}

#[derive(Serialize)]
struct Moved<'a> {
    id: BotId,
    x: Rounded,
    y: Rounded,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<(u16, u16)>,
    heading: u16,
    /// Left out where `to` tells it: a resident with a goal walks, and one without is idle.
    #[serde(skip_serializing_if = "Option::is_none")]
    activity: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    emote: Option<Emote>,
    /// Left out where it is the same as before.
    #[serde(skip_serializing_if = "Option::is_none")]
    zone: Option<Option<&'a str>>,
}

impl<'a> Moved<'a> {
    fn new(then: &Known, now: &Known, view: &ResidentView<'_>, map: &'a TownMap) -> Moved<'a> {
        let (x, y) = place(view.pos);
        let told = matches!(now.doing, Doing::Walking | Doing::Idle);
        Moved {
            id: now.bot,
            x,
            y,
            to: now.to(),
            heading: now.heading.degrees(),
            activity: (!told).then_some(now.doing.as_str()),
            emote: now.emote(),
            zone: (then.zone != now.zone).then(|| zone_name(now.zone, map)),
        }
    }
}

#[derive(Serialize)]
struct Emoted {
    id: BotId,
    emote: Emote,
}

/// `a` invited `b`.
#[derive(Serialize)]
struct Pair {
    conversation: u64,
    a: BotId,
    b: BotId,
}

#[derive(Serialize)]
struct Accepted {
    conversation: u64,
}

#[derive(Serialize)]
struct Said<'a> {
    id: BotId,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    conversation: Option<u64>,
}

#[derive(Serialize)]
struct Ended {
    conversation: u64,
    reason: EndReason,
}

impl<'a> Delta<'a> {
    fn add(&mut self, effect: &'a Effect) {
        match effect {
            Effect::Emoted { bot, emote } => self.emoted.push(Emoted { id: *bot, emote: *emote }),
            Effect::Invited { conversation, by, bot } => {
                self.invited.push(Pair { conversation: conversation.0, a: *by, b: *bot });
            }
            Effect::Accepted { conversation, .. } => {
                self.accepted.push(Accepted { conversation: conversation.0 });
            }
            Effect::Met { a, b, conversation } => {
                self.met.push(Pair { conversation: conversation.0, a: *a, b: *b });
            }
            Effect::Spoke { bot, conversation, text } => {
                self.said.push(Said { id: *bot, text, conversation: conversation.map(|id| id.0) });
            }
            Effect::ConversationEnded { conversation, reason, .. } => {
                self.ended.push(Ended { conversation: conversation.0, reason: *reason });
            }
            // What these did is seen by comparing; a refusal is told to whoever asked, and so is what was not said.
            Effect::WantsToSay(_)
            | Effect::Unsaid { .. }
            | Effect::Joined { .. }
            | Effect::Left { .. }
            | Effect::Moved { .. }
            | Effect::Looked { .. }
            | Effect::EnteredZone { .. }
            | Effect::Refused { .. } => {}
        }
    }

    fn entries(&self) -> usize {
        let Delta { tick: _, left, joined, moved, emoted, invited, accepted, met, said, ended } = self;
        let bodies = left.len() + 2 * joined.len() + moved.len() + emoted.len();
        bodies + invited.len() + accepted.len() + met.len() + 2 * said.len() + ended.len()
    }
}

/// A number with few decimals, written as a whole one where it is.
struct Rounded(f64);

impl Serialize for Rounded {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.fract() == 0.0 {
            return serializer.serialize_i32(self.0 as i32);
        }
        serializer.serialize_f64(self.0)
    }
}

/// In tiles, whole numbers being the middles of tiles: where somebody stands reads like a tile.
fn place(pos: Pos) -> (Rounded, Rounded) {
    let tiles = |parts: i32| f64::from(parts - SUBTILE / 2) / f64::from(SUBTILE);
    let rounded = |tiles: f64| Rounded((tiles * 100.0).round() / 100.0);
    (rounded(tiles(pos.x)), rounded(tiles(pos.y)))
}

/// In tiles a second. Three decimals: a viewer who walks somebody along across a whole map is off by a few
/// hundredths of a tile.
fn speed(sim: &World, view: &ResidentView<'_>) -> Rounded {
    let tile_ms = view.tile_time as f64 * f64::from(sim.settings().tick_ms) / f64::from(SUBTILE);
    Rounded((1_000_000.0 / tile_ms).round() / 1_000.0)
}

fn zone_name(zone: Option<ZoneId>, map: &TownMap) -> Option<&str> {
    Some(map.zone(zone?)?.name.as_str())
}
