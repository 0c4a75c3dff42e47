//! A log as server-sent events, from any place in it and on as it grows.
//!
//! The log is read from the store, a few lines at a time and only when the client has taken those before: a slow
//! client costs no memory. The topic's stream says when there is more to read. With each comment that keeps the connection
//! alive it is looked at anyway, so that nothing is lost where nobody said so.
//!
//! Whether the follower may still read is asked again as often, and with every line that changes who may. A stream ends
//! with its token.

use super::door::Door;
use super::followers::Following;
use super::reading::{Reader, unreadable};
use super::wire::{LineBody, Speaker};
use crate::extract::{Id, Query};
use crate::problem::Problem;
use crate::server::{Ending, Peer};
use arena_bus::{Message, Rest, Sink, Stream};
use arena_control::{ErrorClass, LogLine, LogPage, ServiceError, Services};
use arena_core::conversation::ConversationId;
use arena_realtime::token::unix_now;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

/// Lines that are read at a time. What one stream holds in memory: at most these, of some 35 kB each.
const PAGE: u32 = 16;

/// Lines that change who may read.
const CHANGES: [&str; 3] = ["created", "participant_added", "participant_removed"];

/// When somebody who found no slot should come back.
const COME_BACK_AFTER: Duration = Duration::from_secs(5);

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FollowQuery {
    after: Option<u64>,
}

#[allow(clippy::too_many_arguments, reason = "each is a part of the request")]
pub(super) async fn follow(
    State(services): State<Services>,
    Extension(door): Extension<Door>,
    ending: Option<Extension<Ending>>,
    peer: Option<Extension<Peer>>,
    reader: Reader,
    Id(id): Id<ConversationId>,
    Query(FollowQuery { after }): Query<FollowQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let last_seen = last_event_id(&headers)?;
    let keep_alive = door.keep_alive;
    let address = peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |Extension(peer)| peer.0.ip());
    let following = door.followers.begin(&reader.speaker, address);
    let following =
        following.map_err(|detail| Problem::unavailable("overloaded", detail, COME_BACK_AFTER))?;
    let listening = services.conversations.listen(&id).await?;
    reader.may_read_of(&services, &id).await?;
    let end = listening.position.offset;
    let after = match last_seen {
        // A place that this log has never reached is one of an earlier conversation of that id.
        Some(seen) if seen > end => 0,
        Some(seen) => seen,
        None => after.unwrap_or_default().min(end),
    };
    let closing = ending.map(|Extension(ending)| ending.endless()).unwrap_or_default();
    let follower = Follower {
        ends_at: token_end(&reader.speaker),
        services,
        reader,
        checked_at: Instant::now(),
        id,
        after,
        epoch: listening.position.epoch.as_str().into(),
        lines: VecDeque::new(),
        behind: true,
        attached: Attached::new(listening.stream),
        closing,
        keep_alive,
        _following: following,
    };
    let events = futures_util::stream::unfold(follower, Follower::next);
    Ok(Sse::new(events).into_response())
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get(LAST_EVENT_ID) else { return Ok(None) };
    // Browsers send an empty one where no event had an id.
    if value.is_empty() {
        return Ok(None);
    }
    value.to_str().ok().and_then(|text| text.parse().ok()).map(Some).ok_or_else(|| {
        let detail = "Last-Event-ID takes the id of an event, which is an offset";
        Problem::new(StatusCode::BAD_REQUEST, "invalid_header", detail)
    })
}

/// Somebody who follows a log.
struct Follower {
    services: Services,
    reader: Reader,
    /// When its token ends.
    ends_at: Option<Instant>,
    /// When it was last asked whether it may read.
    checked_at: Instant,
    id: ConversationId,
    /// The last line that was read.
    after: u64,
    epoch: Arc<str>,
    /// Read, and not sent yet.
    lines: VecDeque<LogLine>,
    /// Whether there is more to read at once.
    behind: bool,
    attached: Attached,
    closing: CancellationToken,
    keep_alive: Duration,
    _following: Following,
}

