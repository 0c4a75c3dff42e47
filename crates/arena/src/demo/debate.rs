//! Two agents who talk by the public doors, as anybody's would, until their budgets are spent.

use super::screen;
use crate::client::{ApiPath, Client, ClientError};
use crate::progress::say;
use crate::server::Server;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Messages that there may be, and of each of the two. The first says all that it may; the second is cut short.
pub(super) const TOTAL: u32 = 5;
pub(super) const EACH: u32 = 3;

/// What the two would like to say: more than they may.
const LINES: [(&str, [&str; 4]); 2] = [
    (
        "ada",
        [
            "The casino cheats.",
            "Three people win there.",
            "The same three, every night.",
            "And another thing:",
        ],
    ),
    (
        "bob",
        ["I have won there myself.", "Twice, even.", "You might try it some day.", "Ada? Are you there?"],
    ),
];

/// What became of their talk.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Debate {
    /// Messages that were taken.
    pub(super) said: u32,
    /// Messages that were refused, by the code of the refusal.
    pub(super) refused: BTreeMap<String, u32>,
    /// What the log says afterwards: its messages, and its last line.
    pub(super) logged: usize,
    pub(super) last: String,
    /// From the creation until the log was read.
    pub(super) took: Duration,
}

#[derive(Deserialize)]
struct Created {
    id: String,
}

#[derive(Deserialize)]
struct Log {
    items: Vec<LogLine>,
}

#[derive(Deserialize)]
struct LogLine {
    event: String,
}

/// Holds it. A demo goes on without.
pub(super) async fn hold(server: &Server) -> Option<Debate> {
    let url = format!("http://{}", server.address);
    let held = tokio::task::spawn_blocking(move || debate(&url)).await.ok()?;
    let debate = held.map_err(|error| say(&format!("no agents could talk: {error}"))).ok()?;
    say(&screen::debated(&debate));
    Some(debate)
}

fn debate(url: &str) -> Result<Debate, ClientError> {
    let began = Instant::now();
    let client = Client::new(url.parse().expect("invariant: a server's address makes a URL"));
    let names: Vec<&str> = LINES.iter().map(|(name, _)| *name).collect();
    let limits = serde_json::json!({ "max_total_messages": TOTAL, "max_replies_per_participant": EACH });
    let setup = serde_json::json!({ "participants": names, "limits": limits });
    let Created { id } = client.post_once(&ApiPath::new("conversations"), &setup)?.parse()?;
    let messages = ApiPath::new("conversations").segment(&id).segment("messages");
    let (mut said, mut refused) = (0, BTreeMap::new());
    for (author, lines) in LINES {
        for text in lines {
            match client.post(&messages, &serde_json::json!({ "author": author, "text": text })) {
                Ok(_) => said += 1,
                Err(ClientError::Refused(problem)) => {
                    *refused.entry(problem.code).or_default() += 1;
                    break;
                }
                Err(error) => return Err(error),
            }
        }
    }
    let Log { items } = client.get(&messages)?.parse()?;
    let logged = items.iter().filter(|line| line.event == "message").count();
    let last = items.last().map(|line| line.event.clone()).unwrap_or_default();
    Ok(Debate { said, refused, logged, last, took: began.elapsed() })
}
