//! A log as server-sent events, from any place in it and on as it grows.
//!
//! The log is read from the store, a few lines at a time and only when the client has taken those before: a slow
//! client costs no memory. The topic's stream says when there is more to read. With each comment that keeps the connection
//! alive it is looked at anyway, so that nothing is lost where nobody said so.

use super::door::{Door, Speaking};
use super::reading::{may_read, unreadable};
use super::wire::LineBody;
use crate::extract::{Id, Query};
use crate::problem::Problem;
use crate::server::Ending;
use arena_bus::{Message, Rest, Sink, Stream};
use arena_control::{Conversations, ErrorClass, LogLine, LogPage, ServiceError, Services};
use arena_core::conversation::{ConversationId, ParticipantId};
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, OwnedSemaphorePermit};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Lines that are read at a time. What one stream holds in memory: at most these, of some 35 kB each.
const PAGE: u32 = 16;

/// When somebody who found no slot should come back.
const COME_BACK_AFTER: Duration = Duration::from_secs(5);

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FollowQuery {
    after: Option<u64>,
}

pub(super) async fn follow(
    State(services): State<Services>,
    Extension(door): Extension<Door>,
    ending: Option<Extension<Ending>>,
    Speaking(speaker): Speaking,
    Id(id): Id<ConversationId>,
    Query(FollowQuery { after }): Query<FollowQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let last_seen = last_event_id(&headers)?;
    let Door { streams, keep_alive, .. } = door;
    let Ok(slot) = streams.try_acquire_owned() else {
        let detail = "as many logs are followed as may be";
        return Err(Problem::unavailable("overloaded", detail, COME_BACK_AFTER));
    };
    let listening = services.conversations.listen(&id).await?;
    may_read(&speaker, &listening.roster)?;
    let end = listening.position.offset;
    let after = match last_seen {
        // A place that this log has never reached is one of an earlier conversation of that id.
        Some(seen) if seen > end => 0,
        Some(seen) => seen,
        None => after.unwrap_or_default().min(end),
    };
    let closing = ending.map(|Extension(ending)| ending.endless()).unwrap_or_default();
    let follower = Follower {
        conversations: services.conversations,
        id,
        reader: speaker.user.filter(|_| !speaker.service),
        after,
        epoch: listening.position.epoch.as_str().into(),
        lines: VecDeque::new(),
        behind: true,
        attached: Attached::new(listening.stream),
        closing,
        keep_alive,
        _slot: slot,
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
    conversations: Conversations,
    id: ConversationId,
    /// Who it is, if not a service: whoever cannot answer gets what is delivered to such.
    reader: Option<ParticipantId>,
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
    _slot: OwnedSemaphorePermit,
}

impl Follower {
    /// The next event; none where the server ends, or the conversation is gone.
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Follower)> {
        loop {
            if self.closing.is_cancelled() {
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

    /// Waits until there may be more to read, or for long enough; says which. None where the server ends.
    async fn wait(&self) -> Option<bool> {
        tokio::select! {
            biased;
            () = self.closing.cancelled() => None,
            () = self.attached.bell.0.notified() => Some(true),
            () = sleep(self.keep_alive) => Some(false),
        }
    }

    /// Reads on. None where the conversation is gone, another one has its id, or the server ends.
    async fn read(&mut self) -> Option<()> {
        loop {
            let delay = match self.page().await {
                Ok(page) if page.epoch.as_str() != &*self.epoch => return None,
                Ok(LogPage { lines, position, more, .. }) => {
                    (self.lines, self.after, self.behind) = (lines.into(), position, more);
                    return Some(());
                }
                Err(ServiceError::ShuttingDown) => return None,
                Err(error) => match error.class() {
                    ErrorClass::Unavailable { retry_after } => retry_after,
                    _ => return None,
                },
            };
            self.closing.run_until_cancelled(sleep(delay)).await?;
        }
    }

    /// The next lines, as they are delivered to the reader now.
    async fn page(&self) -> Result<LogPage, ServiceError> {
        let mut page = self.conversations.messages(&self.id, self.after, PAGE).await?;
        if let Some(reader) = self.reader.as_ref().filter(|_| !page.lines.is_empty()) {
            let delivery = self.conversations.delivery_to(&self.id, reader).await?;
            page.lines = page.lines.into_iter().filter_map(|line| line.delivered(delivery)).collect();
        }
        Ok(page)
    }
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
