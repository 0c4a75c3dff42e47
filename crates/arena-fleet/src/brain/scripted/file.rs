//! The file of a persona.

use super::honesty;
use super::persona::{Lines, Persona, Rule, Silence, Typing};
use super::words::Pattern;
use crate::brain::error::BrainsError;
use serde::Deserialize;
use std::ops::{Range, RangeInclusive};
use std::time::Duration;
use toml::Spanned;

/// The longest line, in characters: it has to fit into a world's bubble as well.
const MAX_LINE: usize = 280;
/// The longest name, and what it may consist of: it is a file's name, and a word of reports.
const MAX_NAME: usize = 40;

/// A persona as it is written down.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: Spanned<String>,
    #[serde(default)]
    about: String,
    asks_back: Option<Spanned<f64>>,
    #[serde(default)]
    typing: TypingTable,
    #[serde(default)]
    silence: SilenceTable,
    lines: Spanned<LinesTable>,
    #[serde(default)]
    rules: Vec<RuleTable>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct TypingTable {
    chars_per_second: Option<Spanned<f64>>,
    think_ms: Option<Spanned<[u64; 2]>>,
    jitter: Option<Spanned<f64>>,
    at_least_ms: Option<Spanned<u64>>,
    at_most_ms: Option<Spanned<u64>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct SilenceTable {
    nudge_after_seconds: Option<Spanned<u64>>,
    goodbye_after_seconds: Option<Spanned<u64>>,
}

type Texts = Vec<Spanned<String>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LinesTable {
    greetings: Spanned<Texts>,
    goodbyes: Spanned<Texts>,
    small_talk: Spanned<Texts>,
    #[serde(default)]
    questions: Texts,
    #[serde(default)]
    reactions: Texts,
    #[serde(default)]
    unsure: Texts,
    #[serde(default)]
    nudges: Texts,
    disclosures: Option<Spanned<Texts>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleTable {
    when: Spanned<Texts>,
    say: Spanned<Texts>,
    #[serde(default)]
    priority: i64,
    #[serde(default)]
    ends: bool,
    #[serde(default = "yes")]
    asks_back: bool,
}

fn yes() -> bool {
    true
}

/// Something that is wrong, and where.
struct Wrong {
    at: Range<usize>,
    problem: String,
}

type Checked<T> = Result<T, Wrong>;

fn wrong<T>(at: Range<usize>, problem: impl Into<String>) -> Checked<T> {
    Err(Wrong { at, problem: problem.into() })
}

/// Reads the text of a file that is called `file` where something is wrong with it.
pub(crate) fn parse(file: &str, text: &str) -> Result<Persona, BrainsError> {
    let fail = |at: usize, problem: String| BrainsError::Persona {
        file: file.to_owned(),
        line: text.as_bytes()[..at.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1,
        problem,
    };
    let read: File = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        fail(at, error.message().trim().replace('\n', "; "))
    })?;
    check(read).map_err(|found| fail(found.at.start, found.problem))
}

fn check(file: File) -> Checked<Persona> {
    let typing = typing(file.typing)?;
    let silence = silence(file.silence)?;
    let mut rules = file.rules.into_iter().map(rule).collect::<Checked<Vec<_>>>()?;
    // Stable: of equal ones the first in the file.
    rules.sort_by_key(|rule| std::cmp::Reverse(rule.priority));
    Ok(Persona {
        name: name(file.name)?,
        about: file.about.trim().to_owned(),
        asks_back: within("asks_back", file.asks_back, 0.5, 0.0..=1.0)?,
        typing,
        silence,
        lines: lines(file.lines.into_inner())?,
        rules,
    })
}

fn name(name: Spanned<String>) -> Checked<String> {
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let text = name.get_ref();
    if text.is_empty() || text.len() > MAX_NAME || !text.chars().all(fine) {
        let allowed = format!("name: 1 to {MAX_NAME} of `a-z`, `0-9` and `-` are allowed, not `{text}`");
        return wrong(name.span(), allowed);
    }
    Ok(name.into_inner())
}

fn typing(table: TypingTable) -> Checked<Typing> {
    let chars_per_second = within("typing.chars_per_second", table.chars_per_second, 9.0, 0.5..=1_000.0)?;
    let jitter = within("typing.jitter", table.jitter, 0.25, 0.0..=1.0)?;
    let at_least = within("typing.at_least_ms", table.at_least_ms, 600, 0..=60_000)?;
    let span = table.at_most_ms.as_ref().map(Spanned::span);
    let at_most = within("typing.at_most_ms", table.at_most_ms, 9_000.max(at_least), 0..=60_000)?;
    if at_most < at_least {
        return wrong(span.unwrap_or(0..0), "typing.at_most_ms: it must not be less than typing.at_least_ms");
    }
    let span = table.think_ms.as_ref().map_or(0..0, Spanned::span);
    let [from, to] = table.think_ms.map_or([400, 1_500], Spanned::into_inner);
    if from > to || to > 60_000 {
        return wrong(span, "typing.think_ms: two numbers of milliseconds, the smaller first, 60000 at most");
    }
    Ok(Typing {
        chars_per_second,
        think: (Duration::from_millis(from), Duration::from_millis(to)),
        jitter,
        at_least: Duration::from_millis(at_least),
        at_most: Duration::from_millis(at_most),
    })
}

fn silence(table: SilenceTable) -> Checked<Silence> {
    let nudge = within("silence.nudge_after_seconds", table.nudge_after_seconds, 45, 1..=86_400)?;
    let span = table.goodbye_after_seconds.as_ref().map_or(0..0, Spanned::span);
    let goodbye =
        within("silence.goodbye_after_seconds", table.goodbye_after_seconds, 180.max(nudge), 1..=86_400)?;
    if goodbye < nudge {
        return wrong(
            span,
            "silence.goodbye_after_seconds: it must not be less than silence.nudge_after_seconds",
        );
    }
    Ok(Silence { nudge_after: Duration::from_secs(nudge), goodbye_after: Duration::from_secs(goodbye) })
}

fn lines(table: LinesTable) -> Checked<Lines> {
    let disclosures = match table.disclosures {
        Some(given) => honest(at_least("lines.disclosures", given, 2)?)?,
        None => honesty::DISCLOSURES.map(str::to_owned).to_vec(),
    };
    Ok(Lines {
        greetings: texts("lines.greetings", at_least("lines.greetings", table.greetings, 1)?)?,
        goodbyes: texts("lines.goodbyes", at_least("lines.goodbyes", table.goodbyes, 1)?)?,
        small_talk: texts("lines.small_talk", at_least("lines.small_talk", table.small_talk, 3)?)?,
        questions: texts("lines.questions", table.questions)?,
        reactions: texts("lines.reactions", table.reactions)?,
        unsure: texts("lines.unsure", table.unsure)?,
        nudges: texts("lines.nudges", table.nudges)?,
        disclosures,
    })
}

fn rule(table: RuleTable) -> Checked<Rule> {
    let mut when = Vec::new();
    for text in at_least("rules.when", table.when, 1)? {
        match Pattern::parse(text.get_ref()) {
            Ok(pattern) => when.push(pattern),
            Err(error) => return wrong(text.span(), format!("rules.when: {error}")),
        }
    }
    let say = texts("rules.say", at_least("rules.say", table.say, 1)?)?;
    Ok(Rule { when, say, priority: table.priority, ends: table.ends, asks_back: table.asks_back })
}

fn within<T: PartialOrd + Copy + std::fmt::Display>(
    key: &str,
    given: Option<Spanned<T>>,
    default: T,
    allowed: RangeInclusive<T>,
) -> Checked<T> {
    match given {
        Some(value) if !allowed.contains(value.get_ref()) => {
            let (from, to) = (allowed.start(), allowed.end());
            wrong(value.span(), format!("{key}: {from} to {to} is allowed, not {}", value.get_ref()))
        }
        Some(value) => Ok(value.into_inner()),
        None => Ok(default),
    }
}

fn at_least(key: &str, given: Spanned<Texts>, count: usize) -> Checked<Texts> {
    if given.get_ref().len() < count {
        return wrong(given.span(), format!("{key}: at least {count} are needed"));
    }
    Ok(given.into_inner())
}

fn texts(key: &str, given: Texts) -> Checked<Vec<String>> {
    given.into_iter().map(|text| line(key, text)).collect()
}

/// A line: something to be seen, not too much, and no placeholder but `{name}`.
fn line(key: &str, text: Spanned<String>) -> Checked<String> {
    let span = text.span();
    let trimmed = text.get_ref().trim();
    if trimmed.is_empty() || trimmed.chars().count() > MAX_LINE {
        return wrong(span, format!("{key}: a line has 1 to {MAX_LINE} characters"));
    }
    if trimmed.replace("{name}", "").contains(['{', '}']) {
        return wrong(
            span,
            format!("{key}: `{{name}}`, the bot's own name, is all that may stand in braces"),
        );
    }
    Ok(trimmed.to_owned())
}

/// Disclosures disclose.
fn honest(given: Texts) -> Checked<Vec<String>> {
    for text in &given {
        if !honesty::admits(text.get_ref()) || honesty::takes_sides(text.get_ref()) {
            return wrong(
                text.span(),
                "lines.disclosures: each must say that it is a bot, with the word `bot`, must not deny it, and must \
                 not begin with yes or no: it answers `are you a bot?` and `are you human?` alike",
            );
        }
    }
    texts("lines.disclosures", given)
}
