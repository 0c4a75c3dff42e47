//! Bots for talks.

use super::Manager;
use crate::bot::Order;
use crate::channel::Pusher;
use crate::http::{NotSent, Sent};
use crate::monitor::BotState;
use arena_core::fleet::{Doing, Fault, Member, for_talk};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinError;

/// How long a bot has to tell whether it came in; it gives up earlier by itself.
const ANSWER: Duration = Duration::from_secs(45);
/// Answers to the lobby that are under way. What is asked beyond them is not answered: the lobby is open to everybody.
const PENDING: usize = 256;
/// Bytes of a conversation's id at most.
const MAX_ID: usize = 96;

/// What came of a request, once everybody who asked knows it.
pub(super) type Pending = ();

/// Who wants a bot, and is told.
pub(crate) enum Asker {
    /// Somebody in the lobby.
    Lobby(Pusher),
    /// Somebody who waits.
    Caller(oneshot::Sender<Result<Sent, NotSent>>),
}

/// A bot is wanted in a conversation.
pub(crate) struct TalkRequest {
    pub(crate) conversation: String,
    /// A bot's id; `None`: anybody.
    pub(crate) bot: Option<String>,
    pub(crate) asker: Asker,
}

impl Manager {
    /// Sends a bot into a conversation, and has whoever asked told what came of it.
    pub(super) fn talk(&mut self, request: TalkRequest) {
        if self.pending.len() >= PENDING {
            return match request.asker {
                Asker::Lobby(_) => {}
                Asker::Caller(caller) => drop(caller.send(Err(NotSent::NobodyIdle))),
            };
        }
        let TalkRequest { conversation, bot, asker } = request;
        let given = self.give_talk(&conversation, bot.as_deref());
        self.pending.spawn(async move {
            let outcome = match given {
                Ok(outcome) => outcome.await,
                Err(not_sent) => Err(not_sent),
            };
            asker.tell(&conversation, outcome).await;
        });
    }

    fn give_talk(&mut self, conversation: &str, bot: Option<&str>) -> Result<Outcome, NotSent> {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if !(1..=MAX_ID).contains(&conversation.len()) || !conversation.chars().all(fits) {
            let detail =
                "a conversation's id has 1 to 96 letters, digits, dots, dashes and underscores".to_owned();
            return Err(NotSent::Refused { code: "invalid_conversation".to_owned(), detail });
        }
        let monitor = &self.start.around.monitor;
        // Whoever asks again has not heard the answer.
        let there =
            monitor.bots_now().into_iter().find(|bot| bot.conversation.as_deref() == Some(conversation));
        if let Some(there) = there
            && bot.is_none_or(|bot| *bot == *there.id)
            && let Some(coming) = self.running.get(&there.id).and_then(|held| held.coming.clone())
        {
            return Ok(coming);
        }
        let id = self.choose(bot)?;
        let Some(held) = self.running.get(&id) else { return Err(NotSent::NobodyIdle) };
        let (answer, answered) = oneshot::channel();
        let order = Order::Talk { conversation: conversation.to_owned(), answer };
        if held.orders.try_send(order).is_err() {
            return Err(NotSent::Busy { bot: id.to_string(), why: "does not listen at present".to_owned() });
        }
        // Said here already, so that the next request does not find it idle.
        monitor.bot_is(&id, BotState::Talking, Some(conversation));
        let sent = Sent { bot: held.me.id.clone(), name: held.me.name.clone() };
        let coming = came(sent, answered).boxed().shared();
        self.running.comes(&id, coming.clone());
        Ok(coming)
    }

    fn choose(&self, bot: Option<&str>) -> Result<Arc<str>, NotSent> {
        let now = self.start.around.monitor.bots_now();
        let all: Vec<Member<Arc<str>>> = now.iter().cloned().map(super::member).collect();
        let asked: Option<Arc<str>> = bot.map(Arc::from);
        if let Some(id) = for_talk(&all, asked.as_ref()) {
            return Ok(id.clone());
        }
        // Whoever is not in the lobby may still be let into the conversation.
        let idle = |told: BotState| told == BotState::Idle;
        let outside: Vec<Member<Arc<str>>> = now
            .iter()
            .filter(|bot| idle(bot.told))
            .map(|bot| Member { id: bot.id.clone(), doing: Doing::Idle, lasted: bot.lasted })
            .collect();
        if let Some(id) = for_talk(&outside, asked.as_ref()) {
            return Ok(id.clone());
        }
        match bot {
            None => Err(NotSent::NobodyIdle),
            Some(bot) => match now.iter().find(|now| *now.id == *bot) {
                None => Err(NotSent::Unknown(bot.to_owned())),
                Some(now) => {
                    let why = match now.told {
                        BotState::Talking => "talks to somebody else",
                        BotState::Leaving => "is about to leave",
                        BotState::Failed => "has failed",
                        _ => "is not there yet",
                    };
                    Err(NotSent::Busy { bot: bot.to_owned(), why: why.to_owned() })
                }
            },
        }
    }
}

/// What comes of sending a bot into a conversation, for everybody who asks while it is there.
pub(super) type Outcome = Shared<BoxFuture<'static, Result<Sent, NotSent>>>;

/// Waits until the bot is in, or cannot come in.
async fn came(sent: Sent, answer: oneshot::Receiver<Result<(), Fault>>) -> Result<Sent, NotSent> {
    let refused = |code: &str, detail: String| NotSent::Refused { code: code.to_owned(), detail };
    match tokio::time::timeout(ANSWER, answer).await {
        Ok(Ok(Ok(()))) => Ok(sent),
        Ok(Ok(Err(fault))) if fault.code == "bot_busy" => {
            Err(NotSent::Busy { bot: sent.bot, why: fault.detail })
        }
        Ok(Ok(Err(fault))) => Err(refused(&fault.code, fault.detail)),
        Ok(Err(_)) => Err(refused("bot_failed", format!("bot `{}` ended before it came in", sent.bot))),
        Err(_) => Err(refused("entry_timeout", format!("bot `{}` did not come in in time", sent.bot))),
    }
}

impl Asker {
    async fn tell(self, conversation: &str, outcome: Result<Sent, NotSent>) {
        match self {
            // Whoever asked may have gone.
            Asker::Caller(caller) => drop(caller.send(outcome)),
            Asker::Lobby(lobby) => {
                let (event, payload) = in_lobby(conversation, &outcome);
                if let Err(error) = lobby.push(event, payload).await {
                    tracing::debug!(conversation, %error, "the lobby could not be told about a bot");
                }
            }
        }
    }
}

fn in_lobby(conversation: &str, outcome: &Result<Sent, NotSent>) -> (&'static str, Value) {
    match outcome {
        Ok(sent) => {
            ("bot_joined", json!({ "conversation": conversation, "bot": sent.bot, "name": sent.name }))
        }
        Err(not_sent) => {
            let code = match not_sent {
                NotSent::Unknown(_) => "unknown_bot",
                NotSent::Busy { .. } => "bot_busy",
                NotSent::NobodyIdle => "no_idle_bot",
                NotSent::Refused { code, .. } => code,
            };
            (
                "bot_unavailable",
                json!({ "conversation": conversation, "code": code, "detail": not_sent.to_string() }),
            )
        }
    }
}

/// A request is dealt with.
pub(super) fn done(pending: Result<Pending, JoinError>) {
    if let Err(error) = pending
        && error.is_panic()
    {
        tracing::error!(%error, "an answer about a bot got lost");
    }
}
