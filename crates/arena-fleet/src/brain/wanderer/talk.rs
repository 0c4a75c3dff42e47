//! A bot's part in a conversation of its world, at its own pace.

use crate::brain::scripted::{Answer, Script};
use fastrand::Rng;
use std::time::Duration;
use tokio::time::Instant;

/// How long a bot waits for the other one to begin.
const OPENING: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(5));
/// The longest time for a line: who is silent for too long has fallen silent to the world.
const LONGEST_TYPING: Duration = Duration::from_secs(6);
/// How long a goodbye stands before the bot walks off: it is charged and stored before it is heard.
const PARTING: Duration = Duration::from_secs(3);
/// Own lines after which it takes its leave: drawn from this range.
const LINES: (u32, u32) = (8, 14);

/// A talk that the bot is in the middle of.
#[derive(Debug)]
pub(super) struct Talking {
    pub(super) conversation: u64,
    script: Script,
    /// What it is typing, and when that is done.
    next: Option<(Instant, Answer)>,
    /// When it walks off.
    parting: Option<Instant>,
    opening: Option<Instant>,
    heard_at: Instant,
    lines_left: u32,
}

/// What is to be done in a talk.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    Say(String),
    WalkOff,
}

impl Talking {
    pub(super) fn new(conversation: u64, script: Script, now: Instant, rng: &mut Rng) -> Talking {
        let (from, to) = OPENING;
        let opening = now + from + (to - from).mul_f64(rng.f64());
        let lines_left = rng.u32(LINES.0..=LINES.1);
        Talking {
            conversation,
            script,
            next: None,
            parting: None,
            opening: Some(opening),
            heard_at: now,
            lines_left,
        }
    }

    /// The other one said something.
    pub(super) fn hear(&mut self, text: &str, now: Instant) {
        let first = self.opening.take().is_some();
        self.heard_at = now;
        if self.parting.is_some() {
            return;
        }
        let answer = match self.lines_left {
            0 | 1 => self.script.last_word(text),
            _ if first => self.script.greet(Some(text)),
            _ => self.script.answer(text),
        };
        self.type_out(answer, now);
    }

    /// A line could not be said. Another one may be, unless there is no budget for any.
    pub(super) fn unsaid(&mut self, for_good: bool, now: Instant) {
        self.next = None;
        if for_good {
            self.parting = Some(now);
        }
    }

    /// What is due now.
    pub(super) fn step(&mut self, now: Instant) -> Option<Step> {
        if self.opening.is_some_and(|at| at <= now) {
            self.opening = None;
            let greeting = self.script.greet(None);
            self.type_out(greeting, now);
        }
        if let Some((_, answer)) = self.next.take_if(|(at, _)| *at <= now) {
            self.lines_left = self.lines_left.saturating_sub(1);
            if answer.ends {
                self.parting = Some(now + PARTING);
            }
            return Some(Step::Say(answer.text));
        }
        if self.parting.take_if(|at| *at <= now).is_some() {
            return Some(Step::WalkOff);
        }
        if self.next.is_none() && self.parting.is_none() && self.opening.is_none() {
            let quiet = self.script.quiet(now - self.heard_at);
            self.type_out(quiet, now);
        }
        None
    }

    /// The last words, if there are any left.
    pub(super) fn goodbye(&mut self) -> Option<String> {
        self.script.goodbye().map(|answer| answer.text)
    }

    fn type_out(&mut self, answer: Option<Answer>, now: Instant) {
        if let Some(answer) = answer {
            let typing = self.script.typing(&answer.text).min(LONGEST_TYPING);
            self.next = Some((now + typing, answer));
        }
    }
}
