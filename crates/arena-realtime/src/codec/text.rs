//! Messages in text frames.

use super::error::DecodeError;
use super::message::{Body, ClientMessage, UserPayload};
use super::reference::Ref;
use super::version::Vsn;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Version 1: `{topic, event, payload, ref, join_ref?}`.
#[derive(Deserialize)]
struct V1<'a> {
    #[serde(borrow)]
    topic: Cow<'a, str>,
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(borrow, default)]
    payload: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "ref")]
    reference: Option<&'a RawValue>,
    #[serde(borrow, default)]
    join_ref: Option<&'a RawValue>,
}

/// Version 2: `[join_ref, ref, topic, event, payload]`.
#[derive(Deserialize)]
struct V2<'a>(
    #[serde(borrow)] Option<&'a RawValue>,
    #[serde(borrow)] Option<&'a RawValue>,
    #[serde(borrow)] Cow<'a, str>,
    #[serde(borrow)] Cow<'a, str>,
    #[serde(borrow)] Option<&'a RawValue>,
);

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
    let (join_ref, reference, topic, event, payload) = match vsn {
        Vsn::V1 => {
            let V1 { topic, event, payload, reference, join_ref } = object(text)?;
            (join_ref, reference, topic, event, payload)
        }
        Vsn::V2 => {
            let V2(join_ref, reference, topic, event, payload) = serde_json::from_str(text)?;
            (join_ref, reference, topic, event, payload)
        }
    };
    let payload = payload.unwrap_or(RawValue::NULL);
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

/// Serde takes an array for an object whose keys are left out; clients that mean one do not mean the other.
fn object<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, serde_json::Error> {
    if text.trim_ascii_start().starts_with('{') {
        serde_json::from_str(text)
    } else {
        Err(serde::de::Error::custom("an object belongs here"))
    }
}
