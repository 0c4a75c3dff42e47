//! Pure rules of Arena: ids, channels, admission, sync plans, health and retry.
//!
//! Must not import: any other Arena crate, an async runtime, SQL, HTTP, a clock or ambient randomness.

pub mod admission;
pub mod bot;
pub mod channel;
pub mod conversation;
pub mod fault;
pub mod fleet;
pub mod health;
mod ids;
pub mod matching;
mod metadata;
mod name;
pub mod player;
mod retry;
pub mod sync;
mod time;
pub mod topic;
pub mod tournament;

pub use ids::{BotId, ParseIdError, PlayerId, WorldId};
pub use metadata::{Metadata, MetadataError};
pub use retry::RetryPolicy;
pub use time::Timestamp;
