//! A brain thinks, and neither its panics nor its patience are the bot's end.

use crate::brain::{Act, Brain, Scene, Sensed};
use arena_core::fleet::{Fault, FaultClass};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

/// Why nothing came of a thought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoThought {
    /// The brain panicked; it is not asked again.
    Panicked,
    /// It took too long and was dropped.
    TooLong,
}

impl NoThought {
    /// As it is reported. It is no failure of the endpoint's: `Protocol` stands for "keep away from it, let another bot
    /// take the place".
    pub(super) fn fault(self) -> Fault {
        let (code, detail) = match self {
            NoThought::Panicked => ("brain_panicked", "the bot's brain panicked"),
            NoThought::TooLong => ("brain_hung", "the bot's brain did not come to an end"),
        };
        Fault::new(FaultClass::Protocol, code, detail)
    }
}

/// Has a brain think, for so long at most.
pub(super) async fn think(
    brain: &mut dyn Brain,
    scene: Scene<'_>,
    sensed: Sensed,
    limit: Duration,
) -> Result<Vec<Act>, NoThought> {
    // What a panic leaves behind is not looked at: the brain is dropped.
    let thought = AssertUnwindSafe(async { brain.think(scene, sensed).await }).catch_unwind();
    match tokio::time::timeout(limit, thought).await {
        Ok(Ok(acts)) => Ok(acts),
        Ok(Err(_)) => Err(NoThought::Panicked),
        Err(_) => Err(NoThought::TooLong),
    }
}
