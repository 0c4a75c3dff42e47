//! What clients say.

use super::error::DecodeError;
use super::reference::Ref;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The longest topic and the longest name of an event, in bytes: binary frames count them in one byte.
pub const MAX_EVENT_BYTES: usize = 255;

/// A client's message. Borrows from the frame what it can.
#[derive(Debug, Clone)]
pub struct ClientMessage<'a> {
    /// The ref of the join that the message belongs to.
    pub join_ref: Option<Ref<'a>>,
    /// What an answer has to echo.
    pub reference: Option<Ref<'a>>,
    /// The topic as sent, `realtime:` included; 255 bytes at most.
    pub topic: Cow<'a, str>,
    /// What the client wants: `phx_join`, `heartbeat`, `broadcast`, …; 255 bytes at most.
    pub event: Cow<'a, str>,
    /// The rest.
    pub body: Body<'a>,
}

/// What a message carries.
#[derive(Debug, Clone)]
pub enum Body<'a> {
    /// A JSON value; null where the client sent none.
    Json(&'a RawValue),
    /// Bytes, by a plain Phoenix push.
    Binary(&'a [u8]),
    /// Something for all members of the topic: every message whose event is `broadcast`, in whatever frame it came.
    UserBroadcast {
        /// The name of the event, of the users' choice; 255 bytes at most. Empty where there is none.
        event: Cow<'a, str>,
        /// What the client wrote about it.
        meta: Option<&'a RawValue>,
        /// What it carries.
        payload: UserPayload<'a>,
    },
}

/// What a user's broadcast carries.
#[derive(Debug, Clone, Copy)]
pub enum UserPayload<'a> {
    /// A JSON value; an empty object where the client sent none.
    Json(&'a RawValue),
    /// Bytes.
    Binary(&'a [u8]),
}

impl Body<'_> {
    /// The id that the client gave to its broadcast in `meta.id`, so that it can send it again without harm.
    pub fn broadcast_id(&self) -> Option<Cow<'_, str>> {
        #[derive(Deserialize)]
        struct Meta<'a> {
            #[serde(borrow)]
            id: Cow<'a, str>,
        }
        let Body::UserBroadcast { meta: Some(meta), .. } = self else { return None };
        let meta: Meta<'_> = serde_json::from_str(meta.get()).ok()?;
        Some(meta.id).filter(|id| !id.is_empty())
    }
}

impl ClientMessage<'_> {
    /// What an answer needs of it, to keep.
    pub(crate) fn without_body(&self) -> ClientMessage<'static> {
        ClientMessage {
            join_ref: self.join_ref.clone().map(Ref::into_owned),
            reference: self.reference.clone().map(Ref::into_owned),
            topic: self.topic.clone().into_owned().into(),
            event: self.event.clone().into_owned().into(),
            body: Body::Json(RawValue::NULL),
        }
    }
}

impl<'a> ClientMessage<'a> {
    /// The message if nothing in it is longer than a binary frame could tell others.
    pub(super) fn bounded(self) -> Result<ClientMessage<'a>, DecodeError> {
        let user_event = match &self.body {
            Body::UserBroadcast { event, .. } => event.len(),
            _ => 0,
        };
        let limit = MAX_EVENT_BYTES;
        for (what, len) in [("the topic", self.topic.len()), ("the event", self.event.len().max(user_event))]
        {
            if len > limit {
                return Err(DecodeError::TooLong { what, limit });
            }
        }
        Ok(self)
    }
}
