//! What a client can do wrong in a frame.

/// Why a connection has to be closed: its client broke RFC 6455, or sends more than it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Clients mask every frame (section 5.1).
    #[error("a client's frame is not masked")]
    Unmasked,
    /// Reserved bits belong to extensions, and none was agreed on (section 5.2).
    #[error("a reserved bit is set")]
    ReservedBit,
    /// An opcode that the protocol keeps for later (section 5.2).
    #[error("opcode {0:#x} is unknown")]
    UnknownOpcode(u8),
    /// Control frames are never fragmented (section 5.5).
    #[error("a control frame is fragmented")]
    FragmentedControl,
    /// Control frames have 125 bytes of payload at most (section 5.5).
    #[error("a control frame is longer than 125 bytes")]
    LongControl,
    /// A length is written in as few bytes as it fits into, and its highest bit is 0 (section 5.2).
    #[error("a length is not written as the protocol wants it")]
    BadLength,
    /// A continuation of nothing (section 5.4).
    #[error("a continuation without a message to continue")]
    StrayContinuation,
    /// A message begins inside another (section 5.4).
    #[error("a message begins before the last one has ended")]
    InterruptedMessage,
    /// A close frame of one byte, or with a code that must not be sent (sections 5.5.1 and 7.4).
    #[error("the close frame is malformed or has a forbidden code")]
    BadClose,
    /// Text that is not UTF-8 (section 8.1).
    #[error("text is not UTF-8")]
    NotUtf8,
    /// A message over the limit of the caller.
    #[error("the message has more than {limit} bytes")]
    TooBig {
        /// The limit in bytes.
        limit: usize,
    },
}

impl FrameError {
    /// The code to close the connection with (section 7.4.1).
    pub fn close_code(&self) -> u16 {
        match self {
            FrameError::NotUtf8 => 1007,
            FrameError::TooBig { .. } => 1009,
            _ => 1002,
        }
    }
}
