//! What one sync of a channel has to do: desired state against what its world reports.

use crate::bot::BotState;
use crate::fault::HostFault;
use crate::ids::{BotId, WorldId};
use crate::retry::RetryPolicy;
use crate::time::Timestamp;
use std::collections::BTreeSet;

/// A bot that is assigned to the channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredBot {
    /// Which.
    pub bot: BotId,
    /// The epoch of its assignment.
    pub epoch: i64,
    /// How far it is, as far as is recorded.
    pub state: BotState,
    /// The world it may be a resident of, as far as is recorded.
    pub world: Option<WorldId>,
}

/// What to do, in this order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SyncPlan {
    /// Residents without an assignment here (or disabled): to be removed through the engine.
    pub evict: Vec<BotId>,
    /// Bots that may still have a body in another world: to be removed there before they may enter this one.
    pub recall: Vec<(WorldId, BotId)>,
    /// Bots to put into the world.
    pub deploy: Vec<BotId>,
    /// Bodies of players to put into the world.
    pub seat: Vec<BotId>,
    /// Bots that are residents already and have to be recorded as live.
    pub confirm: Vec<BotId>,
    /// Disabled bots that left the world and have to be recorded as out of it.
    pub release: Vec<BotId>,
    /// When the next back-off of this channel ends.
    pub wake_at: Option<Timestamp>,
}

impl SyncPlan {
    /// Compares the bots assigned to a channel, and the bodies of the `players` who sit there, with the residents of
    /// its world `world`. How many of them are deployed
    /// at once is up to whoever carries the plan out.
    pub fn new(
        world: &WorldId,
        desired: &[DesiredBot],
        players: &BTreeSet<BotId>,
        residents: &BTreeSet<BotId>,
        now: Timestamp,
    ) -> SyncPlan {
        let mut plan = SyncPlan::default();
        let assigned: BTreeSet<BotId> =
            desired.iter().map(|d| d.bot).chain(players.iter().copied()).collect();
        plan.evict.extend(residents.difference(&assigned));
        plan.seat.extend(players.difference(residents));
        for bot in desired {
            plan.consider(bot, world, residents.contains(&bot.bot), now);
        }
        plan
    }

    fn consider(&mut self, bot: &DesiredBot, world: &WorldId, resident: bool, now: Timestamp) {
        let elsewhere = bot.world.clone().filter(|w| w != world);
        match (&bot.state, resident) {
            (BotState::Disabled, true) => self.evict.push(bot.bot),
            (BotState::Disabled, false) if bot.world.is_some() => {
                self.recall.extend(elsewhere.map(|w| (w, bot.bot)));
                self.release.push(bot.bot);
            }
            (BotState::Disabled, false) | (BotState::Failed { .. }, false) => {}
            (BotState::Live, true) if bot.world.as_ref() == Some(world) => {}
            (_, true) => self.confirm.push(bot.bot),
            (BotState::Backoff { until, .. }, false) if *until > now => {
                self.wake_at = Some(self.wake_at.map_or(*until, |at| at.min(*until)));
            }
            (_, false) => {
                self.recall.extend(elsewhere.map(|w| (w, bot.bot)));
                self.deploy.push(bot.bot);
            }
        }
    }
}

