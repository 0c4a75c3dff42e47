//! Frames that a server writes.

use super::closing;
use super::header::{MAX_CONTROL, MAX_SERVER_HEADER, Opcode, write_header};
use bytes::Bytes;

/// Builds a frame around a payload whose length is known only once it is written: room for the longest header is
/// left before it, so nothing is copied twice.
#[derive(Debug)]
pub struct FrameBuilder {
    buffer: Vec<u8>,
}

impl FrameBuilder {
    /// Begins a frame whose payload probably has this many bytes.
    pub fn with_capacity(payload: usize) -> FrameBuilder {
        let mut buffer = Vec::with_capacity(MAX_SERVER_HEADER + payload);
        buffer.resize(MAX_SERVER_HEADER, 0);
        FrameBuilder { buffer }
    }

    /// Where the payload is to be appended. Nothing that is in it already may be removed.
    pub fn payload(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// The complete frame.
    pub fn finish(mut self, opcode: Opcode) -> Bytes {
        let mut header = Vec::with_capacity(MAX_SERVER_HEADER);
        write_header(&mut header, opcode, self.buffer.len() - MAX_SERVER_HEADER);
        let start = MAX_SERVER_HEADER - header.len();
        self.buffer[start..MAX_SERVER_HEADER].copy_from_slice(&header);
        Bytes::from(self.buffer).slice(start..)
    }
}

/// A text message. `payload` must be UTF-8.
pub fn text(payload: &[u8]) -> Bytes {
    whole(Opcode::Text, payload)
}

/// A binary message.
pub fn binary(payload: &[u8]) -> Bytes {
    whole(Opcode::Binary, payload)
}

/// A ping; what does not fit into 125 bytes is cut off.
pub fn ping(payload: &[u8]) -> Bytes {
    whole(Opcode::Ping, &payload[..payload.len().min(MAX_CONTROL)])
}

/// The answer to a ping, with the ping's payload.
pub fn pong(payload: &[u8]) -> Bytes {
    whole(Opcode::Pong, &payload[..payload.len().min(MAX_CONTROL)])
}

/// The end of a connection; a reason that does not fit into 123 bytes is cut off.
pub fn close(code: u16, reason: &str) -> Bytes {
    let mut payload = code.to_be_bytes().to_vec();
    payload.extend_from_slice(closing::fit(reason).as_bytes());
    whole(Opcode::Close, &payload)
}

fn whole(opcode: Opcode, payload: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(MAX_SERVER_HEADER + payload.len());
    write_header(&mut out, opcode, payload.len());
    out.extend_from_slice(payload);
    out.into()
}
