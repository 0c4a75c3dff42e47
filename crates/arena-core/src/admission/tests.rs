use super::*;
use crate::channel::{ChannelKind, ChannelName, Mode, Region, Status};
use crate::ids::{BotId, PlayerId};
use crate::player::NewPlayer;
use crate::time::Timestamp;
use proptest::prelude::*;
use uuid::Uuid;

fn id(n: u32) -> BotId {
    BotId(Uuid::from_u128(u128::from(n)))
}

fn name(text: &str) -> ChannelName {
    text.parse().unwrap()
}

fn empty() -> Board {
    Board::new(AdmissionRules::default(), [], [], [])
}

fn newcomer(n: u32, kind: ChannelKind, region: Option<&str>) -> Newcomer {
    let region: Option<Region> = region.map(|r| r.parse().unwrap());
    Newcomer { bot: id(n), kind, region, channel: None }
}

fn enroll(board: &mut Board, bots: std::ops::Range<u32>) -> Applied {
    let bots = bots.map(|n| newcomer(n, ChannelKind::Main, None)).collect();
    board.apply(&Op::Enroll { bots }).unwrap()
}

fn loads(board: &Board) -> Vec<(String, u32)> {
    board.channels().map(|c| (c.name.to_string(), c.bots)).collect()
}

fn open(board: &mut Board, channel: &str, max_bots: u32) {
    let op = Op::Open {
        name: Some(name(channel)),
        kind: ChannelKind::Main,
        region: None,
        max_bots: Some(max_bots),
    };
    board.apply(&op).unwrap();
}

#[test]
fn a_shard_opens_when_the_group_would_pass_four_fifths() {
    let mut board = empty();
    enroll(&mut board, 0..24);
    assert_eq!(loads(&board), [("main".to_owned(), 24)]);
    let applied = enroll(&mut board, 24..25);
    assert_eq!(applied.opened, [name("main-2")]);
    assert_eq!(loads(&board), [("main".to_owned(), 24), ("main-2".to_owned(), 1)]);
}

#[test]
fn the_least_loaded_shard_is_taken() {
    let mut board = empty();
    enroll(&mut board, 0..48);
    assert_eq!(loads(&board), [("main".to_owned(), 24), ("main-2".to_owned(), 24)]);
}

#[test]
fn shard_numbers_are_not_reused_after_a_deletion() {
    let mut board = empty();
    enroll(&mut board, 0..60);
    board.apply(&Op::Close { channel: name("main-2") }).unwrap();
    let op = Op::Open { name: None, kind: ChannelKind::Main, region: None, max_bots: None };
    let opened = board.apply(&op).unwrap().opened;
    assert!(board.channels().filter(|c| c.name == opened[0]).count() == 1);
    assert!(opened[0].split().1 > 3, "{opened:?}");
}

#[test]
fn a_named_shard_is_stepped_over() {
    let mut board = empty();
    open(&mut board, "main", 30);
    open(&mut board, "main-2", 30);
    let op = Op::Open { name: None, kind: ChannelKind::Main, region: None, max_bots: None };
    assert_eq!(board.apply(&op).unwrap().opened, [name("main-3")]);
    let again =
        Op::Open { name: Some(name("main-3")), kind: ChannelKind::Main, region: None, max_bots: None };
    assert_eq!(board.apply(&again), Err(AdmitError::ChannelExists(name("main-3"))));
}

#[test]
fn regions_and_kinds_keep_to_themselves() {
    let mut board = empty();
    let bots = vec![
        newcomer(1, ChannelKind::Regional, Some("us-west-2")),
        newcomer(2, ChannelKind::Regional, Some("eu-central-1")),
        newcomer(3, ChannelKind::Vip, Some("us-west-2")),
        newcomer(4, ChannelKind::Vip, None),
    ];
    board.apply(&Op::Enroll { bots }).unwrap();
    let expected = [("eu-central-1-regional", 1), ("us-west-2-regional", 1), ("vip", 2)];
    assert_eq!(loads(&board), expected.map(|(n, b)| (n.to_owned(), b)));
    let lost = Op::Enroll { bots: vec![newcomer(5, ChannelKind::Regional, None)] };
    assert_eq!(board.apply(&lost), Err(AdmitError::RegionRequired));
}

