//! Sync: making residents match assignments. Nudges wake it, a sweep every half minute is the safety net.

mod channel;
mod log;
mod nudge;
mod players;
mod queue;
mod scheduler;
mod timers;

pub(crate) use channel::Syncer;
pub(crate) use log::SyncLog;
pub use log::{SyncRecord, SyncTotals};
pub(crate) use nudge::Nudges;
pub(crate) use scheduler::Scheduler;
