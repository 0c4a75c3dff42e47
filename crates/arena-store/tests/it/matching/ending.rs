//! A match ends once, and its tickets wait again or are over.

use crate::support::*;
use arena_core::matching::{MatchEnd, MatchId, MatchState, TicketEnd, TicketState};
use arena_store::{Ending, Lost, MatchRow, Store, TicketRow};
use uuid::Uuid;

/// What became of each ticket: why it ended, or since when it waits and whether ahead of others.
async fn fates(store: &Store, meeting: &MatchRow) -> Vec<Result<(arena_core::Timestamp, bool), TicketEnd>> {
    let fate = |ticket: TicketRow| match ticket.ended {
        Some(end) => Err(end),
        None => {
            assert_eq!(ticket.state, TicketState::Waiting);
            Ok((ticket.since, ticket.ahead))
        }
    };
    tickets_of(store, meeting).await.into_iter().map(fate).collect()
}

on_both!(whoever_has_confirmed_waits_again_ahead_and_the_others_are_over, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    let meeting = propose(&store, &["ada", "bob", "cy"]).await;
    confirm(&store, meeting.id, &user("bob"), at(500)).await;
    let end = ending(MatchEnd::Unconfirmed, None);
    let (row, ended) = store.end_match(meeting.id, &end, at(8_001)).await.unwrap().unwrap();
    assert!(ended);
    assert_eq!((row.state, row.ended, row.ended_by), (MatchState::Over, Some(MatchEnd::Unconfirmed), None));
    assert_eq!(row.changed_at, at(8_001));
    assert_eq!(store.match_row(meeting.id).await.unwrap().unwrap().ended, row.ended);
    let unconfirmed = Err(TicketEnd::Unconfirmed);
    assert_eq!(fates(&store, &meeting).await, [unconfirmed, Ok((T0, true)), unconfirmed]);
    let bob = store.ticket_of(&user("bob")).await.unwrap().unwrap();
    assert_eq!((bob.version, bob.changed_at, bob.waited_ms), (3, at(8_001), None));
    assert_eq!(bob.in_match, Some(meeting.id));
    assert!(store.waiting(&strangers()).await.unwrap()[0].ahead);
    assert_eq!(store.ticket_of(&user("ada")).await.unwrap(), None);
    let again = store.end_match(meeting.id, &ending(MatchEnd::Declined, None), at(8_002)).await.unwrap();
    assert_eq!(again, Some((store.match_row(meeting.id).await.unwrap().unwrap(), false)));
    assert_eq!(fates(&store, &meeting).await, [unconfirmed, Ok((T0, true)), unconfirmed]);
    assert_matching_sound(db).await;
});

on_both!(whoever_declines_is_over_and_lets_the_others_wait_ahead, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    let meeting = propose(&store, &["ada", "bob"]).await;
    let end = ending(MatchEnd::Declined, Some("ada"));
    let (row, ended) = store.end_match(meeting.id, &end, at(300)).await.unwrap().unwrap();
    assert_eq!((ended, row.ended_by), (true, Some(user("ada"))));
    assert_eq!(fates(&store, &meeting).await, [Err(TicketEnd::Declined), Ok((T0, true))]);
    // Who wants another instead waits, but behind.
    let mut end = ending(MatchEnd::Skipped, Some("bob"));
    end.requeue = true;
    let bob = store.ticket_of(&user("bob")).await.unwrap().unwrap();
    let second = propose_tickets(&store, &[&bob, &enqueue(&store, "cy").await]).await;
    store.end_match(second.id, &end, at(400)).await.unwrap();
    let mut after = fates(&store, &second).await;
    after.sort_by_key(|fate| fate.unwrap());
    assert_eq!(after, [Ok((T0, true)), Ok((at(400), false))]);
    assert_matching_sound(db).await;
});

on_both!(an_operator_who_ends_a_proposal_lets_everybody_wait, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    let meeting = propose(&store, &["ada", "bob"]).await;
    store.end_match(meeting.id, &ending(MatchEnd::Closed, None), at(300)).await.unwrap();
    assert_eq!(fates(&store, &meeting).await, [Ok((T0, true)); 2]);
    assert_matching_sound(db).await;
});

