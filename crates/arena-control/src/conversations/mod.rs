//! Conversations: every door comes through here, and everything is written by one [writer](writer::Writer).
//!
//! A message is refused before anything is stored, or it is charged, numbered and stored in one transaction and only
//! then acknowledged and published.

mod applying;
mod ask;
mod known;
mod live;
mod moderation;
mod newborn;
mod outcome;
mod residents;
mod settings;
mod state;
mod stats;
mod telling;
mod writer;

pub(crate) use newborn::{Keys, newborn};
pub use outcome::{Context, ConversationStats, Listening, LogLine, LogPage, Receipt, SubmitError, Summary};
pub use residents::{Residents, TalkLimits};
pub use settings::ConversationSettings;

use crate::error::ServiceError;
use arena_bus::Bus;
use arena_core::conversation::{
    Account, AccountId, Capacity, Caps, Command, ConversationId, Delivery, Ledger, Moderation, ParticipantId,
    Setup,
};
use arena_store::{Actor, ConversationFilter, ConversationRow, LogRow, Page, PageRequest, Store};
use ask::{Ask, Looked, Order, OrderReply};
use moderation::Moderators;
use stats::Counters;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use writer::Writer;

/// The service for conversations. Clones share everything.
#[derive(Debug, Clone)]
pub struct Conversations {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    settings: ConversationSettings,
    queue: mpsc::Sender<Ask>,
    counters: Arc<Counters>,
}

/// The service, and the loop that serves it.
pub(crate) fn conversations(
    store: Store,
    bus: Bus,
    settings: ConversationSettings,
    stop: &CancellationToken,
) -> (Conversations, impl Future<Output = ()> + Send + use<>) {
    let (queue, asks) = mpsc::channel(settings.max_queue.max(1));
    let counters = Arc::new(Counters::default());
    let moderators = Moderators::new(&settings, queue.clone(), stop.clone());
    let writer = Writer::new(store.clone(), bus, settings.clone(), asks, moderators, Arc::clone(&counters));
    let inner = Inner { store, settings, queue, counters };
    (Conversations { inner: Arc::new(inner) }, writer.run(stop.clone()))
}

impl Conversations {
    /// Creates a conversation; without an id, one is made up. `tree` is a budget for it and everything that will be
    /// under it: what may be used, and how often it refills, in milliseconds.
    pub async fn create(
        &self,
        actor: &Actor,
        id: Option<ConversationId>,
        setup: Setup,
        tree: Option<(Caps, Option<u64>)>,
    ) -> Result<Summary, ServiceError> {
        if tree.is_some() && setup.parent.is_some() {
            let text = "a tree's budget is that of its root: set it there, or on no parent at all";
            return Err(ServiceError::InvalidConversation(text.to_owned()));
        }
        if let Some((caps, refill_every_ms)) = tree {
            Account::check(caps, refill_every_ms)?;
        }
        self.check_moderation(setup.moderation.as_ref())?;
        let id = id.unwrap_or_else(made_up);
        let (actor, setup) = (actor.clone(), Box::new(setup));
        self.ask(|reply| Ask::Create { id, setup, tree, actor, reply }).await
    }

    /// Hands a command in, here and now: commands are carried out in the order of these calls. The future waits for
    /// the outcome, which comes when it is durable; it may be dropped, which changes nothing.
    pub fn submit(
        &self,
        actor: &Actor,
        id: &ConversationId,
        command: Command,
    ) -> impl Future<Output = Result<Receipt, SubmitError>> + Send + use<> {
        let handed_in = self.hand_in(actor, id, command);
        async move { handed_in?.await.map_err(|_| unknown())? }
    }

    fn hand_in(
        &self,
        actor: &Actor,
        id: &ConversationId,
        command: Command,
    ) -> Result<oneshot::Receiver<Result<Receipt, SubmitError>>, ServiceError> {
        if let Command::Configure(change) = &command {
            self.check_moderation(change.moderation.iter().flatten().next())?;
        }
        let (reply, outcome) = oneshot::channel();
        self.order(actor, id, command, Some(OrderReply::Waiting(reply)))?;
        Ok(outcome)
    }

