//! What is around every payload in a text frame, whoever sends it.

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

/// The parts of a text frame, as they were written.
pub(super) struct Envelope<'a> {
    pub join_ref: Option<&'a RawValue>,
    pub reference: Option<&'a RawValue>,
    pub topic: Cow<'a, str>,
    pub event: Cow<'a, str>,
    /// Null where there is none.
    pub payload: &'a RawValue,
}

/// Takes a text frame apart.
pub(super) fn open(vsn: Vsn, text: &str) -> Result<Envelope<'_>, serde_json::Error> {
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
    Ok(Envelope { join_ref, reference, topic, event, payload: payload.unwrap_or(RawValue::NULL) })
}

/// Serde takes an array for an object whose keys are left out; nobody who means one means the other.
pub(super) fn object<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, serde_json::Error> {
    if text.trim_ascii_start().starts_with('{') {
        serde_json::from_str(text)
    } else {
        Err(serde::de::Error::custom("an object belongs here"))
    }
}