on_both!(after_a_skip_those_wait_who_want_to, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    for (by, requeue, wish, expected) in [
        ("ada", true, false, [Ok((at(900), false)), Err(TicketEnd::Played)]),
        ("ada", false, true, [Err(TicketEnd::Played), Ok((at(900), false))]),
        ("ada", true, true, [Ok((at(900), false)), Ok((at(900), false))]),
        ("bob", false, false, [Err(TicketEnd::Played), Err(TicketEnd::Played)]),
    ] {
        let suffix = format!("{by}-{requeue}-{wish}");
        let mut bob = new_ticket(&format!("bob-{suffix}"));
        bob.wish.requeue = wish;
        let ada = enqueue(&store, &format!("ada-{suffix}")).await;
        let bob = make_ticket(&store, &bob, T0).await;
        let meeting = stand(&store, &propose_tickets(&store, &[&ada, &bob]).await, at(300)).await;
        let mut end = ending(MatchEnd::Skipped, Some(&format!("{by}-{suffix}")));
        end.requeue = requeue;
        let (row, ended) = store.end_match(meeting.id, &end, at(900)).await.unwrap().unwrap();
        assert!(ended && row.ended == Some(MatchEnd::Skipped));
        assert_eq!(fates(&store, &meeting).await, expected, "{suffix}");
        let again = store.end_match(meeting.id, &end, at(950)).await.unwrap().unwrap();
        assert!(!again.1);
        assert_eq!(fates(&store, &meeting).await, expected, "{suffix}, again");
    }
    assert_matching_sound(db).await;
});

on_both!(a_match_that_stands_does_not_end_as_unconfirmed, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    let meeting = stand(&store, &propose(&store, &["ada", "bob"]).await, at(300)).await;
    let end = ending(MatchEnd::Unconfirmed, None);
    assert_eq!(store.end_match(meeting.id, &end, at(9_000)).await.unwrap(), Some((meeting.clone(), false)));
    assert_eq!(states(&store, &meeting).await, [TicketState::Matched; 2]);
    assert_eq!(store.end_match(MatchId(Uuid::nil()), &end, at(9_000)).await.unwrap(), None);
});

on_both!(whoever_came_along_acts_for_the_party_that_leaves, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    let mut party = new_ticket("ada");
    party.wish.party = vec![user("alan")];
    party.wish.requeue = true;
    let ada = make_ticket(&store, &party, T0).await;
    let bob = enqueue(&store, "bob").await;
    let meeting = stand(&store, &propose_tickets(&store, &[&ada, &bob]).await, at(300)).await;
    let mut end = ending(MatchEnd::Left, Some("alan"));
    end.apart_until = Some(at(5_000));
    store.end_match(meeting.id, &end, at(900)).await.unwrap();
    assert_eq!(fates(&store, &meeting).await, [Err(TicketEnd::Played); 2]);
    // Both of the party are kept from bob, and not from each other.
    let pairs = "SELECT COUNT(*) FROM match_partings WHERE high = 'bob' AND low IN ('ada', 'alan')";
    assert_eq!(db.count(pairs).await, 2);
    assert_eq!(db.count("SELECT COUNT(*) FROM match_partings").await, 2);
});

on_both!(only_those_who_have_met_or_said_no_are_kept_apart, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    let ends = [MatchEnd::Disconnected, MatchEnd::Closed, MatchEnd::Unconfirmed, MatchEnd::Declined];
    for (n, end) in ends.into_iter().enumerate() {
        let meeting = propose(&store, &[&format!("a{n}"), &format!("b{n}")]).await;
        let ending = Ending { apart_until: Some(at(9_000)), ..ending(end, None) };
        assert!(store.end_match(meeting.id, &ending, at(500)).await.unwrap().unwrap().1);
        let declined = i64::from(end == MatchEnd::Declined);
        assert_eq!(db.count("SELECT COUNT(*) FROM match_partings").await, declined, "{end:?}");
    }
    let met = stand(&store, &propose(&store, &["ada", "bob"]).await, at(300)).await;
    let ending = Ending { apart_until: Some(at(9_000)), ..ending(MatchEnd::Closed, None) };
    store.end_match(met.id, &ending, at(500)).await.unwrap();
    assert_eq!(db.count("SELECT COUNT(*) FROM match_partings").await, 2);
});

