//! Keeps as many bots as are wanted, and finds bots for talks.
//!
//! One task does all of it and waits for nothing else meanwhile: a tick is a plan that is carried out at once, and a start
//! is a bot's task that begins. So ticks cannot overlap, however long bots take to come in.

mod census;
mod lobby;
mod others;
mod running;
mod talks;
mod wishes;

pub(crate) use talks::{Asker, TalkRequest};
pub(crate) use wishes::Wishes;

use crate::bot::{Around, BotEnd, Leave, Note};
use crate::channel::Channel;
use crate::monitor::{BotNow, BotState};
use crate::roster::Roster;
use crate::settings::{ManagerSettings, StartMode};
use crate::stats::{LobbyReport, ManagerReport, Mode};
use crate::token::TokenSource;
use arena_core::fleet::{Demand, Doing, Fault, Member, Ramp, TokenBucket, plan};
use census::Census;
use futures_util::FutureExt;
use running::Running;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use talks::Pending;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior};

/// Notes that wait to be read. One more is not taken: the next tick looks at everything anyway.
const NOTES: usize = 256;
/// Events of the lobby that are looked at before a tick: as many as may wait.
const EVENTS: usize = 64;

/// Requests for bots from the lobby, in a second and at once.
const REQUESTS_PER_SEC: f64 = 5.0;
const REQUESTS_BURST: u32 = 20;

/// How long the first start waits for a look at the lobby, so that nobody is started who is there already.
const LOOKS_AROUND: Duration = Duration::from_secs(10);

/// The least time between two reports.
const TOLD_APART: Duration = Duration::from_millis(100);
/// How long a bot may take to be active after its start, for the fleet to be as it should be.
const STARTS_TAKE: Duration = Duration::from_secs(60);

/// What a manager begins with.
pub(crate) struct Start {
    pub(crate) around: Arc<Around>,
    pub(crate) settings: ManagerSettings,
    pub(crate) roster: Roster,
    /// In whose name the lobby is looked at.
    pub(crate) observer: TokenSource,
    pub(crate) wishes: Arc<watch::Sender<Wishes>>,
    pub(crate) talks: mpsc::Receiver<TalkRequest>,
    /// Counts refusals of the endpoint's: starts are slower after each.
    pub(crate) refusals: watch::Receiver<u64>,
    /// Whether the endpoint is tried at all at present.
    pub(crate) halted: Arc<dyn Fn() -> Option<Fault> + Send + Sync>,
    pub(crate) told: Arc<watch::Sender<ManagerReport>>,
    /// By when everything is to have ended, once it is to end.
    pub(crate) stop: watch::Receiver<Option<Instant>>,
}

/// Keeps as many bots as are wanted.
pub(crate) struct Manager {
    start: Start,
    began: Instant,
    wishes: watch::Receiver<Wishes>,
    ramp: Ramp,
    census: Census,
    observer: Option<Channel>,
    /// Where fleets hear of each other; only beside a crowd.
    fellows: Option<Channel>,
    /// Whether the fleet was refused there.
    is_alone: bool,
    /// Whether it was seen who is in the lobby, or that nobody may see it.
    lobby_known: bool,
    /// When this fleet announces itself in the lobby, and when it did last.
    announce_at: Option<Instant>,
    announced_at: Option<Instant>,
    /// When the lobby is looked at again that was closed to the observer.
    observe_at: Option<Instant>,
    running: Running,
    bots: JoinSet<BotEnd>,
    notes: mpsc::Receiver<Note>,
    note: mpsc::Sender<Note>,
    /// Tells bots whether they may be matched with humans now.
    takes_on: watch::Sender<bool>,
    pending: JoinSet<Pending>,
    /// How often the lobby may ask for bots: anybody may. Further requests are not heard.
    requests: TokenBucket,
    /// Starts that were planned and not made yet.
    waiting: usize,
    next_start: Option<Instant>,
    /// Whether starts wait for bots to be gone.
    crowded: bool,
    /// Since when there are less than half as many active bots as there should be.
    short_since: Option<Instant>,
    /// Whether the last start failed because nobody of the roster was free.
    nobody_left: bool,
    ticks: u64,
    last_tick_ms: Option<u64>,
    /// When it tells how everything is, and when it did last.
    tell_at: Option<Instant>,
    told_at: Option<Instant>,
}

