//! Applying what was asked for to what is in memory: what becomes a batch of the store.

use super::ask::{Ask, Budget, Order};
use super::known::{Fingerprint, Knowledge, Said};
use super::live::Live;
use super::outcome::{Receipt, Summary};
use super::state::State;
use super::telling::Telling;
use crate::error::ServiceError;
use arena_bus::{Bus, Position};
use arena_core::Timestamp;
use arena_core::conversation::{
    Account, AccountId, Amounts, Code, Command, ConversationId, Entry, Handled, Ledger, OnRefusal, Refusal,
    Setup,
};
use arena_store::{ActivityDraft, Actor, Batch};
use std::collections::{BTreeSet, HashMap};

/// Messages of one topic that may wait to be handed over before more are refused: nothing is charged that cannot be
/// delivered soon.
const MAX_WAITING: usize = 512;

/// A message by its id.
pub(super) type Named = (ConversationId, String);

/// Messages of earlier times that were looked up in the store; `None` where there is none of that name.
pub(super) type Found = HashMap<Named, Option<Said>>;

/// What becomes of an ask once the batch is written.
#[derive(Debug)]
pub(super) enum Answer {
    Receipt(Box<Receipt>),
    Refused(Box<Refusal>),
    Created(Box<Summary>),
    Account(Account),
    /// The conversation goes.
    Deleted,
    /// Its look is taken when everything is published.
    Look,
    /// The moderator has to be asked first.
    Moderate,
    Failed(ServiceError),
}

/// A batch that is not written yet.
#[derive(Debug, Default)]
pub(super) struct Applied {
    pub(super) batch: Batch,
    /// In the order of the asks.
    pub(super) answers: Vec<Answer>,
    pub(super) tellings: Vec<Telling>,
    /// Conversations that are not as the store has them.
    pub(super) touched: Vec<ConversationId>,
    /// Messages that are refused, though one of that name may have been said so long ago that only the store knows.
    pub(super) doubtful: Vec<Named>,
    /// Messages that were dropped and are told of, by conversation.
    pub(super) drops: Vec<(ConversationId, Fingerprint)>,
    /// What was charged.
    pub(super) spent: Amounts,
    /// Accounts that may not be, beside those of the conversations.
    accounts: BTreeSet<AccountId>,
}

/// Applies asks one after the other.
pub(super) fn apply(state: &mut State, bus: &Bus, asks: &[Ask], found: &Found, now: Timestamp) -> Applied {
    state.batch += 1;
    let mut applied = Applied::default();
    for ask in asks {
        let answer = match ask {
            Ask::Create { id, setup, tree, actor, .. } => applied.create(state, id, setup, *tree, actor, now),
            Ask::Order(order) => applied.order(state, bus, order, found, now),
            Ask::Look { id, .. } if state.lives.contains_key(id) => Answer::Look,
            Ask::Delete { id, actor, .. } => match state.lives.get(id) {
                Some(live) => {
                    live.ledger.give_back(&mut state.accounts);
                    applied.accounts.extend(live.accounts.iter().cloned());
                    applied.batch.deleted.push(live.key);
                    if let Some(actor) = actor {
                        applied.audit(actor, "conversation.deleted", id, serde_json::Value::Null);
                    }
                    let body = serde_json::json!({ "conversation": id, "at_ms": now }).to_string();
                    applied.tellings.push(Telling::to_all(live, "deleted", body));
                    applied.touched.push(id.clone());
                    Answer::Deleted
                }
                None => not_found(id),
            },
            Ask::Look { id, .. } => not_found(id),
            Ask::Account { id, set, .. } => applied.account(state, id, set.as_ref(), now),
        };
        applied.answers.push(answer);
    }
    applied.complete(state);
    applied
}

fn not_found(id: &ConversationId) -> Answer {
    Answer::Failed(ServiceError::ConversationNotFound(id.clone()))
}

