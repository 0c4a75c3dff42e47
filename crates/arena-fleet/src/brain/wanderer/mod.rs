//! Bots that live in worlds: they walk about, rest, and talk with whoever invites them.

mod sight;
mod talk;
#[cfg(test)]
mod tests;
mod walk;

use super::scripted::{Persona, Script};
use super::seed::seed;
use super::{Act, Brain, Scene, Sensed};
use crate::identity::{BrainKind, Identity};
use async_trait::async_trait;
use fastrand::Rng;
use serde_json::{Value, json};
use sight::{News, Sight, Tile};
use std::sync::Arc;
use std::time::Duration;
use talk::{Step, Talking};
use tokio::time::Instant;
use walk::Ground;

/// The least time between two inputs; worlds take eight in a tick.
const PACE: Duration = Duration::from_millis(800);
/// How long a bot stays where it is: drawn from this range, and longer when it rests.
const STAY: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(9));
/// See `STAY`.
const REST: (Duration, Duration) = (Duration::from_secs(15), Duration::from_secs(45));
/// How long it thinks about an invitation.
const DECIDING: (Duration, Duration) = (Duration::from_millis(800), Duration::from_millis(2_500));
/// A walk that takes longer than that has come to nothing.
const LONGEST_WALK: Duration = Duration::from_secs(120);
/// How long it keeps still after a refusal that is nobody's fault; doubled by each one that follows, up to the cap.
const PAUSE: Duration = Duration::from_secs(2);
/// See `PAUSE`.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The longest line, in characters: worlds take 500, where nothing else is set.
const MAX_CHARS: usize = 400;

const EMOTES: [&str; 6] = ["wave", "laugh", "dance", "think", "shrug", "cheer"];

/// Refusals of what is said that the next line would get, too.
const NO_BUDGET: [&str; 9] = [
    "total_limit",
    "participant_limit",
    "token_limit",
    "cost_limit",
    "timeout",
    "closed_by_moderator",
    "ended",
    "all_participants_exhausted",
    "not_a_participant",
];

/// Whom the bot has to do with.
#[derive(Debug)]
enum Company {
    Alone,
    Invited {
        conversation: u64,
        answer_at: Instant,
    },
    /// It has taken an invitation and walks up to the other one; after that time it has come to nothing.
    Expecting {
        until: Instant,
    },
    Talking(Box<Talking>),
}

/// Walks about in a world.
#[derive(Debug)]
pub(super) struct Wanderer {
    persona: Arc<Persona>,
    name: String,
    seed: u64,
    rng: Rng,
    sight: Sight,
    ground: Ground,
    company: Company,
    /// Where it last wanted to go.
    goal: Option<Tile>,
    /// When it may send its next input.
    free_at: Instant,
    /// When it does something else than staying where it is.
    stays_until: Instant,
    /// Refusals in a row.
    refusals: u32,
}

impl Wanderer {
    /// The bot `me`, in the place that the seed was made of.
    pub(super) fn new(persona: Arc<Persona>, me: &Identity, seed: u64) -> Wanderer {
        let now = Instant::now();
        Wanderer {
            persona,
            name: me.name.clone(),
            seed,
            rng: Rng::with_seed(seed),
            sight: Sight::default(),
            ground: Ground::default(),
            company: Company::Alone,
            goal: None,
            free_at: now,
            stays_until: now,
            refusals: 0,
        }
    }

    fn take(&mut self, news: Vec<News>, now: Instant) {
        for news in news {
            match news {
                News::Invited(conversation) => {
                    let answer_at = now + self.draw(DECIDING);
                    self.company = Company::Invited { conversation, answer_at };
                }
                News::Expected => self.company = Company::Expecting { until: now + LONGEST_WALK },
                News::Met(conversation) if self.talks_in(conversation) => {}
                News::Met(conversation) => {
                    let script = self.script(conversation);
                    let talking = Talking::new(conversation, script, now, &mut self.rng);
                    self.company = Company::Talking(Box::new(talking));
                }
                News::Heard(_, text) => {
                    if let Company::Talking(talking) = &mut self.company {
                        talking.hear(&text, now);
                    }
                }
                News::Ended(conversation) => self.ended(conversation, now),
            }
        }
        if let Some(here) = self.sight.here()
            && !self.sight.walks()
        {
            self.ground.stood(here);
        }
    }

    fn talks_in(&self, conversation: u64) -> bool {
        matches!(&self.company, Company::Talking(talking) if talking.conversation == conversation)
    }

    /// A conversation is over: it stays a while and walks on.
    fn ended(&mut self, conversation: u64, now: Instant) {
        let other = match &self.company {
            Company::Talking(talking) => talking.conversation != conversation,
            Company::Invited { conversation: invited, .. } => *invited != conversation,
            Company::Alone | Company::Expecting { .. } => false,
        };
        if !other {
            self.company = Company::Alone;
            self.stays_until = now + self.draw(STAY);
        }
    }

    fn script(&self, conversation: u64) -> Script {
        let seed = seed(&[&self.seed.to_string(), &conversation.to_string()]);
        Script::new(Arc::clone(&self.persona), &self.name, seed)
    }

