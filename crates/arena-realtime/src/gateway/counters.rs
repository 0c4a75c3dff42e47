//! What the gateway counts.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// Totals since the start.
        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $(pub(crate) $name: AtomicU64,)*
        }

        /// Totals since the start, and what there is now.
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub struct GatewayStats {
            /// Sessions now.
            pub sessions: usize,
            /// Rooms now: topics with a member on this node.
            pub rooms: usize,
            /// Streams now: topics that have members, or had a moment ago.
            pub streams: usize,
            $($(#[$doc])* pub $name: u64,)*
        }

        impl Counters {
            pub(crate) fn read(&self, sessions: usize, rooms: usize, streams: usize) -> GatewayStats {
                GatewayStats { sessions, rooms, streams, $($name: self.$name.load(Ordering::Relaxed),)* }
            }
        }
    };
}

counters! {
    /// Sessions that began.
    accepted,
    /// Handshakes that were refused.
    refused_handshakes,
    /// Topics that were joined.
    joins,
    /// Joins that were refused.
    refused_joins,
    /// Broadcasts and inputs that were taken.
    messages,
    /// Broadcasts and inputs that were refused.
    refused_messages,
    /// Messages that could not be read; their sessions stay open.
    malformed,
    /// Frames that broke the rules of RFC 6455; their sessions are closed.
    broken_frames,
    /// Sessions closed because nothing was heard of them.
    idle_closed,
    /// Sessions closed because they read too slowly.
    slow_closed,
    /// Times that a session was given a snapshot in place of what it was too slow for.
    caught_up,
    /// Clients that came back and got everything they had missed.
    recovered,
    /// Clients that came back and could not be given everything.
    not_recovered,
    /// Times that the backstage was not told who has come or gone, because too much was to be told.
    unattended,
}
