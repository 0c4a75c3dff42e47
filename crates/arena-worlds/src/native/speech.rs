//! A world's side of [`Talk`]: hands over what residents want to say, and brings the verdicts to the next tick.
//!
//! No verdict is ever lost to a full queue: a line is handed over only if there is a place for its verdict, and that
//! place is kept until the world has read it. There are so many places for each resident that there may be; where all
//! are taken, as they are when verdicts do not come back, the line is dropped as unavailable, unasked.

use crate::act::ActError;
use crate::host::HostedWorld;
use crate::talk::{Line, Outcome, Talk, Verdict};
use arena_core::BotId;
use arena_core::fault::HostFault;
use arena_sim::{ConversationId, Effect, Input, NoLeave, Refusal, Unsaid, Wish, World};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// Lines of one resident whose verdict may be outstanding, on average. A world lets no more of them wait.
const LINES_OF_A_BODY: usize = 4;

/// Who waits for what became of an input.
pub(super) type Reply = oneshot::Sender<Result<u64, ActError>>;

/// A line that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct LineKey {
    bot: BotId,
    conversation: Option<ConversationId>,
    line: u32,
}

type Judged = (LineKey, Outcome);

/// What residents want to say, and what may be said.
pub(super) struct Speech {
    talk: Arc<dyn Talk>,
    hosted: HostedWorld,
    /// Verdicts that have come since the last tick; at most `outstanding`.
    come: Arc<Mutex<Vec<Judged>>>,
    /// Lines handed over whose verdict was not read yet.
    outstanding: usize,
    /// Verdicts among the inputs of the present tick: the place of each, and whose it is.
    judged: Vec<(usize, Judged)>,
    /// Players who wait for what became of their lines; at most as many as the world lets wait.
    waiting: Vec<(LineKey, Reply)>,
    /// Conversations that go on and of which lines were handed over; at most one for two residents, and the one aloud.
    open: Vec<u64>,
}

impl Speech {
    pub(super) fn new(talk: Arc<dyn Talk>, hosted: HostedWorld) -> Speech {
        Speech {
            talk,
            hosted,
            come: Arc::default(),
            outstanding: 0,
            judged: Vec::new(),
            waiting: Vec::new(),
            open: Vec::new(),
        }
    }

    /// Makes the verdicts that have come inputs of the tick that is about to be.
    pub(super) fn hear(&mut self, inputs: &mut Vec<Input>) {
        if self.outstanding == 0 {
            return;
        }
        let mut come = self.come.lock().unwrap_or_else(PoisonError::into_inner);
        self.outstanding -= come.len();
        for (key, outcome) in come.drain(..) {
            self.judged.push((inputs.len(), (key, outcome)));
            inputs.push(verdict_input(key, outcome));
        }
    }

    /// Has a player wait for what becomes of its input, if that is a line which was asked for in the present tick.
    pub(super) fn defer(&mut self, input: usize, effects: &[Effect], reply: Reply) -> Result<(), Reply> {
        let wish = effects.iter().find_map(|effect| match effect {
            Effect::WantsToSay(wish) if wish.input == Some(input) => Some(wish),
            _ => None,
        });
        match wish {
            Some(wish) => self.waiting.push((key_of(wish), reply)),
            None => return Err(reply),
        }
        Ok(())
    }

    /// Attends to what a tick did: answers those whose lines were said or not, and hands over new ones.
    pub(super) fn attend(&mut self, sim: &World, effects: &mut [Effect]) {
        self.answer_judged(sim, effects);
        let mut wishes: Vec<&mut Wish> = Vec::new();
        for effect in effects {
            match effect {
                Effect::WantsToSay(wish) => wishes.push(wish),
                Effect::Unsaid { bot, conversation, line, reason } => {
                    let key = LineKey { bot: *bot, conversation: *conversation, line: *line };
                    wishes.retain(|wish| key_of(wish) != key);
                    self.answer(key, not_said(*reason));
                }
                Effect::ConversationEnded { conversation, .. } => self.end(conversation.0),
                _ => {}
            }
        }
        for wish in wishes {
            self.hand_over(sim, wish);
        }
    }

