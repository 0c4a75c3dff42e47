//! WebSocket frames (RFC 6455) as a server reads and writes them.
//!
//! A [`FrameReader`] turns what a socket gave into messages; the functions here make complete frames that can be
//! written to any number of sockets as they are. There are no extensions: no compression, no reserved bits.

mod build;
mod closing;
mod error;
mod header;
mod mask;
mod reader;

pub use build::{FrameBuilder, binary, close, ping, pong, text};
pub use error::FrameError;
pub use header::{Opcode, write_header};
pub use mask::{mask, masked};
pub use reader::{FrameReader, Incoming};
