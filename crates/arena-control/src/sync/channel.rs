//! One sync of one channel.

use crate::sync::{Nudges, SyncLog, SyncRecord};
use arena_core::admission::Op;
use arena_core::bot::{Bot, BotState};
use arena_core::channel::{ChannelName, Mode};
use arena_core::fault::HostFault;
use arena_core::player::Player;
use arena_core::sync::{DesiredBot, SyncPlan, after_failure};
use arena_core::{BotId, RetryPolicy, Timestamp, WorldId};
use arena_store::{ActivityDraft, Actor, Observation, OpError, Store, StoreError, now};
use arena_worlds::{Body, BodyKind, DiscoverError, Discovery, GuardedHost, JoinOutcome, last_positions};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;
use tokio::task::JoinSet;

/// Syncs channels. Takes no input but the channel's name: everything else is read afresh, so the first sync after a
/// crash is an ordinary one.
#[derive(Debug, Clone)]
pub(crate) struct Syncer {
    pub(crate) store: Store,
    pub(crate) host: GuardedHost,
    pub(crate) discovery: Discovery,
    pub(crate) nudges: Nudges,
    pub(crate) log: SyncLog,
    pub(crate) retry: RetryPolicy,
    pub(crate) max_deploys: usize,
}

/// How a sync went on from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// All done until somebody nudges.
    Rest,
    /// A back-off ends then.
    At(Timestamp),
    /// There is more to do.
    Now,
    /// The world ended under its hands; look for the next one.
    WorldGone,
    /// Something is in the way; try again after a delay.
    Failed,
}

/// Why a sync stopped. The bots keep waiting in the store; none is forgotten.
#[derive(Debug, thiserror::Error)]
pub(super) enum SyncError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Host(#[from] HostFault),
}

impl From<DiscoverError> for SyncError {
    fn from(error: DiscoverError) -> SyncError {
        match error {
            DiscoverError::Host(fault) => SyncError::Host(fault),
            DiscoverError::Store(error) => SyncError::Store(error),
        }
    }
}

/// What a sync did.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) deployed: u64,
    evicted: u64,
    wake_at: Option<Timestamp>,
    pub(super) again: bool,
    world_gone: bool,
    pub(super) trouble: Option<String>,
}

impl Done {
    fn wake_by(&mut self, at: Timestamp) {
        self.wake_at = Some(self.wake_at.map_or(at, |known| known.min(at)));
    }
}

impl Syncer {
    /// Syncs a channel, and remembers how it went.
    pub(crate) async fn sync(&self, channel: &ChannelName) -> Next {
        let started = Instant::now();
        let outcome = self.run(channel).await;
        let done = match outcome {
            Ok(None) => {
                self.log.forget(channel);
                return Next::Rest;
            }
            Ok(Some(done)) => done,
            Err(error) => {
                tracing::debug!(%channel, %error, "sync failed");
                Done { trouble: Some(error.to_string()), ..Done::default() }
            }
        };
        let ok = done.trouble.is_none();
        let record = SyncRecord { at: now(), duration: started.elapsed(), ok, trouble: done.trouble };
        self.log.add(channel, record, done.deployed, done.evicted);
        match done.wake_at {
            _ if !ok => Next::Failed,
            _ if done.world_gone => Next::WorldGone,
            _ if done.again => Next::Now,
            Some(at) => Next::At(at),
            None => Next::Rest,
        }
    }

    /// `None` if there is no such channel any more.
    async fn run(&self, channel: &ChannelName) -> Result<Option<Done>, SyncError> {
        let Some(row) = self.store.channel(channel).await? else {
            self.end_world_of(channel).await?;
            return Ok(None);
        };
        if row.channel.seats.mode == Mode::Draining && row.channel.seats.bots > 0 {
            self.drain(channel).await?;
        }
        let bots = self.store.bots_in(channel).await?;
        if bots.is_empty() && row.channel.seats.players == 0 && row.world.is_none() {
            return Ok(Some(Done::default()));
        }
        self.discovery.reconcile(channel, row.world.as_ref());
        let world = self.discovery.discover(channel).await?.world;
        match self.match_world(channel, &world, &bots).await {
            Err(SyncError::Host(HostFault::WorldGone)) => {
                self.forget_world(channel, &world).await?;
                Ok(Some(Done { world_gone: true, ..Done::default() }))
            }
            outcome => outcome.map(Some),
        }
    }

