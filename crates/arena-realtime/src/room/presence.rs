//! Who is present in a room, and what has changed since its members were last told.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// One appearance under a key: one member that tracks itself.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Meta {
    reference: u64,
    /// A JSON object, as its client sent it.
    payload: Arc<str>,
}

/// Every appearance, by key and member.
type Metas = BTreeMap<At, Meta>;

/// A key, and the member by the serial of its join: places in a room are used again, serials never.
type At = (Arc<str>, u64);

/// The presence of one room.
///
/// Changes are collected until they are [taken](Presence::take_diff): however often somebody tracks in between, the
/// members hear of one leave and one join.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    metas: Metas,
    /// What the members know of each appearance that has changed since.
    told: BTreeMap<At, Option<Meta>>,
}

/// References are unique in the process; clients only compare them.
static NEXT_REFERENCE: AtomicU64 = AtomicU64::new(1);

impl Presence {
    /// A member appears under a key, or changes what it shows. Returns whether that changed anything. `payload` is a
    /// JSON object.
    pub(crate) fn track(&mut self, key: &Arc<str>, member: u64, payload: &str) -> bool {
        let at = (Arc::clone(key), member);
        let known = self.metas.get(&at).cloned();
        if known.as_ref().is_some_and(|meta| *meta.payload == *payload) {
            return false;
        }
        self.told.entry(at.clone()).or_insert(known);
        let reference = NEXT_REFERENCE.fetch_add(1, Ordering::Relaxed);
        self.metas.insert(at, Meta { reference, payload: payload.into() });
        true
    }

    /// A member disappears. Returns whether it was there.
    pub(crate) fn untrack(&mut self, key: &Arc<str>, member: u64) -> bool {
        let at = (Arc::clone(key), member);
        let Some(known) = self.metas.remove(&at) else { return false };
        if let Entry::Vacant(told) = self.told.entry(at) {
            told.insert(Some(known));
        }
        true
    }

    /// How many appearances there are.
    pub(crate) fn len(&self) -> usize {
        self.metas.len()
    }

    /// Everybody whom the members have been told of, as `presence_state` carries it: whoever gets it gets the next
    /// diff like everybody else.
    pub(crate) fn state_as_told(&self) -> String {
        let unchanged = self.metas.iter().filter(|(at, _)| !self.told.contains_key(at));
        let before = self.told.iter().filter_map(|(at, before)| Some((at, before.as_ref()?)));
        let known: BTreeMap<&At, &Meta> = unchanged.chain(before).collect();
        let mut out = String::with_capacity(64 * known.len() + 2);
        write_keys(&mut out, known.into_iter().map(|((key, _), meta)| (key, meta, None)));
        out
    }

    /// What has changed since the last call, as `presence_diff` carries it; `None` if that is nothing.
    pub(crate) fn take_diff(&mut self) -> Option<String> {
        let told = std::mem::take(&mut self.told);
        let now = |at: &At| self.metas.get(at);
        let changed: Vec<_> = told.iter().filter(|(at, before)| now(at) != before.as_ref()).collect();
        if changed.is_empty() {
            return None;
        }
        let joins = changed
            .iter()
            .filter_map(|(at, before)| Some((&at.0, now(at)?, before.as_ref().map(|meta| meta.reference))));
        let leaves = changed.iter().filter_map(|(at, before)| Some((&at.0, before.as_ref()?, None)));
        let mut out = String::from("{\"joins\":");
        write_keys(&mut out, joins);
        out.push_str(",\"leaves\":");
        write_keys(&mut out, leaves);
        out.push('}');
        Some(out)
    }

    /// Forgets that the members have not been told: they are about to be told everything, or nothing.
    pub(crate) fn forget_diff(&mut self) {
        self.told.clear();
    }
}

/// Writes `{key: {"metas": […]}}`. Equal keys have to follow each other.
fn write_keys<'a>(out: &mut String, metas: impl Iterator<Item = (&'a Arc<str>, &'a Meta, Option<u64>)>) {
    let mut last: Option<&str> = None;
    out.push('{');
    for (key, meta, previous) in metas {
        if last == Some(key) {
            out.push(',');
        } else {
            if last.is_some() {
                out.push_str("]},");
            }
            out.push_str(&serde_json::Value::from(&**key).to_string());
            out.push_str(":{\"metas\":[");
            last = Some(key);
        }
        write_meta(out, meta, previous);
    }
    out.push_str(if last.is_some() { "]}}" } else { "}" });
}

