//! The bots that run.

use super::talks::Outcome;
use crate::bot::{Around, Bot, BotEnd, Leave, Note, Order};
use crate::identity::Identity;
use arena_core::fleet::{Fault, FaultClass};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;

/// Orders that a bot has not looked at; one more is refused.
const ORDERS: usize = 4;

/// A bot, as its manager holds it.
pub(super) struct Held {
    pub(super) me: Arc<Identity>,
    pub(super) orders: mpsc::Sender<Order>,
    pub(super) leave: watch::Sender<Option<Leave>>,
    /// What came, or comes, of its newest talk.
    pub(super) coming: Option<Outcome>,
    task: Id,
}

/// The bots that run, by id: each once.
#[derive(Default)]
pub(super) struct Running {
    bots: BTreeMap<Arc<str>, Held>,
    last_start: Option<Instant>,
}

impl Running {
    pub(super) fn start(
        &mut self,
        me: Arc<Identity>,
        around: &Arc<Around>,
        note: &mpsc::Sender<Note>,
        takes_on: &watch::Sender<bool>,
        tasks: &mut JoinSet<BotEnd>,
    ) {
        let (orders, taken) = mpsc::channel(ORDERS);
        let (leave, told) = watch::channel(None);
        around.monitor.bot_started(me.clone());
        let bot = Bot {
            around: around.clone(),
            me: me.clone(),
            orders: taken,
            leave: told,
            takes_on: takes_on.subscribe(),
            notes: note.clone(),
        };
        let task = tasks.spawn(bot.live()).id();
        self.bots.insert(me.id.as_str().into(), Held { me, orders, leave, coming: None, task });
        self.last_start = Some(Instant::now());
    }

    pub(super) fn last_start(&self) -> Option<Instant> {
        self.last_start
    }

    pub(super) fn len(&self) -> usize {
        self.bots.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bots.is_empty()
    }

    pub(super) fn get(&self, id: &str) -> Option<&Held> {
        self.bots.get(id)
    }

    /// It was sent into a conversation.
    pub(super) fn comes(&mut self, id: &str, coming: Outcome) {
        if let Some(held) = self.bots.get_mut(id) {
            held.coming = Some(coming);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Held)> {
        self.bots.iter()
    }

    pub(super) fn remove(&mut self, id: &str) {
        self.bots.remove(id);
    }

    /// Whose task it was.
    pub(super) fn of_task(&self, task: Id) -> Option<Arc<str>> {
        self.bots.iter().find(|(_, held)| held.task == task).map(|(id, _)| id.clone())
    }
}

/// Why a bot's task ended that did not come to its end.
pub(super) fn crashed(error: &JoinError) -> Fault {
    Fault::new(FaultClass::Protocol, "bot_panicked", format!("the bot's task ended: {error}"))
}
