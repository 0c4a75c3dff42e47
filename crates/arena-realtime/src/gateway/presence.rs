//! Presence: who shows itself where.

use super::Gateway;
use super::dispatch::About;
use crate::codec::Status;
use crate::limits::Refusal;
use crate::policy::Denied;
use crate::room::Room;
use crate::session::{Membership, Session};
use arena_core::topic::TopicKind;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::sync::{Arc, PoisonError};

/// A presence call. Some clients leave its type out.
#[derive(Deserialize)]
struct Call<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(borrow, default)]
    payload: Option<&'a RawValue>,
}

impl Gateway {
    /// A member shows itself, or hides.
    pub(super) fn client_presence(&self, session: &Arc<Session>, about: &About<'_>, call: &RawValue) {
        if let Err(refusal) = self.inner.limiter.presence(&session.buckets, &about.topic, call.get().len()) {
            return self.over_presence_limit(session, about, refusal);
        }
        let Ok(Call { event, payload }) = serde_json::from_str::<Call<'_>>(call.get()) else {
            return self.refuse(session, about.message, "InvalidPresence: it has an event and a payload");
        };
        let membership = &about.membership;
        let (room, key, member) = (&membership.room, &membership.presence_key, membership.member);
        if !membership.access.presence {
            return self.refuse(session, about.message, &Denied::Presence(about.topic.clone()).reason());
        }
        let waits = if event.eq_ignore_ascii_case("track") {
            let payload = payload.map_or("{}", RawValue::get);
            if !payload.starts_with('{') {
                return self.refuse(session, about.message, "InvalidPresence: the payload is an object");
            }
            // What is told in a conversation is charged: whoever has nothing left must not talk by showing itself. That
            // somebody types says nothing more.
            let payload = match about.topic.kind() {
                TopicKind::Conversation(_) if types(payload) => r#"{"typing":true}"#,
                TopicKind::Conversation(_) => "{}",
                _ => payload,
            };
            // Who shows itself wants to see the others, and itself.
            room.tell_presence(member);
            room.track(key, member, payload)
        } else if event.eq_ignore_ascii_case("untrack") {
            room.untrack(key, member)
        } else {
            return self.refuse(session, about.message, "InvalidPresence: the event is track or untrack");
        };
        if waits {
            self.presence_waits(room);
        }
        self.reply(session, about.message, Status::Ok, "{}");
    }

    /// Takes away what a member shows.
    pub(super) fn hide(&self, membership: &Membership) {
        if membership.room.untrack(&membership.presence_key, membership.member) {
            self.presence_waits(&membership.room);
        }
    }

    /// Notes that a room has changes to tell when its window ends.
    pub(super) fn presence_waits(&self, room: &Arc<Room>) {
        let mut waiting = self.inner.presence_waits.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push(Arc::downgrade(room));
    }

    fn over_presence_limit(&self, session: &Session, about: &About<'_>, refusal: Refusal) {
        self.count(|counters| &counters.refused_messages);
        self.refuse(session, about.message, &refusal.reason());
        self.tell_of_limit(session, about, refusal);
    }
}

/// Whether a payload says `"typing": true`.
fn types(payload: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Shown {
        typing: bool,
    }
    serde_json::from_str(payload).is_ok_and(|Shown { typing }| typing)
}
