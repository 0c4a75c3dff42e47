//! A reader of server-sent events, as a browser is one.

use crate::client::Call;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::Value;
use std::time::Duration;
use tokio::task::JoinSet;

/// How long a stream is silent in the tests before a comment comes, unless they say otherwise.
pub const KEEP_ALIVE: Duration = Duration::from_secs(60);

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub id: u64,
    pub event: String,
    pub data: Value,
}

/// An open stream. Dropping it closes the connection.
pub struct Events {
    body: Incoming,
    text: String,
    _connection: JoinSet<()>,
}

impl Events {
    /// Opens a stream; `None` where it is refused.
    pub async fn open(call: Call) -> Option<Events> {
        let (head, body, connection) = call.open().await;
        if head.status != 200 {
            return None;
        }
        assert_eq!(head.headers["content-type"], "text/event-stream");
        Some(Events { body, text: String::new(), _connection: connection })
    }

    /// The next event; `None` where the stream has ended. Comments are passed over.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                if let Some(event) = parse(&block) {
                    return Some(event);
                }
            }
            if !self.more().await {
                return None;
            }
        }
    }

    /// Waits for a comment.
    pub async fn comment(&mut self) {
        while !self.text.lines().any(|line| line.starts_with(':')) {
            assert!(self.more().await, "the stream goes on");
        }
    }

    /// Reads on; whether there was anything. It has to come before a comment would bring it along.
    async fn more(&mut self) -> bool {
        let frame = tokio::time::timeout(KEEP_ALIVE / 2, self.body.frame()).await.expect("it comes soon");
        let Some(frame) = frame else { return false };
        self.text.push_str(std::str::from_utf8(frame.unwrap().data_ref().unwrap()).unwrap());
        true
    }

    /// The next so many.
    pub async fn take(&mut self, count: usize) -> Vec<Event> {
        let mut events = Vec::new();
        while events.len() < count {
            events.push(self.next().await.expect("the stream goes on"));
        }
        events
    }
}

fn parse(block: &str) -> Option<Event> {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    Some(Event {
        id: field("id")?.parse().unwrap(),
        event: field("event")?.to_owned(),
        data: serde_json::from_str(field("data")?).unwrap(),
    })
}
