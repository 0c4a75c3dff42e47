//! A fleet, and what can be asked of it.

use crate::bot::{Around, Open};
use crate::brain::Brains;
use crate::http::{Helm, NotSent, Sent};
use crate::manager::{Asker, Manager, Start, TalkRequest, Wishes, first_report};
use crate::monitor::alert::{self, Alerts, Sight};
use crate::monitor::{BotNow, BotState, Monitor};
use crate::roster::Roster;
use crate::settings::{AlertSettings, ManagerSettings};
use crate::stats::{FleetStats, Health, ManagerReport, Mode, PoolReport};
use crate::token::TokenSource;
use arena_core::fleet::{Demand, Fault};
use async_trait::async_trait;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// Requests for talks that wait. One more is told that nobody is idle.
const TALKS: usize = 64;
/// A bot that is not active after this time does not do its work.
const YOUNG: Duration = Duration::from_secs(60);
/// What of the time for a shutdown is the bots', in percent; the rest is the connections'.
const BOTS_SHARE: u32 = 80;

/// How a fleet gets to its endpoint.
#[derive(Clone)]
pub struct Way {
    /// Opens channels.
    pub open: Open,
    /// Counts refusals of the endpoint's and connects that failed.
    pub refusals: watch::Receiver<u64>,
    /// Why nothing is tried any more, if so.
    pub halted: Arc<dyn Fn() -> Option<Fault> + Send + Sync>,
    /// Tries again.
    pub resume: Arc<dyn Fn() + Send + Sync>,
    /// How the connections are.
    pub stats: Arc<dyn Fn() -> PoolReport + Send + Sync>,
    /// Closes all of it within a time; tells whether that could be done in order.
    pub shutdown: Arc<dyn Fn(Duration) -> Pin<Box<dyn Future<Output = bool> + Send>> + Send + Sync>,
}

/// What a fleet consists of.
pub struct Parts {
    /// What bots share.
    pub around: Around,
    /// How they get to their endpoint; `around.open` is the same.
    pub way: Way,
    /// Where brains come from, to tell of their model and to wait for what it still holds; `around.brains` asks it.
    pub brains: Option<Brains>,
    /// Who there is.
    pub roster: Roster,
    /// In whose name the lobby is looked at.
    pub observer: TokenSource,
    /// How many bots there are.
    pub manager: ManagerSettings,
    /// Who is told that bots fail.
    pub alert: AlertSettings,
}

/// A fleet. Clones share it; with the last one it ends, without goodbyes: see [`Fleet::shutdown`].
#[derive(Clone)]
pub struct Fleet {
    inner: Arc<Inner>,
}

struct Inner {
    instance: Arc<str>,
    started_at_ms: u64,
    began: Instant,
    monitor: Monitor,
    way: Way,
    brains: Option<Brains>,
    settings: ManagerSettings,
    wishes: Arc<watch::Sender<Wishes>>,
    told: Arc<watch::Sender<ManagerReport>>,
    talks: mpsc::Sender<TalkRequest>,
    stop: watch::Sender<Option<Instant>>,
    tasks: TaskTracker,
    /// Ends everything at once.
    ends: CancellationToken,
    _ends: DropGuard,
}

impl fmt::Debug for Fleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fleet").field("instance", &self.inner.instance).finish_non_exhaustive()
    }
}

