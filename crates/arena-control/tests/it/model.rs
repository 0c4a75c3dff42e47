//! Random sequences of what operators do, against a simple model: who is to be where, who is out, who is gone.

use crate::support::{Arena, Db, FaultyHost, actor, brisk, name};
use arena_control::{ControlSettings, PlayerSettings, ReserveRequest, ServiceError};
use arena_core::admission::Want;
use arena_core::bot::BotState;
use arena_core::channel::{ChannelName, Mode};
use arena_core::{BotId, PlayerId};
use arena_testing::TestDatabase;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::collections::BTreeMap;

/// What can happen. Bots and channels are numbers that are brought within what there is.
#[derive(Debug, Clone)]
enum Step {
    Assign(usize, usize),
    Place(usize),
    Remove(usize),
    Drain(usize),
    Activate(usize),
    Maintain(usize),
    Limit(usize, u32),
    DeleteChannel(usize),
    Rebalance,
    Wipe,
    WipeOne(usize),
    Enable(usize, bool),
    DeleteBot(usize),
    Reserve(usize),
    Enter(usize, u64),
    Exit(usize, u64),
    Vacate(usize),
    Settle,
}

const CHANNELS: [&str; 4] = ["main", "main-2", "vip", "side"];
const BOTS: usize = 24;
/// Nothing lapses before the end.
const LONG: std::time::Duration = std::time::Duration::from_secs(3_600);

fn any_step() -> impl Strategy<Value = Step> {
    let (bot, channel) = (0..BOTS, 0..CHANNELS.len());
    prop_oneof![
        8 => (bot.clone(), channel.clone()).prop_map(|(bot, channel)| Step::Assign(bot, channel)),
        3 => bot.clone().prop_map(Step::Place),
        2 => bot.clone().prop_map(Step::Remove),
        2 => channel.clone().prop_map(Step::Drain),
        2 => channel.clone().prop_map(Step::Activate),
        1 => channel.clone().prop_map(Step::Maintain),
        2 => (channel.clone(), 0..14_u32).prop_map(|(channel, limit)| Step::Limit(channel, limit)),
        1 => channel.clone().prop_map(Step::DeleteChannel),
        1 => Just(Step::Rebalance),
        2 => Just(Step::Wipe),
        2 => channel.clone().prop_map(Step::WipeOne),
        5 => channel.prop_map(Step::Reserve),
        5 => (0..BOTS, 1..3_u64).prop_map(|(nth, session)| Step::Enter(nth, session)),
        3 => (0..BOTS, 1..3_u64).prop_map(|(nth, session)| Step::Exit(nth, session)),
        2 => (0..BOTS).prop_map(Step::Vacate),
        3 => (bot.clone(), any::<bool>()).prop_map(|(bot, enabled)| Step::Enable(bot, enabled)),
        1 => bot.prop_map(Step::DeleteBot),
        2 => Just(Step::Settle),
    ]
}

/// What the model knows: of each bot that is left, whether it is enabled and where it was put by name. Where bots went
/// that a drain or a deletion moved is up to the rules.
#[derive(Debug, Default)]
struct Model {
    bots: BTreeMap<BotId, Known>,
    /// Where each player sits, and the session that holds the seat.
    players: BTreeMap<PlayerId, (ChannelName, Option<u64>)>,
}

#[derive(Debug)]
struct Known {
    enabled: bool,
    channel: Option<ChannelName>,
}

impl Model {
    /// Takes over where the rules have put everybody; nobody may have got lost on the way, and who had no channel
    /// must not have been given one.
    async fn look(&mut self, arena: &Arena, moved_from: Option<&ChannelName>) {
        for bot in arena.all_bots().await {
            let known = self.bots.get_mut(&bot.id).expect("no bot comes from nowhere");
            if known.channel.as_ref() == moved_from && moved_from.is_some() {
                known.channel = bot.channel.clone();
            }
            assert_eq!(bot.channel, known.channel, "{} is elsewhere", bot.profile.name);
        }
    }

