//! A player who comes by the public doors, as anybody's client would, and stays while the worlds are wiped.

use super::screen;
use crate::client::{ApiPath, Client, ClientError};
use crate::progress::say;
use crate::server::Server;
use crate::watch::{Feed, News, Watch, WatchError};
use serde::Deserialize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// The channel that is visited.
const CHANNEL: &str = "main";

/// What a player meets with.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Visit {
    /// From asking for a seat until the snapshot of the world was there.
    pub(super) joined: Duration,
    /// Who was in the world then.
    pub(super) residents: usize,
    /// Changes of the world that it was told.
    pub(super) deltas: u64,
    /// When it was last told that another world takes the place of the one before.
    pub(super) replaced_at: Option<Instant>,
}

/// A player on its visit.
pub(super) struct Visitor {
    visit: Arc<Mutex<Visit>>,
    leaves: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

/// Why nobody could come.
#[derive(Debug, thiserror::Error)]
enum VisitError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Watch(#[from] WatchError),
    #[error("the world sent no snapshot")]
    NoSnapshot,
}

/// What `POST /api/channels/{id}/join` answers, as far as it matters here.
#[derive(Deserialize)]
struct Seat {
    topic: String,
    token: String,
}

impl Visitor {
    /// Takes a seat and joins the live world. A demo goes on without visitors.
    pub(super) async fn enter(server: &Server) -> Option<Visitor> {
        let url = format!("http://{}", server.address);
        let entered = tokio::task::spawn_blocking(move || enter(&url)).await.ok()?;
        let (feed, visit) = entered.map_err(|error| say(&format!("no player could join: {error}"))).ok()?;
        say(&screen::visited(&visit));
        let (visit, leaves) = (Arc::new(Mutex::new(visit)), Arc::new(AtomicBool::new(false)));
        let (seen, leaving) = (Arc::clone(&visit), Arc::clone(&leaves));
        let task = tokio::task::spawn_blocking(move || stay(feed, &seen, &leaving));
        Some(Visitor { visit, leaves, task })
    }

    /// Ends the visit and tells of it.
    pub(super) async fn leave(self) -> Visit {
        self.leaves.store(true, Ordering::Relaxed);
        // Whatever became of it, what it saw is noted.
        let _ = self.task.await;
        self.visit.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn enter(url: &str) -> Result<(Feed, Visit), VisitError> {
    let asked = Instant::now();
    let client = Client::new(url.parse().expect("invariant: a server's address makes a URL"));
    let path = ApiPath::new("channels").segment(CHANNEL).segment("join");
    let seat: Seat = client.post(&path, &serde_json::json!({ "name": "Visitor" }))?.parse()?;
    let watch = Watch {
        server: url.to_owned(),
        topic: seat.topic,
        private: false,
        token: Some(seat.token),
        count: None,
        json: false,
    };
    let mut feed = Feed::default();
    feed.connect(&watch)?;
    let News::Joined { response } = feed.wait()? else { return Err(VisitError::NoSnapshot) };
    let residents = response["snapshot"]["residents"].as_array().ok_or(VisitError::NoSnapshot)?.len();
    Ok((feed, Visit { joined: asked.elapsed(), residents, deltas: 0, replaced_at: None }))
}

fn stay(mut feed: Feed, seen: &Mutex<Visit>, leaves: &AtomicBool) {
    while !leaves.load(Ordering::Relaxed) {
        let news = match feed.poll() {
            Ok(Some(News::Message { event, .. })) => event,
            Ok(_) => continue,
            Err(error) => return say(&format!("the player lost its world: {error}")),
        };
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        match news.as_str() {
            "delta" => seen.deltas += 1,
            "snapshot" => seen.replaced_at = Some(Instant::now()),
            _ => {}
        }
    }
}
