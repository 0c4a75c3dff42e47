//! The client's half of a WebSocket, as far as a load generator needs it.

use anyhow::{bail, ensure};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A server that does not answer by then never will.
const PATIENCE: Duration = Duration::from_secs(20);
/// A key and its answer; RFC 6455 uses the same pair as its example. No proxy is between us and the server whose cache
/// a fresh key would have to get past.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
/// Not zero, so that the server has to unmask.
const MASK: [u8; 4] = [0x5a, 0x11, 0xc3, 0x7e];

/// Opcodes of RFC 6455, section 5.2.
pub const TEXT: u8 = 1;
/// See [`TEXT`].
pub const BINARY: u8 = 2;
/// See [`TEXT`].
pub const CLOSE: u8 = 8;
/// See [`TEXT`].
pub const PING: u8 = 9;
/// See [`TEXT`].
pub const PONG: u8 = 10;

/// A connection that is used blockingly until it is handed to [`super::Sockets`].
pub struct Blocking {
    stream: TcpStream,
    input: Vec<u8>,
}

impl Blocking {
    /// Connects.
    pub fn connect(to: SocketAddr) -> anyhow::Result<Blocking> {
        let stream = TcpStream::connect_timeout(&to, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Blocking { stream, input: Vec::new() })
    }

    /// Connects and upgrades to a WebSocket.
    pub fn upgrade(to: SocketAddr, path: &str) -> anyhow::Result<Blocking> {
        let mut socket = Blocking::connect(to)?;
        socket.send(
            format!(
                "GET {path} HTTP/1.1\r\nHost: {to}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                 Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n"
            )
            .as_bytes(),
        )?;
        let head = socket.take(|input| Ok(memchr::memmem::find(input, b"\r\n\r\n").map(|end| end + 4)))?;
        let head = String::from_utf8_lossy(&head);
        let rest = || String::from_utf8_lossy(&socket.input);
        ensure!(head.starts_with("HTTP/1.1 101 "), "no upgrade: {}{}", head.trim(), rest());
        ensure!(head.contains(ACCEPT), "wrong Sec-WebSocket-Accept: {}", head.trim());
        Ok(socket)
    }

    /// Sends bytes.
    pub fn send(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        Ok(self.stream.write_all(bytes)?)
    }

    /// Takes the next frame, whose length `length` tells once it can.
    pub fn take(
        &mut self,
        length: impl Fn(&[u8]) -> anyhow::Result<Option<usize>>,
    ) -> anyhow::Result<Vec<u8>> {
        let mut buffer = [0; 4096];
        loop {
            if let Some(length) = length(&self.input)?.filter(|length| *length <= self.input.len()) {
                return Ok(self.input.drain(..length).collect());
            }
            let read = self.stream.read(&mut buffer)?;
            ensure!(
                read > 0,
                "the server has closed the connection: {}",
                String::from_utf8_lossy(&self.input)
            );
            self.input.extend_from_slice(&buffer[..read]);
        }
    }

    /// The connection, and what has been read of it behind the frames that were taken.
    pub fn into_parts(self) -> (TcpStream, Vec<u8>) {
        (self.stream, self.input)
    }
}

/// What a server's frame is.
pub struct Frame<'a> {
    /// Its opcode.
    pub opcode: u8,
    /// What it carries.
    pub payload: &'a [u8],
}

/// Length of the server's frame at the beginning of `input`; `None` while that cannot be told.
pub fn length(input: &[u8]) -> anyhow::Result<Option<usize>> {
    let &[first, second, ..] = input else { return Ok(None) };
    ensure!(first & 0xf0 == 0x80, "a fragmented or compressed frame was not expected");
    ensure!(second & 0x80 == 0, "a masked frame from the server");
    Ok(match (second, input) {
        (126, &[_, _, a, b, ..]) => Some(4 + usize::from(u16::from_be_bytes([a, b]))),
        (127, &[_, _, a, b, c, d, e, f, g, h, ..]) => {
            Some(10 + usize::try_from(u64::from_be_bytes([a, b, c, d, e, f, g, h]))?)
        }
        (126 | 127, _) => None,
        (length, _) => Some(2 + usize::from(length)),
    })
}