    /// The nth player, counted round.
    fn player(&self, nth: usize) -> Option<PlayerId> {
        self.players.keys().nth(nth % self.players.len().max(1)).copied()
    }

    async fn check(&self, arena: &Arena) {
        let players = arena.all_players().await.into_iter();
        let players: BTreeMap<_, _> =
            players.map(|player| (player.id, (player.channel, player.state.session()))).collect();
        assert_eq!(players, self.players);
        let bots = arena.all_bots().await;
        assert_eq!(bots.len(), self.bots.len());
        for bot in bots {
            let known = &self.bots[&bot.id];
            assert_eq!(bot.channel, known.channel, "{} is elsewhere", bot.profile.name);
            assert_eq!(bot.state != BotState::Disabled, known.enabled, "{}", bot.profile.name);
        }
    }
}

async fn set_mode(arena: &Arena, channel: &ChannelName, mode: Mode) -> bool {
    let patch = arena_control::ChannelPatch { mode: Some(mode), ..Default::default() };
    arena.channels.configure(&actor(), channel, patch).await.is_ok()
}

async fn apply(arena: &Arena, model: &mut Model, ids: &[BotId], step: &Step) {
    let by = actor();
    match step {
        Step::Assign(bot, channel) => {
            let (bot, to) = (ids[*bot], name(CHANNELS[*channel]));
            let row = arena.store.channel(&to).await.unwrap();
            let outcome = arena.bots.assign(&by, bot, Some(to.clone())).await;
            let Some(known) = model.bots.get_mut(&bot) else { return assert!(outcome.is_err()) };
            let open = row.is_some_and(|row| row.channel.seats.status().to_string() == "ACTIVE");
            let here = known.channel.as_ref() == Some(&to);
            assert_eq!(outcome.is_ok(), open || here, "{outcome:?}");
            if open {
                known.channel = Some(to);
            }
        }
        Step::Place(bot) => {
            let placed = arena.bots.assign(&by, ids[*bot], None).await;
            let Some(known) = model.bots.get_mut(&ids[*bot]) else { return assert!(placed.is_err()) };
            let placed = placed.unwrap().channel.unwrap();
            assert_eq!(known.channel.get_or_insert_with(|| placed.clone()), &placed);
        }
        Step::Remove(bot) => {
            let Some(known) = model.bots.get_mut(&ids[*bot]) else { return };
            let Some(channel) = known.channel.take() else { return };
            arena.channels.remove(&by, &channel, ids[*bot]).await.unwrap();
        }
        Step::Drain(channel) => {
            let channel = name(CHANNELS[*channel]);
            if set_mode(arena, &channel, Mode::Draining).await {
                model.look(arena, Some(&channel)).await;
            }
        }
        Step::Activate(channel) => drop(set_mode(arena, &name(CHANNELS[*channel]), Mode::Active).await),
        Step::Maintain(channel) => drop(set_mode(arena, &name(CHANNELS[*channel]), Mode::Maintenance).await),
        Step::Limit(channel, limit) => {
            let patch = arena_control::ChannelPatch { max_bots: Some(*limit), ..Default::default() };
            let _ = arena.channels.configure(&by, &name(CHANNELS[*channel]), patch).await;
        }
        Step::DeleteChannel(channel) => {
            let channel = name(CHANNELS[*channel]);
            if arena.channels.delete(&by, &channel).await.is_ok() {
                model.players.retain(|_, (at, _)| *at != channel);
                model.look(arena, Some(&channel)).await;
            }
        }
        Step::Rebalance => {
            for moved in arena.channels.rebalance(&by, None).await.unwrap().moves {
                model.bots.get_mut(&moved.bot).unwrap().channel = moved.to;
            }
        }
        Step::Wipe => drop(arena.wipe().await),
        Step::WipeOne(nth) => {
            let page = arena_control::PageRequest::first(10);
            if let Some(world) = arena.worlds.list(page).await.unwrap().items.get(*nth) {
                // It may have ended since it was listed.
                let _ = arena.worlds.wipe(&by, Some(&world.hosted.world)).await;
            }
        }
        Step::Enable(bot, enabled) => {
            let outcome = arena.bots.set_enabled(&by, ids[*bot], *enabled).await;
            let Some(known) = model.bots.get_mut(&ids[*bot]) else { return assert!(outcome.is_err()) };
            outcome.unwrap();
            known.enabled = *enabled;
        }
        Step::DeleteBot(bot) => {
            let known = model.bots.remove(&ids[*bot]);
            assert_eq!(arena.bots.delete(&by, ids[*bot]).await.is_ok(), known.is_some());
        }
        Step::Reserve(channel) => {
            let channel = name(CHANNELS[*channel]);
            let row = arena.store.channel(&channel).await.unwrap();
            let want = Want::ByName(channel.clone());
            let request = ReserveRequest { want, user: "anon-1".to_owned(), name: "Ada".to_owned() };
            let outcome = arena.players.reserve(&by, request).await;
            let open = row.is_some_and(|row| row.channel.seats.status().to_string() == "ACTIVE");
            assert_eq!(outcome.is_ok(), open, "{outcome:?}");
            model.players.extend(outcome.map(|seat| (seat.player, (channel, None))));
        }
        Step::Enter(nth, session) => {
            let Some(player) = model.player(*nth) else { return };
            let (channel, holds) = model.players.get_mut(&player).unwrap();
            match arena.players.enter(player, channel, *session).await {
                Ok(entered) => {
                    assert!(holds.is_none_or(|other| other <= *session));
                    assert_eq!(entered.took_over, holds.filter(|other| other != session));
                    *holds = Some(*session);
                }
                Err(ServiceError::SeatLost(_)) => assert!(holds.is_some_and(|other| other > *session)),
                // Worlds are wiped under its hands: the seat stays, and waits.
                Err(error) => {
                    assert!(error.retryable(), "{error}");
                    *holds = None;
                }
            }
        }
        Step::Exit(nth, session) => {
            let Some(player) = model.player(*nth) else { return };
            let (_, holds) = model.players.get_mut(&player).unwrap();
            let held = *holds == Some(*session);
            assert_eq!(arena.players.exit(player, *session).await.unwrap(), held);
            *holds = holds.filter(|_| !held);
        }
        Step::Vacate(nth) => {
            let Some(player) = model.player(*nth) else { return };
            arena.players.vacate(&by, player).await.unwrap();
            model.players.remove(&player);
        }
        Step::Settle => arena.until_settled().await,
    }
}

