//! What has to end by itself, and what an outage or a crash has left undone. Each step stands by itself, is bounded, and
//! changes nothing when it is done again; the first sweep after a crash is an ordinary sweep.

use super::acting::{Requeue, users};
use super::clock::{ago, millis};
use super::hearing::Hearing;
use super::service::Inner;
use super::settling;
use crate::error::ServiceError;
use arena_core::matching::{MatchEnd, MatchId, QueueName, Rules};
use arena_store::{Lost, MatchRow, QueueRow, StoreError, now};
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// What is read, and done, in one round of a step.
const ROUND: u32 = 500;

/// Rounds of a step in one sweep, so that the other steps have their turn.
const ROUNDS: usize = 8;

/// How often members of a proposed match are told of it who have not confirmed.
const TELL_AGAIN: Duration = Duration::from_secs(2);

/// How often what has ended long ago is dropped.
const FORGET: Duration = Duration::from_secs(60);

/// How often a queue is asked for that everybody expects to be there, until it is.
const ASK_FOR_STRANGERS: Duration = Duration::from_secs(1);

/// Sweeps until it is told to stop.
pub(super) async fn run(inner: Arc<Inner>, stop: CancellationToken) {
    if stop.run_until_cancelled(make_strangers(&inner)).await.is_none() {
        return;
    }
    let mut every = interval(inner.settings.sweep_every);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut tell_again, mut forget) = (Instant::now(), Instant::now());
    while stop.run_until_cancelled(every.tick()).await.is_some() {
        inner.step("matches that nobody confirmed", inner.fail_unconfirmed().await);
        inner.step("tickets that were given up", inner.end_stale().await);
        inner.step("matches whose members are gone", inner.end_lost().await);
        inner.step("matches that are talked out", inner.end_talked_out().await);
        inner.step(
            "matches that are not settled",
            settle_rest(&inner, inner.store.unsettled_matches(ROUND).await).await,
        );
        if Instant::now() >= tell_again {
            tell_again = Instant::now() + TELL_AGAIN;
            inner.step("tournaments", inner.tend_tournaments().await);
            let ended = inner.store.unsettled_tournaments(ROUND).await;
            inner.step("channels of tournaments", settle_rest(&inner, ended).await);
            inner.step("matches that are not confirmed", inner.tell_again().await);
        }
        if Instant::now() >= forget {
            forget = Instant::now() + FORGET;
            inner.step("tickets of long ago", inner.forget(&stop).await);
        }
    }
}

/// Makes the queue that is there from the start, as soon as the store lets us. Where there are queues, whoever made them
/// knows best.
async fn make_strangers(inner: &Inner) {
    let mut every = interval(ASK_FOR_STRANGERS);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        let made = async {
            if inner.store.match_queues().await?.is_empty() {
                inner.store.put_match_queue(&QueueName::strangers(), &Rules::strangers(), true).await?;
            }
            Ok::<_, StoreError>(())
        };
        match made.await {
            Ok(()) => return inner.begun.cancel(),
            Err(error) => inner.unheard("the queue of strangers cannot be looked up", &error),
        }
    }
}

/// Settles what is not settled yet.
async fn settle_rest(
    inner: &Arc<Inner>,
    unsettled: Result<Vec<MatchRow>, StoreError>,
) -> Result<(), ServiceError> {
    for part in unsettled?.chunks(ROUND as usize / 8) {
        settling::settle(inner, part.iter().cloned().map(Arc::new).collect()).await;
    }
    Ok(())
}

/// Whether users had less than half of the time to confirm a match, because the server was away: then they are not to
/// blame.
pub(super) fn unheard_for_too_long(row: &MatchRow, hearing: &Hearing) -> bool {
    let window = row.confirm_until.since(row.made_at);
    row.confirm_until.since(hearing.since(now()).max(row.made_at)) < window / 2
}

/// Whether the store is what fails, and not what it was asked for.
fn is_outage(error: &StoreError) -> bool {
    matches!(error, StoreError::Unavailable(_))
}

/// One match, or queue, that fails does not stop the others, but for an outage: then all would.
fn one<T>(
    what: &'static str,
    which: &impl Display,
    outcome: Result<T, ServiceError>,
) -> Result<(), ServiceError> {
    match outcome {
        Err(ServiceError::Store(error)) if is_outage(&error) => Err(error.into()),
        Err(error) => {
            tracing::warn!(what, %which, %error, "what is overdue cannot be ended; the next sweep tries again");
            Ok(())
        }
        Ok(_) => Ok(()),
    }
}