    /// The one thing that it does now, if anything.
    fn step(&mut self, now: Instant) -> Option<Act> {
        if now < self.free_at || self.sight.here().is_none() {
            return None;
        }
        let act = match &mut self.company {
            Company::Alone => self.roam(now),
            Company::Expecting { until } if now < *until => None,
            Company::Expecting { .. } => {
                self.company = Company::Alone;
                None
            }
            Company::Invited { answer_at, .. } if now < *answer_at => None,
            Company::Invited { conversation, .. } => {
                let act = input("accept", json!({ "conversation": *conversation }));
                self.company = Company::Expecting { until: now + LONGEST_WALK };
                Some(act)
            }
            Company::Talking(talking) => talking.step(now).map(|step| match step {
                Step::Say(text) => say(&text),
                Step::WalkOff => input("leave_conversation", json!({ "conversation": talking.conversation })),
            }),
        };
        if act.is_some() {
            self.free_at = now + PACE;
        }
        act
    }

    /// Walks, rests, or shows what it feels.
    fn roam(&mut self, now: Instant) -> Option<Act> {
        if self.sight.walks() && now < self.stays_until + LONGEST_WALK {
            // The stay begins when it has arrived.
            return None;
        }
        if let Some(goal) = self.goal.take() {
            self.arrived(goal, now);
            return None;
        }
        if now < self.stays_until {
            return None;
        }
        match self.rng.u32(0..100) {
            0..70 => self.walk(now),
            70..80 => {
                self.stays_until = now + self.draw(STAY);
                let emote = EMOTES[self.rng.usize(0..EMOTES.len())];
                Some(input("emote", json!({ "emote": emote })))
            }
            _ => {
                self.stays_until = now + self.draw(REST);
                let heading = 45 * self.rng.u32(0..8);
                Some(input("look", json!({ "heading": heading })))
            }
        }
    }

    fn walk(&mut self, now: Instant) -> Option<Act> {
        let Some((x, y)) = self.ground.next(&self.sight, &mut self.rng) else {
            self.stays_until = now + self.draw(STAY);
            return None;
        };
        self.goal = Some((x, y));
        // Before it is seen to walk, it is not to be taken for one that has arrived.
        self.stays_until = now + PAUSE;
        Some(input("move", json!({ "x": x, "y": y })))
    }

    fn arrived(&mut self, goal: Tile, now: Instant) {
        if now < self.stays_until {
            self.goal = Some(goal);
            return;
        }
        self.ground.found();
        self.refusals = 0;
        self.stays_until = now + self.draw(STAY);
    }

    /// An input was refused: something else is done.
    fn refused(&mut self, what: &str, code: &str, now: Instant) {
        self.refusals = self.refusals.saturating_add(1);
        let pause = PAUSE.saturating_mul(1 << self.refusals.min(6).saturating_sub(1)).min(LONGEST_PAUSE);
        let for_good = NO_BUDGET.contains(&code);
        match (what, code, &mut self.company) {
            ("move", "blocked" | "outside_map" | "crowded", _) => {
                if let Some(goal) = self.goal.take() {
                    self.ground.refused(goal);
                }
                self.stays_until = now;
                // The first few times another place is looked for at once.
                self.free_at = now + if self.refusals <= 5 { PACE } else { pause };
                return;
            }
            ("say", "conversation_over", company) => *company = Company::Alone,
            ("say", _, Company::Talking(talking)) => talking.unsaid(for_good, now),
            ("accept" | "leave_conversation", "not_invited" | "not_in_conversation", company) => {
                *company = Company::Alone;
            }
            // It is asked again, as nothing has come of it.
            ("accept", _, company @ Company::Expecting { .. }) => *company = Company::Alone,
            _ => {}
        }
        self.goal = None;
        self.free_at = now + pause;
    }

    /// Takes its leave of whoever it talks with.
    fn leave(&mut self) -> Vec<Act> {
        let mut acts = Vec::new();
        match &mut self.company {
            Company::Talking(talking) => {
                acts.extend(talking.goodbye().map(|text| say(&text)));
            }
            Company::Invited { conversation, .. } => {
                acts.push(input("decline", json!({ "conversation": *conversation })));
            }
            Company::Alone | Company::Expecting { .. } => {}
        }
        acts.push(Act::Leave);
        acts
    }

    fn draw(&mut self, (from, to): (Duration, Duration)) -> Duration {
        from + (to - from).mul_f64(self.rng.f64())
    }
}

fn say(text: &str) -> Act {
    let text: String = text.chars().take(MAX_CHARS).collect();
    input("say", json!({ "text": text }))
}

fn input(event: &str, payload: Value) -> Act {
    Act::Input { event: event.to_owned(), payload }
}

#[async_trait]
impl Brain for Wanderer {
    fn kind(&self) -> BrainKind {
        BrainKind::Wanderer
    }

    async fn think(&mut self, _scene: Scene<'_>, sensed: Sensed) -> Vec<Act> {
        let now = Instant::now();
        match sensed {
            Sensed::World { snapshot, body } => {
                if let Some(news) = self.sight.look(snapshot, &body) {
                    // A topic that was overloaded begins anew with everybody where they were.
                    let goes_on = |news: &News| matches!(news, News::Met(talk) if self.talks_in(*talk));
                    if !news.iter().any(goes_on) {
                        self.company = Company::Alone;
                    }
                    self.goal = None;
                    self.take(news, now);
                }
            }
            Sensed::Delta { delta } => {
                let news = self.sight.follow(delta);
                self.take(news, now);
            }
            Sensed::Refused { input, code } => self.refused(&input, &code, now),
            Sensed::Leaving => return self.leave(),
            Sensed::Idle | Sensed::Entered { .. } | Sensed::Heard { .. } | Sensed::Quiet { .. } => {}
        }
        self.step(now).into_iter().collect()
    }
}
