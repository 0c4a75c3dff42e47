//! What a bot knows of its ticket at the matchmaker, and what follows from it. Pure: [`super::wish`] talks to the endpoint.
//!
//! There is one question, asked again after everything that happens: given what is known and what the bot is about,
//! what is to be said next? So nothing is lost with an answer that is: it is asked for again.

use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// How often the matchmaker hears of a bot whose ticket lives: well within the 45 s after which it counts as gone.
const BEAT: Duration = Duration::from_secs(15);
/// When something is asked again whose answer was lost; chance adds up to as much.
const LOST: Duration = Duration::from_secs(2);
/// When something is tried again that was refused; chance adds up to as much.
const REFUSED: Duration = Duration::from_secs(60);

/// A match, as far as it matters.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Meeting {
    pub(super) id: Uuid,
    state: String,
    conversation: Option<String>,
}

/// A ticket, as it is told.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Told {
    id: Uuid,
    state: String,
    version: i64,
    #[serde(rename = "match")]
    meeting: Option<Meeting>,
}

/// A live ticket: where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum At {
    Waiting,
    Proposed(Uuid),
    /// In a match that stands, with its conversation; a match without one is nothing for these bots.
    Matched(Uuid, Option<String>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Held {
    id: Uuid,
    version: i64,
    at: At,
}

/// What is to be said to the matchmaker.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Word {
    pub(super) event: &'static str,
    pub(super) payload: Value,
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Next {
    /// Say this.
    Say(Word),
    /// Nothing before then, unless something happens.
    Wait(Option<Instant>),
}

/// What the bot learns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum News {
    /// It is matched, and is to talk there.
    Meet {
        /// In which match.
        of: Uuid,
        /// Where.
        conversation: String,
    },
    /// The match that it talks in is over.
    Over,
}

/// The answer to a word.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    /// It was done; what is told.
    Done(Value),
    /// It was refused: why.
    Refused(String),
    /// None came.
    Lost,
}

/// A bot's wish to be matched.
#[derive(Debug)]
pub(super) struct Ticket {
    /// The wish, without id and queue.
    wish: Value,
    queues: Vec<String>,
    joined: bool,
    /// Whether it was asked since the last join where the ticket stands.
    known: bool,
    held: Option<Held>,
    /// Whether the bot has nobody to talk to and may be given somebody.
    free: bool,
    /// The match that it talks in.
    with: Option<Uuid>,
    /// The match that it has talked in, or cannot: not to be gone to again.
    done_with: Option<Uuid>,
    /// The match that it has confirmed.
    confirmed: Option<Uuid>,
    /// The id and the queue of the ticket that is to be made: an answer that is lost makes no second one.
    wanted: Option<(Uuid, String)>,
    beat_at: Instant,
    /// Nothing is said before this.
    not_before: Option<Instant>,
    /// What was said last and when, so that nobody who keeps hearing the same keeps saying the same without a pause.
    said: Option<(Word, Instant)>,
    /// What was refused last, so that it is said once.
    refused: Option<String>,
}

impl Ticket {
    /// Of a bot that is not there yet.
    pub(super) fn new(wish: Value, queues: Vec<String>, now: Instant) -> Ticket {
        Ticket {
            wish,
            queues,
            joined: false,
            known: false,
            held: None,
            free: false,
            with: None,
            done_with: None,
            confirmed: None,
            wanted: None,
            beat_at: now,
            not_before: None,
            said: None,
            refused: None,
        }
    }

    /// Whether somebody counts on the bot: it has confirmed, or is matched.
    pub(super) fn is_promised(&self) -> bool {
        match self.held.as_ref().map(|held| &held.at) {
            None | Some(At::Waiting) => false,
            Some(At::Proposed(of)) => self.confirmed == Some(*of),
            Some(At::Matched(_, None)) => false,
            Some(At::Matched(of, _)) => self.done_with != Some(*of),
        }
    }

    /// Whether there is a ticket that has to be taken back.
    pub(super) fn is_live(&self) -> bool {
        self.held.is_some() || self.wanted.is_some()
    }

