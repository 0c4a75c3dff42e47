//! A client of the protocol, version 2.

use super::PATIENCE;
use arena_realtime::frame::{Opcode, mask};
use serde_json::{Value, json};
use std::collections::VecDeque;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const KEY: [u8; 4] = [7, 1, 9, 3];

/// What a client hears.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// `[join_ref, ref, topic, event, payload]`.
    Message(Value),
    Binary(Vec<u8>),
    Pong(Vec<u8>),
    Close(u16, String),
    /// The socket has ended.
    End,
}

pub struct Client {
    pub socket: TcpStream,
    bytes: Vec<u8>,
    /// What was heard while something else was waited for.
    kept: VecDeque<Heard>,
    next_ref: u64,
}

impl Client {
    pub fn new(socket: TcpStream) -> Client {
        Client { socket, bytes: Vec::new(), kept: VecDeque::new(), next_ref: 1 }
    }

    pub async fn send_raw(&mut self, bytes: &[u8]) {
        tokio::time::timeout(PATIENCE, self.socket.write_all(bytes)).await.unwrap().unwrap();
    }

    pub fn frame(message: &Value) -> Vec<u8> {
        mask(Opcode::Text, message.to_string().as_bytes(), KEY)
    }

    pub async fn send(&mut self, message: Value) {
        self.send_raw(&Client::frame(&message)).await;
    }

    pub async fn send_close(&mut self, code: u16) {
        self.send_raw(&mask(Opcode::Close, &code.to_be_bytes(), KEY)).await;
    }

    pub fn fresh_ref(&mut self) -> String {
        self.next_ref += 1;
        self.next_ref.to_string()
    }

    /// Pushes an event; returns its ref. Every push of a topic carries the topic as its join_ref.
    pub async fn push(&mut self, topic: &str, event: &str, payload: Value) -> String {
        let reference = self.fresh_ref();
        let wire = format!("realtime:{topic}");
        self.send(json!([topic, reference, wire, event, payload])).await;
        reference
    }

    /// Sends a join without waiting for its answer; returns its ref.
    pub async fn ask_to_join(&mut self, topic: &str, config: Value) -> String {
        self.push(topic, "phx_join", json!({ "config": config })).await
    }

    /// Joins; returns the payload of the answer.
    pub async fn try_join(&mut self, topic: &str, config: Value) -> Value {
        let reference = self.ask_to_join(topic, config).await;
        self.reply(&reference).await
    }

    /// Joins, and must be let in; returns the response.
    pub async fn join(&mut self, topic: &str, config: Value) -> Value {
        let reply = self.try_join(topic, config).await;
        assert_eq!(reply["status"], "ok", "{reply}");
        reply["response"].clone()
    }

    /// Leaves, and has been told so.
    pub async fn leave(&mut self, topic: &str) {
        let reference = self.push(topic, "phx_leave", json!({})).await;
        assert_eq!(self.reply(&reference).await["status"], "ok");
    }

    pub async fn broadcast(&mut self, topic: &str, event: &str, payload: Value) -> String {
        let payload = json!({"type": "broadcast", "event": event, "payload": payload});
        self.push(topic, "broadcast", payload).await
    }

    /// Shows itself, and has been told that it does.
    pub async fn track(&mut self, topic: &str, payload: Value) {
        let call = json!({"type": "presence", "event": "track", "payload": payload});
        let reference = self.push(topic, "presence", call).await;
        let reply = self.reply(&reference).await;
        assert_eq!(reply["status"], "ok", "{reply}");
    }

    /// The next thing, kept or from the socket.
    pub async fn hear(&mut self) -> Heard {
        match self.kept.pop_front() {
            Some(kept) => kept,
            None => self.read().await,
        }
    }

    /// The payload of the answer to a push; what comes before it is kept.
    pub async fn reply(&mut self, reference: &str) -> Value {
        self.until(|m| m[1] == reference && m[3] == "phx_reply").await[4].clone()
    }

    /// The next message of an event of a topic; what comes before it is kept.
    pub async fn event(&mut self, topic: &str, event: &str) -> Value {
        let wire = format!("realtime:{topic}");
        self.until(|m| m[2] == wire.as_str() && m[3] == event).await[4].clone()
    }

    /// The first message that is so; what comes before it is kept.
    pub async fn until(&mut self, is_it: impl Fn(&Value) -> bool) -> Value {
        let fits = |heard: &Heard| matches!(heard, Heard::Message(message) if is_it(message));
        if let Some(at) = self.kept.iter().position(fits) {
            let Some(Heard::Message(message)) = self.kept.remove(at) else { unreachable!() };
            return message;
        }
        loop {
            match self.read().await {
                Heard::Message(message) if is_it(&message) => return message,
                end @ (Heard::Close(..) | Heard::End) => panic!("it ended: {end:?} after {:?}", self.kept),
                other => self.kept.push_back(other),
            }
        }
    }

    /// Everything that has been said to it up to now.
    pub async fn all(&mut self) -> Vec<Value> {
        let reference = self.fresh_ref();
        self.send(json!([null, reference, "phoenix", "heartbeat", {}])).await;
        let reply = self.reply(&reference).await;
        assert_eq!(reply, json!({"status": "ok", "response": {}}));
        self.kept
            .drain(..)
            .map(|heard| match heard {
                Heard::Message(message) => message,
                other => panic!("no message: {other:?}"),
            })
            .collect()
    }

    /// Reads to the end; returns how the session was closed, if it was.
    pub async fn closing(&mut self) -> Option<(u16, String)> {
        let mut closing = None;
        loop {
            match self.hear().await {
                Heard::Close(code, reason) => closing = Some((code, reason)),
                Heard::End => return closing,
                _ => {}
            }
        }
    }

    async fn read(&mut self) -> Heard {
        loop {
            if let Some((heard, used)) = parse(&self.bytes) {
                self.bytes.drain(..used);
                return heard;
            }
            let mut buffer = vec![0; 64 * 1024];
            let read = tokio::time::timeout(PATIENCE, self.socket.read(&mut buffer)).await;
            match read.expect("the gateway says nothing") {
                Ok(0) | Err(_) => return Heard::End,
                Ok(read) => self.bytes.extend_from_slice(&buffer[..read]),
            }
        }
    }
}

/// The first frame of a server's, and how many bytes it takes.
fn parse(bytes: &[u8]) -> Option<(Heard, usize)> {
    let (first, second) = (*bytes.first()?, usize::from(*bytes.get(1)?));
    let (len, start) = match second {
        126 => (usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)), 4),
        127 => (usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?, 10),
        len => (len, 2),
    };
    let payload = bytes.get(start..start + len)?;
    let heard = match first {
        0x81 => Heard::Message(serde_json::from_slice(payload).unwrap()),
        0x82 => Heard::Binary(payload.to_vec()),
        0x8a => Heard::Pong(payload.to_vec()),
        0x88 => {
            let (code, reason) = payload.split_at(2);
            let code = u16::from_be_bytes(code.try_into().unwrap());
            Heard::Close(code, String::from_utf8(reason.to_vec()).unwrap())
        }
        other => panic!("an odd frame: {other:#x}"),
    };
    Some((heard, start + len))
}
