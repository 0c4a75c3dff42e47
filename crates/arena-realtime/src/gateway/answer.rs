//! Answers that take their time.

use super::Gateway;
use super::dispatch::About;
use crate::backstage::{Refused, Unsaid};
use crate::codec::{Ref, Status, server};
use crate::session::Session;
use serde_json::{Value, json};
use std::sync::{Arc, Weak};

/// Where an answer goes that is not there yet.
pub(super) struct Answer {
    session: Weak<Session>,
    wire_topic: Arc<str>,
    join_ref: Option<Ref<'static>>,
    reference: Option<Ref<'static>>,
    ack: bool,
}

impl Answer {
    pub(super) fn to(session: &Arc<Session>, about: &About<'_>) -> Answer {
        Answer {
            session: Arc::downgrade(session),
            wire_topic: Arc::clone(&about.membership.room.wire_topic),
            join_ref: about.message.join_ref.clone().map(Ref::into_owned),
            reference: about.message.reference.clone().map(Ref::into_owned),
            ack: about.membership.ack,
        }
    }

    /// The same for whoever asks: an answer is what it wants, whether it acknowledges broadcasts or not.
    pub(super) fn always_to(session: &Arc<Session>, about: &About<'_>) -> Answer {
        Answer { ack: true, ..Answer::to(session, about) }
    }

    /// It was done. `response` is one JSON object.
    pub(super) fn done(&self, gateway: &Gateway, response: &str) {
        gateway.count(|counters| &counters.messages);
        if self.ack {
            self.send(gateway, Status::Ok, response);
        }
    }

    /// A refusal is told twice: in the answer, and as a broadcast to this member alone, because some clients do not
    /// show their users what an answer says.
    pub(super) fn refused(&self, gateway: &Gateway, event: &str, unsaid: &Unsaid) {
        gateway.count(|counters| &counters.refused_messages);
        let Unsaid { refused: Refused { code, detail }, more } = unsaid;
        let told = |coded: Value| match coded {
            Value::Object(coded) => Value::Object(more.clone().into_iter().chain(coded).collect()),
            other => other,
        };
        let response = told(json!({ "reason": format!("{code}: {detail}"), "code": code }));
        self.send(gateway, Status::Error, &response.to_string());
        let payload = told(json!({ "input": event, "code": code, "detail": detail }));
        let payload = json!({ "type": "broadcast", "event": "refused", "payload": payload });
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
