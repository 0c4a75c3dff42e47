//! What a client wants when it joins.

use crate::token::is_key_name;
use arena_bus::{Epoch, Position};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// The payload of `phx_join`. What is missing or wrong has its default: a join never fails for its settings.
#[derive(Clone, PartialEq, Eq)]
pub struct JoinConfig {
    /// How it wants to hear broadcasts.
    pub broadcast: BroadcastConfig,
    /// How it wants to be seen.
    pub presence: PresenceConfig,
    /// The topic is for those only whom the policy lets in. Default: false.
    pub private: bool,
    /// The last message that it has seen: it wants what followed.
    pub recover: Option<Position>,
    /// It names the changes of tables that it wants, if only none: it is a client of Supabase Realtime.
    pub names_changes: bool,
    /// A token that replaces the connection's. Null and what begins with `sb_` (an API key) is none.
    pub access_token: Option<String>,
}

/// How a member wants to hear broadcasts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BroadcastConfig {
    /// Its own broadcasts are to be answered. Default: false.
    pub ack: bool,
    /// It wants to hear its own broadcasts too (`self`). Default: false.
    pub own: bool,
    /// It wants messages from before its join.
    pub replay: Option<Replay>,
    /// It wants the newest message from before its join. Default: false.
    pub last: bool,
    /// It wants a world's snapshot as a broadcast and not in the answer, because its library does not show it answers
    /// (`snapshot: "broadcast"`). Default: false.
    pub snapshot_as_broadcast: bool,
    /// The field of its JSON payloads that is the message's id, because its library sends nothing beside payloads.
    pub id_field: Option<String>,
}

/// Messages from before a join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replay {
    /// Published at this time or later, in milliseconds since the Unix epoch.
    pub since_ms: u64,
    /// So many of the newest at most.
    pub limit: Option<usize>,
}

/// How a member wants to be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresenceConfig {
    /// The key to be seen under; `None` (and an empty one) is for the gateway to choose.
    pub key: Option<String>,
    /// It wants to know who is there. Default: true, because older clients do not say.
    pub enabled: bool,
}

impl Default for PresenceConfig {
    fn default() -> Self {
        PresenceConfig { key: None, enabled: true }
    }
}

/// A setting that could not be used as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Complaint {
    /// Where it is, for example `config.broadcast.ack`.
    pub field: &'static str,
    /// What belongs there, for example `a boolean`.
    pub expected: &'static str,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not {}", self.field, self.expected)
    }
}

/// The token is left out.
impl fmt::Debug for JoinConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinConfig")
            .field("broadcast", &self.broadcast)
            .field("presence", &self.presence)
            .field("private", &self.private)
            .field("recover", &self.recover)
            .field("names_changes", &self.names_changes)
            .field("access_token", &self.access_token.as_ref().map(|_| "…"))
            .finish()
    }
}

/// Something in the payload: absent, or any JSON. Null counts as absent.
type Raw<'a> = Option<&'a RawValue>;

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawJoin<'a> {
    #[serde(borrow)]
    config: Raw<'a>,
    #[serde(borrow)]
    access_token: Raw<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawConfig<'a> {
    #[serde(borrow)]
    broadcast: Raw<'a>,
    #[serde(borrow)]
    presence: Raw<'a>,
    #[serde(borrow)]
    private: Raw<'a>,
    #[serde(borrow)]
    postgres_changes: Raw<'a>,
    #[serde(borrow)]
    recover: Raw<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawBroadcast<'a> {
    #[serde(borrow)]
    ack: Raw<'a>,
    #[serde(borrow, rename = "self")]
    own: Raw<'a>,
    #[serde(borrow)]
    replay: Raw<'a>,
    #[serde(borrow)]
    recover: Raw<'a>,
    #[serde(borrow)]
    last: Raw<'a>,
    #[serde(borrow)]
    snapshot: Raw<'a>,
    #[serde(borrow)]
    id_field: Raw<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawPresence<'a> {
    #[serde(borrow)]
    key: Raw<'a>,
    #[serde(borrow)]
    enabled: Raw<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawReplay<'a> {
    #[serde(borrow)]
    since: Raw<'a>,
    #[serde(borrow)]
    limit: Raw<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawPosition<'a> {
    #[serde(borrow)]
    id: Raw<'a>,
    #[serde(borrow)]
    offset: Raw<'a>,
    #[serde(borrow)]
    epoch: Raw<'a>,
}

