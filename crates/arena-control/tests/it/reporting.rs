//! Health, reset and imports, as an operator sees them.

use crate::support::{Arena, Call, Db, Fault, actor, bot, name, until};
use arena_core::bot::BotState;
use arena_core::health::{ChannelHealth, Level};
use arena_store::BotFilter;
use arena_worlds::WorldHost;
use std::sync::Mutex;

async fn health(arena: &Arena, channel: &str) -> ChannelHealth {
    let report = arena.health.report().await.unwrap();
    report.channels.into_iter().find(|health| health.channel == name(channel)).unwrap()
}

on_both!(load_and_worlds_set_the_level, async |db: &Db| {
    let arena = Arena::start(db).await;
    arena.open("half", 10).await;
    arena.open("warm", 10).await;
    arena.open("tight", 10).await;
    arena.open("empty", 0).await;
    for (channel, bots) in [("half", 5), ("warm", 7), ("tight", 10)] {
        arena.fill(channel, bots).await;
    }
    arena.until_settled().await;
    for (channel, level) in [
        ("half", Level::Healthy),
        ("warm", Level::Warning),
        ("tight", Level::Critical),
        ("empty", Level::Critical),
    ] {
        assert_eq!(health(&arena, channel).await.level, level, "{channel}");
    }
    let report = arena.health.report().await.unwrap();
    assert_eq!((report.level, report.valid_worlds, report.bots.live), (Level::Critical, 3, 22));
    assert_eq!(report.sync_success_percent, Some(100.0));
    arena.stop().await;
});

on_both!(a_world_that_is_gone_is_critical_and_one_that_cannot_be_asked_is_not, async |db: &Db| {
    let arena = Arena::settled_with(db, &[("a", 3)]).await;
    arena.host.fail(&[], None, Fault::Status(503));
    let unknown = health(&arena, "a").await;
    assert_eq!((unknown.level, unknown.world_state.as_str()), (Level::Warning, "unknown"));
    assert_eq!(arena.channels.stats(&name("a")).await.unwrap().world_state, "unknown");
    arena.host.mend();
    // It ends, and nobody can make it anew.
    arena.host.fail(&[Call::Create, Call::Validate], None, Fault::Status(500));
    arena.host.native.destroy(&arena.host.native.list().await.unwrap()[0].hosted.world).await.unwrap();
    let gone = health(&arena, "a").await;
    assert_eq!((gone.level, gone.world_state.as_str()), (Level::Critical, "gone"));
    assert!(!gone.issues.is_empty() && !gone.advice.is_empty());
    until("the sync has failed", async || arena.trouble("a").await.is_some()).await;
    let report = arena.health.report().await.unwrap();
    assert!(report.sync_success_percent.unwrap() < 100.0);
    assert!(arena.health.sync_totals().failed > 0);
    arena.host.mend();
    arena.until_settled().await;
    until("all is well", async || health(&arena, "a").await.level == Level::Healthy).await;
    arena.stop().await;
});

on_both!(a_report_asks_the_host_once, async |db: &Db| {
    let arena = Arena::settled_with(db, &[("a", 1), ("b", 1), ("c", 1)]).await;
    // Whatever asks for a single channel's world hears of an outage; the list of all is what is left.
    arena.host.fail(&[Call::Validate, Call::Find, Call::View, Call::Residents], None, Fault::Status(503));
    let report = arena.health.report().await.unwrap();
    assert_eq!(report.valid_worlds, 3, "a channel's world was asked for by itself");
    arena.host.mend();
    arena.stop().await;
});

on_both!(a_reset_shows_its_plan_before_it_forces_redeployment, async |db: &Db| {
    let arena = Arena::settled_with(db, &[("a", 3), ("b", 2)]).await;
    arena.host.fail(&[Call::Join], Some("a"), Fault::Refuses { retryable: false });
    let failed = arena.enroll(vec![bot("failed", Some("a"))]).await[0];
    until("it has failed", async || matches!(arena.state(failed).await, BotState::Failed { .. })).await;
    arena.host.mend();
    let world = async |channel| arena.host.native.find(&name(channel)).await.unwrap().map(|w| w.world);
    let (a, b) = (world("a").await, world("b").await);

    let plan = arena.channels.reset(&actor(), Some(&name("a")), true).await.unwrap();
    assert_eq!(plan.len(), 1);
    assert_eq!((plan[0].world.clone(), plan[0].bots, plan[0].failed), (a.clone(), 4, 1));
    assert_eq!(arena.channels.reset(&actor(), None, true).await.unwrap().len(), 2);
    assert_eq!(world("a").await, a, "a dry run changes nothing");
    assert!(matches!(arena.state(failed).await, BotState::Failed { .. }));

    assert_eq!(arena.channels.reset(&actor(), Some(&name("a")), false).await.unwrap(), plan);
    arena.until_settled().await;
    assert_ne!(world("a").await, a);
    assert_eq!(world("b").await, b, "another channel is left alone");
    assert_eq!(arena.state(failed).await, BotState::Live);
    arena.stop().await;
});

