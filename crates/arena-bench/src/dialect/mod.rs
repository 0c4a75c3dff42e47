//! How the servers of a comparison are spoken to.

mod colyseus;
pub mod phoenix;
pub mod raw;
mod redis;
mod socketio;

pub use colyseus::Colyseus;
pub use phoenix::Phoenix;
pub use raw::Raw;
pub use redis::Redis;
pub use socketio::SocketIo;

use crate::load::Stamp;
use std::net::{SocketAddr, TcpStream};

/// A connection that has joined its room, and what has arrived on it since.
pub type Joined = (TcpStream, Vec<u8>);

/// What a member of a room says and hears on the wire.
pub trait Dialect {
    /// Connects to the server and joins a room; returns when the server has confirmed it.
    fn join(&self, to: SocketAddr, room: u32) -> anyhow::Result<Joined>;

    /// Length of the frame at the beginning of `input`; `None` while that cannot be told.
    fn length(&self, input: &[u8]) -> anyhow::Result<Option<usize>>;

    /// Appends a message to everybody in `room`, the sender included.
    fn message(&self, room: u32, due: Stamp, to: &mut Vec<u8>);

    /// What to answer to a frame that is not a delivery; an error if it should not have come.
    fn answer(&self, frame: &[u8]) -> anyhow::Result<Option<Vec<u8>>>;

    /// What each connection has to say every 25 seconds to be kept.
    fn heartbeat(&self) -> Option<&[u8]> {
        None
    }
}

/// A payload of `bytes` with a stamp in it: a JSON object, so that every server may look into it.
fn payload(due: Stamp, bytes: usize) -> String {
    let mut text = br#"{"t":""#.to_vec();
    due.write(&mut text);
    text.extend_from_slice(br#"","p":""#);
    text.resize(bytes.max(text.len() + 2) - 2, b'x');
    text.extend_from_slice(br#""}"#);
    String::from_utf8_lossy(&text).into_owned()
}

/// Least bytes of a payload.
pub const PAYLOAD_MIN: usize = crate::load::STAMP_LEN + 15;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_has_its_size_and_is_json() {
        for bytes in [PAYLOAD_MIN, 200] {
            let text = payload(Stamp(9), bytes);
            assert_eq!(text.len(), bytes);
            assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{text}");
        }
    }
}
