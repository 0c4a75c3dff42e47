//! Presence: whoever is shown is hidden again, and nobody hears of changes before the state.

use crate::support::{Client, House};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Who is there, as a client knows it: what is shown, by key and reference.
#[derive(Debug, Default, PartialEq, Eq)]
struct Known(BTreeMap<String, BTreeMap<String, String>>);

impl Known {
    fn hear(&mut self, message: &Value) {
        match message[3].as_str().unwrap() {
            "presence_state" => {
                self.0.clear();
                self.come(&message[4]);
            }
            "presence_diff" => {
                for (key, entry) in message[4]["leaves"].as_object().unwrap() {
                    for meta in entry["metas"].as_array().unwrap() {
                        let gone = self.0.get_mut(key).and_then(|metas| metas.remove(reference(meta)));
                        assert!(gone.is_some(), "a leave of somebody who never came: {message}");
                    }
                }
                self.come(&message[4]["joins"]);
                self.0.retain(|_, metas| !metas.is_empty());
            }
            _ => {}
        }
    }

    fn come(&mut self, joins: &Value) {
        for (key, entry) in joins.as_object().unwrap() {
            for meta in entry["metas"].as_array().unwrap() {
                let known = self.0.entry(key.clone()).or_default();
                let twice = known.insert(reference(meta).to_owned(), meta["n"].to_string());
                assert_eq!(twice, None, "a join of somebody who is there: {joins}");
            }
        }
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}

fn reference(meta: &Value) -> &str {
    meta["phx_ref"].as_str().unwrap()
}

fn as_key(key: &str) -> Value {
    json!({"presence": {"key": key}})
}

/// Hears until what it knows is so.
async fn until(client: &mut Client, known: &mut Known, is_so: impl Fn(&Known) -> bool) {
    while !is_so(known) {
        let message = client.until(|m| m[3] == "presence_state" || m[3] == "presence_diff").await;
        known.hear(&message);
    }
}

#[tokio::test]
async fn everybody_who_dies_is_hidden_and_the_state_comes_before_any_change() {
    let house = House::new();
    let mut watcher = house.guest().await;
    watcher.join("lobby:a", json!({})).await;
    let mut known = Known::default();
    let mut crowd = Vec::new();
    for n in 0..30 {
        let mut client = house.guest().await;
        client.join("lobby:a", as_key(&format!("k{}", n % 10))).await;
        client.track("lobby:a", json!({"n": n})).await;
        let first = client.until(|m| m[3] == "presence_state" || m[3] == "presence_diff").await;
        assert_eq!(first[3], "presence_state");
        crowd.push(client);
    }
    until(&mut watcher, &mut known, |known| known.0.values().map(BTreeMap::len).sum::<usize>() == 30).await;
    assert_eq!(known.0.len(), 10, "three on each key");
    // Half of them by a reset, in the middle of a flood of updates.
    for (n, mut client) in crowd.into_iter().enumerate() {
        let call = json!({"event": "track", "payload": {"n": n + 100}});
        client.push("lobby:a", "presence", call).await;
        if n % 2 == 0 {
            socket2::SockRef::from(&client.socket).set_linger(Some(std::time::Duration::ZERO)).unwrap();
        }
    }
    until(&mut watcher, &mut known, |known| known.0.is_empty()).await;
    drop(watcher);
    house.is_left_empty().await;
}

#[tokio::test]
async fn a_flood_of_changes_is_told_in_few_messages() {
    let house = House::with(|settings| settings.presence.window = std::time::Duration::from_secs(3_600));
    let (mut watcher, mut busy) = (house.guest().await, house.guest().await);
    watcher.join("lobby:a", json!({})).await;
    busy.join("lobby:a", as_key("busy")).await;
    for n in 0..200 {
        busy.track("lobby:a", json!({"n": n})).await;
    }
    // The first at once; the others wait, but no longer than the clock of the house.
    house.gateway.stats();
    let mut known = Known::default();
    let mut diffs = 0;
    while known.0.get("busy").is_none_or(|metas| !metas.values().any(|n| n == "199")) {
        let message = watcher.until(|m| m[3] == "presence_state" || m[3] == "presence_diff").await;
        known.hear(&message);
        diffs += usize::from(message[3] == "presence_diff");
    }
    // 200 calls take some turns of that clock.
    assert!(diffs < 100, "{diffs} messages for 200 changes");
    drop((watcher, busy));
    house.is_left_empty().await;
}

#[tokio::test]
async fn who_comes_in_the_middle_of_waiting_changes_hears_of_each_once() {
    let house = House::new();
    let mut busy = house.guest().await;
    busy.join("lobby:a", as_key("busy")).await;
    let mut late = Vec::new();
    for n in 0..60 {
        busy.track("lobby:a", json!({"n": n})).await;
        if n % 3 == 0 {
            let mut client = house.guest().await;
            client.join("lobby:a", as_key(&format!("late{n}"))).await;
            client.track("lobby:a", json!({"n": n})).await;
            late.push(client);
        }
    }
    for client in &mut late {
        let mut known = Known::default();
        let last = |known: &Known| {
            known.0.len() == 21 && known.0.get("busy").is_some_and(|metas| metas.values().all(|n| n == "59"))
        };
        until(client, &mut known, last).await;
        assert_eq!(known.0["busy"].len(), 1);
    }
    drop((busy, late));
    house.is_left_empty().await;
}

#[tokio::test]
async fn above_the_threshold_only_the_number_is_told_and_below_half_of_it_everybody_again() {
    let house = House::with(|settings| {
        settings.presence.occupancy_above = 6;
        settings.presence.window = std::time::Duration::ZERO;
    });
    let mut watcher = house.guest().await;
    assert_eq!(watcher.join("lobby:a", json!({})).await["presence"], "full");
    let mut known = Known::default();
    for _ in 0..2 {
        let mut crowd = Vec::new();
        for n in 0..8 {
            let mut client = house.guest().await;
            client.join("lobby:a", as_key(&format!("k{n}"))).await;
            client.track("lobby:a", json!({"n": n})).await;
            crowd.push(client);
        }
        let mut counts = Vec::new();
        for message in watcher.all().await {
            match message[3].as_str() {
                Some("broadcast") => counts.push(message[4]["payload"]["count"].as_u64().unwrap()),
                _ => known.hear(&message),
            }
        }
        assert_eq!(counts, [7, 8]);
        assert_eq!(known.keys(), [] as [&str; 0], "nobody by name any more");
        let mut guest = house.guest().await;
        assert_eq!(guest.join("lobby:a", json!({})).await["presence"], "occupancy");
        assert_eq!(guest.event("lobby:a", "presence_state").await, json!({}));
        assert_eq!(guest.event("lobby:a", "broadcast").await["payload"]["count"], 8);
        while crowd.len() > 2 {
            drop(crowd.pop());
        }
        until(&mut watcher, &mut known, |known| known.keys() == ["k0", "k1"]).await;
        drop(crowd);
        until(&mut watcher, &mut known, |known| known.0.is_empty()).await;
        watcher.all().await;
    }
    drop(watcher);
    house.is_left_empty().await;
}

#[tokio::test]
async fn who_did_not_want_presence_hears_of_it_only_once_it_shows_itself() {
    let house = House::new();
    let (mut ann, mut bob) = (house.guest().await, house.guest().await);
    ann.join("lobby:a", as_key("ann")).await;
    bob.join("lobby:a", json!({"presence": {"enabled": false, "key": "bob"}})).await;
    ann.track("lobby:a", json!({"n": 1})).await;
    assert_eq!(bob.all().await.len(), 0);
    bob.track("lobby:a", json!({"n": 2})).await;
    let mut known = Known::default();
    until(&mut bob, &mut known, |known| known.keys() == ["ann", "bob"]).await;
    drop(ann);
    until(&mut bob, &mut known, |known| known.keys() == ["bob"]).await;
    drop(bob);
    house.is_left_empty().await;
}

#[tokio::test]
async fn the_key_that_breaks_clients_is_replaced_and_references_cannot_be_forged() {
    let house = House::new();
    let mut client = house.guest().await;
    client.join("lobby:a", as_key("ids")).await;
    client.track("lobby:a", json!({"n": 1, "phx_ref": "x", "phx_ref_prev": "y"})).await;
    let mut known = Known::default();
    until(&mut client, &mut known, |known| !known.0.is_empty()).await;
    assert!(!known.0.contains_key("ids") && !known.0.values().any(|metas| metas.contains_key("x")));
    drop(client);
    house.is_left_empty().await;
}
