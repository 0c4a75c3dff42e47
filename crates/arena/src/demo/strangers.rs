//! People who want to talk to somebody, whoever it is: they wait in the queue of strangers by the public doors. Some meet
//! each other; those whose language nobody else speaks meet bots of the fleet.

use super::guest::{GuestError, heard, joined};
use super::screen;
use crate::auth::Auth;
use crate::config::Config;
use crate::progress::say;
use crate::server::Server;
use arena_fleet::channel::{Channel, ChannelSpec};
use arena_fleet::endpoint::{Endpoint, Network};
use arena_fleet::monitor::Monitor;
use arena_fleet::pool::Pool;
use arena_fleet::{PoolSettings, TokenSource};
use arena_realtime::token::{Claims, Role, unix_now};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Who comes, and what they speak.
const PEOPLE: [(&str, &str); 8] = [
    ("ann", "en"),
    ("bela", "hu"),
    ("chen", "zh"),
    ("dora", "hu"),
    ("eve", "en"),
    ("finn", "fi"),
    ("gao", "zh"),
    ("hana", "ja"),
];
/// Time between two who come.
const APART: Duration = Duration::from_millis(30);
/// An evening that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long somebody stays with a partner who says nothing.
const SMALL_TALK: Duration = Duration::from_secs(3);
/// How long leaving may take.
const LEAVING: Duration = Duration::from_secs(2);

/// How it was for one of them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Evening {
    /// From asking until the match stood.
    pub(super) waited: Duration,
    /// Whether the partner was a bot.
    pub(super) with_bot: bool,
    /// Lines that were said to them.
    pub(super) heard: u64,
}

/// People on their way.
pub(super) struct Strangers {
    evenings: JoinSet<Result<Evening, GuestError>>,
}

impl Strangers {
    /// They come one after the other, in the background. A demo goes on without them.
    pub(super) fn come(server: &Server, config: &Config) -> Option<Strangers> {
        let auth =
            Auth::open(config).map_err(|error| say(&format!("no stranger could come: {error}"))).ok()?;
        let url = format!("http://{}", server.address);
        let mut evenings = JoinSet::new();
        for ((name, language), nth) in PEOPLE.into_iter().zip(0..) {
            let token = auth.issuer.issue(&Claims::of(name, Role::Authenticated, unix_now(), 3_600));
            let (url, token) = (url.clone(), TokenSource::fixed(&token));
            evenings.spawn(async move {
                tokio::time::sleep(APART * nth).await;
                let evening = tokio::time::timeout(PATIENCE, evening_of(&url, token, name, language));
                evening.await.unwrap_or(Err(GuestError::TooLong))
            });
        }
        Some(Strangers { evenings })
    }

    /// Waits until all of them go home, and tells how it was.
    pub(super) async fn part(mut self) -> Vec<Evening> {
        let mut all = Vec::new();
        while let Some(evening) = self.evenings.join_next().await {
            match evening {
                Ok(Ok(evening)) => all.push(evening),
                Ok(Err(error)) => say(&format!("a stranger met nobody: {error}")),
                Err(_) => {}
            }
        }
        all.sort_by_key(|evening| evening.waited);
        say(&screen::parted(&all));
        all
    }
}

async fn evening_of(
    url: &str,
    token: TokenSource,
    name: &str,
    language: &str,
) -> Result<Evening, GuestError> {
    let endpoint = Endpoint::parse(url, None)?.keyed(token.clone());
    let pool = Pool::start(endpoint, Arc::new(Network::new()), PoolSettings::default(), Monitor::default());
    let evening = meet(&pool, &token, name, language).await;
    pool.shutdown(LEAVING).await;
    evening
}

async fn meet(pool: &Pool, token: &TokenSource, name: &str, language: &str) -> Result<Evening, GuestError> {
    let mut own = pool.open(name, spec(&format!("user:{name}"), true, token));
    joined(&mut own).await?;
    let began = Instant::now();
    own.push("match_enqueue", json!({ "queue": "strangers", "name": name, "language": language })).await?;
    let of = matched(&mut own).await?;
    let waited = began.elapsed();
    let partner = of["members"].as_array().into_iter().flatten().find(|member| member["user"] != name);
    let with_bot = partner.is_some_and(|partner| partner["kind"] == "bot");
    let conversation = of["conversation"].as_str().unwrap_or_default();
    let heard = talk(pool, token, name, conversation).await?;
    // Where the partner was faster, there is nothing left to leave.
    own.push("match_leave", json!({ "match": of["id"] })).await?;
    own.leave(LEAVING).await;
    Ok(Evening { waited, with_bot, heard })
}

/// Agrees to whatever is proposed, until a match stands.
async fn matched(own: &mut Channel) -> Result<Value, GuestError> {
    loop {
        let (event, mut ticket) = heard(own, "the own topic").await?;
        match ticket["state"].as_str().unwrap_or_default() {
            _ if event != "ticket" => {}
            // It is told again until it is confirmed; once too often does no harm.
            "proposed" => drop(own.push("match_confirm", json!({ "match": ticket["match"]["id"] })).await?),
            "matched" => return Ok(ticket["match"].take()),
            "over" => return Err(GuestError::Alone(ticket["ended"].to_string())),
            _ => {}
        }
    }
}

/// Says hello, and stays until the partner has said something or is gone. Gives how many lines were heard.
async fn talk(pool: &Pool, token: &TokenSource, name: &str, conversation: &str) -> Result<u64, GuestError> {
    let mut talk = pool.open(name, spec(&format!("conversation:{conversation}"), false, token));
    joined(&mut talk).await?;
    // Refused where the partner has gone already.
    talk.push("message", json!({ "text": "Hello, stranger!" })).await?;
    let answer = async {
        loop {
            let (event, payload) = heard(&mut talk, "the conversation").await?;
            match event.as_str() {
                "message" if payload["author"] != name => return Ok(1),
                "exhausted" => return Ok(0),
                _ => {}
            }
        }
    };
    let lines = tokio::time::timeout(SMALL_TALK, answer).await.unwrap_or(Ok::<u64, GuestError>(0))?;
    talk.leave(LEAVING).await;
    Ok(lines)
}

fn spec(topic: &str, private: bool, token: &TokenSource) -> ChannelSpec {
    ChannelSpec {
        topic: topic.to_owned(),
        private,
        token: token.clone(),
        presence_key: None,
        presence: None,
        watches_presence: false,
    }
}