    fn order(
        &self,
        actor: &Actor,
        id: &ConversationId,
        command: Command,
        reply: Option<OrderReply>,
    ) -> Result<(), ServiceError> {
        let order = Order { id: id.clone(), actor: actor.clone(), command, cleared: ask::Cleared::No, reply };
        self.queue(Ask::Order(order))
    }

    /// A conversation.
    pub async fn get(&self, id: &ConversationId) -> Result<Summary, ServiceError> {
        self.look(id, |looked| looked.live.summary()).await
    }

    /// A page of conversations, oldest first.
    pub async fn list(
        &self,
        filter: ConversationFilter,
        page: PageRequest,
    ) -> Result<Page<Summary>, ServiceError> {
        let Page { items, next_cursor } = self.inner.store.conversations(&filter, &page).await?;
        let items = items.into_iter().map(summary).collect::<Result<_, _>>()?;
        Ok(Page { items, next_cursor })
    }

    /// Deletes a conversation and its log.
    pub async fn delete(&self, actor: &Actor, id: &ConversationId) -> Result<(), ServiceError> {
        let (id, actor) = (id.clone(), Some(actor.clone()));
        self.ask(|reply| Ask::Delete { id, actor, reply }).await
    }

    /// Deletes one that has never begun: that is everyday, and nothing for the activity log.
    pub(crate) async fn delete_unbegun(&self, id: &ConversationId) -> Result<(), ServiceError> {
        let id = id.clone();
        self.ask(|reply| Ask::Delete { id, actor: None, reply }).await
    }

    /// What the log says after a position, at most `limit` lines.
    pub async fn messages(
        &self,
        id: &ConversationId,
        after: u64,
        limit: u32,
    ) -> Result<LogPage, ServiceError> {
        let from = i64::try_from(after).unwrap_or(i64::MAX);
        let slice = self.inner.store.conversation_log(id, from, limit.saturating_add(1)).await?;
        let slice = slice.ok_or_else(|| ServiceError::ConversationNotFound(id.clone()))?;
        let mut rows = slice.rows;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let lines = read(rows)?;
        let position = lines.last().map_or(after, |line| line.position);
        Ok(LogPage { lines, position, epoch: live::epoch(slice.key), more })
    }

    /// What is left to everybody.
    pub async fn capacity(&self, id: &ConversationId) -> Result<Capacity, ServiceError> {
        self.look(id, |looked| looked.live.ledger.capacity(looked.accounts, looked.now)).await
    }

    /// What an agent needs to know before it speaks, with the last messages, at most `last`.
    pub async fn context(
        &self,
        id: &ConversationId,
        participant: &ParticipantId,
        last: u32,
    ) -> Result<Context, ServiceError> {
        let who = participant.clone();
        let (key, mut context) =
            self.look(id, move |looked| (looked.live.key, context(&looked, &who))).await?;
        let before = i64::try_from(context.position.offset).unwrap_or(i64::MAX).saturating_add(1);
        context.last = read(self.inner.store.last_messages(key, before, last).await?)?;
        Ok(context)
    }

    /// For whoever begins to listen: what is said from there on is published on the topic's stream.
    pub async fn listen(&self, id: &ConversationId) -> Result<Listening, ServiceError> {
        let listening = self.look(id, |looked| {
            let stream = looked.bus.open(&looked.live.topic).map_err(|_| ServiceError::Overloaded)?;
            let position = looked.live.position();
            stream.anchor(&position);
            let roster = looked.live.ledger.setup().participants.clone();
            Ok(Listening { position, stream, roster })
        });
        listening.await?
    }