    /// Whether the bot may be given somebody now.
    pub(super) fn is_free(&mut self, free: bool) {
        self.free = free;
    }

    /// It talks in this match from now on.
    pub(super) fn meets(&mut self, of: Uuid) {
        self.with = Some(of);
    }

    /// Its talk is over, whichever it was.
    pub(super) fn talked(&mut self) {
        if let Some(of) = self.with.take() {
            self.done_with = Some(of);
        }
    }

    /// The channel is joined, for the first time or again.
    pub(super) fn joined(&mut self) {
        (self.joined, self.known) = (true, false);
    }

    /// It is not.
    pub(super) fn down(&mut self) {
        self.joined = false;
    }

    /// What is to be said now.
    pub(super) fn next(&mut self, now: Instant) -> Next {
        let next = self.due(now);
        let Next::Say(word) = &next else { return next };
        match &self.said {
            Some((said, at)) if again(said, word) && now < *at + LOST => Next::Wait(Some(*at + LOST)),
            _ => next,
        }
    }

    fn due(&mut self, now: Instant) -> Next {
        if !self.joined {
            return Next::Wait(None);
        }
        if let Some(at) = self.not_before.filter(|at| *at > now) {
            return Next::Wait(Some(at));
        }
        if !self.known {
            return say("match_status", json!({}));
        }
        let Some(held) = self.held.clone() else {
            return if self.free { self.enqueue() } else { Next::Wait(None) };
        };
        match held.at {
            At::Waiting if !self.free => say("match_cancel", json!({})),
            At::Proposed(of) if !self.free => say("match_decline", json!({ "match": of })),
            At::Proposed(of) if self.confirmed != Some(of) => say("match_confirm", json!({ "match": of })),
            // It plays no tournaments: the others are not to wait for it.
            At::Matched(of, None) => say("match_leave", json!({ "match": of })),
            // A free bot is about to go there.
            At::Matched(of, _) if self.with != Some(of) && (!self.free || self.done_with == Some(of)) => {
                say("match_leave", json!({ "match": of }))
            }
            _ if now >= self.beat_at => say("match_heartbeat", json!({})),
            _ => Next::Wait(Some(self.beat_at)),
        }
    }

    fn enqueue(&mut self) -> Next {
        let queues = &self.queues;
        let (id, queue) = self.wanted.get_or_insert_with(|| {
            let queue = fastrand::choice(queues).cloned().unwrap_or_default();
            (Uuid::new_v4(), queue)
        });
        let mut wish = self.wish.clone();
        wish["id"] = id.to_string().into();
        wish["queue"] = queue.as_str().into();
        Next::Say(Word { event: "match_enqueue", payload: wish })
    }

    /// What came of a word. A refusal that is news is given back, to be told.
    pub(super) fn answered(&mut self, word: &Word, answer: Answer, now: Instant) -> Option<String> {
        if word.event != "match_status" {
            self.beat_at = now + BEAT;
            self.said = Some((word.clone(), now));
        }
        match answer {
            Answer::Lost => {
                self.known = false;
                self.later(now, LOST);
                None
            }
            Answer::Refused(code) => self.was_refused(word, code, now),
            Answer::Done(answer) => self.was_done(word, answer, now),
        }
    }

    fn was_done(&mut self, word: &Word, mut answer: Value, now: Instant) -> Option<String> {
        if let Some(ticket) = answer.get_mut("ticket").map(Value::take) {
            answer = ticket;
        }
        let meeting: Option<Meeting> = serde_json::from_value(answer.clone()).ok();
        let told: Option<Told> = serde_json::from_value(answer).ok();
        match (word.event, told) {
            ("match_status", told) => {
                self.known = true;
                self.held = None;
                if let Some(told) = told {
                    self.take(told);
                }
            }
            ("match_enqueue", None) => return self.was_refused(word, "no_matchmaker".to_owned(), now),
            ("match_confirm", _) => self.has_confirmed(word, meeting),
            (_, Some(told)) => self.take(told),
            // Where it stands now is asked for, not guessed.
            ("match_decline" | "match_leave" | "match_cancel", None) => {
                self.known = false;
                // Whoever waits in a queue of tournaments by mistake does not spoil one after the other.
                if let Some(Held { at: At::Matched(_, None), .. }) = self.held {
                    self.later(now, REFUSED);
                }
            }
            (_, None) => {}
        }
        if word.event == "match_enqueue" {
            self.refused = None;
        }
        None
    }

