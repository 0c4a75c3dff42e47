//! A bot that is asked whether it is one says so. No persona's file and no model decides about that.

use super::words::words;

/// What is said where a persona has no disclosures of its own.
pub(super) const DISCLOSURES: [&str; 3] = [
    "I am a bot. There is no human behind my lines.",
    "I'm a bot, just as my badge says.",
    "A bot, honestly. Is that all right with you?",
];

/// What somebody is asked to be, or said to be.
#[rustfmt::skip]
const KINDS: [&str; 41] = [
    "bot", "chatbot", "robot", "ai", "human", "machine", "program", "gpt", "chatgpt", "llm", "real", "person", "automated", "computer", "npc", "script", "fake",
    "mensch", "roboter", "maschine", "ki", "echt", "humain", "humaine", "ia", "humano", "humana", "máquina", "umano", "umana", "robô", "mens",
    "människa", "człowiekiem", "botem", "robotem", "человек", "бот", "робот", "живой", "living",
];

/// What comes before that in a question.
#[rustfmt::skip]
const OPENERS: [&[&str]; 39] = [
    &["are", "you"], &["r", "u"], &["are", "u"], &["ru"], &["you", "are"], &["youre"], &["u", "r"], &["ur"], &["arent", "you"], &["you", "a"], &["you", "an"],
    &["is", "this"], &["is", "that"], &["is", "it"], &["talking", "to"], &["talking", "with"], &["speaking", "to"], &["speaking", "with"], &["chatting", "with"], &["being"],
    &["bist", "du"], &["sind", "sie"], &["du", "bist"], &["es", "tu"], &["tu", "es"], &["êtes", "vous"], &["vous", "êtes"], &["eres"], &["es", "usted"],
    &["sei"], &["você", "é"], &["tu", "és"], &["ben", "je"], &["är", "du"], &["jesteś"], &["ты"], &["вы"], &["these"], &["any", "of"],
];

/// How many words may lie between the two: `are you` by any chance a real `human`.
const APART: usize = 5;

/// Words that say that a bot is a bot.
const BOTS: [&str; 12] =
    ["bot", "chatbot", "robot", "ai", "ki", "ia", "machine", "roboter", "robô", "botem", "бот", "робот"];

/// How somebody denies it: what comes right before the kind, or the human that is claimed to be.
#[rustfmt::skip]
const DENIALS: [&[&str]; 20] = [
    &["not", "a", "bot"], &["not", "an", "ai"], &["not", "a", "chatbot"], &["not", "a", "robot"], &["not", "a", "machine"], &["no", "bot"], &["am", "human"], &["im", "human"],
    &["am", "a", "human"], &["im", "a", "human"], &["am", "a", "person"], &["im", "a", "person"], &["a", "real", "person"], &["a", "real", "human"], &["am", "real"],
    &["kein", "bot"], &["keine", "ki"], &["bin", "ein", "mensch"], &["pas", "un", "robot"], &["human", "like", "you"],
];

/// Whether somebody asks whether the bot is a bot.
pub(crate) fn is_asked(text: &str) -> bool {
    let words = words(text);
    let is_kind = |word: &String| KINDS.contains(&word.as_str());
    let asks = text.contains(['?', '？']);
    if asks && words.len() <= 3 && words.iter().any(is_kind) {
        return true;
    }
    OPENERS
        .iter()
        .any(|opener| ends_of(&words, opener).any(|end| words[end..].iter().take(APART).any(is_kind)))
}

/// Whether a line says that its author is a bot, and does not take it back.
pub(crate) fn admits(text: &str) -> bool {
    words(text).iter().any(|word| BOTS.contains(&word.as_str())) && !denies(text)
}

/// Whether a line begins as the answer to one question and not to its opposite: people ask for a bot and for a human.
pub(crate) fn takes_sides(text: &str) -> bool {
    words(text)
        .first()
        .is_some_and(|word| ["yes", "yep", "yeah", "no", "nope", "right", "exactly"].contains(&word.as_str()))
}

/// Whether a line says that its author is no bot.
pub(crate) fn denies(text: &str) -> bool {
    let words = words(text);
    DENIALS.iter().any(|denial| ends_of(&words, denial).next().is_some())
}

/// Where the phrase ends, each time that it is in these words.
fn ends_of<'a>(words: &'a [String], phrase: &'a [&str]) -> impl Iterator<Item = usize> + 'a {
    let at = words.windows(phrase.len()).enumerate();
    at.filter(|(_, window)| window.iter().eq(phrase.iter())).map(|(at, _)| at + phrase.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_is_known_in_many_words() {
        for text in [
            "are you a bot?",
            "Are you human",
            "r u real",
            "wait... are you, by any chance, a real human?",
            "You're a bot, aren't you?",
            "am I talking to a machine",
            "is this an AI?",
            "bot?",
            "You human?",
            "real person??",
            "Bist du ein Mensch?",
            "Es-tu un robot ?",
            "ты бот?",
        ] {
            assert!(is_asked(text), "{text}");
        }
    }

    #[test]
    fn other_talk_is_not_that_question() {
        for text in [
            "hello",
            "how are you today?",
            "where are you from?",
            "I really like robots in films.",
            "what is the weather like?",
            "are you hungry?",
        ] {
            assert!(!is_asked(text), "{text}");
        }
    }

    #[test]
    fn a_denial_is_no_disclosure() {
        assert!(DISCLOSURES.iter().all(|line| admits(line)));
        assert!(!admits("I am not a bot."));
        assert!(!admits("What a nice day."));
        assert!(denies("Of course I'm human, silly."));
        assert!(!denies("I am a bot, not somebody real."));
    }
}
