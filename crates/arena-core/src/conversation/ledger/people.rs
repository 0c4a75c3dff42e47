//! Everybody who is or was in a conversation, found by name or by place.

use super::super::{Amounts, ParticipantId};
use super::budget::Tally;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeSet;

/// Somebody who is or was in the roster, or has spoken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Person {
    pub id: ParticipantId,
    #[serde(default)]
    pub tally: Tally,
    /// What they were given on top of what everybody may use.
    #[serde(default, skip_serializing_if = "nothing")]
    pub extra: Amounts,
    /// Let the turn pass in this round.
    #[serde(default, skip_serializing_if = "not")]
    pub skipped: bool,
    /// The entry that was their last message; 0 is none.
    #[serde(default, skip_serializing_if = "zero")]
    pub spoke_at: u64,
}

impl Person {
    fn new(id: ParticipantId) -> Person {
        Person { id, tally: Tally::default(), extra: Amounts::default(), skipped: false, spoke_at: 0 }
    }
}

/// In the order in which they came; nobody leaves, so that a place stays theirs and counters outlive a removal. Only
/// where there is no roster and no place is left, somebody of whom nothing is to be remembered makes room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct People {
    list: Vec<Person>,
    /// Places in `list`, sorted by name.
    by_name: Vec<usize>,
    /// Those who let their turn pass in this round.
    skipped: BTreeSet<usize>,
}

impl People {
    /// These, in this order; none of them twice.
    pub fn of(names: &[ParticipantId]) -> People {
        People::from(names.iter().cloned().map(Person::new).collect::<Vec<_>>())
    }

    pub fn len(&self) -> usize {
        self.list.len()
    }

    pub fn at(&self, seat: usize) -> &Person {
        &self.list[seat]
    }

    pub fn at_mut(&mut self, seat: usize) -> &mut Person {
        &mut self.list[seat]
    }

    pub fn iter(&self) -> impl Iterator<Item = &Person> {
        self.list.iter()
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Person> {
        self.list.iter_mut()
    }

    pub fn find(&self, id: &ParticipantId) -> Option<usize> {
        self.place(id).ok().map(|at| self.by_name[at])
    }

    /// Their place; a new one, if they have none.
    pub fn seat(&mut self, id: &ParticipantId) -> usize {
        match self.place(id) {
            Ok(at) => self.by_name[at],
            Err(at) => {
                self.list.push(Person::new(id.clone()));
                self.by_name.insert(at, self.list.len() - 1);
                self.list.len() - 1
            }
        }
    }

    /// Lets their turn pass in this round.
    pub fn skip(&mut self, seat: usize) {
        self.list[seat].skipped = true;
        self.skipped.insert(seat);
    }

    pub fn unskip(&mut self, seat: usize) {
        self.list[seat].skipped = false;
        self.skipped.remove(&seat);
    }

    /// Nobody has let their turn pass.
    pub fn begin_round(&mut self) {
        for seat in std::mem::take(&mut self.skipped) {
            self.list[seat].skipped = false;
        }
    }

    /// Whose names the text begins with, where `ends` says of the rest that the name ends there; the longest first.
    pub fn named_at_start_of<'a>(
        &'a self,
        text: &'a str,
        ends: impl Fn(&str) -> bool + 'a,
    ) -> impl Iterator<Item = usize> + 'a {
        let mut longest = Some(text.floor_char_boundary(ParticipantId::MAX_LEN));
        std::iter::from_fn(move || {
            loop {
                // All names that the text begins with are no later in the order than it is.
                let start = longest.map(|longest| &text[..longest])?;
                let before = self.by_name.partition_point(|seat| self.list[*seat].id.as_str() <= start);
                let seat = *self.by_name.get(before.checked_sub(1)?)?;
                let name = self.list[seat].id.as_str();
                let shared = start.bytes().zip(name.bytes()).take_while(|(a, b)| a == b).count();
                let shared = start.floor_char_boundary(shared);
                if shared < name.len() {
                    longest = Some(shared).filter(|shared| *shared > 0);
                    continue;
                }
                let shorter = text[..shared].char_indices().rev().map(|(at, _)| at);
                longest = shorter.filter(|at| *at > 0).find(|at| ends(&text[*at..]));
                if ends(&text[shared..]) {
                    return Some(seat);
                }
            }
        })
    }

    /// Gives somebody's place to somebody who has none.
    pub fn replace(&mut self, seat: usize, id: &ParticipantId) {
        self.by_name.retain(|other| *other != seat);
        self.skipped.remove(&seat);
        self.list[seat] = Person::new(id.clone());
        if let Err(at) = self.place(id) {
            self.by_name.insert(at, seat);
        }
    }

    fn place(&self, id: &ParticipantId) -> Result<usize, usize> {
        self.by_name.binary_search_by(|seat| self.list[*seat].id.cmp(id))
    }
}

impl From<Vec<Person>> for People {
    fn from(list: Vec<Person>) -> People {
        let mut by_name: Vec<usize> = (0..list.len()).collect();
        by_name.sort_by(|a, b| list[*a].id.cmp(&list[*b].id));
        let skipped = (0..list.len()).filter(|seat| list[*seat].skipped).collect();
        People { list, by_name, skipped }
    }
}

impl Serialize for People {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.list.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for People {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<People, D::Error> {
        Vec::deserialize(deserializer).map(People::from)
    }
}

fn nothing(amounts: &Amounts) -> bool {
    *amounts == Amounts::default()
}

fn zero(number: &u64) -> bool {
    *number == 0
}

fn not(flag: &bool) -> bool {
    !flag
}