    /// How messages are delivered to this participant now: as the setup has it for those who cannot answer, if this is
    /// one of them.
    pub async fn delivery_to(
        &self,
        id: &ConversationId,
        participant: &ParticipantId,
    ) -> Result<Delivery, ServiceError> {
        let who = participant.clone();
        self.look(id, move |looked| {
            let ledger = &looked.live.ledger;
            let cannot_answer = match ledger.exhausted() {
                Some(_) => ledger.participants().any(|known| *known == who),
                None => ledger.without_budget(looked.now).contains(&&who),
            };
            if cannot_answer { ledger.setup().delivery } else { Delivery::All }
        })
        .await
    }

    /// A shared budget.
    pub async fn account(&self, id: &AccountId) -> Result<Account, ServiceError> {
        let id = id.clone();
        self.ask(|reply| Ask::Account { id, set: None, reply }).await
    }

    /// Sets what a shared budget allows and how often it refills, in milliseconds. What was used stays used.
    pub async fn set_account(
        &self,
        actor: &Actor,
        id: &AccountId,
        caps: Caps,
        refill_every_ms: Option<u64>,
    ) -> Result<Account, ServiceError> {
        Account::check(caps, refill_every_ms)?;
        let (id, set) = (id.clone(), Some((actor.clone(), (caps, refill_every_ms))));
        self.ask(|reply| Ask::Account { id, set, reply }).await
    }

    /// What was done so far, in this process.
    pub fn stats(&self) -> ConversationStats {
        self.inner.counters.read()
    }

    /// Whether this moderator may be asked, if it is one.
    pub(crate) fn check_moderation(&self, moderation: Option<&Moderation>) -> Result<(), ServiceError> {
        moderation.map_or(Ok(()), |moderation| moderation::check(moderation, &self.inner.settings))
    }

    async fn look<T: Send + 'static>(
        &self,
        id: &ConversationId,
        look: impl FnOnce(Looked<'_>) -> T + Send + Sync + 'static,
    ) -> Result<T, ServiceError> {
        let id = id.clone();
        self.ask(|reply: ask::Reply<T>| {
            let look = Box::new(move |looked: Result<Looked<'_>, ServiceError>| {
                let _ = reply.send(looked.map(look));
            });
            Ask::Look { id, look }
        })
        .await
    }

    async fn ask<T>(&self, ask: impl FnOnce(ask::Reply<T>) -> Ask) -> Result<T, ServiceError> {
        let (reply, outcome) = oneshot::channel();
        self.queue(ask(reply))?;
        outcome.await.map_err(|_| unknown())?
    }

    fn queue(&self, ask: Ask) -> Result<(), ServiceError> {
        self.inner.queue.try_send(ask).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => ServiceError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => ServiceError::ShuttingDown,
        })
    }
}

/// The writer went away with the answer.
fn unknown() -> ServiceError {
    ServiceError::ShuttingDown
}

/// Not to be guessed: knowing the id of a conversation without a roster is what lets somebody in.
fn made_up() -> ConversationId {
    let id = format!("c-{}", uuid::Uuid::new_v4().simple());
    id.parse().expect("invariant: letters, digits and a hyphen are an id")
}

fn read(rows: Vec<LogRow>) -> Result<Vec<LogLine>, ServiceError> {
    rows.into_iter().map(LogLine::read).collect()
}

fn summary(row: ConversationRow) -> Result<Summary, ServiceError> {
    let ledger: Ledger = serde_json::from_str(&row.state).map_err(outcome::corrupt)?;
    Ok(Summary {
        id: row.id,
        setup: ledger.setup().clone(),
        exhausted: ledger.exhausted(),
        created_at: row.created_at,
    })
}

/// Without the messages.
fn context(looked: &Looked<'_>, who: &ParticipantId) -> Context {
    let Looked { live, accounts, now, .. } = looked;
    let ledger = &live.ledger;
    let turn = ledger.turn().cloned();
    Context {
        share: ledger.share(who, accounts, *now),
        total: ledger.total(*now),
        exhausted: ledger.exhausted(),
        your_turn: turn.as_ref().is_none_or(|turn| turn == who),
        turn,
        notices: ledger.pending_notices().to_vec(),
        participants: ledger.participants().cloned().collect(),
        last: Vec::new(),
        position: live.position(),
    }
}
