//! Messages of a client, as text of either version.

use crate::codec::{HEARTBEAT_TOPIC, Vsn};
use serde::Serialize;
use serde_json::value::RawValue;

/// A message of a client. JSON goes as text in both versions; servers take a user's broadcast that way too.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    /// The ref of the join that it belongs to; the join's own for `phx_join`.
    pub join_ref: Option<&'a str>,
    /// What the reply has to echo.
    pub reference: Option<&'a str>,
    /// The topic.
    pub topic: &'a str,
    /// `phx_join`, `phx_leave`, `broadcast`, `presence`, `access_token`, …
    pub event: &'a str,
    /// The payload.
    pub payload: &'a RawValue,
}

#[derive(Serialize)]
struct V1<'a> {
    topic: &'a str,
    event: &'a str,
    payload: &'a RawValue,
    #[serde(rename = "ref")]
    reference: Option<&'a str>,
    join_ref: Option<&'a str>,
}

impl<'a> Outgoing<'a> {
    /// A heartbeat.
    pub fn heartbeat(reference: &'a str, empty: &'a RawValue) -> Outgoing<'a> {
        Outgoing {
            join_ref: None,
            reference: Some(reference),
            topic: HEARTBEAT_TOPIC,
            event: "heartbeat",
            payload: empty,
        }
    }

    /// The text frame.
    pub fn encode(&self, vsn: Vsn) -> String {
        let Outgoing { join_ref, reference, topic, event, payload } = *self;
        let text = match vsn {
            Vsn::V1 => serde_json::to_string(&V1 { topic, event, payload, reference, join_ref }),
            Vsn::V2 => serde_json::to_string(&(join_ref, reference, topic, event, payload)),
        };
        text.expect("invariant: strings and JSON are JSON")
    }
}

/// The payload of a message whose event is `broadcast`.
pub fn user_broadcast_payload<T: Serialize + ?Sized>(event: &str, payload: &T) -> Box<RawValue> {
    #[derive(Serialize)]
    struct Broadcast<'a, T: ?Sized> {
        r#type: &'static str,
        event: &'a str,
        payload: &'a T,
    }
    raw(&Broadcast { r#type: "broadcast", event, payload })
}

/// The payload of a message whose event is `presence`: `shown` tracks it, `None` takes the presence back.
pub fn presence_payload<T: Serialize + ?Sized>(shown: Option<&T>) -> Box<RawValue> {
    #[derive(Serialize)]
    struct Presence<'a, T: ?Sized> {
        r#type: &'static str,
        event: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        payload: Option<&'a T>,
    }
    let event = if shown.is_some() { "track" } else { "untrack" };
    raw(&Presence { r#type: "presence", event, payload: shown })
}

/// What cannot be written as JSON (a map whose keys are no strings) goes as null.
pub(super) fn raw<T: Serialize + ?Sized>(value: &T) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned())
}
