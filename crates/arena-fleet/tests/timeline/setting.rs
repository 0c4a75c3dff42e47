//! What most tests begin with.

use crate::endpoint::Fake;
use arena_core::fleet::Fault;
use arena_fleet::channel::{Channel, ChannelEvent, ChannelSpec};
use arena_fleet::endpoint::Endpoint;
use arena_fleet::monitor::Monitor;
use arena_fleet::pool::Pool;
use arena_fleet::{PoolSettings, TokenSource};
use arena_realtime::codec::Vsn;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// A pool whose random numbers are the same in every run.
pub fn pool_of(settings: PoolSettings) -> (Fake, Pool) {
    start(settings, Vsn::V2)
}

pub fn pool_of_vsn(vsn: Vsn) -> (Fake, Pool) {
    start(PoolSettings::default(), vsn)
}

fn start(settings: PoolSettings, vsn: Vsn) -> (Fake, Pool) {
    fastrand::seed(7);
    let fake = Fake::new();
    let endpoint = Endpoint::parse("ws://fake", Some("key")).unwrap().vsn(vsn);
    let pool = Pool::start(endpoint, Arc::new(fake.clone()), settings, Monitor::default());
    (fake, pool)
}

pub fn pool() -> (Fake, Pool) {
    pool_of(PoolSettings::default())
}

pub fn spec(topic: &str) -> ChannelSpec {
    ChannelSpec {
        topic: topic.to_owned(),
        private: false,
        token: TokenSource::fixed("token"),
        presence_key: None,
        presence: None,
        watches_presence: false,
    }
}

/// Waits for the join; panics at an end.
pub async fn joined(channel: &mut Channel) {
    let join = async {
        loop {
            match channel.next().await {
                Some(ChannelEvent::Joined { .. }) => return,
                Some(ChannelEvent::Ended { fault }) => panic!("ended: {fault}"),
                Some(_) => {}
                None => panic!("ended without a word"),
            }
        }
    };
    timeout(Duration::from_secs(600), join).await.expect("joined within ten minutes");
}

/// The next fault: whether for good, and which.
pub async fn fault(channel: &mut Channel) -> (bool, Fault) {
    let find = async {
        loop {
            match channel.next().await {
                Some(ChannelEvent::Down { fault, .. }) => return (false, fault),
                Some(ChannelEvent::Ended { fault }) => return (true, fault),
                Some(_) => {}
                None => panic!("ended without a word"),
            }
        }
    };
    timeout(Duration::from_secs(600), find).await.expect("a fault within ten minutes")
}

pub fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Lets everything happen that happens within this time.
pub async fn pass(secs_: u64) {
    sleep(secs(secs_)).await;
}

/// The most of these times that are in any one second.
pub fn peak(times: &[Duration]) -> usize {
    let count = |from: &Duration| times.iter().filter(|at| **at >= *from && **at < *from + secs(1)).count();
    times.iter().map(count).max().unwrap_or_default()
}