#[test]
fn a_full_channel_refuses_and_changes_nothing() {
    let mut board = empty();
    enroll(&mut board, 0..1);
    open(&mut board, "tiny", 1);
    board.apply(&Op::Assign { bot: id(0), channel: name("tiny") }).unwrap();
    enroll(&mut board, 1..2);
    let refused = board.apply(&Op::Assign { bot: id(1), channel: name("tiny") });
    assert_eq!(refused, Err(AdmitError::ChannelFull { channel: name("tiny"), limit: 1, free: 0, wanted: 1 }));
    assert_eq!(loads(&board), [("main".to_owned(), 1), ("tiny".to_owned(), 1)]);
}

#[test]
fn draining_moves_everybody_out_and_stays() {
    let mut board = empty();
    enroll(&mut board, 0..20);
    let drain = Op::Configure { channel: name("main"), max_bots: None, mode: Some(Mode::Draining) };
    let applied = board.apply(&drain).unwrap();
    assert_eq!((applied.opened.clone(), applied.moves.len()), (vec![name("main-2")], 20));
    enroll(&mut board, 20..21);
    let status: Vec<Status> = board.channels().map(|c| c.status()).collect();
    assert_eq!(status, [Status::Draining, Status::Active]);
    assert_eq!(loads(&board)[0].1, 0);
}

/// Other tournaments are of the same group, and none of their bots' business.
#[test]
fn bots_of_a_tournament_go_home_and_not_into_the_next_one() {
    for ends_by_closing in [false, true] {
        let mut board = empty();
        enroll(&mut board, 0..4);
        let tournament =
            Op::Open { name: None, kind: ChannelKind::Tournament, region: None, max_bots: Some(4) };
        let cup = board.apply(&tournament).unwrap().opened.remove(0);
        board.apply(&tournament).unwrap();
        for n in 0..4 {
            board.apply(&Op::Assign { bot: id(n), channel: cup.clone() }).unwrap();
        }
        let end = match ends_by_closing {
            true => Op::Close { channel: cup },
            false => Op::Configure { channel: cup, max_bots: None, mode: Some(Mode::Draining) },
        };
        let applied = board.apply(&end).unwrap();
        assert_eq!((applied.moves.len(), applied.opened), (4, Vec::new()));
        assert_eq!(loads(&board)[0], ("main".to_owned(), 4), "{ends_by_closing}");
    }
}

#[test]
fn maintenance_keeps_its_bots_and_takes_nobody_in() {
    let mut board = empty();
    enroll(&mut board, 0..5);
    let op = Op::Configure { channel: name("main"), max_bots: None, mode: Some(Mode::Maintenance) };
    assert!(board.apply(&op).unwrap().moves.is_empty());
    enroll(&mut board, 5..6);
    assert_eq!(loads(&board), [("main".to_owned(), 5), ("main-2".to_owned(), 1)]);
    let refused = board.apply(&Op::Assign { bot: id(5), channel: name("main") });
    assert!(matches!(refused, Err(AdmitError::NotAccepting { status: Status::Maintenance, .. })));
}

#[test]
fn closing_moves_bots_to_their_group_or_to_main() {
    let mut board = empty();
    let bots = (0..3).map(|n| newcomer(n, ChannelKind::Vip, None)).collect();
    board.apply(&Op::Enroll { bots }).unwrap();
    board.apply(&Op::Close { channel: name("vip") }).unwrap();
    assert_eq!(loads(&board), [("main".to_owned(), 3)]);
    board.apply(&Op::Close { channel: name("main") }).unwrap();
    assert_eq!(loads(&board), [("main-2".to_owned(), 3)]);
}

#[test]
fn a_migration_is_all_or_nothing() {
    let mut board = empty();
    enroll(&mut board, 0..5);
    open(&mut board, "tiny", 4);
    let refused = board.apply(&Op::Migrate { from: name("main"), to: name("tiny"), bots: None });
    assert!(matches!(refused, Err(AdmitError::ChannelFull { free: 4, wanted: 5, .. })));
    let some = Op::Migrate { from: name("main"), to: name("tiny"), bots: Some(vec![id(0), id(1), id(1)]) };
    assert_eq!(board.apply(&some).unwrap().moves.len(), 2);
    let not_there = Op::Migrate { from: name("main"), to: name("tiny"), bots: Some(vec![id(2), id(0)]) };
    assert!(matches!(board.apply(&not_there), Err(AdmitError::NotInChannel { .. })));
    assert_eq!(loads(&board), [("main".to_owned(), 3), ("tiny".to_owned(), 2)]);
}

