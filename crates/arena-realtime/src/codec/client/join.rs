//! What a client asks for with a join.

use super::encode::raw;
use serde::Serialize;
use serde_json::value::RawValue;

/// The payload of `phx_join`.
#[derive(Clone, Copy, Default)]
pub struct JoinRequest<'a> {
    /// Its own broadcasts are to be answered.
    pub ack: bool,
    /// It wants to hear its own broadcasts too.
    pub own: bool,
    /// The private topic of that name is meant.
    pub private: bool,
    /// The key of its presence; `None`: the server chooses one.
    pub presence_key: Option<&'a str>,
    /// It wants to know who is there.
    pub watches_presence: bool,
    /// The `meta` of the last message that it has seen: it wants what followed. Servers that cannot ignore it.
    pub recover: Option<&'a RawValue>,
    /// In whose name it joins, if not in the connection's.
    pub access_token: Option<&'a str>,
}

#[derive(Serialize)]
struct Payload<'a> {
    config: Config<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<&'a str>,
}

#[derive(Serialize)]
struct Config<'a> {
    broadcast: Broadcast<'a>,
    presence: Presence<'a>,
    /// Named, if empty: servers tell the dialect by it.
    postgres_changes: [(); 0],
    private: bool,
}

#[derive(Serialize)]
struct Broadcast<'a> {
    ack: bool,
    #[serde(rename = "self")]
    own: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    recover: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct Presence<'a> {
    key: &'a str,
    enabled: bool,
}

impl JoinRequest<'_> {
    /// The payload.
    pub fn payload(&self) -> Box<RawValue> {
        let broadcast = Broadcast { ack: self.ack, own: self.own, recover: self.recover };
        let presence =
            Presence { key: self.presence_key.unwrap_or_default(), enabled: self.watches_presence };
        let config = Config { broadcast, presence, postgres_changes: [], private: self.private };
        raw(&Payload { config, access_token: self.access_token })
    }
}

// The token is a secret.
impl std::fmt::Debug for JoinRequest<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JoinRequest")
            .field("private", &self.private)
            .field("presence_key", &self.presence_key)
            .field("recover", &self.recover)
            .finish_non_exhaustive()
    }
}