impl Applied {
    fn create(
        &mut self,
        state: &mut State,
        id: &ConversationId,
        setup: &Setup,
        tree: Option<Budget>,
        actor: &Actor,
        now: Timestamp,
    ) -> Answer {
        if state.lives.contains_key(id) {
            return Answer::Failed(ServiceError::ConversationExists(id.clone()));
        }
        let mut setup = setup.clone();
        setup.root = match &setup.parent {
            None => Some(id.clone()),
            Some(parent) => match state.lives.get(parent) {
                Some(live) => live.ledger.setup().root.clone(),
                None => return not_found(parent),
            },
        };
        let (ledger, entries) = match Ledger::create(setup, id, now) {
            Ok(created) => created,
            Err(error) => return Answer::Failed(error.into()),
        };
        // One of an earlier conversation of this id is not inherited.
        let account = AccountId::Tree(id.clone());
        if tree.is_some() || state.accounts.contains_key(&account) {
            let (caps, refill) = tree.unwrap_or_default();
            state.accounts.insert(account.clone(), Account::new(caps, refill, now));
            self.accounts.insert(account);
        }
        let key = state.next_key(now);
        let mut live = Live::new(id.clone(), key, ledger, now);
        self.append(state, &mut live, entries, None, now);
        tracing::debug!(conversation = %id, %actor, "a conversation is created");
        let summary = live.summary();
        state.lives.insert(id.clone(), live);
        Answer::Created(Box::new(summary))
    }

    fn order(
        &mut self,
        state: &mut State,
        bus: &Bus,
        order: &Order,
        found: &Found,
        now: Timestamp,
    ) -> Answer {
        let Some(mut live) = state.lives.remove(&order.id) else { return not_found(&order.id) };
        let answer = self.order_live(state, bus, order, &mut live, found, now);
        state.lives.insert(order.id.clone(), live);
        answer
    }

    fn order_live(
        &mut self,
        state: &mut State,
        bus: &Bus,
        order: &Order,
        live: &mut Live,
        found: &Found,
        now: Timestamp,
    ) -> Answer {
        let Order { actor, command, .. } = order;
        let fingerprint = Fingerprint::of_command(command);
        if let Some(knowledge) = fingerprint.and_then(|print| knowledge(order, live, found, print)) {
            return repeat(state, live, command, knowledge, now);
        }
        if is_from_outside(command) {
            live.used = std::time::Instant::now();
            if bus.get(&live.topic).is_some_and(|stream| stream.waiting() > MAX_WAITING) {
                return Answer::Failed(ServiceError::Overloaded);
            }
        }
        if let Command::Say(say) = command
            && let Some(moderation) = &live.ledger.setup().moderation
            && !order.cleared.by(live.key, moderation)
        {
            match live.ledger.check(say, &state.accounts, now) {
                Ok(()) => return Answer::Moderate,
                Err(refusal) => {
                    self.doubt(order, live, found, fingerprint);
                    return self.refused(live, order, fingerprint, refusal, now);
                }
            }
        }
        let Handled { entries, outcome } =
            live.ledger.handle(command, &actor.to_string(), &mut state.accounts, now);
        let first = live.ledger.position() + 1 - entries.len() as u64;
        self.append(state, live, entries, fingerprint, now);
        if matches!(command, Command::Advance) && live.is_overdue(now) {
            live.wants_checkpoint = true;
            self.touch(state, live);
        }
        match outcome {
            Ok(done) => {
                if let Command::Say(say) = command {
                    self.spent = self.spent.plus(say.cost());
                }
                if let Some((action, detail)) = audited(command) {
                    live.wants_checkpoint = true;
                    self.audit(actor, action, &live.id, detail);
                }
                let offset = done.entry.map_or(live.ledger.position(), |entry| first + entry as u64);
                let mut receipt = receipt(state, live, command, offset, now);
                receipt.notices = done.notices;
                receipt.reservation = done.reservation;
                // What is held already under that id is held once.
                receipt.repeated |= matches!(command, Command::Reserve(_)) && done.entry.is_none();
                Answer::Receipt(Box::new(receipt))
            }
            Err(refusal) => {
                self.doubt(order, live, found, fingerprint);
                self.refused(live, order, fingerprint, refusal, now)
            }
        }
    }

