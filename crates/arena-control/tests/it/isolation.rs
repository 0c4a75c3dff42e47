//! One channel's failure never delays another's sync.

use crate::support::{Arena, Call, Db, Fault, FaultyHost, actor, brisk, name, until};
use arena_control::ControlSettings;
use arena_worlds::WorldHost;
use std::time::{Duration, Instant};

on_both!(channels_that_hang_do_not_delay_another, async |db: &Db| {
    let settings = ControlSettings { host_timeout: Duration::from_secs(30), sync_concurrency: 4, ..brisk() };
    let arena = Arena::start_with(db, FaultyHost::new(), settings).await;
    for channel in ["hanging-a", "hanging-b", "hanging-c", "sound"] {
        arena.open(channel, 30).await;
    }
    for channel in ["hanging-a", "hanging-b", "hanging-c"] {
        arena.host.fail(&[], Some(channel), Fault::Hang);
        arena.fill(channel, 2).await;
        until("it hangs", async || arena.host.counted(channel) > 0).await;
    }
    let began = Instant::now();
    arena.fill("sound", 5).await;
    until("the sound channel is live", async || arena.residents_of("sound").await.len() == 5).await;
    arena.wipe().await;
    until("the sound channel is healed", async || arena.residents_of("sound").await.len() == 5).await;
    assert!(began.elapsed() < Duration::from_secs(25), "it waited for the others: {:?}", began.elapsed());
});

on_both!(more_hanging_channels_than_places_leave_room_for_another, async |db: &Db| {
    let settings = ControlSettings { host_timeout: Duration::from_secs(1), sync_concurrency: 4, ..brisk() };
    let arena = Arena::start_with(db, FaultyHost::new(), settings).await;
    arena.open("sound", 30).await;
    for n in 0..12 {
        let channel = format!("hanging-{n}");
        arena.open(&channel, 30).await;
        arena.host.fail(&[], Some(&channel), Fault::Hang);
        arena.fill(&channel, 1).await;
    }
    until("all of them have failed", async || {
        let mut failed = true;
        for n in 0..12 {
            failed &= arena.trouble(&format!("hanging-{n}")).await.is_some();
        }
        failed
    })
    .await;
    // Half of the places are kept for sound channels: ten nudges in a row never wait for a time-out.
    let mut slowest = Duration::ZERO;
    for _ in 0..10 {
        let began = Instant::now();
        arena.sync("sound").await;
        slowest = slowest.max(began.elapsed());
    }
    assert!(slowest < Duration::from_millis(900), "a sound channel waited {slowest:?}");
    arena.host.mend();
    arena.until_settled().await;
    arena.stop().await;
});

on_both!(a_channel_that_fails_says_so_and_heals_by_itself, async |db: &Db| {
    let arena = Arena::settled_with(db, &[("bad", 2), ("good", 2)]).await;
    let good = arena.host.native.find(&name("good")).await.unwrap().unwrap();
    arena.host.fail(&[], Some("bad"), Fault::Status(502));
    let refused = arena.worlds.wipe(&actor(), None).await.unwrap_err();
    assert_eq!(refused.code(), "world_unavailable");
    assert_ne!(
        arena.host.native.find(&name("good")).await.unwrap(),
        Some(good),
        "the others are wiped all the same"
    );
    until("the good one is healed", async || arena.residents_of("good").await.len() == 2).await;
    arena.channels.sync(&name("bad")).await.unwrap();
    until("the bad one says so", async || arena.trouble("bad").await.is_some()).await;
    assert_eq!(arena.trouble("good").await, None);
    arena.host.mend();
    arena.until_settled().await;
    until("the trouble is over", async || arena.trouble("bad").await.is_none()).await;
    arena.stop().await;
});

on_both!(a_sync_that_panics_does_not_block_its_channel, async |db: &Db| {
    let arena = Arena::settled_with(db, &[("a", 2), ("b", 2)]).await;
    arena.host.fail(&[Call::Residents], Some("a"), Fault::Panic);
    arena.sync_in_vain("a").await;
    assert!(arena.trouble("a").await.unwrap().contains("abnormally"));
    arena.sync("b").await;
    arena.fill("a", 4).await;
    arena.host.mend();
    arena.until_settled().await;
    assert_eq!(arena.residents_of("a").await.len(), 4);
    arena.stop().await;
});
