//! The one translation between JSON and what the core knows of conversations, for REST and for the socket. What a
//! name means is in docs/rest.md.

mod amounts;
mod command;
mod data;
mod error;
mod refusal;
mod setup;
mod speaker;
#[cfg(test)]
mod tests;

pub(crate) use command::command;
pub(crate) use error::WireError;
pub(crate) use refusal::{RefusalBody, refusal_json};
pub(crate) use setup::Creation;
pub use speaker::Speaker;
