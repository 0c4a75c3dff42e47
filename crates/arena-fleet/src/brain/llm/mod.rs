//! Bots that talk by a language model behind a chat endpoint, and by their persona's lines where that is down, unpaid or
//! no use.

mod client;
mod fault;
mod gate;
mod held;
mod ledger;
mod model;
mod polish;
mod prompt;
mod sse;
mod stats;
mod wire;

pub(super) use model::Model;
pub use stats::ModelStats;

use super::scripted::{self, Script};
use super::{Act, Brain, Line, Scene, Sensed, Spent};
use crate::identity::{BrainKind, Identity};
use async_trait::async_trait;
use model::{Nothing, Written};
use polish::polish;
use prompt::Transcript;
use std::sync::Arc;
use tokio::time::Instant;

/// Refusals of a conversation that end the talk: nothing that is said can follow.
const OVER: [&str; 8] = [
    "total_limit",
    "participant_limit",
    "timeout",
    "all_participants_exhausted",
    "closed_by_moderator",
    "ended",
    "not_a_participant",
    "conversation_not_found",
];
/// Refusals that pass by themselves, and mean that others are to speak now.
const NOT_NOW: [&str; 3] = ["not_your_turn", "loop_detected", "guaranteed_to_others"];
/// Refusals after which words that cost nothing but a message may follow.
const TOO_DEAR: [&str; 2] = ["token_limit", "cost_limit"];

/// Has its lines written by a model.
#[derive(Debug)]
pub(super) struct Llm {
    model: Arc<Model>,
    script: Script,
    me: Identity,
    transcript: Transcript,
    /// Replies of the model, of all bots, when this bot was last scripted instead.
    fell_back_at: Option<u64>,
}

impl Llm {
    /// `script` is what it says where the model says nothing.
    pub(super) fn new(model: Arc<Model>, script: Script, me: &Identity) -> Llm {
        Llm { model, script, me: me.clone(), transcript: Transcript::default(), fell_back_at: None }
    }

    /// Whether the model is asked about it. Greetings, nudges and goodbyes are lines that cost nothing; and a bot that is
    /// asked whether it is one says so itself.
    fn asks_model(&self, sensed: &Sensed) -> bool {
        let heard = match sensed {
            Sensed::Heard { line, last_word: false } => Some(line.text.as_str()),
            Sensed::Entered { history } => scripted::unanswered(history, &self.me.id),
            _ => None,
        };
        heard.is_some_and(|text| !scripted::is_asked(text) && !self.script.is_farewell(text))
    }

    fn note(&mut self, sensed: &Sensed) {
        match sensed {
            Sensed::Entered { history } => self.transcript.replace(history),
            Sensed::Heard { line: Line { author, text }, .. } => self.transcript.push(author, text),
            _ => {}
        }
    }

    async fn reply(&mut self, scene: Scene<'_>, sensed: &Sensed) -> Vec<Act> {
        let begun = Instant::now();
        let messages = prompt::messages(self.script.persona(), &self.me.id, &self.me.name, &self.transcript);
        match self.model.write(&self.me.id, &messages, scene.purse).await {
            Ok(written) => {
                self.fell_back_at = None;
                self.say(written, sensed, begun)
            }
            Err(Nothing::Unavailable) => {
                self.fell_back_at = Some(self.model.replies());
                scripted::react(&mut self.script, &self.me.id, sensed)
            }
            Err(Nothing::Unpaid { code }) if TOO_DEAR.contains(&code.as_str()) => {
                scripted::leave(&mut self.script)
            }
            Err(Nothing::Unpaid { code }) if OVER.contains(&code.as_str()) => vec![Act::Leave],
            Err(Nothing::Unpaid { code }) if NOT_NOW.contains(&code.as_str()) => Vec::new(),
            // Nothing could be found out about the budget; a line without a model may get through.
            Err(Nothing::Unpaid { .. }) => scripted::react(&mut self.script, &self.me.id, sensed),
        }
    }

    /// What the model wrote, unless it is nothing, the same again, or denies that a bot speaks: then the script has the
    /// word, and the conversation pays for the tokens all the same.
    fn say(&mut self, written: Written, sensed: &Sensed, begun: Instant) -> Vec<Act> {
        let text = polish(&written.text, &self.me.name);
        let text = text.filter(|text| self.script.last() != Some(text.as_str()));
        let mut acts = match text {
            Some(text) if !scripted::denies(&text) => {
                self.script.said(&text);
                let typing = self.script.typing(&text);
                vec![Act::Say { text, typing, spent: None }]
            }
            Some(_) => self
                .script
                .disclosure()
                .map(|answer| scripted::acts(&mut self.script, answer))
                .unwrap_or_default(),
            None => scripted::react(&mut self.script, &self.me.id, sensed),
        };
        if let Some(Act::Say { typing, spent: of_line, .. }) = acts.first_mut() {
            // The time that the model took was time to type.
            *typing = typing.saturating_sub(begun.elapsed());
            let (tokens, cost_micros) = (written.used.tokens, written.used.cost_micros);
            *of_line = Some(Spent { reservation: written.held.take(), tokens, cost_micros });
        }
        acts
    }
}

#[async_trait]
impl Brain for Llm {
    fn kind(&self) -> BrainKind {
        let messages = prompt::messages(self.script.persona(), &self.me.id, &self.me.name, &self.transcript);
        let up = self.model.is_closed() && self.model.is_up(&self.me.id, self.model.estimate(&messages));
        // Another bot's reply tells that the model is there again.
        let failed = self.fell_back_at.is_some_and(|then| self.model.replies() == then);
        if up && !failed { BrainKind::Llm } else { BrainKind::Scripted }
    }

    async fn think(&mut self, scene: Scene<'_>, sensed: Sensed) -> Vec<Act> {
        self.note(&sensed);
        let acts = if self.asks_model(&sensed) {
            self.reply(scene, &sensed).await
        } else {
            scripted::react(&mut self.script, &self.me.id, &sensed)
        };
        for act in &acts {
            if let Act::Say { text, .. } = act {
                self.transcript.push(&self.me.id, text);
            }
        }
        acts
    }
}
