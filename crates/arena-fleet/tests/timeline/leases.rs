//! Places on connections: who gets one, and that it always comes back.

use crate::endpoint::{Fake, OnConnect, OnJoin};
use crate::setting::{joined, pass, pool, pool_of, secs, spec};
use arena_fleet::channel::ChannelSpec;
use arena_fleet::pool::Pool;
use arena_fleet::{PoolSettings, TokenSource};
use serde_json::json;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Nothing is held any more, and connections that nobody needs are closed.
async fn nothing_is_left(fake: &Fake, pool: &Pool, what: &str) {
    pass(60).await;
    let stats = pool.stats();
    assert_eq!((stats.channels, stats.supervised), (0, 0), "{what}: {stats:?}");
    assert_eq!((stats.connections, stats.connecting, stats.waiting), (0, 0, 0), "{what}: {stats:?}");
    assert_eq!((fake.open(), fake.members()), (0, 0), "{what}");
}

#[tokio::test(start_paused = true)]
async fn the_eleventh_channel_opens_a_second_connection() {
    let (fake, pool) = pool();
    let mut channels: Vec<_> = (0..25).map(|n| pool.open("bot", spec(&format!("t:{n}")))).collect();
    for channel in &mut channels {
        joined(channel).await;
    }
    assert_eq!((fake.open(), pool.stats().connections, pool.stats().channels), (3, 3, 25));
    let mut load = std::collections::BTreeMap::<usize, usize>::new();
    fake.joins().iter().for_each(|join| *load.entry(join.link).or_default() += 1);
    assert!(load.values().all(|count| *count <= 10), "{load:?}");
}

#[tokio::test(start_paused = true)]
async fn one_topic_twice_takes_two_connections() {
    let (fake, pool) = pool();
    let mut first = pool.open("a", spec("lobby"));
    let mut second = pool.open("b", spec("lobby"));
    let mut third = pool.open("b", spec("other"));
    for channel in [&mut first, &mut second, &mut third] {
        joined(channel).await;
    }
    assert_eq!((fake.open(), fake.members()), (2, 3));
}

#[tokio::test(start_paused = true)]
async fn the_cap_makes_the_rest_wait_for_a_place() {
    let settings = PoolSettings { max_connections: 2, ..PoolSettings::default() };
    let (fake, pool) = pool_of(settings);
    let mut lobby: Vec<_> = (0..3).map(|n| pool.open(&format!("bot-{n}"), spec("lobby"))).collect();
    let mut third = lobby.pop().unwrap();
    for channel in &mut lobby {
        joined(channel).await;
    }
    // A place for another topic is there.
    joined(&mut pool.open("bot-0", spec("other"))).await;
    assert!(timeout(secs(300), third.next()).await.is_err());
    assert_eq!(pool.stats().without_place, 1);
    assert_eq!(fake.connects().len(), 2);
    lobby.pop().unwrap().leave(secs(5)).await;
    let freed = fake.now();
    joined(&mut third).await;
    assert_eq!(pool.stats().without_place, 0);
    assert!(fake.now() - freed < secs(1));
    assert_eq!(fake.connects().len(), 2);
}

