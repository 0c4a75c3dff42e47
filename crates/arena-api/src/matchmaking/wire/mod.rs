//! The one translation between JSON and what the core knows of matchmaking, for REST and for the socket. What a name
//! means is in docs/rest.md; tickets and matches are shown by the control plane, because notices carry them too.

mod queue;
mod report;
mod rules;
mod stats;
#[cfg(test)]
mod tests;
mod tournament;
mod wish;

pub(crate) use queue::QueueBody;
pub(crate) use report::{ReportBody, ReportedBody};
pub(crate) use rules::RulesBody;
pub use rules::rules_from_json;
pub(crate) use stats::StatsBody;
pub(crate) use tournament::{ResultBody, TournamentBody, named};
pub(crate) use wish::EnqueueBody;
