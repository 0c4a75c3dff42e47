//! Where bots connect to, and how a connection to it is made.

mod dial;
mod handshake;
mod url;

pub use dial::{Dial, Network, Stream};
pub(crate) use handshake::{Socket, connect};
pub use url::{Endpoint, EndpointError};
