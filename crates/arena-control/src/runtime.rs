//! Starting and stopping: the services, the loops, and what they share.

use crate::activity::ActivityLog;
use crate::bots::Bots;
use crate::channels::Channels;
use crate::committer::{Committer, committer};
use crate::conversations::{Conversations, conversations};
use crate::error::ServiceError;
use crate::health::Health;
use crate::housekeeping;
use crate::idempotency::Idempotency;
use crate::matchmaking::{Matchmaking, matchmaking};
use crate::players::{EVENTS, PlayerEvent, Players};
use crate::settings::ControlSettings;
use crate::sync::{Nudges, Scheduler, SyncLog, Syncer};
use crate::worlds::Worlds;
use arena_bus::Bus;
use arena_core::admission::{AdmitError, Applied, Op};
use arena_core::bot::Bot;
use arena_core::channel::ChannelName;
use arena_core::{BotId, Metadata};
use arena_store::{ActivityDraft, Actor, Enrolled, NewBot, Order, Store, now};
use arena_worlds::{Discovery, DiscoverySettings, GuardedHost, WorldHost};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OnceCell, broadcast};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Every service. Clones share everything.
#[derive(Debug, Clone)]
pub struct Services {
    /// Channels.
    pub channels: Channels,
    /// Bots.
    pub bots: Bots,
    /// Players.
    pub players: Players,
    /// Worlds.
    pub worlds: Worlds,
    /// Health.
    pub health: Health,
    /// Conversations.
    pub conversations: Conversations,
    /// Matchmaking.
    pub matchmaking: Matchmaking,
    /// The activity log.
    pub activity: ActivityLog,
    /// Idempotency keys.
    pub idempotency: Idempotency,
}

/// What the services and loops share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) host: GuardedHost,
    pub(crate) discovery: Discovery,
    pub(crate) nudges: Nudges,
    pub(crate) log: SyncLog,
    pub(crate) settings: ControlSettings,
    pub(crate) stop: CancellationToken,
    pub(crate) player_events: broadcast::Sender<PlayerEvent>,
    committer: Committer,
    /// Set once the seats are left that sessions of an earlier process held.
    lost_seats_left: OnceCell<()>,
}

impl Shared {
    /// Carries out an operation and wakes the syncs that it concerns.
    pub(crate) async fn carry_out(&self, actor: &Actor, op: Op) -> Result<Applied, ServiceError> {
        Ok(self.committer.carry_out(Order::new(actor, op)).await?.applied)
    }

    /// The same for an operation on a single bot; returns the bot as it is then.
    pub(crate) async fn carry_out_for(&self, actor: &Actor, bot: BotId, op: Op) -> Result<Bot, ServiceError> {
        match self.committer.carry_out(Order::new(actor, op)).await?.bot {
            Some(bot) => Ok(bot),
            None => self.bot(bot).await,
        }
    }

    /// A bot by its id.
    pub(crate) async fn bot(&self, bot: BotId) -> Result<Bot, ServiceError> {
        self.store.bot(bot).await?.ok_or_else(|| AdmitError::BotNotFound(bot).into())
    }

    /// The same for an operation that opens or configures a channel, and gives it metadata.
    pub(crate) async fn carry_out_with(
        &self,
        actor: &Actor,
        op: Op,
        metadata: Option<Metadata>,
    ) -> Result<Applied, ServiceError> {
        Ok(self.committer.carry_out(Order { metadata, ..Order::new(actor, op) }).await?.applied)
    }

    /// Stores new bots and wakes the syncs of every channel they may be in.
    pub(crate) async fn enroll(&self, actor: &Actor, bots: &[NewBot]) -> Result<Enrolled, ServiceError> {
        let enrolled = self.store.enroll(actor, bots).await?;
        self.nudges.nudge(&enrolled.touched);
        Ok(enrolled)
    }

    /// Leaves the seats that are held by sessions of an earlier process, which is gone: once, before the first session
    /// of this one may hold any.
    pub(crate) async fn leave_lost_seats(&self) -> Result<(), ServiceError> {
        let leave = async || {
            let until = now().after(self.settings.players.grace);
            self.store.leave_all_seats(until).await.map(drop)
        };
        self.lost_seats_left.get_or_try_init(leave).await?;
        Ok(())
    }

    /// Writes one line of the activity log.
    pub(crate) async fn note(
        &self,
        actor: &Actor,
        action: &'static str,
        bot: Option<BotId>,
        channel: Option<&ChannelName>,
    ) -> Result<(), ServiceError> {
        let detail = serde_json::json!({});
        let draft = ActivityDraft { actor: actor.clone(), action, bot, channel: channel.cloned(), detail };
        Ok(self.store.log(&[draft]).await?)
    }
}

