//! A fleet whose bots hold tickets, over connections that break.

use crate::endpoint::Fake;
use crate::setting::{pass, secs};
use arena_fleet::endpoint::Endpoint;
use arena_fleet::{Access, Fleet, FleetSettings, ManagerSettings, StartMode, TokenSource};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

/// Wishes by the id that was asked for, in order.
type Wishes = Arc<Mutex<Vec<String>>>;

/// A matchmaker that takes every ticket, and forgets none.
fn matchmaker(fake: &Fake) -> Wishes {
    let wishes = Wishes::default();
    let kept = wishes.clone();
    fake.set(|script| {
        script.push = Box::new(move |push| {
            let id = push["payload"]["id"].as_str();
            let answer = match push["event"].as_str() {
                Some("match_enqueue") => {
                    kept.lock().unwrap().extend(id.map(str::to_owned));
                    json!({ "id": id, "version": 1, "state": "waiting", "match": null })
                }
                // Nobody is told apart here: who asks has none.
                Some("match_status") => json!({ "ticket": null }),
                _ => json!({}),
            };
            Some(("ok", answer))
        });
    });
    wishes
}

fn fleet(bots: usize) -> (Fake, Fleet, Wishes) {
    fastrand::seed(7);
    let fake = Fake::new();
    let wishes = matchmaker(&fake);
    let manager =
        ManagerSettings { min: bots, max: bots, start: StartMode::Adaptive, ..ManagerSettings::default() };
    let queues = vec!["strangers".to_owned()];
    let settings = FleetSettings { manager, queues, ..FleetSettings::default() };
    let access = Access {
        endpoint: Endpoint::parse("ws://fake", Some("key")).unwrap(),
        dial: Arc::new(fake.clone()),
        observer: TokenSource::fixed("observer"),
        tokens: Arc::new(|me| TokenSource::fixed(&me.id)),
        seats: None,
    };
    (fake.clone(), Fleet::start(settings, access).unwrap(), wishes)
}

/// Joins of own topics: how often each.
fn own_topics(fake: &Fake) -> BTreeMap<String, usize> {
    let mut joins = BTreeMap::new();
    for join in fake.joins() {
        if let Some(bot) = join.topic.strip_prefix("realtime:user:") {
            assert_eq!((join.token.as_deref(), &join.config["private"]), (Some(bot), &Value::Bool(true)));
            *joins.entry(bot.to_owned()).or_default() += 1;
        }
    }
    joins
}

#[tokio::test(start_paused = true)]
async fn every_bot_holds_one_ticket_and_shares_its_connection_for_it() {
    let (fake, fleet, wishes) = fleet(40);
    pass(60).await;
    let ids: BTreeSet<String> = wishes.lock().unwrap().iter().cloned().collect();
    assert_eq!((ids.len(), wishes.lock().unwrap().len(), own_topics(&fake).len()), (40, 40, 40));
    let connections = serde_json::to_value(fleet.stats().pool).unwrap()["connections"].as_u64().unwrap();
    assert!(connections <= 41, "{connections} connections");
    // Heard of in every 15 seconds.
    let before = fake.events("realtime:user:bot-ada").len();
    pass(60).await;
    assert_eq!(fake.events("realtime:user:bot-ada").len() - before, 4);
}

#[tokio::test(start_paused = true)]
async fn a_pause_takes_all_tickets_back_and_resuming_makes_new_ones() {
    let (fake, fleet, wishes) = fleet(5);
    pass(60).await;
    fleet.pause();
    pass(60).await;
    let said = fake.events("realtime:user:bot-ada").len();
    pass(60).await;
    assert_eq!(fake.events("realtime:user:bot-ada").len(), said, "nothing more is said");
    assert_eq!(wishes.lock().unwrap().len(), 5);
    fleet.resume();
    pass(5).await;
    let ids: BTreeSet<String> = wishes.lock().unwrap().iter().cloned().collect();
    assert_eq!(ids.len(), 10, "each has a new one");
}

#[tokio::test(start_paused = true)]
async fn after_an_outage_each_bot_asks_where_it_stands() {
    let (fake, _fleet, wishes) = fleet(5);
    pass(60).await;
    fake.break_all();
    pass(60).await;
    assert!(own_topics(&fake).values().all(|joins| *joins == 2), "{:?}", own_topics(&fake));
    // The matchmaker says that they have none, so that each makes another one.
    assert_eq!(wishes.lock().unwrap().len(), 10);
}

#[tokio::test(start_paused = true)]
async fn an_end_takes_all_tickets_back() {
    let (fake, fleet, _) = fleet(5);
    pass(60).await;
    let before = fake.events("realtime:user:bot-ada").len();
    assert!(fleet.shutdown(secs(10)).await);
    let events = fake.events("realtime:user:bot-ada");
    assert_eq!(events[before..], ["broadcast", "phx_leave"]);
}
