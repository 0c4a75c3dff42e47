//! Inputs: what players do in their worlds.

use super::Gateway;
use super::dispatch::About;
use crate::backstage::Refused;
use crate::codec::{Ref, Status, UserPayload, server};
use crate::policy::Denied;
use crate::session::Session;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Waker};

impl Gateway {
    /// A member sends an input to its world. The answer comes after the tick that carried it out; what it did is in
    /// the world's next delta.
    pub(super) fn input(
        &self,
        session: &Arc<Session>,
        about: &About<'_>,
        event: &str,
        payload: UserPayload<'_>,
    ) {
        let refuse = |reason: &str| {
            self.count(|counters| &counters.refused_messages);
            self.refuse(session, about.message, reason);
        };
        // A token that was brought since may allow less than the one that the seat was taken with.
        let Some(seat) = about.membership.seat.clone().filter(|_| about.membership.access.write) else {
            return refuse(&Denied::Write(about.topic.clone()).reason());
        };
        let UserPayload::Json(json) = payload else {
            return refuse("bad_input: an input is JSON");
        };
        let Some(under_way) = UnderWay::begin(session, Kind::Input, MAX_INPUTS) else {
            return refuse("too_many_inputs: wait for the answers to earlier ones");
        };
        let (event, input) = (event.to_owned(), json.get().to_owned());
        let answer = Answer::to(session, about);
        let gateway = self.clone();
        let mut acting = Box::pin(async move {
            let outcome = gateway.inner.backstage.act(&seat.claim, seat.holder, &event, &input).await;
            match outcome {
                Ok(tick) => answer.done(&gateway, tick),
                Err(refused) => answer.refused(&gateway, &event, &refused),
            }
            drop(under_way);
        });
        // It begins here and now, because tasks begin in any order, and a stop must not come before its move. Its own
        // task polls it again and is woken from then on.
        if acting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
            self.spawn(acting);
        }
    }
}

/// Inputs of one session that wait for their ticks; one more is refused.
const MAX_INPUTS: u32 = 16;

/// What may be under way.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Join,
    Input,
}

/// Something of a session that is under way until this is dropped. A session that has gone is not kept by it, nor is its
/// socket: a backstage may take its time.
#[derive(Debug)]
pub(super) struct UnderWay {
    session: Weak<Session>,
    kind: Kind,
}

impl UnderWay {
    /// One more, unless there are as many as there may be.
    pub(super) fn begin(session: &Arc<Session>, kind: Kind, limit: u32) -> Option<UnderWay> {
        let one_more = |under_way: u32| (under_way < limit).then_some(under_way + 1);
        let begun = kind.count(session).fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more);
        begun.is_ok().then(|| UnderWay { session: Arc::downgrade(session), kind })
    }

    /// The session, without keeping it.
    pub(super) fn weak(&self) -> Weak<Session> {
        Weak::clone(&self.session)
    }

    /// The session, if it is still there.
    pub(super) fn session(&self) -> Option<Arc<Session>> {
        self.session.upgrade()
    }
}

impl Kind {
    fn count(self, session: &Session) -> &AtomicU32 {
        match self {
            Kind::Join => &session.joining,
            Kind::Input => &session.acting,
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(session) = self.session.upgrade() {
            self.kind.count(&session).fetch_sub(1, Ordering::AcqRel);
        }
    }
}

/// Where an answer goes that is not there yet.
struct Answer {
    session: Weak<Session>,
    wire_topic: Arc<str>,
    join_ref: Option<Ref<'static>>,
    reference: Option<Ref<'static>>,
    ack: bool,
}

impl Answer {
    fn to(session: &Arc<Session>, about: &About<'_>) -> Answer {
        Answer {
            session: Arc::downgrade(session),
            wire_topic: Arc::clone(&about.membership.room.wire_topic),
            join_ref: about.message.join_ref.clone().map(Ref::into_owned),
            reference: about.message.reference.clone().map(Ref::into_owned),
            ack: about.membership.ack,
        }
    }

    fn done(&self, gateway: &Gateway, tick: u64) {
        gateway.count(|counters| &counters.messages);
        if self.ack {
            self.send(gateway, Status::Ok, &format!("{{\"tick\":{tick}}}"));
        }
    }

    /// A refusal is told twice: in the answer, and as a broadcast to this member alone, because some clients do not
    /// show their users what an answer says.
    fn refused(&self, gateway: &Gateway, event: &str, refused: &Refused) {
        gateway.count(|counters| &counters.refused_messages);
        let Refused { code, detail } = refused;
        let response = serde_json::json!({ "reason": format!("{code}: {detail}"), "code": code });
        self.send(gateway, Status::Error, &response.to_string());
        let payload = serde_json::json!({
            "type": "broadcast",
            "event": "refused",
            "payload": { "input": event, "code": code, "detail": detail },
        });
        let Some(session) = self.session.upgrade() else { return };
        let topic = &self.wire_topic;
        let frame = server::push(session.vsn, None, topic, "broadcast", &payload.to_string());
        gateway.send(&session, frame);
    }

    fn send(&self, gateway: &Gateway, status: Status, response: &str) {
        let Some(session) = self.session.upgrade() else { return };
        let (join_ref, reference) = (self.join_ref.as_ref(), self.reference.as_ref());
        let frame = server::reply(session.vsn, join_ref, reference, &self.wire_topic, status, response);
        gateway.send(&session, frame);
    }
}
