use super::{name, new_player, player_id};
use arena_core::admission::{Op, Want};
use arena_core::channel::{ChannelKind, ChannelName, Mode};
use arena_core::{BotId, Timestamp};
use proptest::prelude::*;

fn any_channel() -> impl Strategy<Value = ChannelName> {
    prop_oneof![4 => Just("main"), 3 => Just("main-2"), 2 => Just("main-3"), 2 => Just("vip"), 1 => Just("gone")]
        .prop_map(name)
}

fn any_kind() -> impl Strategy<Value = ChannelKind> {
    prop_oneof![Just(ChannelKind::Main), Just(ChannelKind::Vip), Just(ChannelKind::Test)]
}

/// Any operation on these bots and a few channels.
pub(crate) fn any_op(bots: Vec<BotId>) -> impl Strategy<Value = Op> {
    let some = proptest::sample::subsequence(bots.clone(), 0..4.min(bots.len()));
    let bot = proptest::sample::select(bots);
    let mode = prop_oneof![2 => Just(Mode::Active), 1 => Just(Mode::Draining), 1 => Just(Mode::Maintenance)];
    let limit = || proptest::option::of(0..9_u32);
    prop_oneof![
        6 => (bot.clone(), any_channel()).prop_map(|(bot, channel)| Op::Assign { bot, channel }),
        3 => bot.clone().prop_map(|bot| Op::Place { bot }),
        2 => bot.clone().prop_map(|bot| Op::Adopt { bot }),
        2 => (bot, proptest::option::of(any_channel())).prop_map(|(bot, from)| Op::Remove { bot, from }),
        2 => (any_channel(), any_channel(), proptest::option::of(some))
            .prop_map(|(from, to, bots)| Op::Migrate { from, to, bots }),
        1 => proptest::option::of(any_channel().prop_map(|name| name.split().0))
            .prop_map(|group| Op::Rebalance { group }),
        2 => (proptest::option::of(any_channel()), any_kind(), limit())
            .prop_map(|(name, kind, max_bots)| Op::Open { name, kind, region: None, max_bots }),
        3 => (any_channel(), limit(), proptest::option::of(mode))
            .prop_map(|(channel, max_bots, mode)| Op::Configure { channel, max_bots, mode }),
        1 => any_channel().prop_map(|channel| Op::Close { channel }),
        4 => (any_player(), any_want()).prop_map(|(player, want)| {
            Op::Reserve { player: new_player(player, Timestamp(30_000)), want }
        }),
        3 => any_player().prop_map(|player| Op::Vacate { player }),
    ]
}

fn any_player() -> impl Strategy<Value = arena_core::PlayerId> {
    (0..20_usize).prop_map(player_id)
}

fn any_want() -> impl Strategy<Value = Want> {
    prop_oneof![
        2 => any_channel().prop_map(Want::ByName),
        1 => any_kind().prop_map(|kind| Want::Find { kind, region: None }),
    ]
}
