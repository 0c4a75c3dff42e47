//! A human who comes by the public doors, meets a bot of the fleet in the lobby, and talks with it until the
//! conversation's budget is spent.

use super::screen;
use crate::auth::Auth;
use crate::client::{ApiPath, Client, ClientError};
use crate::config::Config;
use crate::progress::say;
use crate::server::Server;
use arena_fleet::channel::{Channel, ChannelEvent, ChannelSpec, PushError};
use arena_fleet::endpoint::{Endpoint, EndpointError, Network};
use arena_fleet::monitor::Monitor;
use arena_fleet::pool::Pool;
use arena_fleet::{PoolSettings, TokenSource};
use arena_realtime::token::{Claims, Role, unix_now};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Who comes.
const NAME: &str = "guest";
/// Messages that the talk may have.
pub(super) const TOTAL: u32 = 5;
/// What the guest says, one line after each of the bot's but its last.
const LINES: [&str; 2] = ["Hello! Who are you?", "Are you a human?"];
/// A talk that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long leaving may take.
const LEAVING: Duration = Duration::from_secs(2);

/// What became of the talk.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Met {
    /// The bot's name.
    pub(super) bot: String,
    /// From asking for a bot until it said its first word.
    pub(super) greeted: Duration,
    /// What was said: who, what.
    pub(super) lines: Vec<(String, String)>,
    /// What the conversation's log ends with.
    pub(super) end: String,
}

/// A guest on its visit.
pub(super) struct Guest {
    visit: JoinSet<Result<Met, GuestError>>,
}

