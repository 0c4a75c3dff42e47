//! Random sequences of operations, one after the other, against the rules in memory.

use crate::support::*;
use arena_core::admission::{AdmissionRules, Board, BotSeat, Group, Op};
use arena_core::channel::{ChannelName, Mode, Seats};
use arena_core::{BotId, PlayerId};
use arena_store::{OpError, Store};
use arena_testing::TestDatabase;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::collections::BTreeMap;

/// One step: an operation of the rules, or what the store does by itself.
#[derive(Debug, Clone)]
enum Step {
    Op(Op),
    Enroll(usize),
    Delete(BotId),
    Enable(BotId, bool),
}

fn any_step(bots: Vec<BotId>) -> impl Strategy<Value = Step> {
    let bot = || proptest::sample::select(bots.clone());
    prop_oneof![
        14 => any_op(bots.clone()).prop_map(Step::Op),
        1 => (0..45_usize).prop_map(Step::Enroll),
        1 => bot().prop_map(Step::Delete),
        2 => (bot(), any::<bool>()).prop_map(|(bot, on)| Step::Enable(bot, on)),
    ]
}

/// Where everybody is, bots and players, and what each channel's operator wants of it.
type Picture = (Places, BTreeMap<ChannelName, (Mode, u32, u32, u32)>);

type Places = (BTreeMap<BotId, Option<ChannelName>>, BTreeMap<PlayerId, ChannelName>);

async fn picture(store: &Store) -> Picture {
    let bots = all_bots(store).await.into_iter().map(|bot| (bot.id, bot.channel)).collect();
    let players = all_players(store).await.into_iter().map(|player| (player.id, player.channel)).collect();
    let channels = store.all_channels().await.unwrap().into_iter().map(|row| row.channel.seats);
    let wanted = |seats: Seats| (seats.mode, seats.max_bots, seats.bots, seats.players);
    ((bots, players), channels.map(|seats| (seats.name.clone(), wanted(seats))).collect())
}

/// The rules' own board of everything, which never saw our SQL.
async fn board(store: &Store) -> Board {
    let rows = store.all_channels().await.unwrap();
    let mut groups: BTreeMap<_, Group> = BTreeMap::new();
    for seats in rows.iter().map(|row| &row.channel.seats) {
        let next_shard = 1_000;
        let (name, kind, region) = (seats.group.clone(), seats.kind, seats.region.clone());
        groups.insert(name.clone(), Group { name, kind, region, next_shard });
    }
    let bots = all_bots(store).await.into_iter().map(|bot| {
        (bot.id, BotSeat { kind: bot.profile.kind, region: bot.profile.region, channel: bot.channel })
    });
    let seats: Vec<_> = rows.into_iter().map(|row| row.channel.seats).collect();
    let players: Vec<_> =
        all_players(store).await.into_iter().map(|player| (player.id, player.channel)).collect();
    let board = Board::new(AdmissionRules::default(), groups.into_values(), seats, bots.collect::<Vec<_>>());
    board.with_players(players)
}

/// Who is where after `op` by the rules alone; nothing if they refuse.
fn by_the_rules(mut board: Board, op: &Op) -> Option<Places> {
    board.apply(op).ok()?;
    let bots = board.bots().map(|(id, seat)| (id, seat.channel.clone())).collect();
    Some((bots, board.players().map(|(id, channel)| (id, channel.clone())).collect()))
}

async fn step(store: &Store, step: &Step) {
    let before = picture(store).await;
    match step {
        Step::Enroll(count) => drop(store.enroll(&actor(), &roster(*count)).await),
        Step::Delete(bot) => drop(store.delete_bot(*bot).await.unwrap()),
        Step::Enable(bot, on) => drop(store.set_enabled(*bot, *on).await.unwrap()),
        Step::Op(op) => {
            let model = by_the_rules(board(store).await, op);
            match store.carry_out(&actor(), op.clone()).await {
                Ok(applied) => {
                    let model = model.expect("the rules refuse what the store did");
                    // A new shard's number is the database's to choose.
                    if applied.opened.is_empty() {
                        assert_eq!(picture(store).await.0, model, "{op:?}");
                    }
                }
                Err(OpError::Refused(_)) => {
                    assert!(model.is_none(), "the store refused {op:?}");
                    assert_eq!(picture(store).await, before, "a refused {op:?} changed something");
                }
                Err(OpError::Store(error)) => panic!("{op:?}: {error}"),
            }
        }
    }
    assert_sound(store).await;
    let after = picture(store).await;
    for (bot, channel) in &after.0.0 {
        let was = before.0.0.get(bot).cloned().flatten();
        let entered = channel.as_ref().filter(|_| was != *channel);
        let mode = entered.and_then(|name| before.1.get(name)).map(|channel| channel.0);
        assert!(mode.is_none_or(|mode| mode == Mode::Active), "{step:?} let {bot} into {entered:?}");
    }
    let lost = before.0.0.keys().filter(|bot| !after.0.0.contains_key(bot)).count();
    assert_eq!(
        lost,
        usize::from(matches!(step, Step::Delete(bot) if before.0.0.contains_key(bot))),
        "{step:?}"
    );
}

fn check(database: fn() -> TestDatabase) {
    let config = Config { cases: 24, failure_persistence: None, ..Config::default() };
    run(database(), async |db| {
        let store = db.open().await;
        let store = &store;
        enroll(store, 30).await;
        let ids: Vec<BotId> = all_bots(store).await.into_iter().map(|bot| bot.id).collect();
        let handle = tokio::runtime::Handle::current();
        let sequences = proptest::collection::vec(any_step(ids), 1..30);
        tokio::task::block_in_place(|| {
            TestRunner::new(config)
                .run(&sequences, |sequence| {
                    handle.block_on(async {
                        for next in &sequence {
                            step(store, next).await;
                        }
                    });
                    Ok(())
                })
                .unwrap();
        });
    });
}

#[test]
fn no_sequence_of_operations_breaks_a_rule_on_sqlite() {
    check(TestDatabase::sqlite);
}

#[test]
fn no_sequence_of_operations_breaks_a_rule_on_postgres() {
    check(TestDatabase::postgres);
}
