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

    /// Whether there is a persona for each of these bots. Without asking, a bot whose persona does not exist talks by
    /// another one, always the same.
    ///
    /// # Errors
    /// The first bot whose persona does not exist.
    pub fn check<'a>(&self, bots: impl IntoIterator<Item = &'a Identity>) -> Result<(), BrainsError> {
        match bots.into_iter().find(|bot| self.library.get(&bot.persona).is_none()) {
            Some(bot) => Err(BrainsError::Unknown {
                bot: bot.id.clone(),
                persona: bot.persona.clone(),
                known: self.personas().join(", "),
            }),
            None => Ok(()),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn bot(persona: &str, brain: BrainKind) -> Identity {
        Identity {
            id: format!("bot-{persona}"),
            name: "Robin".to_owned(),
            persona: persona.to_owned(),
            brain,
            world: None,
        }
    }

    #[test]
    fn a_bot_without_a_persona_is_told_of_before_it_starts_and_talks_all_the_same() {
        let brains = Brains::open(&FleetSettings::default()).unwrap();
        assert!(brains.check([&bot("ada", BrainKind::Scripted), &bot("pip", BrainKind::Llm)]).is_ok());
        let error = brains.check([&bot("nobody", BrainKind::Scripted)]).unwrap_err().to_string();
        assert!(error.contains("bot-nobody") && error.contains("ada, basil, juno"), "{error}");
        assert_eq!(
            brains.of(&bot("nobody", BrainKind::Scripted), "conversation:c").kind(),
            BrainKind::Scripted
        );
    }

    #[test]
    fn the_place_and_the_settings_decide_what_a_bot_does() {
        let plain = Brains::open(&FleetSettings::default()).unwrap();
        let llm = Some(crate::settings::LlmSettings::new("http://127.0.0.1:9/v1", "m"));
        let with_model = Brains::open(&FleetSettings { llm, ..FleetSettings::default() }).unwrap();
        use BrainKind::{Llm, Scripted, Wanderer};
        for (brains, brain, place, kind) in [
            (&plain, Scripted, "conversation:c", Scripted),
            (&plain, Wanderer, "conversation:c", Scripted),
            (&plain, Scripted, "world:main", Wanderer),
            (&plain, Llm, "conversation:c", Scripted),
            (&with_model, Scripted, "conversation:c", Scripted),
            (&with_model, Llm, "conversation:c", Llm),
            (&with_model, Llm, "world:main", Wanderer),
        ] {
            assert_eq!(brains.of(&bot("ada", brain), place).kind(), kind, "{brain:?} in {place}");
        }
        assert!(plain.model().is_none() && with_model.model().is_some());
    }

    #[test]
    fn settings_of_a_model_that_make_no_sense_are_refused_with_their_name() {
        use crate::settings::LlmSettings;
        let good = || LlmSettings::new("http://127.0.0.1:9/v1", "m");
        for (key, llm) in [
            ("base_url", LlmSettings { base_url: "api.example.com".to_owned(), ..good() }),
            ("model", LlmSettings { model: " ".to_owned(), ..good() }),
            ("api_key", LlmSettings { api_key: "a\nb".to_owned(), ..good() }),
            ("timeout", LlmSettings { timeout: Duration::ZERO, ..good() }),
            ("max_reply_tokens", LlmSettings { max_reply_tokens: 0, ..good() }),
            ("max_requests", LlmSettings { max_requests: 0, ..good() }),
        ] {
            let settings = FleetSettings { llm: Some(llm), ..FleetSettings::default() };
            let error = Brains::open(&settings).unwrap_err().to_string();
            assert!(error.starts_with(&format!("llm.{key}: ")), "{error}");
        }
    }
}
