//! What the calls and the loops of the matchmaker share.

use super::counters::Counters;
use super::hearing::Hearing;
use super::intake::Intake;
use super::known::Known;
use super::notices::Notices;
use super::nudges::Nudges;
use super::polls::Polls;
use super::pulse::Pulse;
use super::queues::Lately;
use super::settings::MatchmakingSettings;
use super::settling::Settling;
use super::view::TicketView;
use super::{Matchmaking, hearing, intake, matcher, notices, pulse, settling, sweeping};
use crate::channels::Channels;
use crate::conversations::Conversations;
use crate::error::ServiceError;
use arena_bus::Bus;
use arena_core::matching::MatchId;
use arena_core::topic::TopicName;
use arena_store::{ActivityDraft, Actor, MatchRow, Store, TicketRow};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Everything that is shared.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) store: Store,
    pub(super) bus: Bus,
    pub(super) conversations: Conversations,
    pub(super) channels: Channels,
    pub(super) settings: MatchmakingSettings,
    pub(super) counters: Counters,
    pub(super) known: Known,
    pub(super) lately: Lately,
    pub(super) nudges: Nudges,
    pub(super) notices: Notices,
    pub(super) polls: Polls,
    pub(super) pulse: Pulse,
    pub(super) hearing: Hearing,
    pub(super) intake: Intake,
    pub(super) settling: Settling,
    pub(super) operators: TopicName,
    pub(super) stop: CancellationToken,
    /// Cancelled when the queues are there.
    pub(super) begun: CancellationToken,
}

/// The loops of the matchmaker, which have not begun yet.
pub(crate) struct Loops {
    inner: Arc<Inner>,
    tickets: mpsc::Receiver<intake::Waiting>,
    unsettled: mpsc::Receiver<Arc<MatchRow>>,
}

/// The service, and the loops that serve it.
pub(crate) fn matchmaking(
    store: Store,
    bus: Bus,
    conversations: Conversations,
    channels: Channels,
    settings: MatchmakingSettings,
    stop: &CancellationToken,
) -> (Matchmaking, Loops) {
    let (intake, tickets) = Intake::new(settings.max_queue);
    let (settling, unsettled) = Settling::new();
    let inner = Arc::new(Inner {
        store,
        bus,
        conversations,
        channels,
        counters: Counters::default(),
        known: Known::default(),
        lately: Lately::default(),
        nudges: Nudges::default(),
        notices: Notices::default(),
        polls: Polls::new(settings.max_polls),
        pulse: Pulse::default(),
        hearing: Hearing::new(),
        intake,
        settling,
        operators: notices::operators(),
        stop: stop.clone(),
        begun: CancellationToken::new(),
        settings,
    });
    (Matchmaking { inner: Arc::clone(&inner) }, Loops { inner, tickets, unsettled })
}

impl Loops {
    /// Begins them. They end with the service's token, and at once with `kill`.
    pub(crate) fn spawn(self, tasks: &TaskTracker, kill: &CancellationToken) {
        let Loops { inner, tickets, unsettled } = self;
        let share = || (Arc::clone(&inner), inner.stop.clone());
        let (shared, stop) = share();
        tasks.spawn(kill.clone().run_until_cancelled_owned(intake::run(shared, tickets, stop)));
        let (shared, stop) = share();
        tasks.spawn(kill.clone().run_until_cancelled_owned(hearing::run(shared, stop)));
        let (shared, stop) = share();
        tasks.spawn(kill.clone().run_until_cancelled_owned(notices::run(shared, stop)));
        let (shared, stop) = share();
        tasks.spawn(kill.clone().run_until_cancelled_owned(pulse::run(shared, stop)));
        let (shared, stop) = share();
        tasks.spawn(kill.clone().run_until_cancelled_owned(settling::run(shared, unsettled, stop)));
        let (shared, stop) = share();
        tasks.spawn(kill.clone().run_until_cancelled_owned(sweeping::run(shared, stop)));
        if inner.settings.matches {
            let (shared, stop) = share();
            tasks.spawn(kill.clone().run_until_cancelled_owned(matcher::run(shared, stop)));
        }
    }
}

impl Inner {
    /// A ticket with its match.
    pub(super) async fn view(&self, ticket: TicketRow) -> Result<TicketView, ServiceError> {
        let in_match = match ticket.in_match {
            Some(id) => self.store.match_row(id).await?,
            None => None,
        };
        Ok(TicketView { ticket, in_match })
    }

    /// Tickets with their matches, in their order.
    pub(super) async fn views(&self, tickets: Vec<TicketRow>) -> Result<Vec<TicketView>, ServiceError> {
        let ids: BTreeSet<MatchId> = tickets.iter().filter_map(|ticket| ticket.in_match).collect();
        let ids: Vec<MatchId> = ids.into_iter().collect();
        let rows = if ids.is_empty() { Vec::new() } else { self.store.legible_matches(&ids).await? };
        let rows: HashMap<MatchId, MatchRow> = rows.into_iter().map(|row| (row.id, row)).collect();
        let view = |ticket: TicketRow| {
            let in_match = ticket.in_match.and_then(|id| rows.get(&id).cloned());
            TicketView { ticket, in_match }
        };
        Ok(tickets.into_iter().map(view).collect())
    }

    /// Writes one line of the activity log.
    pub(super) async fn note(
        &self,
        actor: &Actor,
        action: &'static str,
        detail: serde_json::Value,
    ) -> Result<(), ServiceError> {
        let draft = ActivityDraft { actor: actor.clone(), action, bot: None, channel: None, detail };
        Ok(self.store.log(&[draft]).await?)
    }
}
