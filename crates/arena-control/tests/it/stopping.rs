//! Shutdown: what was begun comes to its end, positions are saved, nothing runs on.

use crate::support::{Arena, Call, Db, Fault, FaultyHost, actor, brisk, name, until};
use arena_control::ControlSettings;
use arena_core::bot::BotState;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

async fn assert_nothing_runs(arena: &Arena) {
    let calls = arena.host.counted_all();
    arena.host.fail(&[], None, Fault::Panic);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(arena.host.counted_all(), calls, "something still asks the host");
    arena.host.mend();
}

on_both!(a_sync_that_runs_comes_to_its_end_and_positions_are_saved, async |db: &Db| {
    let settings = ControlSettings { snapshot_every: Duration::from_secs(3_600), ..brisk() };
    let mut arena = Arena::start_with(db, FaultyHost::new(), settings).await;
    arena.open("a", 30).await;
    let gate = Arc::new(Semaphore::new(0));
    arena.host.fail(&[Call::Join], None, Fault::Hold(gate.clone()));
    let bots = arena.fill("a", 5).await;
    until("they are about to enter", async || !arena.host.joins_of(bots[0]).is_empty()).await;
    let control = arena.control();
    let open = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        gate.add_permits(10);
    };
    let (in_time, ()) = tokio::join!(control.shutdown(Duration::from_secs(20)), open);
    assert!(in_time);
    for bot in bots {
        assert_eq!(arena.state(bot).await, BotState::Live);
    }
    assert_nothing_runs(&arena).await;
});

on_both!(positions_are_saved_once_more_at_the_end, async |db: &Db| {
    let settings = ControlSettings { snapshot_every: Duration::from_secs(3_600), ..brisk() };
    let mut arena = Arena::start_with(db, FaultyHost::new(), settings).await;
    arena.open("a", 30).await;
    arena.fill("a", 5).await;
    arena.until_settled().await;
    assert!(arena.stop_control().await);
    assert_eq!(arena_worlds::last_positions(&arena.store, &name("a")).await.unwrap().len(), 5);
    assert_nothing_runs(&arena).await;
    assert_eq!(arena.health.ready().await.unwrap_err().code(), "shutting_down");
});

on_both!(a_host_that_hangs_does_not_hold_the_shutdown_up, async |db: &Db| {
    let settings = ControlSettings { host_timeout: Duration::from_secs(600), ..brisk() };
    let mut arena = Arena::start_with(db, FaultyHost::new(), settings).await;
    arena.open("a", 30).await;
    arena.host.fail(&[], None, Fault::Hang);
    arena.fill("a", 5).await;
    until("the sync hangs", async || arena.host.counted("a") > 0).await;
    let control = arena.control();
    let began = Instant::now();
    assert!(!control.shutdown(Duration::from_millis(300)).await, "not in time, and says so");
    assert!(began.elapsed() < Duration::from_secs(5));
    arena.host.mend();
    arena.wipe().await;
    assert_nothing_runs(&arena).await;
    assert_eq!(arena.residents().await.len(), 0);
});

on_both!(a_control_plane_that_is_dropped_leaves_no_loop_behind, async |db: &Db| {
    let mut arena = Arena::settled_with(db, &[("a", 3)]).await;
    drop(arena.control());
    until("no order is taken", async || {
        arena
            .channels
            .delete(&actor(), &name("none"))
            .await
            .is_err_and(|error| error.code() == "shutting_down")
    })
    .await;
    assert_nothing_runs(&arena).await;
});

on_both!(a_second_life_over_a_living_host_changes_nothing, async |db: &Db| {
    let mut arena = Arena::settled_with(db, &[("a", 3), ("b", 3)]).await;
    let before = arena.all_bots().await;
    assert!(arena.stop_control().await);
    let again = Arena::start_with(db, arena.host.clone(), brisk()).await;
    again.sync("a").await;
    again.sync("b").await;
    again.until_settled().await;
    assert_eq!(again.all_bots().await, before, "nobody was deployed anew");
    again.stop().await;
});
