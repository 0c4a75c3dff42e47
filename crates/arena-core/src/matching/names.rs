//! Names in matchmaking: parsed once at the edge.

use crate::ids::ParseIdError;
use crate::name::name;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// A UUID that names one kind of thing.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map($name).map_err(|_| ParseIdError::new($what, text))
            }
        }
    };
}

id!(
    /// A wish to be matched.
    TicketId,
    "ticket id"
);
id!(
    /// A match, and the tournament that it may be.
    MatchId,
    "match id"
);

name!(
    /// A queue.
    QueueName,
    "queue name (1-64 of a-z 0-9 - _)",
    64,
    |c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c)
);
name!(
    /// What a ticket says of itself in a word: a language, an interest, the name or the value of an attribute.
    Label,
    "label (1-64 bytes, no control characters)",
    64,
    |c| !c.is_control()
);

impl QueueName {
    /// The queue that is there from the start: pairs of strangers.
    pub fn strangers() -> QueueName {
        QueueName("strangers".into())
    }
}
