//! What somebody may do in a topic.

use super::pattern::any;
use super::{Identity, TopicPattern};
use crate::token::Role;
use arena_core::channel::ChannelName;
use arena_core::conversation::ParticipantId;
use arena_core::topic::{TopicKind, TopicName};

/// What the operator decides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicySettings {
    /// Topics that are private whoever asks, and open only to tokens that grant them.
    pub private_topics: Vec<TopicPattern>,
}

/// What somebody may do in a topic that they may join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// Whether messages are delivered to them. Always true of a join that was let in.
    pub read: bool,
    /// Whether they may send: broadcasts, or a world's inputs.
    pub write: bool,
    /// Whether they may be present.
    pub presence: bool,
    /// Whether it is the private topic of this name. A private and a public topic of one name share nothing.
    pub private: bool,
}

/// Why somebody may not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// They may not join.
    #[error("You do not have permissions to read from this Channel topic: {0}")]
    Read(TopicName),
    /// They may not send.
    #[error("You do not have permissions to write to this Channel topic: {0}")]
    Write(TopicName),
    /// They may not be present.
    #[error("You do not have permissions to be present in this Channel topic: {0}")]
    Presence(TopicName),
    /// The topic is private, and they did not ask for it as such.
    #[error("This topic only allows private channels: {0}")]
    PrivateOnly(TopicName),
    /// They asked for a world by its id.
    #[error("Worlds come and go: ask for world:<channel>, the live world of a channel, instead of {0}")]
    WorldById(TopicName),
    /// No channel could have this name.
    #[error("A world's topic is world:<channel>, and no channel can have the name in {0}")]
    NoSuchWorld(TopicName),
    /// What is said in a conversation is charged first, which only its own doors do.
    #[error(
        "Messages of a conversation are charged: say them as a member of {0}, or by POST \
         /api/conversations/<id>/messages"
    )]
    Charged(TopicName),
}

impl Denied {
    /// The code that reasons begin with; clients match on it.
    pub fn code(&self) -> &'static str {
        match self {
            Denied::Read(_) | Denied::Write(_) | Denied::Presence(_) => "Unauthorized",
            Denied::PrivateOnly(_) => "PrivateOnly",
            Denied::WorldById(_) | Denied::NoSuchWorld(_) => "InvalidTopic",
            Denied::Charged(_) => "ChargedTopic",
        }
    }

    /// The `reason` of a refusal: `Code: text`.
    pub fn reason(&self) -> String {
        format!("{}: {self}", self.code())
    }
}

/// Decides who may do what where.
#[derive(Debug, Clone, Default)]
pub struct TopicPolicy {
    settings: PolicySettings,
}

impl TopicPolicy {
    /// Decides by these settings.
    pub fn new(settings: PolicySettings) -> TopicPolicy {
        TopicPolicy { settings }
    }

    /// What `who` may do in `topic`; `private` is whether they asked for it as private. An error is a refused join;
    /// what may be joined but not sent to is told by [`Access`].
    pub fn access(&self, who: &Identity, topic: &TopicName, private: bool) -> Result<Access, Denied> {
        let listed = any(&self.settings.private_topics, topic);
        if listed && !private {
            return Err(Denied::PrivateOnly(topic.clone()));
        }
        match topic.kind() {
            TopicKind::User(user) => notices(who, topic, user),
            TopicKind::World(channel) => world(who, topic, channel, listed),
            TopicKind::Operator(_) => operators(who, topic),
            // Its roster decides too, but that has to be asked for: see `attends`.
            TopicKind::Conversation(_) if listed => granted(who, topic),
            TopicKind::Lobby(_) | TopicKind::Free if private => granted(who, topic),
            TopicKind::Lobby(_) | TopicKind::Free | TopicKind::Conversation(_) => {
                Ok(Access { read: true, write: true, presence: true, private: false })
            }
        }
    }
}

impl TopicPolicy {
    /// Whether somebody may watch the world of a channel.
    pub fn may_watch(&self, who: &Identity, channel: &str) -> bool {
        let topic: Result<TopicName, _> = format!("world:{channel}").parse();
        topic.is_ok_and(|topic| self.access(who, &topic, true).is_ok())
    }
}

/// Whether somebody may be in a conversation with this roster: its participants, and services. Where it is empty,
/// anybody may. A made-up name is in no roster, whatever stands there.
pub(crate) fn attends(who: &Identity, roster: &[ParticipantId]) -> bool {
    let named = || !who.anonymous && roster.iter().any(|participant| participant.as_str() == &*who.user);
    who.role == Role::ServiceRole || roster.is_empty() || named()
}

/// What goes on in the server is told to services. Nobody writes there but the server itself.
fn operators(who: &Identity, topic: &TopicName) -> Result<Access, Denied> {
    if who.role != Role::ServiceRole {
        return Err(Denied::Read(topic.clone()));
    }
    Ok(Access { read: true, write: false, presence: false, private: true })
}

/// Notices are written by services and read by the one whom they are for. There is no public topic of that name.
fn notices(who: &Identity, topic: &TopicName, user: &str) -> Result<Access, Denied> {
    let service = who.role == Role::ServiceRole;
    if !service && *who.user != *user {
        return Err(Denied::Read(topic.clone()));
    }
    Ok(Access { read: true, write: service, presence: false, private: true })
}

/// A world is one, whether it is asked for as private or not. Everybody may watch it unless it is listed as private;
/// only who has a seat in it acts.
fn world(who: &Identity, topic: &TopicName, channel: &str, listed: bool) -> Result<Access, Denied> {
    if is_world_id(channel) {
        return Err(Denied::WorldById(topic.clone()));
    }
    if channel.parse::<ChannelName>().is_err() {
        return Err(Denied::NoSuchWorld(topic.clone()));
    }
    let seated = who.seat.as_ref().is_some_and(|seat| seat.channel == channel);
    let open = !listed || seated || who.role == Role::ServiceRole || any(&who.grants.read, topic);
    if !open {
        return Err(Denied::Read(topic.clone()));
    }
    let presence = !listed || seated || who.role == Role::ServiceRole || any(&who.grants.presence, topic);
    Ok(Access { read: true, write: seated, presence, private: listed })
}

/// A private topic: what the token grants, and everything to services.
fn granted(who: &Identity, topic: &TopicName) -> Result<Access, Denied> {
    if who.role == Role::ServiceRole {
        return Ok(Access { read: true, write: true, presence: true, private: true });
    }
    if !any(&who.grants.read, topic) {
        return Err(Denied::Read(topic.clone()));
    }
    let write = any(&who.grants.write, topic);
    let presence = any(&who.grants.presence, topic);
    Ok(Access { read: true, write, presence, private: true })
}

/// Whether a conversation is what residents of a world say: its id is the world's, a hyphen and a number. Nothing else is
/// called like that.
pub fn is_residents(conversation: &str) -> bool {
    let digits = |number: &str| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    conversation.rsplit_once('-').is_some_and(|(world, number)| is_world_id(world) && digits(number))
}

/// World ids are `w-` and a UUID without hyphens; a channel may well be called `w-2`.
fn is_world_id(name: &str) -> bool {
    let digits = name.strip_prefix("w-").unwrap_or_default();
    digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}
