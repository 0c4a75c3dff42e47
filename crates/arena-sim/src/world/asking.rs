//! Lines that wait for leave: composed, but heard by nobody until whoever hosts the world says that they may be said.
//!
//! A line that waits keeps its conversation waiting, but never for ever: after the time that somebody may stay silent
//! the conversation is over, and a verdict that comes later changes nothing.

use super::{Slot, Tick, World};
use crate::effect::{Effect, EndReason, Refusal, Unsaid, Wish};
use crate::input::NoLeave;
use crate::world::ConversationId;
use serde::{Deserialize, Serialize};

/// Lines that may wait in a conversation, and lines aloud of one resident; more are refused. Two who talk wait for
/// each other, so only a player who does not wait for an answer has more than one.
pub(super) const MOST_WAITING: usize = 4;
/// After so many lines in a row that could not be said, a conversation has fallen silent.
const MOST_DROPPED: u8 = 3;

/// A line of a conversation that waits.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct WaitingLine {
    pub(super) line: u32,
    /// Whose it is: a place in the conversation's `members`.
    pub(super) by: u8,
    text: Box<str>,
}

/// A line outside of conversations that waits.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct AloudLine {
    pub(super) line: u32,
    pub(super) by: Slot,
    /// When it is given up.
    pub(super) until: Tick,
    text: Box<str>,
}

impl World {
    /// Asks leave for an input's text.
    pub(super) fn ask_first(
        &mut self,
        talk: Option<Slot>,
        speaker: Slot,
        text: &str,
        input: usize,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let Some(at) = talk else { return self.ask_aloud(speaker, text, input, effects) };
        let talk = self.talk(at);
        let (waiting, said) = (talk.waiting.len(), usize::from(talk.messages));
        if waiting >= MOST_WAITING || said + waiting >= usize::from(self.settings.max_messages) {
            return Err(Refusal::TooManyLines);
        }
        self.ask(at, speaker, text.to_owned(), Some(input), effects);
        Ok(())
    }

    /// Asks leave for a line of a conversation.
    pub(super) fn ask(
        &mut self,
        at: Slot,
        speaker: Slot,
        text: String,
        input: Option<usize>,
        effects: &mut Vec<Effect>,
    ) {
        let talk = self.talk_mut(at);
        talk.asked += 1;
        let (line, conversation) = (talk.asked, Some(talk.id));
        let first = talk.waiting.is_empty();
        talk.waiting.push(WaitingLine { line, by: talk.place(speaker), text: text.as_str().into() });
        if first {
            self.schedule_turn(at);
        }
        let bot = self.resident(speaker).bot;
        effects.push(Effect::WantsToSay(Box::new(Wish { bot, conversation, line, text, input })));
    }

    fn ask_aloud(
        &mut self,
        speaker: Slot,
        text: &str,
        input: usize,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        if self.state.aloud.iter().filter(|line| line.by == speaker).count() >= MOST_WAITING {
            return Err(Refusal::TooManyLines);
        }
        self.state.asked_aloud += 1;
        let line = self.state.asked_aloud;
        let until = self.state.tick + self.settings.ticks(self.settings.silence_timeout_ms);
        self.state.aloud.push(AloudLine { line, by: speaker, until, text: text.into() });
        let (bot, text) = (self.resident(speaker).bot, text.to_owned());
        let wish = Wish { bot, conversation: None, line, text, input: Some(input) };
        effects.push(Effect::WantsToSay(Box::new(wish)));
        Ok(())
    }

    pub(super) fn may_say(
        &mut self,
        speaker: Slot,
        conversation: Option<ConversationId>,
        line: u32,
        last: bool,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let Some(conversation) = conversation else {
            let text = self.take_aloud(speaker, line)?.into_string();
            effects.push(Effect::Spoke { bot: self.resident(speaker).bot, conversation: None, text });
            return Ok(());
        };
        let (at, text) = self.take_waiting(speaker, conversation, line)?;
        self.talk_mut(at).dropped = 0;
        self.utter(at, speaker, text.into_string(), last, effects);
        Ok(())
    }

