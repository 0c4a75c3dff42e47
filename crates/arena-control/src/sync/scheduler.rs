//! When which channel is synced: each one alone, many at a time, none delaying another.

use super::channel::{Next, Syncer, unit};
use super::nudge::Nudges;
use arena_core::Timestamp;
use arena_core::channel::ChannelName;
use arena_store::now;
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Runs syncs until it is told to stop. Its queue is bounded by the number of channels.
pub(crate) struct Scheduler {
    syncer: Syncer,
    nudges: Nudges,
    concurrency: usize,
    every: Duration,
    queue: VecDeque<ChannelName>,
    queued: HashSet<ChannelName>,
    running: HashSet<ChannelName>,
    /// Nudged while they ran.
    again: HashSet<ChannelName>,
    /// When to sync channels that wait for the end of a back-off; one timer each.
    timers: BTreeSet<(Timestamp, ChannelName)>,
    timer_of: HashMap<ChannelName, Timestamp>,
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
            queue: VecDeque::new(),
            queued: HashSet::new(),
            running: HashSet::new(),
            again: HashSet::new(),
            timers: BTreeSet::new(),
            timer_of: HashMap::new(),
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
            let timer = self.next_timer();
            tokio::select! {
                () = stop.cancelled() => break,
                _ = sweep.tick() => nudges.nudge_all(),
                () = nudges.woken() => self.take_nudges().await,
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
                    tracing::warn!(%error, "the sweep could not list the channels; the next one will")
                }
            }
        }
        channels.into_iter().for_each(|channel| self.enqueue(channel));
    }

    fn enqueue(&mut self, channel: ChannelName) {
        if self.running.contains(&channel) {
            self.again.insert(channel);
        } else if self.queued.insert(channel.clone()) {
            self.queue.push_back(channel);
        }
    }

    fn start_due(&mut self) {
        while self.tasks.len() < self.concurrency
            && let Some(channel) = self.queue.pop_front()
        {
            self.queued.remove(&channel);
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
                (channel, Next::Failed)
            }
        };
        self.running.remove(&channel);
        let nudged = self.again.remove(&channel);
        if next != Next::Failed {
            self.failures.remove(&channel);
        }
        match next {
            Next::Failed => self.retry_later(channel),
            Next::Now => self.enqueue(channel),
            _ if nudged => self.enqueue(channel),
            Next::At(at) => self.wake_at(at, channel),
            Next::Rest => {}
        }
    }

    /// A channel that fails is tried again after a back-off of its own; a nudge tries it at once. It never gives
    /// up: an outage ends some time.
    fn retry_later(&mut self, channel: ChannelName) {
        let failures = self.failures.entry(channel.clone()).or_default();
        *failures = failures.saturating_add(1);
        let policy = &self.syncer.retry;
        let attempt = (*failures).min(policy.max_attempts.saturating_sub(1)).max(1);
        let delay = policy.delay_after(attempt, unit()).unwrap_or(policy.cap);
        self.wake_at(now().after(delay), channel);
    }

    fn wake_at(&mut self, at: Timestamp, channel: ChannelName) {
        if let Some(before) = self.timer_of.insert(channel.clone(), at) {
            self.timers.remove(&(before, channel.clone()));
        }
        self.timers.insert((at, channel));
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.timers.iter().next().map(|(at, _)| *at)
    }

    fn fire_timers(&mut self) {
        let now = now();
        let due: BTreeSet<_> = self.timers.iter().take_while(|(at, _)| *at <= now).cloned().collect();
        for key in due {
            self.timers.remove(&key);
            self.timer_of.remove(&key.1);
            self.enqueue(key.1);
        }
    }
}

async fn sleep_until(at: Option<Timestamp>) {
    if let Some(at) = at {
        // A millisecond more: a timer must not fire before the time it waits for.
        tokio::time::sleep(at.since(now()) + Duration::from_millis(1)).await;
    }
}
