//! A match stands when everybody has confirmed in time; otherwise nobody is worse off for a partner's silence.

use super::house::{House, code, human, idle, pairs, q, quick, who};
use crate::support::Db;
use arena_core::matching::{MatchEnd, MatchState, Rules, TicketEnd, TicketState};
use std::time::Duration;

/// So short that nobody waits long, so long that a busy machine confirms in time.
const SHORT_MS: u64 = 1_500;

on_both!(two_confirmations_at_once_make_the_match_stand_once, async |db: &Db| {
    let house = House::with(db, pairs()).await;
    for n in 0..10 {
        let (ada, bob) = (format!("ada{n}"), format!("bob{n}"));
        let ticket = house.joins(&ada).await;
        house.joins(&bob).await;
        let id = house.proposed(ticket).await.id;
        let (ada, bob) = (who(&ada), who(&bob));
        let (one, other, again) =
            tokio::join!(house.confirm(id, &ada), house.confirm(id, &bob), house.confirm(id, &ada));
        one.unwrap();
        other.unwrap();
        again.unwrap();
        assert_eq!(house.get_match(id).await.unwrap().state, MatchState::Standing);
        house.confirm(id, &ada).await.unwrap();
    }
    house.close(db).await;
});

on_both!(who_confirmed_goes_to_the_head_of_the_queue_and_who_did_not_is_out, async |db: &Db| {
    let house = House::with(db, Rules { confirm_ms: SHORT_MS, ..pairs() }).await;
    let (ada, bob) = (house.joins("ada").await, house.joins("bob").await);
    let row = house.proposed(ada).await;
    let since = house.ticket(ada).await.unwrap().ticket.since;
    house.confirm(row.id, &who("ada")).await.unwrap();
    let out = house.until(bob, TicketState::Over).await;
    assert_eq!(out.ticket.ended, Some(TicketEnd::Unconfirmed));
    assert_eq!(out.in_match.unwrap().ended, Some(MatchEnd::Unconfirmed));
    let ticket = house.ticket(ada).await.unwrap().ticket;
    assert_eq!((ticket.state, ticket.ahead, ticket.since), (TicketState::Waiting, true, since));
    let late = house.confirm(row.id, &who("bob")).await.unwrap_err();
    assert_eq!(code(late), "match_over");
    house.until_settled().await;
    let talk = row.conversation.unwrap();
    assert!(house.services.conversations.get(&talk).await.is_err(), "it never began");
    house.close(db).await;
});

on_both!(whoever_was_let_down_is_matched_before_those_who_came_earlier, async |db: &Db| {
    let house = House::open(db, idle()).await;
    house.rules(Rules { confirm_ms: SHORT_MS, ..pairs() }).await;
    let early = house.joins("early").await;
    house.close(db).await;
    // The early one is held back while ada is let down.
    let house = House::open(db, quick()).await;
    let ada = house.joins("ada").await;
    let row = house.proposed(ada).await;
    house.confirm(row.id, &who("ada")).await.unwrap();
    house.until(early, TicketState::Over).await;
    house.close(db).await;

    let house = House::open(db, idle()).await;
    house.joins("first").await;
    house.joins("second").await;
    house.close(db).await;
    let house = House::open(db, quick()).await;
    let matched = house.proposed(ada).await;
    assert!(matched.members.iter().any(|member| member.user == who("first")), "{matched:?}");
    house.close(db).await;
});

on_both!(a_confirmation_against_the_deadline_counts_or_is_refused_and_never_both, async |db: &Db| {
    let house = House::with(db, Rules { confirm_ms: 300, skip_window_ms: 0, ..pairs() }).await;
    for n in 0..6 {
        let (ada, bob) = (format!("ada{n}"), format!("bob{n}"));
        let tickets = [house.joins(&ada).await, house.joins(&bob).await];
        // A proposal may have lapsed before it is seen here: users are out then.
        let Some(row) = house.ticket_row_of_match(tickets[0]).await else { continue };
        let until = u64::try_from(row.confirm_until.0 - arena_store::now().0).unwrap_or(0);
        let _ = house.confirm(row.id, &who(&ada)).await;
        tokio::time::sleep(Duration::from_millis(until.saturating_sub(n % 3))).await;
        let outcome = house.confirm(row.id, &who(&bob)).await;
        match outcome {
            Ok(confirmed) => assert_ne!(confirmed.state, MatchState::Over),
            Err(error) => {
                assert_eq!(code(error), "match_over");
                assert_eq!(house.get_match(row.id).await.unwrap().state, MatchState::Over);
            }
        }
        for ticket in tickets {
            house.cancel(ticket).await.unwrap();
        }
    }
    house.close(db).await;
});

