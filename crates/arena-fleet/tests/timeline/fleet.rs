//! A whole fleet, its manager, bots and connections.

use crate::endpoint::{Fake, OnConnect, OnJoin};
use crate::setting::{pass, peak, secs};
use arena_core::fleet::FaultClass;
use arena_fleet::endpoint::Endpoint;
use arena_fleet::{Access, Fleet, FleetSettings, ManagerSettings, StartMode, TokenSource};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

struct Stage {
    fake: Fake,
    fleet: Fleet,
}

fn of(bots: usize, start: StartMode) -> Stage {
    fastrand::seed(7);
    let fake = Fake::new();
    let manager = ManagerSettings { min: bots, max: bots, start, ..ManagerSettings::default() };
    let settings = FleetSettings { manager, ..FleetSettings::default() };
    let access = Access {
        endpoint: Endpoint::parse("ws://fake", Some("key")).unwrap(),
        dial: Arc::new(fake.clone()),
        observer: TokenSource::fixed("observer"),
        tokens: Arc::new(|me| TokenSource::fixed(&me.id)),
        seats: None,
    };
    Stage { fleet: Fleet::start(settings, access).unwrap(), fake }
}

impl Stage {
    fn active(&self) -> usize {
        self.fleet.stats().monitor.totals.active
    }

    /// A number of the pool's.
    fn pool(&self, what: &str) -> Value {
        serde_json::to_value(self.fleet.stats().pool).unwrap()[what].clone()
    }

    fn failed(&self) -> u64 {
        self.fleet.stats().monitor.totals.bots_failed
    }

