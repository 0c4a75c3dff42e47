//! The end of a match that stands: once, and everybody waits again who wants to, once.

use super::house::{House, human, pairs, who};
use crate::support::{Db, until};
use arena_control::{PageRequest, TicketFilter};
use arena_core::matching::{MatchEnd, MatchState, Rules, TicketEnd, TicketState};
use std::time::Duration;

on_both!(a_skip_ends_the_match_for_both_tells_both_why_and_requeues_who_wants_it, async |db: &Db| {
    let house = House::with(db, pairs()).await;
    let (ada, bob, row) = house.pair(human("ada"), human("bob")).await;
    let ears = [house.ear("user:ada"), house.ear("user:bob")];
    let version = house.ticket(ada).await.unwrap().ticket.version;
    for _ in 0..3 {
        let row = house.skip(row.id, &who("ada"), true).await.unwrap();
        assert_eq!((row.state, row.ended), (MatchState::Over, Some(MatchEnd::Skipped)));
    }
    let ticket = house.ticket(ada).await.unwrap().ticket;
    assert_eq!((ticket.state, ticket.version), (TicketState::Waiting, version + 1), "once");
    assert_eq!(house.ticket(bob).await.unwrap().ticket.ended, Some(TicketEnd::Played));
    until("both have heard", async || ears.iter().all(|ear| !ear.of("ticket").is_empty())).await;
    for ear in ears {
        let told = ear.of("ticket").remove(0);
        assert_eq!((&told["match"]["ended"], &told["match"]["ended_by"]), (&"skipped".into(), &"ada".into()));
    }
    house.until_settled().await;
    let log = house.log(&row.conversation.unwrap()).await;
    let (event, why) = &log[log.len() - 2];
    assert_eq!((event.as_str(), &why["data"]["match_over"]), ("system", &"skipped".into()));
    assert_eq!(log.last().unwrap().0, "exhausted");
    assert_eq!(log.iter().filter(|(event, _)| event == "system").count(), 1, "told once");
    house.close(db).await;
});

on_both!(both_skip_at_once_and_each_waits_once, async |db: &Db| {
    let house = House::with(db, pairs()).await;
    for n in 0..8 {
        let (ada, bob) = (who(&format!("ada{n}")), who(&format!("bob{n}")));
        let (one, other, row) = house.pair(human(ada.as_str()), human(bob.as_str())).await;
        let versions = [
            house.ticket(one).await.unwrap().ticket.version,
            house.ticket(other).await.unwrap().ticket.version,
        ];
        let (a, b) = tokio::join!(house.skip(row.id, &ada, true), house.skip(row.id, &bob, true));
        assert_eq!(a.unwrap().ended_by, b.unwrap().ended_by, "it has ended once");
        for (ticket, version) in [one, other].into_iter().zip(versions) {
            let row = house.ticket(ticket).await.unwrap().ticket;
            assert_eq!(row.state, TicketState::Waiting);
            assert!(row.version <= version + 2, "over and waiting again at most");
            house.cancel(ticket).await.unwrap();
        }
    }
    let all = house.tickets(TicketFilter::default(), PageRequest::first(100)).await.unwrap().items;
    assert_eq!(all.len(), 16, "nobody has got a second ticket");
    assert_eq!(house.stats().over, 8);
    house.close(db).await;
});

on_both!(those_who_parted_do_not_meet_within_the_skip_window_and_do_after_it, async |db: &Db| {
    let house = House::with(db, Rules { skip_window_ms: 1_500, ..pairs() }).await;
    let mut bob = human("bob");
    bob.requeue = true;
    let (ada, bob, row) = house.pair(human("ada"), bob).await;
    house.skip(row.id, &who("ada"), true).await.unwrap();
    let began = std::time::Instant::now();
    assert_eq!(house.state(bob).await, TicketState::Waiting, "it had said that it would go on");
    let again = house.proposed(ada).await;
    assert_ne!(again.id, row.id);
    assert!(began.elapsed() >= Duration::from_millis(1_000), "{:?}", began.elapsed());
    house.close(db).await;
});

on_both!(a_member_who_does_not_come_back_ends_the_match_and_one_who_does_not_leaves_it, async |db: &Db| {
    let house = House::with(db, Rules { away_ms: 2_000, skip_window_ms: 0, ..pairs() }).await;
    let mut requeue = human("bob");
    requeue.requeue = true;
    let (_, bob, row) = house.pair(human("ada"), requeue).await;
    let talk = row.conversation.clone().unwrap();
    // Long enough after the start that absences count.
    house.attend(&talk, &who("ada"), false).await;
    house.attend(&talk, &who("ada"), true).await;
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(house.get_match(row.id).await.unwrap().state, MatchState::Standing, "it came back");
    house.attend(&talk, &who("ada"), false).await;
    until("it is over", async || house.get_match(row.id).await.unwrap().state == MatchState::Over).await;
    let row = house.get_match(row.id).await.unwrap();
    assert_eq!((row.ended, row.ended_by), (Some(MatchEnd::Disconnected), Some(who("ada"))));
    assert_eq!(house.state(bob).await, TicketState::Waiting);
    house.close(db).await;
});

on_both!(whoever_is_not_heard_of_loses_the_ticket_and_whoever_is_keeps_it, async |db: &Db| {
    let house = House::with(db, Rules { silent_ms: 1_500, ..pairs() }).await;
    let (ada, bob) = (
        house.joins("ada").await,
        house
            .wishes({
                let mut wish = human("bob");
                wish.avoid = vec![who("ada")];
                wish
            })
            .await,
    );
    let heard = async || {
        house.heartbeat(bob).await.unwrap();
        house.state(ada).await == TicketState::Over
    };
    until("ada has been silent", heard).await;
    assert_eq!(house.ticket(ada).await.unwrap().ticket.ended, Some(TicketEnd::Silent));
    assert_eq!(house.state(bob).await, TicketState::Waiting);
    house.close(db).await;
});

on_both!(nobody_waits_longer_than_the_queue_lets_them, async |db: &Db| {
    let house = House::with(db, Rules { max_wait_ms: Some(300), ..pairs() }).await;
    let ada = house.joins("ada").await;
    let view = house.wait(ada, 1, Duration::from_secs(20)).await.unwrap();
    assert_eq!(view.ticket.ended, Some(TicketEnd::TimedOut));
    house.close(db).await;
});