/// A whole frame's opcode and payload.
pub fn open(frame: &[u8]) -> Frame<'_> {
    let header = match frame.get(1) {
        Some(126) => 4,
        Some(127) => 10,
        _ => 2,
    };
    Frame {
        opcode: frame.first().map_or(0, |first| first & 0x0f),
        payload: frame.get(header..).unwrap_or_default(),
    }
}

/// Appends a client's frame around `payload`.
pub fn write(opcode: u8, payload: &[u8], to: &mut Vec<u8>) {
    to.push(0x80 | opcode);
    match payload.len() {
        length @ 0..=125 => to.push(0x80 | length as u8),
        length @ 126..=0xffff => {
            to.push(0x80 | 126);
            to.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            to.push(0x80 | 127);
            to.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    to.extend_from_slice(&MASK);
    to.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
}

/// A client's text frame.
pub fn text(payload: &str) -> Vec<u8> {
    let mut frame = Vec::with_capacity(payload.len() + 14);
    write(TEXT, payload.as_bytes(), &mut frame);
    frame
}

/// What to answer to a frame that is not data: a pong to a ping. A close is an error.
pub fn control(frame: &Frame<'_>) -> anyhow::Result<Option<Vec<u8>>> {
    match frame.opcode {
        PING => {
            let mut pong = Vec::new();
            write(PONG, frame.payload, &mut pong);
            Ok(Some(pong))
        }
        CLOSE => {
            let (code, reason) = frame.payload.split_at(frame.payload.len().min(2));
            let code = code.iter().fold(0, |code, byte| code << 8 | u32::from(*byte));
            bail!("the server closes a connection: {code} {}", String::from_utf8_lossy(reason))
        }
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_frame_is_as_long_as_its_header_says() {
        for payload in [0, 1, 125, 126, 200, 65_535, 65_536] {
            let mut frame = vec![0x80 | TEXT];
            match payload {
                0..=125 => frame.push(payload as u8),
                126..=65_535 => frame.extend([&[126][..], &(payload as u16).to_be_bytes()].concat()),
                _ => frame.extend([&[127][..], &(payload as u64).to_be_bytes()].concat()),
            }
            let header = frame.len();
            for short in 0..header {
                let told = length(&frame[..short]).unwrap();
                assert_eq!(told, None, "{payload} from {short}");
            }
            frame.resize(header + payload, b'x');
            assert_eq!(length(&frame).unwrap(), Some(frame.len()));
            assert_eq!(open(&frame).payload.len(), payload);
            assert_eq!(open(&frame).opcode, TEXT);
        }
        assert!(length(&[0x01, 0]).is_err(), "fragmented");
    }

    #[test]
    fn a_clients_frame_is_masked() {
        for payload in [0, 1, 125, 126, 70_000] {
            let mut frame = Vec::new();
            write(TEXT, &vec![7; payload], &mut frame);
            assert_eq!(frame[0], 0x81);
            assert_eq!(frame[1] & 0x80, 0x80);
            let masked = &frame[frame.len() - payload..];
            assert!(masked.iter().zip(MASK.iter().cycle()).all(|(byte, mask)| byte ^ mask == 7));
        }
    }

    #[test]
    fn pings_are_answered_and_a_close_says_why() {
        let ping = open(&[0x89, 2, b'h', b'i']);
        assert_eq!(control(&ping).unwrap().unwrap()[0], 0x80 | PONG);
        let close = open(&[0x88, 5, 0x03, 0xf4, b'b', b'y', b'e']);
        assert!(control(&close).unwrap_err().to_string().ends_with("1012 bye"));
    }
}