/// The references come last: a payload that brings its own does not replace them.
fn write_meta(out: &mut String, meta: &Meta, previous: Option<u64>) {
    let body = meta.payload.trim();
    let body = body.strip_prefix('{').and_then(|body| body.strip_suffix('}')).unwrap_or_default().trim();
    out.push('{');
    out.push_str(body);
    if !body.is_empty() {
        out.push(',');
    }
    if let Some(previous) = previous {
        // Writing to a string does not fail.
        let _ = write!(out, "\"phx_ref_prev\":\"{previous:x}\",");
    }
    let _ = write!(out, "\"phx_ref\":\"{:x}\"}}", meta.reference);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn key(text: &str) -> Arc<str> {
        text.into()
    }

    fn diff(presence: &mut Presence) -> Value {
        serde_json::from_str(&presence.take_diff().unwrap()).unwrap()
    }

    fn state(presence: &Presence) -> Value {
        serde_json::from_str(&presence.state_as_told()).unwrap()
    }

    #[test]
    fn an_update_is_one_diff_with_a_join_and_a_leave() {
        let mut presence = Presence::default();
        assert!(presence.track(&key("ann"), 1, r#"{"mood": "good"}"#));
        let first = diff(&mut presence);
        let reference = &first["joins"]["ann"]["metas"][0]["phx_ref"];
        assert_eq!(
            (&first["joins"]["ann"]["metas"][0]["mood"], &first["leaves"]),
            (&json!("good"), &json!({}))
        );
        assert!(!presence.track(&key("ann"), 1, r#"{"mood": "good"}"#), "nothing new");
        assert_eq!(presence.take_diff(), None);
        assert!(presence.track(&key("ann"), 1, "{}"));
        let second = diff(&mut presence);
        assert_eq!(&second["leaves"]["ann"]["metas"][0]["phx_ref"], reference);
        assert_eq!(&second["joins"]["ann"]["metas"][0]["phx_ref_prev"], reference);
        assert_ne!(&second["joins"]["ann"]["metas"][0]["phx_ref"], reference);
    }

    #[test]
    fn one_key_on_two_members_has_two_metas() {
        let mut presence = Presence::default();
        presence.track(&key("ann"), 1, "{}");
        presence.track(&key("ann"), 2, r#"{"phx_ref": "forged"}"#);
        presence.take_diff();
        let state = state(&presence);
        let metas = state["ann"]["metas"].as_array().unwrap();
        assert_eq!(metas.len(), 2);
        assert!(metas.iter().all(|meta| meta["phx_ref"] != "forged"));
    }

    #[test]
    fn nobody_is_an_empty_object() {
        assert_eq!(state(&Presence::default()), json!({}));
    }

    /// What a client makes of a diff.
    fn apply(known: &mut BTreeMap<String, BTreeMap<String, Value>>, diff: &Value) {
        for (key, entry) in diff["leaves"].as_object().unwrap() {
            for meta in entry["metas"].as_array().unwrap() {
                let gone = known.get_mut(key).unwrap().remove(meta["phx_ref"].as_str().unwrap());
                assert!(gone.is_some(), "a leave of somebody who never came");
            }
        }
        for (key, entry) in diff["joins"].as_object().unwrap() {
            for meta in entry["metas"].as_array().unwrap() {
                let mut meta = meta.clone();
                meta.as_object_mut().unwrap().remove("phx_ref_prev");
                let reference = meta["phx_ref"].as_str().unwrap().to_owned();
                known.entry(key.clone()).or_default().insert(reference, meta);
            }
        }
        known.retain(|_, metas| !metas.is_empty());
    }

    proptest! {
        #[test]
        fn the_diffs_add_up_to_the_state(steps in prop::collection::vec((0..3usize, 0..3u64, 0..4u8), 1..60)) {
            let mut presence = Presence::default();
            let (mut known, mut late) = (BTreeMap::new(), None);
            for (who, member, what) in steps {
                let key = key(["a", "b", "\"c"][who]);
                match what {
                    0 => { presence.untrack(&key, member); }
                    1 => {
                        if let Some(diff) = presence.take_diff() {
                            let diff = serde_json::from_str(&diff).unwrap();
                            apply(&mut known, &diff);
                            late.iter_mut().for_each(|late| apply(late, &diff));
                        }
                    }
                    // Whoever comes in the middle is told the state, and the diffs from there on.
                    2 if late.is_none() => {
                        let mut seen = BTreeMap::new();
                        apply(&mut seen, &json!({"joins": state(&presence), "leaves": {}}));
                        late = Some(seen);
                    }
                    n => { presence.track(&key, member, &format!("{{\"n\":{n}}}")); }
                }
            }
            if let Some(diff) = presence.take_diff() {
                let diff = serde_json::from_str(&diff).unwrap();
                apply(&mut known, &diff);
                late.iter_mut().for_each(|late| apply(late, &diff));
            }
            let mut seen = BTreeMap::new();
            apply(&mut seen, &json!({"joins": state(&presence), "leaves": {}}));
            prop_assert_eq!(&known, &seen);
            prop_assert_eq!(late.unwrap_or(seen), known);
        }
    }
}
