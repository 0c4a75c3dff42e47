//! Making matches: all tickets of a draft or none of them.

use crate::support::*;
use arena_core::matching::{Kind, MatchState, TicketState};
use arena_store::{LogRow, StoreError};

on_both!(a_match_claims_its_tickets, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    let mut new = new_ticket("ada");
    new.wish.name = Some("Ada".to_owned());
    new.wish.party = vec![user("alan")];
    let ada = make_ticket(&store, &new, T0).await;
    let bob = enqueue(&store, "bob").await;
    let meeting = propose_tickets(&store, &[&ada, &bob]).await;
    assert_eq!((meeting.state, meeting.quality, meeting.made_at), (MatchState::Proposed, 50, at(100)));
    assert_eq!(meeting.confirm_until, at(8_000));
    let members: Vec<_> = meeting
        .members
        .iter()
        .map(|m| (m.ticket, m.user.as_str(), m.kind, m.name.as_deref(), m.party.clone(), m.team))
        .collect();
    let alan = vec![user("alan")];
    assert_eq!(
        members,
        [
            (ada.id, "ada", Kind::Human, Some("Ada"), alan, 0),
            (bob.id, "bob", Kind::Human, None, Vec::new(), 1)
        ]
    );
    for ticket in tickets_of(&store, &meeting).await {
        assert_eq!((ticket.state, ticket.version), (TicketState::Proposed, 2));
        assert_eq!((ticket.in_match, ticket.since, ticket.changed_at), (Some(meeting.id), T0, at(100)));
    }
    assert_eq!(store.waiting(&strangers()).await.unwrap(), []);
    let talk = meeting.conversation.clone().unwrap();
    assert_eq!(store.conversations_with_tails(&[talk]).await.unwrap().len(), 1);
    assert_matching_sound(db).await;
});

on_both!(a_draft_whose_ticket_is_gone_is_left_out_whole, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    let mut tickets = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        tickets.push(enqueue(&store, name).await);
    }
    let [a, b, c, d, e] = &tickets[..] else { unreachable!() };
    let twice = draft(&[a, a], at(8_000));
    let first = draft(&[a, b], at(8_000));
    let overlaps = draft(&[b, c], at(8_000));
    let mut stale = draft(&[c, d], at(8_000));
    stale.teams[1][0].1 += 1;
    let last = draft(&[e, c], at(8_000));
    let drafts = [twice, first, overlaps, stale, last];
    let made = store.make_matches(&strangers(), &drafts, at(1)).await.unwrap();
    assert_eq!(made, [drafts[1].id, drafts[4].id]);
    assert_eq!(store.waiting(&strangers()).await.unwrap().len(), 1);
    let again = store.make_matches(&strangers(), &drafts, at(2)).await.unwrap();
    assert_eq!(again, []);
    let elsewhere = "elsewhere".parse().unwrap();
    let lonely = draft(&[d], at(8_000));
    assert_eq!(store.make_matches(&elsewhere, &[lonely], at(2)).await.unwrap(), []);
    assert_eq!(db.count("SELECT COUNT(*) FROM conversations").await, 2);
    assert_matching_sound(db).await;
});

on_both!(the_first_lines_of_the_talk_are_in_its_log, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    let (ada, bob) = (enqueue(&store, "ada").await, enqueue(&store, "bob").await);
    let (cy, dan) = (enqueue(&store, "cy").await, enqueue(&store, "dan").await);
    let entry = |key, position| LogRow {
        key,
        position,
        at: T0,
        event: "message".to_owned(),
        message_id: None,
        body: "{}".to_owned(),
    };
    let mut drafts =
        [draft(&[&ada, &bob], at(8_000)), draft(&[&cy, &dan], at(8_000)), draft(&[&cy], at(8_000))];
    for draft in &mut drafts {
        draft.log = vec![entry(draft.conversation.key, 2), entry(draft.conversation.key, 1)];
        draft.conversation.position = 2;
    }
    store.make_matches(&strangers(), &drafts, at(1)).await.unwrap();
    for draft in &drafts[..2] {
        let log = store.conversation_log(&draft.conversation.id, 0, 9).await.unwrap().unwrap().rows;
        assert_eq!(log.iter().map(|row| row.position).collect::<Vec<_>>(), [1, 2]);
    }
    assert_eq!(db.count("SELECT COUNT(*) FROM conversation_log").await, 4, "none of one that was not made");
});

on_both!(nothing_is_made_where_a_conversation_cannot_be, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    let meeting = propose(&store, &["ada", "bob"]).await;
    let (cy, dan) = (enqueue(&store, "cy").await, enqueue(&store, "dan").await);
    let mut taken = draft(&[&cy, &dan], at(8_000));
    taken.conversation.id = meeting.conversation.unwrap();
    let refused = store.make_matches(&strangers(), &[taken], at(1)).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Taken(what) if what.contains("conversation")), "{refused:?}");
    assert_eq!(store.waiting(&strangers()).await.unwrap().len(), 2);
    assert_eq!(db.count("SELECT COUNT(*) FROM matches").await, 1);
    assert_matching_sound(db).await;
});

on_both!(a_key_that_is_taken_is_said_to_be_and_not_tried_again, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    let (ada, bob) = (enqueue(&store, "ada").await, enqueue(&store, "bob").await);
    let (cy, dan) = (enqueue(&store, "cy").await, enqueue(&store, "dan").await);
    let first = draft(&[&ada, &bob], at(8_000));
    store.make_matches(&strangers(), std::slice::from_ref(&first), at(1)).await.unwrap();
    let mut second = draft(&[&cy, &dan], at(8_000));
    second.conversation.key = first.conversation.key;
    let refused = store.make_matches(&strangers(), &[second.clone()], at(1)).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Taken(_)), "{refused:?}");
    second.conversation = talk("match-of-another-lane");
    assert_eq!(store.make_matches(&strangers(), &[second.clone()], at(1)).await.unwrap(), [second.id]);
});
