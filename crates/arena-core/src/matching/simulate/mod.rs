//! Replays seeded arrivals through the rules in virtual time, and beside it through a plain first come, first served; so
//! that what rules do to waits and to quality can be seen before anybody waits under them.
//!
//! Everybody comes alone and confirms at once. Whoever is skipped, or skips, waits again; whoever has talked to the end
//! leaves. Bots stand by, and do so again after a talk.

mod arrivals;
mod chance;
mod plan;
mod report;
mod room;
#[cfg(test)]
mod tests;

pub use plan::{Plan, PlanError};
pub use report::{Report, Tally};

use super::{Avoid, Formed, Rules, Waiting};
use crate::time::Timestamp;
use arrivals::Arrival;
use room::{Matcher, Room};

/// Replays the plan. The same plan gives the same report, on every machine.
pub fn simulate(rules: &Rules, plan: &Plan) -> Result<Report, PlanError> {
    plan.check()?;
    rules.check().map_err(|error| PlanError(error.to_string()))?;
    let arrivals = arrivals::arrivals(plan);
    Ok(Report {
        rules: replay(rules, plan, &arrivals, Matcher::Rules, &mut |_| {}),
        first_come: replay(rules, plan, &arrivals, Matcher::FirstCome, &mut |_| {}),
    })
}

/// What somebody who watches a replay sees of a tick.
#[cfg_attr(not(test), allow(dead_code, reason = "only tests watch"))]
struct Look<'a> {
    /// When.
    now: Timestamp,
    /// Who waits.
    waiting: &'a [Waiting],
    /// Who met lately.
    avoid: &'a Avoid,
    /// What was made of them.
    formed: &'a [Formed],
}

fn replay(
    rules: &Rules,
    plan: &Plan,
    arrivals: &[Arrival],
    matcher: Matcher,
    watch: &mut dyn FnMut(&Look<'_>),
) -> Tally {
    let mut room = Room::new(rules, plan, matcher);
    let mut arrivals = arrivals.iter().peekable();
    for tick in 1..=u64::from(plan.duration_s) * 1_000 / u64::from(plan.tick_ms) {
        let now = Timestamp((tick * u64::from(plan.tick_ms)) as i64);
        room.end_talks(now);
        while let Some(arrival) = arrivals.next_if(|arrival| arrival.at <= now) {
            room.enter(arrival);
        }
        room.lose_patience(now);
        room.tick(now, tick, watch);
    }
    room.close()
}
