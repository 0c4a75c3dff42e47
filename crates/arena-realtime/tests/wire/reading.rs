//! What a reader makes of bytes, to be compared.

use arena_realtime::frame::{FrameError, FrameReader, Incoming};
use std::ops::ControlFlow;

/// What a client sent, to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong,
    Close(Option<u16>, String),
}

impl From<Incoming<'_>> for Seen {
    fn from(incoming: Incoming<'_>) -> Seen {
        match incoming {
            Incoming::Text(text) => Seen::Text(text.to_owned()),
            Incoming::Binary(bytes) => Seen::Binary(bytes.to_vec()),
            Incoming::Ping(bytes) => Seen::Ping(bytes.to_vec()),
            Incoming::Pong => Seen::Pong,
            Incoming::Close { code, reason } => Seen::Close(code, reason.to_owned()),
        }
    }
}

/// All that was seen, and the error that ended it.
pub type Outcome = (Vec<Seen>, Option<FrameError>);

/// Feeds `bytes` in pieces whose lengths come from `chop`; a length of 0 is a read of nothing.
pub fn read_chopped(bytes: &[u8], max: usize, chop: &mut dyn FnMut() -> usize) -> Outcome {
    let mut bytes = bytes.to_vec();
    let mut rest = bytes.as_mut_slice();
    let (mut reader, mut seen) = (FrameReader::new(), Vec::new());
    while !rest.is_empty() {
        let (piece, later) = rest.split_at_mut(chop().min(rest.len()));
        let fed = reader.feed(piece, max, &mut |incoming| {
            seen.push(incoming.into());
            ControlFlow::Continue(())
        });
        if let Err(error) = fed {
            assert!(reader.is_ended());
            return (seen, Some(error));
        }
        rest = later;
    }
    (seen, None)
}

/// Feeds all at once.
pub fn read(bytes: &[u8], max: usize) -> Outcome {
    read_chopped(bytes, max, &mut || usize::MAX)
}

/// A sequence of numbers that looks random and is always the same.
pub fn lcg(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    // The multiplier and increment of Knuth's MMIX.
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    }
}
