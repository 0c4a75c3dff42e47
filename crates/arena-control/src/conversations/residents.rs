//! What residents say to each other, as conversations like all others: charged and stored before it is heard.
//!
//! A line goes straight into the writer's queue, which is bounded: where it is full, the line is not said, and the world
//! is told so at once. The verdict comes back from the writer itself, so that lines of one conversation are heard in
//! the order of its log. Nothing here waits, and nothing here is another queue.

use super::ask::{Ask, OrderReply};
use super::outcome::{Receipt, SubmitError};
use super::{Command, ConversationId, Conversations, Setup};
use crate::error::ServiceError;
use arena_core::conversation::{Caps, Code, Limits, ParticipantId, Say};
use arena_core::{Metadata, ParseIdError, WorldId};
use arena_store::Actor;
use arena_worlds::{Line, Outcome, Talk, Verdict};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::sync::oneshot;

/// Conversations that are known to be there; beyond it all are forgotten, and created again, which changes nothing for
/// those that there are.
const MAX_KNOWN: usize = 65_536;

/// After so long a silence a conversation of two is over, in milliseconds: what ends it if its world went away without
/// a word. Five times the silence after which two residents part.
const IDLE_MS: u64 = 300_000;

/// What two residents may say to each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TalkLimits {
    /// Messages in one conversation; `None`: as many as they like.
    pub max_messages: Option<u64>,
    /// Messages of each of them; `None`: as many as they like.
    pub max_replies_per_participant: Option<u64>,
}

/// Where residents' talk is charged and kept. Clones share everything.
///
/// Each talk is a conversation `<world>-<number>` with the two as its roster, and what is said aloud in a world is its
/// conversation `<world>-0`, which anybody may speak in and nothing limits. All of a channel's are charged to
/// `owner:channel:<name>`, where somebody has set such a budget.
#[derive(Debug, Clone)]
pub struct Residents {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    limits: TalkLimits,
    /// Worlds come before the control plane does.
    conversations: OnceLock<Conversations>,
    actor: Actor,
    known: Mutex<HashSet<ConversationId>>,
}

impl Residents {
    /// Until [`Residents::attach`], nothing may be said.
    pub fn new(limits: TalkLimits) -> Residents {
        let (conversations, known) = (OnceLock::new(), Mutex::default());
        Residents { inner: Arc::new(Inner { limits, conversations, actor: Actor::system(), known }) }
    }

    /// From now on what residents say is kept there. Only the first call counts.
    pub fn attach(&self, conversations: Conversations) {
        let _ = self.inner.conversations.set(conversations);
    }
}

impl Talk for Residents {
    fn say(&self, line: Line, verdict: Verdict) {
        // A verdict that is dropped says that nobody could be asked.
        let (Some(conversations), Ok(id)) =
            (self.inner.conversations.get(), id_of(&line.world, line.conversation))
        else {
            return;
        };
        if self.inner.learn(&id) {
            let setup = setup(&line, &self.inner.limits).ok();
            let begun = setup.and_then(|setup| conversations.begin(&self.inner.actor, &id, setup).ok());
            if begun.is_none() {
                self.inner.forget(&id);
                return;
            }
        }
        let Ok(command) = said(line) else { return };
        let (inner, heard) = (Arc::clone(&self.inner), id.clone());
        let reply = OrderReply::Called(Box::new(move |outcome| {
            if has_ended(&outcome) {
                inner.forget(&heard);
            }
            verdict.send(judge(&outcome));
        }));
        // Refused, it drops the verdict.
        let _ = conversations.order(&self.inner.actor, &id, command, Some(reply));
    }

    fn ended(&self, world: &WorldId, conversation: u64) {
        let Ok(id) = id_of(world, conversation) else { return };
        let Some(conversations) = self.inner.conversations.get() else { return };
        // Where the queue is full, or the server stops, its silence ends it.
        if self.inner.forget(&id) {
            let _ = conversations.order(&self.inner.actor, &id, Command::End, None);
        }
    }
}

