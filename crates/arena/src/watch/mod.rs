//! `arena watch`: a topic, live in the terminal.

mod feed;
mod lines;
mod residents;

pub use feed::{Feed, News, WatchError};

use crate::progress::say;
use crate::render::Style;
use lines::Lines;
use serde_json::Value;
use std::thread::sleep;
use std::time::Duration;

/// What to watch, and how.
#[derive(Debug, Clone)]
pub struct Watch {
    /// The server's URL, `http://…`.
    pub server: String,
    /// The topic.
    pub topic: String,
    /// Whether the private topic of that name is meant.
    pub private: bool,
    /// Whose eyes; `None` for anonymous ones.
    pub token: Option<String>,
    /// Ends after so many messages.
    pub count: Option<u64>,
    /// One JSON object a message, in place of lines for people.
    pub json: bool,
}

/// Delays before it connects again; the last one is repeated.
const DELAYS: [Duration; 4] =
    [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(5)];

/// Watches until it has seen enough, is refused, or `write` fails. A connection that breaks is made anew, and what was
/// missed is asked for.
pub fn run<E: From<WatchError>>(
    watch: &Watch,
    style: Style,
    mut write: impl FnMut(&str) -> Result<(), E>,
) -> Result<(), E> {
    let (mut feed, mut lines) = (Feed::default(), Lines::new(&watch.topic, style));
    let (mut left, mut failures) = (watch.count.unwrap_or(u64::MAX), 0);
    loop {
        let error = match feed.connect(watch) {
            Ok(()) => loop {
                match feed.wait() {
                    Ok(news) => {
                        failures = 0;
                        let counts = matches!(news, News::Message { .. });
                        write(&if watch.json { json(&news) } else { lines.of(&news) })?;
                        left -= u64::from(counts);
                        if left == 0 {
                            return Ok(());
                        }
                    }
                    Err(error) => break error,
                }
            },
            Err(error) => error,
        };
        // What has never worked is more likely wrong than away.
        if error.is_final() || !feed.has_joined() {
            return Err(error.into());
        }
        let delay = DELAYS[failures.min(DELAYS.len() - 1)];
        failures += 1;
        say(&format!("{error}; connecting again in {} s", delay.as_secs_f32()));
        sleep(delay);
    }
}

/// For programs: one object a line.
fn json(news: &News) -> String {
    let value = match news {
        News::Joined { response } => serde_json::json!({ "event": "joined", "payload": response }),
        News::Message { event, payload, meta } => {
            let mut value = serde_json::json!({ "event": event, "payload": payload });
            if !meta.is_null() {
                value["meta"] = Value::clone(meta);
            }
            value
        }
        News::Notice { event, payload } => serde_json::json!({ "event": event, "payload": payload }),
    };
    format!("{value}\n")
}