    /// The last one to confirm is answered with the match that stands by that.
    fn has_confirmed(&mut self, word: &Word, answer: Option<Meeting>) {
        self.confirmed = word.payload["match"].as_str().and_then(parsed);
        let Some(meeting) = answer else { return };
        let Some(held) = self.held.as_mut().filter(|held| held.at == At::Proposed(meeting.id)) else {
            return;
        };
        match meeting.state.as_str() {
            // A proposal that is told late is of the version before.
            "standing" => {
                held.version += 1;
                held.at = At::Matched(meeting.id, meeting.conversation);
            }
            "over" => self.known = false,
            _ => {}
        }
    }

    fn was_refused(&mut self, word: &Word, code: String, now: Instant) -> Option<String> {
        self.known = false;
        match (word.event, code.as_str()) {
            ("match_enqueue", "on_another_ticket" | "ticket_exists") => self.wanted = None,
            ("match_enqueue" | "match_status", _) => {
                self.wanted = None;
                self.later(now, REFUSED);
                let is_news = self.refused.as_deref() != Some(&code);
                self.refused = Some(code.clone());
                return is_news.then_some(code);
            }
            // Too late, most likely: the ticket tells.
            _ => {}
        }
        self.later(now, LOST);
        None
    }

    /// The matchmaker tells of a ticket.
    pub(super) fn heard(&mut self, payload: Value) {
        let Ok(told) = serde_json::from_value::<Told>(payload) else { return };
        let is_ours = match (&self.held, &self.wanted) {
            (Some(held), _) => held.id == told.id,
            (None, Some((id, _))) => *id == told.id,
            (None, None) => false,
        };
        if is_ours {
            self.take(told);
        } else if told.state != "over" {
            self.known = false;
        }
    }

    fn take(&mut self, told: Told) {
        if self.held.as_ref().is_some_and(|held| held.id == told.id && held.version > told.version) {
            return;
        }
        let at = match (told.state.as_str(), told.meeting) {
            ("waiting", _) => Some(At::Waiting),
            ("proposed", Some(meeting)) => Some(At::Proposed(meeting.id)),
            ("matched", Some(meeting)) => Some(At::Matched(meeting.id, meeting.conversation)),
            _ => None,
        };
        if self.wanted.as_ref().is_some_and(|(id, _)| *id == told.id) {
            self.wanted = None;
        }
        self.held = at.map(|at| Held { id: told.id, version: told.version, at });
    }

    /// What the bot has to know, once.
    pub(super) fn news(&mut self) -> Option<News> {
        let of = match self.held.as_ref().map(|held| &held.at) {
            Some(At::Matched(of, conversation)) => Some((*of, conversation.clone())),
            _ => None,
        };
        match (self.with, of) {
            (Some(with), of) if of.as_ref().is_none_or(|(of, _)| *of != with) => {
                self.talked();
                Some(News::Over)
            }
            (None, Some((of, Some(conversation)))) if self.free && self.done_with != Some(of) => {
                Some(News::Meet { of, conversation })
            }
            _ => None,
        }
    }

    fn later(&mut self, now: Instant, delay: Duration) {
        self.not_before = Some(now + delay.mul_f64(1.0 + fastrand::f64()));
    }
}

fn say(event: &'static str, payload: Value) -> Next {
    Next::Say(Word { event, payload })
}

/// Whether it is the same once more. Another ticket is: whoever cannot keep one does not need the next at once.
fn again(said: &Word, word: &Word) -> bool {
    said == word || (word.event == "match_enqueue" && said.event == word.event)
}

fn parsed(id: &str) -> Option<Uuid> {
    Uuid::parse_str(id).ok()
}

#[cfg(test)]
mod tests;
