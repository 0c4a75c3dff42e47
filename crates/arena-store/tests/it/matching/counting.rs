//! Lists and numbers.

use crate::support::*;
use arena_core::matching::{Kind, MatchEnd, MatchState, TicketEnd, TicketState};
use arena_store::{MatchFilter, PageRequest, QueueCounts, Store, TicketFilter, WaitStats};

async fn listed(store: &Store, filter: &TicketFilter) -> Vec<String> {
    let mut page = PageRequest::first(2);
    let mut names = Vec::new();
    loop {
        let got = store.tickets(filter, &page).await.unwrap();
        assert!(got.items.len() <= 2);
        names.extend(got.items.into_iter().map(|ticket| ticket.wish.user.to_string()));
        page.cursor = got.next_cursor;
        if page.cursor.is_none() {
            return names;
        }
    }
}

on_both!(tickets_are_listed_oldest_first_by_any_filter, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    // Ids that are older than their tickets.
    let mut news: Vec<_> = ["a", "b", "c", "d", "e"].into_iter().map(new_ticket).collect();
    news[3].wish.kind = Kind::Bot;
    for (new, ms) in news.iter().rev().zip([0, 1, 1, 2, 3]) {
        make_ticket(&store, new, at(ms)).await;
    }
    let all = TicketFilter::default();
    assert_eq!(listed(&store, &all).await, ["e", "c", "d", "b", "a"]);
    let ended = store.end_waiting(news[1].id, TicketEnd::Cancelled, at(9)).await.unwrap().unwrap();
    assert_eq!(ended.state, TicketState::Over);
    let by = |state| TicketFilter { state: Some(state), ..TicketFilter::default() };
    assert_eq!(listed(&store, &by(TicketState::Waiting)).await, ["e", "c", "d", "a"]);
    assert_eq!(listed(&store, &by(TicketState::Over)).await, ["b"]);
    assert_eq!(listed(&store, &by(TicketState::Matched)).await, [""; 0]);
    let bots = TicketFilter { kind: Some(Kind::Bot), queue: Some(strangers()), ..all.clone() };
    assert_eq!(listed(&store, &bots).await, ["d"]);
    let of_c = TicketFilter { user: Some(user("c")), ..all.clone() };
    assert_eq!(listed(&store, &of_c).await, ["c"]);
    let elsewhere = TicketFilter { queue: Some("elsewhere".parse().unwrap()), ..all };
    assert_eq!(listed(&store, &elsewhere).await, [""; 0]);
    for cursor in ["", "1", "x_y", "1_x", "_"] {
        let page = PageRequest { limit: 2, cursor: Some(cursor.to_owned()) };
        let refused = store.tickets(&TicketFilter::default(), &page).await;
        assert!(matches!(refused, Err(arena_store::StoreError::BadCursor)), "{cursor:?}");
    }
});

on_both!(matches_are_listed_oldest_first_with_their_members, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    let mut ids = Vec::new();
    for n in 0..5 {
        let meeting = propose(&store, &[&format!("a{n}"), &format!("b{n}")]).await;
        ids.push(meeting.id);
    }
    stand(&store, &store.match_row(ids[3]).await.unwrap().unwrap(), at(300)).await;
    let first = store.matches(&MatchFilter::default(), &PageRequest::first(3)).await.unwrap();
    assert_eq!(first.items.iter().map(|row| row.id).collect::<Vec<_>>(), ids[..3]);
    assert!(first.items.iter().all(|row| row.members.len() == 2));
    let rest = PageRequest { limit: 3, cursor: first.next_cursor };
    let rest = store.matches(&MatchFilter::default(), &rest).await.unwrap();
    assert_eq!((rest.items.len(), rest.next_cursor), (2, None));
    let standing =
        MatchFilter { state: Some(MatchState::Standing), queue: Some(strangers()), ..MatchFilter::default() };
    let standing = store.matches(&standing, &PageRequest::first(9)).await.unwrap().items;
    assert_eq!(standing, [store.match_row(ids[3]).await.unwrap().unwrap()]);
    let tournaments = MatchFilter { tournaments: true, ..MatchFilter::default() };
    assert_eq!(store.matches(&tournaments, &PageRequest::first(9)).await.unwrap().items, []);
});