#[test]
fn rebalancing_evens_out_active_shards_only() {
    let mut board = empty();
    open(&mut board, "main", 30);
    enroll(&mut board, 0..24);
    open(&mut board, "main-2", 30);
    open(&mut board, "main-3", 30);
    let op = Op::Configure { channel: name("main-3"), max_bots: None, mode: Some(Mode::Maintenance) };
    board.apply(&op).unwrap();
    let applied = board.apply(&Op::Rebalance { group: None }).unwrap();
    assert_eq!(applied.moves.len(), 12);
    assert_eq!(loads(&board).iter().map(|l| l.1).collect::<Vec<_>>(), [12, 12, 0]);
    assert!(board.apply(&Op::Rebalance { group: None }).unwrap().moves.is_empty());
}

#[test]
fn a_group_whose_channels_are_all_gone_cannot_be_rebalanced() {
    let mut board = empty();
    open(&mut board, "club", 5);
    let group = || "club".parse().unwrap();
    assert!(board.apply(&Op::Rebalance { group: Some(group()) }).is_ok());
    board.apply(&Op::Close { channel: name("club") }).unwrap();
    let refused = board.apply(&Op::Rebalance { group: Some(group()) });
    assert_eq!(refused, Err(AdmitError::GroupNotFound(group())));
}

#[test]
fn a_limit_below_the_load_is_refused() {
    let mut board = empty();
    enroll(&mut board, 0..5);
    let op = Op::Configure { channel: name("main"), max_bots: Some(4), mode: None };
    assert!(matches!(board.apply(&op), Err(AdmitError::BelowLoad { bots: 5, .. })));
    assert_eq!(board.channels().next().unwrap().max_bots, 30);
}

#[test]
fn a_groups_kind_is_kept_while_one_of_its_channels_lives() {
    let mut board = empty();
    open(&mut board, "club", 5);
    let vip = Op::Open { name: Some(name("club-2")), kind: ChannelKind::Vip, region: None, max_bots: None };
    assert!(matches!(board.apply(&vip), Err(AdmitError::GroupConflict { .. })));
    board.apply(&Op::Close { channel: name("club") }).unwrap();
    assert!(board.apply(&vip).is_ok());
}

#[test]
fn changes_tell_the_database_the_least_it_must_know() {
    let mut board = empty();
    enroll(&mut board, 0..2);
    open(&mut board, "side", 5);
    let seats: Vec<_> = board.channels().cloned().collect();
    let bots: Vec<_> = board.bots().map(|(id, seat)| (id, seat.clone())).collect();
    let groups = board.into_changes().groups;
    let mut board = Board::new(AdmissionRules::default(), groups, seats, bots);
    board.apply(&Op::Assign { bot: id(0), channel: name("side") }).unwrap();
    board.apply(&Op::Assign { bot: id(1), channel: name("side") }).unwrap();
    board.apply(&Op::Assign { bot: id(1), channel: name("main") }).unwrap();
    let changes = board.into_changes();
    let moved = Move { bot: id(0), from: Some(name("main")), to: Some(name("side")) };
    assert_eq!(changes, Changes { moves: vec![moved], ..Changes::default() });
}

fn reserve(n: u32, want: Want) -> Op {
    let id = PlayerId(Uuid::from_u128(u128::from(n)));
    let player = NewPlayer { id, user: "u".to_owned(), name: "n".to_owned(), expires_at: Timestamp(30_000) };
    Op::Reserve { player, want }
}

fn seat_at(board: &mut Board, channel: &str, players: std::ops::Range<u32>) {
    for n in players {
        board.apply(&reserve(n, Want::ByName(name(channel)))).unwrap();
    }
}

fn vacate(n: u32) -> Op {
    Op::Vacate { player: PlayerId(Uuid::from_u128(u128::from(n))) }
}

#[test]
fn bots_and_players_share_the_seats_of_a_channel() {
    let mut board = empty();
    enroll(&mut board, 0..1);
    open(&mut board, "tiny", 2);
    seat_at(&mut board, "tiny", 0..2);
    let full = || AdmitError::ChannelFull { channel: name("tiny"), limit: 2, free: 0, wanted: 1 };
    let assign = Op::Assign { bot: id(0), channel: name("tiny") };
    assert_eq!(board.apply(&assign), Err(full()));
    board.apply(&vacate(1)).unwrap();
    board.apply(&assign).unwrap();
    assert_eq!(board.apply(&reserve(2, Want::ByName(name("tiny")))), Err(full()));
    assert_eq!(board.apply(&vacate(1)), Err(AdmitError::PlayerNotFound(PlayerId(Uuid::from_u128(1)))));
}