/// The running control plane of one process.
#[derive(Debug)]
pub struct Control {
    services: Services,
    stop: CancellationToken,
    /// Ends the loops wherever they are.
    kill: CancellationToken,
    tasks: TaskTracker,
}

impl Control {
    /// Starts the loops over a store and a world host; conversations and tickets are told on `bus`. The first sweep follows at once: after a crash, everything
    /// that was left undone is found there.
    pub fn start(store: Store, host: Arc<dyn WorldHost>, bus: Bus, settings: ControlSettings) -> Control {
        let stop = CancellationToken::new();
        let (conversations, talk) =
            conversations(store.clone(), bus.clone(), settings.conversations.clone(), &stop);
        let host = GuardedHost::new(host, settings.host_timeout);
        let cache = DiscoverySettings { cache_ttl: settings.cache_ttl };
        let nudges = Nudges::default();
        let player_events = broadcast::Sender::new(EVENTS);
        let (committer, commits) =
            committer(store.clone(), nudges.clone(), player_events.clone(), settings.max_queue);
        let shared = Arc::new(Shared {
            discovery: Discovery::new(store.clone(), host.clone(), cache),
            nudges,
            log: SyncLog::default(),
            stop: stop.clone(),
            player_events,
            committer,
            lost_seats_left: OnceCell::new(),
            store,
            host,
            settings,
        });
        let (matchmaking, matching) = matchmaking(
            shared.store.clone(),
            bus,
            conversations.clone(),
            Channels { shared: Arc::clone(&shared) },
            shared.settings.matchmaking.clone(),
            &stop,
        );
        let syncer = Syncer {
            store: shared.store.clone(),
            host: shared.host.clone(),
            discovery: shared.discovery.clone(),
            nudges: shared.nudges.clone(),
            log: shared.log.clone(),
            retry: shared.settings.retry,
            max_deploys: shared.settings.max_deploys_per_run,
        };
        let settings = &shared.settings;
        let scheduler = Scheduler::new(syncer, settings.sync_concurrency, settings.sync_every);
        // Listened to before the first sweep, so that no end of a world falls between the two.
        let events = shared.host.events();
        let (tasks, kill) = (TaskTracker::new(), CancellationToken::new());
        let share = || (Arc::clone(&shared), stop.clone());
        let (watched, token) = share();
        tasks.spawn(
            kill.clone().run_until_cancelled_owned(housekeeping::watch_worlds(watched, events, token)),
        );
        let (kept, token) = share();
        tasks.spawn(kill.clone().run_until_cancelled_owned(housekeeping::keep_positions(kept, token)));
        let (swept, token) = share();
        tasks.spawn(kill.clone().run_until_cancelled_owned(housekeeping::sweep(swept, token)));
        let (expiring, token) = share();
        tasks.spawn(kill.clone().run_until_cancelled_owned(housekeeping::expire(expiring, token)));
        let (moved, token) = share();
        tasks.spawn(kill.clone().run_until_cancelled_owned(housekeeping::move_wal(moved, token)));
        let (freeing, token) = share();
        tasks.spawn(kill.clone().run_until_cancelled_owned(housekeeping::free_seats(freeing, token)));
        tasks.spawn(kill.clone().run_until_cancelled_owned(scheduler.run(stop.clone())));
        tasks.spawn(kill.clone().run_until_cancelled_owned(commits.run(stop.clone())));
        tasks.spawn(kill.clone().run_until_cancelled_owned(talk));
        matching.spawn(&tasks, &kill);
        Control { services: Services::over(&shared, conversations, matchmaking), stop, kill, tasks }
    }

    /// The doors to everything that runs here.
    pub fn services(&self) -> Services {
        self.services.clone()
    }

    /// Stops the loops, lets what they have begun come to its end, saves positions once more. What is not done after
    /// `deadline` is broken off. Returns whether it was in time. The world host has to be running still.
    pub async fn shutdown(self, deadline: Duration) -> bool {
        self.stop.cancel();
        self.tasks.close();
        let in_time = tokio::time::timeout(deadline, self.tasks.wait()).await.is_ok();
        self.kill.cancel();
        self.tasks.wait().await;
        in_time
    }
}

impl Drop for Control {
    /// Without a shutdown everything is broken off, as by a crash.
    fn drop(&mut self) {
        self.stop.cancel();
        self.kill.cancel();
    }
}

impl Services {
    fn over(shared: &Arc<Shared>, conversations: Conversations, matchmaking: Matchmaking) -> Services {
        let share = || Arc::clone(shared);
        Services {
            channels: Channels { shared: share() },
            bots: Bots { shared: share() },
            players: Players { shared: share() },
            worlds: Worlds { shared: share() },
            health: Health { shared: share() },
            conversations,
            matchmaking,
            activity: ActivityLog { shared: share() },
            idempotency: Idempotency { shared: share() },
        }
    }
}