    async fn match_world(
        &self,
        channel: &ChannelName,
        world: &WorldId,
        bots: &[Bot],
    ) -> Result<Done, SyncError> {
        let residents = self.host.residents(world).await?;
        // Read after the residents: a seat is held before its body enters, so nobody who is there is missing here.
        let players = self.store.players_with_bodies(channel).await?;
        let desired: Vec<DesiredBot> = bots.iter().map(desired).collect();
        let bodies: BTreeMap<BotId, &Player> = players.iter().map(|p| (p.id.body(), p)).collect();
        let seated: BTreeSet<BotId> = bodies.keys().copied().collect();
        let plan = SyncPlan::new(world, &desired, &seated, &residents, now());
        let mut done = Done { wake_at: plan.wake_at, ..Done::default() };
        let by_id: BTreeMap<BotId, &Bot> = bots.iter().map(|bot| (bot.id, bot)).collect();

        self.evict(world, &plan.evict).await?;
        done.evicted = plan.evict.len() as u64;
        self.confirm(world, &plan, &by_id).await?;
        let missing: Vec<&Player> = plan.seat.iter().filter_map(|body| bodies.get(body).copied()).collect();
        self.seat(channel, world, &missing, &mut done).await?;
        // Those who come from another world last: theirs may not answer, and the others must not wait for it.
        let recalled: BTreeSet<BotId> = plan.recall.iter().map(|(_, bot)| *bot).collect();
        let (late, ready): (Vec<BotId>, Vec<BotId>) =
            plan.deploy.iter().partition(|bot| recalled.contains(bot));
        self.deploy(channel, world, &self.capped(&ready, &by_id, &mut done), &mut done).await?;
        let stuck = self.recall(&plan, &by_id, &mut done).await?;
        self.release(&plan, &by_id, &stuck).await?;
        let free: Vec<BotId> = late.into_iter().filter(|bot| !stuck.contains(bot)).collect();
        self.deploy(channel, world, &self.capped(&free, &by_id, &mut done), &mut done).await?;
        Ok(done)
    }

