//! A viewer of a world's topic, as `docs/realtime.md` describes one: a snapshot, and deltas applied to it.

use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// How far a walker may be from where a viewer draws it, in tiles: positions and speeds are rounded.
const NEAR: f64 = 0.06;

#[derive(Debug, Clone)]
pub(crate) struct Viewer {
    tick: u64,
    tick_ms: f64,
    residents: BTreeMap<String, Seen>,
    /// Who invited, who was invited, and how far it has come.
    talks: BTreeMap<u64, (Value, Value, String)>,
    /// Who said what.
    pub(crate) heard: Vec<(String, String)>,
}

#[derive(Debug, Clone)]
struct Seen {
    /// As it was told last.
    told: Map<String, Value>,
    /// At which tick.
    at: u64,
}

impl Viewer {
    pub(crate) fn new(snapshot: &[u8]) -> Viewer {
        let snapshot: Value = serde_json::from_slice(snapshot).unwrap();
        let tick = snapshot["tick"].as_u64().unwrap();
        let see =
            |told: &Value| (text(&told["id"]), Seen { told: told.as_object().unwrap().clone(), at: tick });
        let talk = |talk: &Value| {
            let state = (talk["a"].clone(), talk["b"].clone(), text(&talk["state"]));
            (talk["conversation"].as_u64().unwrap(), state)
        };
        Viewer {
            tick,
            tick_ms: snapshot["tick_ms"].as_f64().unwrap(),
            residents: list(&snapshot, "residents").map(see).collect(),
            talks: list(&snapshot, "conversations").map(talk).collect(),
            heard: Vec::new(),
        }
    }

    pub(crate) fn tick(&self) -> u64 {
        self.tick
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        self.residents.keys().map(String::as_str)
    }

    pub(crate) fn told_of(&self, id: &str) -> Option<&Map<String, Value>> {
        self.residents.get(id).map(|seen| &seen.told)
    }

    pub(crate) fn apply(&mut self, delta: &[u8]) {
        let delta: Value = serde_json::from_slice(delta).unwrap();
        let tick = delta["tick"].as_u64().unwrap();
        assert!(tick > self.tick, "tick {tick} after {}", self.tick);
        self.tick = tick;
        for id in list(&delta, "left") {
            self.residents.remove(&text(id)).expect("only a resident leaves");
        }
        for joined in list(&delta, "joined") {
            let seen = Seen { told: joined.as_object().unwrap().clone(), at: tick };
            assert!(self.residents.insert(text(&joined["id"]), seen).is_none(), "nobody joins twice");
        }
        for moved in list(&delta, "moved") {
            let seen = self.residents.get_mut(&text(&moved["id"])).expect("only a resident moves");
            seen.at = tick;
            ["to", "emote"].into_iter().for_each(|key| drop(seen.told.remove(key)));
            let implied = if moved.get("to").is_some() { "walking" } else { "idle" };
            seen.told.insert("activity".to_owned(), implied.into());
            seen.told.extend(moved.as_object().unwrap().clone());
        }
        self.apply_talk(&delta);
    }

    fn apply_talk(&mut self, delta: &Value) {
        let id = |talk: &Value| talk["conversation"].as_u64().unwrap();
        for talk in list(delta, "invited") {
            let state = (talk["a"].clone(), talk["b"].clone(), "invited".to_owned());
            assert!(self.talks.insert(id(talk), state).is_none(), "an invitation is new");
        }
        for talk in list(delta, "accepted") {
            self.talks.get_mut(&id(talk)).expect("it was invited to").2 = "approaching".to_owned();
        }
        for talk in list(delta, "met") {
            let known = self.talks.get_mut(&id(talk)).expect("it was accepted");
            *known = (talk["a"].clone(), talk["b"].clone(), "talking".to_owned());
        }
        for said in list(delta, "said") {
            self.heard.push((text(&said["id"]), text(&said["text"])));
        }
        for talk in list(delta, "ended") {
            self.talks.remove(&id(talk)).expect("it went on");
        }
    }

    /// Whether this viewer sees what the world was at that snapshot, whose tick it has heard everything of.
    pub(crate) fn agree(&self, snapshot: &[u8]) -> Result<(), String> {
        let truth = Viewer::new(snapshot);
        if !self.residents.keys().eq(truth.residents.keys()) {
            return Err(format!(
                "who is there: {:?}, truly {:?}",
                self.residents.keys(),
                truth.residents.keys()
            ));
        }
        if self.talks != truth.talks {
            return Err(format!("who talks: {:?}, truly {:?}", self.talks, truth.talks));
        }
        for (id, seen) in &self.residents {
            self.compare(seen, &truth.residents[id], truth.tick).map_err(|what| format!("{id}: {what}"))?;
        }
        Ok(())
    }

    fn compare(&self, seen: &Seen, truth: &Seen, now: u64) -> Result<(), String> {
        let fixed = |told: &Map<String, Value>| {
            let mut told = told.clone();
            if told.contains_key("to") {
                ["x", "y"].into_iter().for_each(|key| drop(told.remove(key)));
            }
            told
        };
        if fixed(&seen.told) != fixed(&truth.told) {
            return Err(format!("{:?}, truly {:?}", seen.told, truth.told));
        }
        let (drawn, real) = (self.drawn(seen, now), self.drawn(truth, now));
        if (drawn.0 - real.0).abs().max((drawn.1 - real.1).abs()) > NEAR {
            return Err(format!(
                "drawn at {drawn:?}, truly at {real:?}: {:?} told at {}",
                seen.told, seen.at
            ));
        }
        Ok(())
    }

    /// Where it is drawn at a tick: a walker goes on as it was told.
    fn drawn(&self, seen: &Seen, now: u64) -> (f64, f64) {
        let number = |key: &str| seen.told[key].as_f64().unwrap();
        if !seen.told.contains_key("to") {
            return (number("x"), number("y"));
        }
        let way = number("speed") * (now - seen.at) as f64 * self.tick_ms / 1_000.0;
        let angle = number("heading").to_radians();
        (number("x") + way * angle.sin(), number("y") - way * angle.cos())
    }
}

fn list<'a>(object: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    object.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
