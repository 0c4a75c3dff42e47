//! A match stands when everybody has confirmed in time.

use crate::support::*;
use arena_core::matching::{MatchEnd, MatchId, MatchState, TicketState};
use arena_store::{Confirming, NotInMatch};
use uuid::Uuid;

on_both!(a_match_stands_when_everybody_has_confirmed, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    let meeting = propose(&store, &["ada", "bob"]).await;
    let Confirming::Noted(half) = confirm(&store, meeting.id, &user("bob"), at(1_000)).await else {
        panic!()
    };
    assert_eq!(half.state, MatchState::Proposed);
    let confirmed: Vec<_> = half.members.iter().map(|member| member.confirmed_at).collect();
    assert_eq!(confirmed, [None, Some(at(1_000))]);
    assert_eq!(states(&store, &meeting).await, [TicketState::Proposed; 2]);
    let Confirming::Noted(whole) = confirm(&store, meeting.id, &user("ada"), at(3_000)).await else {
        panic!()
    };
    assert_eq!((whole.state, whole.changed_at), (MatchState::Standing, at(3_000)));
    assert_eq!(store.match_row(meeting.id).await.unwrap(), Some(whole));
    for ticket in tickets_of(&store, &meeting).await {
        assert_eq!((ticket.state, ticket.waited_ms), (TicketState::Matched, Some(3_000)));
        assert_eq!((ticket.version, ticket.changed_at), (3, at(3_000)));
    }
    assert_matching_sound(db).await;
});

on_both!(confirming_again_changes_nothing, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    let meeting = propose(&store, &["ada", "bob"]).await;
    let first = confirm(&store, meeting.id, &user("ada"), at(1_000)).await;
    assert_eq!(confirm(&store, meeting.id, &user("ada"), at(2_000)).await, first);
    assert_eq!(
        confirm(&store, meeting.id, &user("ada"), at(9_000)).await,
        first,
        "late, but it had confirmed"
    );
    let last = confirm(&store, meeting.id, &user("bob"), at(3_000)).await;
    assert_eq!(confirm(&store, meeting.id, &user("bob"), at(4_000)).await, last);
    assert_eq!(confirm(&store, meeting.id, &user("ada"), at(4_000)).await, last);
});

on_both!(whoever_confirms_late_confirms_nothing, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    let meeting = propose(&store, &["ada", "bob"]).await;
    assert!(matches!(confirm(&store, meeting.id, &user("ada"), at(8_000)).await, Confirming::Noted(_)));
    let late = confirm(&store, meeting.id, &user("bob"), at(8_001)).await;
    assert!(matches!(late, Confirming::Over(row) if row.state == MatchState::Proposed));
    store.end_match(meeting.id, &ending(MatchEnd::Unconfirmed, None), at(8_001)).await.unwrap();
    for name in ["ada", "bob"] {
        let over = confirm(&store, meeting.id, &user(name), at(7_000)).await;
        assert!(matches!(over, Confirming::Over(row) if row.ended == Some(MatchEnd::Unconfirmed)));
    }
    assert_matching_sound(db).await;
});

on_both!(only_who_acts_for_a_ticket_confirms_for_it, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    let mut new = new_ticket("ada");
    new.wish.party = vec![user("alan")];
    let ada = make_ticket(&store, &new, T0).await;
    let bob = enqueue(&store, "bob").await;
    let meeting = propose_tickets(&store, &[&ada, &bob]).await;
    for stranger in ["alan", "eve"] {
        let refused = store.confirm_match(meeting.id, &user(stranger), at(200)).await.unwrap();
        assert_eq!(refused, Some(Err(NotInMatch)));
    }
    assert_eq!(store.match_row(meeting.id).await.unwrap(), Some(meeting));
    let unknown = MatchId(Uuid::nil());
    assert_eq!(store.confirm_match(unknown, &user("ada"), at(200)).await.unwrap(), None);
});

on_both!(all_who_confirm_at_once_make_it_stand, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    for round in 0..5 {
        let names: Vec<_> = (0..4).map(|n| format!("user-{round}-{n}")).collect();
        let meeting = propose(&store, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
        at_once(4, |n| {
            let (store, who) = (store.clone(), user(&names[n]));
            async move { confirm(&store, meeting.id, &who, at(500)).await }
        })
        .await;
        let row = store.match_row(meeting.id).await.unwrap().unwrap();
        assert_eq!(row.state, MatchState::Standing);
    }
    assert_matching_sound(db).await;
});