    /// A repeat is answered as the first was, also where no other message would be let through any more.
    fn doubt(&mut self, order: &Order, live: &Live, found: &Found, fingerprint: Option<Fingerprint>) {
        let known = fingerprint.is_none_or(|fingerprint| live.known.was_dropped(fingerprint));
        if let Some(name) = order.named()
            && !known
            && !found.contains_key(&name)
        {
            self.doubtful.push(name);
        }
    }

    /// A refusal: told to whoever asked, and, of a message that is dropped for want of capacity, to everybody.
    fn refused(
        &mut self,
        live: &mut Live,
        order: &Order,
        fingerprint: Option<Fingerprint>,
        mut refusal: Refusal,
        now: Timestamp,
    ) -> Answer {
        let Command::Say(say) = &order.command else { return Answer::Refused(Box::new(refusal)) };
        refusal.message_id = refusal.message_id.or_else(|| say.id.clone());
        if refusal.code.is_capacity() && self.is_news(live, fingerprint) {
            self.tellings.push(Telling::dropped(live, say, &refusal, now));
        }
        if refusal.code.is_capacity() && live.ledger.setup().on_refusal == OnRefusal::SilentDrop {
            return Answer::Receipt(Box::new(Receipt {
                position: live.position(),
                message_id: say.id.as_ref().map(ToString::to_string),
                repeated: false,
                dropped: Some(Box::new(refusal)),
                notices: Vec::new(),
                turn: None,
                share: None,
                total: live.ledger.total(now),
                exhausted: live.ledger.exhausted(),
                reservation: None,
            }));
        }
        Answer::Refused(Box::new(refusal))
    }

    /// Whether a drop has not been told yet: the same message may come by several paths.
    fn is_news(&mut self, live: &Live, fingerprint: Option<Fingerprint>) -> bool {
        let Some(fingerprint) = fingerprint else { return true };
        let told = |(id, other): &(ConversationId, Fingerprint)| *other == fingerprint && *id == live.id;
        if live.known.was_dropped(fingerprint) || self.drops.iter().any(told) {
            return false;
        }
        self.drops.push((live.id.clone(), fingerprint));
        true
    }

    /// Puts entries that the ledger has made into the batch.
    fn append(
        &mut self,
        state: &mut State,
        live: &mut Live,
        entries: Vec<Entry>,
        fingerprint: Option<Fingerprint>,
        now: Timestamp,
    ) {
        if entries.is_empty() {
            return;
        }
        let mut position = live.ledger.position() - entries.len() as u64;
        for entry in &entries {
            position += 1;
            if let (Some(fingerprint), Entry::Message(_) | Entry::System(_)) = (fingerprint, entry) {
                live.known.said(Said { fingerprint, position }, state.batch);
            }
            let row = live.log_row(entry, position, now);
            self.tellings.push(Telling::line(live, self.batch.log.len(), position, entry, now));
            self.batch.log.push(row);
        }
        state.wake_in_time(live);
        self.touch(state, live);
    }

    fn touch(&mut self, state: &State, live: &mut Live) {
        live.used = std::time::Instant::now();
        if live.batch != state.batch {
            live.batch = state.batch;
            self.touched.push(live.id.clone());
        }
    }

    fn account(
        &mut self,
        state: &mut State,
        id: &AccountId,
        set: Option<&(Actor, Budget)>,
        now: Timestamp,
    ) -> Answer {
        if let Some((actor, (caps, refill))) = set {
            let account =
                state.accounts.entry(id.clone()).or_insert_with(|| Account::new(*caps, *refill, now));
            account.configure(*caps, *refill, now);
            self.accounts.insert(id.clone());
            let detail =
                serde_json::json!({ "budget": id.to_string(), "caps": caps, "refill_every_ms": refill });
            self.batch.activity.push(draft(actor, "budget.set", detail));
        }
        match state.accounts.get(id) {
            Some(account) => {
                let mut account = account.clone();
                account.turn_to(now);
                Answer::Account(account)
            }
            None => Answer::Failed(ServiceError::AccountNotFound(id.clone())),
        }
    }

    fn audit(
        &mut self,
        actor: &Actor,
        action: &'static str,
        id: &ConversationId,
        mut detail: serde_json::Value,
    ) {
        if !detail.is_object() {
            detail = serde_json::json!({});
        }
        detail["conversation"] = id.as_str().into();
        self.batch.activity.push(draft(actor, action, detail));
    }

