//! Where the bots of a fleet get their brains from.

use super::Brain;
use super::error::BrainsError;
use super::llm::ModelStats;
use super::scripted::{Library, Script, Scripted};
use super::seed::seed;
use crate::identity::Identity;
use crate::settings::FleetSettings;
use std::sync::Arc;

/// Personas, and the model that bots share. Clones share them too.
#[derive(Debug, Clone)]
pub struct Brains {
    library: Arc<Library>,
}

impl Brains {
    /// Reads the personas and gets the model's client ready; nothing is asked of the model yet.
    ///
    /// # Errors
    /// A persona's file that cannot be read or is not as it has to be, or settings of a model that make no sense.
    pub fn open(settings: &FleetSettings) -> Result<Brains, BrainsError> {
        let library = Library::open(settings.personas.as_deref())?;
        Ok(Brains { library: Arc::new(library) })
    }

    /// The brain of this bot for one place: a topic without `realtime:`, or what else sets the place apart. The same bot
    /// in the same place does the same again. In `world:…` every bot wanders; elsewhere it talks as its kind does.
    pub fn of(&self, me: &Identity, place: &str) -> Box<dyn Brain> {
        Box::new(Scripted::new(self.script(me, place)))
    }

    /// The names of the personas that there are, in order.
    pub fn personas(&self) -> Vec<&str> {
        self.library.names().collect()
    }

    /// What the model was asked and what that has cost; `None` where there is none.
    pub fn model(&self) -> Option<ModelStats> {
        None
    }

    fn script(&self, me: &Identity, place: &str) -> Script {
        let persona = self.library.get_or_any(&me.persona, seed(&[&me.id]));
        Script::new(persona, &me.name, seed(&[&me.id, place]))
    }
}
