//! A bot's part in one talk, by its persona.

use super::honesty;
use super::memory::Memory;
use super::persona::Persona;
use super::words::words;
use fastrand::Rng;
use std::sync::Arc;
use std::time::Duration;

/// What is said to a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) text: String,
    /// Whether the talk is over with it.
    pub(crate) ends: bool,
}

/// Picks the lines of one talk. The same seed and the same talk give the same lines.
#[derive(Debug)]
pub(crate) struct Script {
    persona: Arc<Persona>,
    /// Its name, for the lines that tell it.
    name: String,
    rng: Rng,
    memory: Memory,
    /// What it said last, whole.
    last: Option<String>,
    nudged: bool,
    over: bool,
}

impl Script {
    /// A talk of the bot that is called `name`.
    pub(crate) fn new(persona: Arc<Persona>, name: &str, seed: u64) -> Script {
        Script {
            persona,
            name: name.to_owned(),
            rng: Rng::with_seed(seed),
            memory: Memory::default(),
            last: None,
            nudged: false,
            over: false,
        }
    }

    /// How it talks.
    pub(crate) fn persona(&self) -> &Persona {
        &self.persona
    }

    /// The first words, to somebody who has said `heard` already, if anything.
    pub(crate) fn greet(&mut self, heard: Option<&str>) -> Option<Answer> {
        self.over = false;
        if let Some(answer) = heard.and_then(|text| self.known(text)) {
            return Some(answer);
        }
        let persona = Arc::clone(&self.persona);
        let greeting = self.memory.any(&persona.lines.greetings, &mut self.rng)?;
        self.say(greeting.to_owned())
    }

    /// What it says to a line.
    pub(crate) fn answer(&mut self, heard: &str) -> Option<Answer> {
        self.over = false;
        self.nudged = false;
        if let Some(answer) = self.known(heard) {
            return Some(answer);
        }
        let persona = Arc::clone(&self.persona);
        let lines = &persona.lines;
        let asked = heard.contains(['?', '？']);
        let was_answer = !asked && self.last.as_deref().is_some_and(|last| last.ends_with('?'));
        let (rng, memory) = (&mut self.rng, &mut self.memory);
        if asked && let Some(line) = memory.fresh(&lines.unsure, rng) {
            let line = line.to_owned();
            return self.with_question(line);
        }
        let reaction = if was_answer { memory.any(&lines.reactions, rng) } else { None };
        if let Some(reaction) = reaction {
            // A word to the answer, and then something else: a question, or what else there is to say.
            let asks = rng.f64() < persona.asks_back;
            let question = if asks { memory.fresh(&lines.questions, rng) } else { None };
            let rest = question.or_else(|| memory.fresh(&lines.small_talk, rng));
            let rest = rest.or_else(|| memory.fresh(&lines.questions, rng));
            let rest = rest.or_else(|| memory.any(&lines.small_talk, rng))?;
            return self.say(format!("{reaction} {rest}"));
        }
        let rest = memory.fresh(&lines.small_talk, rng).or_else(|| memory.fresh(&lines.questions, rng));
        let rest = rest.or_else(|| memory.any(&lines.small_talk, rng))?.to_owned();
        self.with_question(rest)
    }

    /// The last words. There are none where they were said already.
    pub(crate) fn goodbye(&mut self) -> Option<Answer> {
        if std::mem::replace(&mut self.over, true) {
            return None;
        }
        let persona = Arc::clone(&self.persona);
        let line = self.memory.any(&persona.lines.goodbyes, &mut self.rng)?.to_owned();
        self.say(line).map(|answer| Answer { ends: true, ..answer })
    }

    /// The last words to this: a goodbye, but the truth where that is what was asked for.
    pub(crate) fn last_word(&mut self, heard: &str) -> Option<Answer> {
        if !honesty::is_asked(heard) {
            return self.goodbye();
        }
        self.over = true;
        self.disclosure().map(|answer| Answer { ends: true, ..answer })
    }

