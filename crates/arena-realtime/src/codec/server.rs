//! Frames that the gateway sends: complete WebSocket frames, ready for any number of sockets.
//!
//! Topics are as on the wire, `realtime:` included. Payloads are JSON that the caller vouches for.

use super::binary::{BROADCAST_KIND, ENCODING_BINARY, USER_BROADCAST};
use super::reference::Ref;
use super::version::{Dialect, Vsn};
use crate::frame::{FrameBuilder, Opcode};
use arena_bus::{Message, Payload};
use bytes::Bytes;
use std::io::Write as _;

/// What a reply says about the message it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It was done.
    Ok,
    /// It was refused.
    Error,
}

impl Status {
    fn as_str(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Error => "error",
        }
    }
}

/// About what the parts of an envelope that never change come to, in bytes.
const ENVELOPE: usize = 80;
/// The same for the payload of a broadcast and its meta.
const BROADCAST: usize = 160;

/// `phx_reply` to the message that `reference` names.
pub fn reply(
    vsn: Vsn,
    join_ref: Option<&Ref<'_>>,
    reference: Option<&Ref<'_>>,
    topic: &str,
    status: Status,
    response_json: &str,
) -> Bytes {
    let envelope = Envelope { vsn, join_ref, reference, topic, event: "phx_reply" };
    envelope.around(response_json.len() + 32, |out| {
        out.extend_from_slice(b"{\"status\":\"");
        out.extend_from_slice(status.as_str().as_bytes());
        out.extend_from_slice(b"\",\"response\":");
        out.extend_from_slice(response_json.as_bytes());
        out.push(b'}');
    })
}

/// A message of the server's own. `join_ref` is that of the join it belongs to, if it is for one member only.
///
/// Its ref is null, except that `phx_close` and `phx_error` carry the join's: clients ignore those that name another.
pub fn push(vsn: Vsn, join_ref: Option<&Ref<'_>>, topic: &str, event: &str, payload_json: &str) -> Bytes {
    let reference = join_ref.filter(|_| matches!(event, "phx_close" | "phx_error"));
    let envelope = Envelope { vsn, join_ref, reference, topic, event };
    envelope.around(payload_json.len(), |out| out.extend_from_slice(payload_json.as_bytes()))
}

/// A topic's message as a broadcast, the same for all members that speak `dialect`. `replayed` says that it is older than
/// the join it follows.
///
/// JSON goes as text to everyone. Bytes go as a binary frame, which version 1 does not have: there is none for it.
/// Neither is there one for bytes under an event of more than 255 bytes. A binary frame leaves out an id with which
/// `meta` would exceed 255 bytes.
pub fn broadcast(dialect: Dialect, topic: &str, message: &Message, replayed: bool) -> Option<Bytes> {
    broadcast_of(dialect, topic, message, &message.payload, replayed)
}

/// The same with another payload in place of the message's own.
pub fn broadcast_of(
    dialect: Dialect,
    topic: &str,
    message: &Message,
    payload: &Payload,
    replayed: bool,
) -> Option<Bytes> {
    match (payload, dialect) {
        (Payload::Json(json), _) => Some(text_broadcast(dialect.vsn(), topic, message, json, replayed)),
        (Payload::Binary(bytes), Dialect::V2) => binary_broadcast(topic, message, bytes, replayed),
        (Payload::Binary(bytes), Dialect::Phoenix) => phoenix_broadcast(topic, message, bytes),
        (Payload::Binary(_), Dialect::V1) => None,
    }
}

fn text_broadcast(vsn: Vsn, topic: &str, message: &Message, json: &[u8], replayed: bool) -> Bytes {
    let envelope = Envelope { vsn, join_ref: None, reference: None, topic, event: "broadcast" };
    envelope.around(BROADCAST + message.event.len() + json.len(), |out| {
        out.extend_from_slice(b"{\"type\":\"broadcast\",\"event\":");
        write_string(out, &message.event);
        out.extend_from_slice(b",\"payload\":");
        out.extend_from_slice(json);
        out.extend_from_slice(b",\"meta\":");
        write_meta(out, message, replayed, true);
        out.push(b'}');
    })
}

