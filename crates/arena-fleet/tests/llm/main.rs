//! Bots that talk by a model, against a chat endpoint that streams, stalls, fails and overspends.

#![allow(clippy::unwrap_used, reason = "clippy takes only the bodies of #[test] functions for tests")]

mod budgets;
mod failures;
mod logs;
mod purse;
mod replies;
mod stub;

use arena_core::RetryPolicy;
use arena_fleet::brain::{Act, Brain, Brains, Line, ModelStats, Purse, Scene, Sensed, Spent};
use arena_fleet::{BrainKind, FleetSettings, Identity, LlmSettings};
use purse::Book;
use std::sync::Arc;
use std::time::Duration;
use stub::{Does, Stub};

const KEY: &str = "sk-local-secret";

fn settings(stub: &Stub) -> LlmSettings {
    LlmSettings {
        api_key: KEY.to_owned(),
        timeout: Duration::from_secs(20),
        stall_timeout: Duration::from_secs(10),
        max_reply_tokens: 100,
        prompt_price_micros: 1_000_000,
        reply_price_micros: 3_000_000,
        retry: RetryPolicy {
            base: Duration::from_millis(5),
            cap: Duration::from_millis(20),
            max_attempts: 3,
            ..RetryPolicy::default()
        },
        breaker_failures: 3,
        breaker_delay: (Duration::from_millis(100), Duration::from_millis(100)),
        ..LlmSettings::new(&stub.url, "stub-1")
    }
}

fn brains(llm: LlmSettings) -> Brains {
    Brains::open(&FleetSettings { llm: Some(llm), ..FleetSettings::default() }).unwrap()
}

fn identity(id: &str) -> Identity {
    Identity {
        id: id.to_owned(),
        name: "Robin".to_owned(),
        persona: "ada".to_owned(),
        brain: BrainKind::Llm,
        world: None,
    }
}

fn line(text: &str) -> Line {
    Line { author: "ann".to_owned(), text: text.to_owned() }
}

/// A bot in a talk.
struct Talk {
    me: Identity,
    brain: Box<dyn Brain>,
    purse: Arc<dyn Purse>,
}

impl Talk {
    fn new(brains: &Brains, id: &str, purse: &Arc<dyn Purse>) -> Talk {
        let me = identity(id);
        Talk { brain: brains.of(&me, "conversation:test"), me, purse: Arc::clone(purse) }
    }

    async fn sense(&mut self, sensed: Sensed) -> Vec<Act> {
        self.brain.think(Scene { me: &self.me, purse: &self.purse }, sensed).await
    }

    async fn hear(&mut self, text: &str) -> Vec<Act> {
        self.sense(Sensed::Heard { line: line(text), last_word: false }).await
    }
}

/// What is said first, and what it has cost.
fn said(acts: &[Act]) -> (&str, Option<&Spent>) {
    match acts.first() {
        Some(Act::Say { text, spent, .. }) => (text, spent.as_ref()),
        other => panic!("nothing is said: {other:?}"),
    }
}

fn stats(brains: &Brains) -> ModelStats {
    brains.model().unwrap()
}

fn streams(text: &str, usage: (u64, u64)) -> Does {
    Does::Streams(text.to_owned(), Some(usage))
}

/// Waits until what was reserved for nothing is given back.
async fn settled(brains: &Brains) {
    assert!(brains.settle(Duration::from_secs(10)).await, "reservations are given back");
}
