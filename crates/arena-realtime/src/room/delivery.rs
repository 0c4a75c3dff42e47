//! Messages on their way to the members of a room: encoded once per dialect, shared as bytes.

use super::Member;
use crate::codec::{Dialect, server};
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
    phoenix: Encoded,
}

/// One dialect's frames: of each message, and of all together.
#[derive(Default)]
struct Encoded {
    each: OnceCell<Vec<Bytes>>,
    all: OnceCell<Bytes>,
}

impl<'a> Delivery<'a> {
    /// `topic` is as it stands on the wire.
    pub(super) fn new(topic: &'a str, messages: &'a [Arc<Message>]) -> Delivery<'a> {
        let [v1, v2, phoenix] = Default::default();
        Delivery { topic, messages, v1, v2, phoenix }
    }

    /// What this member gets, as one piece: everything, or what it has not had and did not send itself.
    pub(super) fn frames_for(&self, member: &Member) -> Bytes {
        if self.messages.iter().all(|message| member.wants(message)) {
            return self.all(member.dialect);
        }
        let each = self.each(member.dialect).iter().zip(self.messages);
        join(each.filter(|(_, message)| member.wants(message)).map(|(frame, _)| frame))
    }

    fn all(&self, dialect: Dialect) -> Bytes {
        let encoded = self.encoded(dialect);
        encoded.all.get_or_init(|| join(self.each(dialect).iter())).clone()
    }

    fn each(&self, dialect: Dialect) -> &[Bytes] {
        // What a dialect cannot carry is an empty frame: nothing.
        let encode = |message: &Arc<Message>| {
            server::broadcast(dialect, self.topic, message, false).unwrap_or_default()
        };
        self.encoded(dialect).each.get_or_init(|| self.messages.iter().map(encode).collect())
    }

    fn encoded(&self, dialect: Dialect) -> &Encoded {
        match dialect {
            Dialect::V1 => &self.v1,
            Dialect::V2 => &self.v2,
            Dialect::Phoenix => &self.phoenix,
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
