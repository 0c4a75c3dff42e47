//! How many bots there should be, which start and which stop, and which of them gets a talk.

use std::collections::BTreeSet;
use std::time::Duration;

/// How many bots are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    /// Bots when nobody is there.
    pub min: usize,
    /// Bots at most.
    pub max: usize,
    /// Bots for each hundred humans.
    pub percent: u32,
}

impl Demand {
    /// `clamp(ceil(humans × percent / 100), min, max)`; a least number above the greatest gives way.
    pub fn target(self, humans: usize) -> usize {
        let wanted = (humans as u128 * u128::from(self.percent)).div_ceil(100);
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
        wanted.max(self.min).min(self.max)
    }
}

/// What a bot is doing, as far as plans care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// It was started and is not there yet, or has lost its way back in.
    Coming,
    /// It has nobody to talk to.
    Idle,
    /// It talks.
    Talking,
    /// It was told to leave.
    Leaving,
    /// It failed.
    Dead,
}

/// A bot, as a plan sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member<I> {
    /// Which.
    pub id: I,
    /// What it does.
    pub doing: Doing,
    /// For how long.
    pub lasted: Duration,
}

/// What is to be done in a tick. Applied as a whole, it leads to the target: the next tick, with nothing changed in
/// between, plans nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan<I> {
    /// Bots to start.
    pub start: usize,
    /// Starts to take back that were planned and not made.
    pub unstart: usize,
    /// Bots that are told to leave, in this order.
    pub retire: Vec<I>,
    /// Dead bots to be cleared away; their places are in `start`, where they are still wanted.
    pub bury: Vec<I>,
}

/// Plans a tick: `waiting` starts were planned before and not made yet, and count as bots; so do those that are coming.
/// Those that leave and those that are dead do not. Too many: starts are taken back first, then those leave that are
/// not there yet, then idle ones, and only then talkers, who may finish; among equals, whoever has been at it longest.
pub fn plan<I: Clone + Ord>(target: usize, waiting: usize, members: &[Member<I>]) -> Plan<I> {
    let bury = members.iter().filter(|m| m.doing == Doing::Dead).map(|m| m.id.clone()).collect();
    let mut staying: Vec<&Member<I>> =
        members.iter().filter(|m| !matches!(m.doing, Doing::Dead | Doing::Leaving)).collect();
    let have = staying.len() + waiting;
    let excess = have.saturating_sub(target);
    let unstart = excess.min(waiting);
    staying.sort_by(|a, b| leaving_order(a).cmp(&leaving_order(b)).then_with(|| a.id.cmp(&b.id)));
    let retire = staying.iter().take(excess - unstart).map(|m| m.id.clone()).collect();
    Plan { start: target.saturating_sub(have), unstart, retire, bury }
}

fn leaving_order<I>(member: &Member<I>) -> (u8, std::cmp::Reverse<Duration>) {
    let rank = match member.doing {
        Doing::Coming => 0,
        Doing::Idle => 1,
        Doing::Talking | Doing::Leaving | Doing::Dead => 2,
    };
    (rank, std::cmp::Reverse(member.lasted))
}

/// Chooses the bot for a talk: the one that was asked for, if it is idle; if none was named, the one that has been idle
/// for longest. `None` where there is none.
pub fn for_talk<'a, I: Ord>(members: &'a [Member<I>], asked: Option<&I>) -> Option<&'a I> {
    let idle = members.iter().filter(|m| m.doing == Doing::Idle);
    match asked {
        Some(id) => idle.map(|m| &m.id).find(|found| *found == id),
        None => idle.max_by(|a, b| a.lasted.cmp(&b.lasted).then_with(|| b.id.cmp(&a.id))).map(|m| &m.id),
    }
}

