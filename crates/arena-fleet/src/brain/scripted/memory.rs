//! What a bot has said in a talk, so that it does not say it again.

use fastrand::Rng;
use std::collections::HashMap;

/// When each line was said last. Bounded by the lines of a persona.
#[derive(Debug, Default)]
pub(super) struct Memory {
    said: HashMap<String, u64>,
    count: u64,
}

impl Memory {
    /// One of the lines that was not said yet.
    pub(super) fn fresh<'a>(&mut self, lines: &'a [String], rng: &mut Rng) -> Option<&'a str> {
        let fresh: Vec<&str> =
            lines.iter().map(String::as_str).filter(|line| !self.said.contains_key(*line)).collect();
        let line = rng.choice(fresh)?;
        self.note(line);
        Some(line)
    }

    /// One of the lines: a fresh one, else one of the half that was said longest ago, and never the last one.
    pub(super) fn any<'a>(&mut self, lines: &'a [String], rng: &mut Rng) -> Option<&'a str> {
        if let Some(line) = self.fresh(lines, rng) {
            return Some(line);
        }
        let when = |line: &str| self.said.get(line).copied().unwrap_or(0);
        let mut old: Vec<&str> =
            lines.iter().map(String::as_str).filter(|line| when(line) < self.count).collect();
        old.sort_by_key(|line| when(line));
        old.truncate(lines.len().div_ceil(2));
        let line = rng.choice(old)?;
        self.note(line);
        Some(line)
    }

    fn note(&mut self, line: &str) {
        self.count += 1;
        self.said.insert(line.to_owned(), self.count);
    }
}
