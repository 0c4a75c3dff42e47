//! What a client sends, and who answers it.

use super::Gateway;
use crate::codec::{self, Body, ClientMessage, HEARTBEAT_TOPIC, Status, TOPIC_PREFIX, UserPayload, server};
use crate::frame::{self, Incoming};
use crate::outbox::Sent;
use crate::session::{JoinedState, Membership, Session, close_code};
use arena_core::topic::TopicName;
use bytes::Bytes;
use std::ops::ControlFlow;
use std::sync::Arc;

/// A message about a topic that its session is a member of.
pub(super) struct About<'a> {
    pub(super) message: &'a ClientMessage<'a>,
    pub(super) topic: TopicName,
    pub(super) membership: Membership,
}

impl Gateway {
    /// Acts on one message or control frame. Breaks when the session is over.
    pub(crate) fn receive(&self, session: &Arc<Session>, incoming: Incoming<'_>) -> ControlFlow<()> {
        if let Err(refusal) = self.inner.limiter.frame(&session.buckets) {
            session.close(close_code::POLICY, &refusal.reason(), self.now());
            return ControlFlow::Break(());
        }
        let decoded = match incoming {
            Incoming::Text(text) => codec::decode_text(session.vsn, text),
            Incoming::Binary(bytes) => codec::decode_binary(bytes),
            Incoming::Ping(payload) => {
                let _ = session.outbox.send(frame::pong(payload));
                return ControlFlow::Continue(());
            }
            Incoming::Pong => return ControlFlow::Continue(()),
            Incoming::Close { code, .. } => {
                session.close(code.unwrap_or(close_code::NORMAL), "", self.now());
                return ControlFlow::Break(());
            }
        };
        match decoded {
            Ok(message) => self.dispatch(session, &message),
            // It is dropped and the session stays open: one bad message must not cost it its other topics.
            Err(error) => {
                self.count(|counters| &counters.malformed);
                tracing::debug!(session = session.id, %error, "a message cannot be read");
            }
        }
        if session.outbox.is_done() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn dispatch(&self, session: &Arc<Session>, message: &ClientMessage<'_>) {
        match (&*message.topic, &*message.event) {
            (HEARTBEAT_TOPIC, "heartbeat") => self.reply(session, message, Status::Ok, "{}"),
            (_, "phx_join") => self.join(session, message),
            (_, event) => match self.about(session, message) {
                Some(about) => self.act_on(session, &about, event),
                // Whoever leaves wants to be out, and is.
                None if event == "phx_leave" => self.leave(session, message),
                None => self.refuse(session, message, "unmatched topic"),
            },
        }
    }

    fn act_on(&self, session: &Arc<Session>, about: &About<'_>, event: &str) {
        match (event, &about.message.body) {
            ("phx_leave", _) => self.leave(session, about.message),
            ("presence", Body::Json(call)) => self.client_presence(session, about, call),
            ("access_token", Body::Json(token)) => self.refresh(session, about, token),
            ("broadcast", body @ Body::UserBroadcast { event, payload, .. }) => {
                self.say(session, about, event, *payload, body.broadcast_id());
            }
            // A plain Phoenix client pushes events of its own: broadcasts by another name.
            (event, Body::Json(json)) => self.say(session, about, event, UserPayload::Json(json), None),
            (event, Body::Binary(bytes)) => {
                self.say(session, about, event, UserPayload::Binary(bytes), None);
            }
            (_, Body::UserBroadcast { .. }) => {
                self.refuse(session, about.message, "UnknownEvent: a broadcast")
            }
        }
    }

    /// The membership that a message is about. One of an earlier join of the same topic is about none.
    fn about<'a>(&self, session: &Session, message: &'a ClientMessage<'a>) -> Option<About<'a>> {
        let joined = session.joined();
        let joined = joined.iter().find(|joined| *joined.wire_topic == *message.topic)?;
        match &joined.state {
            JoinedState::Member(membership) if joined.is_meant_by(message) => {
                Some(About { message, topic: joined.topic.clone(), membership: membership.clone() })
            }
            _ => None,
        }
    }

    /// Answers a message.
    pub(super) fn reply(
        &self,
        session: &Session,
        message: &ClientMessage<'_>,
        status: Status,
        response: &str,
    ) {
        let (join_ref, reference) = (message.join_ref.as_ref(), message.reference.as_ref());
        let frame = server::reply(session.vsn, join_ref, reference, &message.topic, status, response);
        self.send(session, frame);
    }

    /// Refuses a message with a coded reason and nothing else: clients show everything in a refusal as one text.
    pub(super) fn refuse(&self, session: &Session, message: &ClientMessage<'_>, reason: &str) {
        let response = serde_json::json!({ "reason": reason }).to_string();
        self.reply(session, message, Status::Error, &response);
    }

    /// Tells a client about one of its topics out of turn. An error makes some clients join again.
    pub(super) fn system(
        &self,
        session: &Session,
        wire_topic: &str,
        extension: &str,
        status: Status,
        text: &str,
    ) {
        let payload = serde_json::json!({
            "extension": extension,
            "status": match status { Status::Ok => "ok", Status::Error => "error" },
            "message": text,
            "channel": wire_topic.strip_prefix(TOPIC_PREFIX).unwrap_or(wire_topic),
        });
        self.send(session, server::push(session.vsn, None, wire_topic, "system", &payload.to_string()));
    }

    /// Sends a frame that no client can do without.
    pub(super) fn send(&self, session: &Session, frame: Bytes) {
        if session.outbox.send(frame) == Sent::Full {
            session.close_as_slow();
        }
    }
}
