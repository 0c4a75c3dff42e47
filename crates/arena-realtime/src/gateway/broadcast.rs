//! Broadcasts: from clients, and from the server's own doors.

use super::dispatch::About;
use super::matchmaking::is_for_matchmaker;
use super::{Gateway, stream_name};
use crate::codec::{Status, UserPayload};
use crate::limits::Refusal;
use crate::policy::{Denied, Identity};
use crate::session::{Membership, Session};
use arena_bus::{Draft, Payload, PublishError, Published};
use arena_core::topic::{TopicKind, TopicName};
use bytes::Bytes;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

/// The longest message id, in bytes: a binary frame counts it, the offset and the epoch in one byte together.
const MAX_ID: usize = 128;

/// The longest event name, in bytes: a binary frame counts it in one byte.
const MAX_EVENT: usize = 255;

/// A message of somebody who has no session.
#[derive(Debug, Clone)]
pub struct Publication<'a> {
    /// Where to.
    pub topic: &'a TopicName,
    /// Whether the private topic of that name is meant.
    pub private: bool,
    /// What kind of message it is, to its readers.
    pub event: &'a str,
    /// What it carries.
    pub payload: Payload,
    /// Its id: a second message under the same id is not published again.
    pub id: Option<&'a str>,
}

/// Why a message was not published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishRefusal {
    /// Who asks may not write there.
    #[error("{}", .0.reason())]
    Denied(Denied),
    /// Too much, too large or too fast.
    #[error("{}", .0.reason())]
    Limit(Refusal),
    /// More is published there than can be delivered.
    #[error("TopicOverloaded: {0}; try again in a moment")]
    Overloaded(PublishError),
    /// There are as many topics as there may be.
    #[error("TooManyTopics: {0}")]
    Topics(arena_bus::OpenError),
    /// The event has no name, or one that no frame could carry.
    #[error("InvalidEvent: an event has 1 to {MAX_EVENT} bytes")]
    Event,
    /// The id is empty or too long.
    #[error("InvalidId: a message id has 1 to {MAX_ID} bytes")]
    Id,
}

impl Gateway {
    /// A member says something on its topic or in its conversation, sends an input to its world, or asks something of the
    /// matchmaker.
    pub(super) fn say(
        &self,
        session: &Arc<Session>,
        about: &About<'_>,
        event: &str,
        payload: UserPayload<'_>,
        id: Option<Cow<'_, str>>,
    ) {
        let membership = &about.membership;
        let (user, bytes) = (&*membership.who.user, len(payload));
        if let Err(refusal) = self.inner.limiter.message(&session.buckets, user, &about.topic, bytes) {
            return self.over_limit(session, about, refusal);
        }
        match about.topic.kind() {
            TopicKind::World(_) => return self.input(session, about, event, payload),
            TopicKind::User(user) if is_for_matchmaker(event) => {
                return self.matchmake(session, about, user, event, payload);
            }
            TopicKind::Conversation(conversation) => {
                let id = id.or_else(|| id_in(payload, membership.id_field.as_deref()?));
                return self.converse(session, about, conversation, event, payload, id.as_deref());
            }
            _ => {}
        }
        match publish_for(session, membership, &about.topic, event, payload, id) {
            Ok(published) => self.said(session, about, &published),
            Err(refusal) => {
                self.count(|counters| &counters.refused_messages);
                self.refuse(session, about.message, &refusal.to_string());
            }
        }
    }

    /// Publishes a message of somebody who has no session. A topic that nobody has joined swallows it, as an empty
    /// room does, unless its last value is kept.
    pub fn publish(
        &self,
        who: &Identity,
        message: Publication<'_>,
    ) -> Result<Option<Published>, PublishRefusal> {
        let Publication { topic, private, event, payload, id } = message;
        if let TopicKind::Conversation(_) = topic.kind() {
            return Err(PublishRefusal::Denied(Denied::Charged(topic.clone())));
        }
        let access = self.inner.policy.access(who, topic, private).map_err(PublishRefusal::Denied)?;
        // Worlds speak for themselves; what players do goes in by their sessions.
        if !access.write || matches!(topic.kind(), TopicKind::World(_)) {
            return Err(PublishRefusal::Denied(Denied::Write(topic.clone())));
        }
        self.inner.limiter.publication(&who.user, topic, payload.len()).map_err(PublishRefusal::Limit)?;
        let draft = draft(event, payload, id, &who.user, None)?;
        let name = stream_name(topic, access);
        let bus = &self.inner.bus;
        let stream = match bus.get(&name) {
            Some(stream) => stream,
            None if bus.keeps_last_value(topic) => bus.open(&name).map_err(PublishRefusal::Topics)?,
            None => return Ok(None),
        };
        let published = stream.publish(draft).map_err(PublishRefusal::Overloaded)?;
        self.count(|counters| &counters.messages);
        Ok(Some(published))
    }

