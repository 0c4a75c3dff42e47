//! Players: seats that are reserved, held, left and lapse, and the bodies that go with them.

use crate::support::{Arena, Call, Db, Fault, FaultyHost, actor, bot, brisk, name, until};
use arena_control::{
    ControlSettings, PageRequest, PlayerEvent, PlayerFilter, PlayerSettings, Reservation, ReserveRequest,
    ServiceError,
};
use arena_core::admission::Want;
use arena_core::channel::{ChannelKind, Mode};
use arena_core::player::PlayerState;
use arena_core::{BotId, PlayerId};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::sync::broadcast::Receiver;
use tokio::task::JoinSet;

const LONG: Duration = Duration::from_secs(3_600);
const SHORT: Duration = Duration::from_millis(60);

/// Nothing lapses before the test's end but what is said to.
fn keeping(reserve_for: Duration, grace: Duration) -> ControlSettings {
    let players = PlayerSettings { reserve_for, grace, free_every: Duration::from_millis(10) };
    ControlSettings { players, ..brisk() }
}

async fn start(db: &Db, reserve_for: Duration, grace: Duration) -> Arena {
    Arena::start_with(db, FaultyHost::new(), keeping(reserve_for, grace)).await
}

fn request(channel: &str) -> ReserveRequest {
    ReserveRequest { want: Want::ByName(name(channel)), user: "anon-1".to_owned(), name: "Ada".to_owned() }
}

async fn reserve(arena: &Arena, channel: &str) -> Reservation {
    arena.players.reserve(&actor(), request(channel)).await.unwrap()
}

/// A channel `a` of this many seats, and a player in it, held by session 1.
async fn with_player(arena: &Arena, seats: u32) -> PlayerId {
    arena.open("a", seats).await;
    let player = reserve(arena, "a").await.player;
    enter(arena, player, 1).await;
    player
}

async fn enter(arena: &Arena, player: PlayerId, session: u64) -> arena_control::Entered {
    arena.players.enter(player, &name("a"), session).await.unwrap()
}

async fn enter_in_vain(arena: &Arena, player: PlayerId, session: u64) -> ServiceError {
    arena.players.enter(player, &name("a"), session).await.unwrap_err()
}

async fn state(arena: &Arena, player: PlayerId) -> Option<PlayerState> {
    arena.store.player(player).await.unwrap().map(|player| player.state)
}

/// Waits until nobody is seated and nobody is there.
async fn until_empty(arena: &Arena) {
    until("everybody is gone", async || {
        let players = arena.players.list(PlayerFilter::default(), PageRequest::first(9)).await.unwrap();
        players.items.is_empty() && arena.residents().await.is_empty()
    })
    .await;
}

on_both!(two_hundred_joins_against_one_seat_seat_one, async |db: &Db| {
    let arena = start(db, LONG, LONG).await;
    arena.open("a", 1).await;
    let mut tasks = JoinSet::new();
    for _ in 0..200 {
        let players = arena.players.clone();
        tasks.spawn(async move { players.reserve(&actor(), request("a")).await });
    }
    let outcomes = tasks.join_all().await;
    let refused: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
    assert!(refused.iter().all(|error| error.code() == "channel_full"), "{refused:?}");
    assert_eq!(refused.len(), 199);
    let won = outcomes.iter().find_map(|outcome| outcome.as_ref().ok()).unwrap();
    enter(&arena, won.player, 1).await;
    arena.until_settled().await;
    arena.stop().await;
});

on_both!(bots_and_players_race_for_the_last_seats_and_never_overfill, async |db: &Db| {
    let arena = start(db, LONG, LONG).await;
    arena.open("home", 30).await;
    arena.open("a", 7).await;
    let bots = arena.fill("home", 30).await;
    let mut tasks = JoinSet::new();
    for bot in bots {
        let (bots, players) = (arena.bots.clone(), arena.players.clone());
        tasks.spawn(async move { bots.assign(&actor(), bot, Some(name("a"))).await.is_ok() });
        tasks.spawn(async move {
            let Ok(seat) = players.reserve(&actor(), request("a")).await else { return false };
            players.enter(seat.player, &name("a"), 1).await.unwrap();
            true
        });
    }
    let won = tasks.join_all().await.into_iter().filter(|won| *won).count();
    assert_eq!(won, 7);
    arena.until_settled().await;
    assert_eq!(arena.residents_of("a").await.len(), 7);
    arena.stop().await;
});

