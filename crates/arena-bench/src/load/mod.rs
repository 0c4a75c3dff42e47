//! The load generator: thousands of connections of one thread, cheap enough to leave the processor to the server.
//!
//! Joining is blocking and comes first; after that everything goes through one epoll set. A delivery costs one `read`,
//! a look at a frame's header, and a look at the place where its stamp was the last time.

mod files;
mod sockets;
mod stamp;
pub mod websocket;

pub use files::raise_file_limit;
pub use sockets::{Id, Sockets};
pub use stamp::{STAMP_LEN, Stamp, StampReader};
