//! What a viewer may know of residents.

use super::conversation::{ConversationId, Phase};
use super::resident::{Mode, Resident};
use super::{SUBTICK, Slot, State, World};
use crate::geometry::{Heading, Pos, Tile};
use crate::input::Emote;
use crate::map::ZoneId;
use arena_core::BotId;

/// A resident as it is at this tick.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ResidentView<'a> {
    /// Whose body it is.
    pub bot: BotId,
    /// Its name.
    pub name: &'a str,
    /// The tile whose middle it last was at.
    pub tile: Tile,
    /// Where it is exactly, between two tiles if it walks.
    pub pos: Pos,
    /// The way it looks.
    pub heading: Heading,
    /// What it does.
    pub activity: Activity,
    /// The zone of its tile.
    pub zone: Option<ZoneId>,
    /// Walking speed in 1/256ths of a tile a second.
    pub speed: u16,
    /// How long it really takes for a tile, in 1/256ths of a tick: its speed, rounded to what the world counts in.
    pub tile_time: u64,
    /// Whether inputs alone steer it.
    pub puppet: bool,
}

/// A conversation as it is at this tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConversationView {
    /// Its number.
    pub conversation: ConversationId,
    /// Who invited.
    pub a: BotId,
    /// Who was invited.
    pub b: BotId,
    /// How far it has come.
    pub phase: Phase,
}

/// What a resident does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// Stands about.
    Idle,
    /// Walks.
    Walking {
        /// Where it will stop.
        to: Tile,
    },
    /// Stands together with somebody and talks.
    Talking {
        /// Their conversation.
        conversation: ConversationId,
        /// The other one.
        with: BotId,
    },
    /// Rests.
    Resting {
        /// The tick at which it has rested enough.
        until: u64,
    },
    /// Shows a feeling.
    Emoting {
        /// Which.
        emote: Emote,
        /// The tick at which it stops.
        until: u64,
    },
}

impl World {
    /// Everyone in the world, in the order of their ids.
    pub fn residents(&self) -> impl Iterator<Item = ResidentView<'_>> + '_ {
        self.index.iter().map(|(_, slot)| self.view(*slot))
    }

    /// One resident.
    pub fn get(&self, bot: BotId) -> Option<ResidentView<'_>> {
        self.slot_of(bot).map(|slot| self.view(slot))
    }

    /// Every conversation, those that are not more than an invitation yet too.
    pub fn conversations(&self) -> impl Iterator<Item = ConversationView> + '_ {
        self.state.conversations.iter().flatten().map(|talk| {
            let [a, b] = talk.members.map(|slot| self.resident(slot).bot);
            ConversationView { conversation: talk.id, a, b, phase: talk.phase }
        })
    }

    /// Bytes that the world holds on the heap, without its map: an estimate from the sizes of its lists.
    pub fn heap_bytes(&self) -> usize {
        let State { residents, wakes, conversations, .. } = &self.state;
        let bodies = residents.iter().flatten().map(Resident::heap_bytes).sum::<usize>();
        // A hash table keeps one control byte beside each entry and an eighth of its places free.
        let stands = self.stands.capacity() * 8 / 7 * (size_of::<(u32, Slot)>() + 1);
        residents.capacity() * size_of::<Option<Resident>>()
            + wakes.capacity() * size_of::<u64>()
            + conversations.capacity() * size_of::<Option<super::Conversation>>()
            + self.index.capacity() * size_of::<(BotId, Slot)>()
            + stands
            + bodies
    }

    fn view(&self, slot: Slot) -> ResidentView<'_> {
        let resident = self.resident(slot);
        ResidentView {
            bot: resident.bot,
            name: &resident.name,
            tile: self.map.tile(resident.tile),
            pos: self.pos(resident),
            heading: resident.heading,
            activity: self.activity(slot, resident),
            zone: self.map.zone_of(resident.tile),
            speed: resident.speed,
            tile_time: resident.leg_time(&self.settings),
            puppet: resident.brain.wanderer().is_none(),
        }
    }

    fn pos(&self, resident: &Resident) -> Pos {
        let from = self.map.center(resident.tile);
        let Some(leg) = resident.leg else { return from };
        let whole = resident.leg_time(&self.settings);
        let left = leg.arrive.saturating_sub(self.state.tick * SUBTICK);
        from.towards(self.map.center(leg.to), whole.saturating_sub(left), whole)
    }

    fn activity(&self, slot: Slot, resident: &Resident) -> Activity {
        let until = self.state.wakes[usize::from(slot)];
        if let Some(at) = resident.conversation {
            let talk = self.talk(at);
            if talk.phase == Phase::Talking {
                let with = self.resident(talk.other(slot)).bot;
                return Activity::Talking { conversation: talk.id, with };
            }
        }
        if resident.leg.is_some() {
            return Activity::Walking { to: self.map.tile(resident.stop) };
        }
        match resident.mode {
            Mode::Idle => Activity::Idle,
            Mode::Resting => Activity::Resting { until },
            Mode::Emoting(emote) => Activity::Emoting { emote, until },
        }
    }
}
