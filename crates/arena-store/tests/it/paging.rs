use crate::support::*;
use arena_core::channel::{ChannelKind, Mode, Status};
use arena_store::{BotFilter, ChannelFilter, ChannelRef, NewBot, PageRequest, Store};

async fn bot_names(store: &Store, filter: &BotFilter, limit: u32) -> Vec<String> {
    let mut page = PageRequest::first(limit);
    let mut names = Vec::new();
    loop {
        let got = store.bots(filter, &page).await.unwrap();
        assert!(got.items.len() <= limit.max(1) as usize);
        names.extend(got.items.into_iter().map(|bot| bot.profile.name));
        match got.next_cursor {
            Some(cursor) => page.cursor = Some(cursor),
            None => return names,
        }
    }
}

async fn channel_names(store: &Store, filter: &ChannelFilter, limit: u32) -> Vec<String> {
    let mut page = PageRequest::first(limit);
    let mut names = Vec::new();
    loop {
        let got = store.channels(filter, &page).await.unwrap();
        names.extend(got.items.into_iter().map(|row| row.channel.seats.name.to_string()));
        match got.next_cursor {
            Some(cursor) => page.cursor = Some(cursor),
            None => return names,
        }
    }
}

on_both!(pages_of_bots_go_to_the_end_without_gaps_or_repeats, async |db| {
    let store = db.open().await;
    enroll(&store, 23).await;
    let all = bot_names(&store, &BotFilter::default(), 1_000).await;
    assert_eq!(all.len(), 23);
    for limit in [0, 1, 7, 22, 23, 24] {
        assert_eq!(bot_names(&store, &BotFilter::default(), limit).await, all, "{limit}");
    }
});

on_both!(bots_are_filtered, async |db| {
    let store = db.open().await;
    let roster = [
        bot("a"),
        bot_of("b", ChannelKind::Vip, Some("us-west-2")),
        bot_of("c", ChannelKind::Regional, Some("us-west-2")),
        bot("d"),
    ];
    store.enroll(&actor(), &roster).await.unwrap();
    let id = |name: &'static str| async { store.bot_named(name).await.unwrap().unwrap().id };
    act(&store, arena_core::admission::Op::Remove { bot: id("d").await, from: None }).await;
    store.set_enabled(id("a").await, false).await.unwrap();
    let any = BotFilter::default;
    let cases = [
        (any(), "abcd"),
        (BotFilter { channel: Some(ChannelRef::In(name("main"))), ..any() }, "a"),
        (BotFilter { channel: Some(ChannelRef::Nowhere), ..any() }, "d"),
        (BotFilter { state: Some("disabled".to_owned()), ..any() }, "a"),
        (BotFilter { kind: Some(ChannelKind::Main), ..any() }, "ad"),
        (BotFilter { region: Some(region("us-west-2")), ..any() }, "bc"),
        (BotFilter { region: Some(region("us-west-2")), kind: Some(ChannelKind::Vip), ..any() }, "b"),
        (BotFilter { state: Some("no\0such".to_owned()), ..any() }, ""),
    ];
    for (filter, expected) in cases {
        for limit in [1, 10] {
            assert_eq!(bot_names(&store, &filter, limit).await.concat(), expected, "{filter:?}");
        }
    }
});

on_both!(a_prefix_is_taken_literally_and_by_case, async |db| {
    let store = db.open().await;
    let names = ["Ada", "ada", "a%b", "a_b", "a!b", "axb", "Ünal", "ünal", "\u{10FFFF}x", "O'Brien", "a"];
    let roster: Vec<NewBot> = names.iter().map(|name| bot(name)).collect();
    store.enroll(&actor(), &roster).await.unwrap();
    let cases: [(&str, &[&str]); 11] = [
        ("Ad", &["Ada"]),
        ("ad", &["ada"]),
        ("a%", &["a%b"]),
        ("a_", &["a_b"]),
        ("a!", &["a!b"]),
        ("a", &["a", "a!b", "a%b", "a_b", "ada", "axb"]),
        ("Ü", &["Ünal"]),
        ("\u{10FFFF}", &["\u{10FFFF}x"]),
        ("O'", &["O'Brien"]),
        ("\0", &[]),
        ("zz", &[]),
    ];
    for (prefix, expected) in cases {
        let filter = BotFilter { name_prefix: Some(prefix.to_owned()), ..BotFilter::default() };
        assert_eq!(bot_names(&store, &filter, 2).await, expected, "{prefix:?}");
    }
    let everybody = BotFilter { name_prefix: Some(String::new()), ..BotFilter::default() };
    assert_eq!(bot_names(&store, &everybody, 2).await.len(), names.len());
});

on_both!(channels_are_paged_and_filtered, async |db| {
    let store = db.open().await;
    let roster =
        [bot("a"), bot_of("b", ChannelKind::Vip, None), bot_of("c", ChannelKind::Regional, Some("eu"))];
    store.enroll(&actor(), &roster).await.unwrap();
    for (channel, mode) in [("club", Mode::Draining), ("pit", Mode::Maintenance)] {
        open(&store, channel, 5).await;
        act(&store, set_mode(channel, mode)).await;
    }
    open(&store, "main-2", 5).await;
    act(&store, set_limit("vip", 1)).await;
    let any = ChannelFilter::default;
    let of_status = |status| ChannelFilter { status: Some(status), ..any() };
    let cases: [(ChannelFilter, &[&str]); 8] = [
        (any(), &["club", "eu-regional", "main", "main-2", "pit", "vip"]),
        (ChannelFilter { kind: Some(ChannelKind::Vip), ..any() }, &["vip"]),
        (ChannelFilter { region: Some(region("eu")), ..any() }, &["eu-regional"]),
        (ChannelFilter { group: Some("main".parse().unwrap()), ..any() }, &["main", "main-2"]),
        (of_status(Status::Full), &["vip"]),
        (of_status(Status::Draining), &["club"]),
        (of_status(Status::Maintenance), &["pit"]),
        (of_status(Status::Active), &["eu-regional", "main", "main-2"]),
    ];
    for (filter, expected) in cases {
        for limit in [1, 2, 100] {
            assert_eq!(channel_names(&store, &filter, limit).await, expected, "{filter:?}");
        }
    }
});
