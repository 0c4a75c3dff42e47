//! The floor's own protocol: four bytes of length, then that many bytes. A connection's first frame names its room and
//! comes back as confirmation; every later one goes to all in the room as it is.

use super::{Dialect, Joined};
use crate::load::Stamp;
use crate::load::websocket::Blocking;
use anyhow::ensure;
use std::net::SocketAddr;

/// Bytes in front of a frame.
pub const HEADER: usize = 4;
/// Most bytes of a frame behind them.
pub const MOST: usize = 16 * 1024;

/// Speaks to the raw server.
#[derive(Debug, Clone)]
pub struct Raw {
    /// Bytes of a message on the wire.
    pub frame: usize,
}

/// Length of the frame at the beginning of `input`, header included.
pub fn length(input: &[u8]) -> anyhow::Result<Option<usize>> {
    let Some(header) = input.first_chunk::<HEADER>() else { return Ok(None) };
    let length = u32::from_be_bytes(*header) as usize;
    ensure!(length <= MOST, "a frame of {length} bytes");
    Ok(Some(HEADER + length))
}

/// Appends a frame's header.
fn header(length: usize, to: &mut Vec<u8>) {
    to.extend_from_slice(&(length as u32).to_be_bytes());
}

impl Dialect for Raw {
    fn join(&self, to: SocketAddr, room: u32) -> anyhow::Result<Joined> {
        let mut socket = Blocking::connect(to)?;
        let mut hello = Vec::new();
        header(HEADER, &mut hello);
        hello.extend_from_slice(&room.to_be_bytes());
        socket.send(&hello)?;
        ensure!(socket.take(length)? == hello, "the server confirms another room");
        Ok(socket.into_parts())
    }

    fn length(&self, input: &[u8]) -> anyhow::Result<Option<usize>> {
        length(input)
    }

    fn message(&self, _: u32, due: Stamp, to: &mut Vec<u8>) {
        let from = to.len();
        header(self.frame - HEADER, to);
        due.write(to);
        to.resize(from + self.frame, b'x');
    }

    fn answer(&self, frame: &[u8]) -> anyhow::Result<Option<Vec<u8>>> {
        anyhow::bail!("a frame of {} bytes without a stamp", frame.len())
    }
}
