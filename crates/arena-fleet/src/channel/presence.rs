//! Who is present in a topic, put together from states and diffs.

use serde_json::Value;
use std::collections::BTreeMap;

/// Appearances that are kept at most; what comes beyond is not counted. Our gateway tells names of 200 only.
const APPEARANCES: usize = 10_000;

/// Whether a broadcast was sent by a client: those are numbered. What an endpoint says itself is not.
pub fn is_of_client(meta: &Value) -> bool {
    meta.get("offset").is_some() || meta.get("id").is_some()
}

/// One of the places at which somebody is present: a tab, a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appearance {
    /// What the endpoint calls it.
    reference: Box<str>,
    /// Whether it says that it is a bot.
    pub bot: bool,
    /// The run of the bot service that it belongs to, if it says so.
    pub fleet: Option<Box<str>>,
}

impl Appearance {
    fn of(meta: &Value) -> Appearance {
        let text = |key: &str| meta.get(key).and_then(Value::as_str);
        Appearance {
            reference: text("phx_ref").unwrap_or_default().into(),
            bot: meta.get("bot").and_then(Value::as_bool).unwrap_or(false),
            fleet: text("fleet").map(Box::from),
        }
    }
}

/// Who is present, by key.
#[derive(Debug, Clone, Default)]
pub struct Present {
    keys: BTreeMap<String, Vec<Appearance>>,
    count: usize,
}

impl Present {
    /// Takes a `presence_state` or a `presence_diff`; anything else changes nothing.
    pub fn apply(&mut self, event: &str, payload: &Value) {
        match event {
            "presence_state" => {
                *self = Present::default();
                self.join(payload);
            }
            // A change of what somebody shows is a join and a leave in one diff, so joins come first: nobody is gone
            // in between. References tell the two apart.
            "presence_diff" => {
                if let Some(joins) = payload.get("joins") {
                    self.join(joins);
                }
                if let Some(leaves) = payload.get("leaves") {
                    self.leave(leaves);
                }
            }
            _ => {}
        }
    }

    /// Everybody who is there, with where they appear.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[Appearance])> {
        self.keys.iter().map(|(key, appearances)| (key.as_str(), appearances.as_slice()))
    }

    /// Whether anybody besides this one is there.
    pub fn anybody_but(&self, key: &str) -> bool {
        self.keys.keys().any(|present| present != key)
    }

    fn join(&mut self, who: &Value) {
        for (key, metas) in entries(who) {
            for appearance in metas.iter().map(Appearance::of) {
                self.add(key, appearance);
            }
        }
    }

    fn add(&mut self, key: &str, appearance: Appearance) {
        let known = self.keys.get_mut(key);
        let known = known.and_then(|all| all.iter_mut().find(|a| a.reference == appearance.reference));
        match known {
            Some(known) => *known = appearance,
            None if self.count < APPEARANCES => {
                self.keys.entry(key.to_owned()).or_default().push(appearance);
                self.count += 1;
            }
            None => {}
        }
    }

    fn leave(&mut self, who: &Value) {
        for (key, metas) in entries(who) {
            let Some(appearances) = self.keys.get_mut(key) else { continue };
            let before = appearances.len();
            appearances
                .retain(|kept| !metas.iter().any(|meta| Appearance::of(meta).reference == kept.reference));
            self.count -= before - appearances.len();
            if appearances.is_empty() {
                self.keys.remove(key);
            }
        }
    }
}

fn entries(who: &Value) -> impl Iterator<Item = (&String, &Vec<Value>)> {
    let all = who.as_object().into_iter().flatten();
    all.filter_map(|(key, entry)| Some((key, entry.get("metas")?.as_array()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn keys(present: &Present) -> Vec<(&str, usize)> {
        present.iter().map(|(key, all)| (key, all.len())).collect()
    }

    #[test]
    fn a_state_replaces_everything_and_diffs_change_it() {
        let mut present = Present::default();
        present.apply("presence_state", &json!({ "old": { "metas": [{ "phx_ref": "0" }] } }));
        present.apply(
            "presence_state",
            &json!({ "ann": { "metas": [{ "phx_ref": "1" }, { "phx_ref": "2" }] } }),
        );
        assert_eq!(keys(&present), [("ann", 2)]);
        let diff = json!({
            "joins": { "bo": { "metas": [{ "phx_ref": "3", "bot": true, "fleet": "f" }] } },
            "leaves": { "ann": { "metas": [{ "phx_ref": "1" }] } }
        });
        present.apply("presence_diff", &diff);
        assert_eq!(keys(&present), [("ann", 1), ("bo", 1)]);
        let (_, bo) = present.iter().nth(1).unwrap();
        assert!(bo[0].bot && bo[0].fleet.as_deref() == Some("f"));
        present.apply("presence_diff", &json!({ "leaves": { "ann": { "metas": [{ "phx_ref": "2" }] } } }));
        assert_eq!(keys(&present), [("bo", 1)]);
        assert!(!present.anybody_but("bo") && present.anybody_but("ann"));
    }

    #[test]
    fn who_shows_something_else_stays_one() {
        let mut present = Present::default();
        present.apply("presence_state", &json!({ "ann": { "metas": [{ "phx_ref": "1" }] } }));
        let diff = json!({
            "joins": { "ann": { "metas": [{ "phx_ref": "2", "phx_ref_prev": "1" }] } },
            "leaves": { "ann": { "metas": [{ "phx_ref": "1" }] } }
        });
        present.apply("presence_diff", &diff);
        assert_eq!(keys(&present), [("ann", 1)]);
    }

    #[test]
    fn nonsense_is_nobody() {
        let mut present = Present::default();
        for payload in [json!(null), json!([1]), json!({ "a": 1 }), json!({ "a": { "metas": {} } })] {
            present.apply("presence_state", &payload);
            present.apply("presence_diff", &payload);
            present.apply("presence_diff", &json!({ "joins": payload, "leaves": payload }));
        }
        assert!(keys(&present).is_empty());
    }

    #[test]
    fn a_crowd_is_bounded_and_the_count_stays_right() {
        let mut present = Present::default();
        for n in 0..APPEARANCES + 50 {
            present.apply(
                "presence_diff",
                &json!({ "joins": { format!("k{n}"): { "metas": [{ "phx_ref": "r" }] } } }),
            );
        }
        assert_eq!(present.iter().count(), APPEARANCES);
        for n in 0..APPEARANCES + 50 {
            let leave = json!({ "leaves": { format!("k{n}"): { "metas": [{ "phx_ref": "r" }] } } });
            present.apply("presence_diff", &leave);
        }
        assert_eq!((present.iter().count(), present.count), (0, 0));
    }
}
