//! Who is in the lobby, as one of its visitors sees it.

use super::client::{Client, Kind};
use super::gateway::Gateway;
use super::service::LOBBY;
use super::support::PATIENCE;
use arena_testing::wait_until;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A visitor with a published client, who sees who is there.
pub struct Visitor {
    /// The client. It is in the lobby.
    pub client: Client,
}

/// Bots by their ids, each with what it shows of itself, once for every time that it is there.
pub type Bots = BTreeMap<String, Vec<Value>>;

impl Visitor {
    /// Comes in.
    pub fn enter(gateway: &Gateway, kind: Kind, user: &str) -> Visitor {
        let mut client = gateway.client(kind, user);
        let config = json!({ "presence": { "key": user } });
        client.join_with(LOBBY, json!({ "config": config, "presence": true }));
        Visitor { client }
    }

    /// Shows itself, as people do; the bot service counts it then.
    pub fn show(&mut self) {
        self.client.tell("track", json!({ "topic": LOBBY, "payload": { "name": "a visitor" } }));
        self.client.expect("the sending's result", |seen| seen["saw"] == "sent" && seen["event"] == "track");
    }

    /// The bots that are there now. Checks that each says that it is one.
    pub fn bots(&mut self) -> Bots {
        self.client.tell("state", json!({ "topic": LOBBY }));
        let mut state = self.client.expect("the state", |seen| seen["saw"] == "state")["state"].take();
        let entries = std::mem::take(state.as_object_mut().unwrap()).into_iter();
        let metas = entries.map(|(key, metas)| (key, metas.as_array().unwrap().clone()));
        let bots: Bots =
            metas.filter(|(_, metas)| metas.iter().all(|meta| meta["name"] != "a visitor")).collect();
        for (key, metas) in &bots {
            assert!(metas.iter().all(|meta| meta["bot"] == true), "{key} does not say what it is: {metas:?}");
        }
        bots
    }

    /// Waits until so many bots are there, each of them once.
    #[track_caller]
    pub fn until_bots(&mut self, count: usize) -> Bots {
        self.until(&format!("{count} bots are in the lobby, each once"), |bots| {
            bots.len() == count && bots.values().all(|metas| metas.len() == 1)
        })
    }

    /// Waits until the bots that are there are so.
    #[track_caller]
    pub fn until(&mut self, what: &str, holds: impl Fn(&Bots) -> bool) -> Bots {
        let mut bots = Bots::new();
        wait_until(PATIENCE, what, || {
            bots = self.bots();
            holds(&bots)
        });
        bots
    }
}

/// What these bots are at.
pub fn states(bots: &Bots) -> Vec<&str> {
    bots.values().flatten().map(|meta| meta["state"].as_str().unwrap_or("nothing")).collect()
}
