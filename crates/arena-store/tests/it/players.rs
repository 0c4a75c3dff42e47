//! Seats of players: taken, held, left, lapsed.

use crate::support::*;
use arena_core::admission::{AdmissionRules, AdmitError, Op, Want};
use arena_core::channel::{ChannelKind, Mode, Status};
use arena_core::player::{NewPlayer, Player, PlayerState};
use arena_core::{PlayerId, Timestamp};
use arena_store::{Order, PageRequest, PlayerFilter, Seating, Store, StoreError};

/// When every reservation of these tests ends.
const END: Timestamp = Timestamp(30_000);
const BEFORE: Timestamp = Timestamp(29_999);

fn reserve(player: PlayerId, channel: &str) -> Op {
    Op::Reserve { player: new_player(player, END), want: Want::ByName(name(channel)) }
}

/// A channel with this many seats, one of them reserved.
async fn with_seat(db: &Db, seats: u32) -> (Store, PlayerId) {
    let store = db.open().await;
    open(&store, "side", seats).await;
    act(&store, reserve(player_id(1), "side")).await;
    (store, player_id(1))
}

/// `None` if the seat has lapsed.
async fn seat(store: &Store, player: PlayerId, session: u64, at: Timestamp) -> Option<(Player, Option<u64>)> {
    match store.seat_player(player, &name("side"), session, at).await.unwrap() {
        Seating::Held(player, before) => Some((player, before)),
        Seating::Lapsed => None,
        Seating::Outdated => panic!("a newer session than {session} holds the seat"),
    }
}

async fn state(store: &Store, player: PlayerId) -> PlayerState {
    store.player(player).await.unwrap().unwrap().state
}

async fn players_in(store: &Store, channel: &str) -> u32 {
    store.channel(&name(channel)).await.unwrap().unwrap().channel.seats.players
}

on_both!(two_hundred_joins_against_one_seat_seat_one, async |db| {
    let store = db.open().await;
    open(&store, "tiny", 1).await;
    let outcomes = at_once(200, |n| {
        let store = store.clone();
        async move {
            let op = reserve(player_id(n), "tiny");
            store.carry_out(&actor(), op).await.map_err(|e| e.to_string())
        }
    })
    .await;
    let refused: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
    assert_eq!(refused.len(), 199);
    let full = AdmitError::ChannelFull { channel: name("tiny"), limit: 1, free: 0, wanted: 1 }.to_string();
    assert!(refused.iter().all(|error| **error == full), "{refused:?}");
    let tiny = store.channel(&name("tiny")).await.unwrap().unwrap().channel.seats;
    assert_eq!((tiny.bots, tiny.players, tiny.status()), (0, 1, Status::Full));
    assert_sound(&store).await;
});

on_both!(bots_and_players_race_for_the_last_seats_and_never_overfill, async |db| {
    let stores = [db.open().await, db.open().await, db.open().await];
    let bots = enroll(&stores[0], 60).await;
    for round in 0..4 {
        let channel = format!("narrow-{}", round + 2);
        open(&stores[0], &channel, 7).await;
        let outcomes = at_once(120, |n| {
            let (store, channel) = (stores[n % 3].clone(), channel.clone());
            let op = if n % 2 == 0 {
                assign(bots[n / 2], &channel)
            } else {
                reserve(player_id(1_000 * round + n), &channel)
            };
            async move { store.carry_out(&actor(), op).await.is_ok() }
        })
        .await;
        assert_eq!(outcomes.iter().filter(|won| **won).count(), 7);
        assert_sound(&stores[1]).await;
    }
});

on_both!(the_database_itself_refuses_to_overfill_with_players, async |db| {
    let store = db.open().await;
    let bots = enroll(&store, 2).await;
    open(&store, "tiny", 2).await;
    act(&store, assign(bots[0], "tiny")).await;
    let pool = db.raw().await;
    let outcomes = at_once(50, |n| {
        let pool = pool.clone();
        async move {
            let sql = "INSERT INTO players (id, channel, user_id, name, state, epoch, expires_at, created_at, changed_at) \
                       VALUES ($1, 'tiny', 'u', 'n', 'reserved', 0, 1, 1, 1)";
            let mut tx = pool.begin().await?;
            sqlx::query(sql).bind(player_id(n).to_string()).execute(&mut *tx).await?;
            tx.commit().await
        }
    })
    .await;
    let refused: Vec<_> = outcomes.into_iter().filter_map(Result::err).map(StoreError::from).collect();
    assert_eq!(refused.len(), 49);
    assert!(refused.iter().any(|error| matches!(error, StoreError::Overfull)), "{refused:?}");
    let raw = raw_sql(db, "UPDATE bots SET channel = 'tiny' WHERE name = 'bot-001'").await;
    assert!(matches!(raw.map_err(StoreError::from), Err(StoreError::Overfull)));
    let raw = raw_sql(db, "UPDATE channels SET max_bots = 1 WHERE name = 'tiny'").await;
    assert!(matches!(raw.map_err(StoreError::from), Err(StoreError::Overfull)));
    assert_sound(&store).await;
});

