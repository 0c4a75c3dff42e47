//! Limits: how much of everything, for a session, a user, a topic and the node.
//!
//! Why not `governor`: its direct limiter carries parameters and a clock with every state, where ten thousand sessions
//! share one set of parameters; and its keyed limiter keeps a state for every key it has ever seen until somebody
//! calls `retain_recent`, where ours is bounded. What is left of it is the dozen lines of [`Bucket`].

mod bucket;
mod connections;
mod keyed;
mod limiter;
mod refusal;
mod settings;
#[cfg(test)]
mod tests;

pub use bucket::{Bucket, Clock, Moment, Rate};
pub use connections::{Connection, Connections};
pub use keyed::Keyed;
pub use limiter::{Limiter, SessionBuckets};
pub use refusal::{Refusal, Scope};
pub use settings::{RateLimit, RealtimeLimits};
