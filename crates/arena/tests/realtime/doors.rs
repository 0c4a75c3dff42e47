//! What no client library shows: handshakes, headers and refusals, byte for byte.

use super::gateway::{Gateway, USER};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

/// An answer to bytes.
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// Sends a request and reads the head of the answer, and its body if it has a length.
fn send(gateway: &Gateway, head: &str, body: &str) -> Answer {
    let mut stream = TcpStream::connect(gateway.address()).unwrap();
    let head = head.replace('\n', "\r\n");
    write!(stream, "{head}\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        assert_ne!(reader.read_line(&mut line).unwrap(), 0, "the server closed: {lines:?}");
        if line == "\r\n" {
            break;
        }
        lines.push(line.trim_end().to_owned());
    }
    let status = lines[0].split(' ').nth(1).unwrap().parse().unwrap();
    let headers: Vec<(String, String)> = lines[1..]
        .iter()
        .map(|line| line.split_once(": ").unwrap())
        .map(|(key, value)| (key.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let answer = Answer { status, headers, body: String::new() };
    let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    Answer { body: String::from_utf8(body).unwrap(), ..answer }
}

/// The key and its answer are those of RFC 6455, section 1.3.
const UPGRADE: &str = "connection: keep-alive, Upgrade\nupgrade: WebSocket\nsec-websocket-version: 13\n\
                       sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==";

fn handshake(gateway: &Gateway, query: &str, headers: &str) -> Answer {
    send(gateway, &format!("GET /socket/websocket?{query} HTTP/1.1\n{UPGRADE}{headers}"), "")
}

#[test]
fn a_handshake_is_answered_as_the_rfc_has_it() {
    let gateway = Gateway::start();
    let token = gateway.token("ada", USER, "1h");
    for (query, headers) in [
        (format!("apikey={token}&vsn=2.0.0&log_level=info"), String::new()),
        ("vsn=1.0.0".to_owned(), format!("\nx-api-key: {token}")),
        (String::new(), format!("\nauthorization: bearer {token}")),
    ] {
        let answer = handshake(&gateway, &query, &headers);
        assert_eq!(answer.status, 101, "{query} {headers}");
        assert_eq!(answer.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        assert_eq!(answer.header("sec-websocket-protocol"), None);
        assert_eq!(answer.header("sec-websocket-extensions"), None, "no compression is spoken");
    }
    let offered = handshake(&gateway, &format!("apikey={token}"), "\nsec-websocket-protocol: other, phoenix");
    assert_eq!(offered.header("sec-websocket-protocol"), Some("phoenix"));
}

#[test]
fn a_refused_handshake_says_why_in_the_words_that_clients_know() {
    let gateway = Gateway::with(&[("ARENA_REALTIME__ANONYMOUS", "never")]);
    let ended = gateway.ended_token("ada");
    let good = gateway.token("ada", USER, "1h");
    let forged = format!("{}x", &good[..good.len() - 2]);
    for (query, status, error) in [
        (String::new(), 401, "API key is missing"),
        ("apikey=nonsense".to_owned(), 401, "The token provided is not a valid JWT"),
        (format!("apikey={ended}"), 401, "Token has expired"),
        (format!("apikey={forged}"), 401, "Failed to validate JWT signature"),
    ] {
        let answer = handshake(&gateway, &query, "");
        assert_eq!((answer.status, &answer.json()["error"]), (status, &json!(error)), "{query}");
    }
    let odd = handshake(&gateway, &format!("apikey={good}&vsn=3.0.0"), "");
    assert_eq!(odd.status, 400);
    assert!(odd.json()["error"].as_str().unwrap().contains("1.0.0 and 2.0.0"), "{}", odd.body);
    let plain = send(&gateway, "GET /socket/websocket HTTP/1.1", "");
    assert_eq!((plain.status, plain.header("upgrade")), (426, Some("websocket")));
}

#[test]
fn connections_beyond_the_limit_are_refused_until_others_have_gone() {
    let gateway = Gateway::with(&[("ARENA_REALTIME__MAX_CONNECTIONS_PER_USER", "1")]);
    let token = gateway.token("ada", USER, "1h");
    let mut first = TcpStream::connect(gateway.address()).unwrap();
    let head = format!("GET /socket/websocket?apikey={token} HTTP/1.1\n{UPGRADE}\nhost: localhost\n\n");
    first.write_all(head.replace('\n', "\r\n").as_bytes()).unwrap();
    first.read_exact(&mut [0; 12]).unwrap();
    let refused = handshake(&gateway, &format!("apikey={token}"), "");
    assert_eq!((refused.status, &refused.json()["error"]), (429, &json!("Too many connected users")));
    assert!(refused.header("retry-after").is_some());
    drop(first);
    arena_testing::wait_until(super::support::PATIENCE, "the seat of the first is free", || {
        handshake(&gateway, &format!("apikey={token}"), "").status == 101
    });
}

#[test]
fn pages_of_any_origin_may_broadcast_and_are_told_what_was_wrong() {
    let gateway = Gateway::with(&[
        ("ARENA_REALTIME__ANONYMOUS", "never"),
        ("ARENA_REALTIME__PRIVATE_TOPICS", "staff:*"),
        ("ARENA_REALTIME__PAYLOAD_LIMIT_BYTES", "1024"),
        ("ARENA_CONVERSATIONS__MAX_TEXT_BYTES", "1024"),
        ("ARENA_REALTIME__PRESENCE_LIMIT_BYTES", "1024"),
    ]);
    let asked = send(&gateway, "OPTIONS /api/broadcast HTTP/1.1\norigin: https://page.test", "");
    assert_eq!((asked.status, asked.header("access-control-allow-origin")), (204, Some("*")));
    assert!(asked.header("access-control-allow-headers").unwrap().contains("authorization"));

    let token = gateway.token("ada", USER, "1h");
    let post = |body: &str| {
        let head = format!(
            "POST /api/broadcast HTTP/1.1\nauthorization: Bearer {token}\ncontent-type: application/json"
        );
        send(&gateway, &head, body)
    };
    let message = |topic: &str, payload: &str| {
        format!(r#"{{"messages":[{{"topic":"{topic}","event":"e","payload":{payload}}}]}}"#)
    };
    let long = format!("\"{}\"", "x".repeat(1_100));
    for (body, status, word) in [
        (message("room:1", "{}"), 202, ""),
        (message("realtime:room:1", "[1]"), 202, ""),
        (message("staff:1", "{}"), 403, "PrivateOnly"),
        (message("world:main", "{}"), 403, "Unauthorized"),
        (message("user:bob", "{}"), 403, "Unauthorized"),
        (message("room:1", &long), 413, "payload_size_exceeded"),
        (message("", "{}"), 422, "messages[0].topic"),
        (r#"{"messages":[]}"#.to_owned(), 422, "1 to"),
        ("not json".to_owned(), 422, "line 1"),
    ] {
        let answer = post(&body);
        assert_eq!(answer.status, status, "{body}: {}", answer.body);
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        match status {
            202 => assert_eq!(answer.body, ""),
            _ => assert!(answer.json()["message"].as_str().unwrap().contains(word), "{}", answer.body),
        }
    }
    let nobody = send(&gateway, "POST /api/broadcast HTTP/1.1\ncontent-type: application/json", "{}");
    assert_eq!((nobody.status, nobody.json()["message"].is_string()), (401, true));
    let text = format!("POST /api/broadcast HTTP/1.1\napikey: {token}\ncontent-type: text/plain");
    assert_eq!(send(&gateway, &text, "{}").status, 415);
}
