//! Conversations: invite, accept, walk up to each other, take turns, part.

use super::conversation::{Conversation, ConversationId, Phase};
use super::resident::{Brain, Mode};
use super::{Slot, Tick, World};
use crate::brain::Temper;
use crate::effect::{Effect, EndReason, Refusal, Unsaid};
use crate::geometry::Heading;
use crate::map::ZoneId;
use crate::talk::{self, MEMORY, Part, Scene, Thread};

/// Two who stand this close, in tiles, and see each other need not walk to talk.
const EARSHOT: u16 = 2;
/// How far apart, in tiles, two may stand in a crowd and still talk.
const CALLING_DISTANCE: u16 = 4;
/// How long a wanderer thinks an invitation over.
const REACTION_MS: (u32, u32) = (800, 3_000);
/// How long a wanderer types.
const TYPING_MS: (u32, u32) = (2_000, 6_000);
/// How long a wanderer starts no talk after one.
const QUIET_MS: (u32, u32) = (5_000, 20_000);
/// How long a wanderer lingers after a talk.
const LINGER_MS: (u32, u32) = (1_000, 3_000);

/// Whether two can get close enough to talk.
enum Approach {
    Possible,
    NoRoom,
}

impl World {
    /// Makes the conversation of two residents who are in none.
    pub(super) fn invite(&mut self, by: Slot, invited: Slot, effects: &mut Vec<Effect>) {
        let id = ConversationId(self.state.next_conversation);
        self.state.next_conversation += 1;
        let now = self.state.tick;
        let deadline = now + self.settings.ticks(self.settings.invite_timeout_ms);
        let wake = match self.resident(invited).brain {
            Brain::Puppet => deadline,
            Brain::Wanderer(_) => self.in_a_while(REACTION_MS.0, REACTION_MS.1).min(deadline),
        };
        let chattiness = self.resident(by).brain.wanderer().map_or(100, |wanderer| wanderer.chattiness);
        let planned = if self.state.rng.chance(chattiness) { 8 } else { 6 };
        let talk = Conversation {
            id,
            members: [by, invited],
            phase: Phase::Invited,
            wake,
            deadline,
            messages: 0,
            planned,
            turn: 0,
            thread: Thread::Place,
            said: [0; MEMORY],
            waiting: Vec::new(),
            asked: 0,
            dropped: 0,
        };
        let at = self.file(talk);
        self.resident_mut(by).conversation = Some(at);
        self.resident_mut(invited).conversation = Some(at);
        let (by, bot) = (self.resident(by).bot, self.resident(invited).bot);
        effects.push(Effect::Invited { conversation: id, by, bot });
    }

    fn file(&mut self, talk: Conversation) -> Slot {
        let free = self.state.conversations.iter().position(Option::is_none);
        let at = free.unwrap_or_else(|| {
            self.state.conversations.push(None);
            self.state.conversations.len() - 1
        });
        self.state.conversations[at] = Some(talk);
        at as Slot
    }

    /// The invited agrees; the two walk towards each other, the one who invited further.
    pub(super) fn accept(&mut self, at: Slot, effects: &mut Vec<Effect>) {
        let deadline = self.state.tick + self.settings.ticks(self.settings.approach_timeout_ms);
        let talk = self.talk_mut(at);
        (talk.phase, talk.wake, talk.deadline) = (Phase::Approaching, deadline, deadline);
        let (id, starter, invited) = (talk.id, talk.starter(), talk.invited());
        effects.push(Effect::Accepted { conversation: id, bot: self.resident(invited).bot });
        self.halt(invited, effects);
        match self.walk_up(starter, invited, effects) {
            Approach::Possible => self.try_begin(at, effects),
            Approach::NoRoom => self.end(at, EndReason::CouldNotMeet, effects),
        }
    }

    fn walk_up(&mut self, starter: Slot, invited: Slot, effects: &mut Vec<Effect>) -> Approach {
        let goal = self.resident(invited).stop;
        let (me, you) = (self.map.tile(self.resident(starter).tile), self.map.tile(goal));
        if self.resident(starter).stands() && me.distance(you) <= EARSHOT && self.map.sees(me, you) {
            return Approach::Possible;
        }
        let stop = self.room_near(starter, goal);
        match stop.filter(|stop| self.map.tile(*stop).distance(you) <= CALLING_DISTANCE) {
            Some(stop) => {
                self.walk_to(starter, stop, None, effects);
                Approach::Possible
            }
            None => Approach::NoRoom,
        }
    }