impl Inner {
    /// Whether it was not known yet.
    fn learn(&self, id: &ConversationId) -> bool {
        let mut known = self.known();
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        known.insert(id.clone())
    }

    /// Whether it was known.
    fn forget(&self, id: &ConversationId) -> bool {
        self.known().remove(id)
    }

    fn known(&self) -> MutexGuard<'_, HashSet<ConversationId>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Conversations {
    /// Has a conversation created before whatever is handed in after this call. If there is one of that id already,
    /// nothing happens.
    fn begin(&self, actor: &Actor, id: &ConversationId, setup: Setup) -> Result<(), ServiceError> {
        let (reply, _) = oneshot::channel();
        let (id, actor, setup) = (id.clone(), actor.clone(), Box::new(setup));
        self.queue(Ask::Create { id, setup, tree: None, actor, reply })
    }
}

fn id_of(world: &WorldId, conversation: u64) -> Result<ConversationId, ParseIdError> {
    format!("{world}-{conversation}").parse()
}

fn setup(line: &Line, limits: &TalkLimits) -> Result<Setup, ParseIdError> {
    let owner = Some(format!("channel:{}", line.channel).parse()?);
    let mut notes = serde_json::json!({ "world": line.world, "channel": line.channel });
    if line.conversation == Line::ALOUD {
        let metadata = Metadata::try_from(notes).unwrap_or_default();
        return Ok(Setup { owner, metadata, ..Setup::default() });
    }
    notes["names"] = line.participants.iter().map(|(_, name)| name.as_str()).collect();
    let participants = line.participants.iter().map(|(bot, _)| bot.to_string().parse());
    let messages = |messages| Caps { messages, ..Caps::default() };
    let limits = Limits {
        total: messages(limits.max_messages),
        per_participant: messages(limits.max_replies_per_participant),
        idle_timeout_ms: Some(IDLE_MS),
        ..Limits::default()
    };
    Ok(Setup {
        participants: participants.collect::<Result<Vec<ParticipantId>, _>>()?,
        limits,
        owner,
        metadata: Metadata::try_from(notes).unwrap_or_default(),
        ..Setup::default()
    })
}

fn said(line: Line) -> Result<Command, ParseIdError> {
    Ok(Command::Say(Say {
        author: line.speaker.to_string().parse()?,
        id: Some(line.number.to_string().parse()?),
        text: line.text,
        data: None,
        tokens: 0,
        cost_micros: 0,
        reservation: None,
    }))
}

/// Whether nothing more is to be said or ended there, or it may not be there at all.
fn has_ended(outcome: &Result<Receipt, SubmitError>) -> bool {
    match outcome {
        Ok(receipt) => receipt.exhausted.is_some(),
        Err(SubmitError::Refused(_)) => false,
        Err(SubmitError::Failed(_)) => true,
    }
}

fn judge(outcome: &Result<Receipt, SubmitError>) -> Outcome {
    match outcome {
        Ok(Receipt { dropped: Some(refusal), .. }) => refused(refusal.code),
        Ok(receipt) => Outcome::Said { last: receipt.exhausted.is_some() },
        Err(SubmitError::Refused(refusal)) => refused(refusal.code),
        Err(SubmitError::Failed(error)) => {
            if !error.retryable() {
                tracing::debug!(%error, "a resident's line is not kept");
            }
            Outcome::UNAVAILABLE
        }
    }
}

/// A budget that is spent ends a talk; what may pass by itself in a moment does not.
fn refused(code: Code) -> Outcome {
    let passes = matches!(code, Code::NotYourTurn | Code::LoopDetected);
    if code.is_capacity() && !passes {
        Outcome::Refused { code: code.as_str() }
    } else {
        Outcome::Dropped { code: code.as_str() }
    }
}
