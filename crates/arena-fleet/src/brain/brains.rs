//! Where the bots of a fleet get their brains from.

use super::Brain;
use super::error::BrainsError;
use super::llm::{Llm, Model, ModelStats};
use super::scripted::{Library, Script, Scripted};
use super::seed::seed;
use super::wanderer::Wanderer;
use crate::identity::{BrainKind, Identity};
use crate::settings::FleetSettings;
use std::sync::Arc;
use std::time::Duration;

/// Personas, and the model that bots share. Clones share them too.
#[derive(Debug, Clone)]
pub struct Brains {
    library: Arc<Library>,
    model: Option<Arc<Model>>,
}

impl Brains {
    /// Reads the personas and gets the model's client ready; nothing is asked of the model yet.
    ///
    /// # Errors
    /// A persona's file that cannot be read or is not as it has to be, or settings of a model that make no sense.
    pub fn open(settings: &FleetSettings) -> Result<Brains, BrainsError> {
        let library = Library::open(settings.personas.as_deref())?;
        let model = settings.llm.as_ref().map(Model::new).transpose()?;
        Ok(Brains { library: Arc::new(library), model: model.map(Arc::new) })
    }

    /// The brain of this bot for one place: a topic without `realtime:`, or what else sets the place apart. The same bot
    /// in the same place does the same again. In `world:…` every bot wanders; elsewhere it talks as its kind does.
    pub fn of(&self, me: &Identity, place: &str) -> Box<dyn Brain> {
        let persona = self.library.get_or_any(&me.persona, seed(&[&me.id]));
        let seed = seed(&[&me.id, place]);
        if place.starts_with("world:") {
            return Box::new(Wanderer::new(persona, me, seed));
        }
        let script = Script::new(persona, &me.name, seed);
        match &self.model {
            Some(model) if me.brain == BrainKind::Llm => Box::new(Llm::new(Arc::clone(model), script, me)),
            _ => Box::new(Scripted::new(script)),
        }
    }

    /// The names of the personas that there are, in order.
    pub fn personas(&self) -> Vec<&str> {
        self.library.names().collect()
    }

    /// What the model was asked and what that has cost; `None` where there is none.
    pub fn model(&self) -> Option<ModelStats> {
        self.model.as_ref().map(|model| model.stats())
    }

    /// Waits until every reservation is given back that nothing came of, or `deadline` is over; gives whether all are.
    /// To be called when no bot thinks any more.
    pub async fn settle(&self, deadline: Duration) -> bool {
        match &self.model {
            Some(model) => tokio::time::timeout(deadline, model.settled()).await.is_ok(),
            None => true,
        }
    }
}
