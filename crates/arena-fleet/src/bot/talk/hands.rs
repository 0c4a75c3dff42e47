//! What a bot does about its thoughts in a conversation.

use super::purse::SocketPurse;
use crate::brain::{Act, Purse, Spent};
use crate::channel::{PushError, Pusher, Reply};
use crate::identity::Identity;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Attempts to get a line through, and the time between them: longer than a rejoin usually takes.
const ATTEMPTS: u32 = 6;
const BETWEEN: Duration = Duration::from_secs(3);

/// How long it has to type for that to be shown: whoever is faster sends nothing more than the line.
const SHOWS_TYPING: Duration = Duration::from_millis(500);

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Done {
    /// It goes on.
    Fine,
    /// The brain wants to leave, and has said what it had to say.
    Left,
    /// Nothing more can be said: why.
    Spent(String),
}

/// What a bot speaks with.
#[derive(Clone)]
pub(super) struct Hands {
    pub(super) me: Arc<Identity>,
    pub(super) pusher: Pusher,
    pub(super) purse: Arc<SocketPurse>,
    pub(super) charges: Arc<AtomicBool>,
    /// The longest that it types.
    pub(super) typing: Duration,
    /// What it shows in the conversation while it does not type.
    pub(super) shown: Arc<Value>,
}

impl Hands {
    /// Does all of it, in order; what is not said when `hush` comes stays unsaid, and what was reserved for it is given
    /// back. Also tells whether anything was said.
    pub(super) async fn act(&self, acts: Vec<Act>, hush: &CancellationToken) -> (Done, bool) {
        let mut said = false;
        let mut done = Done::Fine;
        for act in acts {
            match act {
                Act::Say { spent, .. } if done != Done::Fine || hush.is_cancelled() => {
                    self.give_back(spent.as_ref()).await;
                }
                Act::Say { text, typing, spent } => {
                    let typing = typing.min(self.typing);
                    let shows = typing >= SHOWS_TYPING && self.shows_typing(true);
                    let typed = hush.run_until_cancelled(tokio::time::sleep(typing)).await;
                    if shows {
                        self.shows_typing(false);
                    }
                    if typed.is_none() {
                        self.give_back(spent.as_ref()).await;
                        continue;
                    }
                    match self.say(&text, spent.as_ref()).await {
                        Ok(()) => said = true,
                        Err(None) => {}
                        Err(Some(code)) => done = Done::Spent(code),
                    }
                }
                Act::Leave if done == Done::Fine => done = Done::Left,
                // There is no world in a conversation.
                Act::Leave | Act::Input { .. } => {}
            }
        }
        (done, said)
    }

    /// Shows in the presence whether it types. Returns whether that could be handed over.
    fn shows_typing(&self, typing: bool) -> bool {
        let mut shown = Value::clone(&self.shown);
        if typing {
            shown["typing"] = true.into();
        }
        self.pusher.track(shown)
    }

    /// Says a line. Under its id it may be repeated where the endpoint keeps ids; elsewhere it is repeated only if it
    /// was certainly not sent.
    ///
    /// # Errors
    /// `Some(code)`: nothing more can be said here. `None`: this line was not.
    pub(super) async fn say(&self, text: &str, spent: Option<&Spent>) -> Result<(), Option<String>> {
        let line = self.line(text, spent);
        for attempt in 1..=ATTEMPTS {
            let again = match self.pusher.push("message", line.clone()).await {
                Ok(reply) if reply.ok => {
                    if let Some(reservation) = reservation(spent) {
                        self.purse.said(reservation);
                    }
                    return Ok(());
                }
                Ok(reply) => {
                    self.give_back(spent).await;
                    return Err(for_good(&reply));
                }
                Err(PushError::NotJoined | PushError::Full) => true,
                Err(PushError::Timeout | PushError::Lost) => self.charges.load(Ordering::Relaxed),
            };
            if !again || attempt == ATTEMPTS {
                break;
            }
            tokio::time::sleep(BETWEEN).await;
        }
        self.give_back(spent).await;
        Err(None)
    }

    fn line(&self, text: &str, spent: Option<&Spent>) -> Value {
        let id = uuid::Uuid::new_v4().simple().to_string();
        if !self.charges.load(Ordering::Relaxed) {
            return json!({
                "id": id, "text": text, "author": self.me.id, "name": self.me.name, "bot": true,
            });
        }
        let mut line = json!({
            "id": id, "text": text, "author": self.me.id, "data": { "bot": true, "name": self.me.name },
        });
        if let Some(spent) = spent {
            line["tokens"] = spent.tokens.into();
            line["cost_micros"] = spent.cost_micros.into();
            if let Some(reservation) = &spent.reservation {
                line["reservation"] = reservation.as_str().into();
            }
        }
        line
    }

    async fn give_back(&self, spent: Option<&Spent>) {
        if let Some(reservation) = reservation(spent) {
            self.purse.release(reservation).await;
        }
    }
}

fn reservation(spent: Option<&Spent>) -> Option<&str> {
    spent.and_then(|spent| spent.reservation.as_deref())
}

/// The code of a refusal after which nothing more can be said: one of a budget, or of the roster, that no time cures.
fn for_good(reply: &Reply) -> Option<String> {
    let code = reply.response.get("code").and_then(Value::as_str)?;
    let waits = reply.response.get("retry_after_ms").is_some_and(Value::is_number);
    const FOR_GOOD: [&str; 13] = [
        "total_limit",
        "participant_limit",
        "token_limit",
        "cost_limit",
        "guaranteed_to_others",
        "timeout",
        "all_participants_exhausted",
        "closed_by_moderator",
        "ended",
        "not_a_participant",
        "too_many_participants",
        "not_your_name",
        "service_only",
    ];
    (!waits && FOR_GOOD.contains(&code)).then(|| code.to_owned())
}
