//! Where the bots of a fleet get their brains from.

use super::Brain;
use super::error::BrainsError;
use super::llm::ModelStats;
use super::scripted::Scripted;
use crate::identity::Identity;
use crate::settings::FleetSettings;

/// Personas, and the model that bots share. Clones share them too.
#[derive(Debug, Clone)]
pub struct Brains {}

impl Brains {
    /// Reads the personas and gets the model's client ready; nothing is asked of the model yet.
    ///
    /// # Errors
    /// A persona's file that cannot be read or is not as it has to be, or settings of a model that make no sense.
    pub fn open(_settings: &FleetSettings) -> Result<Brains, BrainsError> {
        Ok(Brains {})
    }

    /// The brain of this bot for one place: a topic without `realtime:`, or what else sets the place apart. The same bot
    /// in the same place does the same again. In `world:…` every bot wanders; elsewhere it talks as its kind does.
    pub fn of(&self, _me: &Identity, _place: &str) -> Box<dyn Brain> {
        Box::new(Scripted)
    }

    /// The names of the personas that there are, in order.
    pub fn personas(&self) -> Vec<&str> {
        Vec::new()
    }

    /// What the model was asked and what that has cost; `None` where there is none.
    pub fn model(&self) -> Option<ModelStats> {
        None
    }
}