    /// Tells a client that it is over a limit: in the answer, if it asked for answers, and not more than once a
    /// second besides.
    pub(super) fn over_limit(&self, session: &Session, about: &About<'_>, refusal: Refusal) {
        self.count(|counters| &counters.refused_messages);
        match refusal {
            Refusal::PayloadSize => {
                let response = format!("{{\"error\":\"{refusal}\"}}");
                return self.reply(session, about.message, Status::Error, &response);
            }
            _ if about.membership.ack => self.refuse(session, about.message, &refusal.reason()),
            _ => {}
        }
        self.tell_of_limit(session, about, refusal);
    }

    /// Tells a client which limit it is over, not more than once a second.
    pub(super) fn tell_of_limit(&self, session: &Session, about: &About<'_>, refusal: Refusal) {
        if session.may_tell_of_limit(self.now()) {
            // An error would make Python's client join again, which is more of the same.
            self.system(session, &about.message.topic, "system", Status::Ok, &refusal.to_string());
        }
    }

    fn said(&self, session: &Session, about: &About<'_>, published: &Published) {
        self.count(|counters| &counters.messages);
        if about.membership.ack {
            let Published { position, duplicate } = published;
            let response = format!(
                "{{\"offset\":{},\"epoch\":\"{}\",\"duplicate\":{duplicate}}}",
                position.offset, position.epoch
            );
            self.reply(session, about.message, Status::Ok, &response);
        }
    }
}

fn publish_for(
    session: &Session,
    membership: &Membership,
    topic: &TopicName,
    event: &str,
    payload: UserPayload<'_>,
    id: Option<Cow<'_, str>>,
) -> Result<Published, PublishRefusal> {
    if !membership.access.write {
        return Err(PublishRefusal::Denied(Denied::Write(topic.clone())));
    }
    let id = id.or_else(|| id_in(payload, membership.id_field.as_deref()?));
    // Copied: the client's bytes lie in a buffer that is read into again.
    let payload = match payload {
        UserPayload::Json(json) => Payload::Json(Bytes::copy_from_slice(json.get().as_bytes())),
        UserPayload::Binary(bytes) => Payload::Binary(Bytes::copy_from_slice(bytes)),
    };
    let draft = draft(event, payload, id.as_deref(), &membership.who.user, Some(session.id))?;
    membership.room.stream.publish(draft).map_err(PublishRefusal::Overloaded)
}

fn draft(
    event: &str,
    payload: Payload,
    id: Option<&str>,
    author: &Arc<str>,
    from: Option<u64>,
) -> Result<Draft, PublishRefusal> {
    if !(1..=MAX_EVENT).contains(&event.len()) {
        return Err(PublishRefusal::Event);
    }
    if id.is_some_and(|id| !(1..=MAX_ID).contains(&id.len())) {
        return Err(PublishRefusal::Id);
    }
    let author = id.is_some().then(|| Arc::clone(author));
    Ok(Draft { id: id.map(Arc::from), author, from, ..Draft::new(event, payload) })
}

/// The message id in the field of the payload that the member has named: one official client sends nothing but the
/// payload.
fn id_in<'a>(payload: UserPayload<'a>, field: &str) -> Option<Cow<'a, str>> {
    let UserPayload::Json(json) = payload else { return None };
    let fields: HashMap<String, &RawValue> = serde_json::from_str(json.get()).ok()?;
    Some(Cow::Owned(serde_json::from_str(fields.get(field)?.get()).ok()?))
}

fn len(payload: UserPayload<'_>) -> usize {
    match payload {
        UserPayload::Json(json) => json.get().len(),
        UserPayload::Binary(bytes) => bytes.len(),
    }
}
