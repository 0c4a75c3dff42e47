//! Names within conversations: parsed once at the edge.

use crate::ids::ParseIdError;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A text that is an identifier: visible, short, cheap to clone.
macro_rules! name {
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

name!(
    /// A conversation, also in its topic `conversation:<id>` and in paths.
    ConversationId,
    "conversation id (1-96 of A-Z a-z 0-9 . _ -)",
    96,
    |c| c.is_ascii_alphanumeric() || "._-".contains(c)
);
name!(
    /// Who talks: a user's id, or a bot's.
    ParticipantId,
    "participant id (1-128 bytes, no control characters)",
    128,
    |c| !c.is_control()
);
name!(
    /// A message, by its sender's choice. A second one under the same id in the same conversation is a repeat.
    MessageId,
    "message id (1-128 visible ASCII characters)",
    128,
    |c| c.is_ascii_graphic()
);
name!(
    /// A part of a budget that is held for somebody.
    ReservationId,
    "reservation id (1-128 visible ASCII characters)",
    128,
    |c| c.is_ascii_graphic()
);
