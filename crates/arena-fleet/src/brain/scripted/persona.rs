//! A persona: how a bot talks.

use super::words::Pattern;
use std::time::Duration;

/// How a bot talks. Made from a file only, which has checked it.
#[derive(Debug, Clone)]
pub(crate) struct Persona {
    pub(crate) name: String,
    /// Who it is, in a few sentences: what a model is told.
    pub(crate) about: String,
    /// Share of the answers that end with a question, 0 to 1.
    pub(crate) asks_back: f64,
    pub(crate) typing: Typing,
    pub(crate) silence: Silence,
    pub(crate) lines: Lines,
    /// The most important first.
    pub(crate) rules: Vec<Rule>,
}

/// How fast it types.
#[derive(Debug, Clone)]
pub(crate) struct Typing {
    pub(crate) chars_per_second: f64,
    /// How long it thinks before it types: drawn from this range.
    pub(crate) think: (Duration, Duration),
    /// Share by which the time of typing is longer or shorter, 0 to 1.
    pub(crate) jitter: f64,
    pub(crate) at_least: Duration,
    pub(crate) at_most: Duration,
}

/// What it does when nobody speaks.
#[derive(Debug, Clone)]
pub(crate) struct Silence {
    pub(crate) nudge_after: Duration,
    pub(crate) goodbye_after: Duration,
}

/// What it says.
#[derive(Debug, Clone)]
pub(crate) struct Lines {
    pub(crate) greetings: Vec<String>,
    pub(crate) questions: Vec<String>,
    pub(crate) goodbyes: Vec<String>,
    /// Said when nothing else fits.
    pub(crate) small_talk: Vec<String>,
    /// Said to an answer to its question, before something else.
    pub(crate) reactions: Vec<String>,
    /// Said to a question that no rule knows.
    pub(crate) unsure: Vec<String>,
    /// Said when it was quiet for a while.
    pub(crate) nudges: Vec<String>,
    /// Said to whoever asks whether it is a bot.
    pub(crate) disclosures: Vec<String>,
}

/// What it answers to what.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) when: Vec<Pattern>,
    pub(crate) say: Vec<String>,
    pub(crate) priority: i64,
    /// Whether the talk is over with it.
    pub(crate) ends: bool,
    /// Whether a question may follow.
    pub(crate) asks_back: bool,
}

impl Rule {
    /// The length of the longest pattern that is in these words.
    pub(crate) fn fits(&self, words: &[String]) -> Option<usize> {
        self.when.iter().filter(|pattern| pattern.is_in(words)).map(Pattern::len).max()
    }
}
