//! Messages in binary frames, which only version 2 has. Each begins with its kind; lengths are one byte each.

use super::error::DecodeError;
use super::message::{Body, ClientMessage, UserPayload};
use super::reference::Ref;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Plain Phoenix: `kind | joinRefLen | refLen | topicLen | eventLen | joinRef | ref | topic | event | payload`.
const PUSH: u8 = 0;
/// A user's broadcast:
/// `kind | joinRefLen | refLen | topicLen | eventLen | metaLen | enc | joinRef | ref | topic | event | meta | payload`.
const USER_BROADCAST_PUSH: u8 = 3;
/// A user's broadcast on its way to the members:
/// `kind | topicLen | eventLen | metaLen | enc | topic | event | meta | payload`.
pub(super) const USER_BROADCAST: u8 = 4;
/// Plain Phoenix, on its way to the members: `kind | topicLen | eventLen | topic | event | payload`.
pub(super) const BROADCAST_KIND: u8 = 2;
/// `enc` of bytes.
pub(super) const ENCODING_BINARY: u8 = 0;
/// `enc` of JSON.
const ENCODING_JSON: u8 = 1;

/// The message in a binary frame.
pub fn decode_binary(bytes: &[u8]) -> Result<ClientMessage<'_>, DecodeError> {
    match bytes {
        [PUSH, join_ref, reference, topic, event, rest @ ..] => {
            let mut parts = Parts { rest };
            let (join_ref, reference) = (parts.reference(*join_ref)?, parts.reference(*reference)?);
            let (topic, event) = (parts.text(*topic, "the topic")?, parts.text(*event, "the event")?);
            let body = Body::Binary(parts.rest);
            Ok(ClientMessage { join_ref, reference, topic: topic.into(), event: event.into(), body })
        }
        [USER_BROADCAST_PUSH, join_ref, reference, topic, event, meta, encoding, rest @ ..] => {
            let mut parts = Parts { rest };
            let (join_ref, reference) = (parts.reference(*join_ref)?, parts.reference(*reference)?);
            let (topic, event) = (parts.text(*topic, "the topic")?, parts.text(*event, "the event")?);
            let meta = parts.meta(*meta)?;
            let payload = user_payload(*encoding, parts.rest)?;
            let body = Body::UserBroadcast { event: event.into(), meta, payload };
            let event = Cow::Borrowed("broadcast");
            Ok(ClientMessage { join_ref, reference, topic: topic.into(), event, body })
        }
        [] | [PUSH | USER_BROADCAST_PUSH, ..] => Err(DecodeError::Truncated),
        [unknown, ..] => Err(DecodeError::UnknownKind(*unknown)),
    }
}

fn user_payload(encoding: u8, bytes: &[u8]) -> Result<UserPayload<'_>, DecodeError> {
    match encoding {
        ENCODING_BINARY => Ok(UserPayload::Binary(bytes)),
        ENCODING_JSON => Ok(UserPayload::Json(serde_json::from_slice(bytes)?)),
        unknown => Err(DecodeError::UnknownEncoding(unknown)),
    }
}

/// What is still to be taken apart.
struct Parts<'a> {
    rest: &'a [u8],
}

impl<'a> Parts<'a> {
    fn text(&mut self, len: u8, what: &'static str) -> Result<&'a str, DecodeError> {
        let (part, rest) = self.rest.split_at_checked(len.into()).ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        std::str::from_utf8(part).map_err(|_| DecodeError::NotUtf8(what))
    }

    /// An empty ref is none.
    fn reference(&mut self, len: u8) -> Result<Option<Ref<'static>>, DecodeError> {
        let text = self.text(len, "a ref")?;
        Ok((!text.is_empty()).then(|| Ref::from(text)))
    }

    fn meta(&mut self, len: u8) -> Result<Option<&'a RawValue>, DecodeError> {
        let text = self.text(len, "meta")?;
        Ok(if text.is_empty() { None } else { serde_json::from_str(text)? })
    }
}