impl Follower {
    /// The next event; none where the server ends, the conversation is gone or not open to this one any more, or its token
    /// has ended.
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Follower)> {
        loop {
            if self.is_over() {
                return None;
            }
            if let Some(line) = self.lines.pop_front() {
                return Some((Ok(event(&line, &self.epoch)?), self));
            }
            let woken = self.behind || self.wait().await?;
            self.read().await?;
            if !woken && self.lines.is_empty() {
                return Some((Ok(Event::default().comment("")), self));
            }
        }
    }

    fn is_over(&self) -> bool {
        self.closing.is_cancelled() || self.ends_at.is_some_and(|end| Instant::now() >= end)
    }

    /// Until the server ends, or the token.
    async fn over(&self) {
        match self.ends_at {
            Some(end) => drop(self.closing.run_until_cancelled(sleep_until(end)).await),
            None => self.closing.cancelled().await,
        }
    }

    /// Waits until there may be more to read, or for long enough; says which. None where it is over.
    async fn wait(&self) -> Option<bool> {
        tokio::select! {
            biased;
            () = self.over() => None,
            () = self.attached.bell.0.notified() => Some(true),
            () = sleep(self.keep_alive) => Some(false),
        }
    }

    /// Reads on. None where the conversation is gone or not open any more, another one has its id, or it is over.
    async fn read(&mut self) -> Option<()> {
        loop {
            let delay = match self.try_to_read().await {
                Ok(goes_on) => return goes_on.then_some(()),
                Err(ServiceError::ShuttingDown) => return None,
                Err(error) => match error.class() {
                    ErrorClass::Unavailable { retry_after } => retry_after,
                    _ => return None,
                },
            };
            tokio::select! {
                () = self.over() => return None,
                () = sleep(delay) => {}
            }
        }
    }

    /// Whether it goes on.
    async fn try_to_read(&mut self) -> Result<bool, ServiceError> {
        let conversations = &self.services.conversations;
        let page = self.reader.reads.page(conversations, &self.id, self.after, PAGE).await?;
        if page.epoch.as_str() != &*self.epoch {
            return Ok(false);
        }
        let changed = page.lines.iter().any(|line| CHANGES.contains(&&*line.event));
        if changed || self.checked_at.elapsed() >= self.keep_alive {
            // Asked after the lines were read: whatever they say about the roster is known by now.
            if !self.reader.still_may_read(conversations, &self.id).await? {
                return Ok(false);
            }
            self.checked_at = Instant::now();
        }
        let LogPage { lines, position, more, .. } = self.delivered(page).await?;
        (self.lines, self.after, self.behind) = (lines.into(), position, more);
        Ok(true)
    }

    /// The lines as they are delivered now to whoever reads: one who cannot answer gets what is delivered to such.
    async fn delivered(&self, mut page: LogPage) -> Result<LogPage, ServiceError> {
        let Speaker { user, service, .. } = &self.reader.speaker;
        if let Some(user) = user.as_ref().filter(|_| !service && !page.lines.is_empty()) {
            let delivery = self.services.conversations.delivery_to(&self.id, user).await?;
            page.lines = page.lines.into_iter().filter_map(|line| line.delivered(delivery)).collect();
        }
        Ok(page)
    }
}

/// The moment that a token ends.
fn token_end(speaker: &Speaker) -> Option<Instant> {
    let left = u64::try_from(speaker.token_ends?.saturating_sub(unix_now())).unwrap_or(0);
    Instant::now().checked_add(Duration::from_secs(left))
}

fn event(line: &LogLine, epoch: &str) -> Option<Event> {
    let body = LineBody::new(line, epoch).and_then(|line| serde_json::to_string(&line));
    let body = body.map_err(unreadable).ok()?;
    Some(Event::default().id(line.position.to_string()).event(&line.event).data(body))
}

/// Rings when there is more in the log. What is in no log rings too if it says that the conversation is gone.
struct Bell(Notify);

impl Sink for Bell {
    fn deliver(&self, messages: &[Arc<Message>]) -> Option<Rest> {
        if messages.iter().any(|message| !message.transient || &*message.event == "deleted") {
            self.0.notify_one();
        }
        None
    }
}

/// A bell on a topic's stream, for as long as this lives.
struct Attached {
    bell: Arc<Bell>,
    sink: Arc<dyn Sink>,
    stream: Arc<Stream>,
}

impl Attached {
    fn new(stream: Arc<Stream>) -> Attached {
        let bell = Arc::new(Bell(Notify::new()));
        let sink: Arc<dyn Sink> = Arc::<Bell>::clone(&bell);
        stream.attach(Arc::clone(&sink));
        Attached { bell, sink, stream }
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.stream.detach(&self.sink);
    }
}
