//! Bots that talk by a persona's lines and rules.

mod file;
mod honesty;
mod library;
mod memory;
mod persona;
mod script;
#[cfg(test)]
mod tests;
mod words;

pub(super) use honesty::{denies, is_asked};
pub(super) use library::Library;
pub(super) use persona::Persona;
pub(super) use script::{Answer, Script};

use super::{Act, Brain, Line, Scene, Sensed};
use crate::identity::BrainKind;
use async_trait::async_trait;

/// Talks by a persona's lines and rules.
#[derive(Debug)]
pub(super) struct Scripted {
    script: Script,
}

impl Scripted {
    pub(super) fn new(script: Script) -> Scripted {
        Scripted { script }
    }
}

#[async_trait]
impl Brain for Scripted {
    fn kind(&self) -> BrainKind {
        BrainKind::Scripted
    }

    async fn think(&mut self, scene: Scene<'_>, sensed: Sensed) -> Vec<Act> {
        react(&mut self.script, &scene.me.id, &sensed)
    }
}

/// What the script does about something that happens in a conversation.
pub(super) fn react(script: &mut Script, me: &str, sensed: &Sensed) -> Vec<Act> {
    let answer = match sensed {
        Sensed::Entered { history } => script.greet(unanswered(history, me)),
        Sensed::Heard { line, last_word: true } => {
            return script
                .last_word(&line.text)
                .map_or_else(|| vec![Act::Leave], |answer| acts(script, answer));
        }
        Sensed::Heard { line, .. } => script.answer(&line.text),
        Sensed::Quiet { lasted } => script.quiet(*lasted),
        Sensed::Leaving => return leave(script),
        Sensed::World { .. } | Sensed::Delta { .. } | Sensed::Refused { .. } | Sensed::Idle => None,
    };
    answer.map(|answer| acts(script, answer)).unwrap_or_default()
}

/// What somebody else has said last.
pub(super) fn unanswered<'a>(history: &'a [Line], me: &str) -> Option<&'a str> {
    history.last().filter(|line| line.author != me).map(|line| line.text.as_str())
}

/// A goodbye, and away.
pub(super) fn leave(script: &mut Script) -> Vec<Act> {
    let goodbye = script.goodbye();
    goodbye.map_or_else(|| vec![Act::Leave], |answer| acts(script, answer))
}

/// Says it, and leaves where that is the end.
pub(super) fn acts(script: &mut Script, answer: Answer) -> Vec<Act> {
    let typing = script.typing(&answer.text);
    let say = Act::Say { text: answer.text, typing, spent: None };
    if answer.ends { vec![say, Act::Leave] } else { vec![say] }
}
