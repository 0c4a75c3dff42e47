//! The built-in brain's lines: templates from `data/lines.json`, filled with names and zones.

use crate::brain::Temper;
use crate::hash::Fnv;
use crate::rng::Rng;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::LazyLock;

static LINES: LazyLock<Lines> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../data/lines.json")).expect("invariant: the shipped lines are valid")
});

/// How many of a conversation's lines are remembered so as not to repeat them.
pub(crate) const MEMORY: usize = 8;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lines {
    greetings: ByTemper,
    replies: ByTemper,
    topics: Vec<Topic>,
    zones: BTreeMap<String, Vec<String>>,
    anywhere: Vec<String>,
    farewells: ByTemper,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ByTemper {
    warm: Vec<String>,
    dry: Vec<String>,
    gloomy: Vec<String>,
    bold: Vec<String>,
}

impl ByTemper {
    fn of(&self, temper: Temper) -> &[String] {
        match temper {
            Temper::Warm => &self.warm,
            Temper::Dry => &self.dry,
            Temper::Gloomy => &self.gloomy,
            Temper::Bold => &self.bold,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Topic {
    #[serde(rename = "name")]
    _name: String,
    say: Vec<String>,
    answer: Vec<String>,
}

/// What a pair of lines is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Thread {
    /// The zone that the two stand in.
    Place,
    /// One of the topics of the data file.
    Topic(u8),
}

impl Thread {
    pub(crate) fn draw(rng: &mut Rng) -> Thread {
        if rng.chance(45) { Thread::Place } else { Thread::Topic(rng.below(LINES.topics.len() as u32) as u8) }
    }
}

/// Which part of a conversation a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Greeting,
    Reply,
    Opening(Thread),
    Answer(Thread),
    Farewell,
}

/// What the placeholders of a line stand for.
pub(crate) struct Scene<'a> {
    pub(crate) temper: Temper,
    pub(crate) you: &'a str,
    pub(crate) zone: &'a str,
    pub(crate) other_zone: &'a str,
}

/// A line that was not said before in this conversation, if there is one.
pub(crate) fn compose(part: Part, scene: &Scene<'_>, rng: &mut Rng, said: &mut [u16; MEMORY]) -> String {
    let choices = choices(part, scene, rng);
    let mut template = "";
    for _ in 0..4 {
        template = rng.pick(choices).map_or("…", String::as_str);
        if !said.contains(&mark(template)) {
            break;
        }
    }
    said.rotate_right(1);
    said[0] = mark(template);
    fill(template, scene)
}

fn choices(part: Part, scene: &Scene<'_>, rng: &mut Rng) -> &'static [String] {
    match part {
        Part::Greeting => LINES.greetings.of(scene.temper),
        Part::Reply => LINES.replies.of(scene.temper),
        Part::Farewell => LINES.farewells.of(scene.temper),
        Part::Opening(Thread::Place) | Part::Answer(Thread::Place) => match LINES.zones.get(kind(scene.zone))
        {
            Some(lines) if rng.chance(75) => lines,
            _ => &LINES.anywhere,
        },
        Part::Opening(Thread::Topic(n)) => &topic(n).say,
        Part::Answer(Thread::Topic(n)) => &topic(n).answer,
    }
}

fn topic(n: u8) -> &'static Topic {
    &LINES.topics[usize::from(n) % LINES.topics.len()]
}

/// `casino-12` is a casino too.
fn kind(zone: &str) -> &str {
    match zone.rsplit_once('-') {
        Some((kind, number)) if number.bytes().all(|b| b.is_ascii_digit()) => kind,
        _ => zone,
    }
}

/// A zone as one speaks of it.
fn spoken(zone: &str) -> String {
    match zone {
        "" => "the street".to_owned(),
        "downtown" => zone.to_owned(),
        _ => format!("the {}", kind(zone).replace('-', " ")),
    }
}

/// Replaces placeholders in one pass, so that a name which looks like a placeholder stays as it is.
fn fill(template: &str, scene: &Scene<'_>) -> String {
    let mut text = String::with_capacity(template.len() + scene.you.len() + 16);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let (key, tail) = after.split_once('}').unwrap_or((after, ""));
        match key {
            "you" => text.push_str(scene.you),
            "zone" => text.push_str(&spoken(scene.zone)),
            "other_zone" => text.push_str(&spoken(scene.other_zone)),
            _ => {}
        }
        rest = tail;
    }
    text.push_str(rest);
    text
}

fn mark(template: &str) -> u16 {
    let mut hash = Fnv::new();
    hash.bytes(template.as_bytes());
    hash.finish() as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_line() -> Vec<&'static String> {
        let of = |t: &'static ByTemper| [&t.warm, &t.dry, &t.gloomy, &t.bold].into_iter().flatten();
        let topics = LINES.topics.iter().flat_map(|t| t.say.iter().chain(&t.answer));
        let places = LINES.zones.values().flatten().chain(&LINES.anywhere);
        let lines = of(&LINES.greetings).chain(of(&LINES.replies)).chain(of(&LINES.farewells));
        lines.chain(topics).chain(places).collect()
    }

    #[test]
    fn every_line_has_only_known_placeholders_and_is_short() {
        let scene = Scene { temper: Temper::Dry, you: "Ada", zone: "casino", other_zone: "dark-alley" };
        for line in every_line() {
            let mut plain = line.clone();
            for known in ["{you}", "{zone}", "{other_zone}"] {
                plain = plain.replace(known, "");
            }
            assert!(!plain.contains(['{', '}']), "{line}");
            assert!(fill(line, &scene).chars().count() <= 200, "{line}");
        }
        assert!(every_line().len() >= 100);
    }

    #[test]
    fn a_name_that_looks_like_a_placeholder_stays_a_name() {
        let scene = Scene { temper: Temper::Dry, you: "{zone}", zone: "casino-12", other_zone: "" };
        assert_eq!(
            fill("{you}, in {zone}, not {other_zone}!", &scene),
            "{zone}, in the casino, not the street!"
        );
    }

    #[test]
    fn every_temper_and_topic_has_lines() {
        for temper in [Temper::Warm, Temper::Dry, Temper::Gloomy, Temper::Bold] {
            for lines in [&LINES.greetings, &LINES.replies, &LINES.farewells] {
                assert!(lines.of(temper).len() >= 3);
            }
        }
        assert!(LINES.topics.iter().all(|topic| topic.say.len() >= 3 && topic.answer.len() >= 3));
    }
}
