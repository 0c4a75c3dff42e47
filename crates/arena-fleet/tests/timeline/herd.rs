//! A thousand bots, and an endpoint that restarts under them.

use crate::endpoint::OnConnect;
use crate::setting::{joined, pass, peak, pool, secs, spec};
use arena_fleet::channel::{Channel, ChannelEvent};
use std::time::Duration;
use tokio::task::JoinSet;

const BOTS: usize = 1_000;

async fn start() -> (crate::endpoint::Fake, arena_fleet::pool::Pool, Vec<Channel>) {
    let (fake, pool) = pool();
    let mut channels: Vec<_> = (0..BOTS).map(|n| pool.open(&format!("bot-{n}"), spec("lobby"))).collect();
    for channel in &mut channels {
        joined(channel).await;
    }
    (fake, pool, channels)
}

/// When each is back, after all have been lost.
async fn back(channels: Vec<Channel>, now: impl Fn() -> Duration + Clone + Send + 'static) -> Vec<Duration> {
    let mut waiting = JoinSet::new();
    for mut channel in channels {
        let now = now.clone();
        waiting.spawn(async move {
            loop {
                if let ChannelEvent::Joined { .. } = channel.next().await.unwrap() {
                    return (now(), channel);
                }
            }
        });
    }
    let mut times = Vec::new();
    let mut kept = Vec::new();
    while let Some(done) = waiting.join_next().await {
        let (at, channel) = done.unwrap();
        times.push(at);
        kept.push(channel);
    }
    times.sort_unstable();
    times
}

#[tokio::test(start_paused = true)]
async fn a_thousand_start_within_half_a_minute_and_never_faster_than_the_gate() {
    let (fake, _pool, _channels) = start().await;
    assert!(fake.now() < secs(30), "{:?}", fake.now());
    let connects = fake.connects();
    assert_eq!(connects.len(), BOTS);
    assert!(peak(&connects) <= 61, "{}", peak(&connects));
}

#[tokio::test(start_paused = true)]
async fn after_a_restart_all_come_back_soon_and_not_at_once() {
    for down in [1, 12] {
        let (fake, _pool, channels) = start().await;
        pass(120).await;
        let before = fake.connects().len();
        fake.on_connect(|_| OnConnect::Nobody);
        fake.break_all();
        let (up, clock) = (fake.clone(), fake.clone());
        let lost = fake.now();
        let mut rest = JoinSet::new();
        rest.spawn(async move {
            pass(down).await;
            up.on_connect(|_| OnConnect::Accept);
        });
        let times = back(channels, move || clock.now()).await;
        let most = times[BOTS * 99 / 100] - lost;
        assert!(most < secs(45), "down for {down} s: 99 % after {most:?}");
        let connects = fake.connects().split_off(before);
        assert!(peak(&connects) < 150, "down for {down} s: {} connects in a second", peak(&connects));
        assert!(connects.len() < BOTS + 40, "{} connects for {BOTS} bots", connects.len());
    }
}
