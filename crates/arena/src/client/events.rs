//! Server-sent events.

use super::{Answer, ApiPath, Client, ClientError, agent_with, read};
use std::io::{self, BufRead, BufReader, Read};
use std::time::Duration;
use ureq::BodyReader;
use ureq::http::Request;

/// A server that has nothing to say shows every 15 s that it is there; one that is silent for longer is away.
const SILENCE: Duration = Duration::from_secs(40);

/// Longest event, in bytes.
const MAX_EVENT_BYTES: u64 = 16 * 1024 * 1024;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What to come back with.
    pub id: String,
    /// What it says.
    pub data: String,
}

/// A stream of events.
pub struct Events {
    lines: BufReader<BodyReader<'static>>,
}

impl Client {
    /// Opens a stream that goes on after the event of this id.
    pub fn events(&self, path: &ApiPath, last_id: &str) -> Result<Events, ClientError> {
        let agent = agent_with(&self.server, |config| {
            config.timeout_recv_response(Some(super::ANSWER_TIMEOUT)).timeout_per_read(Some(SILENCE))
        });
        let unreachable = |error| ClientError::of_transport(&self.server, error);
        let request = Request::builder()
            .uri(format!("{}{path}", self.server))
            .header("Accept", "text/event-stream")
            .header("Last-Event-ID", last_id)
            .header("X-Arena-Actor", &self.actor)
            .body(());
        let response = agent.run(request.map_err(|error| unreachable(error.into()))?).map_err(unreachable)?;
        let media_type = response.headers().get("content-type").and_then(|value| value.to_str().ok());
        if response.status() == 200 && media_type == Some("text/event-stream") {
            return Ok(Events { lines: BufReader::new(response.into_body().into_reader()) });
        }
        let (status, text) = read(response).map_err(unreachable)?;
        Err(Answer::new(&self.server, status, text)?.refuse("no stream of events"))
    }
}

impl Events {
    /// The next event; `None` where the stream has ended. Comments are passed over.
    fn read(&mut self) -> io::Result<Option<Event>> {
        let (mut id, mut data) = (String::new(), Vec::new());
        loop {
            let mut line = String::new();
            if (&mut self.lines).take(MAX_EVENT_BYTES).read_line(&mut line)? == 0 {
                return Ok(None);
            }
            let line = line.trim_end_matches(['\r', '\n']);
            if line.is_empty() && !data.is_empty() {
                return Ok(Some(Event { id, data: data.join("\n") }));
            }
            match line.split_once(':').map(|(name, value)| (name, value.strip_prefix(' ').unwrap_or(value))) {
                Some(("id", value)) => id = value.to_owned(),
                Some(("data", value)) => data.push(value.to_owned()),
                _ => {}
            }
        }
    }
}

impl Iterator for Events {
    type Item = io::Result<Event>;

    fn next(&mut self) -> Option<io::Result<Event>> {
        self.read().transpose()
    }
}
