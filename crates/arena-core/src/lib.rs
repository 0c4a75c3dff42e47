//! Pure rules of Arena: ids, channels, admission, sync plans, health and retry.
//!
//! Must not import: any other Arena crate, an async runtime, SQL, HTTP, a clock or ambient randomness.

mod ids;

pub use ids::{BotId, ParseIdError, WorldId};
