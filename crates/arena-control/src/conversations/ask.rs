//! What the writer is asked for.

use super::live::Live;
use super::outcome::{Receipt, SubmitError, Summary};
use crate::error::ServiceError;
use arena_bus::Bus;
use arena_core::Timestamp;
use arena_core::conversation::{
    Account, AccountId, Accounts, Caps, Command, ConversationId, Moderation, Setup,
};
use arena_store::Actor;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use tokio::sync::oneshot;

/// Where an answer goes. Whoever no longer waits for it has changed nothing.
pub(super) type Reply<T, E = ServiceError> = oneshot::Sender<Result<T, E>>;

/// A budget that is to be set: what it allows, and how often it refills.
pub(super) type Budget = (Caps, Option<u64>);

/// Something that is looked at between two batches, when everything that was said is published.
pub(super) type Look = Box<dyn FnOnce(Result<Looked<'_>, ServiceError>) + Send + Sync>;

/// A conversation held still.
pub(super) struct Looked<'a> {
    pub(super) live: &'a Live,
    pub(super) accounts: &'a Accounts,
    pub(super) bus: &'a Bus,
    pub(super) now: Timestamp,
}

/// Which moderator has let an order through, if any.
#[derive(Debug, Default)]
pub(super) enum Cleared {
    /// None was asked.
    #[default]
    No,
    /// This one, for the conversation of this key. If either is another by now, that has said nothing.
    By(i64, Moderation),
}

impl Cleared {
    /// Whether this moderator let it through for this conversation.
    pub(super) fn by(&self, key: i64, moderation: &Moderation) -> bool {
        matches!(self, Cleared::By(for_key, by) if *for_key == key && by == moderation)
    }
}

/// A command for a conversation.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) id: ConversationId,
    pub(super) actor: Actor,
    pub(super) command: Command,
    pub(super) cleared: Cleared,
    /// None where nobody waits.
    pub(super) reply: Option<OrderReply>,
}

/// Who is told what came of a command.
pub(super) enum OrderReply {
    /// Somebody who waits for it.
    Waiting(Reply<Receipt, SubmitError>),
    /// Somebody who is called when it is durable, in the order of the log. The writer waits for it: it must not block.
    Called(Box<dyn FnOnce(Result<Receipt, SubmitError>) + Send + Sync>),
}

impl OrderReply {
    /// Tells it. Whoever no longer waits has changed nothing.
    pub(super) fn send(self, outcome: Result<Receipt, SubmitError>) {
        match self {
            OrderReply::Waiting(reply) => drop(reply.send(outcome)),
            OrderReply::Called(call) => unharmed(|| call(outcome)),
        }
    }
}

/// Calls somebody else's code: if it panics, the writer goes on.
pub(super) fn unharmed(call: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(call)).is_err() {
        tracing::error!("whoever waited for a conversation ended abnormally");
    }
}

impl fmt::Debug for OrderReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OrderReply")
    }
}

impl Order {
    /// The message that it says, if that has a name.
    pub(super) fn named(&self) -> Option<(ConversationId, String)> {
        let id = match &self.command {
            Command::Say(say) => say.id.as_ref()?,
            Command::SaySystem { id, .. } => id.as_ref()?,
            _ => return None,
        };
        Some((self.id.clone(), id.to_string()))
    }
}

/// What can be asked for.
pub(super) enum Ask {
    Create {
        id: ConversationId,
        setup: Box<Setup>,
        tree: Option<Budget>,
        actor: Actor,
        reply: Reply<Summary>,
    },
    Order(Order),
    Look {
        id: ConversationId,
        look: Look,
    },
    Delete {
        id: ConversationId,
        /// For the activity log; none where it is nothing for that.
        actor: Option<Actor>,
        reply: Reply<()>,
    },
    /// Reads an account, or sets it.
    Account {
        id: AccountId,
        set: Option<(Actor, Budget)>,
        reply: Reply<Account>,
    },
}

impl Ask {
    /// The conversation that it is about.
    pub(super) fn conversation(&self) -> Option<&ConversationId> {
        match self {
            Ask::Create { id, .. } | Ask::Look { id, .. } | Ask::Delete { id, .. } => Some(id),
            Ask::Order(order) => Some(&order.id),
            Ask::Account { .. } => None,
        }
    }

    /// Tells whoever waits that it came to nothing.
    pub(super) fn fail(self, error: ServiceError) {
        match self {
            Ask::Create { reply, .. } => drop(reply.send(Err(error))),
            Ask::Order(Order { reply: Some(reply), .. }) => reply.send(Err(error.into())),
            Ask::Order(_) => {}
            Ask::Look { look, .. } => unharmed(|| look(Err(error))),
            Ask::Delete { reply, .. } => drop(reply.send(Err(error))),
            Ask::Account { reply, .. } => drop(reply.send(Err(error))),
        }
    }
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Ask::Create { .. } => "Create",
            Ask::Order(_) => "Order",
            Ask::Look { .. } => "Look",
            Ask::Delete { .. } => "Delete",
            Ask::Account { .. } => "Account",
        };
        f.debug_struct(name).field("conversation", &self.conversation()).finish_non_exhaustive()
    }
}