#[test]
fn a_user_gets_as_many_seats_as_one_may_have() {
    let rules = AdmissionRules { max_seats_per_user: 2, ..AdmissionRules::default() };
    let mut board = Board::new(rules, [], [], []).with_seats_of([("u".to_owned(), 1)]);
    open(&mut board, "a", 9);
    let at_a = || Want::ByName(name("a"));
    board.apply(&reserve(1, at_a())).unwrap();
    let before = board.channels().count();
    for want in [at_a(), Want::Find { kind: ChannelKind::Vip, region: None }] {
        let refused = board.apply(&reserve(2, want)).unwrap_err();
        assert_eq!(refused, AdmitError::TooManySeats { user: "u".to_owned(), limit: 2 });
    }
    assert_eq!(board.channels().count(), before, "no shard is opened for who is refused");
    board.apply(&reserve(1, at_a())).expect("this one has its seat already");
    let Op::Reserve { player, want } = reserve(3, at_a()) else { unreachable!() };
    let of_another = NewPlayer { user: "v".to_owned(), ..player };
    board.apply(&Op::Reserve { player: of_another, want }).expect("others have their own");
}

#[test]
fn a_shard_opens_for_players_as_for_bots() {
    let mut board = empty();
    let find = || Want::Find { kind: ChannelKind::Main, region: None };
    enroll(&mut board, 0..20);
    let taken: Vec<_> =
        (0..5).map(|n| board.apply(&reserve(n, find())).unwrap().reserved.unwrap().1.to_string()).collect();
    assert_eq!(taken, ["main", "main", "main", "main", "main-2"]);
    let applied = enroll(&mut board, 20..21);
    assert_eq!(applied.moves[0].to, Some(name("main-2")), "players are load");
}

#[test]
fn draining_leaves_players_where_they_are_and_their_seats_count_on() {
    let mut board = empty();
    enroll(&mut board, 0..3);
    seat_at(&mut board, "main", 0..2);
    let drain = |max_bots| Op::Configure { channel: name("main"), max_bots, mode: Some(Mode::Draining) };
    let below = AdmitError::BelowLoad { channel: name("main"), bots: 0, players: 2, max_bots: 1 };
    assert_eq!(board.apply(&drain(Some(1))), Err(below));
    assert_eq!(board.apply(&drain(None)).unwrap().moves.len(), 3);
    assert_eq!(board.players().count(), 2);
    let refused = board.apply(&reserve(9, Want::ByName(name("main"))));
    assert!(matches!(refused, Err(AdmitError::NotAccepting { status: Status::Draining, .. })));
}

#[test]
fn a_migration_counts_the_players_who_sit_there() {
    let mut board = empty();
    enroll(&mut board, 0..3);
    open(&mut board, "side", 4);
    seat_at(&mut board, "side", 0..2);
    let refused = board.apply(&Op::Migrate { from: name("main"), to: name("side"), bots: None });
    assert!(matches!(refused, Err(AdmitError::ChannelFull { free: 2, wanted: 3, .. })));
}

#[test]
fn rebalancing_moves_bots_away_from_players() {
    let mut board = empty();
    for channel in ["main", "main-2", "main-3"] {
        open(&mut board, channel, 30);
    }
    let bots =
        (0..12).map(|n| Newcomer { channel: Some(name("main")), ..newcomer(n, ChannelKind::Main, None) });
    board.apply(&Op::Enroll { bots: bots.collect() }).unwrap();
    seat_at(&mut board, "main", 0..3);
    seat_at(&mut board, "main-3", 3..23);
    board.apply(&Op::Rebalance { group: None }).unwrap();
    let loads: Vec<_> = board.channels().map(|c| (c.bots, c.players)).collect();
    assert_eq!(loads, [(5, 3), (7, 0), (0, 20)], "the shard full of players does not end the rebalancing");
}

#[test]
fn a_closed_channel_takes_its_players_seats_along() {
    let mut board = empty();
    open(&mut board, "side", 5);
    seat_at(&mut board, "side", 0..2);
    let applied = board.apply(&Op::Close { channel: name("side") }).unwrap();
    assert_eq!(applied.vacated.len(), 2);
    assert_eq!(board.players().count(), 0);
}

