//! Names in matchmaking: parsed once at the edge.

use crate::ids::ParseIdError;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
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

/// A short text that is an identifier, cheap to clone.
macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $what:literal, $max:literal, $fits:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The longest one, in bytes.
            pub const MAX_LEN: usize = $max;

            /// As text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let fits: fn(char) -> bool = $fits;
                if (1..=$max).contains(&text.len()) && text.chars().all(fits) {
                    Ok($name(text.into()))
                } else {
                    Err(ParseIdError::new($what, text))
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = ParseIdError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0.as_ref().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text!(
    /// A queue.
    QueueName,
    "queue name (1-64 of a-z 0-9 - _)",
    64,
    |c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c)
);
text!(
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