on_both!(a_queue_counts_what_is_in_it, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    assert_eq!(store.queue_counts(&strangers()).await.unwrap(), QueueCounts::default());
    for (n, kind) in [(5, Kind::Human), (3, Kind::Human), (1, Kind::Bot)] {
        let mut new = new_ticket(&format!("user-{n}"));
        new.wish.kind = kind;
        make_ticket(&store, &new, at(n)).await;
    }
    propose(&store, &["a", "b", "c"]).await;
    stand(&store, &propose(&store, &["d", "e"]).await, at(300)).await;
    let gone = enqueue(&store, "f").await;
    store.end_waiting(gone.id, TicketEnd::Cancelled, at(9)).await.unwrap();
    let expected = QueueCounts { humans: 2, bots: 1, oldest: Some(at(3)), proposed: 3, matched: 2 };
    assert_eq!(store.queue_counts(&strangers()).await.unwrap(), expected);
});

on_both!(waits_are_counted_exactly, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    assert_eq!(store.wait_stats(&strangers(), at(-1)).await.unwrap(), WaitStats::default());
    // Pairs of a human and a bot whose humans wait 100, 200 … 2,000 ms; qualities 1 to 20.
    for n in 1..=20_u32 {
        let mut bot = new_ticket(&format!("bot-{n}"));
        bot.wish.kind = Kind::Bot;
        let bot = make_ticket(&store, &bot, at(-50)).await;
        let human = enqueue(&store, &format!("human-{n}")).await;
        let mut draft = draft(&[&human, &bot], at(8_000));
        draft.quality = n;
        store.make_matches(&strangers(), std::slice::from_ref(&draft), at(0)).await.unwrap();
        let meeting = store.match_row(draft.id).await.unwrap().unwrap();
        stand(&store, &meeting, at(i64::from(n) * 100)).await;
    }
    let failed = propose(&store, &["ada", "bob"]).await;
    store.end_match(failed.id, &ending(MatchEnd::Declined, Some("ada")), at(1_500)).await.unwrap();
    let bob = store.ticket_of(&user("bob")).await.unwrap().unwrap();
    store.end_waiting(bob.id, TicketEnd::Silent, at(1_600)).await.unwrap();
    let mut bot = new_ticket("bot");
    bot.wish.kind = Kind::Bot;
    let bot = make_ticket(&store, &bot, T0).await;
    store.end_waiting(bot.id, TicketEnd::Cancelled, at(1_600)).await.unwrap();
    let stats = store.wait_stats(&strangers(), at(0)).await.unwrap();
    let expected = WaitStats {
        matched: 20,
        wait_p50_ms: Some(1_000),
        wait_p95_ms: Some(1_900),
        quality: Some(11),
        abandoned: 1,
        failed: 1,
    };
    assert_eq!(stats, expected);
    // Only those of lately; a match that is over by now counts still.
    let latest = store
        .matches(
            &MatchFilter { state: Some(MatchState::Standing), ..MatchFilter::default() },
            &PageRequest::first(99),
        )
        .await
        .unwrap()
        .items;
    let latest = latest.iter().max_by_key(|row| row.quality).unwrap().id;
    store.end_match(latest, &ending(MatchEnd::Left, None), at(2_500)).await.unwrap();
    let stats = store.wait_stats(&strangers(), at(1_700)).await.unwrap();
    let expected = WaitStats {
        matched: 3,
        wait_p50_ms: Some(1_900),
        wait_p95_ms: Some(2_000),
        quality: Some(19),
        abandoned: 0,
        failed: 0,
    };
    assert_eq!(stats, expected);
});
