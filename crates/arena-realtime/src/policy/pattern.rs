//! Topics by name or by their beginning.

use arena_core::topic::TopicName;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A topic's name, or the beginning of names: `room:7` is one topic, `room:*` all that begin with `room:`, and `*`
/// every one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TopicPattern(String);

/// What is no pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a topic, or a topic's beginning and `*`, of 1 to {max} bytes", max = TopicName::MAX_LEN)]
pub struct BadPattern;

impl TopicPattern {
    /// Whether this topic is meant.
    pub fn matches(&self, topic: &TopicName) -> bool {
        match self.0.strip_suffix('*') {
            Some(beginning) => topic.as_str().starts_with(beginning),
            None => topic.as_str() == self.0,
        }
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TopicPattern {
    type Err = BadPattern;

    fn from_str(text: &str) -> Result<TopicPattern, BadPattern> {
        let inner = text.strip_suffix('*').unwrap_or(text);
        let fits = (1..=TopicName::MAX_LEN).contains(&text.len());
        if fits && !inner.contains('*') && !text.chars().any(char::is_control) {
            Ok(TopicPattern(text.to_owned()))
        } else {
            Err(BadPattern)
        }
    }
}

impl TryFrom<String> for TopicPattern {
    type Error = BadPattern;

    fn try_from(text: String) -> Result<TopicPattern, BadPattern> {
        text.parse()
    }
}

impl From<TopicPattern> for String {
    fn from(pattern: TopicPattern) -> String {
        pattern.0
    }
}

impl fmt::Display for TopicPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The private topics that a token opens, and for what. None of the three implies another.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Grants {
    /// Topics whose messages may be read; without it a topic cannot be joined.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub read: Vec<TopicPattern>,
    /// Topics that may be sent to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub write: Vec<TopicPattern>,
    /// Topics that one may be present in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub presence: Vec<TopicPattern>,
}

impl Grants {
    /// Patterns in each of the lists at most: they are looked through at every join.
    pub const MAX_PATTERNS: usize = 64;

    /// Whether it opens nothing.
    pub fn is_empty(&self) -> bool {
        self.lists().iter().all(|list| list.is_empty())
    }

    /// Whether a list is longer than [`Grants::MAX_PATTERNS`].
    pub fn is_too_long(&self) -> bool {
        self.lists().iter().any(|list| list.len() > Grants::MAX_PATTERNS)
    }

    fn lists(&self) -> [&Vec<TopicPattern>; 3] {
        [&self.read, &self.write, &self.presence]
    }
}

/// Whether one of the patterns means the topic.
pub(super) fn any(patterns: &[TopicPattern], topic: &TopicName) -> bool {
    patterns.iter().any(|pattern| pattern.matches(topic))
}