    /// A verdict that was refused came too late: its line had its end, and its player an answer, before.
    fn answer_judged(&mut self, sim: &World, effects: &[Effect]) {
        if self.judged.is_empty() {
            return;
        }
        let late: HashMap<usize, &Refusal> = effects.iter().filter_map(super::actor::refusal).collect();
        for (input, (key, outcome)) in std::mem::take(&mut self.judged) {
            if !late.contains_key(&input) {
                self.answer(key, judgement(outcome, sim.tick()));
            }
        }
    }

    fn answer(&mut self, key: LineKey, outcome: Result<u64, ActError>) {
        if let Some(at) = self.waiting.iter().position(|(waiting, _)| *waiting == key) {
            // A caller that no longer waits is no concern of the world's.
            let _ = self.waiting.swap_remove(at).1.send(outcome);
        }
    }

    fn end(&mut self, conversation: u64) {
        if let Some(at) = self.open.iter().position(|open| *open == conversation) {
            self.open.swap_remove(at);
            self.talk.ended(&self.hosted.world, conversation);
        }
    }

    fn hand_over(&mut self, sim: &World, wish: &mut Wish) {
        let key = key_of(wish);
        let most = LINES_OF_A_BODY * sim.settings().max_residents as usize;
        let come = Arc::clone(&self.come);
        let verdict = Verdict::new(move |outcome| {
            come.lock().unwrap_or_else(PoisonError::into_inner).push((key, outcome));
        });
        self.outstanding += 1;
        if self.outstanding > most {
            // There is no other place for this one than the next tick's.
            return verdict.send(Outcome::UNAVAILABLE);
        }
        let conversation = wish.conversation.map_or(Line::ALOUD, |id| id.0);
        if !self.open.contains(&conversation) {
            self.open.push(conversation);
        }
        let line = Line {
            world: self.hosted.world.clone(),
            channel: self.hosted.channel.clone(),
            conversation,
            participants: participants(sim, wish),
            speaker: wish.bot,
            text: std::mem::take(&mut wish.text),
            number: wish.line,
        };
        self.talk.say(line, verdict);
    }
}

/// The world ends, however it ends, and its conversations with it.
impl Drop for Speech {
    fn drop(&mut self) {
        for conversation in &self.open {
            self.talk.ended(&self.hosted.world, *conversation);
        }
    }
}

fn key_of(wish: &Wish) -> LineKey {
    LineKey { bot: wish.bot, conversation: wish.conversation, line: wish.line }
}

fn verdict_input(key: LineKey, outcome: Outcome) -> Input {
    let LineKey { bot, conversation, line } = key;
    let reason = match outcome {
        Outcome::Said { last } => return Input::MaySay { bot, conversation, line, last },
        Outcome::Refused { .. } => NoLeave::BudgetSpent,
        Outcome::Dropped { .. } => NoLeave::Unavailable,
    };
    Input::MayNotSay { bot, conversation, line, reason }
}

fn judgement(outcome: Outcome, tick: u64) -> Result<u64, ActError> {
    match outcome {
        Outcome::Said { .. } => Ok(tick),
        Outcome::UNAVAILABLE => Err(unknown()),
        Outcome::Refused { code } | Outcome::Dropped { code } => Err(ActError::Refused {
            code,
            detail: format!("the conversation does not take the line: {code}"),
        }),
    }
}

/// Why a line was not said that no verdict of this tick is about.
fn not_said(reason: Unsaid) -> Result<u64, ActError> {
    Err(match reason {
        Unsaid::NoVerdict | Unsaid::BudgetSpent | Unsaid::Unavailable => unknown(),
        Unsaid::Over => ActError::Refused {
            code: "conversation_over",
            detail: "the conversation was over before the line was said".to_owned(),
        },
    })
}

fn unknown() -> ActError {
    HostFault::transient("it is not known whether the line may be said").into()
}

/// Who takes part in the conversation, whoever invited first; of a line aloud, the speaker.
fn participants(sim: &World, wish: &Wish) -> Vec<(BotId, String)> {
    let named = |bot: BotId| (bot, sim.get(bot).map_or_else(String::new, |body| body.name.to_owned()));
    match sim.conversations().find(|talk| Some(talk.conversation) == wish.conversation) {
        Some(talk) => vec![named(talk.a), named(talk.b)],
        None => vec![named(wish.bot)],
    }
}
