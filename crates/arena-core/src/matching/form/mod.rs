//! Puts waiting tickets together.
//!
//! [`form`] reads the tickets into a [`Crowd`]: sorted by whose turn it is, words replaced by numbers. [`legality`] says
//! who may be matched with whom, [`score`] how well they go together, and [`pairs`] chooses.

mod avoid;
mod crowd;
mod index;
mod legality;
mod packing;
mod pairs;
mod score;
mod teams;
#[cfg(test)]
pub(in crate::matching) mod tests;
mod turns;

pub use avoid::Avoid;

use super::{Outcome, Rules, Waiting};
use crate::time::Timestamp;
use crowd::Crowd;

/// Tickets that go together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Formed {
    /// Places in the list of tickets, by team.
    pub teams: Vec<Vec<usize>>,
    /// How well they go together, 0 to 100.
    pub quality: u32,
}

/// How far a call looks. What it costs grows with these, and with n log n in the number of tickets.
#[derive(Debug, Clone, Copy)]
struct Looks {
    /// Legal partners among whom the best is chosen. The best of 16 is on average better than 94 % of all (16 of 17), and
    /// every doubling halves what is left only once more.
    scored: usize,
    /// Tickets that are looked at for them. Lists hold those who agree on most, so that nearly all of them are legal; it
    /// takes this many who met each other lately, or who disagree on what has no lists, to find nobody.
    looked: usize,
    /// Whoever has found nobody among so many is compared with everybody: this many times log n of them in a call, and one
    /// in any case; the others have their turn in later calls.
    compared: usize,
    /// Comparisons that a call may take for that in any case: those of a thousand with each other, a few milliseconds.
    at_least: usize,
}

const LOOKS: Looks = Looks { scored: 16, looked: 64, compared: 8, at_least: 1_000_000 };

/// Matches that can be made now. `tickets` are all that wait in the queue, in any order; no ticket is in two matches.
/// `tick` rises by one from call to call: it says whose turn it is to be compared with everybody.
///
/// Who waits longest chooses first, after those who were let down. The same tickets give the same matches, whatever order
/// they come in. A user who is on several tickets waits with the first of them only.
///
/// No two who may be matched are left over, but where someone has found nobody among the many it may look at and has to
/// wait for its turn to be compared with everybody. It gets no bot before that.
pub fn form(rules: &Rules, tickets: &[Waiting], avoid: &Avoid, now: Timestamp, tick: u64) -> Vec<Formed> {
    form_looking(rules, tickets, avoid, now, tick, LOOKS)
}

/// How well tickets go together, 0 to 100, whether or not they may.
pub fn quality<'a>(rules: &Rules, tickets: impl Iterator<Item = &'a Waiting>) -> u32 {
    let tickets: Vec<Waiting> = tickets.cloned().collect();
    // At the end of time everybody has waited long enough.
    let crowd = Crowd::new(rules, &tickets, &Avoid::default(), Timestamp(i64::MAX));
    crowd.quality(&(0..crowd.cards.len()).collect::<Vec<usize>>())
}

fn form_looking(
    rules: &Rules,
    tickets: &[Waiting],
    avoid: &Avoid,
    now: Timestamp,
    tick: u64,
    looks: Looks,
) -> Vec<Formed> {
    let crowd = Crowd::new(rules, tickets, avoid, now);
    let tournament = matches!(rules.outcome, Outcome::Tournament { .. });
    if (rules.teams, rules.team_size) == (2, 1) && !tournament {
        pairs::form(&crowd, looks, tick)
    } else {
        teams::form(&crowd, looks, tick)
    }
}
