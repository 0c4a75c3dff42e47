//! What comes over a connection, and to whom it goes.

use super::Told;
use super::actor::{Link, Over};
use super::pending::Answered as Found;
use crate::channel::{ChannelEvent, Reply};
use crate::classify;
use crate::monitor::Answered;
use arena_core::fleet::{Fault, FaultClass};
use arena_realtime::codec::client::{ServerMessage, decode_server_binary, decode_server_text};
use arena_realtime::codec::{HEARTBEAT_TOPIC, Status, UserPayload};
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::sync::mpsc::error::TrySendError;
use tokio_tungstenite::tungstenite::{self, Error, Message};

/// So many frames that nobody understands, between two heartbeats, are a slip; one more is another protocol.
const SLIPS: u32 = 8;
/// Bytes of a message that a channel is handed: queues to channels and bots are bounded in messages. What is longer is
/// dropped and counted; replies are not messages, and a world's state comes with one.
const MESSAGE_BYTES: usize = 256 * 1024;

impl Link<'_> {
    /// What the socket gave.
    pub(super) async fn frame(
        &mut self,
        frame: Option<Result<Message, tungstenite::Error>>,
    ) -> Result<(), Over> {
        match frame {
            Some(Ok(Message::Text(text))) => {
                let vsn = self.endpoint.spoken();
                match decode_server_text(vsn, &text) {
                    Ok(message) => self.message(message),
                    Err(error) => self.strange(&error.to_string()),
                }
            }
            Some(Ok(Message::Binary(bytes))) => {
                let vsn = self.endpoint.spoken();
                match decode_server_binary(vsn, &bytes) {
                    Ok(message) => self.message(message),
                    Err(error) => self.strange(&error.to_string()),
                }
            }
            Some(Ok(Message::Close(frame))) => {
                let (code, reason) = frame.map_or((None, String::new()), |frame| {
                    (Some(u16::from(frame.code)), frame.reason.to_string())
                });
                Err(classify::closed(code, &reason).into())
            }
            Some(Ok(_)) => Ok(()),
            Some(Err(error)) => Err(broken(&error).into()),
            None => Err(classify::closed(None, "").into()),
        }
    }

    fn message(&mut self, message: ServerMessage<'_>) -> Result<(), Over> {
        match message {
            ServerMessage::Reply { reference, topic, status, response, .. } => {
                self.reply(&reference, &topic, status, response)
            }
            ServerMessage::Broadcast { topic, event, meta, payload } => {
                // Bots have no use for bytes.
                let UserPayload::Json(payload) = payload else { return Ok(()) };
                if self.is_too_large(payload) {
                    return Ok(());
                }
                let event = event.into_owned();
                let meta = meta.map_or(Value::Null, value);
                self.tell(&topic, |_| {
                    Some(Told::Event(Box::new(ChannelEvent::Message {
                        event,
                        payload: value(payload),
                        meta,
                    })))
                })
            }
            ServerMessage::Push { join_ref, topic, event, payload } => {
                self.word(join_ref.as_deref(), &topic, &event, payload)
            }
        }
    }

    fn reply(
        &mut self,
        reference: &str,
        topic: &str,
        status: Status,
        response: &RawValue,
    ) -> Result<(), Over> {
        let asked = reference.parse().ok().filter(|reference: &u64| *reference < self.next);
        let Some(reference) = asked else { return self.strange("a reply to what nobody has asked") };
        if let Some((_, sent)) = self.beat.filter(|(beat, _)| *beat == reference) {
            if topic != HEARTBEAT_TOPIC {
                return self.strange("a heartbeat is answered in a topic");
            }
            self.beat = None;
            self.strange = 0;
            self.monitor.answered(Answered::Heartbeat, sent.elapsed());
            return Ok(());
        }
        match self.unanswered.answered(reference, topic) {
            Found::This(pending) => {
                self.resolve(pending, Reply { ok: status == Status::Ok, response: value(response) });
                Ok(())
            }
            Found::Late => Ok(()),
            Found::Elsewhere => self.strange("a reply in another topic than the question"),
        }
    }

    /// What the endpoint says by itself.
    fn word(
        &mut self,
        join_ref: Option<&str>,
        topic: &str,
        event: &str,
        payload: &RawValue,
    ) -> Result<(), Over> {
        let ends = matches!(event, "phx_close" | "phx_error");
        if !ends && self.is_too_large(payload) {
            return Ok(());
        }
        match event {
            "phx_close" | "phx_error" => {
                let Some(route) = self.routes.get(topic) else { return self.of_nobody(topic) };
                // It may be about a join from before.
                if join_ref.is_some_and(|join_ref| join_ref != route.join.to_string()) {
                    return Ok(());
                }
                let told =
                    if event == "phx_close" { Told::Closed } else { Told::Errored(Box::new(value(payload))) };
                self.unanswered.forget(topic);
                if let Some(route) = self.routes.remove(topic) {
                    // Where there is no room for it, the end of the queue says the same.
                    let _ = route.told.map(|queue| queue.try_send(told));
                }
                Ok(())
            }
            "presence_state" | "presence_diff" => {
                let payload = value(payload);
                if !payload.is_object() {
                    return self.strange("presence that is none");
                }
                let event = event.to_owned();
                self.tell(topic, |presence| {
                    presence.then_some(Told::Event(Box::new(ChannelEvent::Presence { event, payload })))
                })
            }
            "system" => {
                let payload = value(payload);
                let Some(message) = payload.get("message").map(text_of) else {
                    return self.strange("a system message that says nothing");
                };
                let ok = payload.get("status").and_then(Value::as_str) != Some("error");
                self.tell(topic, |_| Some(Told::Event(Box::new(ChannelEvent::System { ok, message }))))
            }
            // What plain Phoenix channels push is a message of its own.
            event => {
                let (event, payload, meta) = (event.to_owned(), value(payload), Value::Null);
                self.tell(topic, |_| {
                    Some(Told::Event(Box::new(ChannelEvent::Message { event, payload, meta })))
                })
            }
        }
    }

    /// Tells the channel of the topic; `what` is asked whether it wants presence.
    fn tell(&mut self, topic: &str, what: impl FnOnce(bool) -> Option<Told>) -> Result<(), Over> {
        let Some(route) = self.routes.get_mut(topic) else { return self.of_nobody(topic) };
        let Some(told) = what(route.presence) else { return Ok(()) };
        if let Some(Err(TrySendError::Full(_))) = route.told.as_ref().map(|queue| queue.try_send(told)) {
            route.told = None;
        }
        Ok(())
    }

    fn is_too_large(&self, payload: &RawValue) -> bool {
        let bytes = payload.get().len();
        let is_too_large = bytes > MESSAGE_BYTES;
        if is_too_large {
            let detail = format!("a message of {bytes} bytes was dropped");
            self.monitor.fault(&Fault::new(FaultClass::Protocol, "message_too_large", detail));
        }
        is_too_large
    }

    fn of_nobody(&mut self, topic: &str) -> Result<(), Over> {
        if self.routes.was_here(topic) || topic == HEARTBEAT_TOPIC {
            return Ok(());
        }
        self.strange("something in a topic that was never joined")
    }

    fn strange(&mut self, what: &str) -> Result<(), Over> {
        self.strange += 1;
        tracing::debug!(what, "a frame that nobody understands");
        if self.strange <= SLIPS {
            return Ok(());
        }
        let detail = format!("{} frames that nobody understands, the last: {what}", self.strange);
        Err(Fault::new(FaultClass::Protocol, "not_understood", detail).into())
    }
}

/// A socket that broke, or over which something came that is no WebSocket.
pub(super) fn broken(error: &Error) -> Fault {
    match error {
        Error::Io(error) => classify::io_error(error),
        Error::ConnectionClosed | Error::AlreadyClosed => classify::closed(None, ""),
        Error::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake) => {
            classify::closed(None, "")
        }
        error => Fault::new(FaultClass::Protocol, "frames_invalid", error.to_string()),
    }
}

fn value(raw: &RawValue) -> Value {
    serde_json::from_str(raw.get()).unwrap_or(Value::Null)
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