/// Why somebody met nobody.
#[derive(Debug, thiserror::Error)]
pub(super) enum GuestError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    #[error(transparent)]
    Push(#[from] PushError),
    #[error("{0} was closed: {1}")]
    Closed(&'static str, String),
    #[error("nobody came: {0}")]
    Alone(String),
    #[error("nothing came of it within {} s", PATIENCE.as_secs())]
    TooLong,
}

#[derive(Deserialize)]
struct Created {
    id: String,
}

impl Guest {
    /// Comes, in the background: it talks while worlds come and go. A demo goes on without guests.
    pub(super) fn come(server: &Server, config: &Config) -> Option<Guest> {
        let auth = Auth::open(config).map_err(|error| say(&format!("no guest could come: {error}"))).ok()?;
        let claims = Claims::of(NAME, Role::Authenticated, unix_now(), 3_600);
        let (url, token) = (format!("http://{}", server.address), auth.issuer.issue(&claims));
        let mut visit = JoinSet::new();
        visit.spawn(async move {
            tokio::time::timeout(PATIENCE, visit_of(url, token)).await.unwrap_or(Err(GuestError::TooLong))
        });
        Some(Guest { visit })
    }

    /// Waits for the talk's end and tells of it.
    pub(super) async fn part(mut self) -> Option<Met> {
        let met = self.visit.join_next().await?.ok()?;
        let met = met.map_err(|error| say(&format!("the guest and the bot did not talk: {error}"))).ok()?;
        say(&screen::met(&met));
        Some(met)
    }
}

async fn visit_of(url: String, token: String) -> Result<Met, GuestError> {
    let token = TokenSource::fixed(&token);
    let endpoint = Endpoint::parse(&url, None)?.keyed(token.clone());
    let pool = Pool::start(endpoint, Arc::new(Network::new()), PoolSettings::default(), Monitor::default());
    let met = meet(&pool, &url, &token).await;
    pool.shutdown(LEAVING).await;
    met
}

async fn meet(pool: &Pool, url: &str, token: &TokenSource) -> Result<Met, GuestError> {
    let mut lobby = pool.open(NAME, topic("lobby:main", token));
    let (id, name) = idle_bot(&mut lobby).await?;
    let conversation = begin(url, &id).await?;
    let mut talk = pool.open(NAME, topic(&format!("conversation:{conversation}"), token));
    joined(&mut talk).await?;
    let asked = Instant::now();
    lobby.push("bot_wanted", json!({ "conversation": conversation, "bot": id })).await?;
    let mut met = Met { bot: name, greeted: Duration::ZERO, lines: Vec::new(), end: String::new() };
    let mut mine = LINES.into_iter();
    while met.end.is_empty() {
        let (event, payload) = tokio::select! {
            heard = heard(&mut talk, "the conversation") => heard?,
            refused = refused(&mut lobby, &conversation) => return Err(refused),
        };
        let text = |key: &str| payload[key].as_str().unwrap_or_default().to_owned();
        match event.as_str() {
            "message" if text("author") == id => {
                if met.lines.is_empty() {
                    met.greeted = asked.elapsed();
                }
                met.lines.push((met.bot.clone(), text("text")));
                if let Some(line) = mine.next() {
                    // Refused where the bot has said the last word; the log tells the end in any case.
                    talk.push("message", json!({ "text": line })).await?;
                }
            }
            "message" => met.lines.push((text("author"), text("text"))),
            "exhausted" => met.end = event,
            _ => {}
        }
    }
    talk.leave(LEAVING).await;
    lobby.leave(LEAVING).await;
    Ok(met)
}

/// The first bot in the lobby that has nothing to do: its id and its name.
async fn idle_bot(lobby: &mut Channel) -> Result<(String, String), GuestError> {
    loop {
        if let ChannelEvent::Presence { event, payload } = next(lobby, "the lobby").await? {
            let there = if event == "presence_diff" { &payload["joins"] } else { &payload };
            if let Some(found) = there.as_object().into_iter().flatten().find_map(idle) {
                return Ok(found);
            }
        }
    }
}

fn idle((key, shown): (&String, &Value)) -> Option<(String, String)> {
    let bot =
        shown["metas"].as_array()?.iter().find(|meta| meta["bot"] == true && meta["state"] == "idle")?;
    Some((key.clone(), bot["name"].as_str().unwrap_or(key).to_owned()))
}

async fn begin(url: &str, bot: &str) -> Result<String, GuestError> {
    let client = Client::new(url.parse().expect("invariant: a server's address makes a URL"));
    let setup = json!({ "participants": [NAME, bot], "limits": { "max_total_messages": TOTAL } });
    let created = tokio::task::spawn_blocking(move || {
        client.post_once(&ApiPath::new("conversations"), &setup)?.parse::<Created>()
    });
    let created = created.await.map_err(|error| GuestError::Alone(error.to_string()))?;
    Ok(created?.id)
}

/// Waits until the conversation is joined, so that no word of the bot's is missed.
pub(super) async fn joined(talk: &mut Channel) -> Result<(), GuestError> {
    while !matches!(next(talk, "the conversation").await?, ChannelEvent::Joined { .. }) {}
    Ok(())
}

/// The next broadcast.
pub(super) async fn heard(channel: &mut Channel, what: &'static str) -> Result<(String, Value), GuestError> {
    loop {
        if let ChannelEvent::Message { event, payload, .. } = next(channel, what).await? {
            return Ok((event, payload));
        }
    }
}

/// What happens next in a channel that goes on.
async fn next(channel: &mut Channel, what: &'static str) -> Result<ChannelEvent, GuestError> {
    match channel.next().await {
        Some(ChannelEvent::Ended { fault }) => Err(GuestError::Closed(what, fault.to_string())),
        Some(event) => Ok(event),
        None => Err(GuestError::Closed(what, "no reason was given".to_owned())),
    }
}

/// Comes back if the fleet has nobody for this conversation.
async fn refused(lobby: &mut Channel, conversation: &str) -> GuestError {
    loop {
        match heard(lobby, "the lobby").await {
            Ok((event, payload)) if event == "bot_unavailable" && payload["conversation"] == conversation => {
                let detail = payload["detail"].as_str().unwrap_or("no reason was given");
                return GuestError::Alone(detail.to_owned());
            }
            Ok(_) => {}
            Err(error) => return error,
        }
    }
}

fn topic(topic: &str, token: &TokenSource) -> ChannelSpec {
    ChannelSpec {
        topic: topic.to_owned(),
        private: false,
        token: token.clone(),
        presence_key: Some(NAME.to_owned()),
        presence: Some(json!({ "name": "Guest" })),
        watches_presence: true,
    }
}
