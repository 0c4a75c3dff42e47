//! Why a frame is no message.

/// What is wrong with a client's message. It is dropped and counted; the connection stays.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not JSON, or not of the shape that the version asks for.
    #[error("the message is malformed: {0}")]
    Malformed(#[from] serde_json::Error),
    /// A ref that is neither a string, nor a number, nor null.
    #[error("a ref is neither a string, nor a number, nor null")]
    BadRef,
    /// Something that is echoed or kept is longer than the protocol's binary frames could carry.
    #[error("{what} has more than {limit} bytes")]
    TooLong {
        /// What it is.
        what: &'static str,
        /// The limit in bytes.
        limit: usize,
    },
    /// A binary message of a kind that clients do not send.
    #[error("binary kind {0} is unknown")]
    UnknownKind(u8),
    /// A binary message whose payload is in no known encoding.
    #[error("payload encoding {0} is unknown")]
    UnknownEncoding(u8),
    /// A binary message that ends before its lengths say.
    #[error("the binary message is cut short")]
    Truncated,
    /// Text within a binary message that is not UTF-8.
    #[error("{0} is not UTF-8")]
    NotUtf8(&'static str),
}
