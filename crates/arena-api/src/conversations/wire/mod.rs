//! The one translation between JSON and what the core knows of conversations, for REST and for the socket. What a
//! name means is in docs/rest.md.

mod amounts;
mod capacity;
mod command;
mod conversation;
mod data;
mod error;
mod line;
mod receipt;
mod refusal;
mod setup;
mod speaker;
#[cfg(test)]
mod tests;

pub(crate) use amounts::CapsBody;
pub(crate) use capacity::{AccountBody, CapacityBody};
pub(crate) use command::{command, object};
pub(crate) use conversation::ConversationBody;
pub(crate) use error::WireError;
pub(crate) use line::{ContextBody, LineBody, LogBody};
pub(crate) use receipt::{ReceiptBody, receipt_json};
pub(crate) use refusal::RefusalBody;
pub(crate) use setup::{Creation, TalkBody};
pub use speaker::Speaker;
