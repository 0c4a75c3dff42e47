//! Inputs: each is checked in full before it changes anything.

use super::conversation::{ConversationId, Phase};
use super::resident::{Brain, Mode, Resident};
use super::walking::Walk;
use super::{NEVER, Slot, World};
use crate::brain::BrainKind;
use crate::effect::{Arrival, Effect, EndReason, Refusal};
use crate::geometry::{Heading, Tile};
use crate::input::{Input, MAX_NAME_CHARS};
use crate::map::TileIndex;
use arena_core::BotId;

impl World {
    /// Carries out the step's input number `n`.
    pub(super) fn apply(
        &mut self,
        n: usize,
        input: &Input,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        if let Input::Join { bot, name, brain, position } = input {
            return self.join(*bot, name, brain, *position, effects);
        }
        let slot = self.slot_of(input.bot()).ok_or(Refusal::NotHere)?;
        match input {
            Input::Join { .. } => unreachable!("invariant: joins are handled above"),
            Input::Leave { .. } => self.leave(slot, effects),
            Input::MoveTo { to, .. } => self.move_to(slot, *to, effects)?,
            Input::Look { heading, .. } => self.look(slot, *heading, effects),
            Input::Say { text, .. } => self.say(slot, text, n, effects)?,
            Input::StartConversation { with, .. } => self.start_conversation(slot, *with, effects)?,
            Input::AcceptConversation { conversation, .. } => {
                let at = self.invitation(slot, *conversation)?;
                self.accept(at, effects);
            }
            Input::RejectConversation { conversation, .. } => {
                let at = self.invitation(slot, *conversation)?;
                self.end(at, EndReason::Declined, effects);
            }
            Input::LeaveConversation { conversation, .. } => {
                let at = self.resident(slot).conversation.ok_or(Refusal::NotInConversation)?;
                if self.talk(at).id != *conversation {
                    return Err(Refusal::NotInConversation);
                }
                self.end(at, EndReason::WalkedOut, effects);
            }
            Input::Emote { emote, .. } => self.show(slot, *emote, effects),
            Input::MaySay { conversation, line, last, .. } => {
                self.may_say(slot, *conversation, *line, *last, effects)?;
            }
            Input::MayNotSay { conversation, line, reason, .. } => {
                self.may_not_say(slot, *conversation, *line, *reason, effects)?;
            }
        }
        Ok(())
    }

    fn join(
        &mut self,
        bot: BotId,
        name: &str,
        kind: &BrainKind,
        position: Option<Tile>,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let at = match self.index.binary_search_by_key(&bot, |entry| entry.0) {
            Ok(at) => {
                self.joined(self.index[at].1, Arrival::AlreadyHere, effects);
                return Ok(());
            }
            Err(at) => at,
        };
        let limit = self.settings.max_residents;
        if self.index.len() >= limit as usize {
            return Err(Refusal::WorldFull { limit });
        }
        let named = (1..=MAX_NAME_CHARS).contains(&name.chars().count());
        if !named || name.chars().any(char::is_control) {
            return Err(Refusal::BadName);
        }
        let slot = self.free_slot();
        let (brain, speed) = Brain::build(kind, &self.map);
        let tile = self.entrance(&brain, position);
        let resident = Resident {
            bot,
            serial: self.state.next_serial,
            name: name.into(),
            brain,
            tile,
            stop: tile,
            via: None,
            leg: None,
            path: Vec::new(),
            heading: Heading::South,
            speed,
            mode: Mode::Idle,
            conversation: None,
        };
        self.state.next_serial = self.state.next_serial.wrapping_add(1);
        self.state.residents[usize::from(slot)] = Some(resident);
        self.index.insert(at, (bot, slot));
        self.stands.insert(tile, slot);
        self.dwell(slot);
        self.joined(slot, Arrival::New, effects);
        Ok(())
    }

