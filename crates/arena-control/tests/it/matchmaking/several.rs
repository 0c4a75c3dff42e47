//! Several matchmakers on one database: whatever one of them reads, a ticket is in one match.

use super::house::{House, human, idle, pairs, q, quick};
use crate::support::{Db, until};
use arena_control::{MatchFilter, PageRequest};
use arena_core::matching::TicketId;
use std::collections::BTreeSet;

on_both!(two_matchmakers_pair_a_thousand_tickets_and_use_none_twice, async |db: &Db| {
    let house = House::open(db, idle()).await;
    house.rules(pairs()).await;
    let mut coming = tokio::task::JoinSet::new();
    for n in 0..1_000 {
        let service = arena_control::Matchmaking::clone(&house);
        coming.spawn(
            async move { service.enqueue(&q(), None, human(&format!("u{n}"))).await.unwrap().ticket.id },
        );
    }
    let tickets: BTreeSet<TicketId> = coming.join_all().await.into_iter().collect();
    let (one, other) = (House::open(db, quick()).await, House::open(db, quick()).await);
    let counts = async || house.queue(&q()).await.unwrap().counts;
    until("all are matched", async || counts().await.proposed == 1_000).await;

    let (mut page, mut used, mut talks) = (PageRequest::first(500), Vec::new(), BTreeSet::new());
    loop {
        let found = house.matches(MatchFilter::default(), page.clone()).await.unwrap();
        for row in found.items {
            used.extend(row.members.iter().map(|member| member.ticket));
            talks.insert(row.conversation.unwrap());
        }
        match found.next_cursor {
            Some(cursor) => page.cursor = Some(cursor),
            None => break,
        }
    }
    assert_eq!((used.len(), talks.len()), (1_000, 500));
    assert_eq!(used.into_iter().collect::<BTreeSet<_>>(), tickets);
    assert_eq!(one.stats().proposed + other.stats().proposed, 500);
    for house in [house, one, other] {
        house.close(db).await;
    }
});