on_both!(a_seat_is_reserved_held_left_and_held_again, async |db| {
    let (store, player) = with_seat(db, 3).await;
    assert_eq!(state(&store, player).await, PlayerState::Reserved { until: END });
    assert_eq!(store.players_with_bodies(&name("side")).await.unwrap(), []);

    let (seated, before) = seat(&store, player, 7, BEFORE).await.unwrap();
    assert_eq!((seated.state, seated.epoch, before), (PlayerState::Seated { session: 7 }, 1, None));
    assert_eq!(store.player(player).await.unwrap().unwrap(), seated);
    assert_eq!(store.players_with_bodies(&name("side")).await.unwrap(), [seated]);

    assert!(store.leave_seat(player, 7, Timestamp(50_000)).await.unwrap());
    assert_eq!(state(&store, player).await, PlayerState::Away { until: Timestamp(50_000) });
    assert_eq!(store.free_expired_seats(Timestamp(49_999)).await.unwrap(), []);
    let (again, before) = seat(&store, player, 8, Timestamp(49_999)).await.unwrap();
    assert_eq!((again.epoch, before), (2, None), "who has left was not driven out");
    assert_eq!(
        store.free_expired_seats(Timestamp(i64::MAX)).await.unwrap(),
        [],
        "a held seat does not lapse"
    );
    assert_eq!(players_in(&store, "side").await, 1);
});

on_both!(a_newer_session_takes_the_seat_over_and_the_older_one_cannot_give_it_up, async |db| {
    let (store, player) = with_seat(db, 3).await;
    seat(&store, player, 7, BEFORE).await.unwrap();
    let (seated, before) = seat(&store, player, 8, BEFORE).await.unwrap();
    assert_eq!((seated.epoch, before), (2, Some(7)));
    let late = store.seat_player(player, &name("side"), 7, BEFORE).await.unwrap();
    assert_eq!(late, Seating::Outdated, "nor can it take the seat back");
    assert!(!store.leave_seat(player, 7, END).await.unwrap());
    assert_eq!(state(&store, player).await, PlayerState::Seated { session: 8 });
    let (_, before) = seat(&store, player, 8, BEFORE).await.unwrap();
    assert_eq!(before, None, "a session does not take over from itself");
    let largest = u64::try_from(i64::MAX).unwrap();
    assert!(seat(&store, player, largest, BEFORE).await.is_some());
    assert!(store.leave_seat(player, largest, END).await.unwrap());
});

on_both!(of_sessions_that_enter_at_once_the_newest_holds_the_seat, async |db| {
    let (store, player) = with_seat(db, 3).await;
    let outcomes = at_once(4, |n| {
        let (store, session) = (store.clone(), n as u64 + 1);
        async move { (session, store.seat_player(player, &name("side"), session, BEFORE).await.unwrap()) }
    })
    .await;
    assert_eq!(state(&store, player).await, PlayerState::Seated { session: 4 });
    let (mut epochs, mut out) = (Vec::new(), Vec::new());
    for (session, outcome) in outcomes {
        match outcome {
            Seating::Held(player, before) => {
                epochs.push(player.epoch);
                out.extend(before);
            }
            Seating::Outdated => out.push(session),
            Seating::Lapsed => panic!("{session} found no seat"),
        }
    }
    epochs.sort_unstable();
    assert!(epochs.iter().zip(1..).all(|(epoch, n)| *epoch == n), "{epochs:?}");
    out.sort_unstable();
    assert_eq!(out, [1, 2, 3], "each of the others was driven out once, or never got in");
});

on_both!(a_lapsed_seat_is_refused_even_before_it_is_freed, async |db| {
    let (store, player) = with_seat(db, 1).await;
    assert_eq!(seat(&store, player, 7, END).await, None);
    assert_eq!(players_in(&store, "side").await, 1);
    assert_eq!(store.free_expired_seats(END).await.unwrap(), [(player, name("side"))]);
    assert_eq!(players_in(&store, "side").await, 0);
    assert_eq!(seat(&store, player, 7, BEFORE).await, None);
    assert_sound(&store).await;
});

