//! One HTTP request over a connection of its own: enough to talk to a server of ours, and quick to start.

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
}
