//! Everybody who is or was in a conversation, found by name or by place.

use super::super::{Amounts, ParticipantId};
use super::budget::Tally;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

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
}

impl Person {
    fn new(id: ParticipantId) -> Person {
        Person { id, tally: Tally::default(), extra: Amounts::default(), skipped: false }
    }
}

/// In the order in which they came; nobody ever leaves, so that a place stays theirs and counters outlive a removal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct People {
    list: Vec<Person>,
    /// Places in `list`, sorted by name.
    by_name: Vec<usize>,
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

    fn place(&self, id: &ParticipantId) -> Result<usize, usize> {
        self.by_name.binary_search_by(|seat| self.list[*seat].id.cmp(id))
    }
}

impl From<Vec<Person>> for People {
    fn from(list: Vec<Person>) -> People {
        let mut by_name: Vec<usize> = (0..list.len()).collect();
        by_name.sort_by(|a, b| list[*a].id.cmp(&list[*b].id));
        People { list, by_name }
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

fn not(flag: &bool) -> bool {
    !flag
}