on_both!(a_seat_is_only_in_its_channel, async |db| {
    let (store, player) = with_seat(db, 1).await;
    open(&store, "club", 1).await;
    assert_eq!(store.seat_player(player, &name("club"), 7, BEFORE).await.unwrap(), Seating::Lapsed);
    assert_eq!(seat(&store, player_id(9), 7, BEFORE).await, None);
});

on_both!(lapse_and_entry_at_the_same_moment_have_one_winner, async |db| {
    let stores = [db.open().await, db.open().await];
    open(&stores[0], "side", 100).await;
    for round in 0..40 {
        let player = player_id(round);
        act(&stores[0], reserve(player, "side")).await;
        let won = at_once(2, |n| {
            let store = stores[n].clone();
            async move {
                let entered = n == 0 && seat(&store, player, 7, BEFORE).await.is_some();
                let freed = if n == 0 { Vec::new() } else { store.free_expired_seats(END).await.unwrap() };
                (entered, freed.contains(&(player, name("side"))))
            }
        })
        .await;
        let (entered, lapsed) = (won.iter().any(|won| won.0), won.iter().any(|won| won.1));
        assert_ne!(entered, lapsed, "round {round}");
        assert_eq!(stores[0].player(player).await.unwrap().is_some(), entered, "round {round}");
    }
    assert_sound(&stores[0]).await;
});

on_both!(what_is_vacated_is_free_at_once_and_named_afterwards, async |db| {
    let (store, player) = with_seat(db, 1).await;
    seat(&store, player, 7, BEFORE).await.unwrap();
    let applied = act(&store, Op::Vacate { player }).await;
    assert_eq!(applied.touched().collect::<Vec<_>>(), [&name("side")]);
    assert_eq!(refusal(&store, Op::Vacate { player }).await, AdmitError::PlayerNotFound(player));
    let bots = enroll(&store, 1).await;
    act(&store, assign(bots[0], "side")).await;
    assert_sound(&store).await;
});

on_both!(players_are_load_for_every_rule, async |db| {
    let store = db.open().await;
    enroll(&store, 3).await;
    for n in 0..2 {
        act(&store, reserve(player_id(n), "main")).await;
    }
    let refused = refusal(&store, set_limit("main", 4)).await;
    assert!(matches!(refused, AdmitError::BelowLoad { bots: 3, players: 2, max_bots: 4, .. }), "{refused}");
    act(&store, set_limit("main", 5)).await;
    let filter = arena_store::ChannelFilter { status: Some(Status::Full), ..Default::default() };
    let full = store.channels(&filter, &PageRequest::first(9)).await.unwrap();
    assert_eq!(full.items.len(), 1, "lists know that it is full too");

    act(&store, set_mode("main", Mode::Draining)).await;
    assert_eq!(loads(&store).await, expected(&[("main", 0), ("main-2", 3)]));
    assert_eq!(players_in(&store, "main").await, 2, "players stay until they go");
    let applied = act(&store, close("main")).await;
    assert_eq!(applied.vacated.len(), 2);
    assert_eq!(store.players(&PlayerFilter::default(), &PageRequest::first(9)).await.unwrap().items, []);
    assert_sound(&store).await;
});

on_both!(a_channel_deleted_by_hand_takes_its_players_along, async |db| {
    let (store, player) = with_seat(db, 3).await;
    raw_sql(db, "DELETE FROM channels WHERE name = 'side'").await.unwrap();
    assert_eq!(store.player(player).await.unwrap(), None);
    assert_sound(&store).await;
});

on_both!(a_seat_is_found_by_kind_and_a_shard_is_opened_for_it, async |db| {
    let store = db.open().await;
    enroll(&store, 23).await;
    let find = |n| Op::Reserve {
        player: new_player(player_id(n), END),
        want: Want::Find { kind: ChannelKind::Main, region: None },
    };
    assert_eq!(act(&store, find(0)).await.reserved, Some((player_id(0), name("main"))));
    let applied = act(&store, find(1)).await;
    assert_eq!(applied.reserved, Some((player_id(1), name("main-2"))));
    assert_eq!(applied.opened, [name("main-2")]);
    assert_sound(&store).await;
});