/// What was told of seats until now.
fn told(events: &mut Receiver<PlayerEvent>) -> Vec<PlayerEvent> {
    std::iter::from_fn(|| events.try_recv().ok()).collect()
}

on_both!(a_session_whose_seat_is_freed_is_told_of, async |db: &Db| {
    let arena = start(db, LONG, LONG).await;
    let mut events = arena.players.events();
    let player = with_player(&arena, 5).await;
    let reserved = reserve(&arena, "a").await.player;
    let left = reserve(&arena, "a").await.player;
    enter(&arena, left, 2).await;
    arena.players.exit(left, 2).await.unwrap();
    enter(&arena, player, 3).await;
    for freed in [reserved, left, player] {
        arena.players.vacate(&actor(), freed).await.unwrap();
    }
    assert_eq!(told(&mut events), [PlayerEvent::Lost { player, holder: 3 }], "only who holds one loses it");
    let next = reserve(&arena, "a").await.player;
    enter(&arena, next, 4).await;
    arena.channels.delete(&actor(), &name("a")).await.unwrap();
    assert_eq!(told(&mut events), [PlayerEvent::Lost { player: next, holder: 4 }]);
    arena.stop().await;
});

on_both!(a_body_is_in_the_world_when_its_player_has_entered, async |db: &Db| {
    let arena = start(db, LONG, LONG).await;
    arena.open("a", 5).await;
    let seat = reserve(&arena, "a").await;
    assert_eq!(arena.residents().await.len(), 0, "a reserved seat has no body");
    let entered = enter(&arena, seat.player, 1).await;
    assert_eq!((entered.body, entered.took_over), (seat.player.body(), None));
    assert_eq!(arena.residents_of("a").await, [entered.body]);
    let row = arena.channels.get(&name("a")).await.unwrap();
    assert_eq!((row.world, row.channel.seats.players), (Some(entered.world.clone()), 1));
    let view = arena.worlds.get(&entered.world).await.unwrap();
    assert_eq!(view.residents[0].name, "Ada");
    arena.sync("a").await;
    assert_eq!(arena.residents_of("a").await, [entered.body], "no ghost to a sync");
    arena.until_settled().await;
    arena.stop().await;
});

