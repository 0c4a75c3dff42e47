//! HTTP requests, over a connection of their own or one after the other over one: enough to talk to a server of ours,
//! and quick to start.

use crate::load::websocket::Blocking;
use anyhow::{Context, ensure};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(10);

/// Sends a request; returns the status and the JSON of the answer, null if it has none.
pub fn request(
    to: SocketAddr,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> anyhow::Result<(u16, Value)> {
    let mut stream = TcpStream::connect_timeout(&to, TIMEOUT)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    let body = body.map(Value::to_string).unwrap_or_default();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    parse(&answer)
}

/// Sends requests one after the other over one connection.
pub struct Client {
    to: SocketAddr,
    /// Made again when the server has closed it, as it may between two requests.
    connection: Option<Blocking>,
}

impl Client {
    /// A client that has not connected yet.
    pub fn new(to: SocketAddr) -> Client {
        Client { to, connection: None }
    }

    /// Sends a request; returns the status and the JSON of the answer, null if it has none.
    pub fn request(
        &mut self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<(u16, Value)> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            self.to,
            body.len()
        );
        let message = head + &body;
        if let Some(mut kept) = self.connection.take()
            && let Ok(answer) = exchange(&mut kept, &message)
        {
            self.connection = Some(kept);
            return parse(&answer);
        }
        let mut fresh = Blocking::connect(self.to)?;
        let answer = exchange(&mut fresh, &message)?;
        self.connection = Some(fresh);
        parse(&answer)
    }
}

fn exchange(connection: &mut Blocking, message: &str) -> anyhow::Result<Vec<u8>> {
    connection.send(message.as_bytes())?;
    connection.take(answer_length)
}

/// Length of an answer with its body; `None` while its headers are not complete.
fn answer_length(input: &[u8]) -> anyhow::Result<Option<usize>> {
    let Some(end) = memchr::memmem::find(input, b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&input[..end])?.to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    Ok(Some(end + 4 + length.map_or(Ok(0), |length| length.trim().parse())?))
}

fn parse(answer: &[u8]) -> anyhow::Result<(u16, Value)> {
    let text = std::str::from_utf8(answer)?;
    let (head, body) = text.split_once("\r\n\r\n").context("the answer has no end of its headers")?;
    let status = head.split_whitespace().nth(1).context("the answer has no status")?.parse()?;
    ensure!(
        !head.to_ascii_lowercase().contains("transfer-encoding:"),
        "an answer in chunks was not expected"
    );
    Ok((status, serde_json::from_str(body).unwrap_or(Value::Null)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_and_json_are_taken_from_an_answer() {
        let answer = b"HTTP/1.1 201 Created\r\nContent-Length: 7\r\n\r\n{\"a\":1}";
        assert_eq!(parse(answer).unwrap(), (201, serde_json::json!({ "a": 1 })));
        assert_eq!(parse(b"HTTP/1.1 200 OK\r\n\r\nok").unwrap(), (200, Value::Null));
        assert!(parse(b"HTTP/1.1 200").is_err());
    }

    #[test]
    fn an_answer_ends_with_its_body() {
        let answer = b"HTTP/1.1 204 No Content\r\n\r\nHTTP";
        assert_eq!(answer_length(answer).unwrap(), Some(answer.len() - 4));
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{\"a\"";
        assert_eq!(answer_length(answer).unwrap(), Some(answer.len() + 3));
        assert_eq!(answer_length(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n").unwrap(), None);
    }
}
