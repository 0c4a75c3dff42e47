//! Messages on their way to the members of a room: encoded once per version, shared as bytes.

use super::Member;
use crate::codec::{Vsn, server};
use arena_bus::Message;
use bytes::{Bytes, BytesMut};
use std::cell::OnceCell;
use std::sync::Arc;

/// A batch of messages and, as soon as somebody wants them, their frames.
pub(super) struct Delivery<'a> {
    topic: &'a str,
    messages: &'a [Arc<Message>],
    v1: Encoded,
    v2: Encoded,
}

/// One version's frames: of each message, and of all together.
#[derive(Default)]
struct Encoded {
    each: OnceCell<Vec<Bytes>>,
    all: OnceCell<Bytes>,
}

impl<'a> Delivery<'a> {
    /// `topic` is as it stands on the wire.
    pub(super) fn new(topic: &'a str, messages: &'a [Arc<Message>]) -> Delivery<'a> {
        Delivery { topic, messages, v1: Encoded::default(), v2: Encoded::default() }
    }

    /// What this member gets, as one piece: everything, or what it has not had and did not send itself.
    pub(super) fn frames_for(&self, member: &Member) -> Bytes {
        if self.messages.iter().all(|message| member.wants(message)) {
            return self.all(member.session.vsn);
        }
        let each = self.each(member.session.vsn).iter().zip(self.messages);
        join(each.filter(|(_, message)| member.wants(message)).map(|(frame, _)| frame))
    }

    fn all(&self, vsn: Vsn) -> Bytes {
        let encoded = self.encoded(vsn);
        encoded.all.get_or_init(|| join(self.each(vsn).iter())).clone()
    }

    fn each(&self, vsn: Vsn) -> &[Bytes] {
        // What a version cannot carry is an empty frame: nothing.
        let encode =
            |message: &Arc<Message>| server::broadcast(vsn, self.topic, message, false).unwrap_or_default();
        self.encoded(vsn).each.get_or_init(|| self.messages.iter().map(encode).collect())
    }

    fn encoded(&self, vsn: Vsn) -> &Encoded {
        match vsn {
            Vsn::V1 => &self.v1,
            Vsn::V2 => &self.v2,
        }
    }
}

/// One piece of several; a single one is not copied.
pub(crate) fn join<'a>(mut frames: impl Iterator<Item = &'a Bytes>) -> Bytes {
    let Some(first) = frames.next() else { return Bytes::new() };
    let Some(second) = frames.next() else { return first.clone() };
    let mut all = BytesMut::from(first.as_ref());
    all.extend_from_slice(second);
    frames.for_each(|frame| all.extend_from_slice(frame));
    all.freeze()
}
