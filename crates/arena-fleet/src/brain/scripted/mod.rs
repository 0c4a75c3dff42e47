//! Bots that talk by a persona's lines and rules.

use super::{Act, Brain, Scene, Sensed};
use crate::identity::BrainKind;
use async_trait::async_trait;

/// Talks by a persona's lines and rules.
#[derive(Debug)]
pub(super) struct Scripted;

#[async_trait]
impl Brain for Scripted {
    fn kind(&self) -> BrainKind {
        BrainKind::Scripted
    }

    async fn think(&mut self, _scene: Scene<'_>, _sensed: Sensed) -> Vec<Act> {
        Vec::new()
    }
}