    /// As many as one sync may deploy at once.
    fn capped<'a>(&self, ids: &[BotId], bots: &BTreeMap<BotId, &'a Bot>, done: &mut Done) -> Vec<&'a Bot> {
        done.again |= ids.len() > self.max_deploys;
        ids.iter().take(self.max_deploys).filter_map(|bot| bots.get(bot).copied()).collect()
    }

    /// Removes bodies without an assignment here, through the engine.
    async fn evict(&self, world: &WorldId, ghosts: &[BotId]) -> Result<(), SyncError> {
        let ghosts_now: Vec<(BotId, Option<i64>)> = ghosts.iter().map(|bot| (*bot, None)).collect();
        self.host.leave(world, &ghosts_now).await?;
        Ok(self.store.forget_residents(world, ghosts).await?)
    }

    /// Calls bots out of the worlds they may still be in. Those whose world does not answer are stuck: they must not
    /// enter another one yet.
    async fn recall(
        &self,
        plan: &SyncPlan,
        bots: &BTreeMap<BotId, &Bot>,
        done: &mut Done,
    ) -> Result<BTreeSet<BotId>, SyncError> {
        let mut by_world: BTreeMap<&WorldId, Vec<(BotId, Option<i64>)>> = BTreeMap::new();
        for (world, bot) in &plan.recall {
            by_world.entry(world).or_default().push((*bot, bots.get(bot).map(|bot| bot.epoch)));
        }
        let mut calls = JoinSet::new();
        for (world, recalled) in by_world {
            let (host, world) = (self.host.clone(), world.clone());
            calls.spawn(async move {
                let outcome = host.leave(&world, &recalled).await;
                (world, recalled, outcome)
            });
        }
        let mut stuck = BTreeSet::new();
        while let Some(call) = calls.join_next().await {
            let (world, recalled, outcome) = call.map_err(|error| HostFault::transient(error.to_string()))?;
            let ids = recalled.iter().map(|(bot, _)| *bot);
            match outcome {
                Ok(()) => self.store.forget_residents(&world, &ids.collect::<Vec<_>>()).await?,
                Err(HostFault::WorldGone) => self.forget_other_world(&world).await?,
                Err(fault) => {
                    done.trouble = Some(format!("bots cannot be called out of world {world}: {fault}"));
                    stuck.extend(ids);
                }
            }
        }
        Ok(stuck)
    }

    /// Records disabled bots as out of every world.
    async fn release(
        &self,
        plan: &SyncPlan,
        bots: &BTreeMap<BotId, &Bot>,
        stuck: &BTreeSet<BotId>,
    ) -> Result<(), SyncError> {
        let free = plan.release.iter().filter(|bot| !stuck.contains(bot)).filter_map(|bot| bots.get(bot));
        let observed: Vec<_> = free.map(|bot| observation(bot, BotState::Disabled, None)).collect();
        self.store.record(&observed).await?;
        Ok(())
    }

    /// Records residents as live that are not yet.
    async fn confirm(
        &self,
        world: &WorldId,
        plan: &SyncPlan,
        bots: &BTreeMap<BotId, &Bot>,
    ) -> Result<(), SyncError> {
        let found = plan.confirm.iter().filter_map(|bot| bots.get(bot));
        let observed: Vec<_> = found.map(|bot| observation(bot, BotState::Live, Some(world))).collect();
        self.store.record(&observed).await?;
        Ok(())
    }

    /// Puts bots into the world. That they may be in it is recorded before, so that nothing is lost track of if we
    /// die in between; what became of it is recorded after, unless their assignment changed meanwhile.
    async fn deploy(
        &self,
        channel: &ChannelName,
        world: &WorldId,
        bots: &[&Bot],
        done: &mut Done,
    ) -> Result<(), SyncError> {
        if bots.is_empty() {
            return Ok(());
        }
        let intents: Vec<_> =
            bots.iter().map(|bot| observation(bot, BotState::Deploying, Some(world))).collect();
        let current = self.store.record(&intents).await?;
        let positions = last_positions(&self.store, channel).await?;
        let entering: BTreeMap<BotId, &Bot> =
            bots.iter().filter(|bot| current.contains(&bot.id)).map(|bot| (bot.id, *bot)).collect();
        let bodies = entering.values().map(|bot| body(bot, positions.get(&bot.id).copied())).collect();
        let outcomes = match self.join(world, bodies).await {
            Ok(outcomes) => outcomes,
            Err(fault) => {
                // Nobody's fault but the host's: no attempt is counted, and those that failed before are not forgiven.
                let waiting: Vec<_> = entering.values().map(|bot| waiting(bot, world)).collect();
                self.store.record(&waiting).await?;
                return Err(fault.into());
            }
        };
        let observed = self.judge(world, &entering, &outcomes, done);
        let recorded = self.store.record(&observed).await?;
        let moved: Vec<BotId> =
            observed.iter().map(|seen| seen.bot).filter(|bot| !recorded.contains(bot)).collect();
        self.evict(world, &moved).await?;
        self.log_failures(channel, &observed).await?;
        Ok(())
    }

    /// Lets bodies in, and looks whether they are there: a host's word alone does not make a bot live.
    async fn join(
        &self,
        world: &WorldId,
        bodies: Vec<Body>,
    ) -> Result<BTreeMap<BotId, Result<(), HostFault>>, HostFault> {
        let outcomes = self.host.join(world, bodies).await?;
        let residents = self.host.residents(world).await?;
        let seen = |(bot, outcome): JoinOutcome| match outcome {
            Ok(()) if !residents.contains(&bot) => {
                (bot, Err(HostFault::transient("the world host let it in, but it is not there")))
            }
            outcome => (bot, outcome),
        };
        Ok(outcomes.into_iter().map(seen).collect())
    }

    /// What each outcome means for the bot. An outage of a single bot's deployment counts as an attempt; one of the
    /// whole call does not get here.
    fn judge(
        &self,
        world: &WorldId,
        bots: &BTreeMap<BotId, &Bot>,
        outcomes: &BTreeMap<BotId, Result<(), HostFault>>,
        done: &mut Done,
    ) -> Vec<Observation> {
        let silence = || HostFault::transient("the world host did not say what became of it");
        let mut observed = Vec::with_capacity(bots.len());
        for (id, bot) in bots {
            let outcome = outcomes.get(id).cloned().unwrap_or_else(|| Err(silence()));
            observed.push(match outcome {
                Ok(()) => {
                    done.deployed += 1;
                    observation(bot, BotState::Live, Some(world))
                }
                Err(fault) => {
                    let attempt = bot.state.attempts() + 1;
                    let state = after_failure(&fault, attempt, &self.retry, now(), unit());
                    if let BotState::Backoff { until, .. } = &state {
                        done.wake_by(*until);
                    }
                    // Only a refusal is certain that it has no body there.
                    let refused = matches!(fault, HostFault::Refused { .. });
                    observation(bot, state, (!refused).then_some(world))
                }
            });
        }
        observed
    }

    async fn log_failures(&self, channel: &ChannelName, observed: &[Observation]) -> Result<(), SyncError> {
        let failed = |seen: &Observation| match &seen.state {
            BotState::Failed { reason } => Some(ActivityDraft {
                actor: Actor::system(),
                action: "bot.failed",
                bot: Some(seen.bot),
                channel: Some(channel.clone()),
                detail: serde_json::json!({ "reason": reason }),
            }),
            _ => None,
        };
        let drafts: Vec<ActivityDraft> = observed.iter().filter_map(failed).collect();
        if !drafts.is_empty() {
            self.store.log(&drafts).await?;
        }
        Ok(())
    }

    /// Moves out what is left in a draining channel.
    async fn drain(&self, channel: &ChannelName) -> Result<(), SyncError> {
        let op = Op::Configure { channel: channel.clone(), max_bots: None, mode: Some(Mode::Draining) };
        match self.store.carry_out(&Actor::system(), op).await {
            Ok(applied) => {
                self.nudges.nudge(applied.touched().filter(|touched| *touched != channel));
                Ok(())
            }
            // The operator decides what gives: until then the bots live on where they are.
            Err(OpError::Refused(refused)) => {
                tracing::warn!(%channel, %refused, "a draining channel cannot be emptied");
                Ok(())
            }
            Err(OpError::Store(error)) => Err(error.into()),
        }
    }

    async fn forget_world(&self, channel: &ChannelName, world: &WorldId) -> Result<(), SyncError> {
        self.discovery.invalidate(channel, world);
        let waiting = self.store.clear_world(world).await?;
        tracing::info!(%channel, %world, waiting, "world gone, its bots wait for the next one");
        Ok(())
    }

    /// The same for a world that bots were called out of.
    async fn forget_other_world(&self, world: &WorldId) -> Result<(), SyncError> {
        self.store.clear_world(world).await?;
        self.nudges.nudge(&self.discovery.invalidate_world(world));
        Ok(())
    }

    /// Ends the world of a channel that was deleted.
    async fn end_world_of(&self, channel: &ChannelName) -> Result<(), SyncError> {
        self.discovery.forget(channel);
        if let Some(hosted) = self.host.find(channel).await? {
            self.host.destroy(&hosted.world).await?;
            self.store.clear_world(&hosted.world).await?;
        }
        Ok(())
    }
}

fn desired(bot: &Bot) -> DesiredBot {
    DesiredBot { bot: bot.id, epoch: bot.epoch, state: bot.state.clone(), world: bot.world.clone() }
}

fn observation(bot: &Bot, state: BotState, world: Option<&WorldId>) -> Observation {
    Observation { bot: bot.id, epoch: bot.epoch, state, world: world.cloned() }
}

/// A bot that was about to enter a world and may be there, as it was before.
fn waiting(bot: &Bot, world: &WorldId) -> Observation {
    let state = match &bot.state {
        state @ BotState::Backoff { .. } => state.clone(),
        _ => BotState::Pending,
    };
    observation(bot, state, Some(world))
}

fn body(bot: &Bot, position: Option<(u16, u16)>) -> Body {
    Body {
        bot: bot.id,
        kind: BodyKind::Bot,
        epoch: bot.epoch,
        name: bot.profile.name.clone(),
        home_zone: bot.profile.home_zone.clone(),
        traits: bot.profile.traits.clone(),
        position,
    }
}

/// A random number in 0..1.
pub(crate) fn unit() -> f64 {
    f64::from(uuid::Uuid::new_v4().as_fields().0) / f64::from(u32::MAX)
}
