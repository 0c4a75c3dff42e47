//! Who is kept from whom.

use crate::support::*;
use arena_core::matching::{Avoid, MatchEnd};
use arena_store::{MAX_BLOCKS, PageRequest, ReportRow, Store};
use uuid::Uuid;

async fn avoided(store: &Store, ms: i64) -> Avoid {
    store.avoided(&strangers(), at(ms)).await.unwrap()
}

on_both!(partners_stay_apart_until_then, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    let meeting = stand(&store, &propose(&store, &["bob", "ada"]).await, at(300)).await;
    let mut end = ending(MatchEnd::Skipped, Some("ada"));
    end.apart_until = Some(at(5_000));
    store.end_match(meeting.id, &end, at(900)).await.unwrap();
    enqueue(&store, "ada").await;
    assert!(!avoided(&store, 1_000).await.has(&user("ada"), &user("bob")), "one of them does not wait");
    enqueue(&store, "bob").await;
    enqueue(&store, "cy").await;
    assert!(avoided(&store, 4_999).await.has(&user("bob"), &user("ada")));
    assert!(!avoided(&store, 4_999).await.has(&user("cy"), &user("ada")));
    assert!(!avoided(&store, 5_000).await.has(&user("ada"), &user("bob")));
    let elsewhere = "elsewhere".parse().unwrap();
    let nobody = store.avoided(&elsewhere, at(1)).await.unwrap();
    assert!(!nobody.has(&user("ada"), &user("bob")));
});

on_both!(a_longer_parting_is_not_cut_short, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    for until in [5_000, 9_000, 7_000] {
        let meeting = propose(&store, &["ada", "bob"]).await;
        let mut end = ending(MatchEnd::Declined, Some("ada"));
        end.apart_until = Some(at(until));
        store.end_match(meeting.id, &end, at(900)).await.unwrap();
        let bob = store.ticket_of(&user("bob")).await.unwrap().unwrap();
        store.end_waiting(bob.id, arena_core::matching::TicketEnd::Cancelled, at(900)).await.unwrap();
    }
    enqueue(&store, "ada").await;
    enqueue(&store, "bob").await;
    assert!(avoided(&store, 8_999).await.has(&user("ada"), &user("bob")));
    assert_eq!(store.forget_matches(at(0), at(8_999), 9).await.unwrap(), 0);
    assert_eq!(store.forget_matches(at(0), at(9_000), 9).await.unwrap(), 1);
});

on_both!(a_block_holds_both_ways_and_undoes_what_was_read, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    let mut party = new_ticket("ada");
    party.wish.party = vec![user("alan")];
    let ada = make_ticket(&store, &party, T0).await;
    let (bob, cy) = (enqueue(&store, "bob").await, enqueue(&store, "cy").await);
    let drafts = [draft(&[&ada, &bob], at(8_000)), draft(&[&cy], at(8_000))];
    store.block(&user("bob"), &user("alan"), at(50)).await.unwrap();
    let made = store.make_matches(&strangers(), &drafts, at(100)).await.unwrap();
    assert_eq!(made, [drafts[1].id]);
    let avoid = avoided(&store, 100).await;
    assert!(avoid.has(&user("alan"), &user("bob")) && avoid.has(&user("bob"), &user("alan")));
    assert!(!avoid.has(&user("ada"), &user("bob")));
    assert_eq!(store.ticket(ada.id).await.unwrap().unwrap().since, T0, "it waits on where it stood");
    store.block(&user("bob"), &user("alan"), at(60)).await.unwrap();
    store.block(&user("bob"), &user("abe"), at(60)).await.unwrap();
    let mut page = PageRequest::first(1);
    let first = store.blocks(&user("bob"), &page).await.unwrap();
    assert_eq!(first.items, [user("abe")]);
    page.cursor = first.next_cursor;
    let last = store.blocks(&user("bob"), &page).await.unwrap();
    assert_eq!((last.items, last.next_cursor), (vec![user("alan")], None));
    assert_eq!(store.blocks(&user("alan"), &PageRequest::first(9)).await.unwrap().items, []);
    assert!(store.unblock(&user("bob"), &user("alan")).await.unwrap());
    assert!(!store.unblock(&user("bob"), &user("alan")).await.unwrap());
    assert!(!avoided(&store, 100).await.has(&user("alan"), &user("bob")));
    assert_matching_sound(db).await;
});

