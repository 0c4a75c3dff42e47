//! What a crash leaves undone is done after the next start, and nothing that was begun is lost.

use super::house::{House, code, human, pairs, quick, who};
use crate::support::{Db, until};
use arena_control::MatchmakingSettings;
use arena_core::matching::{MatchEnd, MatchState, Rules, TicketState};
use arena_store::{Ending, Lost};
use std::time::Duration;

on_both!(a_match_that_ended_just_before_a_crash_is_settled_after_it, async |db: &Db| {
    let house = House::with(db, pairs()).await;
    let (_, _, row) = house.pair(human("ada"), human("bob")).await;
    let (cid, _) = (house.joins("cid").await, house.joins("dan").await);
    let proposed = house.proposed(cid).await;
    // The transaction is all that came to pass.
    let ending = Ending {
        end: MatchEnd::Left,
        by: Some(who("ada")),
        requeue: false,
        apart_until: None,
        only: None,
        lost: Lost::NOBODY,
    };
    house.store.end_match(row.id, &ending, arena_store::now()).await.unwrap();
    let declined = Ending { end: MatchEnd::Declined, by: Some(who("cid")), ..ending };
    house.store.end_match(proposed.id, &declined, arena_store::now()).await.unwrap();
    house.crash().await;

    let house = House::open(db, quick()).await;
    house.until_settled().await;
    let log = house.log(row.conversation.as_ref().unwrap()).await;
    let events: Vec<&str> = log.iter().map(|(event, _)| event.as_str()).collect();
    assert_eq!(events, ["created", "system", "exhausted"]);
    assert!(house.services.conversations.get(proposed.conversation.as_ref().unwrap()).await.is_err());
    house.close(db).await;
});

on_both!(a_proposal_outlives_a_crash_and_is_confirmed_after_it, async |db: &Db| {
    let house = House::with(db, pairs()).await;
    let (ada, bob) = (house.joins("ada").await, house.joins("bob").await);
    let row = house.proposed(ada).await;
    house.confirm(row.id, &who("ada")).await.unwrap();
    house.crash().await;
    let house = House::open(db, quick()).await;
    let row = house.confirm(row.id, &who("bob")).await.unwrap();
    assert_eq!(row.state, MatchState::Standing);
    assert_eq!(house.state(bob).await, TicketState::Matched);
    house.says(row.conversation.as_ref().unwrap(), "ada", "Still there?").await.unwrap();
    house.close(db).await;
});

on_both!(a_proposal_that_lapsed_while_nobody_could_confirm_sends_both_back_to_the_queue, async |db: &Db| {
    let house = House::with(db, Rules { confirm_ms: 1_000, ..pairs() }).await;
    let (ada, bob) = (house.joins("ada").await, house.joins("bob").await);
    let row = house.proposed(ada).await;
    house.crash().await;
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let house = House::open(db, MatchmakingSettings { matches: false, ..quick() }).await;
    until("it is over", async || house.get_match(row.id).await.unwrap().state == MatchState::Over).await;
    for ticket in [ada, bob] {
        let ticket = house.ticket(ticket).await.unwrap().ticket;
        assert_eq!((ticket.state, ticket.ahead), (TicketState::Waiting, true), "it was not their fault");
    }
    assert_eq!(code(house.confirm(row.id, &who("ada")).await.unwrap_err()), "match_over");
    house.crash().await;
    let house = House::open(db, quick()).await;
    let again = house.proposed(ada).await;
    assert_ne!(again.id, row.id);
    assert!(again.members.iter().any(|member| member.user == who("bob")), "they have not met yet");
    house.close(db).await;
});

on_both!(whoever_could_not_be_heard_while_the_server_was_away_is_not_called_silent, async |db: &Db| {
    let house = House::with(db, Rules { silent_ms: 1_000, away_ms: 1_000, ..pairs() }).await;
    let (_, _, row) = house.pair(human("ada"), human("bob")).await;
    let cid = house.joins("cid").await;
    house.attend(row.conversation.as_ref().unwrap(), &who("ada"), false).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    house.crash().await;
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let house = House::open(db, MatchmakingSettings { matches: false, ..quick() }).await;
    // They come back within the time that they would have had.
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(house.state(cid).await, TicketState::Waiting);
    assert_eq!(house.get_match(row.id).await.unwrap().state, MatchState::Standing);
    // And who does not is gone.
    house.until(cid, TicketState::Over).await;
    until("it is over", async || house.get_match(row.id).await.unwrap().state == MatchState::Over).await;
    house.close(db).await;
});

on_both!(a_server_that_stops_calls_nobody_away_and_loses_no_heartbeat, async |db: &Db| {
    let house = House::with(db, pairs()).await;
    let (ada, _, row) = house.pair(human("ada"), human("bob")).await;
    let before = house.ticket(ada).await.unwrap().ticket.seen_at;
    tokio::time::sleep(Duration::from_millis(50)).await;
    house.heartbeat(ada).await.unwrap();
    let service = arena_control::Matchmaking::clone(&house);
    house.close(db).await;
    service.attend(row.conversation.as_ref().unwrap(), &who("ada"), false).await;
    let house = House::open(db, quick()).await;
    let row = house.get_match(row.id).await.unwrap();
    assert!(row.members.iter().all(|member| member.away_since.is_none()));
    assert!(house.ticket(ada).await.unwrap().ticket.seen_at > before);
    house.close(db).await;
});