/// Chooses who is started: the first of the roster, in its order, that nobody runs.
pub fn to_start<'a, I: Ord>(
    roster: impl IntoIterator<Item = &'a I>,
    taken: &BTreeSet<I>,
    count: usize,
) -> Vec<&'a I> {
    roster.into_iter().filter(|id| !taken.contains(id)).take(count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DEMAND: Demand = Demand { min: 3, max: 15, percent: 30 };

    fn member(id: usize, doing: Doing, secs: u64) -> Member<usize> {
        Member { id, doing, lasted: Duration::from_secs(secs) }
    }

    fn doings() -> impl Strategy<Value = Doing> {
        prop_oneof![
            Just(Doing::Coming),
            Just(Doing::Idle),
            Just(Doing::Talking),
            Just(Doing::Leaving),
            Just(Doing::Dead)
        ]
    }

    fn members() -> impl Strategy<Value = Vec<Member<usize>>> {
        proptest::collection::vec((doings(), 0u64..100), 0..40).prop_map(|all| {
            all.into_iter().enumerate().map(|(id, (doing, secs))| member(id, doing, secs)).collect()
        })
    }

    /// What the members are like once the plan was carried out: starts wait, the dead are gone.
    fn carry_out(
        plan: &Plan<usize>,
        waiting: usize,
        members: &[Member<usize>],
    ) -> (usize, Vec<Member<usize>>) {
        let mut after = members.to_vec();
        after.retain(|m| !plan.bury.contains(&m.id));
        for m in &mut after {
            if plan.retire.contains(&m.id) {
                m.doing = Doing::Leaving;
            }
        }
        (waiting + plan.start - plan.unstart, after)
    }

    #[test]
    fn the_target_follows_the_humans_between_its_bounds() {
        let table =
            [(0, 3), (1, 3), (10, 3), (11, 4), (20, 6), (49, 15), (50, 15), (51, 15), (usize::MAX, 15)];
        for (humans, target) in table {
            assert_eq!(DEMAND.target(humans), target, "{humans} humans");
        }
    }

    #[test]
    fn a_least_number_above_the_greatest_gives_way() {
        assert_eq!(Demand { min: 20, max: 5, percent: 30 }.target(0), 5);
    }

    #[test]
    fn too_many_bots_leave_in_the_order_of_what_they_would_be_missed_for() {
        let members = [
            member(1, Doing::Talking, 90),
            member(2, Doing::Idle, 10),
            member(3, Doing::Idle, 20),
            member(4, Doing::Coming, 1),
            member(5, Doing::Leaving, 5),
        ];
        assert_eq!(
            plan(0, 2, &members),
            Plan { start: 0, unstart: 2, retire: vec![4, 3, 2, 1], bury: vec![] }
        );
        assert_eq!(plan(2, 0, &members).retire, [4, 3]);
        assert_eq!(plan(4, 3, &members), Plan { start: 0, unstart: 3, retire: vec![], bury: vec![] });
    }

    #[test]
    fn dead_bots_are_replaced() {
        let members = [member(1, Doing::Dead, 1), member(2, Doing::Idle, 1)];
        assert_eq!(plan(2, 0, &members), Plan { start: 1, unstart: 0, retire: vec![], bury: vec![1] });
    }

    #[test]
    fn a_talk_goes_to_the_bot_that_was_idle_for_longest_or_to_the_one_asked_for() {
        let members = [
            member(1, Doing::Idle, 5),
            member(2, Doing::Idle, 50),
            member(3, Doing::Talking, 500),
            member(4, Doing::Idle, 50),
        ];
        assert_eq!(for_talk(&members, None), Some(&2));
        assert_eq!(for_talk(&members, Some(&1)), Some(&1));
        assert_eq!(for_talk(&members, Some(&3)), None);
        assert_eq!(for_talk(&members, Some(&9)), None);
        assert_eq!(for_talk::<usize>(&[], None), None);
    }

    #[test]
    fn whoever_runs_somewhere_is_not_started() {
        let taken = BTreeSet::from(["bo", "cy"]);
        assert_eq!(to_start(&["ada", "bo", "cy", "di", "ed"], &taken, 2), [&"ada", &"di"]);
        assert_eq!(to_start(&["ada", "bo"], &taken, 5), [&"ada"]);
    }

    proptest! {
        #[test]
        fn a_target_is_within_its_bounds_and_never_falls_when_humans_come(
            humans in 0usize..10_000, min in 0usize..50, more in 0usize..50, percent in 0u32..300,
        ) {
            let demand = Demand { min, max: min + more, percent };
            let target = demand.target(humans);
            prop_assert!(target >= min && target <= min + more);
            prop_assert!(demand.target(humans + 1) >= target);
        }

        #[test]
        fn a_plan_that_was_carried_out_leads_to_the_target_and_leaves_nothing_to_plan(
            target in 0usize..50, waiting in 0usize..10, members in members(),
        ) {
            let first = plan(target, waiting, &members);
            let (waiting, after) = carry_out(&first, waiting, &members);
            let staying = after.iter().filter(|m| m.doing != Doing::Leaving).count();
            prop_assert_eq!(staying + waiting, target);
            let second = plan(target, waiting, &after);
            prop_assert_eq!(second, Plan { start: 0, unstart: 0, retire: vec![], bury: vec![] });
        }

        #[test]
        fn nobody_who_talks_leaves_while_somebody_idle_stays(
            target in 0usize..50, waiting in 0usize..10, members in members(),
        ) {
            let plan = plan(target, waiting, &members);
            let leaves = |doing| members.iter().any(|m| m.doing == doing && plan.retire.contains(&m.id));
            let stays = |doing| members.iter().any(|m| m.doing == doing && !plan.retire.contains(&m.id));
            prop_assert!(!(leaves(Doing::Talking) && stays(Doing::Idle)));
            prop_assert!(!(leaves(Doing::Idle) && stays(Doing::Coming)));
            prop_assert!(plan.start == 0 || (plan.retire.is_empty() && plan.unstart == 0));
            prop_assert!(plan.unstart == waiting || plan.retire.is_empty());
        }
    }
}
