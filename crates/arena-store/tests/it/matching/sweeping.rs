//! What the loops look for.

use crate::support::*;
use arena_core::matching::{MatchEnd, TicketEnd};
use arena_store::Batch;
use std::collections::BTreeSet;

on_both!(proposals_whose_time_has_passed_are_found_oldest_first, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    let mut ids = Vec::new();
    for n in 0..3_i64 {
        let tickets = [enqueue(&store, &format!("a{n}")).await, enqueue(&store, &format!("b{n}")).await];
        let draft = draft(&[&tickets[0], &tickets[1]], at(8_000 - n));
        ids.push(draft.id);
        store.make_matches(&strangers(), &[draft], at(0)).await.unwrap();
    }
    assert_eq!(store.unconfirmed_matches(at(7_998), 9).await.unwrap(), []);
    assert_eq!(store.unconfirmed_matches(at(8_000), 9).await.unwrap(), [ids[2], ids[1]]);
    assert_eq!(store.unconfirmed_matches(at(8_001), 2).await.unwrap(), [ids[2], ids[1]]);
    stand(&store, &store.match_row(ids[2]).await.unwrap().unwrap(), at(1)).await;
    store.end_match(ids[1], &ending(MatchEnd::Unconfirmed, None), at(8_001)).await.unwrap();
    assert_eq!(store.unconfirmed_matches(at(8_001), 9).await.unwrap(), [ids[0]]);
});

on_both!(members_who_are_away_or_silent_for_too_long_are_found, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    let proposed = propose(&store, &["eve", "fay"]).await;
    let meeting = stand(&store, &propose(&store, &["ada", "bob"]).await, at(300)).await;
    let lost = async |away: i64, silent: i64| {
        let lost = store.lost_members(&strangers(), at(away), at(silent), 9).await.unwrap();
        lost.into_iter().map(|(id, user)| (id, user.to_string())).collect::<BTreeSet<_>>()
    };
    let member = |name: &str| (meeting.id, name.to_owned());
    assert_eq!(lost(9_999, 0).await, BTreeSet::new());
    attend(&store, &meeting, "ada", Some(at(400))).await;
    attend(&store, &meeting, "ada", Some(at(450))).await;
    attend(&store, &proposed, "eve", Some(at(1))).await;
    attend(&store, &meeting, "eve", Some(at(1))).await;
    assert_eq!(lost(400, 0).await, BTreeSet::new());
    assert_eq!(lost(401, 0).await, BTreeSet::from([member("ada")]));
    attend(&store, &meeting, "ada", None).await;
    assert_eq!(lost(9_999, 0).await, BTreeSet::new());
    // bob is not heard of; that ada is does not help him.
    store.tickets_seen(&[meeting.members[0].ticket], at(500)).await.unwrap();
    assert_eq!(lost(0, 1).await, BTreeSet::from([member("bob")]));
    assert_eq!(lost(0, 501).await, BTreeSet::from([member("ada"), member("bob")]));
    assert_eq!(store.lost_members(&strangers(), at(0), at(501), 1).await.unwrap().len(), 1);
    let elsewhere = "elsewhere".parse().unwrap();
    assert_eq!(store.lost_members(&elsewhere, at(9_999), at(9_999), 9).await.unwrap(), []);
    attend(&store, &meeting, "bob", Some(at(600))).await;
    let away = store.match_row(meeting.id).await.unwrap().unwrap();
    assert_eq!(away.members[1].away_since, Some(at(600)));
    store.end_match(meeting.id, &ending(MatchEnd::Left, Some("ada")), at(700)).await.unwrap();
    assert_eq!(lost(9_999, 9_999).await, BTreeSet::new());
    attend(&store, &meeting, "bob", Some(at(800))).await;
    assert_matching_sound(db).await;
});

on_both!(matches_whose_talk_is_exhausted_or_gone_are_found, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    let mut meetings = Vec::new();
    for n in 0..4 {
        let meeting = propose(&store, &[&format!("a{n}"), &format!("b{n}")]).await;
        meetings.push(if n < 3 { stand(&store, &meeting, at(300)).await } else { meeting });
    }
    assert_eq!(store.matches_talked_out(9).await.unwrap(), []);
    let talks: Vec<_> = meetings.iter().map(|meeting| meeting.conversation.clone().unwrap()).collect();
    let rows = store.conversations_with_tails(&talks).await.unwrap();
    let row = |n: usize| rows.iter().find(|(row, _)| row.id == talks[n]).unwrap().0.clone();
    let mut exhausted = row(0);
    exhausted.exhausted = true;
    // The last one is only proposed: nobody talks in it yet.
    let mut of_proposed = row(3);
    of_proposed.exhausted = true;
    let batch =
        Batch { checkpoints: vec![exhausted, of_proposed], deleted: vec![row(1).key], ..Batch::default() };
    store.write_conversations(&batch).await.unwrap();
    let found: BTreeSet<_> = store.matches_talked_out(9).await.unwrap().into_iter().collect();
    assert_eq!(found, BTreeSet::from([meetings[0].id, meetings[1].id]));
    assert_eq!(store.matches_talked_out(1).await.unwrap().len(), 1);
    for id in found {
        store.end_match(id, &ending(MatchEnd::TalkOver, None), at(900)).await.unwrap();
    }
    assert_eq!(store.matches_talked_out(9).await.unwrap(), []);
});