on_both!(whoever_is_lost_does_not_wait_again_when_a_partner_goes, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    let mut tickets = Vec::new();
    for name in ["ada", "bob", "cy"] {
        let mut new = new_ticket(name);
        new.wish.requeue = true;
        tickets.push(make_ticket(&store, &new, T0).await);
    }
    let meeting = propose_tickets(&store, &tickets.iter().collect::<Vec<_>>()).await;
    let meeting = stand(&store, &meeting, at(300)).await;
    attend(&store, &meeting, "bob", Some(at(400))).await;
    attend(&store, &meeting, "cy", Some(at(401))).await;
    let lost = Lost { away_before: at(401), ..Lost::NOBODY };
    let ending = Ending { requeue: true, lost, ..ending(MatchEnd::Left, Some("ada")) };
    store.end_match(meeting.id, &ending, at(600)).await.unwrap();
    let mut states = std::collections::BTreeMap::new();
    for ticket in tickets_of(&store, &meeting).await {
        states.insert(ticket.wish.user.to_string(), ticket.state);
    }
    let [ada, bob, cy] = ["ada", "bob", "cy"].map(|name| states[name]);
    assert_eq!((ada, bob, cy), (TicketState::Waiting, TicketState::Over, TicketState::Waiting));
    assert_matching_sound(db).await;
});

on_both!(a_match_does_not_end_by_one_who_is_back_nor_is_one_declined_that_stands, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    let meeting = stand(&store, &propose(&store, &["ada", "bob"]).await, at(300)).await;
    let lost = Lost { away_before: at(500), ..Lost::NOBODY };
    let gone = Ending { lost, ..ending(MatchEnd::Disconnected, Some("ada")) };
    let declined = Ending { only: Some(MatchState::Proposed), ..ending(MatchEnd::Declined, Some("ada")) };
    attend(&store, &meeting, "ada", Some(at(400))).await;
    attend(&store, &meeting, "ada", None).await;
    for ending in [&gone, &declined] {
        let (row, ended) = store.end_match(meeting.id, ending, at(600)).await.unwrap().unwrap();
        assert_eq!((row.state, ended), (MatchState::Standing, false));
    }
    attend(&store, &meeting, "ada", Some(at(400))).await;
    assert!(store.end_match(meeting.id, &gone, at(600)).await.unwrap().unwrap().1);
    attend(&store, &meeting, "bob", Some(at(700))).await;
    assert_eq!(db.count("SELECT COUNT(*) FROM match_members WHERE away_since IS NOT NULL").await, 0);
});

on_both!(of_many_who_end_a_match_at_once_one_does, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    for round in 0..5 {
        let mut tickets = Vec::new();
        for n in 0..2 {
            let mut new = new_ticket(&format!("user-{round}-{n}"));
            new.wish.requeue = true;
            tickets.push(make_ticket(&store, &new, T0).await);
        }
        let meeting = propose_tickets(&store, &[&tickets[0], &tickets[1]]).await;
        let meeting = stand(&store, &meeting, at(300)).await;
        let ended = at_once(6, |n| {
            let store = store.clone();
            let mut end = ending(MatchEnd::Skipped, Some(&format!("user-{round}-{}", n % 2)));
            end.requeue = true;
            end.apart_until = Some(at(9_000));
            async move { store.end_match(meeting.id, &end, at(900)).await.unwrap().unwrap().1 }
        })
        .await;
        assert_eq!(ended.iter().filter(|ended| **ended).count(), 1);
        for ticket in tickets {
            assert_eq!(store.ticket(ticket.id).await.unwrap().unwrap().version, 4, "requeued once");
        }
    }
    assert_eq!(store.waiting(&strangers()).await.unwrap().len(), 10);
    assert_matching_sound(db).await;
});

on_both!(who_skips_too_late_waits_again_once, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    let meeting = stand(&store, &propose(&store, &["ada", "bob"]).await, at(300)).await;
    assert!(!store.wait_again(meeting.id, &user("bob"), at(400)).await.unwrap(), "it stands");
    store.end_match(meeting.id, &ending(MatchEnd::Skipped, Some("ada")), at(500)).await.unwrap();
    assert!(!store.wait_again(meeting.id, &user("eve"), at(600)).await.unwrap());
    assert!(store.wait_again(meeting.id, &user("bob"), at(600)).await.unwrap());
    assert!(!store.wait_again(meeting.id, &user("bob"), at(700)).await.unwrap());
    assert_eq!(fates(&store, &meeting).await, [Err(TicketEnd::Played), Ok((at(600), false))]);
    assert_eq!(store.ticket_of(&user("bob")).await.unwrap().unwrap().version, 5);
    // Who waits with another ticket by now does not wait twice.
    enqueue(&store, "ada").await;
    assert!(!store.wait_again(meeting.id, &user("ada"), at(700)).await.unwrap());
    assert_matching_sound(db).await;
});