on_both!(a_reset_works_while_the_host_does_not_answer, async |db: &Db| {
    let arena = Arena::settled_with(db, &[("a", 3)]).await;
    arena.host.fail(&[], None, Fault::Status(503));
    arena.channels.reset(&actor(), None, false).await.unwrap();
    assert_eq!(arena.store.placement(&name("a")).await.unwrap().world, None);
    arena.host.mend();
    arena.until_settled().await;
    arena.stop().await;
});

on_both!(an_import_tells_its_progress_and_a_second_one_changes_nothing, async |db: &Db| {
    let arena = Arena::start(db).await;
    let roster: Vec<_> = (0..1_200).map(|n| bot(&format!("bot-{n:04}"), None)).collect();
    let told = Mutex::new(Vec::new());
    let progress = |done| told.lock().unwrap().push(done);
    let first = arena.bots.import_with(&actor(), roster.clone(), progress).await.unwrap();
    assert_eq!((first.created, first.existing, first.opened.len()), (1_200, 0, 50));
    assert_eq!(*told.lock().unwrap(), [500, 1_000, 1_200]);
    arena.until_settled().await;
    let before = arena.all_bots().await;
    let second = arena.bots.import(&actor(), roster).await.unwrap();
    assert_eq!((second.created, second.existing, second.opened.len()), (0, 1_200, 0));
    assert_eq!(arena.all_bots().await, before);
    arena.stop().await;
});

on_both!(a_roster_with_one_bad_row_stores_nobody, async |db: &Db| {
    let arena = Arena::start(db).await;
    let mut roster: Vec<_> = (0..600).map(|n| bot(&format!("bot-{n:04}"), None)).collect();
    roster[599].profile.name = String::new();
    let refused = arena.bots.import(&actor(), roster).await.unwrap_err();
    assert_eq!(refused.code(), "invalid_roster");
    assert!(refused.to_string().contains("row 600"), "{refused}");
    let page = arena_control::PageRequest::first(1);
    assert!(arena.bots.list(BotFilter::default(), page).await.unwrap().items.is_empty());
    arena.stop().await;
});

on_both!(worlds_are_listed_in_pages_and_looked_into, async |db: &Db| {
    let arena = Arena::settled_with(db, &[("a", 2), ("b", 1), ("c", 1)]).await;
    let mut page = arena_control::PageRequest::first(2);
    let first = arena.worlds.list(page.clone()).await.unwrap();
    page.cursor = first.next_cursor;
    let second = arena.worlds.list(page).await.unwrap();
    assert_eq!((first.items.len(), second.items.len(), second.next_cursor), (2, 1, None));
    let a = arena.host.native.find(&name("a")).await.unwrap().unwrap().world;
    assert_eq!(arena.worlds.get(&a).await.unwrap().residents.len(), 2);
    assert!(matches!(arena.worlds.validate(&a).await, arena_control::Validity::Valid(_)));
    let gone = "w-gone".parse().unwrap();
    assert_eq!(arena.worlds.get(&gone).await.unwrap_err().code(), "world_not_found");
    assert_eq!(arena.worlds.validate(&gone).await, arena_control::Validity::Gone);
    arena.stop().await;
});

on_both!(init_opens_what_is_missing_only, async |db: &Db| {
    let arena = Arena::start(db).await;
    arena.open("main", 7).await;
    let (rows, opened) = arena.channels.init(&actor()).await.unwrap();
    assert_eq!((rows.len(), opened), (3, vec![name("vip"), name("test")]));
    assert_eq!(rows[0].channel.seats.max_bots, 7);
    assert_eq!(arena.channels.init(&actor()).await.unwrap().1, []);
    arena.stop().await;
});
