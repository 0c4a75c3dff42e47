//! Topics: realtime addresses, without the prefix that the wire puts before them.

use crate::ids::ParseIdError;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// What stands before the name of a private topic.
const PRIVATE: char = '\u{1}';

/// A realtime address such as `lobby:main` or `world:main-2`. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TopicName(Arc<str>);

/// What a topic is about, by the word before its colon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopicKind<'a> {
    /// A place to meet, by its name.
    Lobby(&'a str),
    /// The live world of a channel, by the channel's name.
    World(&'a str),
    /// Notices for one user, by the user's id.
    User(&'a str),
    /// A conversation, by its id.
    Conversation(&'a str),
    /// What operators watch, by its subject.
    Operator(&'a str),
    /// Whatever its users make of it.
    Free,
}

impl TopicName {
    /// The longest topic, in bytes: the binary frame of the protocol counts a topic and its prefix in one byte.
    pub const MAX_LEN: usize = 240;

    /// The topic as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The topic of a channel's world.
    pub fn of_world(channel: &crate::channel::ChannelName) -> TopicName {
        TopicName(format!("world:{channel}").into())
    }

    /// The topic of a conversation.
    pub fn of_conversation(id: &crate::conversation::ConversationId) -> TopicName {
        TopicName(format!("conversation:{id}").into())
    }

    /// The private topic beside the public one of this name. No text parses to it, so no client can name it.
    pub fn private(&self) -> TopicName {
        TopicName(format!("{PRIVATE}{}", self.0).into())
    }

    /// The name as clients know it, of a public topic and of the private one beside it.
    pub fn public_name(&self) -> &str {
        self.0.strip_prefix(PRIVATE).unwrap_or(&self.0)
    }

    /// What it is about.
    pub fn kind(&self) -> TopicKind<'_> {
        match self.0.split_once(':') {
            Some(("lobby", name)) => TopicKind::Lobby(name),
            Some(("world", channel)) => TopicKind::World(channel),
            Some(("user", user)) => TopicKind::User(user),
            Some(("conversation", id)) => TopicKind::Conversation(id),
            Some(("operator", subject)) => TopicKind::Operator(subject),
            _ => TopicKind::Free,
        }
    }
}

impl FromStr for TopicName {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = (1..=Self::MAX_LEN).contains(&text.len());
        if fits && !text.chars().any(char::is_control) {
            Ok(TopicName(text.into()))
        } else {
            Err(ParseIdError::new("topic (1-240 bytes, no control characters)", text))
        }
    }
}

impl TryFrom<String> for TopicName {
    type Error = ParseIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<TopicName> for String {
    fn from(topic: TopicName) -> String {
        topic.0.as_ref().to_owned()
    }
}

impl fmt::Display for TopicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_before_the_colon_says_what_a_topic_is_about() {
        for (topic, kind) in [
            ("lobby:main", TopicKind::Lobby("main")),
            ("world:main-2", TopicKind::World("main-2")),
            ("user:u:1", TopicKind::User("u:1")),
            ("conversation:7", TopicKind::Conversation("7")),
            ("operator:conversations", TopicKind::Operator("conversations")),
            ("room:1", TopicKind::Free),
            ("lobby", TopicKind::Free),
        ] {
            assert_eq!(topic.parse::<TopicName>().unwrap().kind(), kind, "{topic}");
        }
    }

    #[test]
    fn topics_that_no_frame_could_carry_are_refused() {
        for bad in ["", "a\nb", &"ü".repeat(121)] {
            assert!(bad.parse::<TopicName>().is_err(), "{bad:?}");
        }
    }
}
