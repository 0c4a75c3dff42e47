//! What servers say, out of frames of both versions. Nothing that a server sends makes this panic.

use crate::codec::envelope::{self, Envelope, object};
use crate::codec::message::UserPayload;
use crate::codec::{Status, Vsn};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Plain Phoenix: `kind | joinRefLen | topicLen | eventLen | joinRef | topic | event | payload`.
const PUSH: u8 = 0;
/// Plain Phoenix: `kind | joinRefLen | refLen | topicLen | statusLen | joinRef | ref | topic | status | payload`.
const REPLY: u8 = 1;
/// Plain Phoenix: `kind | topicLen | eventLen | topic | event | payload`.
const BROADCAST: u8 = 2;
/// Supabase: `kind | topicLen | eventLen | metaLen | enc | topic | event | meta | payload`.
const USER_BROADCAST: u8 = 4;

/// A message of a server. Borrows from the frame what it can.
#[derive(Debug, Clone)]
pub enum ServerMessage<'a> {
    /// The answer to a message of ours.
    Reply {
        /// The join's ref, as far as the version tells it.
        join_ref: Option<Cow<'a, str>>,
        /// The ref of what is answered.
        reference: Cow<'a, str>,
        /// The topic.
        topic: Cow<'a, str>,
        /// Whether it was done.
        status: Status,
        /// The rest; null where there is none, or where it is binary.
        response: &'a RawValue,
    },
    /// A user's broadcast.
    Broadcast {
        /// The topic.
        topic: Cow<'a, str>,
        /// Its event.
        event: Cow<'a, str>,
        /// What the server says about it: id, offset, epoch, replayed.
        meta: Option<&'a RawValue>,
        /// What it carries.
        payload: UserPayload<'a>,
    },
    /// Anything else: `presence_state`, `presence_diff`, `system`, `phx_close`, `phx_error`, …
    Push {
        /// The join's ref, or, in version 1, the message's ref, which stands for it in `phx_close` and `phx_error`.
        join_ref: Option<Cow<'a, str>>,
        /// The topic.
        topic: Cow<'a, str>,
        /// The event.
        event: Cow<'a, str>,
        /// The payload; null where there is none, or where it is binary.
        payload: &'a RawValue,
    },
}

/// What is wrong with a server's frame.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Not JSON, or not of the shape that the version has.
    #[error("the frame is malformed: {0}")]
    Malformed(#[from] serde_json::Error),
    /// A ref that is neither a string, nor a number, nor null.
    #[error("a ref is neither a string, nor a number, nor null")]
    BadRef,
    /// A reply without a ref: it answers nothing.
    #[error("a reply without a ref")]
    ReplyToNothing,
    /// A reply whose status is neither `ok` nor `error`.
    #[error("a reply is neither ok nor error")]
    BadStatus,
    /// A binary frame of an unknown kind.
    #[error("binary kind {0} is unknown")]
    UnknownKind(u8),
    /// A payload in no known encoding.
    #[error("payload encoding {0} is unknown")]
    UnknownEncoding(u8),
    /// A binary frame that ends before its lengths say.
    #[error("the binary frame is cut short")]
    Truncated,
    /// Text within a binary frame that is not UTF-8.
    #[error("{0} is not UTF-8")]
    NotUtf8(&'static str),
    /// Version 1 has no binary frames.
    #[error("version 1 has no binary frames")]
    Binary,
}

#[derive(Deserialize)]
struct ReplyPayload<'a> {
    #[serde(borrow)]
    status: Cow<'a, str>,
    #[serde(borrow, default)]
    response: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct BroadcastPayload<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(borrow, default)]
    payload: Option<&'a RawValue>,
    #[serde(borrow, default)]
    meta: Option<&'a RawValue>,
}

/// The message in a text frame.
pub fn decode_server_text(vsn: Vsn, text: &str) -> Result<ServerMessage<'_>, ServerError> {
    let Envelope { join_ref, reference, topic, event, payload } = envelope::open(vsn, text)?;
    let (join_ref, reference) = (ref_of(join_ref)?, ref_of(reference)?);
    match &*event {
        "phx_reply" => {
            let reference = reference.ok_or(ServerError::ReplyToNothing)?;
            let ReplyPayload { status, response } = object(payload.get())?;
            let (status, response) = (status_of(&status)?, response.unwrap_or(RawValue::NULL));
            Ok(ServerMessage::Reply { join_ref, reference, topic, status, response })
        }
        "broadcast" => {
            let BroadcastPayload { event, payload, meta } = object(payload.get())?;
            let payload = UserPayload::Json(payload.unwrap_or(RawValue::NULL));
            Ok(ServerMessage::Broadcast { topic, event, meta, payload })
        }
        _ => Ok(ServerMessage::Push { join_ref: join_ref.or(reference), topic, event, payload }),
    }
}