    /// The rows that go with the log.
    fn complete(&mut self, state: &State) {
        let mut accounts = std::mem::take(&mut self.accounts);
        let goes = |live: &&Live| !self.batch.deleted.contains(&live.key);
        for live in self.touched.iter().filter_map(|id| state.lives.get(id)).filter(goes) {
            accounts.extend(live.accounts.iter().filter(|id| state.accounts.contains_key(*id)).cloned());
            if live.is_new() {
                self.batch.created.push(live.row());
            } else if live.wants_row() {
                self.batch.checkpoints.push(live.row());
            }
        }
        self.batch.accounts = state.changed_accounts(accounts.iter()).into_values().collect();
    }
}

/// What is known of a message's id: from memory, or from the store if it was looked up there.
fn knowledge(order: &Order, live: &Live, found: &Found, fingerprint: Fingerprint) -> Option<Knowledge> {
    let known = live.known.find(fingerprint);
    known.or_else(|| {
        if found.is_empty() {
            return None;
        }
        let said = found.get(&order.named()?)?.as_ref()?;
        Some(said.compare(fingerprint))
    })
}

/// The outcome of a message that was said before.
fn repeat(state: &State, live: &Live, command: &Command, knowledge: Knowledge, now: Timestamp) -> Answer {
    match knowledge {
        Knowledge::Repeat(said) => {
            let mut receipt = receipt(state, live, command, said.position, now);
            receipt.repeated = true;
            Answer::Receipt(Box::new(receipt))
        }
        Knowledge::Conflict(said) => {
            let detail = format!(
                "another message stands under this id, as number {} of {}; give each message an id of its own",
                said.position, live.id
            );
            Answer::Refused(Box::new(Refusal::plain(Code::IdConflict, detail)))
        }
    }
}

fn receipt(state: &State, live: &Live, command: &Command, offset: u64, now: Timestamp) -> Receipt {
    let speaker = match command {
        Command::Say(say) => Some(&say.author),
        Command::Reserve(reserve) => Some(&reserve.participant),
        Command::Release { participant, .. } => Some(participant),
        _ => None,
    };
    let position = Position { offset, epoch: live.epoch.clone() };
    let given = match command {
        Command::Say(say) => say.id.as_ref(),
        Command::SaySystem { id, .. } => id.as_ref(),
        _ => None,
    };
    let says = matches!(command, Command::Say(_) | Command::SaySystem { .. });
    let named = || format!("{}:{}", position.epoch, position.offset);
    let message_id = says.then(|| given.map_or_else(named, ToString::to_string));
    Receipt {
        message_id,
        repeated: false,
        dropped: None,
        notices: Vec::new(),
        turn: live.ledger.turn().cloned(),
        share: speaker.map(|who| live.ledger.share(who, &state.accounts, now)),
        total: live.ledger.total(now),
        exhausted: live.ledger.exhausted(),
        reservation: None,
        position,
    }
}

/// What the activity log says of a command, if it says anything.
fn audited(command: &Command) -> Option<(&'static str, serde_json::Value)> {
    let plain = serde_json::Value::Null;
    Some(match command {
        Command::TopUp(by) => ("conversation.topped_up", serde_json::json!({ "by": by })),
        Command::Configure(change) => ("conversation.configured", serde_json::json!({ "change": change })),
        Command::AddParticipant(who) => {
            ("conversation.participant_added", serde_json::json!({ "participant": who }))
        }
        Command::RemoveParticipant(who) => {
            ("conversation.participant_removed", serde_json::json!({ "participant": who }))
        }
        Command::Close => ("conversation.closed", plain),
        Command::Reopen => ("conversation.reopened", plain),
        _ => return None,
    })
}

/// Whether whoever uses a conversation can send it: not to be accepted faster than it can be told.
fn is_from_outside(command: &Command) -> bool {
    !matches!(command, Command::Advance | Command::End)
}

fn draft(actor: &Actor, action: &'static str, detail: serde_json::Value) -> ActivityDraft {
    ActivityDraft { actor: actor.clone(), action, bot: None, channel: None, detail }
}
