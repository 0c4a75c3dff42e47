//! What a member gets to begin with: the answer, and whatever it has missed.

use super::start::{Beginning, Start};
use super::{AdmitError, Gateway, Wish};
use crate::backstage::Look;
use crate::codec::{Dialect, Status, Vsn, server};
use crate::outbox::Sent;
use crate::room::{PresenceMode, frame_for, join_frames, payload_for};
use crate::session::Session;
use crate::token::unix_now;
use arena_bus::{Message, Payload, Position, View};
use bytes::Bytes;
use std::fmt::Write;

impl Gateway {
    /// Sends the answer to a join and what follows it, in one piece.
    pub(super) fn welcome(
        &self,
        session: &Session,
        wish: &Wish,
        start: Start<'_>,
        presence: PresenceMode,
        view: &View<'_>,
    ) -> Result<(), AdmitError> {
        let beginning = start.beginning(&wish.config, view)?;
        match beginning.recovered {
            Some(true) => self.count(|counters| &counters.recovered),
            Some(false) => self.count(|counters| &counters.not_recovered),
            None => {}
        }
        let look = beginning.snapshot;
        let as_broadcast = wish.config.broadcast.snapshot_as_broadcast;
        let response = response(wish, &beginning, look.filter(|_| !as_broadcast), presence, view);
        let (vsn, dialect, topic) = (session.vsn, wish.dialect(session), &*wish.wire_topic);
        let mut frames = vec![wish.reply(vsn, Status::Ok, &response)];
        if as_broadcast {
            frames.extend(look.and_then(|look| snapshot_frame(dialect, topic, look)));
        }
        let messages = beginning.messages.iter();
        let (user, replayed) = (&*wish.who.user, beginning.replayed);
        frames.extend(messages.filter_map(|message| frame_for(user, dialect, topic, message, replayed)));
        if session.outbox.send_extra(join_frames(frames.iter())) == Sent::Full {
            session.close_as_slow();
        }
        Ok(())
    }

    /// Answers a join without anything following.
    pub(super) fn answer(&self, session: &Session, wish: &Wish, status: Status, response: &str) {
        self.send(session, wish.reply(session.vsn, status, response));
    }
}

impl Wish {
    fn reply(&self, vsn: Vsn, status: Status, response: &str) -> Bytes {
        let (join_ref, reference) = (self.join_ref.as_ref(), self.reference.as_ref());
        server::reply(vsn, join_ref, reference, &self.wire_topic, status, response)
    }
}

/// What the answer to a join tells.
fn response(
    wish: &Wish,
    beginning: &Beginning<'_>,
    look: Option<&Look>,
    presence: PresenceMode,
    view: &View<'_>,
) -> String {
    let Position { offset, epoch } = &beginning.position;
    let mut out = format!(
        "{{\"postgres_changes\":[],\"position\":{{\"offset\":{offset},\"epoch\":\"{}\"}}",
        // One that the client gave may hold anything.
        serde_json::Value::from(epoch.as_str()).to_string().trim_matches('"')
    );
    let mut field = |name: &str, value: &dyn std::fmt::Display| {
        // Writing to a string does not fail.
        let _ = write!(out, ",\"{name}\":{value}");
    };
    if let Some(recovered) = beginning.recovered {
        field("recovered", &recovered);
    }
    if let Some(look) = look {
        field("snapshot", &String::from_utf8_lossy(&look.snapshot));
    }
    if let Some(ends) = wish.token_ends {
        field("token_ttl_secs", &ends.saturating_sub(unix_now()).max(0));
    }
    let last =
        view.last().filter(|_| wish.config.broadcast.last).and_then(|last| value_of(last, &wish.who.user));
    if let Some(last) = last {
        field("last", &last);
    }
    if wish.access.presence {
        let full = presence == PresenceMode::Full;
        field("presence", &if full { "\"full\"" } else { "\"occupancy\"" });
    }
    out.push('}');
    out
}

/// A look at a world as a broadcast, for those who cannot read it in an answer, or did not ask for one.
pub(in crate::gateway) fn snapshot_frame(dialect: Dialect, wire_topic: &str, look: &Look) -> Option<Bytes> {
    let message = Message {
        event: "snapshot".into(),
        payload: Payload::Json(look.snapshot.clone()),
        given_id: None,
        author: None,
        from: None,
        audience: None,
        offset: look.position.offset,
        epoch: look.position.epoch.clone(),
        transient: false,
        sequence: 0,
        at_ms: 0,
    };
    server::broadcast(dialect, wire_topic, &message, false)
}

/// A message as a value within an answer, as this user gets it.
fn value_of(message: &Message, user: &str) -> Option<String> {
    let Payload::Json(json) = payload_for(user, message)? else { return None };
    let (event, id) = (serde_json::Value::from(&*message.event), serde_json::Value::from(message.id()));
    Some(format!(
        "{{\"event\":{event},\"payload\":{},\"meta\":{{\"id\":{id},\"offset\":{},\"epoch\":\"{}\"}}}}",
        String::from_utf8_lossy(json),
        message.offset,
        message.epoch
    ))
}
