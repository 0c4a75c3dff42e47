//! Going round in circles: the same words again, or two that never stop.

use super::super::LoopRules;
use super::after_ms;
use crate::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// One of the last messages: whose, the fingerprint of its text, when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Said(pub usize, pub u64, pub Timestamp);

/// The last messages, as many as the rules look at and never more than [`LoopRules::MAX_WINDOW`]: the oldest goes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Recent(VecDeque<Said>);

impl Recent {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of them is by this participant.
    pub fn holds(&self, who: usize) -> bool {
        self.0.iter().any(|said| said.0 == who)
    }

    pub fn push(&mut self, said: Said, rules: &LoopRules) {
        self.0.push_back(said);
        self.trim(Some(rules));
    }

    /// Forgets what these rules do not look at.
    pub fn trim(&mut self, rules: Option<&LoopRules>) {
        let keep = rules.map_or(0, |rules| rules.window.max(rules.pair_messages).min(LoopRules::MAX_WINDOW));
        let over = self.0.len().saturating_sub(keep as usize);
        self.0.drain(..over);
    }

    /// For how long this text is refused, in milliseconds. `None`: it is not.
    pub fn throttles_text(&self, print: u64, rules: &LoopRules, now: Timestamp) -> Option<u64> {
        if rules.max_repeats == 0 {
            return None;
        }
        let before = (rules.window as usize).saturating_sub(1);
        let mut same = self.0.iter().rev().take(before).filter(|said| said.1 == print);
        let last = same.next()?;
        let times = 2 + same.count();
        if times < rules.max_repeats as usize {
            return None;
        }
        wait(last.2, rules, now)
    }

    /// For how long this participant is refused as one of two that talk too fast, in milliseconds.
    pub fn throttles_pair(&self, who: usize, rules: &LoopRules, now: Timestamp) -> Option<u64> {
        let many = rules.pair_messages as usize;
        if many == 0 || self.0.len() < many {
            return None;
        }
        let (first, last) = (self.0[self.0.len() - many], self.0[self.0.len() - 1]);
        if last.2.since(first.2).as_millis() > u128::from(rules.pair_window_ms) {
            return None;
        }
        let in_row = || self.0.iter().rev().take(many).map(|said| said.0);
        let other = in_row().find(|author| *author != last.0)?;
        let pair = in_row().all(|author| author == last.0 || author == other);
        if !pair || (who != last.0 && who != other) {
            return None;
        }
        wait(last.2, rules, now)
    }
}

fn wait(since: Timestamp, rules: &LoopRules, now: Timestamp) -> Option<u64> {
    let left = after_ms(since, rules.throttle_ms).since(now).as_millis();
    u64::try_from(left).ok().filter(|left| *left > 0)
}

impl LoopRules {
    /// A number that texts share if they differ in nothing but case and white space; 0 where no texts are compared.
    pub(super) fn fingerprint(&self, text: &str) -> u64 {
        if self.max_repeats == 0 { 0 } else { fingerprint(text) }
    }
}

/// The same in every process: FNV-1a with 64 bits, after its authors' draft-eastlake-fnv.
fn fingerprint(text: &str) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut add = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    for (at, word) in text.split_whitespace().enumerate() {
        if at > 0 {
            add(b' ');
        }
        if word.is_ascii() {
            word.bytes().for_each(|byte| add(byte.to_ascii_lowercase()));
        } else {
            let mut utf8 = [0; 4];
            for lower in word.chars().flat_map(char::to_lowercase) {
                lower.encode_utf8(&mut utf8).bytes().for_each(&mut add);
            }
        }
    }
    hash
}
