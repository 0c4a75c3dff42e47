//! The gateway's dialect: Phoenix Channels, version 2.0.0 of its serializer, text frames.

use super::{Dialect, Joined, payload};
use crate::load::Stamp;
use crate::load::websocket::{self, Blocking, TEXT};
use anyhow::bail;
use std::net::SocketAddr;

/// Speaks to a gateway.
#[derive(Debug, Clone)]
pub struct Phoenix {
    /// Path and query of the socket.
    path: String,
    /// Topics are this and the room's number.
    topic: &'static str,
    payload: usize,
    heartbeat: Vec<u8>,
}

/// The ref of every join; a connection joins once.
pub const JOIN_REF: &str = "1";

impl Phoenix {
    /// Messages with payloads of so many bytes to `realtime:<topic><room>`.
    pub fn new(apikey: &str, topic: &'static str, payload: usize) -> Phoenix {
        Phoenix { path: socket_path(apikey), topic, payload, heartbeat: heartbeat() }
    }
}

/// Path and query of the socket.
pub fn socket_path(apikey: &str) -> String {
    format!("/socket/websocket?vsn=2.0.0&apikey={apikey}")
}

/// What a connection says to be kept.
pub fn heartbeat() -> Vec<u8> {
    websocket::text(r#"[null,"2","phoenix","heartbeat",{}]"#)
}

/// Joins a topic on a fresh socket; returns the reply's text. `acks` says whether broadcasts are to be answered.
pub fn join(socket: &mut Blocking, topic: &str, acks: bool) -> anyhow::Result<String> {
    let config = format!(r#"{{"broadcast":{{"self":true,"ack":{acks}}},"presence":{{"enabled":false}}}}"#);
    socket.send(&websocket::text(&format!(
        r#"["{JOIN_REF}","{JOIN_REF}","{topic}","phx_join",{{"config":{config}}}]"#
    )))?;
    loop {
        let frame = socket.take(websocket::length)?;
        let frame = websocket::open(&frame);
        if let Some(answer) = websocket::control(&frame)? {
            socket.send(&answer)?;
            continue;
        }
        let text = String::from_utf8_lossy(frame.payload);
        match (text.contains(r#""phx_reply""#), text.contains(r#""status":"ok""#)) {
            (true, true) => return Ok(text.into_owned()),
            (true, false) => bail!("{topic} cannot be joined: {text}"),
            (false, _) => {}
        }
    }
}

/// What to answer to a frame that is not a delivery. News that end a membership are errors.
pub fn answer(frame: &[u8]) -> anyhow::Result<Option<Vec<u8>>> {
    let frame = websocket::open(frame);
    if frame.opcode == TEXT {
        let text = String::from_utf8_lossy(frame.payload);
        let ends = [r#""phx_error""#, r#""phx_close""#, r#""status":"error""#];
        if ends.iter().any(|end| text.contains(end)) {
            bail!("the server says: {text}");
        }
    }
    websocket::control(&frame)
}

impl Dialect for Phoenix {
    fn join(&self, to: SocketAddr, room: u32) -> anyhow::Result<Joined> {
        let mut socket = Blocking::upgrade(to, &self.path)?;
        join(&mut socket, &format!("realtime:{}{room}", self.topic), false)?;
        Ok(socket.into_parts())
    }

    fn length(&self, input: &[u8]) -> anyhow::Result<Option<usize>> {
        websocket::length(input)
    }

    fn message(&self, room: u32, due: Stamp, to: &mut Vec<u8>) {
        let (topic, payload) = (self.topic, payload(due, self.payload));
        let text = format!(
            r#"["{JOIN_REF}",null,"realtime:{topic}{room}","broadcast",{{"type":"broadcast","event":"m","payload":{payload}}}]"#
        );
        websocket::write(TEXT, text.as_bytes(), to);
    }

    fn answer(&self, frame: &[u8]) -> anyhow::Result<Option<Vec<u8>>> {
        answer(frame)
    }

    fn heartbeat(&self) -> Option<&[u8]> {
        Some(&self.heartbeat)
    }
}