#[test]
fn a_seat_taken_and_freed_in_one_transaction_is_never_written() {
    let mut board = empty();
    open(&mut board, "side", 5);
    seat_at(&mut board, "side", 0..2);
    board.apply(&vacate(0)).unwrap();
    let changes = board.into_changes();
    assert_eq!(changes.vacated, []);
    assert_eq!(changes.reserved.iter().map(|(player, _)| player.id.0.as_u128()).collect::<Vec<_>>(), [1]);
}

#[test]
fn one_who_has_a_seat_keeps_it() {
    let mut board = empty();
    open(&mut board, "side", 5);
    open(&mut board, "club", 5);
    seat_at(&mut board, "side", 0..1);
    let again = board.apply(&reserve(0, Want::ByName(name("club")))).unwrap();
    assert_eq!(again.reserved.unwrap().1, name("side"));
    assert_eq!(board.channels().map(|c| c.players).sum::<u32>(), 1);
}

fn any_channel() -> impl Strategy<Value = ChannelName> {
    prop_oneof![Just("main"), Just("main-2"), Just("main-3"), Just("vip"), Just("test")].prop_map(name)
}

fn any_kind() -> impl Strategy<Value = ChannelKind> {
    prop_oneof![Just(ChannelKind::Main), Just(ChannelKind::Vip), Just(ChannelKind::Test)]
}

fn any_op() -> impl Strategy<Value = Op> {
    let bot = || (0..40_u32).prop_map(id);
    let mode = prop_oneof![Just(Mode::Active), Just(Mode::Draining), Just(Mode::Maintenance)];
    prop_oneof![
        4 => (bot(), any_channel()).prop_map(|(bot, channel)| Op::Assign { bot, channel }),
        3 => bot().prop_map(|bot| Op::Place { bot }),
        1 => bot().prop_map(|bot| Op::Remove { bot, from: None }),
        1 => (any_channel(), any_channel()).prop_map(|(from, to)| Op::Migrate { from, to, bots: None }),
        1 => Just(Op::Rebalance { group: None }),
        2 => (any_kind(), proptest::option::of(0..8_u32))
            .prop_map(|(kind, max_bots)| Op::Open { name: None, kind, region: None, max_bots }),
        2 => (any_channel(), proptest::option::of(0..8_u32), proptest::option::of(mode))
            .prop_map(|(channel, max_bots, mode)| Op::Configure { channel, max_bots, mode }),
        1 => any_channel().prop_map(|channel| Op::Close { channel }),
        4 => (0..12_u32, any_channel()).prop_map(|(n, channel)| reserve(n, Want::ByName(channel))),
        2 => (0..12_u32, any_kind()).prop_map(|(n, kind)| reserve(n, Want::Find { kind, region: None })),
        3 => (0..12_u32).prop_map(vacate),
    ]
}

proptest! {
    #[test]
    fn no_sequence_overfills_loses_a_bot_or_enters_a_closed_channel(ops in proptest::collection::vec(any_op(), 1..60)) {
        let mut board = empty();
        enroll(&mut board, 0..40);
        for op in &ops {
            let modes: Vec<_> = board.channels().map(|c| (c.name.clone(), c.mode)).collect();
            let applied = board.apply(op).unwrap_or_default();
            for moved in &applied.moves {
                let before = modes.iter().find(|(n, _)| Some(n) == moved.to.as_ref());
                prop_assert!(before.is_none_or(|(_, mode)| *mode == Mode::Active), "{op:?} entered {moved:?}");
            }
            if let Some((player, channel)) = &applied.reserved {
                prop_assert_eq!(board.players().find(|(id, _)| id == player), Some((*player, channel)));
            }
            for seats in board.channels() {
                let held = board.bots().filter(|(_, b)| b.channel.as_ref() == Some(&seats.name)).count();
                prop_assert_eq!(held, seats.bots as usize, "count of {} after {:?}", &seats.name, op);
                let seated = board.players().filter(|(_, at)| **at == seats.name).count();
                prop_assert_eq!(seated, seats.players as usize, "players of {} after {:?}", &seats.name, op);
                prop_assert!(seats.taken() <= seats.max_bots, "{} overfilled by {:?}", &seats.name, op);
            }
            let seatless = board.players().find(|(_, at)| !board.channels().any(|s| s.name == **at));
            prop_assert!(seatless.is_none(), "{seatless:?} after {op:?}");
            let lost = board.bots().find(|(_, b)| {
                b.channel.as_ref().is_some_and(|c| !board.channels().any(|s| s.name == *c))
            });
            prop_assert!(lost.is_none(), "{lost:?} after {op:?}");
        }
    }
}
