//! Other runs of the bot service in a lobby that tells numbers instead of names: each announces itself beside it.
//!
//! An announcement is a broadcast `fleet_here {"fleet", "bots", "ids"}` in a topic of its own, `fleets:<lobby>`, since it
//! would be heard by thousands in the lobby. It is believed like presence is: whoever may be there may say that they are
//! a fleet.

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The event of an announcement.
pub(super) const FLEET_HERE: &str = "fleet_here";
/// How often a fleet announces itself; chance takes off up to a fifth.
pub(super) const EVERY: Duration = Duration::from_secs(20);
/// The least time between two announcements, where the bots have changed.
pub(super) const CHANGES: Duration = Duration::from_secs(5);
/// The least time between two announcements, where another fleet is new.
pub(super) const GREETINGS: Duration = Duration::from_secs(1);

/// How long an announcement holds: two may get lost.
const HOLDS: Duration = Duration::from_secs(60);
/// Identities that an announcement names at most, some 20 KiB; further ones are only counted.
const IDS: usize = 2_000;
/// Bots that are believed of one fleet at most: as many as a roster has.
const BOTS: usize = 10_000;
/// Fleets that are remembered at most; one more is not heard.
const FLEETS: usize = 32;
/// Bytes of a fleet's or a bot's name at most.
const NAME: usize = 64;

#[derive(Debug)]
struct Announced {
    at: Instant,
    bots: usize,
    ids: BTreeSet<String>,
}

/// What other fleets announced lately, by their names.
#[derive(Debug, Default)]
pub(super) struct Others(BTreeMap<String, Announced>);

impl Others {
    /// Takes an announcement. Returns whether it is of a fleet that was not known before.
    pub(super) fn hear(&mut self, payload: &Value, instance: &str) -> bool {
        self.0.retain(|_, one| one.at.elapsed() < HOLDS);
        let Some(fleet) = payload.get("fleet").and_then(Value::as_str) else { return false };
        let is_new = !self.0.contains_key(fleet);
        if fleet == instance || fleet.len() > NAME || (is_new && self.0.len() >= FLEETS) {
            return false;
        }
        let ids = payload.get("ids").and_then(Value::as_array).into_iter().flatten();
        let ids = ids.filter_map(Value::as_str).filter(|id| id.len() <= NAME);
        let bots = payload.get("bots").and_then(Value::as_u64).unwrap_or(0);
        let announced = Announced {
            at: Instant::now(),
            bots: usize::try_from(bots).unwrap_or(usize::MAX).min(BOTS),
            ids: ids.take(IDS).map(str::to_owned).collect(),
        };
        self.0.insert(fleet.to_owned(), announced);
        is_new
    }

    fn here(&self) -> impl Iterator<Item = (&str, &Announced)> {
        self.0.iter().filter(|(_, one)| one.at.elapsed() < HOLDS).map(|(fleet, one)| (fleet.as_str(), one))
    }

    /// Their names.
    pub(super) fn fleets(&self) -> BTreeSet<&str> {
        self.here().map(|(fleet, _)| fleet).collect()
    }

    /// How many bots they have in the lobby.
    pub(super) fn bots(&self) -> usize {
        self.here().map(|(_, one)| one.bots).sum()
    }

    /// Which identities they run, each with its fleet.
    pub(super) fn ids(&self) -> BTreeSet<(&str, &str)> {
        self.here().flat_map(|(fleet, one)| one.ids.iter().map(move |id| (id.as_str(), fleet))).collect()
    }
}

/// What a fleet says of itself: `present` bots are in the lobby, and it runs these.
pub(super) fn announcement<'a>(
    instance: &str,
    present: usize,
    runs: impl Iterator<Item = &'a Arc<str>>,
) -> Value {
    let ids: Vec<&str> = runs.take(IDS).map(|id| &**id).collect();
    json!({ "fleet": instance, "bots": present, "ids": ids })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_announcement_holds_for_a_minute_and_the_newest_counts() {
        let mut others = Others::default();
        let ids: [Arc<str>; 2] = ["bot-ada".into(), "bot-bo".into()];
        assert!(others.hear(&announcement("you", 1, ids.iter()), "me"));
        assert!(!others.hear(&announcement("you", 2, ids.iter().take(1)), "me"));
        assert_eq!((others.bots(), others.ids()), (2, BTreeSet::from([("bot-ada", "you")])));
        tokio::time::advance(HOLDS).await;
        assert_eq!((others.bots(), others.ids().len(), others.fleets().len()), (0, 0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_heard_is_bounded_and_ones_own_is_none_of_others() {
        let mut others = Others::default();
        assert!(!others.hear(&announcement("me", 1, [].iter()), "me"));
        assert!(!others.hear(&json!({ "fleet": 7 }), "me"));
        assert!(!others.hear(&json!({ "fleet": "x".repeat(NAME + 1), "bots": 5 }), "me"));
        for n in 0..FLEETS * 2 {
            others
                .hear(&json!({ "fleet": n.to_string(), "bots": -1, "ids": [7, "y".repeat(NAME + 1)] }), "me");
        }
        assert_eq!((others.fleets().len(), others.bots(), others.ids().len()), (FLEETS, 0, 0));
        others.hear(&json!({ "fleet": "0", "bots": u64::MAX }), "me");
        assert_eq!(others.bots(), BOTS);
        let many: Vec<Arc<str>> = (0..IDS + 1).map(|n| n.to_string().into()).collect();
        others.hear(&announcement("0", 1, many.iter()), "me");
        assert_eq!(others.ids().len(), IDS);
    }
}