    /// Begins the talk once both have stopped.
    pub(super) fn try_begin(&mut self, at: Slot, effects: &mut Vec<Effect>) {
        let talk = self.talk(at);
        let [starter, invited] = talk.members;
        let ready = self.resident(starter).stands() && self.resident(invited).stands();
        if talk.phase != Phase::Approaching || !ready {
            return;
        }
        let conversation = talk.id;
        let deadline = self.state.tick + self.settings.ticks(self.settings.max_conversation_ms);
        let talk = self.talk_mut(at);
        (talk.phase, talk.deadline) = (Phase::Talking, deadline);
        for slot in [starter, invited] {
            self.face_partner(slot, at);
        }
        let (a, b) = (self.resident(starter).bot, self.resident(invited).bot);
        effects.push(Effect::Met { a, b, conversation });
        self.schedule_turn(at);
    }

    fn face_partner(&mut self, slot: Slot, at: Slot) {
        let partner = self.talk(at).other(slot);
        let (me, you) = (self.resident(slot).tile, self.resident(partner).tile);
        if let Some(heading) = Heading::between(self.map.tile(me), self.map.tile(you)) {
            self.resident_mut(slot).heading = heading;
        }
    }

    /// Sets when the conversation goes on: when it gives up the lines that wait for leave, or else when the one whose
    /// turn it is speaks or has been silent for too long.
    pub(super) fn schedule_turn(&mut self, at: Slot) {
        let talk = self.talk(at);
        let due: Tick = match self.resident(talk.speaker()).brain {
            Brain::Wanderer(_) if talk.waiting.is_empty() => self.in_a_while(TYPING_MS.0, TYPING_MS.1),
            _ => self.state.tick + self.settings.ticks(self.settings.silence_timeout_ms),
        };
        let talk = self.talk_mut(at);
        talk.wake = due.min(talk.deadline);
    }

    /// Something is due for a conversation: an answer, a line, or its end.
    pub(super) fn wake_conversation(&mut self, at: Slot, effects: &mut Vec<Effect>) {
        let talk = self.talk(at);
        let overdue = talk.deadline <= self.state.tick;
        match talk.phase {
            Phase::Invited => self.answer(at, effects),
            Phase::Approaching => self.end(at, EndReason::CouldNotMeet, effects),
            Phase::Talking if overdue => self.end(at, EndReason::TimeLimit, effects),
            Phase::Talking if !talk.waiting.is_empty() => self.give_up(at, effects),
            Phase::Talking => match self.resident(talk.speaker()).brain {
                Brain::Wanderer(_) => self.speak(at, effects),
                Brain::Puppet => self.end(at, EndReason::Silence, effects),
            },
        }
    }

    fn answer(&mut self, at: Slot, effects: &mut Vec<Effect>) {
        let sociability = self.resident(self.talk(at).invited()).brain.wanderer().map(|w| w.sociability);
        match sociability {
            None => self.end(at, EndReason::NoAnswer, effects),
            Some(sociability) if self.state.rng.chance(40 + sociability / 5 * 3) => self.accept(at, effects),
            Some(_) => self.end(at, EndReason::Declined, effects),
        }
    }

    /// The wanderer whose turn it is says a line.
    fn speak(&mut self, at: Slot, effects: &mut Vec<Effect>) {
        let talk = self.talk(at);
        let (speaker, messages, planned) = (talk.speaker(), talk.messages, talk.planned);
        let part = match messages {
            0 => Part::Greeting,
            1 => Part::Reply,
            n if n + 2 >= planned => Part::Farewell,
            n if n % 2 == 0 => {
                let thread = Thread::draw(&mut self.state.rng);
                self.talk_mut(at).thread = thread;
                Part::Opening(thread)
            }
            _ => Part::Answer(talk.thread),
        };
        let text = self.line(at, speaker, part);
        if self.settings.asks_before_talk {
            self.ask(at, speaker, text, None, effects);
        } else {
            self.utter(at, speaker, text, false, effects);
        }
    }