/// One connection goes and another takes its place: all that fit on it get a place, however they stand in the line.
#[tokio::test(start_paused = true)]
async fn a_connection_that_is_lost_makes_room_for_all_that_fit_on_the_next() {
    let settings = PoolSettings { max_connections: 1, ..PoolSettings::default() };
    let (fake, pool) = pool_of(settings);
    let mut first: Vec<_> = (0..10).map(|n| pool.open("first", spec(&format!("t:{n}")))).collect();
    for channel in &mut first {
        joined(channel).await;
    }
    let mut second: Vec<_> = (0..10).map(|n| pool.open("second", spec(&format!("t:{n}")))).collect();
    pass(10).await;
    assert_eq!(pool.stats().without_place, 10);
    drop(first);
    fake.break_all();
    for channel in &mut second {
        joined(channel).await;
    }
    assert_eq!((pool.stats().without_place, fake.connects().len()), (0, 2));
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_channels_is_kept_for_a_moment_and_then_closed() {
    let (fake, pool) = pool();
    let mut channel = pool.open("bot", spec("t"));
    joined(&mut channel).await;
    channel.leave(secs(5)).await;
    assert_eq!(fake.events("realtime:t"), ["phx_join", "phx_leave"]);
    pass(5).await;
    let mut again = pool.open("bot", spec("t"));
    joined(&mut again).await;
    assert_eq!(fake.connects().len(), 1, "it was still there");
    drop(again);
    nothing_is_left(&fake, &pool, "idle").await;
    assert_eq!(fake.seen.lock().unwrap().closes, [1000]);
}

#[tokio::test(start_paused = true)]
async fn a_bot_that_is_dropped_leaves_its_topic_and_its_place() {
    let (fake, pool) = pool();
    let mut channel = pool.open("bot", spec("t"));
    joined(&mut channel).await;
    drop(channel);
    pass(1).await;
    assert_eq!((fake.members(), pool.stats().channels), (0, 0));
    assert_eq!(fake.events("realtime:t"), ["phx_join", "phx_leave"]);
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_waiting_costs_the_endpoint_nothing() {
    let (fake, pool) = pool();
    fake.on_connect(|_| OnConnect::Nobody);
    let waiting: Vec<_> = (0..200).map(|n| pool.open(&format!("bot-{n}"), spec("lobby"))).collect();
    pass(5).await;
    drop(waiting);
    pass(1).await;
    let asked = fake.connects().len();
    nothing_is_left(&fake, &pool, "given up").await;
    assert_eq!(fake.connects().len(), asked);
}

#[tokio::test(start_paused = true)]
async fn a_supervisor_that_panics_gives_its_place_back() {
    let (fake, pool) = pool();
    let token = TokenSource::new(|| panic!("no token"));
    let mut channel = pool.open("bot", ChannelSpec { token, ..spec("t") });
    assert_eq!(channel.next().await, None);
    nothing_is_left(&fake, &pool, "panic").await;
    joined(&mut pool.open("bot", spec("t"))).await;
}

#[tokio::test(start_paused = true)]
async fn a_presence_is_shown_after_every_join_the_newest_one_and_taken_back_at_the_end() {
    let (fake, pool) = pool();
    let shown = ChannelSpec {
        presence_key: Some("bot-ada".to_owned()),
        presence: Some(json!({"bot": true})),
        ..spec("lobby")
    };
    let mut channel = pool.open("bot-ada", shown);
    joined(&mut channel).await;
    pass(1).await;
    assert!(channel.track(json!({"bot": true, "state": "talking"})));
    pass(1).await;
    fake.break_all();
    joined(&mut channel).await;
    pass(1).await;
    channel.leave(secs(5)).await;
    let expected = ["phx_join", "presence", "presence", "phx_join", "presence", "presence", "phx_leave"];
    assert_eq!(fake.events("realtime:lobby"), expected);
    assert_eq!(fake.joins()[0].config["presence"]["key"], "bot-ada");
}

/// One bot whose life is cut off after a random time, in one of the ways in which lives end.
async fn cut_off(pool: Pool, number: u64, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let topic = format!("t:{}", random.u8(0..20));
    let shown = random.bool().then(|| json!({"n": number}));
    let mut channel = pool.open(&format!("bot-{number}"), ChannelSpec { presence: shown, ..spec(&topic) });
    let lasts = Duration::from_millis(random.u64(0..40_000));
    let lives = async {
        while let Some(_heard) = channel.next().await {
            let _ = timeout(Duration::from_millis(500), channel.push("chat", json!({}))).await;
        }
    };
    let _ = timeout(lasts, lives).await;
    match random.u8(0..3) {
        0 => channel.leave(secs(3)).await,
        1 => drop(timeout(Duration::from_millis(random.u64(0..20)), channel.leave(secs(3))).await),
        _ => drop(channel),
    }
}

fn misbehaves(fake: &Fake, seed: u64) {
    let dice = move |salt: u64, number: u64| {
        fastrand::Rng::with_seed(seed ^ salt.wrapping_mul(0x9E37_79B9) ^ number.wrapping_mul(0x85EB_CA6B))
            .u8(0..20)
    };
    fake.on_connect(move |number| match dice(1, *number as u64) {
        0 => OnConnect::Nobody,
        1 => OnConnect::HangAtTcp,
        2 => OnConnect::HangAtHandshake,
        3 => OnConnect::Refuse { status: 429, retry_after: Some("1"), body: "" },
        4 => OnConnect::Refuse { status: 503, retry_after: None, body: "" },
        _ => OnConnect::Accept,
    });
    fake.on_join(move |join| match dice(2, join.at.as_millis() as u64) {
        0 => OnJoin::Hang,
        1 => OnJoin::Break,
        2 => OnJoin::Refuse(json!({"reason": "overloaded: later"})),
        3 => OnJoin::Refuse(json!({"reason": "Unauthorized: no"})),
        4 => OnJoin::Twice,
        5 => OnJoin::Refuse(json!({"reason": "ChannelRateLimitReached: Too many channels"})),
        _ => OnJoin::Ok,
    });
    fake.set(move |script| {
        script.leave = Box::new(move |topic| dice(3, topic.len() as u64) > 3);
        script.heartbeat = Box::new(move |link| dice(4, *link as u64) > 3);
    });
}

/// Whatever the endpoint does, and whenever and however bots go: at the end nothing is held.
#[tokio::test(start_paused = true)]
async fn places_come_back_wherever_a_bot_is_cut_off() {
    for seed in 0..12 {
        let (fake, pool) = pool_of(PoolSettings { max_connections: 12, ..PoolSettings::default() });
        fastrand::seed(seed);
        misbehaves(&fake, seed);
        let mut bots = tokio::task::JoinSet::new();
        for number in 0..150 {
            bots.spawn(cut_off(pool.clone(), number, seed * 1_000 + number));
            if number % 50 == 49 {
                sleep(Duration::from_millis(700)).await;
                fake.break_all();
            }
        }
        while let Some(done) = bots.join_next().await {
            done.unwrap();
        }
        nothing_is_left(&fake, &pool, &format!("seed {seed}")).await;
    }
}