    fn joined(&self, slot: Slot, arrival: Arrival, effects: &mut Vec<Effect>) {
        let resident = self.resident(slot);
        let (at, zone) = (self.map.tile(resident.tile), self.map.zone_of(resident.tile));
        effects.push(Effect::Joined { bot: resident.bot, at, zone, arrival });
    }

    /// The lowest slot that nobody has.
    fn free_slot(&mut self) -> Slot {
        if self.index.len() < self.state.residents.len() {
            let free = self.state.residents.iter().position(Option::is_none);
            return free.expect("invariant: fewer residents than slots leave one free") as Slot;
        }
        self.state.residents.push(None);
        self.state.wakes.push(NEVER);
        (self.state.residents.len() - 1) as Slot
    }

    /// Where a new resident appears: near where it was, or near a spot of its home zone.
    fn entrance(&mut self, brain: &Brain, position: Option<Tile>) -> TileIndex {
        let home = brain.wanderer().and_then(|wanderer| wanderer.home);
        let wanted = position.unwrap_or_else(|| {
            let zone = home.unwrap_or_else(|| self.any_zone());
            let spot = self.random_spot(zone);
            self.map.tile(spot)
        });
        let near = self.map.index(wanted).filter(|tile| self.map.free(*tile));
        let near = near.and_then(|tile| self.map.nearest(tile, |tile| !self.stands.contains_key(&tile)));
        near.or_else(|| self.map.nearest_anywhere(wanted, |tile| !self.stands.contains_key(&tile)))
            .expect("invariant: a map has twice as many free tiles as residents")
    }

    fn leave(&mut self, slot: Slot, effects: &mut Vec<Effect>) {
        if let Some(at) = self.resident(slot).conversation {
            self.end(at, EndReason::LeftWorld, effects);
        }
        self.forget_aloud(slot, effects);
        let gone = self.state.residents[usize::from(slot)].take().expect("invariant: the slot is taken");
        self.state.wakes[usize::from(slot)] = NEVER;
        self.stands.remove(&gone.stop);
        self.index.retain(|entry| entry.1 != slot);
        effects.push(Effect::Left { bot: gone.bot, at: self.map.tile(gone.tile) });
    }

    fn move_to(&mut self, slot: Slot, to: Tile, effects: &mut Vec<Effect>) -> Result<(), Refusal> {
        let goal = self.map.index(to).ok_or(Refusal::OutsideMap)?;
        if !self.map.free(goal) {
            return Err(Refusal::Blocked);
        }
        let busy = self.resident(slot).conversation.is_some_and(|at| self.talk(at).phase != Phase::Invited);
        if busy {
            return Err(Refusal::InConversation);
        }
        let stop = self.room_near(slot, goal).ok_or(Refusal::Crowded)?;
        if self.walk_to(slot, stop, None, effects) == Walk::There {
            self.settle(slot);
        }
        Ok(())
    }

    fn look(&mut self, slot: Slot, heading: Heading, effects: &mut Vec<Effect>) {
        let resident = self.resident_mut(slot);
        // A walker looks where it goes.
        if resident.stands() {
            resident.heading = heading;
        }
        effects.push(Effect::Looked { bot: resident.bot, heading: resident.heading });
    }

    fn start_conversation(
        &mut self,
        slot: Slot,
        with: BotId,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let other = self.slot_of(with).ok_or(Refusal::PartnerNotHere)?;
        if other == slot {
            return Err(Refusal::WithSelf);
        }
        if self.resident(slot).conversation.is_some() {
            return Err(Refusal::InConversation);
        }
        if self.resident(other).conversation.is_some() {
            return Err(Refusal::PartnerBusy);
        }
        self.invite(slot, other, effects);
        Ok(())
    }

    fn invitation(&self, slot: Slot, conversation: ConversationId) -> Result<Slot, Refusal> {
        let at = self.resident(slot).conversation.ok_or(Refusal::NotInvited)?;
        let talk = self.talk(at);
        let open = talk.id == conversation && talk.phase == Phase::Invited && talk.invited() == slot;
        if open { Ok(at) } else { Err(Refusal::NotInvited) }
    }
}
