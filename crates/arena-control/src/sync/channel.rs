//! One sync of one channel.

use crate::sync::{Nudges, SyncLog, SyncRecord};
use arena_core::admission::Op;
use arena_core::bot::{Bot, BotState};
use arena_core::channel::{ChannelName, Mode};
use arena_core::fault::HostFault;
use arena_core::sync::{DesiredBot, SyncPlan, after_failure};
use arena_core::{BotId, RetryPolicy, Timestamp, WorldId};
use arena_store::{ActivityDraft, Actor, Observation, OpError, Store, StoreError, now};
use arena_worlds::{Body, DiscoverError, Discovery, GuardedHost, JoinOutcome, last_positions};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

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
    /// Something is in the way; try again after a delay.
    Failed,
}

/// Why a sync stopped. The bots keep waiting in the store; none is forgotten.
#[derive(Debug, thiserror::Error)]
enum SyncError {
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
struct Done {
    deployed: u64,
    evicted: u64,
    wake_at: Option<Timestamp>,
    again: bool,
    trouble: Option<String>,
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
        match (ok, done.again, done.wake_at) {
            (false, _, _) => Next::Failed,
            (true, true, _) => Next::Now,
            (true, false, Some(at)) => Next::At(at),
            (true, false, None) => Next::Rest,
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
        if bots.is_empty() && row.world.is_none() {
            return Ok(Some(Done::default()));
        }
        let world = self.discovery.discover(channel).await?.world;
        match self.match_world(channel, &world, &bots).await {
            Err(SyncError::Host(HostFault::WorldGone)) => {
                self.forget_world(channel, &world).await?;
                Ok(Some(Done { again: true, ..Done::default() }))
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
        let desired: Vec<DesiredBot> = bots.iter().map(desired).collect();
        let plan = SyncPlan::new(world, &desired, &residents, now(), self.max_deploys);
        let mut done = Done { wake_at: plan.wake_at, again: plan.capped, ..Done::default() };
        let by_id: BTreeMap<BotId, &Bot> = bots.iter().map(|bot| (bot.id, bot)).collect();

        self.evict(world, &plan.evict).await?;
        done.evicted = plan.evict.len() as u64;
        let stuck = self.recall(&plan, &by_id, &mut done).await?;
        self.release(&plan, &by_id, &stuck).await?;
        self.confirm(world, &plan, &by_id).await?;
        let deploy: Vec<&Bot> = plan
            .deploy
            .iter()
            .filter(|bot| !stuck.contains(bot))
            .filter_map(|bot| by_id.get(bot).copied())
            .collect();
        self.deploy(channel, world, &deploy, &mut done).await?;
        Ok(done)
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
        let mut stuck = BTreeSet::new();
        for (world, recalled) in by_world {
            match self.host.leave(world, &recalled).await {
                Ok(()) => {
                    let ids: Vec<BotId> = recalled.iter().map(|(bot, _)| *bot).collect();
                    self.store.forget_residents(world, &ids).await?;
                }
                Err(HostFault::WorldGone) => {
                    self.store.clear_world(world).await?;
                }
                Err(fault) => {
                    done.trouble = Some(format!("bots cannot be called out of world {world}: {fault}"));
                    stuck.extend(recalled.iter().map(|(bot, _)| *bot));
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
        let outcomes = self.host.join(world, bodies).await?;
        let observed = self.judge(world, &entering, outcomes, done);
        let recorded = self.store.record(&observed).await?;
        let moved: Vec<BotId> =
            observed.iter().map(|seen| seen.bot).filter(|bot| !recorded.contains(bot)).collect();
        self.evict(world, &moved).await?;
        self.log_failures(channel, &observed).await?;
        Ok(())
    }

    /// What each outcome means for the bot. An outage of a single bot's deployment counts as an attempt; one of the
    /// whole call does not get here.
    fn judge(
        &self,
        world: &WorldId,
        bots: &BTreeMap<BotId, &Bot>,
        outcomes: Vec<JoinOutcome>,
        done: &mut Done,
    ) -> Vec<Observation> {
        let mut observed = Vec::with_capacity(outcomes.len());
        for (bot, outcome) in outcomes {
            let Some(bot) = bots.get(&bot) else { continue };
            observed.push(match outcome {
                Ok(()) => {
                    done.deployed += 1;
                    observation(bot, BotState::Live, Some(world))
                }
                Err(fault) => {
                    let attempt = bot.state.attempts() + 1;
                    let state = after_failure(&fault, attempt, &self.retry, now(), unit());
                    if let BotState::Backoff { until, .. } = &state {
                        done.wake_at = Some(done.wake_at.map_or(*until, |at| at.min(*until)));
                    }
                    observation(bot, state, None)
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

fn body(bot: &Bot, position: Option<(u16, u16)>) -> Body {
    Body {
        bot: bot.id,
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