impl Fleet {
    /// Starts a fleet. Its first bots are started as soon as it is known who is in the lobby.
    pub fn of(parts: Parts) -> Fleet {
        let Parts { around, way, brains, roster, observer, manager: settings, alert } = parts;
        let monitor = around.monitor.clone();
        let instance = around.instance.clone();
        let wishes = Arc::new(watch::channel(Wishes::default()).0);
        let told = Arc::new(watch::channel(first_report(&settings)).0);
        let (talks, asked) = mpsc::channel(TALKS);
        let (stop, stopped) = watch::channel(None);
        let manager = Manager::new(Start {
            around: Arc::new(around),
            settings: settings.clone(),
            roster,
            observer,
            wishes: wishes.clone(),
            talks: asked,
            refusals: way.refusals.clone(),
            halted: way.halted.clone(),
            told: told.clone(),
            stop: stopped,
        });
        let ends = CancellationToken::new();
        let tasks = TaskTracker::new();
        tasks.spawn(ends.clone().run_until_cancelled_owned(manager.run()));
        let inner = Arc::new(Inner {
            instance,
            started_at_ms: monitor.now_ms(),
            began: Instant::now(),
            monitor,
            way,
            brains,
            settings,
            wishes,
            told,
            talks,
            stop,
            tasks: tasks.clone(),
            ends: ends.clone(),
            _ends: ends.clone().drop_guard(),
        });
        if let Some(alerts) = Alerts::new(alert) {
            let watched = Arc::downgrade(&inner);
            let watching = alert::watch(alerts, move || watched.upgrade().map(|inner| inner.sight()));
            tasks.spawn(ends.run_until_cancelled_owned(watching));
        }
        tasks.close();
        Fleet { inner }
    }

    /// How everything is.
    pub fn stats(&self) -> FleetStats {
        self.inner.stats(true)
    }

    /// Whether the work is done: it was looked at lately, most bots that have had the time are active, and the endpoint
    /// does not refuse the fleet as such.
    pub fn health(&self) -> Health {
        self.inner.health()
    }

    /// Nothing starts and nothing stops from now on.
    pub fn pause(&self) {
        self.inner.set_mode(Mode::Paused);
    }

    /// Goes on after a pause, a drain, or a refusal of the key.
    pub fn resume(&self) {
        (self.inner.way.resume)();
        // Told in any case: what was halted is started now, and not at the next tick.
        self.inner.wishes.send_modify(|wishes| {
            if wishes.mode != Mode::Stopping {
                wishes.mode = Mode::Running;
            }
        });
    }

    /// All bots leave, talkers when they have finished; then it is paused.
    pub fn drain(&self) {
        self.inner.set_mode(Mode::Draining);
    }

    /// Sets how many bots there should be, up to the most; `None`: as many as the humans call for.
    pub fn scale(&self, bots: Option<usize>) {
        self.inner.wishes.send_modify(|wishes| wishes.pinned = bots);
    }

    /// Sends a bot into a conversation: this one, or whoever has been idle for longest. Returns when it is in.
    ///
    /// # Errors
    /// Why none goes.
    pub async fn want_talk(&self, conversation: &str, bot: Option<&str>) -> Result<Sent, NotSent> {
        let (caller, answer) = oneshot::channel();
        let request = TalkRequest {
            conversation: conversation.to_owned(),
            bot: bot.map(str::to_owned),
            asker: Asker::Caller(caller),
        };
        if self.inner.talks.try_send(request).is_err() {
            return Err(NotSent::NobodyIdle);
        }
        answer.await.unwrap_or(Err(NotSent::NobodyIdle))
    }

    /// Ends it: bots say goodbye, take their presence back, leave their channels, and connections are closed. Returns
    /// whether that was done within the deadline; what was not is cut off.
    pub async fn shutdown(&self, deadline: Duration) -> bool {
        let by = Instant::now() + deadline;
        self.inner.set_mode(Mode::Stopping);
        self.inner.stop.send_replace(Some(Instant::now() + deadline * BOTS_SHARE / 100));
        // Nobody listens any more once the manager has ended.
        let ended = tokio::time::timeout_at(by, self.inner.stop.closed()).await.is_ok();
        if let Some(brains) = &self.inner.brains {
            let left = by.saturating_duration_since(Instant::now());
            brains.settle(left / 2).await;
        }
        let closed = (self.inner.way.shutdown)(by.saturating_duration_since(Instant::now())).await;
        self.inner.ends.cancel();
        self.inner.tasks.wait().await;
        ended && closed && self.inner.monitor.bots_now().iter().all(|bot| bot.told == BotState::Failed)
    }
}

impl Inner {
    /// The last mode is for good.
    fn set_mode(&self, mode: Mode) {
        self.wishes.send_if_modified(|wishes| {
            let other = wishes.mode != mode && wishes.mode != Mode::Stopping;
            if other {
                wishes.mode = mode;
            }
            other
        });
    }

