//! Where a stream hands its messages over.

use crate::message::Message;
use std::pin::Pin;
use std::sync::Arc;

/// What is left to do of a delivery.
pub type Rest = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Takes the messages of one stream, in their order, one call at a time.
pub trait Sink: Send + Sync + 'static {
    /// Takes messages. Must not block for long: a sink with much to do does it in the future that it returns, and is
    /// called again only when that has ended. What is published meanwhile comes in one call then. One that panics has
    /// lost what it was called with; nobody else has.
    fn deliver(&self, messages: &[Arc<Message>]) -> Option<Rest>;
}
