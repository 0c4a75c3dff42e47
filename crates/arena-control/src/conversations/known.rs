//! Messages that were said under an id not long ago: a second one under the same id is a repeat, or a conflict.

use arena_core::conversation::{Command, Entry, MessageId};
use std::collections::VecDeque;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::LazyLock;

/// How many are remembered of a conversation. Older ones are found in the store, which refuses to write an id twice.
const REMEMBERED: usize = 64;

/// Drops that are remembered, so that a message that comes again by another path is not told as a second one.
const DROPS: usize = 16;

/// Of this process only: nobody can choose ids that look alike.
static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// What a message is told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fingerprint {
    id: u64,
    content: u64,
}

/// A message that was said.
#[derive(Debug, Clone, Copy)]
pub(super) struct Said {
    pub(super) fingerprint: Fingerprint,
    pub(super) position: u64,
}

/// A message that was said, and in which batch: until that is written, only memory knows of it.
#[derive(Debug, Clone, Copy)]
struct Remembered {
    said: Said,
    batch: u64,
}

/// What is known of an id.
#[derive(Debug, Clone, Copy)]
pub(super) enum Knowledge {
    /// The same message was said already.
    Repeat(Said),
    /// Another one was said under this id.
    Conflict(Said),
}

/// The last messages that were given ids.
#[derive(Debug, Default)]
pub(super) struct Known {
    said: VecDeque<Remembered>,
    dropped: VecDeque<Fingerprint>,
}

impl Fingerprint {
    /// Of what a command says under an id, if it says something under an id.
    pub(super) fn of_command(command: &Command) -> Option<Fingerprint> {
        match command {
            Command::Say(say) => {
                let data = say.data.as_ref().map(|data| data.get());
                let author = Some(say.author.as_str());
                Some(Fingerprint::new(say.id.as_ref()?, author, &say.text, data, say.tokens, say.cost_micros))
            }
            Command::SaySystem { id, text, data } => {
                let data = data.as_ref().map(|data| data.get());
                Some(Fingerprint::new(id.as_ref()?, None, text, data, 0, 0))
            }
            _ => None,
        }
    }

    /// The same of what stands in the log.
    pub(super) fn of_entry(entry: &Entry) -> Option<Fingerprint> {
        match entry {
            Entry::Message(message) => {
                let data = message.data.as_ref().map(|data| data.get());
                let (tokens, cost) = (message.tokens, message.cost_micros);
                let author = Some(message.author.as_str());
                Some(Fingerprint::new(message.id.as_ref()?, author, &message.text, data, tokens, cost))
            }
            Entry::System(message) => {
                let data = message.data.as_ref().map(|data| data.get());
                Some(Fingerprint::new(message.id.as_ref()?, None, &message.text, data, 0, 0))
            }
            _ => None,
        }
    }

    fn new(
        id: &MessageId,
        author: Option<&str>,
        text: &str,
        data: Option<&str>,
        tokens: u64,
        cost_micros: u64,
    ) -> Fingerprint {
        let content = HASHER.hash_one((author, text, data, tokens, cost_micros));
        Fingerprint { id: hash(id), content }
    }
}

impl Known {
    /// What is known of the id that a message has.
    pub(super) fn find(&self, fingerprint: Fingerprint) -> Option<Knowledge> {
        let same = |known: &&Remembered| known.said.fingerprint.id == fingerprint.id;
        Some(self.said.iter().rev().find(same)?.said.compare(fingerprint))
    }

    /// A message was said, in this batch.
    pub(super) fn said(&mut self, said: Said, batch: u64) {
        while self.said.len() >= REMEMBERED && self.said.front().is_some_and(|oldest| oldest.batch != batch) {
            self.said.pop_front();
        }
        self.said.push_back(Remembered { said, batch });
        self.dropped.retain(|dropped| dropped.id != said.fingerprint.id);
    }

    /// Whether this very message was dropped not long ago.
    pub(super) fn was_dropped(&self, fingerprint: Fingerprint) -> bool {
        self.dropped.contains(&fingerprint)
    }

    /// A message was dropped, and that was told.
    pub(super) fn dropped(&mut self, fingerprint: Fingerprint) {
        if self.dropped.len() == DROPS {
            self.dropped.pop_front();
        }
        self.dropped.push_back(fingerprint);
    }
}

impl Said {
    /// What it says of another message under the same id.
    pub(super) fn compare(self, other: Fingerprint) -> Knowledge {
        if self.fingerprint == other { Knowledge::Repeat(self) } else { Knowledge::Conflict(self) }
    }
}

fn hash(value: impl Hash) -> u64 {
    HASHER.hash_one(value)
}
