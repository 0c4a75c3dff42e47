//! Refs: what a client numbers its messages with, and its channels.

use super::error::DecodeError;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// A ref, kept as the JSON that the client wrote, because it is echoed: who sends a number compares with a number.
/// Two refs are equal if they are written alike.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Ref<'a>(Cow<'a, str>);

impl<'a> Ref<'a> {
    /// The longest ref as JSON, in bytes: what a binary frame can carry, and its quotes.
    pub const MAX_LEN: usize = 257;

    /// The ref as JSON.
    pub fn as_json(&self) -> &str {
        &self.0
    }

    /// A ref to keep.
    pub fn into_owned(self) -> Ref<'static> {
        Ref(Cow::Owned(self.0.into_owned()))
    }

    /// What stands in a client's text where a ref belongs. Null is no ref.
    pub(super) fn of_json(raw: Option<&'a RawValue>) -> Result<Option<Ref<'a>>, DecodeError> {
        let Some(raw) = raw.map(RawValue::get).filter(|raw| *raw != "null") else { return Ok(None) };
        if !raw.starts_with(|first: char| first == '"' || first == '-' || first.is_ascii_digit()) {
            return Err(DecodeError::BadRef);
        }
        if raw.len() > Self::MAX_LEN {
            return Err(DecodeError::TooLong { what: "a ref", limit: Self::MAX_LEN });
        }
        Ok(Some(Ref(Cow::Borrowed(raw))))
    }
}

/// A ref that is a string.
impl From<&str> for Ref<'static> {
    fn from(text: &str) -> Ref<'static> {
        let json = serde_json::to_string(text).expect("invariant: every string is JSON");
        Ref(Cow::Owned(json))
    }
}

/// As JSON.
impl fmt::Display for Ref<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
