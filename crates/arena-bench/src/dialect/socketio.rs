//! socket.io 4 over its WebSocket transport: version 4 of Engine.IO under version 5 of Socket.IO.

use super::{Dialect, Joined, payload};
use crate::load::Stamp;
use crate::load::websocket::{self, Blocking, TEXT};
use anyhow::ensure;
use std::net::SocketAddr;

/// Speaks to peers/socketio.mjs.
#[derive(Debug, Clone)]
pub struct SocketIo {
    /// Bytes of a payload.
    pub payload: usize,
}

/// Takes a frame that has to begin like this.
fn expect(socket: &mut Blocking, start: &str) -> anyhow::Result<()> {
    let frame = socket.take(websocket::length)?;
    let text = String::from_utf8_lossy(websocket::open(&frame).payload).into_owned();
    ensure!(text.starts_with(start), "{text} where {start} was expected");
    Ok(())
}

impl Dialect for SocketIo {
    fn join(&self, to: SocketAddr, room: u32) -> anyhow::Result<Joined> {
        let mut socket = Blocking::upgrade(to, "/socket.io/?EIO=4&transport=websocket")?;
        expect(&mut socket, "0{")?;
        socket.send(&websocket::text("40"))?;
        expect(&mut socket, "40{")?;
        socket.send(&websocket::text(&format!(r#"420["join","{room}"]"#)))?;
        expect(&mut socket, "430[")?;
        Ok(socket.into_parts())
    }

    fn length(&self, input: &[u8]) -> anyhow::Result<Option<usize>> {
        websocket::length(input)
    }

    fn message(&self, room: u32, due: Stamp, to: &mut Vec<u8>) {
        let text = format!(r#"42["say","{room}",{}]"#, payload(due, self.payload));
        websocket::write(TEXT, text.as_bytes(), to);
    }

    fn answer(&self, frame: &[u8]) -> anyhow::Result<Option<Vec<u8>>> {
        let frame = websocket::open(frame);
        match (frame.opcode, frame.payload) {
            // Engine.IO's ping and pong.
            (TEXT, b"2") => Ok(Some(websocket::text("3"))),
            _ => websocket::control(&frame),
        }
    }
}