on_both!(a_batch_frees_and_fills_the_same_seat, async |db| {
    let (store, player) = with_seat(db, 1).await;
    let orders: Vec<_> = [
        reserve(player_id(2), "side"),
        Op::Vacate { player },
        reserve(player_id(3), "side"),
        Op::Vacate { player: player_id(3) },
        reserve(player_id(4), "side"),
        reserve(player_id(5), "side"),
    ]
    .map(|op| Order::new(&actor(), op))
    .into();
    let outcomes = store.carry_out_all(&orders).await.unwrap();
    assert_eq!(
        outcomes.iter().map(Result::is_ok).collect::<Vec<_>>(),
        [false, true, true, true, true, false]
    );
    let left = store.players(&PlayerFilter::default(), &PageRequest::first(9)).await.unwrap().items;
    assert_eq!(left.iter().map(|player| player.id).collect::<Vec<_>>(), [player_id(4)]);
    assert_sound(&store).await;
});

on_both!(a_restart_leaves_every_seat_that_was_held, async |db| {
    let (store, player) = with_seat(db, 3).await;
    act(&store, reserve(player_id(2), "side")).await;
    seat(&store, player, 7, BEFORE).await.unwrap();
    assert_eq!(store.leave_all_seats(Timestamp(60_000)).await.unwrap(), 1);
    assert_eq!(state(&store, player).await, PlayerState::Away { until: Timestamp(60_000) });
    assert_eq!(state(&store, player_id(2)).await, PlayerState::Reserved { until: END });
    assert_eq!(players_in(&store, "side").await, 2);
});

on_both!(players_are_listed_page_by_page_and_by_channel, async |db| {
    let store = db.open().await;
    open(&store, "side", 9).await;
    open(&store, "club", 9).await;
    for n in 0..6 {
        act(&store, reserve(player_id(n), if n % 2 == 0 { "side" } else { "club" })).await;
    }
    let filter = PlayerFilter { channel: Some(name("side")) };
    let first = store.players(&filter, &PageRequest::first(2)).await.unwrap();
    let rest = PageRequest { limit: 2, cursor: first.next_cursor.clone() };
    let rest = store.players(&filter, &rest).await.unwrap();
    let found: Vec<_> = first.items.iter().chain(&rest.items).map(|player| player.id).collect();
    assert_eq!(found, [player_id(0), player_id(2), player_id(4)]);
    assert_eq!(rest.next_cursor, None);
    assert_eq!((&first.items[0].user[..], &first.items[0].name[..]), ("anon-1", "Ada"));
});

on_both!(the_log_names_what_became_of_seats, async |db| {
    let (store, player) = with_seat(db, 3).await;
    act(&store, Op::Vacate { player }).await;
    act(&store, reserve(player_id(2), "side")).await;
    store.free_expired_seats(END).await.unwrap();
    let filter = arena_store::ActivityFilter { channel: Some(name("side")), ..Default::default() };
    let log = store.activity(&filter, &PageRequest::first(9)).await.unwrap().items;
    let mut actions: Vec<_> = log.iter().map(|entry| entry.action.as_str()).collect();
    actions.sort_unstable();
    let expected =
        ["channel.opened", "player.lapsed", "player.reserved", "player.reserved", "player.vacated"];
    assert_eq!(actions, expected);
    let lapsed = log.iter().find(|entry| entry.action == "player.lapsed").unwrap();
    assert_eq!((&lapsed.actor[..], &lapsed.detail["player"]), ("arena", &player_id(2).to_string().into()));
});

on_both!(a_user_never_gets_more_seats_than_one_may_have, async |db| {
    let rules = AdmissionRules { max_seats_per_user: 3, ..AdmissionRules::default() };
    let store = db.open_with(rules).await;
    open(&store, "side", 30).await;
    let outcomes =
        at_once(12, |n| {
            let store = store.clone();
            async move {
                store.carry_out(&actor(), reserve(player_id(n), "side")).await.map_err(|e| e.to_string())
            }
        })
        .await;
    let limit = AdmitError::TooManySeats { user: "anon-1".to_owned(), limit: 3 }.to_string();
    let refused: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
    assert_eq!(refused.len(), 9);
    assert!(refused.iter().all(|error| **error == limit), "{refused:?}");
    let other = NewPlayer { user: "ben".to_owned(), ..new_player(player_id(90), END) };
    act(&store, Op::Reserve { player: other, want: Want::ByName(name("side")) }).await;

    let seated = all_players(&store).await.into_iter().find(|player| player.user == "anon-1").unwrap();
    act(&store, Op::Vacate { player: seated.id }).await;
    act(&store, reserve(player_id(91), "side")).await;
    assert_eq!(players_in(&store, "side").await, 4);
});
