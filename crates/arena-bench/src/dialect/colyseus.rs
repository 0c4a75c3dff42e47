//! Colyseus 0.18: a seat over HTTP, then MessagePack over a WebSocket.

use super::{Dialect, Joined};
use crate::http::Client;
use crate::load::websocket::{self, BINARY, Blocking};
use crate::load::{STAMP_LEN, Stamp};
use anyhow::{Context, ensure};
use serde_json::json;
use std::net::SocketAddr;

/// Speaks to peers/colyseus.mjs.
#[derive(Debug, Clone)]
pub struct Colyseus {
    /// Bytes of a payload.
    pub payload: usize,
}

/// Codes of its protocol.
const JOIN_ROOM: u8 = 10;
const ROOM_DATA: u8 = 13;
/// MessagePack's codes of a short string, a string of up to 65,535 bytes, and a map of two.
const SHORT: u8 = 0xa0;
const STRING: u8 = 0xda;
const MAP_OF_TWO: u8 = 0x82;

impl Dialect for Colyseus {
    fn join(&self, to: SocketAddr, room: u32) -> anyhow::Result<Joined> {
        let options = json!({ "number": room });
        let (status, seat) =
            Client::new(to).request("POST", "/matchmake/joinOrCreate/repeat", Some(&options))?;
        ensure!(status == 200, "matchmaking answered {status}: {seat}");
        let text = |key: &str| seat[key].as_str().with_context(|| format!("the seat has no {key}: {seat}"));
        let path = format!("/{}/{}?sessionId={}", text("processId")?, text("roomId")?, text("sessionId")?);
        let mut socket = Blocking::upgrade(to, &path)?;
        let frame = socket.take(websocket::length)?;
        ensure!(websocket::open(&frame).payload.first() == Some(&JOIN_ROOM), "no confirmation of the seat");
        let mut confirm = Vec::new();
        websocket::write(BINARY, &[JOIN_ROOM], &mut confirm);
        socket.send(&confirm)?;
        Ok(socket.into_parts())
    }

    fn length(&self, input: &[u8]) -> anyhow::Result<Option<usize>> {
        websocket::length(input)
    }

    fn message(&self, _: u32, due: Stamp, to: &mut Vec<u8>) {
        let mut text = vec![ROOM_DATA, SHORT | 3];
        text.extend_from_slice(b"say");
        let from = text.len();
        text.extend_from_slice(&[MAP_OF_TWO, SHORT | 1, b't', SHORT | STAMP_LEN as u8]);
        due.write(&mut text);
        text.extend_from_slice(&[SHORT | 1, b'p', STRING]);
        let rest = (from + self.payload).saturating_sub(text.len() + 2);
        text.extend_from_slice(&(rest as u16).to_be_bytes());
        text.resize(text.len() + rest, b'x');
        websocket::write(BINARY, &text, to);
    }

    fn answer(&self, frame: &[u8]) -> anyhow::Result<Option<Vec<u8>>> {
        websocket::control(&websocket::open(frame))
    }
}
