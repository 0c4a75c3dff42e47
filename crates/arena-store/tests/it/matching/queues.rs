//! Queues and their rules.

use crate::support::*;
use arena_core::matching::{QueueName, Rules, TicketEnd, TicketState};
use arena_store::TicketError;
use std::collections::BTreeSet;

fn name(text: &str) -> QueueName {
    text.parse().unwrap()
}

on_both!(rules_are_kept_and_their_version_rises_with_changes, async |db| {
    let store = db.open().await;
    assert_eq!(store.match_queue(&strangers()).await.unwrap(), None);
    let first = store.put_match_queue(&strangers(), &Rules::strangers(), true).await.unwrap();
    assert_eq!((first.version, &*first.rules), (1, &Rules::strangers()));
    let kept = store.put_match_queue(&strangers(), &Rules::default(), true).await.unwrap();
    assert_eq!(kept, first);
    let same = store.put_match_queue(&strangers(), &Rules::strangers(), false).await.unwrap();
    assert_eq!(same, first);
    let other = store.put_match_queue(&strangers(), &Rules::default(), false).await.unwrap();
    assert_eq!((other.version, &*other.rules), (2, &Rules::default()));
    assert_eq!(other.created_at, first.created_at);
    assert_eq!(store.match_queue(&strangers()).await.unwrap(), Some(other));
});

on_both!(queues_are_listed_by_the_bytes_of_their_names, async |db| {
    let store = db.open().await;
    for queue in ["b", "a_c", "a-c", "ab", "a1"] {
        store.put_match_queue(&name(queue), &Rules::default(), false).await.unwrap();
    }
    let names: Vec<_> = store.match_queues().await.unwrap().into_iter().map(|q| q.name.to_string()).collect();
    assert_eq!(names, ["a-c", "a1", "a_c", "ab", "b"]);
});

on_both!(who_waits_in_a_queue_that_is_deleted_waits_no_more, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    let meeting = propose(&store, &["ada", "bob"]).await;
    let cy = enqueue(&store, "cy").await;
    assert_eq!(store.delete_match_queue(&strangers()).await.unwrap(), Some(vec![cy.id]));
    assert_eq!(store.delete_match_queue(&strangers()).await.unwrap(), None);
    let cy = store.ticket(cy.id).await.unwrap().unwrap();
    assert_eq!((cy.state, cy.ended, cy.version), (TicketState::Over, Some(TicketEnd::QueueGone), 2));
    assert_eq!(store.ticket_of(&user("cy")).await.unwrap(), None);
    assert_eq!(states(&store, &meeting).await, [TicketState::Proposed; 2]);
    assert_eq!(store.queues_in_use().await.unwrap(), [strangers()]);
    let refused = try_ticket(&store, &new_ticket("cy"), T0).await.unwrap_err();
    assert!(matches!(refused, TicketError::NoQueue(queue) if queue == strangers()));
    // A match of it goes on, and lets its tickets go.
    stand(&store, &meeting, at(200)).await;
    let mut end = ending(arena_core::matching::MatchEnd::Skipped, Some("ada"));
    end.requeue = true;
    store.end_match(meeting.id, &end, at(300)).await.unwrap().unwrap();
    let ends: Vec<_> = tickets_of(&store, &meeting).await.into_iter().map(|ticket| ticket.ended).collect();
    assert_eq!(ends, [Some(TicketEnd::QueueGone), Some(TicketEnd::Played)]);
    assert_eq!(store.queues_in_use().await.unwrap(), []);
    assert_matching_sound(db).await;
});

on_both!(a_large_queue_is_emptied_bit_by_bit, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    let news: Vec<_> = (0..1_203).map(|n| new_ticket(&format!("user-{n}"))).collect();
    store.create_tickets(&news, T0).await.unwrap();
    let ended = store.delete_match_queue(&strangers()).await.unwrap().unwrap();
    assert_eq!(ended.into_iter().collect::<BTreeSet<_>>(), news.iter().map(|new| new.id).collect());
    assert_eq!(store.queues_in_use().await.unwrap(), []);
    assert_matching_sound(db).await;
});

on_both!(queues_in_use_are_those_of_tickets_that_are_not_over, async |db| {
    let store = db.open().await;
    let mut last = None;
    for (n, queue) in ["b", "a", "c", "a", "c"].into_iter().enumerate() {
        store.put_match_queue(&name(queue), &Rules::default(), true).await.unwrap();
        let mut new = new_ticket(&format!("user-{n}"));
        new.queue = name(queue);
        last = Some(make_ticket(&store, &new, T0).await);
    }
    assert_eq!(store.queues_in_use().await.unwrap(), [name("a"), name("b"), name("c")]);
    store.end_waiting(last.unwrap().id, TicketEnd::Cancelled, T0).await.unwrap();
    store.delete_match_queue(&name("b")).await.unwrap();
    assert_eq!(store.queues_in_use().await.unwrap(), [name("a"), name("c")]);
});