impl Manager {
    pub(crate) fn new(start: Start) -> Manager {
        let (note, notes) = mpsc::channel(NOTES);
        let ramp = Ramp::new(start.settings.stagger, start.settings.start == StartMode::Adaptive);
        let mut manager = Manager {
            began: Instant::now(),
            wishes: start.wishes.subscribe(),
            ramp,
            census: Census::default(),
            observer: None,
            fellows: None,
            is_alone: false,
            announce_at: None,
            announced_at: None,
            observe_at: None,
            lobby_known: false,
            running: Running::default(),
            bots: JoinSet::new(),
            notes,
            note,
            takes_on: watch::channel(true).0,
            pending: JoinSet::new(),
            requests: TokenBucket::new(REQUESTS_PER_SEC, REQUESTS_BURST),
            waiting: 0,
            next_start: None,
            crowded: false,
            short_since: None,
            nobody_left: false,
            ticks: 0,
            last_tick_ms: None,
            tell_at: None,
            told_at: None,
            start,
        };
        manager.observe();
        manager
    }

    /// Works until it is stopped; then all bots leave within the time that there is.
    pub(crate) async fn run(mut self) {
        let mut ticks =
            tokio::time::interval(self.start.settings.maintenance_every.max(Duration::from_millis(10)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut stop = self.start.stop.clone();
        self.tell();
        let by = loop {
            tokio::select! {
                by = ended(&mut stop) => break by,
                Ok(()) = self.wishes.changed() => self.tick(),
                event = lobby::next(&mut self.observer) => self.in_lobby(event),
                event = lobby::next(&mut self.fellows) => self.hear_fellows(event),
                () = crate::bot::at(self.observe_at) => self.observe(),
                () = crate::bot::at(self.announce_at) => self.announce(),
                Some(ended) = self.bots.join_next_with_id() => self.bot_ended(ended),
                Some(note) = self.notes.recv() => self.noted(&note),
                Some(request) = self.start.talks.recv() => self.talk(request),
                Some(pending) = self.pending.join_next() => talks::done(pending),
                Ok(()) = self.start.refusals.changed() => self.slow_down(),
                () = crate::bot::at(self.next_start) => self.start_one(),
                _ = ticks.tick() => self.tick(),
                () = crate::bot::at(self.tell_at) => {
                    self.tell();
                    continue;
                }
            }
            // At once, or a little later together with what happens until then: a report walks everything.
            let due = self.told_at.map_or_else(Instant::now, |told| told + TOLD_APART);
            self.tell_at.get_or_insert(due);
        };
        self.shut_down(by).await;
    }

    /// Looks at what is wanted and at what there is, and does what follows from it.
    fn tick(&mut self) {
        self.hear_lobby();
        self.ticks += 1;
        self.last_tick_ms = Some(self.start.around.monitor.now_ms());
        let wishes = *self.wishes.borrow_and_update();
        let takes_on = wishes.mode == Mode::Running;
        self.takes_on.send_if_modified(|told| std::mem::replace(told, takes_on) != takes_on);
        match wishes.mode {
            Mode::Running | Mode::Draining => self.carry_out_plan(wishes),
            // Nothing starts: what was planned is planned anew later.
            Mode::Paused | Mode::Stopping => self.waiting = 0,
        }
        let active = self.start.around.monitor.totals().active;
        let short = wishes.mode == Mode::Running && active * 2 < self.target(wishes);
        self.short_since = short.then(|| self.short_since.unwrap_or_else(Instant::now));
    }

    fn carry_out_plan(&mut self, wishes: Wishes) {
        self.give_way();
        let members = self.members();
        let plan = plan(self.target(wishes), self.waiting, &members);
        for id in &plan.bury {
            self.start.around.monitor.bot_gone(id);
        }
        let leave = Leave::within(self.start.settings.drain_deadline);
        for id in &plan.retire {
            self.retire(id, leave);
        }
        self.waiting -= plan.unstart;
        // Those that still leave count as well: there are never more than the most.
        let room = self.start.settings.max.saturating_sub(self.running.len() + self.waiting);
        self.crowded = plan.start > room;
        self.waiting += plan.start.min(room);
        self.plan_start();
        if wishes.mode == Mode::Draining && self.running.is_empty() {
            tracing::info!("all bots have left: paused");
            Wishes::drained(&self.start.wishes);
        }
    }

    fn target(&self, wishes: Wishes) -> usize {
        wishes.target(self.demand(), self.census.humans(self.own_bots()))
    }

    /// Why there are too few bots, once starts have had the time to change that.
    fn behind(&self) -> Option<String> {
        let target = self.target(*self.wishes.borrow());
        let gaps = self.ramp.gap(1.0).saturating_mul(u32::try_from(target).unwrap_or(u32::MAX));
        let late = self.short_since.is_some_and(|since| since.elapsed() > gaps.saturating_add(STARTS_TAKE));
        let active = self.start.around.monitor.totals().active;
        late.then(|| match self.nobody_left {
            true => format!("{active} of {target} bots are active, and the roster has no identity left"),
            false => format!("{active} of {target} bots are active: starts do not succeed"),
        })
    }

    fn demand(&self) -> Demand {
        let settings = &self.start.settings;
        Demand { min: settings.min, max: settings.max, percent: settings.target_percent }
    }

    /// Bots that have been in the lobby. Those that are on their way back count: the lobby still does not count them as
    /// humans, and an outage must not either.
    fn own_bots(&self) -> usize {
        self.start.around.monitor.came_in(&self.start.around.lobby)
    }

    fn members(&self) -> Vec<Member<Arc<str>>> {
        self.start.around.monitor.bots_now().into_iter().map(member).collect()
    }

    fn retire(&mut self, id: &str, leave: Leave) {
        if let Some(bot) = self.running.get(id) {
            bot.leave.send_replace(Some(leave));
            let talk = self.start.around.monitor.conversation_of(id);
            self.start.around.monitor.bot_is(id, BotState::Leaving, talk.as_deref());
        }
    }

    /// An identity that another run of the service shows as well belongs to the run whose name is the lesser one. Whoever
    /// leaves already keeps the deadline that it was given.
    fn give_way(&mut self) {
        if !matches!(self.wishes.borrow().mode, Mode::Running | Mode::Draining) {
            return;
        }
        let instance = self.start.around.instance.clone();
        let theirs = self.census.of_others(&instance).into_iter().filter(|(_, fleet)| *fleet < &*instance);
        let stays = |id: &str| self.running.get(id).is_some_and(|bot| bot.leave.borrow().is_none());
        let both: Vec<String> = theirs.map(|(id, _)| id.to_owned()).filter(|id| stays(id)).collect();
        for id in both {
            tracing::warn!(bot = id, "another run of the bot service has this bot too: it leaves here");
            self.retire(&id, Leave::within(self.start.settings.drain_deadline));
        }
    }

    /// Sees to it that the next start is made in its time.
    fn plan_start(&mut self) {
        if self.waiting == 0 {
            self.next_start = None;
        } else if self.next_start.is_none() {
            let now = Instant::now();
            let due = match self.running.last_start() {
                Some(last) => last + self.ramp.gap(fastrand::f64()),
                // The first one is made when it is known who is there already.
                None if !self.lobby_known => self.began + LOOKS_AROUND,
                None => now,
            };
            self.next_start = Some(due.max(now));
        }
    }

    fn start_one(&mut self) {
        self.next_start = None;
        if (self.start.halted)().is_some() || self.running.len() >= self.start.settings.max {
            // A tick plans it anew when there is reason to.
            self.waiting = 0;
            return;
        }
        let theirs: BTreeSet<&str> =
            self.census.of_others(&self.start.around.instance).into_iter().map(|(id, _)| id).collect();
        let running = &self.running;
        let taken = |id: &str| running.get(id).is_some() || theirs.contains(id);
        // Twice the most: as many may cool off as run.
        let most = self.start.settings.max.max(self.start.roster.given().len()) * 2;
        let Some(me) = self.start.roster.next(taken, most) else {
            self.waiting = 0;
            self.nobody_left = true;
            return;
        };
        self.nobody_left = false;
        self.waiting = self.waiting.saturating_sub(1);
        self.ramp.starting();
        self.running.start(me, &self.start.around, &self.note, &self.takes_on, &mut self.bots);
        self.announce_within(others::CHANGES);
        self.plan_start();
    }

    fn bot_ended(&mut self, ended: Result<(tokio::task::Id, BotEnd), JoinError>) {
        let (id, fault) = match ended {
            Ok((_, end)) => (Some(end.bot), end.fault),
            Err(error) => (self.running.of_task(error.id()), Some(running::crashed(&error))),
        };
        let Some(id) = id else { return };
        self.running.remove(&id);
        self.announce_within(others::CHANGES);
        match fault {
            None => self.start.around.monitor.bot_gone(&id),
            Some(fault) => {
                tracing::warn!(bot = %id, %fault, "a bot failed; another one takes its place");
                self.start.around.monitor.bot_crashed(&id, &fault);
                self.start.roster.cool_off(&id);
                self.ramp.refused(self.began.elapsed());
            }
        }
        let draining = self.wishes.borrow().mode == Mode::Draining;
        let stopping = self.wishes.borrow().mode == Mode::Stopping;
        if !stopping && self.crowded || (draining && self.running.is_empty()) {
            self.tick();
        }
    }

    fn noted(&mut self, note: &Note) {
        if let Note::Active { took, .. } = note {
            self.announce_within(others::CHANGES);
            self.ramp.active(*took, self.began.elapsed());
            // A gap that is shorter now holds for the start that waits, too.
            if let (Some(next), Some(last)) = (self.next_start, self.running.last_start()) {
                self.next_start = Some(next.min((last + self.ramp.gap(fastrand::f64())).max(Instant::now())));
            }
        }
    }

    fn slow_down(&mut self) {
        self.ramp.refused(self.began.elapsed());
        if self.next_start.is_some() {
            // However often it is refused, there is a start in each of the longest gaps: else nothing would ever be tried.
            let now = Instant::now();
            let latest = self.running.last_start().unwrap_or(self.began) + self.ramp.longest();
            self.next_start = Some((now + self.ramp.gap(fastrand::f64())).min(latest.max(now)));
        }
    }

    /// Looks at what waits to be heard: a tick plans for those who are there now.
    fn hear_lobby(&mut self) {
        for _ in 0..EVENTS {
            match lobby::next(&mut self.observer).now_or_never() {
                Some(event) => self.in_lobby(event),
                None => break,
            }
        }
        for _ in 0..EVENTS {
            match lobby::next(&mut self.fellows).now_or_never() {
                Some(event) => self.hear_fellows(event),
                None => break,
            }
        }
    }

    async fn shut_down(mut self, by: Instant) {
        let leave = Leave::now(by.saturating_duration_since(Instant::now()));
        for (id, bot) in self.running.iter() {
            bot.leave.send_replace(Some(leave));
            self.start.around.monitor.bot_is(id, BotState::Leaving, None);
        }
        self.waiting = 0;
        self.next_start = None;
        self.tell();
        let all = async {
            while let Some(ended) = self.bots.join_next_with_id().await {
                self.bot_ended(ended);
            }
        };
        let in_time = tokio::time::timeout_at(leave.by, all).await.is_ok();
        // Those that are left end now; their channels are left without waiting.
        self.bots.shutdown().await;
        self.pending.shutdown().await;
        if let Some(observer) = self.observer.take() {
            observer.leave(leave.by.saturating_duration_since(Instant::now())).await;
        }
        tracing::info!(in_time, "all bots have left");
    }

    fn tell(&mut self) {
        self.tell_at = None;
        self.told_at = Some(Instant::now());
        let own_bots = self.own_bots();
        let around = &self.start.around;
        let report = ManagerReport {
            starts_waiting: self.waiting,
            start_gap_ms: self.ramp.least().as_millis() as u64,
            ticks: self.ticks,
            last_tick_ms: self.last_tick_ms,
            behind: self.behind(),
            cooling: self.start.roster.cooling(),
            taken_elsewhere: self.census.of_others(&around.instance).len(),
            lobby: self.census.report(&around.lobby, &around.instance, own_bots),
            ..first_report(&self.start.settings)
        };
        self.start.told.send_replace(report);
    }
}

/// When everything is to have ended; never, as long as nobody wants it to.
async fn ended(stop: &mut watch::Receiver<Option<Instant>>) -> Instant {
    let by = stop.wait_for(Option::is_some).await.ok().and_then(|by| *by);
    match by {
        Some(by) => by,
        None => std::future::pending().await,
    }
}

/// What is told before anything has happened. Mode and target are filled in by whoever asks: they are what is wished for.
pub(crate) fn first_report(settings: &ManagerSettings) -> ManagerReport {
    ManagerReport {
        mode: Mode::Running,
        target: 0,
        pinned: None,
        min: settings.min,
        max: settings.max,
        target_percent: settings.target_percent,
        starts_waiting: 0,
        start_gap_ms: settings.stagger.0.as_millis() as u64,
        ticks: 0,
        last_tick_ms: None,
        maintenance_every_ms: settings.maintenance_every.as_millis() as u64,
        behind: None,
        cooling: 0,
        taken_elsewhere: 0,
        lobby: LobbyReport { topic: settings.lobby.clone(), ..LobbyReport::default() },
    }
}

fn member(bot: BotNow) -> Member<Arc<str>> {
    let doing = match (bot.told, bot.state) {
        (BotState::Failed, _) => Doing::Dead,
        (BotState::Leaving, _) => Doing::Leaving,
        (BotState::Talking, _) => Doing::Talking,
        (BotState::Idle, BotState::Idle) => Doing::Idle,
        _ => Doing::Coming,
    };
    Member { id: bot.id, doing, lasted: bot.lasted }
}

#[cfg(test)]
mod tests;