    pub(super) fn may_not_say(
        &mut self,
        speaker: Slot,
        conversation: Option<ConversationId>,
        line: u32,
        reason: NoLeave,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let talk = match conversation {
            Some(conversation) => Some(self.take_waiting(speaker, conversation, line)?.0),
            None => {
                self.take_aloud(speaker, line)?;
                None
            }
        };
        let bot = self.resident(speaker).bot;
        effects.push(Effect::Unsaid { bot, conversation, line, reason: reason.into() });
        match (talk, reason) {
            (None, _) => {}
            (Some(at), NoLeave::BudgetSpent) => self.end(at, EndReason::BudgetSpent, effects),
            (Some(at), NoLeave::Unavailable) => self.drop_one(at, effects),
        }
        Ok(())
    }

    /// Goes on without a line: a wanderer whose turn it is will try another one.
    fn drop_one(&mut self, at: Slot, effects: &mut Vec<Effect>) {
        let talk = self.talk_mut(at);
        talk.dropped += 1;
        if talk.dropped >= MOST_DROPPED {
            self.end(at, EndReason::Silence, effects);
        } else {
            self.schedule_turn(at);
        }
    }

    /// No verdict came in time: the conversation is over.
    pub(super) fn give_up(&mut self, at: Slot, effects: &mut Vec<Effect>) {
        let talk = self.talk_mut(at);
        let (waiting, members, conversation) =
            (std::mem::take(&mut talk.waiting), talk.members, Some(talk.id));
        for WaitingLine { line, by, .. } in waiting {
            let bot = self.resident(members[usize::from(by)]).bot;
            effects.push(Effect::Unsaid { bot, conversation, line, reason: Unsaid::NoVerdict });
        }
        self.end(at, EndReason::Silence, effects);
    }

    /// Drops the lines aloud for which no verdict came in time.
    pub(super) fn give_up_aloud(&mut self, effects: &mut Vec<Effect>) {
        let now = self.state.tick;
        self.drop_aloud(|line| line.until <= now, Unsaid::NoVerdict, effects);
    }

    /// Drops the lines aloud of somebody who leaves.
    pub(super) fn forget_aloud(&mut self, speaker: Slot, effects: &mut Vec<Effect>) {
        self.drop_aloud(|line| line.by == speaker, Unsaid::Over, effects);
    }

    fn drop_aloud(&mut self, which: impl Fn(&AloudLine) -> bool, reason: Unsaid, effects: &mut Vec<Effect>) {
        let residents = &self.state.residents;
        self.state.aloud.retain(|line| {
            if !which(line) {
                return true;
            }
            let speaker = residents[usize::from(line.by)].as_ref().expect("invariant: the speaker is there");
            effects.push(Effect::Unsaid { bot: speaker.bot, conversation: None, line: line.line, reason });
            false
        });
    }

    fn take_waiting(
        &mut self,
        speaker: Slot,
        conversation: ConversationId,
        line: u32,
    ) -> Result<(Slot, Box<str>), Refusal> {
        let at = self.resident(speaker).conversation.ok_or(Refusal::NotWaiting)?;
        let talk = self.talk_mut(at);
        let by = talk.place(speaker);
        let waits = talk.waiting.iter().position(|waiting| waiting.line == line && waiting.by == by);
        match waits.filter(|_| talk.id == conversation) {
            Some(n) => Ok((at, talk.waiting.remove(n).text)),
            None => Err(Refusal::NotWaiting),
        }
    }

    fn take_aloud(&mut self, speaker: Slot, line: u32) -> Result<Box<str>, Refusal> {
        let waits = self.state.aloud.iter().position(|waiting| waiting.line == line && waiting.by == speaker);
        waits.map(|n| self.state.aloud.remove(n).text).ok_or(Refusal::NotWaiting)
    }
}
