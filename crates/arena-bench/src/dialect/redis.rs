//! Redis pub/sub in RESP3, where a connection may subscribe and publish.

use super::{Dialect, Joined, payload};
use crate::load::Stamp;
use crate::load::websocket::Blocking;
use anyhow::{Context, ensure};
use std::net::SocketAddr;

/// Speaks to a Redis server.
#[derive(Debug, Clone)]
pub struct Redis {
    /// Bytes of a payload.
    pub payload: usize,
}

/// Length of the value at the beginning of `input`, in bytes; `None` while that cannot be told.
fn length(input: &[u8]) -> anyhow::Result<Option<usize>> {
    let Some(end) = memchr::memmem::find(input, b"\r\n") else { return Ok(None) };
    let (kind, rest) = input.split_first().context("invariant: a line was found")?;
    let line = std::str::from_utf8(rest.get(..end - 1).unwrap_or_default())?;
    let mut at = end + 2;
    let parts = match kind {
        b'$' | b'=' => {
            let bytes: i64 = line.parse()?;
            return Ok(Some(at + usize::try_from(bytes).map_or(0, |bytes| bytes + 2)));
        }
        b'*' | b'>' | b'~' => line.parse()?,
        b'%' => line.parse::<usize>()? * 2,
        _ => 0,
    };
    for _ in 0..parts {
        let Some(part) = length(input.get(at..).unwrap_or_default())? else { return Ok(None) };
        at += part;
    }
    Ok(Some(at))
}

/// Appends a command.
fn command(words: &[&str], to: &mut Vec<u8>) {
    to.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
    for word in words {
        to.extend_from_slice(format!("${}\r\n{word}\r\n", word.len()).as_bytes());
    }
}

impl Dialect for Redis {
    fn join(&self, to: SocketAddr, room: u32) -> anyhow::Result<Joined> {
        let mut socket = Blocking::connect(to)?;
        for words in [["HELLO", "3"], ["SUBSCRIBE", &format!("room:{room}")]] {
            let mut bytes = Vec::new();
            command(&words, &mut bytes);
            socket.send(&bytes)?;
            let answer = socket.take(length)?;
            ensure!(!answer.starts_with(b"-"), "redis: {}", String::from_utf8_lossy(&answer));
        }
        Ok(socket.into_parts())
    }

    fn length(&self, input: &[u8]) -> anyhow::Result<Option<usize>> {
        length(input)
    }

    fn message(&self, room: u32, due: Stamp, to: &mut Vec<u8>) {
        command(&["PUBLISH", &format!("room:{room}"), &payload(due, self.payload)], to);
    }

    fn answer(&self, frame: &[u8]) -> anyhow::Result<Option<Vec<u8>>> {
        ensure!(!frame.starts_with(b"-"), "redis: {}", String::from_utf8_lossy(frame));
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_ends_where_its_last_part_ends() {
        for value in [
            ":30\r\n",
            "+OK\r\n",
            "$3\r\nabc\r\n",
            "$-1\r\n",
            ">3\r\n$7\r\nmessage\r\n$6\r\nroom:1\r\n$2\r\nhi\r\n",
            "%1\r\n$1\r\na\r\n*1\r\n:1\r\n",
        ] {
            let whole = [value, ":1\r\n"].concat();
            assert_eq!(length(whole.as_bytes()).unwrap(), Some(value.len()), "{value}");
        }
        assert_eq!(length(b">3\r\n$7\r\nmessage\r\n$6").unwrap(), None);
        assert_eq!(length(b"$3").unwrap(), None);
    }
}
