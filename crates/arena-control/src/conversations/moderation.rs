//! Moderators: asked about a message before it is charged, each with a deadline.

use super::ask::{Ask, Cleared, Order};
use super::settings::ConversationSettings;
use crate::error::ServiceError;
use arena_core::conversation::{Code, Command, Moderation, OnFailure, Refusal, Say};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The longest answer that is read, in bytes.
const MAX_ANSWER: usize = 16 * 1024;

/// The longest reason that is passed on, in characters.
const MAX_REASON: usize = 300;

/// Asks moderators.
#[derive(Debug)]
pub(super) struct Moderators {
    /// None where the system has no means for one: then no moderator is of help.
    client: Option<reqwest::Client>,
    settings: ConversationSettings,
    /// How many may be asked at once. One more is as one whose moderator does not answer.
    room: Arc<Semaphore>,
    /// Where a message goes on that was let through.
    queue: mpsc::Sender<Ask>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// What is asked.
#[derive(Serialize)]
struct Question<'a> {
    conversation: &'a str,
    author: &'a str,
    message_id: Option<&'a str>,
    text: &'a str,
    data: Option<&'a RawValue>,
}

/// What has to be answered, with status 200.
#[derive(Deserialize)]
struct Verdict {
    allow: bool,
    #[serde(default)]
    reason: Option<String>,
}

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
enum Silence {
    #[error("it is on a host that is not among conversations.moderation_hosts any more")]
    Forbidden,
    #[error("too many messages wait for their moderators")]
    Crowded,
    #[error("it did not answer within {0} ms")]
    Deadline(u64),
    #[error("it cannot be reached")]
    Unreachable,
    #[error("it answered with status {0}")]
    Status(u16),
    #[error("its answer is not {{\"allow\": true}} or {{\"allow\": false, \"reason\": …}}")]
    Nonsense,
}

/// Checks a moderator's URL: one of the hosts that are allowed, over HTTP.
pub(super) fn check(moderation: &Moderation, settings: &ConversationSettings) -> Result<(), ServiceError> {
    let refuse = |text: String| Err(ServiceError::InvalidConversation(format!("moderation.url: {text}")));
    let Ok(url) = reqwest::Url::parse(&moderation.url) else {
        return refuse("this is no URL".to_owned());
    };
    if !matches!(url.scheme(), "http" | "https") {
        return refuse("only http and https are spoken".to_owned());
    }
    let host = url.host_str().unwrap_or_default();
    if !settings.moderation_hosts.iter().any(|allowed| allowed == host) {
        let allowed = settings.moderation_hosts.join(", ");
        return refuse(format!(
            "`{host}` is not among the hosts that moderators may be on ({allowed}); see conversations.moderation_hosts"
        ));
    }
    Ok(())
}

impl Moderators {
    pub(super) fn new(
        settings: &ConversationSettings,
        queue: mpsc::Sender<Ask>,
        stop: CancellationToken,
    ) -> Moderators {
        // A redirect could lead away from the hosts that are allowed.
        let client =
            reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build();
        Moderators {
            client: client.inspect_err(|error| tracing::error!(%error, "no moderator can be asked")).ok(),
            settings: settings.clone(),
            room: Arc::new(Semaphore::new(settings.max_moderated)),
            queue,
            tasks: TaskTracker::new(),
            stop,
        }
    }

    /// Asks about an order to say something. It goes on into the queue when it is let through, else whoever waits for
    /// it is told.
    pub(super) fn ask(&self, key: i64, moderation: Moderation, mut order: Order) {
        let allowed = check(&moderation, &self.settings).is_ok();
        let permit = Arc::clone(&self.room).try_acquire_owned();
        let (client, queue) = (self.client.clone(), self.queue.clone());
        let judged = async move {
            let Command::Say(say) = &order.command else { return };
            let verdict = match (permit, client) {
                // The setup may be older than the settings.
                _ if !allowed => Err(Silence::Forbidden),
                (Err(_), _) => Err(Silence::Crowded),
                (Ok(_), None) => Err(Silence::Unreachable),
                (Ok(_permit), Some(client)) => ask(&client, &moderation, order.id.as_str(), say).await,
            };
            if let Err(silence) = &verdict {
                tracing::warn!(conversation = %order.id, %silence, "a moderator is no help");
            }
            match refusal(verdict, &moderation, say) {
                Some(refusal) => {
                    if let Some(reply) = order.reply.take() {
                        reply.send(Err(refusal.into()));
                    }
                }
                None => {
                    order.cleared = Cleared::By(key, moderation);
                    // Waits for room, as its sender does: it has been let in once already.
                    if let Err(closed) = queue.send(Ask::Order(order)).await {
                        closed.0.fail(ServiceError::ShuttingDown);
                    }
                }
            }
        };
        self.tasks.spawn(self.stop.clone().run_until_cancelled_owned(judged));
    }
}

async fn ask(
    client: &reqwest::Client,
    moderation: &Moderation,
    conversation: &str,
    say: &Say,
) -> Result<Verdict, Silence> {
    let question = Question {
        conversation,
        author: say.author.as_str(),
        message_id: say.id.as_ref().map(|id| id.as_str()),
        text: &say.text,
        data: say.data.as_deref(),
    };
    let body = serde_json::to_vec(&question).map_err(|_| Silence::Nonsense)?;
    let deadline = Duration::from_millis(moderation.deadline_ms.min(Moderation::MAX_DEADLINE_MS));
    let asking = async {
        let request = client.post(&moderation.url).header("content-type", "application/json").body(body);
        let mut response = request.send().await.map_err(|_| Silence::Unreachable)?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(Silence::Status(response.status().as_u16()));
        }
        let mut answer = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|_| Silence::Unreachable)? {
            answer.extend_from_slice(&chunk);
            if answer.len() > MAX_ANSWER {
                return Err(Silence::Nonsense);
            }
        }
        serde_json::from_slice(&answer).map_err(|_| Silence::Nonsense)
    };
    tokio::time::timeout(deadline, asking).await.unwrap_or(Err(Silence::Deadline(moderation.deadline_ms)))
}

/// Why the message is not to be said, if it is not.
fn refusal(verdict: Result<Verdict, Silence>, moderation: &Moderation, say: &Say) -> Option<Refusal> {
    let refusal = match verdict {
        Ok(Verdict { allow: true, .. }) => return None,
        Ok(Verdict { allow: false, reason }) => {
            let reason = reason.unwrap_or_else(|| "no reason was given".to_owned());
            let reason: String = reason.chars().take(MAX_REASON).collect();
            Refusal::plain(Code::ModerationRejected, format!("the moderator refused it: {reason}"))
        }
        Err(_) if moderation.on_failure == OnFailure::Open => return None,
        Err(silence) => Refusal {
            retry_after_ms: Some(1_000),
            ..Refusal::plain(
                Code::ModerationUnavailable,
                format!("the moderator is no help: {silence}; try again"),
            )
        },
    };
    Some(Refusal { message_id: say.id.clone(), ..refusal })
}