    /// Who has joined since `from`, by what they show. The observer shows nothing.
    fn who_joined(&self, from: Duration) -> BTreeSet<String> {
        let joins = self.fake.joins().into_iter().filter(|join| join.at >= from);
        let key = |join: crate::endpoint::Join| join.config["presence"]["key"].as_str().map(str::to_owned);
        joins.filter_map(key).filter(|key| key.starts_with("bot-")).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_bots_are_active_within_a_minute_and_nobody_was_refused() {
    let stage = of(1_000, StartMode::Adaptive);
    pass(60).await;
    let totals = stage.fleet.stats().monitor.totals;
    assert_eq!((totals.active, totals.reconnect_attempts, totals.bots_failed), (1_000, 0, 0));
    assert!(peak(&stage.fake.connects()) <= 61, "{}", peak(&stage.fake.connects()));
    assert_eq!(stage.who_joined(Duration::ZERO).len(), 1_000);
    // Each of them showed itself once.
    let lobby = stage.fake.events("realtime:lobby:main");
    assert_eq!(lobby.iter().filter(|event| *event == "presence").count(), 1_000);
    // The observer has a connection of its own, or shares one.
    assert!(stage.pool("connections").as_u64().unwrap() <= 1_001);
}

#[tokio::test(start_paused = true)]
async fn a_fleet_that_starts_carefully_takes_its_time() {
    let stage = of(100, StartMode::Staggered);
    pass(60).await;
    let connects = stage.fake.connects();
    assert!((7..=13).contains(&stage.active()), "{}", stage.active());
    assert!(peak(&connects) <= 2);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_asks_for_less_sees_a_slow_ramp_from_then_on() {
    let stage = of(100, StartMode::Adaptive);
    let asked = Arc::new(AtomicBool::new(false));
    let once = asked.clone();
    stage.fake.on_connect(move |number| {
        if *number < 20 || once.swap(true, Ordering::Relaxed) {
            return OnConnect::Accept;
        }
        OnConnect::Refuse {
            status: 429,
            retry_after: Some("5"),
            body: r#"{"error":"Too many connected users"}"#,
        }
    });
    while !asked.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let (began, before) = (stage.fake.now(), stage.fleet.stats().monitor.totals.total);
    pass(15).await;
    let started = stage.fleet.stats().monitor.totals.total - before;
    assert!((1..=3).contains(&started), "{started} starts in the 15 s after {began:?}");
    pass(600).await;
    assert_eq!((stage.active(), stage.failed()), (100, 0));
}

#[tokio::test(start_paused = true)]
async fn whoever_was_there_before_a_restart_is_there_after_it_and_nobody_else() {
    let stage = of(200, StartMode::Adaptive);
    pass(60).await;
    let before = stage.who_joined(Duration::ZERO);
    assert_eq!((stage.active(), before.len()), (200, 200));
    stage.fake.on_connect(|_| OnConnect::Nobody);
    stage.fake.break_all();
    let lost = stage.fake.now();
    pass(5).await;
    assert_eq!(stage.active(), 0);
    stage.fake.on_connect(|_| OnConnect::Accept);
    pass(40).await;
    assert!(stage.active() >= 198, "{} are back", stage.active());
    pass(60).await;
    assert_eq!((stage.active(), stage.failed()), (200, 0));
    assert_eq!(stage.who_joined(lost), before);
    assert!(stage.fleet.health().healthy, "{:?}", stage.fleet.health());
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_away_for_ten_minutes_costs_no_bot_and_is_hardly_knocked_at() {
    let stage = of(50, StartMode::Adaptive);
    pass(60).await;
    let before = stage.fake.connects().len();
    stage.fake.on_connect(|_| OnConnect::Nobody);
    stage.fake.break_all();
    pass(600).await;
    let knocks = stage.fake.connects().len() - before;
    assert!(knocks < 60, "{knocks} connects in ten minutes for 50 bots");
    assert_eq!((stage.active(), stage.failed()), (0, 0));
    assert!(!stage.fleet.health().healthy);
    stage.fake.on_connect(|_| OnConnect::Accept);
    pass(60).await;
    assert_eq!((stage.active(), stage.failed()), (50, 0));
}

#[tokio::test(start_paused = true)]
async fn a_bot_that_is_told_nonsense_is_kept_away_and_another_takes_its_place() {
    let stage = of(3, StartMode::Adaptive);
    stage.fake.set(|script| {
        script.join = Box::new(|join| match join.config["presence"]["key"].as_str() {
            Some("bot-ada") => OnJoin::Frames(vec!["not json at all"; 30]),
            _ => OnJoin::Ok,
        });
    });
    pass(300).await;
    let stats = stage.fleet.stats();
    assert_eq!(stats.monitor.totals.active, 3);
    assert!(stats.monitor.bots.iter().all(|bot| bot.id != "bot-ada"), "{:?}", stats.monitor.errors);
    assert!(stats.monitor.errors.iter().any(|error| error.class == FaultClass::Protocol.as_str()));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_refused_stops_everything_until_somebody_resumes() {
    let stage = of(20, StartMode::Adaptive);
    stage.fake.on_connect(|_| OnConnect::Refuse {
        status: 401,
        retry_after: None,
        body: r#"{"error":"Failed to validate JWT signature"}"#,
    });
    pass(300).await;
    assert!(stage.fake.connects().len() <= 3, "{}", stage.fake.connects().len());
    let health = stage.fleet.health();
    assert!(!health.healthy && health.reasons[0].contains("refuses the fleet"), "{health:?}");
    stage.fake.on_connect(|_| OnConnect::Accept);
    stage.fleet.resume();
    pass(180).await;
    assert_eq!(stage.active(), 20);
}

#[tokio::test(start_paused = true)]
async fn at_the_end_nobody_is_in_any_topic_and_no_connection_is_open() {
    let stage = of(100, StartMode::Adaptive);
    pass(60).await;
    let before = stage.fake.now();
    assert!(stage.fleet.shutdown(secs(10)).await);
    assert!(stage.fake.now() - before < secs(3), "{:?}", stage.fake.now() - before);
    assert_eq!((stage.fake.members(), stage.fake.open()), (0, 0));
    for what in ["channels", "supervised", "connections", "waiting"] {
        assert_eq!(stage.pool(what), 0, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_fleet_that_is_dropped_leaves_nobody_in_any_topic() {
    let Stage { fake, fleet } = of(30, StartMode::Adaptive);
    pass(60).await;
    assert_eq!(fleet.stats().monitor.totals.active, 30);
    drop(fleet);
    pass(10).await;
    assert_eq!(fake.members(), 0);
}
