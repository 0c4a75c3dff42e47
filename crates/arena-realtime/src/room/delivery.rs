//! Messages on their way to the members of a room: encoded once per dialect, shared as bytes.

use super::Member;
use crate::codec::{Dialect, server};
use arena_bus::{Message, Payload};
use bytes::{Bytes, BytesMut};
use std::cell::OnceCell;
use std::sync::Arc;

/// A batch of messages and, as soon as somebody wants them, their frames.
pub(super) struct Delivery<'a> {
    topic: &'a str,
    messages: &'a [Arc<Message>],
    /// Some of them are not the same for all. Known once, so that batches without such pay nothing for it.
    differs: bool,
    v1: Encoded,
    v2: Encoded,
    phoenix: Encoded,
}

/// One dialect's frames: of each message, of all together, and of what some get in place of each.
#[derive(Default)]
struct Encoded {
    each: OnceCell<Vec<Bytes>>,
    all: OnceCell<Bytes>,
    instead: OnceCell<Vec<Bytes>>,
}

impl<'a> Delivery<'a> {
    /// `topic` is as it stands on the wire.
    pub(super) fn new(topic: &'a str, messages: &'a [Arc<Message>]) -> Delivery<'a> {
        let [v1, v2, phoenix] = Default::default();
        let differs = messages.iter().any(|message| message.audience.is_some());
        Delivery { topic, messages, differs, v1, v2, phoenix }
    }

    /// What this member gets, as one piece: everything, or what it has not had, did not send itself, and is meant for.
    pub(super) fn frames_for(&self, member: &Member) -> Bytes {
        if self.differs && self.messages.iter().any(|message| is_apart(message, &member.user)) {
            return self.frames_apart(member);
        }
        if self.messages.iter().all(|message| member.wants(message)) {
            return self.all(member.dialect);
        }
        let each = self.each(member.dialect).iter().zip(self.messages);
        join(each.filter(|(_, message)| member.wants(message)).map(|(frame, _)| frame))
    }

    /// For one who does not get the same as the others.
    fn frames_apart(&self, member: &Member) -> Bytes {
        let (each, instead) = (self.each(member.dialect), self.instead(member.dialect));
        let both = self.messages.iter().zip(each.iter().zip(instead));
        let wanted = both.filter(|(message, _)| member.wants(message));
        join(
            wanted.map(
                |(message, (frame, instead))| if is_apart(message, &member.user) { instead } else { frame },
            ),
        )
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

    fn instead(&self, dialect: Dialect) -> &[Bytes] {
        let encode =
            |message: &Arc<Message>| instead(dialect, self.topic, message, false).unwrap_or_default();
        self.encoded(dialect).instead.get_or_init(|| self.messages.iter().map(encode).collect())
    }

    fn encoded(&self, dialect: Dialect) -> &Encoded {
        match dialect {
            Dialect::V1 => &self.v1,
            Dialect::V2 => &self.v2,
            Dialect::Phoenix => &self.phoenix,
        }
    }
}

/// A message as this user gets it, if at all, in one dialect: for one who is given what others have had.
pub(crate) fn frame_for(
    user: &str,
    dialect: Dialect,
    topic: &str,
    message: &Message,
    replayed: bool,
) -> Option<Bytes> {
    if is_apart(message, user) {
        return instead(dialect, topic, message, replayed);
    }
    server::broadcast(dialect, topic, message, replayed)
}

/// What this user gets of a message, if anything.
pub(crate) fn payload_for<'a>(user: &str, message: &'a Message) -> Option<&'a Payload> {
    match &message.audience {
        Some(audience) if audience.users.contains(user) => audience.instead.as_ref(),
        _ => Some(&message.payload),
    }
}

fn is_apart(message: &Message, user: &str) -> bool {
    message.audience.as_ref().is_some_and(|audience| audience.users.contains(user))
}

/// The version for those who do not get the same as the others.
fn instead(dialect: Dialect, topic: &str, message: &Message, replayed: bool) -> Option<Bytes> {
    let payload = message.audience.as_ref()?.instead.as_ref()?;
    server::broadcast_of(dialect, topic, message, payload, replayed)
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