on_both!(a_player_sees_the_world_and_acts_in_it, async |db: &Db| {
    let arena = start(db, LONG, LONG).await;
    arena.open("a", 5).await;
    arena.fill("a", 2).await;
    arena.until_settled().await;
    let player = reserve(&arena, "a").await.player;
    enter(&arena, player, 1).await;
    let channel = name("a");
    let me = async || {
        let look = arena.players.look(&channel).await.unwrap();
        let seen: serde_json::Value = serde_json::from_slice(&look.snapshot).unwrap();
        let residents = seen["residents"].as_array().unwrap();
        assert_eq!(residents.len(), 3);
        let id = player.to_string();
        residents.iter().find(|resident| resident["id"] == id.as_str()).unwrap().clone()
    };
    assert_eq!((&me().await["name"], &me().await["kind"]), (&"Ada".into(), &"player".into()));
    let act = async |event: &str, input: &str| arena.players.act(player, &channel, event, input).await;
    for degrees in [270, 90] {
        act("look", &format!(r#"{{"heading": {degrees}}}"#)).await.unwrap();
        assert_eq!(me().await["heading"], degrees);
    }
    assert_eq!(act("move", r#"{"x": 65535, "y": 70000}"#).await.unwrap_err().code(), "outside_map");
    arena.players.vacate(&actor(), player).await.unwrap();
    until("the body has left", async || {
        act("look", r#"{"heading": 0}"#).await.is_err_and(|error| error.code() == "not_here")
    })
    .await;
    assert_eq!(arena.players.look(&name("gone")).await.unwrap_err().code(), "channel_not_found");
    arena.stop().await;
});

on_both!(a_reservation_that_nobody_comes_for_lapses, async |db: &Db| {
    let arena = start(db, SHORT, LONG).await;
    arena.open("a", 1).await;
    let seat = reserve(&arena, "a").await;
    until_empty(&arena).await;
    let error = enter_in_vain(&arena, seat.player, 1).await;
    assert_eq!((error.code(), error.retryable()), ("reservation_lapsed", false));
    assert!(arena_store::now() >= seat.expires_at, "not before its time");
    reserve(&arena, "a").await;
    arena.stop().await;
});

on_both!(a_player_who_comes_back_in_time_keeps_seat_and_body, async |db: &Db| {
    let arena = start(db, LONG, LONG).await;
    let player = with_player(&arena, 1).await;
    // A sync that was on its way puts the body in once more, which changes nothing.
    arena.until_settled().await;
    arena.sync("a").await;
    let joins = arena.host.joins_of(player.body()).len();
    assert!(arena.players.exit(player, 1).await.unwrap());
    assert!(matches!(state(&arena, player).await, Some(PlayerState::Away { .. })));
    arena.sync("a").await;
    assert_eq!(arena.residents_of("a").await, [player.body()], "the body waits");
    let refused = arena.players.reserve(&actor(), request("a")).await.unwrap_err();
    assert_eq!(refused.code(), "channel_full", "and so does the seat");
    assert_eq!(arena.host.joins_of(player.body()).len(), joins, "it was not put in again");
    let entered = enter(&arena, player, 2).await;
    assert_eq!((entered.body, entered.took_over), (player.body(), None));
    arena.until_settled().await;
    arena.stop().await;
});

on_both!(a_player_who_does_not_come_back_loses_seat_and_body, async |db: &Db| {
    let arena = start(db, LONG, SHORT).await;
    let player = with_player(&arena, 1).await;
    arena.players.exit(player, 1).await.unwrap();
    until_empty(&arena).await;
    assert_eq!(enter_in_vain(&arena, player, 2).await.code(), "reservation_lapsed");
    let next = reserve(&arena, "a").await.player;
    enter(&arena, next, 3).await;
    arena.until_settled().await;
    arena.stop().await;
});

on_both!(a_second_session_takes_over_and_the_exit_of_the_first_changes_nothing, async |db: &Db| {
    let arena = start(db, LONG, SHORT).await;
    let player = with_player(&arena, 1).await;
    assert_eq!(enter(&arena, player, 2).await.took_over, Some(1));
    assert_eq!(enter_in_vain(&arena, player, 1).await.code(), "seat_lost", "it cannot take the seat back");
    assert!(!arena.players.exit(player, 1).await.unwrap());
    assert_eq!(state(&arena, player).await, Some(PlayerState::Seated { session: 2 }));
    arena.sync("a").await;
    assert_eq!(arena.residents_of("a").await, [player.body()]);
    assert!(arena.players.exit(player, 2).await.unwrap());
    until_empty(&arena).await;
    arena.stop().await;
});

on_both!(players_are_put_into_the_world_that_takes_the_place_of_a_wiped_one, async |db: &Db| {
    let arena = start(db, LONG, LONG).await;
    let player = with_player(&arena, 9).await;
    arena.fill("a", 3).await;
    let away = reserve(&arena, "a").await.player;
    enter(&arena, away, 5).await;
    arena.players.exit(away, 5).await.unwrap();
    reserve(&arena, "a").await;
    arena.until_settled().await;
    for _ in 0..3 {
        arena.wipe().await;
        until("five bodies are back", async || arena.residents_of("a").await.len() == 5).await;
        arena.until_settled().await;
    }
    let residents = arena.residents_of("a").await;
    assert!(residents.contains(&player.body()) && residents.contains(&away.body()));
    arena.stop().await;
});

on_both!(entries_during_wipes_end_in_the_world_that_is_there, async |db: &Db| {
    let arena = start(db, LONG, LONG).await;
    arena.open("a", 24).await;
    let mut tasks = JoinSet::new();
    for session in 0..24_u64 {
        let players = arena.players.clone();
        let seat = reserve(&arena, "a").await;
        tasks.spawn(async move {
            // A world that ends under its hands is no fault of the player's: it tries again.
            while let Err(error) = players.enter(seat.player, &name("a"), session).await {
                assert!(error.retryable(), "{error}");
            }
        });
        if session % 3 == 0 {
            arena.wipe().await;
        }
    }
    tasks.join_all().await;
    arena.until_settled().await;
    assert_eq!(arena.residents_of("a").await.len(), 24);
    arena.stop().await;
});

on_both!(a_body_that_enters_while_a_sync_looks_is_no_ghost, async |db: &Db| {
    let arena = start(db, LONG, LONG).await;
    arena.open("a", 5).await;
    arena.fill("a", 1).await;
    arena.until_settled().await;
    let gate = Arc::new(Semaphore::new(0));
    let seen = arena.host.counted("a");
    arena.host.fail(&[Call::Residents], Some("a"), Fault::Hold(Arc::clone(&gate)));
    arena.channels.sync(&name("a")).await.unwrap();
    until("the sync asks who is there", async || arena.host.counted("a") > seen).await;
    let seat = reserve(&arena, "a").await;
    enter(&arena, seat.player, 1).await;
    arena.host.mend();
    gate.add_permits(1);
    arena.sync("a").await;
    assert_eq!(arena.residents_of("a").await.len(), 2);
    let joins = arena.host.joins_of(seat.player.body()).len();
    assert_eq!(joins, 1, "it was sent out and had to come again");
    arena.stop().await;
});

on_both!(a_seat_that_is_freed_while_its_body_enters_leaves_no_ghost, async |db: &Db| {
    let arena = start(db, LONG, LONG).await;
    arena.open("a", 5).await;
    arena.fill("a", 1).await;
    arena.until_settled().await;
    let seat = reserve(&arena, "a").await;
    let gate = Arc::new(Semaphore::new(0));
    arena.host.fail(&[Call::Join], Some("a"), Fault::Hold(Arc::clone(&gate)));
    let players = arena.players.clone();
    let mut entering = JoinSet::new();
    entering.spawn(async move { players.enter(seat.player, &name("a"), 1).await });
    until("the body is at the door", async || !arena.host.joins_of(seat.player.body()).is_empty()).await;
    arena.players.vacate(&actor(), seat.player).await.unwrap();
    // The sync that the vacating woke finds nobody yet.
    arena.sync("a").await;
    arena.host.mend();
    gate.add_permits(1);
    let error = entering.join_next().await.unwrap().unwrap().unwrap_err();
    assert_eq!(error.code(), "reservation_lapsed");
    arena.until_settled().await;
    arena.stop().await;
});

on_both!(an_outage_on_the_way_in_keeps_the_seat_for_another_try, async |db: &Db| {
    let arena = start(db, LONG, LONG).await;
    arena.open("a", 5).await;
    let seat = reserve(&arena, "a").await;
    for fault in [Fault::Status(503), Fault::Forgets, Fault::Refuses { retryable: true }] {
        arena.host.fail(&[Call::Join], Some("a"), fault);
        let error = enter_in_vain(&arena, seat.player, 1).await;
        assert_eq!((error.code(), error.retryable()), ("world_unavailable", true));
        assert!(matches!(state(&arena, seat.player).await, Some(PlayerState::Away { .. })));
    }
    arena.host.mend();
    enter(&arena, seat.player, 2).await;
    arena.until_settled().await;
    arena.stop().await;
});

on_both!(a_body_that_a_new_world_refuses_is_tried_again, async |db: &Db| {
    let arena = start(db, LONG, LONG).await;
    let player = with_player(&arena, 5).await;
    arena.until_settled().await;
    arena.host.fail(&[Call::Join], Some("a"), Fault::Refuses { retryable: true });
    arena.wipe().await;
    until("the trouble is told", async || {
        arena.trouble("a").await.is_some_and(|trouble| trouble.contains(&player.to_string()))
    })
    .await;
    arena.host.mend();
    arena.until_settled().await;
    arena.stop().await;
});

on_both!(a_deleted_channel_takes_seats_and_bodies_along, async |db: &Db| {
    let arena = start(db, LONG, LONG).await;
    let player = with_player(&arena, 5).await;
    arena.channels.delete(&actor(), &name("a")).await.unwrap();
    assert_eq!(enter_in_vain(&arena, player, 2).await.code(), "reservation_lapsed");
    arena.until_settled().await;
    assert_eq!(arena.residents().await.len(), 0);
    arena.stop().await;
});

on_both!(a_draining_channel_keeps_its_players_until_they_go, async |db: &Db| {
    let arena = start(db, LONG, SHORT).await;
    let player = with_player(&arena, 5).await;
    let late = reserve(&arena, "a").await.player;
    arena.enroll(vec![bot("b", Some("a"))]).await;
    arena.set_mode("a", Mode::Draining).await;
    let refused = arena.players.reserve(&actor(), request("a")).await.unwrap_err();
    assert_eq!(refused.code(), "channel_not_accepting");
    enter(&arena, late, 2).await;
    arena.until_settled().await;
    assert_eq!(arena.residents_of("a").await.len(), 2);
    for (player, session) in [(player, 1), (late, 2)] {
        arena.players.exit(player, session).await.unwrap();
    }
    until("they are gone", async || arena.residents_of("a").await.is_empty()).await;
    arena.stop().await;
});

on_both!(a_vacated_seat_is_free_at_once_and_its_body_leaves, async |db: &Db| {
    let arena = start(db, LONG, LONG).await;
    let player = with_player(&arena, 1).await;
    arena.players.vacate(&actor(), player).await.unwrap();
    reserve(&arena, "a").await;
    until("the body has left", async || arena.residents().await.is_empty()).await;
    let unknown = arena.players.vacate(&actor(), player).await.unwrap_err();
    assert_eq!(unknown.code(), "player_not_found");
    assert!(!arena.players.exit(player, 1).await.unwrap());
    arena.stop().await;
});

on_both!(after_a_restart_seats_wait_for_their_players_and_are_freed_without_them, async |db: &Db| {
    let arena = start(db, LONG, LONG).await;
    let (back, lost) = (with_player(&arena, 5).await, reserve(&arena, "a").await.player);
    enter(&arena, lost, 2).await;
    drop(arena);

    let grace = Duration::from_secs(3);
    let arena = start(db, LONG, grace).await;
    until("the lost sessions' seats are left", async || {
        matches!(state(&arena, lost).await, Some(PlayerState::Away { .. }))
    })
    .await;
    // The first session of the new process may have the number that the old one had.
    assert_eq!(enter(&arena, back, 2).await.took_over, None);
    arena.until_settled().await;
    assert_eq!(arena.residents_of("a").await.len(), 2, "those who are away have their bodies too");
    until("the seat is freed", async || state(&arena, lost).await.is_none()).await;
    assert_eq!(state(&arena, back).await, Some(PlayerState::Seated { session: 2 }));
    arena.until_settled().await;
    assert_eq!(arena.residents_of("a").await, [back.body()]);
    arena.stop().await;
});

on_both!(an_entry_right_after_a_restart_is_not_undone_by_it, async |db: &Db| {
    for _ in 0..5 {
        let arena = start(db, LONG, LONG).await;
        let channel = name("a");
        if arena.channels.get(&channel).await.is_err() {
            arena.open("a", 30).await;
        }
        let player = reserve(&arena, "a").await.player;
        enter(&arena, player, 1).await;
        arena.sync("a").await;
        assert_eq!(state(&arena, player).await, Some(PlayerState::Seated { session: 1 }));
        drop(arena);
    }
});

on_both!(a_seat_is_found_in_another_shard_when_one_is_full, async |db: &Db| {
    let arena = start(db, LONG, LONG).await;
    let find = |n: u32| ReserveRequest {
        want: Want::Find { kind: ChannelKind::Vip, region: None },
        user: format!("anon-{n}"),
        name: format!("Player {n}"),
    };
    let mut tasks = JoinSet::new();
    for n in 0..40 {
        let players = arena.players.clone();
        tasks.spawn(async move {
            let seat = players.reserve(&actor(), find(n)).await.unwrap();
            players.enter(seat.player, &seat.channel, 1).await.unwrap().body
        });
    }
    let bodies: std::collections::BTreeSet<BotId> = tasks.join_all().await.into_iter().collect();
    arena.until_settled().await;
    assert_eq!(arena.residents().await.into_keys().collect::<std::collections::BTreeSet<_>>(), bodies);
    assert!(arena.store.all_channels().await.unwrap().len() >= 3, "20 seats each, a new shard above 80 %");
    arena.stop().await;
});

on_both!(names_that_nobody_could_bear_are_refused, async |db: &Db| {
    let arena = start(db, LONG, LONG).await;
    arena.open("a", 5).await;
    for bad in ["", " Ada", "a\u{0}b", &"x".repeat(65)] {
        let request = ReserveRequest { name: bad.to_owned(), ..request("a") };
        assert_eq!(arena.players.reserve(&actor(), request).await.unwrap_err().code(), "invalid_profile");
    }
    arena.stop().await;
});