    fn line(&mut self, at: Slot, speaker: Slot, part: Part) -> String {
        let here = self.map.zone_of(self.resident(speaker).tile);
        let zones = self.map.zones().len() as u32;
        let shift = 1 + self.state.rng.below(zones.saturating_sub(1)) as usize;
        let other = ZoneId(((here.map_or(0, |zone| usize::from(zone.0)) + shift) % zones as usize) as u8);
        let resident = self.resident(speaker);
        let scene = Scene {
            temper: resident.brain.wanderer().map_or(Temper::Warm, |wanderer| wanderer.temper),
            you: &self.resident(self.talk(at).other(speaker)).name,
            zone: here.and_then(|zone| self.map.zone(zone)).map_or("", |zone| &zone.name),
            other_zone: self.map.zone(other).map_or("", |zone| &zone.name),
        };
        let (mut rng, mut said) = (self.state.rng.clone(), self.talk(at).said);
        let mut text = talk::compose(part, &scene, &mut rng, &mut said);
        if let Some((end, _)) = text.char_indices().nth(usize::from(self.settings.max_text_chars)) {
            text.truncate(end);
        }
        self.state.rng = rng;
        self.talk_mut(at).said = said;
        text
    }

    /// An input's text, within a talk or aloud.
    pub(super) fn say(
        &mut self,
        slot: Slot,
        text: &str,
        input: usize,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        if text.trim().is_empty() {
            return Err(Refusal::EmptyText);
        }
        let limit = self.settings.max_text_chars;
        if text.chars().nth(usize::from(limit)).is_some() {
            return Err(Refusal::TextTooLong { limit });
        }
        let resident = self.resident(slot);
        let talk = resident.conversation.filter(|at| self.talk(*at).phase == Phase::Talking);
        match talk {
            _ if self.settings.asks_before_talk => self.ask_first(talk, slot, text, input, effects)?,
            Some(at) => self.utter(at, slot, text.to_owned(), false, effects),
            None => {
                effects.push(Effect::Spoke { bot: resident.bot, conversation: None, text: text.to_owned() });
            }
        }
        Ok(())
    }

    /// Somebody says a line, maybe the last one that there is a budget for.
    pub(super) fn utter(
        &mut self,
        at: Slot,
        speaker: Slot,
        text: String,
        last: bool,
        effects: &mut Vec<Effect>,
    ) {
        let bot = self.resident(speaker).bot;
        let limit = self.settings.max_messages;
        let wanders = self.resident(speaker).brain.wanderer().is_some();
        let talk = self.talk_mut(at);
        talk.messages += 1;
        talk.turn = u8::from(talk.members[0] == speaker);
        let (id, messages, planned) = (talk.id, talk.messages, talk.planned);
        effects.push(Effect::Spoke { bot, conversation: Some(id), text });
        if messages >= limit {
            self.end(at, EndReason::MessageLimit, effects);
        } else if wanders && messages >= planned {
            self.end(at, EndReason::Finished, effects);
        } else if last {
            self.end(at, EndReason::BudgetSpent, effects);
        } else {
            self.schedule_turn(at);
        }
    }

    pub(super) fn end(&mut self, at: Slot, reason: EndReason, effects: &mut Vec<Effect>) {
        let talk =
            self.state.conversations[usize::from(at)].take().expect("invariant: the conversation goes on");
        let [starter, invited] = talk.members;
        let (a, b) = (self.resident(starter).bot, self.resident(invited).bot);
        let (conversation, messages) = (talk.id, talk.messages);
        for line in &talk.waiting {
            let bot = if line.by == 0 { a } else { b };
            let (conversation, line, reason) = (Some(conversation), line.line, Unsaid::Over);
            effects.push(Effect::Unsaid { bot, conversation, line, reason });
        }
        effects.push(Effect::ConversationEnded { conversation, a, b, reason, messages });
        self.release(starter, invited);
        self.release(invited, starter);
    }

    /// Lets a resident out of its conversation, to go its own way.
    fn release(&mut self, slot: Slot, partner: Slot) {
        self.resident_mut(slot).conversation = None;
        let serial = self.resident(partner).serial;
        let until = self.state.tick + self.settings.ticks(self.settings.pair_cooldown_ms);
        if self.resident(slot).brain.wanderer().is_none() {
            return;
        }
        let (sociable_from, linger) =
            (self.in_a_while(QUIET_MS.0, QUIET_MS.1), self.in_a_while(LINGER_MS.0, LINGER_MS.1));
        let resident = self.resident_mut(slot);
        if let Some(wanderer) = resident.brain.wanderer_mut() {
            wanderer.remember(serial, until);
            wanderer.sociable_from = sociable_from;
        }
        if resident.stands() {
            resident.mode = Mode::Idle;
            self.state.wakes[usize::from(slot)] = linger;
        }
    }
}
