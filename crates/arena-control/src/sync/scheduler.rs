//! When which channel is synced: each one alone, many at a time, none delaying another.

use super::channel::{Next, Syncer, unit};
use super::nudge::Nudges;
use super::queue::Queue;
use super::timers::Timers;
use arena_core::Timestamp;
use arena_core::channel::ChannelName;
use arena_store::now;
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long after a failed listing of the channels it is tried again.
const RELIST: Duration = Duration::from_secs(1);

/// Runs syncs until it is told to stop. Its queue is bounded by the number of channels.
pub(crate) struct Scheduler {
    syncer: Syncer,
    nudges: Nudges,
    concurrency: usize,
    every: Duration,
    queue: Queue,
    running: HashSet<ChannelName>,
    /// Nudged while they ran.
    again: HashSet<ChannelName>,
    /// When to sync channels that wait for the end of a back-off.
    timers: Timers,
    /// Failures in a row.
    failures: HashMap<ChannelName, u32>,
    tasks: JoinSet<(ChannelName, Next)>,
    /// Which channel each task syncs, so that one that panics does not block its channel.
    task_of: HashMap<tokio::task::Id, ChannelName>,
}

impl Scheduler {
    pub(crate) fn new(syncer: Syncer, concurrency: usize, every: Duration) -> Scheduler {
        Scheduler {
            nudges: syncer.nudges.clone(),
            syncer,
            concurrency: concurrency.max(1),
            every,
            queue: Queue::default(),
            running: HashSet::new(),
            again: HashSet::new(),
            timers: Timers::default(),
            failures: HashMap::new(),
            tasks: JoinSet::new(),
            task_of: HashMap::new(),
        }
    }

    /// Runs; when told to stop, lets the syncs that run come to their end.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut sweep = tokio::time::interval(self.every);
        sweep.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let nudges = self.nudges.clone();
        loop {
            self.start_due();
            let timer = self.timers.next();
            tokio::select! {
                () = stop.cancelled() => break,
                _ = sweep.tick() => nudges.nudge_all(),
                () = nudges.woken() => {
                    if stop.run_until_cancelled(self.take_nudges()).await.is_none() {
                        break;
                    }
                }
                () = sleep_until(timer), if timer.is_some() => self.fire_timers(),
                Some(ended) = self.tasks.join_next_with_id(), if !self.tasks.is_empty() => self.ended(ended),
            }
        }
        while self.tasks.join_next().await.is_some() {}
    }

    async fn take_nudges(&mut self) {
        let (mut channels, all) = self.nudges.take();
        if all {
            match self.syncer.store.all_channels().await {
                Ok(rows) => channels.extend(rows.into_iter().map(|row| row.channel.seats.name)),
                Err(error) => {
                    tracing::warn!(%error, "the sweep could not list the channels; it will try again");
                    self.timers.set(now().after(RELIST), None);
                }
            }
        }
        channels.into_iter().for_each(|channel| self.enqueue(channel));
    }

    fn enqueue(&mut self, channel: ChannelName) {
        if self.running.contains(&channel) {
            self.again.insert(channel);
        } else {
            let failing = self.failures.contains_key(&channel);
            self.queue.push(channel, failing);
        }
    }

    fn start_due(&mut self) {
        while self.tasks.len() < self.concurrency {
            // Channels that fail may all hang: they get at most half of the places.
            let failing = self.running.iter().filter(|channel| self.failures.contains_key(*channel)).count();
            let Some(channel) = self.queue.pop(failing < self.concurrency.div_ceil(2)) else { return };
            self.running.insert(channel.clone());
            let (syncer, name) = (self.syncer.clone(), channel.clone());
            let task = self.tasks.spawn(async move {
                let next = syncer.sync(&name).await;
                (name, next)
            });
            self.task_of.insert(task.id(), channel);
        }
    }

    fn ended(&mut self, ended: Result<(tokio::task::Id, (ChannelName, Next)), tokio::task::JoinError>) {
        let (channel, next) = match ended {
            Ok((id, outcome)) => {
                self.task_of.remove(&id);
                outcome
            }
            Err(error) => {
                let Some(channel) = self.task_of.remove(&error.id()) else { return };
                tracing::error!(%channel, %error, "a sync ended abnormally");
                self.syncer.log.add_abnormal(&channel);
                (channel, Next::Failed)
            }
        };
        self.running.remove(&channel);
        let nudged = self.again.remove(&channel);
        match next {
            Next::Failed => self.retry_later(&channel),
            // A world may end while it is synced. A host that names one that is gone, again and again, is at fault.
            Next::WorldGone if self.failures.contains_key(&channel) => self.retry_later(&channel),
            Next::WorldGone => {
                self.failures.insert(channel.clone(), 0);
                self.enqueue(channel);
                return;
            }
            Next::Now => {
                self.recovered(&channel);
                self.enqueue(channel);
                return;
            }
            Next::At(at) => {
                self.recovered(&channel);
                self.timers.set(at, Some(channel.clone()));
            }
            Next::Rest => self.recovered(&channel),
        }
        if nudged {
            self.enqueue(channel);
        }
    }

    /// A channel that fails is tried again after a back-off of its own; a nudge tries it at once. It never gives
    /// up: an outage ends some time.
    fn retry_later(&mut self, channel: &ChannelName) {
        let failures = self.failures.entry(channel.clone()).or_default();
        *failures = failures.saturating_add(1);
        let policy = &self.syncer.retry;
        let attempt = (*failures).min(policy.max_attempts.saturating_sub(1)).max(1);
        let delay = policy.delay_after(attempt, unit()).unwrap_or(policy.cap);
        self.timers.set(now().after(delay), Some(channel.clone()));
    }

    /// What ends an outage for one channel may have ended it for the others too: they need not wait out their
    /// back-off.
    fn recovered(&mut self, channel: &ChannelName) {
        if self.failures.remove(channel).is_some_and(|failures| failures > 0) {
            let others: Vec<ChannelName> = self.failures.keys().cloned().collect();
            let resting = others.into_iter().filter(|other| !self.running.contains(other));
            resting.collect::<Vec<_>>().into_iter().for_each(|other| self.enqueue(other));
        }
    }

    fn fire_timers(&mut self) {
        for due in self.timers.take_due(now()) {
            match due {
                Some(channel) => self.enqueue(channel),
                None => self.nudges.nudge_all(),
            }
        }
    }
}

async fn sleep_until(at: Option<Timestamp>) {
    if let Some(at) = at {
        // A millisecond more: a timer must not fire before the time it waits for.
        tokio::time::sleep(at.since(now()) + Duration::from_millis(1)).await;
    }
}