impl Inner {
    /// One step that fails does not stop the others.
    fn step(&self, what: &'static str, outcome: Result<(), ServiceError>) {
        match outcome {
            Ok(()) => {}
            Err(ServiceError::Store(error)) => {
                if is_outage(&error) {
                    self.hearing.lost();
                }
                tracing::warn!(%error, what, "a step of the matchmaker's sweep failed; the next sweep tries again");
            }
            Err(error) => {
                tracing::warn!(%error, what, "a step of the matchmaker's sweep failed; the next sweep tries again");
            }
        }
    }

    async fn fail_unconfirmed(&self) -> Result<(), ServiceError> {
        for _ in 0..ROUNDS {
            let ids = self.store.unconfirmed_matches(now(), ROUND).await?;
            for row in self.store.legible_matches(&ids).await? {
                one("match", &row.id, self.expire(&row).await)?;
            }
            if ids.len() < ROUND as usize {
                break;
            }
        }
        Ok(())
    }

    async fn end_stale(&self) -> Result<(), ServiceError> {
        // What was heard before now counts. Where it cannot be written, nobody is called silent.
        if !self.write_beats().await {
            return Ok(());
        }
        for queue in self.store.match_queues().await? {
            one("queue", &queue.name, self.end_stale_of(&queue).await)?;
        }
        Ok(())
    }

    async fn end_stale_of(&self, queue: &QueueRow) -> Result<(), ServiceError> {
        for _ in 0..ROUNDS {
            let now = now();
            let silent = self.hearing.ago(queue.rules.silent_ms, now);
            let since = queue.rules.max_wait_ms.map(|ms| ago(now, ms));
            let ended = self.store.end_stale(&queue.name, silent, since, ROUND, now).await?;
            let full = ended.len() >= ROUND as usize;
            self.changed_unseen(ended.into_iter().map(|(ticket, _)| ticket));
            if !full {
                break;
            }
        }
        Ok(())
    }

    async fn end_lost(&self) -> Result<(), ServiceError> {
        for name in self.store.queues_in_use().await? {
            one("queue", &name, self.end_lost_of(&name).await)?;
        }
        Ok(())
    }

    async fn end_lost_of(&self, name: &QueueName) -> Result<(), ServiceError> {
        let rules = self.known.rules(&self.store, name).await?;
        for _ in 0..ROUNDS {
            // Who has come back, or was heard, before now is not lost.
            if !(self.write_comings().await && self.write_beats().await) {
                return Ok(());
            }
            let lost = self.lost(&rules, 0, now());
            let Lost { away_before, silent_before } = lost;
            let gone = self.store.lost_members(name, away_before, silent_before, ROUND).await?;
            let full = gone.len() >= ROUND as usize;
            for (id, user) in gone {
                one("match", &id, self.end_without(id, user, lost).await)?;
            }
            if !full {
                break;
            }
        }
        Ok(())
    }

    async fn end_talked_out(&self) -> Result<(), ServiceError> {
        for _ in 0..ROUNDS {
            let ids: Vec<MatchId> = self.store.matches_talked_out(ROUND).await?;
            let full = ids.len() >= ROUND as usize;
            for id in ids {
                one("match", &id, self.end(id, MatchEnd::TalkOver, None, Requeue::No).await)?;
            }
            if !full {
                break;
            }
        }
        Ok(())
    }

    /// Tells members who have not confirmed, and listen here, of what is waiting for them: a notice may have been lost,
    /// or the match made by another process.
    async fn tell_again(&self) -> Result<(), ServiceError> {
        let now = now();
        let before = ago(now, millis(TELL_AGAIN));
        let mut behind = (now, MatchId(uuid::Uuid::nil()));
        for _ in 0..ROUNDS {
            let rows = self.store.proposed_matches(behind, ROUND).await?;
            for row in rows.iter().filter(|row| row.made_at <= before) {
                for member in row.members.iter().filter(|member| member.confirmed_at.is_none()) {
                    self.changed(member.ticket, users(member));
                }
            }
            match rows.last() {
                Some(last) => behind = (last.confirm_until, last.id),
                None => break,
            }
        }
        Ok(())
    }

    async fn forget(&self, stop: &CancellationToken) -> Result<(), ServiceError> {
        let Some(retention) = self.settings.retention else { return Ok(()) };
        while !stop.is_cancelled() {
            let now = now();
            let before = ago(now, millis(retention));
            if self.store.forget_matches(before, now, ROUND).await? == 0 {
                break;
            }
        }
        Ok(())
    }
}