on_both!(declining_lets_the_partner_go_on_at_once, async |db: &Db| {
    let house = House::with(db, pairs()).await;
    let (ada, bob) = (house.joins("ada").await, house.joins("bob").await);
    let row = house.proposed(ada).await;
    house.confirm(row.id, &who("bob")).await.unwrap();
    for _ in 0..2 {
        let row = house.decline(row.id, &who("ada")).await.unwrap();
        assert_eq!(row.ended, Some(MatchEnd::Declined));
    }
    assert_eq!(house.ticket(ada).await.unwrap().ticket.ended, Some(TicketEnd::Declined));
    let cid = house.joins("cid").await;
    assert_eq!(house.proposed(bob).await.id, house.proposed(cid).await.id);
    let row = house.proposed(bob).await;
    house.confirm(row.id, &who("bob")).await.unwrap();
    house.confirm(row.id, &who("cid")).await.unwrap();
    assert_eq!(code(house.decline(row.id, &who("cid")).await.unwrap_err()), "match_standing");
    assert_eq!(code(house.decline(row.id, &who("eve")).await.unwrap_err()), "not_in_match");
    assert_eq!(code(house.confirm(row.id, &who("eve")).await.unwrap_err()), "not_in_match");
    house.close(db).await;
});

on_both!(skipping_a_proposal_declines_it_and_may_go_on_waiting, async |db: &Db| {
    let house = House::with(db, pairs()).await;
    let (ada, bob) = (house.joins("ada").await, house.joins("bob").await);
    let row = house.proposed(ada).await;
    assert_eq!(code(house.leave(row.id, &who("ada"), false).await.unwrap_err()), "match_not_standing");
    house.skip(row.id, &who("ada"), true).await.unwrap();
    assert_eq!(house.get_match(row.id).await.unwrap().ended, Some(MatchEnd::Declined));
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(house.state(ada).await, TicketState::Waiting, "not with the same one again");
    assert_eq!(house.state(bob).await, TicketState::Waiting);
    let cid = house.joins("cid").await;
    assert_eq!(
        house.proposed(bob).await.id,
        house.proposed(cid).await.id,
        "the one who was let down comes first"
    );
    let dan = house.joins("dan").await;
    assert_eq!(house.proposed(ada).await.id, house.proposed(dan).await.id);
    house.close(db).await;
});

on_both!(a_proposal_that_nobody_has_heard_of_is_told_again, async |db: &Db| {
    let house = House::with(db, pairs()).await;
    let ada = house.joins("ada").await;
    house.joins("bob").await;
    let row = house.proposed(ada).await;
    house.confirm(row.id, &who("bob")).await.unwrap();
    let (ear, confirmed) = (house.ear("user:ada"), house.ear("user:bob"));
    let again = async || ear.of("ticket").len() >= 2;
    crate::support::until("it is told again and again", again).await;
    assert_eq!(ear.of("ticket")[0]["match"]["id"], row.id.to_string());
    assert!(confirmed.of("ticket").is_empty(), "who has confirmed is left alone");
    house.close(db).await;
});

on_both!(humans_who_declined_are_not_counted_as_matched, async |db: &Db| {
    let house = House::with(db, pairs()).await;
    let (ada, _, row) = house.pair(human("ada"), human("bob")).await;
    house.leave(row.id, &who("ada"), false).await.unwrap();
    house.joins("cid").await;
    let dan = house.joins("dan").await;
    let row = house.proposed(dan).await;
    house.decline(row.id, &who("dan")).await.unwrap();
    let view = house.queue(&q()).await.unwrap();
    assert_eq!((view.waits.matched, view.waits.failed), (2, 1), "{view:?}");
    assert_eq!(view.counts.humans, 1);
    assert!(house.ticket(ada).await.unwrap().ticket.waited_ms.is_some());
    house.close(db).await;
});