async fn play(db: &Db, steps: &[Step]) {
    let kept = PlayerSettings { reserve_for: LONG, grace: LONG, ..PlayerSettings::default() };
    let settings = ControlSettings { players: kept, ..brisk() };
    let arena = Arena::start_with(db, FaultyHost::new(), settings).await;
    for channel in CHANNELS {
        arena.open(channel, 12).await;
    }
    let mut ids = arena.fill("main", BOTS / 2).await;
    ids.extend(arena.fill("side", BOTS / 2).await);
    let mut model = Model::default();
    for bot in arena.all_bots().await {
        model.bots.insert(bot.id, Known { enabled: true, channel: bot.channel });
    }
    for step in steps {
        apply(&arena, &mut model, &ids, step).await;
    }
    arena.until_settled().await;
    model.check(&arena).await;
    arena.stop().await;
}

fn play_at_random(database: fn() -> TestDatabase, cases: u32) {
    let config = Config { cases, max_shrink_iters: 20, failure_persistence: None, ..Config::default() };
    let steps = proptest::collection::vec(any_step(), 10..60);
    let outcome = TestRunner::new(config).run(&steps, |steps| {
        crate::support::run(database(), async |db: &Db| play(db, &steps).await);
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn any_sequence_of_acts_comes_to_rest_with_everyone_in_place_sqlite() {
    play_at_random(TestDatabase::sqlite, 16);
}

#[test]
fn any_sequence_of_acts_comes_to_rest_with_everyone_in_place_postgres() {
    play_at_random(TestDatabase::postgres, 12);
}
