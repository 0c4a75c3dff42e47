//! A wish to be matched, and its life.

use super::{Label, TicketId};
use crate::channel::Region;
use crate::conversation::ParticipantId;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Who waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A person.
    #[default]
    Human,
    /// A bot: a partner for humans who wait, never for another bot.
    Bot,
}

/// What somebody wants to be matched for, and by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// Who, as in topics `user:<user>` and in conversations.
    pub user: ParticipantId,
    /// What kind.
    #[serde(default)]
    pub kind: Kind,
    /// How partners are told of, 1 to 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who comes along and stays in the same team. `user` acts for all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub party: Vec<ParticipantId>,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// What it speaks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Label>,
    /// What it likes to talk about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interests: Vec<Label>,
    /// How strong it plays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rating: Option<i32>,
    /// Whatever else rules compare.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<Label, Label>,
    /// Whom it is not to be matched with, beside those that it has blocked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub avoid: Vec<ParticipantId>,
    /// Whether it waits again by itself when its match ends by somebody else's doing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub requeue: bool,
}

/// Why a wish cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct WishError(pub String);

/// A ticket that waits, as the rules see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Which.
    pub id: TicketId,
    /// Rises with every change of it: the fence of whoever claims it.
    pub version: i64,
    /// When it began to wait.
    pub since: Timestamp,
    /// It was let down by a partner who did not confirm: it comes before those who were not.
    pub ahead: bool,
    /// What it wants.
    pub wish: Arc<Wish>,
}

/// Where a ticket is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TicketState {
    /// It waits for partners.
    Waiting,
    /// There is a match, which everybody has to confirm.
    Proposed,
    /// It is in a match that stands.
    Matched,
    /// It has ended, see [`TicketEnd`].
    Over,
}

/// Why a ticket has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TicketEnd {
    /// Its user has taken it back.
    Cancelled,
    /// Nothing was heard of its user.
    Silent,
    /// Nobody was found within the queue's longest wait.
    TimedOut,
    /// Its user did not confirm a match in time.
    Unconfirmed,
    /// Its user has declined a match.
    Declined,
    /// Its match is over.
    Played,
    /// Its queue was deleted.
    QueueGone,
    /// Its user can get no seat in a tournament.
    NoSeat,
}

impl TicketState {
    /// Its name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            TicketState::Waiting => "waiting",
            TicketState::Proposed => "proposed",
            TicketState::Matched => "matched",
            TicketState::Over => "over",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<TicketState> {
        [TicketState::Waiting, TicketState::Proposed, TicketState::Matched, TicketState::Over]
            .into_iter()
            .find(|state| state.as_str() == name)
    }
}

impl TicketEnd {
    /// All of them.
    pub const ALL: [TicketEnd; 8] = [
        TicketEnd::Cancelled,
        TicketEnd::Silent,
        TicketEnd::TimedOut,
        TicketEnd::Unconfirmed,
        TicketEnd::Declined,
        TicketEnd::Played,
        TicketEnd::QueueGone,
        TicketEnd::NoSeat,
    ];

    /// Its name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            TicketEnd::Cancelled => "cancelled",
            TicketEnd::Silent => "silent",
            TicketEnd::TimedOut => "timed_out",
            TicketEnd::Unconfirmed => "unconfirmed",
            TicketEnd::Declined => "declined",
            TicketEnd::Played => "played",
            TicketEnd::QueueGone => "queue_gone",
            TicketEnd::NoSeat => "no_seat",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<TicketEnd> {
        TicketEnd::ALL.into_iter().find(|end| end.as_str() == name)
    }
}

impl Kind {
    /// Its name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Human => "human",
            Kind::Bot => "bot",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Kind> {
        [Kind::Human, Kind::Bot].into_iter().find(|kind| kind.as_str() == name)
    }
}

impl Wish {
    /// A wish of somebody of whom nothing else is known.
    pub fn of(user: ParticipantId, kind: Kind) -> Wish {
        Wish {
            user,
            kind,
            name: None,
            party: Vec::new(),
            region: None,
            language: None,
            interests: Vec::new(),
            rating: None,
            attributes: BTreeMap::new(),
            avoid: Vec::new(),
            requeue: false,
        }
    }

    /// Users on the ticket.
    pub fn size(&self) -> u32 {
        u32::try_from(self.party.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// All users on the ticket, the one who acts first.
    pub fn users(&self) -> impl Iterator<Item = &ParticipantId> {
        std::iter::once(&self.user).chain(&self.party)
    }
}