fn binary_broadcast(topic: &str, message: &Message, bytes: &[u8], replayed: bool) -> Option<Bytes> {
    let mut meta = Vec::with_capacity(BROADCAST);
    write_meta(&mut meta, message, replayed, true);
    if meta.len() > usize::from(u8::MAX) {
        meta.clear();
        write_meta(&mut meta, message, replayed, false);
    }
    let event = message.event.as_bytes();
    let lengths = [topic.len(), event.len(), meta.len()].map(u8::try_from);
    let [Ok(topic_len), Ok(event_len), Ok(meta_len)] = lengths else { return None };
    let mut frame = FrameBuilder::with_capacity(5 + topic.len() + event.len() + meta.len() + bytes.len());
    let out = frame.payload();
    out.extend_from_slice(&[USER_BROADCAST, topic_len, event_len, meta_len, ENCODING_BINARY]);
    for part in [topic.as_bytes(), event, &meta, bytes] {
        out.extend_from_slice(part);
    }
    Some(frame.finish(Opcode::Binary))
}

/// Plain Phoenix has no place for `meta`.
fn phoenix_broadcast(topic: &str, message: &Message, bytes: &[u8]) -> Option<Bytes> {
    let event = message.event.as_bytes();
    let lengths = [topic.len(), event.len()].map(u8::try_from);
    let [Ok(topic_len), Ok(event_len)] = lengths else { return None };
    let mut frame = FrameBuilder::with_capacity(3 + topic.len() + event.len() + bytes.len());
    let out = frame.payload();
    out.extend_from_slice(&[BROADCAST_KIND, topic_len, event_len]);
    for part in [topic.as_bytes(), event, bytes] {
        out.extend_from_slice(part);
    }
    Some(frame.finish(Opcode::Binary))
}

/// `{id, offset, epoch, replayed?}`; of a transient message `{id}`, because it has no place that one could go on from.
fn write_meta(out: &mut Vec<u8>, message: &Message, replayed: bool, with_id: bool) {
    out.push(b'{');
    if with_id {
        out.extend_from_slice(b"\"id\":");
        write_string(out, &message.id());
    }
    if message.transient {
        return out.push(b'}');
    }
    if with_id {
        out.push(b',');
    }
    out.extend_from_slice(b"\"offset\":");
    write!(out, "{}", message.offset).expect("invariant: a Vec takes every byte");
    out.extend_from_slice(b",\"epoch\":");
    write_string(out, message.epoch.as_str());
    if replayed {
        out.extend_from_slice(b",\"replayed\":true");
    }
    out.push(b'}');
}

/// What is around every payload.
struct Envelope<'a> {
    vsn: Vsn,
    join_ref: Option<&'a Ref<'a>>,
    reference: Option<&'a Ref<'a>>,
    topic: &'a str,
    event: &'a str,
}

impl Envelope<'_> {
    /// The text frame with what `write` writes as its payload, about `len` bytes.
    fn around(&self, len: usize, write: impl FnOnce(&mut Vec<u8>)) -> Bytes {
        let mut frame = FrameBuilder::with_capacity(ENVELOPE + self.topic.len() + len);
        let out = frame.payload();
        match self.vsn {
            Vsn::V1 => self.around_v1(out, write),
            Vsn::V2 => self.around_v2(out, write),
        }
        frame.finish(Opcode::Text)
    }

    /// There is no join_ref in version 1, and `ref` is always there: the Python client asks for the key.
    fn around_v1(&self, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        out.extend_from_slice(b"{\"topic\":");
        write_string(out, self.topic);
        out.extend_from_slice(b",\"event\":");
        write_string(out, self.event);
        out.extend_from_slice(b",\"payload\":");
        write(out);
        out.extend_from_slice(b",\"ref\":");
        write_ref(out, self.reference);
        out.push(b'}');
    }

    fn around_v2(&self, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        out.push(b'[');
        write_ref(out, self.join_ref);
        out.push(b',');
        write_ref(out, self.reference);
        out.push(b',');
        write_string(out, self.topic);
        out.push(b',');
        write_string(out, self.event);
        out.push(b',');
        write(out);
        out.push(b']');
    }
}

fn write_ref(out: &mut Vec<u8>, reference: Option<&Ref<'_>>) {
    out.extend_from_slice(reference.map_or("null", Ref::as_json).as_bytes());
}

fn write_string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("invariant: every string is JSON and a Vec takes every byte");
}