on_both!(a_match_that_is_over_is_unsettled_until_it_is_settled, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    let first = propose(&store, &["ada", "bob"]).await;
    let second = stand(&store, &propose(&store, &["cy", "dan"]).await, at(300)).await;
    assert_eq!(store.unsettled_matches(9).await.unwrap(), []);
    store.settle_matches(&[first.id, second.id]).await.unwrap();
    let (second, _) =
        store.end_match(second.id, &ending(MatchEnd::Left, Some("cy")), at(800)).await.unwrap().unwrap();
    let (first, _) =
        store.end_match(first.id, &ending(MatchEnd::Declined, None), at(900)).await.unwrap().unwrap();
    assert_eq!(store.unsettled_matches(9).await.unwrap(), [second.clone(), first.clone()]);
    assert_eq!(store.unsettled_matches(1).await.unwrap(), std::slice::from_ref(&second));
    store.settle_matches(&[second.id, second.id]).await.unwrap();
    assert_eq!(store.unsettled_matches(9).await.unwrap(), [first]);
    store.settle_matches(&[]).await.unwrap();
});

on_both!(what_is_over_for_long_and_settled_is_forgotten, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    let old = stand(&store, &propose(&store, &["ada", "bob"]).await, at(300)).await;
    let unsettled = propose(&store, &["cy", "dan"]).await;
    let mut end = ending(MatchEnd::Left, Some("ada"));
    end.apart_until = Some(at(5_000));
    store.end_match(old.id, &end, at(500)).await.unwrap();
    store.end_match(unsettled.id, &ending(MatchEnd::Declined, Some("cy")), at(500)).await.unwrap();
    store.settle_matches(&[old.id]).await.unwrap();
    let cancelled = enqueue(&store, "eve").await;
    store.end_waiting(cancelled.id, TicketEnd::Cancelled, at(600)).await.unwrap();
    assert_eq!(store.forget_matches(at(500), at(4_999), 9).await.unwrap(), 0);
    // A match, the tickets of ada, bob and cy, and a parting.
    assert_eq!(store.forget_matches(at(501), at(5_000), 9).await.unwrap(), 5);
    assert_eq!(store.match_row(old.id).await.unwrap(), None);
    assert_eq!(store.tickets_in(old.id).await.unwrap(), []);
    assert!(store.match_row(unsettled.id).await.unwrap().is_some());
    assert!(store.ticket_of(&user("dan")).await.unwrap().is_some());
    assert_eq!(db.count("SELECT COUNT(*) FROM match_members").await, 2);
    store.settle_matches(&[unsettled.id]).await.unwrap();
    assert_eq!(store.forget_matches(at(601), at(5_000), 9).await.unwrap(), 2);
    assert_matching_sound(db).await;
});

on_both!(forgetting_stops_at_its_limit_and_goes_on_next_time, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    for n in 0..5 {
        let ticket = enqueue(&store, &format!("user-{n}")).await;
        store.end_waiting(ticket.id, TicketEnd::Cancelled, at(n)).await.unwrap();
    }
    for gone in [2, 2, 1, 0] {
        assert_eq!(store.forget_matches(at(999), at(999), 2).await.unwrap(), gone);
    }
});

on_both!(the_tickets_of_a_match_are_found_by_it, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    let meeting = propose(&store, &["ada", "bob"]).await;
    let found: BTreeSet<_> = store
        .tickets_in(meeting.id)
        .await
        .unwrap()
        .into_iter()
        .map(|ticket| ticket.wish.user.to_string())
        .collect();
    assert_eq!(found, BTreeSet::from(["ada".to_owned(), "bob".to_owned()]));
    let other = propose(&store, &["cy", "dan"]).await;
    let ids = [other.id, arena_core::matching::MatchId(uuid::Uuid::nil()), meeting.id];
    assert_eq!(store.match_rows(&ids).await.unwrap(), [other, meeting]);
});

on_both!(who_comes_and_goes_without_a_match_is_forgotten_after_an_hour, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    let hour = 3_600_000;
    let churn = enqueue(&store, "ada").await;
    store.end_waiting(churn.id, TicketEnd::Cancelled, at(0)).await.unwrap();
    let silent = enqueue(&store, "bob").await;
    store.end_waiting(silent.id, TicketEnd::Silent, at(0)).await.unwrap();
    let met = propose(&store, &["cy", "dan"]).await;
    store.end_match(met.id, &ending(MatchEnd::Declined, Some("cy")), at(0)).await.unwrap();
    store.settle_matches(&[met.id]).await.unwrap();
    let dan = store.ticket_of(&user("dan")).await.unwrap().unwrap();
    store.end_waiting(dan.id, TicketEnd::Cancelled, at(0)).await.unwrap();
    assert_eq!(store.forget_matches(at(0), at(hour), 9).await.unwrap(), 0);
    assert_eq!(store.forget_matches(at(0), at(hour + 1), 9).await.unwrap(), 1);
    assert_eq!(store.ticket(churn.id).await.unwrap(), None);
    assert!(
        store.ticket(silent.id).await.unwrap().is_some() && store.ticket(dan.id).await.unwrap().is_some()
    );
    assert_matching_sound(db).await;
});