on_both!(whoever_blocks_too_many_is_told_so_and_keeps_those_that_are, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    let pool = db.raw().await;
    let fill = format!(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {MAX_BLOCKS}) \
         INSERT INTO match_blocks (user_id, blocked, created_at) SELECT 'ada', 'made-up-' || n, 1 FROM n"
    );
    sqlx::query(sqlx::AssertSqlSafe(fill)).execute(&pool).await.unwrap();
    pool.close().await;
    let (ada, bob) = (user("ada"), user("bob"));
    assert!(!store.block(&ada, &bob, at(1)).await.unwrap());
    assert!(store.block(&ada, &user("made-up-7"), at(1)).await.unwrap(), "that one is kept");
    assert!(store.block(&bob, &ada, at(1)).await.unwrap(), "others are not concerned");
    assert!(store.unblock(&ada, &user("made-up-7")).await.unwrap());
    assert!(store.block(&ada, &bob, at(1)).await.unwrap());
    assert!(!store.block(&ada, &user("made-up-7"), at(1)).await.unwrap());
});

on_both!(a_block_that_is_there_already_holds_nobody_up, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    store.block(&user("ada"), &user("bob"), at(1)).await.unwrap();
    let (bob, cy) = (enqueue(&store, "bob").await, enqueue(&store, "cy").await);
    let draft = draft(&[&bob, &cy], at(8_000));
    assert!(store.block(&user("ada"), &user("bob"), at(2)).await.unwrap());
    let made = store.make_matches(&strangers(), std::slice::from_ref(&draft), at(100)).await.unwrap();
    assert_eq!(made, [draft.id], "what was read of them holds");
});

on_both!(a_block_leaves_tickets_alone_that_are_in_a_match, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    let meeting = propose(&store, &["ada", "bob"]).await;
    let before = tickets_of(&store, &meeting).await;
    store.block(&user("ada"), &user("bob"), at(200)).await.unwrap();
    assert_eq!(tickets_of(&store, &meeting).await, before);
});

on_both!(reports_are_kept_and_read_newest_first, async |db| {
    let store = db.open().await;
    let report = |n: u128| ReportRow {
        id: Uuid::from_u128(n),
        in_match: arena_core::matching::MatchId(Uuid::nil()),
        reporter: user(&format!("ada-{n}")),
        reported: user("bob"),
        reason: format!("rude-{n}"),
        detail: "said \0 twice".to_owned(),
        created_at: at(i64::try_from(n / 2).unwrap()),
    };
    for n in [3, 1, 2, 5, 4] {
        assert!(store.report(&report(n)).await.unwrap().1);
    }
    let mut seen = Vec::new();
    let mut page = PageRequest::first(2);
    loop {
        let got = store.reports(&page).await.unwrap();
        seen.extend(got.items);
        page.cursor = got.next_cursor;
        if page.cursor.is_none() {
            break;
        }
    }
    let ids: Vec<_> = seen.iter().map(|report| report.id.as_u128()).collect();
    assert_eq!(ids, [5, 4, 3, 2, 1]);
    assert_eq!(seen[0].detail, "said \u{FFFD} twice");
    assert_eq!(ReportRow { detail: "said \0 twice".to_owned(), ..seen[0].clone() }, report(5));
    page.cursor = Some("elsewhere".to_owned());
    assert!(matches!(store.reports(&page).await, Err(arena_store::StoreError::BadCursor)));
});

on_both!(what_is_said_twice_is_one_report_with_the_latest_words_and_forgotten_after_months, async |db| {
    let store = db.open().await;
    let report = |reason: &str, ms| ReportRow {
        id: Uuid::now_v7(),
        in_match: arena_core::matching::MatchId(Uuid::nil()),
        reporter: user("ada"),
        reported: user("bob"),
        reason: reason.to_owned(),
        detail: String::new(),
        created_at: at(ms),
    };
    let (first, new) = store.report(&report("rude", 1)).await.unwrap();
    assert!(new);
    assert_eq!(store.report(&report("rude", 2)).await.unwrap(), (first.clone(), false));
    let (worse, new) = store.report(&report("threats", 3)).await.unwrap();
    assert!(new);
    assert_eq!(worse, ReportRow { reason: "threats".to_owned(), ..first });
    assert_eq!(store.reports(&PageRequest::first(9)).await.unwrap().items, [worse]);
    let months = 90 * 86_400_000;
    // Retention of less than that does not count for reports, of more it does.
    assert_eq!(store.forget_matches(at(months), at(months + 1), 9).await.unwrap(), 0);
    assert_eq!(store.forget_matches(at(1), at(months + 2), 9).await.unwrap(), 0);
    assert_eq!(store.forget_matches(at(2), at(months + 2), 9).await.unwrap(), 1);
    assert_eq!(store.reports(&PageRequest::first(9)).await.unwrap().items, []);
});
