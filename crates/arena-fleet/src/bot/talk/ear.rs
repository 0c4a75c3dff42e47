//! What is heard in a conversation, and what of it matters.

use crate::brain::Line;
use crate::channel::Present;
use crate::identity::Identity;
use serde_json::Value;

/// What a broadcast means to a bot.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Heard {
    /// Somebody else spoke, and it is for the bot to answer.
    Line {
        /// Who and what.
        line: Line,
        /// Whether the bot, or all, have one message left.
        last_word: bool,
        /// Whether a bot spoke, as far as it says so.
        by_bot: bool,
    },
    /// Somebody else spoke; nothing is to be said to that.
    Murmur,
    /// The bot, or all, have one message left.
    LastWord,
    /// More may be said than was so far.
    MoreToSay,
    /// Nothing more can be said: why.
    Over(&'static str),
    /// It is of no concern.
    Nothing,
}

/// What a broadcast of the conversation means to this bot.
pub(super) fn heard(me: &Identity, answers_bots: bool, event: &str, payload: &Value) -> Heard {
    match event {
        "message" => message(me, answers_bots, payload),
        "notice" if is_last_word(me, payload) => Heard::LastWord,
        "participant_blocked" if payload.get("participant").and_then(Value::as_str) == Some(&me.id) => {
            Heard::Over("participant_blocked")
        }
        "participant_removed" if payload.get("participant").and_then(Value::as_str) == Some(&me.id) => {
            Heard::Over("participant_removed")
        }
        "topped_up" | "configured" | "reopened" => Heard::MoreToSay,
        "exhausted" => Heard::Over("exhausted"),
        "conversation_blocked" => Heard::Over("conversation_blocked"),
        "deleted" => Heard::Over("deleted"),
        _ => Heard::Nothing,
    }
}

fn message(me: &Identity, answers_bots: bool, payload: &Value) -> Heard {
    let text = |key: &str| payload.get(key).and_then(Value::as_str);
    let author = text("author").or_else(|| text("name")).unwrap_or("somebody");
    let Some(said) = text("text") else { return Heard::Nothing };
    let notices = payload.get("notices").and_then(Value::as_array);
    let last_word = notices.is_some_and(|all| all.iter().any(|notice| is_last_word(me, notice)));
    if author == me.id {
        return if last_word { Heard::LastWord } else { Heard::Nothing };
    }
    let names_me = said.contains(&format!("@{}", me.id));
    let by_bot = by_bot(payload);
    let for_me = answers_bots || names_me || !by_bot;
    let context_only = payload.get("context_only").and_then(Value::as_bool).unwrap_or(false);
    if !for_me || context_only {
        return Heard::Murmur;
    }
    Heard::Line { line: Line { author: author.to_owned(), text: said.to_owned() }, last_word, by_bot }
}

/// Whether a bot said it, as far as it says so.
fn by_bot(payload: &Value) -> bool {
    let told = |value: Option<&Value>| value.and_then(Value::as_bool).unwrap_or(false);
    told(payload.get("bot")) || told(payload.get("data").and_then(|data| data.get("bot")))
}

fn is_last_word(me: &Identity, notice: &Value) -> bool {
    let whose = notice.get("participant").and_then(Value::as_str);
    notice.get("level").and_then(Value::as_str) == Some("last_message")
        && whose.is_none_or(|who| who == me.id)
}

/// The lines of a `context`'s answer, oldest first.
pub(super) fn history(response: &Value) -> Vec<Line> {
    let lines = response.get("last").and_then(Value::as_array).into_iter().flatten();
    lines
        .filter_map(|line| {
            let payload = line.get("payload").unwrap_or(line);
            let text = |key: &str| payload.get(key).and_then(Value::as_str).map(str::to_owned);
            Some(Line { author: text("author")?, text: text("text")? })
        })
        .collect()
}

/// Whether anybody is there to talk to.
#[derive(Debug, Default)]
pub(super) struct Company {
    present: Present,
    /// Where only a number is told: the number.
    crowd: Option<u64>,
    /// Whether somebody has been there.
    pub(super) had: bool,
}

impl Company {
    /// Takes news of the presence.
    pub(super) fn presence(&mut self, me: &str, event: &str, payload: &Value) {
        self.present.apply(event, payload);
        self.crowd = None;
        self.had |= self.any(me);
    }

    /// Takes a number that stands for names.
    pub(super) fn occupancy(&mut self, payload: &Value) {
        self.crowd = payload.get("count").and_then(Value::as_u64);
        self.had = true;
    }

    /// Whether somebody besides the bot is there.
    pub(super) fn any(&self, me: &str) -> bool {
        self.crowd.is_some_and(|count| count > 1) || self.present.anybody_but(me)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::BrainKind;
    use serde_json::json;

    fn check(event: &str, payload: Value, expected: Heard) {
        let me = Identity {
            id: "bot-ada".to_owned(),
            name: "Ada".to_owned(),
            persona: "guide".to_owned(),
            brain: BrainKind::Scripted,
            world: None,
        };
        assert_eq!(heard(&me, false, event, &payload), expected, "{event} {payload}");
    }

    fn line(author: &str, text: &str, last_word: bool) -> Heard {
        let line = Line { author: author.to_owned(), text: text.to_owned() };
        Heard::Line { line, last_word, by_bot: author == "bo" }
    }

    #[test]
    fn only_what_others_say_to_it_is_to_be_answered() {
        check("message", json!({ "author": "ann", "text": "hi" }), line("ann", "hi", false));
        check("message", json!({ "text": "hi" }), line("somebody", "hi", false));
        check("message", json!({ "author": "bot-ada", "text": "hi" }), Heard::Nothing);
        check("message", json!({ "author": "bo", "text": "hi", "data": { "bot": true } }), Heard::Murmur);
        check("message", json!({ "author": "bo", "text": "hi", "bot": true }), Heard::Murmur);
        let named = json!({ "author": "bo", "text": "hi @bot-ada", "bot": true });
        check("message", named, line("bo", "hi @bot-ada", false));
        check("message", json!({ "author": "ann", "text": "hi", "context_only": true }), Heard::Murmur);
        check("message", json!({ "author": "ann", "text": 7 }), Heard::Nothing);
        check("chat", json!({ "author": "ann", "text": "hi" }), Heard::Nothing);
    }

    #[test]
    fn the_last_word_is_its_own_or_everybodys() {
        let with = |notice: Value| json!({ "author": "ann", "text": "hi", "notices": [notice] });
        check("message", with(json!({ "level": "last_message" })), line("ann", "hi", true));
        check(
            "message",
            with(json!({ "level": "last_message", "participant": "bot-ada" })),
            line("ann", "hi", true),
        );
        check(
            "message",
            with(json!({ "level": "last_message", "participant": "ann" })),
            line("ann", "hi", false),
        );
        check("message", with(json!({ "level": "two_thirds" })), line("ann", "hi", false));
        check("notice", json!({ "level": "last_message" }), Heard::LastWord);
    }

    #[test]
    fn a_conversation_is_over_when_it_is_or_when_the_bot_may_say_no_more() {
        check("exhausted", json!({ "reason": "total_limit" }), Heard::Over("exhausted"));
        check("participant_blocked", json!({ "participant": "bot-ada" }), Heard::Over("participant_blocked"));
        check("participant_blocked", json!({ "participant": "ann" }), Heard::Nothing);
        check("deleted", json!({}), Heard::Over("deleted"));
    }
}