    fn manager(&self) -> ManagerReport {
        let report = self.told.borrow().clone();
        let wishes = *self.wishes.borrow();
        let settings = &self.settings;
        let demand = Demand { min: settings.min, max: settings.max, percent: settings.target_percent };
        let target = wishes.target(demand, report.lobby.humans);
        ManagerReport { mode: wishes.mode, pinned: wishes.pinned, target, ..report }
    }

    fn stats(&self, each: bool) -> FleetStats {
        FleetStats {
            instance: self.instance.to_string(),
            started_at_ms: self.started_at_ms,
            manager: self.manager(),
            pool: (self.way.stats)(),
            model: self.brains.as_ref().and_then(Brains::model),
            monitor: if each { self.monitor.snapshot() } else { self.monitor.summary() },
        }
    }

    fn health(&self) -> Health {
        let manager = self.manager();
        let mut reasons = Vec::new();
        if let Some(fault) = (self.way.halted)() {
            reasons.push(format!("the endpoint refuses the fleet: {fault}"));
        }
        reasons.extend(self.late_tick(&manager));
        reasons.extend(self.idle_hands(&manager).or_else(|| manager.behind.clone()));
        Health { healthy: reasons.is_empty(), reasons }
    }

    /// The manager has to have looked within two of its intervals.
    fn late_tick(&self, manager: &ManagerReport) -> Option<String> {
        let last_ms = manager.last_tick_ms.unwrap_or(self.started_at_ms);
        let ago_ms = self.monitor.now_ms().saturating_sub(last_ms);
        let late = u128::from(ago_ms) > 2 * self.settings.maintenance_every.as_millis().max(1_000);
        late.then(|| format!("the manager has not looked after the bots for {} s", ago_ms / 1_000))
    }

    /// Half of the bots that are wanted and have had the time have to be active.
    fn idle_hands(&self, manager: &ManagerReport) -> Option<String> {
        let bots = self.monitor.bots_now();
        let old = bots.iter().filter(|bot| bot.age >= YOUNG && bot.told != BotState::Leaving);
        let (mut all, mut active) = (0, 0);
        for bot in old {
            all += 1;
            active += usize::from(bot.state.is_active());
        }
        let wanted = manager.target.min(all);
        if active * 2 < wanted {
            return Some(format!("{active} of {wanted} bots that have had a minute's time are active"));
        }
        let anybody = bots.iter().any(|bot| bot.state.is_active());
        let none = manager.mode == Mode::Running
            && manager.target > 0
            && !anybody
            && self.began.elapsed() > YOUNG * 2;
        none.then(|| format!("no bot is active, and {} are wanted", manager.target))
    }

    /// What alerts look at.
    fn sight(&self) -> Sight {
        let (manager, totals) = (self.manager(), self.monitor.totals());
        let young = |bot: &&BotNow| bot.told == BotState::Starting && bot.age < YOUNG;
        Sight {
            instance: self.instance.to_string(),
            target: if manager.mode == Mode::Running { manager.target } else { 0 },
            active: totals.active,
            coming: self.monitor.bots_now().iter().filter(young).count(),
            waiting: manager.starts_waiting,
            bots_failed: totals.bots_failed,
            errors: self.monitor.errors().into_iter().take(5).collect(),
        }
    }
}

#[async_trait]
impl Helm for Fleet {
    fn stats(&self, each: bool) -> FleetStats {
        self.inner.stats(each)
    }

    fn health(&self) -> Health {
        Fleet::health(self)
    }

    fn pause(&self) {
        Fleet::pause(self);
    }

    fn resume(&self) {
        Fleet::resume(self);
    }

    fn drain(&self) {
        Fleet::drain(self);
    }

    fn scale(&self, bots: Option<usize>) {
        Fleet::scale(self, bots);
    }

    async fn talk(&self, conversation: &str, bot: Option<&str>) -> Result<Sent, NotSent> {
        self.want_talk(conversation, bot).await
    }
}
