//! Topics: each is a stream of messages, numbered without gaps under an epoch, with a short history for those who
//! come back.
//!
//! Duty: number, remember and hand over messages. What a topic means, who may read it, and how a message looks on a
//! wire is decided elsewhere. Must not import: sessions, codecs, worlds, SQL, HTTP.

mod bus;
mod history;
mod message;
mod settings;
mod sink;
mod stream;
mod streams;
#[cfg(test)]
mod tests;

pub use bus::{Bus, OpenError};
pub use message::{Audience, Draft, Epoch, Message, Payload, Position, Published};
pub use settings::{BusSettings, Keep};
pub use sink::{Rest, Sink};
pub use stream::{PublishError, Recovery, Stream, View};