/// The message in a binary frame.
pub fn decode_server_binary(vsn: Vsn, bytes: &[u8]) -> Result<ServerMessage<'_>, ServerError> {
    if vsn == Vsn::V1 {
        return Err(ServerError::Binary);
    }
    match bytes {
        [USER_BROADCAST, topic, event, meta, encoding, rest @ ..] => {
            let mut parts = Parts { rest };
            let (topic, event) = (parts.text(*topic, "the topic")?, parts.text(*event, "the event")?);
            let meta = parts.text(*meta, "meta")?;
            let meta = if meta.is_empty() { None } else { Some(serde_json::from_str(meta)?) };
            let payload = match encoding {
                0 => UserPayload::Binary(parts.rest),
                1 => UserPayload::Json(serde_json::from_slice(parts.rest)?),
                unknown => return Err(ServerError::UnknownEncoding(*unknown)),
            };
            Ok(ServerMessage::Broadcast { topic: topic.into(), event: event.into(), meta, payload })
        }
        [BROADCAST, topic, event, rest @ ..] => {
            let mut parts = Parts { rest };
            let (topic, event) = (parts.text(*topic, "the topic")?, parts.text(*event, "the event")?);
            let payload = UserPayload::Binary(parts.rest);
            Ok(ServerMessage::Broadcast { topic: topic.into(), event: event.into(), meta: None, payload })
        }
        [REPLY, join_ref, reference, topic, status, rest @ ..] => {
            let mut parts = Parts { rest };
            let (join_ref, reference) = (parts.text(*join_ref, "a ref")?, parts.text(*reference, "a ref")?);
            let (topic, status) = (parts.text(*topic, "the topic")?, parts.text(*status, "the status")?);
            let reference = some(reference).ok_or(ServerError::ReplyToNothing)?;
            let (join_ref, topic, response) = (some(join_ref), topic.into(), RawValue::NULL);
            Ok(ServerMessage::Reply { join_ref, reference, topic, status: status_of(status)?, response })
        }
        [PUSH, join_ref, topic, event, rest @ ..] => {
            let mut parts = Parts { rest };
            let join_ref = some(parts.text(*join_ref, "a ref")?);
            let (topic, event) = (parts.text(*topic, "the topic")?, parts.text(*event, "the event")?);
            let payload = RawValue::NULL;
            Ok(ServerMessage::Push { join_ref, topic: topic.into(), event: event.into(), payload })
        }
        [] | [PUSH | REPLY | BROADCAST | USER_BROADCAST, ..] => Err(ServerError::Truncated),
        [unknown, ..] => Err(ServerError::UnknownKind(*unknown)),
    }
}

fn status_of(status: &str) -> Result<Status, ServerError> {
    match status {
        "ok" => Ok(Status::Ok),
        "error" => Ok(Status::Error),
        _ => Err(ServerError::BadStatus),
    }
}

/// An empty ref is none.
fn some(text: &str) -> Option<Cow<'_, str>> {
    (!text.is_empty()).then_some(Cow::Borrowed(text))
}

/// A ref as text, however it is written.
fn ref_of(raw: Option<&RawValue>) -> Result<Option<Cow<'_, str>>, ServerError> {
    let Some(json) = raw.map(RawValue::get).filter(|json| *json != "null") else { return Ok(None) };
    match json.as_bytes().first() {
        Some(b'"') => {
            #[derive(Deserialize)]
            struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
            let Text(text) = serde_json::from_str(json)?;
            Ok(Some(text))
        }
        Some(b'-' | b'0'..=b'9') => Ok(Some(Cow::Borrowed(json))),
        _ => Err(ServerError::BadRef),
    }
}

/// What is still to be taken apart.
struct Parts<'a> {
    rest: &'a [u8],
}

impl<'a> Parts<'a> {
    fn text(&mut self, len: u8, what: &'static str) -> Result<&'a str, ServerError> {
        let (part, rest) = self.rest.split_at_checked(len.into()).ok_or(ServerError::Truncated)?;
        self.rest = rest;
        std::str::from_utf8(part).map_err(|_| ServerError::NotUtf8(what))
    }
}
