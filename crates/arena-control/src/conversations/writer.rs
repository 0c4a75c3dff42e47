//! The one writer of all conversations: what arrives at the same time is applied in memory, written in one
//! transaction, answered, and then told.
//!
//! There are no locks, so there is no order of locks to get wrong. Should somebody else write to the same log, the
//! log's primary key says so: everything concerned is loaded again, and applied again.

use super::applying::{Answer, Applied, Found, Named, apply};
use super::ask::{Ask, Cleared, Look, Looked, Order, unharmed};
use super::known::{Fingerprint, Said};
use super::moderation::Moderators;
use super::settings::ConversationSettings;
use super::state::State;
use super::stats::Counters;
use super::telling::{Untold, operators};
use crate::error::ServiceError;
use arena_bus::Bus;
use arena_core::conversation::{AccountId, Command, ConversationId, Entry};
use arena_core::topic::TopicName;
use arena_store::{Actor, Batch, BatchError, Store, StoreError, now};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// Asks in one transaction. Larger batches gain little and make everybody in them wait.
const BATCH: usize = 512;

/// How often a batch is begun again because somebody else had written, before it is given up.
const ATTEMPTS: u32 = 8;

/// How often timers are looked at: how late a time limit may be.
const TICK: Duration = Duration::from_millis(100);

/// How often the store is asked for conversations that are not in memory and for which something is due.
const LOOK_FOR_DUE: Duration = Duration::from_secs(1);

/// For how long nothing is done by itself when the store does not answer.
const REST: Duration = Duration::from_secs(2);

/// How often idle conversations leave memory.
const LEAVE: Duration = Duration::from_secs(5);

/// The writer's side of the queue, and everything that it needs.
pub(super) struct Writer {
    pub(super) store: Store,
    pub(super) bus: Bus,
    pub(super) settings: ConversationSettings,
    /// Bounded; an ask too many is refused as overload.
    pub(super) queue: mpsc::Receiver<Ask>,
    pub(super) moderators: Moderators,
    pub(super) counters: Arc<Counters>,
    pub(super) state: State,
    operators: TopicName,
    /// Written and answered, but not told yet: told while the next batch is being written.
    untold: Option<Untold>,
    rest_until: Instant,
}

impl Writer {
    pub(super) fn new(
        store: Store,
        bus: Bus,
        settings: ConversationSettings,
        queue: mpsc::Receiver<Ask>,
        moderators: Moderators,
        counters: Arc<Counters>,
    ) -> Writer {
        let (state, operators, rest_until) = (State::default(), operators(), Instant::now());
        Writer {
            store,
            bus,
            settings,
            queue,
            moderators,
            counters,
            state,
            operators,
            untold: None,
            rest_until,
        }
    }