impl JoinConfig {
    /// Reads the payload of a join, and says what in it could not be used. Unknown keys are for other servers.
    pub fn parse(payload: &RawValue) -> (JoinConfig, Vec<Complaint>) {
        let mut reader = Reader::default();
        let join: RawJoin<'_> = reader.object(Some(payload), "payload").unwrap_or_default();
        let config: RawConfig<'_> = reader.object(join.config, "config").unwrap_or_default();
        let broadcast: RawBroadcast<'_> =
            reader.object(config.broadcast, "config.broadcast").unwrap_or_default();
        let presence: RawPresence<'_> = reader.object(config.presence, "config.presence").unwrap_or_default();
        let recover = reader
            .position(broadcast.recover, "config.broadcast.recover")
            .or_else(|| reader.position(config.recover, "config.recover"));
        let config = JoinConfig {
            broadcast: BroadcastConfig {
                ack: reader.flag(broadcast.ack, "config.broadcast.ack").unwrap_or(false),
                own: reader.flag(broadcast.own, "config.broadcast.self").unwrap_or(false),
                replay: reader.replay(broadcast.replay),
                last: reader.flag(broadcast.last, "config.broadcast.last").unwrap_or(false),
                snapshot_as_broadcast: reader
                    .text(broadcast.snapshot, "config.broadcast.snapshot")
                    .as_deref()
                    == Some("broadcast"),
                id_field: reader.text(broadcast.id_field, "config.broadcast.id_field"),
            },
            presence: PresenceConfig {
                key: reader.text(presence.key, "config.presence.key").filter(|key| !key.is_empty()),
                enabled: reader.flag(presence.enabled, "config.presence.enabled").unwrap_or(true),
            },
            private: reader.flag(config.private, "config.private").unwrap_or(false),
            recover,
            names_changes: config.postgres_changes.is_some(),
            access_token: reader.text(join.access_token, "access_token").filter(|token| !is_key_name(token)),
        };
        (config, reader.complaints)
    }
}

/// Reads settings and remembers which it could not use.
#[derive(Default)]
struct Reader {
    complaints: Vec<Complaint>,
}

impl Reader {
    /// What `read` makes of a setting, if it is there.
    fn setting<'a, T>(
        &mut self,
        raw: Raw<'a>,
        field: &'static str,
        expected: &'static str,
        read: impl FnOnce(&'a str) -> Option<T>,
    ) -> Option<T> {
        let json = raw.map(RawValue::get).filter(|json| *json != "null")?;
        let value = read(json);
        if value.is_none() {
            self.complaints.push(Complaint { field, expected });
        }
        value
    }

    fn object<'a, T: Deserialize<'a>>(&mut self, raw: Raw<'a>, field: &'static str) -> Option<T> {
        // Arrays would be taken for objects whose keys are left out.
        self.setting(raw, field, "an object", |json| {
            if json.starts_with('{') { serde_json::from_str(json).ok() } else { None }
        })
    }

    /// Some clients send `"true"` for true.
    fn flag(&mut self, raw: Raw<'_>, field: &'static str) -> Option<bool> {
        self.setting(raw, field, "a boolean", |json| match json.trim_matches('"') {
            text if text.eq_ignore_ascii_case("true") => Some(true),
            text if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        })
    }

    fn text(&mut self, raw: Raw<'_>, field: &'static str) -> Option<String> {
        self.setting(raw, field, "a string", |json| serde_json::from_str(json).ok())
    }

    /// A whole number that is not negative, bare or in quotes.
    fn number(&mut self, raw: Raw<'_>, field: &'static str) -> Option<u64> {
        self.setting(raw, field, "a whole number", |json| json.trim_matches('"').parse().ok())
    }

    /// Without `since` there is nothing to go by.
    fn replay(&mut self, raw: Raw<'_>) -> Option<Replay> {
        let replay: RawReplay<'_> = self.object(raw, "config.broadcast.replay")?;
        let since_ms = self.number(replay.since, "config.broadcast.replay.since");
        let limit = self.number(replay.limit, "config.broadcast.replay.limit");
        Some(Replay { since_ms: since_ms?, limit: limit.and_then(|limit| limit.try_into().ok()) })
    }

    /// An offset and an epoch, or the id of a message to which its publisher gave none: `epoch:offset`, and of a
    /// transient one `epoch:offset+sequence`.
    fn position(&mut self, raw: Raw<'_>, field: &'static str) -> Option<Position> {
        let position: RawPosition<'_> = self.object(raw, field)?;
        if let Some(id) = position.id.and_then(|json| serde_json::from_str::<String>(json.get()).ok()) {
            let (epoch, offset) = id.split_once(':')?;
            // A transient message is called after the one before it.
            let (offset, _) = offset.split_once('+').unwrap_or((offset, ""));
            return Some(Position { offset: offset.parse().ok()?, epoch: Epoch::from(epoch) });
        }
        let epoch = position.epoch.and_then(|json| serde_json::from_str::<Cow<'_, str>>(json.get()).ok());
        let offset = position.offset.and_then(|json| json.get().trim_matches('"').parse().ok());
        let both = epoch.zip(offset);
        if both.is_none() {
            self.complaints.push(Complaint { field, expected: "an offset and an epoch" });
        }
        both.map(|(epoch, offset)| Position { offset, epoch: Epoch::from(&*epoch) })
    }
}

#[cfg(test)]
mod tests;