/// The state a bot is in after attempt number `attempt` to deploy it failed. `unit` is a random number in 0..1.
pub fn after_failure(
    fault: &HostFault,
    attempt: u32,
    policy: &RetryPolicy,
    now: Timestamp,
    unit: f64,
) -> BotState {
    let reason = fault.to_string();
    let final_refusal = matches!(fault, HostFault::Refused { retryable: false, .. });
    match policy.delay_after(attempt, unit).filter(|_| !final_refusal) {
        Some(delay) => BotState::Backoff { until: now.after(delay), attempt, reason },
        None => BotState::Failed { reason: format!("{reason} (after {attempt} attempts)") },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn id(n: u128) -> BotId {
        BotId(Uuid::from_u128(n))
    }

    fn desired(n: u128, state: BotState, world: Option<&str>) -> DesiredBot {
        DesiredBot { bot: id(n), epoch: 1, state, world: world.map(|w| w.parse().unwrap()) }
    }

    fn backoff(until: i64) -> BotState {
        BotState::Backoff { until: Timestamp(until), attempt: 1, reason: String::new() }
    }

    fn plan(desired: &[DesiredBot], residents: &[u128]) -> SyncPlan {
        let residents = residents.iter().map(|n| id(*n)).collect();
        SyncPlan::new(&"here".parse().unwrap(), desired, &BTreeSet::new(), &residents, Timestamp(100))
    }

    #[test]
    fn players_who_are_missing_are_seated_and_those_who_are_there_stay() {
        let (players, residents) = ([id(1), id(2)].into(), [id(2), id(3)].into());
        let plan = SyncPlan::new(&"here".parse().unwrap(), &[], &players, &residents, Timestamp(100));
        assert_eq!((plan.seat, plan.evict, plan.deploy), (vec![id(1)], vec![id(3)], vec![]));
    }

    #[test]
    fn who_is_missing_is_deployed_and_who_is_too_many_is_evicted() {
        let plan =
            plan(&[desired(1, BotState::Pending, None), desired(2, BotState::Live, Some("here"))], &[2, 9]);
        assert_eq!((plan.deploy, plan.evict, plan.confirm), (vec![id(1)], vec![id(9)], vec![]));
    }

    #[test]
    fn a_resident_whose_record_names_no_world_is_confirmed() {
        assert_eq!(plan(&[desired(1, BotState::Live, None)], &[1]).confirm, [id(1)]);
        assert_eq!(plan(&[desired(1, BotState::Live, Some("here"))], &[1]), SyncPlan::default());
    }

    #[test]
    fn a_lost_body_is_deployed_again() {
        assert_eq!(plan(&[desired(1, BotState::Live, Some("here"))], &[]).deploy, [id(1)]);
        assert_eq!(plan(&[desired(1, BotState::Deploying, Some("here"))], &[]).deploy, [id(1)]);
    }

    #[test]
    fn a_bot_is_recalled_from_its_old_world_before_it_enters_this_one() {
        let plan = plan(&[desired(1, BotState::Pending, Some("there"))], &[]);
        assert_eq!(plan.recall, [("there".parse().unwrap(), id(1))]);
        assert_eq!(plan.deploy, [id(1)]);
    }

    #[test]
    fn backoff_waits_and_wakes_at_the_earliest() {
        let plan = plan(
            &[desired(1, backoff(300), None), desired(2, backoff(200), None), desired(3, backoff(100), None)],
            &[],
        );
        assert_eq!((plan.deploy, plan.wake_at), (vec![id(3)], Some(Timestamp(200))));
    }

    #[test]
    fn failed_and_disabled_bots_stay_out() {
        let failed = BotState::Failed { reason: String::new() };
        let plan = plan(&[desired(1, failed, None), desired(2, BotState::Disabled, Some("here"))], &[2]);
        assert_eq!((plan.deploy, plan.evict), (vec![], vec![id(2)]));
    }

    #[test]
    fn only_retryable_faults_are_tried_again_and_not_for_ever() {
        let policy = RetryPolicy::default();
        let full = HostFault::Refused { code: "world_full", detail: "full".into(), retryable: true };
        assert!(matches!(
            after_failure(&full, 1, &policy, Timestamp(0), 0.0),
            BotState::Backoff { until: Timestamp(2_000), .. }
        ));
        assert!(matches!(after_failure(&full, 10, &policy, Timestamp(0), 0.0), BotState::Failed { .. }));
        let denied = HostFault::from_http_status(403, "denied");
        assert!(matches!(after_failure(&denied, 1, &policy, Timestamp(0), 0.0), BotState::Failed { .. }));
    }
}