    /// Runs until it is told to stop. The transaction that is open then comes to its end; what still waits is not
    /// begun. What is only in the log is written into the conversations' rows, so that the next start is quick.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut timers = interval(TICK);
        timers.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut look_for_due, mut leave) = (Instant::now(), Instant::now() + LEAVE);
        let mut asks = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                _ = timers.tick() => {
                    if Instant::now() < self.rest_until {
                        continue;
                    }
                    self.wake_due().await;
                    if Instant::now() >= look_for_due {
                        look_for_due = Instant::now() + LOOK_FOR_DUE;
                        self.find_due().await;
                    }
                    if Instant::now() >= leave {
                        leave = Instant::now() + LEAVE;
                        self.leave(self.settings.idle).await;
                    }
                }
                received = self.queue.recv_many(&mut asks, BATCH) => {
                    if received == 0 {
                        break;
                    }
                    self.take(std::mem::take(&mut asks)).await;
                    if self.queue.is_empty() {
                        self.tell();
                    }
                }
            }
            self.counters.set_active(self.state.lives.len());
        }
        self.tell();
        self.leave(Duration::ZERO).await;
    }

    /// Carries out asks: those that end a conversation's life alone, all others together.
    async fn take(&mut self, asks: Vec<Ask>) {
        let mut together = Vec::with_capacity(asks.len());
        for ask in asks {
            if matches!(ask, Ask::Delete { .. }) {
                self.carry_out(std::mem::take(&mut together)).await;
                self.carry_out(vec![ask]).await;
            } else {
                together.push(ask);
            }
        }
        self.carry_out(together).await;
        if self.state.lives.len() > self.settings.max_active + self.settings.max_active / 8 {
            self.leave(self.settings.idle).await;
        }
    }

    /// Carries out asks in one transaction; one by one if together they fail for a reason that is only one's.
    async fn carry_out(&mut self, asks: Vec<Ask>) {
        let Err((asks, error)) = self.try_together(asks).await else { return };
        let alone = asks.len() == 1;
        let outage = matches!(error, ServiceError::Store(StoreError::Unavailable(_)));
        if outage {
            self.give_up(&error);
        }
        for ask in asks {
            if alone || outage {
                ask.fail(error.clone());
            } else if let Err((asks, error)) = self.try_together(vec![ask]).await {
                asks.into_iter().for_each(|ask| ask.fail(error.clone()));
            }
        }
    }

    /// The store does not answer. Whoever waited while it was tried has waited long enough; timers rest a while.
    fn give_up(&mut self, error: &ServiceError) {
        self.rest_until = Instant::now() + REST;
        while let Ok(ask) = self.queue.try_recv() {
            ask.fail(error.clone());
        }
    }

    /// Gives the asks back if they came to nothing.
    async fn try_together(&mut self, asks: Vec<Ask>) -> Result<(), (Vec<Ask>, ServiceError)> {
        if asks.is_empty() {
            return Ok(());
        }
        let mut found = Found::new();
        for _ in 0..ATTEMPTS {
            if let Err(error) = self.load(&asks).await {
                return Err((asks, error));
            }
            let (state, bus) = (&mut self.state, &self.bus);
            // A broken invariant must cost those in the batch their answers, not everybody the writer.
            let applied = catch_unwind(AssertUnwindSafe(|| apply(state, bus, &asks, &found, now())));
            let Ok(mut applied) = applied else {
                tracing::error!("applying a batch of conversations ended abnormally");
                self.state.forget_all();
                return Err((asks, StoreError::Corrupt("a ledger broke an invariant".to_owned()).into()));
            };
            if !applied.doubtful.is_empty() {
                match self.look_up(std::mem::take(&mut applied.doubtful)).await {
                    Ok(looked_up) => {
                        let repeats = looked_up.values().any(Option::is_some);
                        found.extend(looked_up);
                        if repeats {
                            self.forget(&applied);
                            continue;
                        }
                    }
                    Err(error) => {
                        self.forget(&applied);
                        return Err((asks, error));
                    }
                }
            }
            let error = match self.write(&applied.batch).await {
                Ok(()) => {
                    self.written(&mut applied);
                    self.answer(asks, applied);
                    return Ok(());
                }
                Err(error) => error,
            };
            self.forget(&applied);
            self.counters.retried();
            match error {
                BatchError::Repeated => {
                    let orders = asks.iter().filter_map(|ask| match ask {
                        Ask::Order(order) => order.named(),
                        _ => None,
                    });
                    match self.look_up(orders.collect()).await {
                        Ok(looked_up) => found.extend(looked_up),
                        Err(error) => return Err((asks, error)),
                    }
                }
                // Whoever has the id is loaded with the next attempt, and then it is taken.
                BatchError::Stale | BatchError::IdTaken(_) | BatchError::Store(StoreError::Contended) => {}
                BatchError::Store(error) => return Err((asks, error.into())),
            }
        }
        Err((asks, StoreError::Contended.into()))
    }

    /// What was applied was not written, or nobody knows: it is loaded again when it is wanted.
    fn forget(&mut self, applied: &Applied) {
        self.state.forget(&applied.touched, &applied.batch.accounts);
    }

    /// Loads every conversation and account that the asks are about.
    async fn load(&mut self, asks: &[Ask]) -> Result<(), ServiceError> {
        let parents = asks.iter().filter_map(|ask| match ask {
            Ask::Create { setup, .. } => setup.parent.as_ref(),
            _ => None,
        });
        let wanted = asks.iter().filter_map(Ask::conversation).chain(parents);
        self.load_all(wanted).await?;
        let mut accounts: Vec<AccountId> = Vec::new();
        for ask in asks {
            match ask {
                Ask::Create { id, setup, .. } => {
                    accounts.extend(setup.owner.clone().map(AccountId::Owner));
                    accounts.push(AccountId::Tree(id.clone()));
                    if let Some(parent) = setup.parent.as_ref().and_then(|id| self.state.lives.get(id)) {
                        accounts.extend(parent.accounts.iter().cloned());
                    }
                }
                Ask::Account { id, .. } => accounts.push(id.clone()),
                ask => {
                    let live = ask.conversation().and_then(|id| self.state.lives.get(id));
                    accounts.extend(live.into_iter().flat_map(|live| live.accounts.iter().cloned()));
                }
            }
        }
        self.state.load_accounts(&self.store, accounts.into_iter()).await
    }

    /// Loads conversations. Should their logs hold more than was told, it is told now.
    async fn load_all(&mut self, wanted: impl Iterator<Item = &ConversationId>) -> Result<(), ServiceError> {
        let loaded = self.state.load(&self.store, wanted).await?;
        if !loaded.is_empty() {
            self.tell();
        }
        for id in &loaded {
            while let Some(after) = self.is_told_less(id) {
                let slice = self.store.conversation_log(id, after, BATCH as u32).await?;
                let rows = slice.map(|slice| slice.rows).unwrap_or_default();
                let Some(live) = self.state.lives.get(id).filter(|_| !rows.is_empty()) else { break };
                Untold::again(live, rows).tell(&self.bus, &self.operators);
            }
        }
        Ok(())
    }

    /// Whether less was told of a conversation than its log holds; then, up to where.
    fn is_told_less(&self, id: &ConversationId) -> Option<i64> {
        let live = self.state.lives.get(id)?;
        let told = self.bus.get(&live.topic)?.position();
        let less = told.epoch == live.epoch && told.offset < live.ledger.position();
        less.then(|| i64::try_from(told.offset).unwrap_or(i64::MAX))
    }

    /// Writes a batch, and tells of the one before it meanwhile.
    async fn write(&mut self, batch: &Batch) -> Result<(), BatchError> {
        let Batch { created, log, checkpoints, accounts, deleted, activity } = batch;
        let nothing = created.is_empty() && log.is_empty() && checkpoints.is_empty();
        if nothing && accounts.is_empty() && deleted.is_empty() && activity.is_empty() {
            return Ok(());
        }
        let (untold, bus, operators) = (self.untold.take(), &self.bus, &self.operators);
        let telling = async move {
            if let Some(untold) = untold {
                untold.tell(bus, operators);
            }
        };
        let (written, ()) = tokio::join!(biased; self.store.write_conversations(batch), telling);
        written
    }

    /// The store is as the memory is.
    fn written(&mut self, applied: &mut Applied) {
        self.counters.written(applied);
        let Batch { created, checkpoints, accounts, .. } = &applied.batch;
        for row in created.iter().chain(checkpoints) {
            if let Some(live) = self.state.lives.get_mut(&row.id) {
                live.row_written();
            }
        }
        self.state.accounts_written(accounts);
        for (id, fingerprint) in std::mem::take(&mut applied.drops) {
            if let Some(live) = self.state.lives.get_mut(&id) {
                live.known.dropped(fingerprint);
            }
        }
        let tellings = std::mem::take(&mut applied.tellings);
        if !tellings.is_empty() {
            self.tell();
            self.untold = Some(Untold { tellings, log: std::mem::take(&mut applied.batch.log) });
        }
    }

    fn answer(&mut self, asks: Vec<Ask>, applied: Applied) {
        let mut looks: Vec<(ConversationId, Look)> = Vec::new();
        for (ask, answer) in asks.into_iter().zip(applied.answers) {
            match (ask, answer) {
                (Ask::Look { id, look }, Answer::Look) => looks.push((id, look)),
                (Ask::Order(order), Answer::Moderate) => self.moderate(order),
                (Ask::Order(Order { reply: Some(reply), .. }), Answer::Receipt(receipt)) => {
                    reply.send(Ok(*receipt));
                }
                (Ask::Order(Order { reply: Some(reply), .. }), Answer::Refused(refusal)) => {
                    reply.send(Err((*refusal).into()));
                }
                (Ask::Create { reply, .. }, Answer::Created(summary)) => drop(reply.send(Ok(*summary))),
                (Ask::Account { reply, .. }, Answer::Account(account)) => drop(reply.send(Ok(account))),
                (Ask::Delete { id, reply, .. }, Answer::Deleted) => {
                    self.state.forget(std::slice::from_ref(&id), &[]);
                    drop(reply.send(Ok(())));
                }
                (ask, Answer::Failed(error)) => ask.fail(error),
                _ => {}
            }
        }
        if looks.is_empty() {
            return;
        }
        self.tell();
        let now = now();
        for (id, look) in looks {
            let Some(live) = self.state.lives.get(&id) else {
                unharmed(|| look(Err(ServiceError::ConversationNotFound(id))));
                continue;
            };
            let looked = Looked { live, accounts: &self.state.accounts, bus: &self.bus, now };
            unharmed(|| look(Ok(looked)));
        }
    }

    fn moderate(&self, order: Order) {
        let Some(live) = self.state.lives.get(&order.id) else { return };
        if let Some(moderation) = live.ledger.setup().moderation.clone() {
            self.moderators.ask(live.key, moderation, order);
        }
    }

    fn tell(&mut self) {
        if let Some(untold) = self.untold.take() {
            untold.tell(&self.bus, &self.operators);
        }
    }

    /// The messages that stand in the log under these names.
    async fn look_up(&mut self, named: Vec<Named>) -> Result<Found, ServiceError> {
        self.load_all(named.iter().map(|(id, _)| id)).await?;
        let (mut names, mut wanted) = (HashMap::new(), Vec::new());
        for (id, message) in &named {
            if let Some(live) = self.state.lives.get(id) {
                names.insert(live.key, id);
                wanted.push((live.key, message.clone()));
            }
        }
        let mut found: Found = named.iter().map(|name| (name.clone(), None)).collect();
        for row in self.store.messages_by_id(&wanted).await? {
            let entry = Entry::read(&row.event, &row.body).ok();
            let fingerprint = entry.as_ref().and_then(Fingerprint::of_entry);
            if let (Some(id), Some(message), Some(fingerprint)) =
                (names.get(&row.key), row.message_id, fingerprint)
            {
                let position = u64::try_from(row.position).unwrap_or(0);
                found.insert(((*id).clone(), message), Some(Said { fingerprint, position }));
            }
        }
        Ok(found)
    }

    /// Does what is due in conversations in memory.
    async fn wake_due(&mut self) {
        let due = self.state.due(now(), BATCH);
        self.advance(due).await;
    }

    /// Does what is due in conversations that may not be in memory.
    async fn find_due(&mut self) {
        match self.store.due_conversations(now(), BATCH as u32).await {
            Ok(due) => self.advance(due).await,
            Err(error) => {
                self.rest_until = Instant::now() + REST;
                tracing::warn!(%error, "conversations that are due cannot be read; tried again soon");
            }
        }
    }

    async fn advance(&mut self, ids: Vec<ConversationId>) {
        let advance = |id| {
            let (actor, command) = (Actor::system(), Command::Advance);
            Ask::Order(Order { id, actor, command, cleared: Cleared::No, reply: None })
        };
        self.carry_out(ids.into_iter().map(advance).collect()).await;
        self.tell();
    }

    async fn leave(&mut self, idle: Duration) {
        let max_active = if idle.is_zero() { 0 } else { self.settings.max_active };
        if let Err(error) = self.state.leave(&self.store, idle, max_active).await {
            // They stay, and the log has everything: nothing is lost.
            tracing::warn!(?error, "idle conversations cannot be written down; tried again soon");
        }
    }
}
