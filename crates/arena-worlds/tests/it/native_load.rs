//! Worlds under load: fair to each other, slower rather than piled up, and never deaf.

use crate::support::{PATIENCE, bodies, create, native_with, until};
use arena_worlds::WorldHost;
use std::time::{Duration, Instant};

#[test]
fn five_hundred_worlds_tick_fairly() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let host = native_with(10, 16);
        for n in 0..500 {
            let world = create(&host, &format!("c{n}"), 1).await;
            host.join(&world, bodies(n * 4..n * 4 + 4, 1)).await.unwrap();
        }
        let ticks = async || -> Vec<u64> { host.list().await.unwrap().iter().map(|w| w.tick).collect() };
        let before = ticks().await;
        let least = async || {
            let after = ticks().await;
            before.iter().zip(after).map(|(before, after)| after - before).min().unwrap()
        };
        until("every world has ticked a hundred times", async || least().await >= 100).await;
        let after = ticks().await;
        let done: Vec<u64> = before.iter().zip(after).map(|(before, after)| after - before).collect();
        let (min, max) = (done.iter().min().unwrap(), done.iter().max().unwrap());
        assert!(*max <= 2 * *min, "slowest {min}, fastest {max}");
    });
}

/// The thread that runs the worlds is kept busy by somebody else.
#[tokio::test]
async fn a_world_that_lags_slows_down_says_so_and_recovers() {
    let host = native_with(10, 16);
    let world = create(&host, "a", 1).await;
    host.join(&world, bodies(0..4, 1)).await.unwrap();
    let lagging = async || host.list().await.unwrap()[0].lagging;
    assert!(!lagging().await);
    let deadline = Instant::now() + PATIENCE;
    while !lagging().await {
        assert!(Instant::now() < deadline, "it does not say that it lags");
        std::thread::sleep(Duration::from_millis(40));
        tokio::task::yield_now().await;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let summary = host.list().await.unwrap().remove(0);
    assert!(summary.tick_ms_actual > 12.0, "{summary:?}");
    let before = summary.tick;
    std::thread::sleep(Duration::from_millis(300));
    tokio::time::sleep(Duration::from_millis(15)).await;
    let after = host.list().await.unwrap()[0].tick;
    assert!(after - before < 15, "missed ticks must not pile up: {}", after - before);
    until("it recovers", async || !lagging().await).await;
}
