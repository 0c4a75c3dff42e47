//! News as lines for people.

use super::feed::News;
use super::residents::{Residents, list};
use crate::render::{Color, Style, clean};
use serde_json::Value;
use std::fmt::Write;

/// Longest payload that is shown, in characters.
const MAX_SHOWN: usize = 400;

/// Turns news into lines; of worlds it remembers the names of the residents.
pub(super) struct Lines {
    topic: String,
    residents: Residents,
    style: Style,
    /// Whether the topic is a world's, whose messages have a meaning.
    world: bool,
    seen: bool,
}

impl Lines {
    pub(super) fn new(topic: &str, style: Style) -> Lines {
        let world = topic.starts_with("world:");
        Lines { topic: topic.to_owned(), residents: Residents::default(), style, world, seen: false }
    }

    /// The lines of one piece of news; none where it is of no interest to people.
    pub(super) fn of(&mut self, news: &News) -> String {
        match news {
            News::Joined { response } => self.joined(response),
            News::Message { event, payload, .. } if self.world && event == "snapshot" => {
                self.snapshot(payload)
            }
            News::Message { event, payload, .. } if self.world && event == "delta" => self.delta(payload),
            News::Message { event, payload, .. } => format!("{event}  {}\n", shown(payload)),
            News::Notice { event, payload } if event == "presence_diff" => presence(payload),
            News::Notice { event, payload } if event == "system" => {
                format!(
                    "{}\n",
                    self.style.paint(payload["message"].as_str().unwrap_or_default(), Color::Yellow)
                )
            }
            News::Notice { event, payload } if event == "presence_state" => {
                let keys: Vec<&str> = payload
                    .as_object()
                    .map(|keys| keys.keys().map(String::as_str).collect())
                    .unwrap_or_default();
                if keys.is_empty() { String::new() } else { format!("present: {}\n", keys.join(", ")) }
            }
            News::Notice { .. } => String::new(),
        }
    }

    fn joined(&mut self, response: &Value) -> String {
        let mut out = match (&response["recovered"], self.seen) {
            (Value::Bool(true), _) => format!("back on {}: nothing was missed\n", self.topic),
            (Value::Bool(false), true) => format!("back on {}: some of it was missed\n", self.topic),
            _ => format!("watching {}\n", self.topic),
        };
        self.seen = true;
        out = self.style.paint(out.trim_end(), Color::Dim) + "\n";
        if !response["snapshot"].is_null() {
            out.push_str(&self.snapshot(&response["snapshot"]));
        }
        out
    }

    fn snapshot(&mut self, snapshot: &Value) -> String {
        self.residents.reset(snapshot);
        let line = format!("{} residents at tick {}", self.residents.len(), snapshot["tick"]);
        self.style.paint(&line, Color::Dim) + "\n"
    }

    /// One line for each thing that people would notice; turns and zones are not among them.
    fn delta(&mut self, delta: &Value) -> String {
        let mut out = String::new();
        for id in list(&delta["left"]) {
            line(&mut out, &self.residents.remove(id), "leaves");
        }
        self.residents.add(&delta["joined"]);
        for resident in list(&delta["joined"]) {
            let place = format!("comes, at {}", place(resident));
            line(&mut out, resident["name"].as_str().unwrap_or_default(), &place);
        }
        for moved in list(&delta["moved"]) {
            if self.residents.sets_out(&moved["id"], &moved["to"]) {
                let way = format!("walks from {} to {},{}", place(moved), moved["to"][0], moved["to"][1]);
                line(&mut out, self.residents.name(&moved["id"]), &way);
            }
        }
        let name = |entry: &Value, key: &str| self.residents.name(&entry[key]).to_owned();
        for emoted in list(&delta["emoted"]) {
            line(&mut out, &name(emoted, "id"), &format!("shows: {}", text(&emoted["emote"])));
        }
        for met in list(&delta["met"]) {
            line(&mut out, &name(met, "a"), &format!("meets {}", name(met, "b")));
        }
        for said in list(&delta["said"]) {
            line(&mut out, &name(said, "id"), &format!("says: {}", text(&said["text"])));
        }
        out
    }
}

fn line(out: &mut String, who: &str, what: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(out, "{} {}", clean(who), clean(what));
}

fn place(entry: &Value) -> String {
    format!("{},{}", entry["x"], entry["y"])
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn presence(diff: &Value) -> String {
    let mut out = String::new();
    let keys =
        |part: &str| diff[part].as_object().map(|keys| keys.keys().cloned().collect()).unwrap_or_default();
    let (joins, leaves): (Vec<String>, Vec<String>) = (keys("joins"), keys("leaves"));
    for key in joins.iter().filter(|key| !leaves.contains(key)) {
        line(&mut out, key, "is present");
    }
    for key in leaves.iter().filter(|key| !joins.contains(key)) {
        line(&mut out, key, "is gone");
    }
    out
}

fn shown(payload: &Value) -> String {
    let text = payload.to_string();
    let clipped: String = text.chars().take(MAX_SHOWN).collect();
    if clipped.len() < text.len() { clean(&clipped) + "…" } else { clean(&text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn message(event: &str, payload: Value) -> News {
        News::Message { event: event.to_owned(), payload, meta: Value::Null }
    }

    #[test]
    fn a_world_reads_like_a_story() {
        let mut lines = Lines::new("world:main", Style::PLAIN);
        let ada = json!({ "id": "1", "name": "Ada\u{1b}[2J", "x": 4, "y": 5 });
        let joined = json!({ "snapshot": { "tick": 7, "residents": [ada] } });
        assert_eq!(
            lines.of(&News::Joined { response: joined }),
            "watching world:main\n1 residents at tick 7\n"
        );
        let delta = json!({
            "joined": [{ "id": "2", "name": "Bo", "x": 1, "y": 2 }],
            "moved": [{ "id": "1", "x": 4, "y": 5, "to": [9, 9] }, { "id": "1", "x": 4, "y": 5 }],
            "said": [{ "id": "2", "text": "hello" }],
        });
        assert_eq!(
            lines.of(&message("delta", delta)),
            "Bo comes, at 1,2\nAda [2J walks from 4,5 to 9,9\nBo says: hello\n"
        );
        assert_eq!(lines.of(&message("delta", json!({ "left": ["2"] }))), "Bo leaves\n");
    }

    #[test]
    fn other_topics_show_what_they_carry() {
        let mut lines = Lines::new("lobby:a", Style::PLAIN);
        assert_eq!(lines.of(&message("chat", json!({ "text": "hi" }))), "chat  {\"text\":\"hi\"}\n");
        let diff = json!({ "joins": { "ann": {}, "bo": {} }, "leaves": { "bo": {}, "cy": {} } });
        let notice = News::Notice { event: "presence_diff".to_owned(), payload: diff };
        assert_eq!(lines.of(&notice), "ann is present\ncy is gone\n");
    }
}
