//! Messages in text frames.

use super::envelope::{self, Envelope, object};
use super::error::DecodeError;
use super::message::{Body, ClientMessage, UserPayload};
use super::reference::Ref;
use super::version::Vsn;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The payload of a broadcast; its `type` says `broadcast` once more.
#[derive(Deserialize)]
struct Broadcast<'a> {
    #[serde(borrow, default)]
    event: Cow<'a, str>,
    #[serde(borrow, default)]
    payload: Option<&'a RawValue>,
    #[serde(borrow, default)]
    meta: Option<&'a RawValue>,
}

/// The message in a text frame.
pub fn decode_text(vsn: Vsn, text: &str) -> Result<ClientMessage<'_>, DecodeError> {
    let Envelope { join_ref, reference, topic, event, payload } = envelope::open(vsn, text)?;
    let body = if event == "broadcast" { user_broadcast(payload)? } else { Body::Json(payload) };
    let (join_ref, reference) = (Ref::of_json(join_ref)?, Ref::of_json(reference)?);
    ClientMessage { join_ref, reference, topic, event, body }.bounded()
}

fn user_broadcast(payload: &RawValue) -> Result<Body<'_>, DecodeError> {
    let Broadcast { event, payload, meta } = object(payload.get())?;
    let payload = match payload {
        Some(payload) => payload,
        None => serde_json::from_str("{}")?,
    };
    Ok(Body::UserBroadcast { event, meta, payload: UserPayload::Json(payload) })
}