    /// What it says when it was quiet for so long: first a nudge, later a goodbye.
    pub(crate) fn quiet(&mut self, lasted: Duration) -> Option<Answer> {
        let persona = Arc::clone(&self.persona);
        if lasted >= persona.silence.goodbye_after {
            return self.goodbye();
        }
        if self.nudged || self.over || lasted < persona.silence.nudge_after {
            return None;
        }
        self.nudged = true;
        let line = self.memory.any(&persona.lines.nudges, &mut self.rng)?.to_owned();
        self.say(line)
    }

    /// That it is a bot.
    pub(crate) fn disclosure(&mut self) -> Option<Answer> {
        let persona = Arc::clone(&self.persona);
        let line = self.memory.any(&persona.lines.disclosures, &mut self.rng)?.to_owned();
        self.say(line)
    }

    /// Takes over something that was said by other means.
    pub(crate) fn said(&mut self, text: &str) {
        self.last = Some(text.to_owned());
        self.nudged = false;
        self.over = false;
    }

    /// What it said last.
    pub(crate) fn last(&self) -> Option<&str> {
        self.last.as_deref()
    }

    /// Whether the talk is over by this line: the other one takes their leave.
    pub(crate) fn is_farewell(&self, heard: &str) -> bool {
        let words = words(heard);
        let best = self.persona.rules.iter().find(|rule| rule.fits(&words).is_some());
        best.is_some_and(|rule| rule.ends)
    }

    /// How long it types this, with the time that it thinks before.
    pub(crate) fn typing(&mut self, text: &str) -> Duration {
        let typing = &self.persona.typing;
        let (from, to) = typing.think;
        let think = from + (to - from).mul_f64(self.rng.f64());
        let unit = 1.0 + typing.jitter * (2.0 * self.rng.f64() - 1.0);
        let secs = text.chars().count() as f64 / typing.chars_per_second * unit;
        (think + Duration::from_secs_f64(secs)).clamp(typing.at_least, typing.at_most)
    }

    /// What it says to a line that it knows an answer to.
    fn known(&mut self, heard: &str) -> Option<Answer> {
        if honesty::is_asked(heard) {
            return self.disclosure();
        }
        let words = words(heard);
        let persona = Arc::clone(&self.persona);
        // Of rules of one priority the one that says most of the text; they are in order already.
        let fitting = persona.rules.iter().filter_map(|rule| Some((rule, rule.fits(&words)?)));
        let mut fitting: Vec<_> = fitting.collect();
        fitting.sort_by_key(|(rule, length)| std::cmp::Reverse((rule.priority, *length)));
        for (rule, _) in fitting {
            if rule.ends {
                let lines = [&rule.say, &persona.lines.goodbyes];
                let line = lines.iter().find_map(|lines| self.memory.any(lines, &mut self.rng))?.to_owned();
                self.over = true;
                return self.say(line).map(|answer| Answer { ends: true, ..answer });
            }
            if let Some(line) = self.memory.fresh(&rule.say, &mut self.rng) {
                let line = line.to_owned();
                return if rule.asks_back { self.with_question(line) } else { self.say(line) };
            }
        }
        None
    }

    /// The line, and now and then a question behind it.
    fn with_question(&mut self, line: String) -> Option<Answer> {
        let persona = Arc::clone(&self.persona);
        if line.ends_with(['?', '？']) || self.rng.f64() >= persona.asks_back {
            return self.say(line);
        }
        let question = self.memory.fresh(&persona.lines.questions, &mut self.rng).map(str::to_owned);
        self.say(question.map_or(line.clone(), |question| format!("{line} {question}")))
    }

    /// Says it, unless it is what was said just now.
    fn say(&mut self, line: String) -> Option<Answer> {
        let text = line.replace("{name}", &self.name);
        if self.last.as_deref() == Some(text.as_str()) {
            return None;
        }
        self.last = Some(text.clone());
        Some(Answer { text, ends: false })
    }
}
