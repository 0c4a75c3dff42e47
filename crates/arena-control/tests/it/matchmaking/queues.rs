//! Queues: what they refuse, and what becomes of their tickets when they change.

use super::house::{House, code, human, idle, pairs, q, quick, who};
use crate::support::{Db, actor, until};
use arena_control::{ActivityFilter, MatchmakingSettings, PageRequest};
use arena_core::conversation::{Moderation, Setup};
use arena_core::matching::{MatchState, Outcome, Rules, TicketEnd, TicketState};

on_both!(rules_and_wishes_that_make_no_sense_are_refused, async |db: &Db| {
    let house = House::open(db, idle()).await;
    let put = async |rules| house.put_queue(&actor(), &q(), rules).await.map_err(code);
    assert_eq!(put(Rules { teams: 0, ..pairs() }).await.unwrap_err(), "invalid_rules");
    let moderation =
        Moderation { url: "http://nobody.test/".to_owned(), deadline_ms: 1, on_failure: Default::default() };
    let setup = Setup { moderation: Some(moderation), ..Setup::default() };
    let outcome = Outcome::Talk(Box::new(setup));
    assert_eq!(put(Rules { outcome, ..pairs() }).await.unwrap_err(), "invalid_conversation");
    let nowhere = house.enqueue(&q(), None, human("ada")).await.unwrap_err();
    assert_eq!(code(nowhere), "queue_not_found");
    put(pairs()).await.unwrap();
    let mut crowd = human("ada");
    crowd.party = vec![who("bob")];
    assert_eq!(code(house.enqueue(&q(), None, crowd).await.unwrap_err()), "invalid_ticket");
    house.close(db).await;
});

on_both!(a_queue_that_goes_ends_its_waiting_tickets_and_no_match, async |db: &Db| {
    let house = House::with(db, pairs()).await;
    let (_, _, row) = house.pair(human("ada"), human("bob")).await;
    let cid = house.joins("cid").await;
    let ear = house.ear("user:cid");
    house.delete_queue(&actor(), &q()).await.unwrap();
    assert_eq!(house.ticket(cid).await.unwrap().ticket.ended, Some(TicketEnd::QueueGone));
    assert_eq!(code(house.delete_queue(&actor(), &q()).await.unwrap_err()), "queue_not_found");
    let gone = house.enqueue(&q(), None, human("dan")).await.unwrap_err();
    assert_eq!(code(gone), "queue_not_found");
    until("cid has heard", async || ear.states() == ["over"]).await;
    house.says(row.conversation.as_ref().unwrap(), "ada", "We go on.").await.unwrap();
    house.skip(row.id, &who("ada"), true).await.unwrap();
    house.until_settled().await;
    house.close(db).await;
});

on_both!(the_activity_log_says_who_changed_a_queue_or_closed_a_match, async |db: &Db| {
    let house = House::with(db, pairs()).await;
    let (_, _, row) = house.pair(human("ada"), human("bob")).await;
    let closed = house.close_by_operator(row.id).await;
    assert_eq!(closed.state, MatchState::Over);
    house.close_by_operator(row.id).await;
    house.delete_queue(&actor(), &q()).await.unwrap();
    for action in ["match.queue_set", "match.closed", "match.queue_deleted"] {
        let filter = ActivityFilter { action: Some(action.to_owned()), ..ActivityFilter::default() };
        let logged = house.services.activity.list(filter, PageRequest::first(10)).await.unwrap().items;
        assert_eq!(logged.len(), 1, "{action}");
        assert_eq!(logged[0].actor, actor().to_string());
    }
    house.close(db).await;
});

on_both!(a_proposal_that_comes_to_nothing_is_nothing_for_the_activity_log, async |db: &Db| {
    let house = House::with(db, pairs()).await;
    let (ada, _) = (house.joins("ada").await, house.joins("bob").await);
    let row = house.proposed(ada).await;
    house.decline(row.id, &who("ada")).await.unwrap();
    house.until_settled().await;
    assert!(house.services.conversations.get(row.conversation.as_ref().unwrap()).await.is_err());
    let deleted = Some("conversation.deleted".to_owned());
    let filter = ActivityFilter { action: deleted, ..ActivityFilter::default() };
    let logged = house.services.activity.list(filter, PageRequest::first(10)).await.unwrap().items;
    assert!(logged.is_empty(), "{logged:?}");
    house.close(db).await;
});

on_both!(a_full_queue_refuses_newcomers_and_nobody_else, async |db: &Db| {
    let house = House::open(db, MatchmakingSettings { max_waiting: 3, ..idle() }).await;
    house.rules(pairs()).await;
    let first = house.joins("u0").await;
    house.joins("u1").await;
    house.joins("u2").await;
    let refused = house.enqueue(&q(), None, human("u3")).await.unwrap_err();
    assert_eq!(code(refused), "overloaded");
    assert_eq!(house.enqueue(&q(), Some(first), human("u0")).await.unwrap().ticket.id, first);
    house.cancel(first).await.unwrap();
    until("there is room", async || house.enqueue(&q(), None, human("u4")).await.is_ok()).await;
    house.close(db).await;
});

on_both!(rules_of_another_process_count_within_a_moment, async |db: &Db| {
    let (house, other) = (House::open(db, quick()).await, House::open(db, idle()).await);
    house.rules(Rules { team_size: 2, ..pairs() }).await;
    let ada = house.joins("ada").await;
    house.joins("bob").await;
    other.rules(pairs()).await;
    house.until(ada, TicketState::Proposed).await;
    house.close(db).await;
    other.close(db).await;
});

on_both!(many_tickets_at_once_share_transactions_and_each_has_its_outcome, async |db: &Db| {
    let house = House::open(db, idle()).await;
    house.rules(pairs()).await;
    let mut coming = tokio::task::JoinSet::new();
    for n in 0..300 {
        let service = arena_control::Matchmaking::clone(&house);
        // Every third one comes twice.
        coming.spawn(async move { service.enqueue(&q(), None, human(&format!("u{}", n - n % 3 / 2))).await });
    }
    let outcomes = coming.join_all().await;
    let (made, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!((made.len(), refused.len()), (200, 100));
    assert!(refused.into_iter().all(|error| code(error.unwrap_err()) == "on_another_ticket"));
    assert_eq!(house.queue(&q()).await.unwrap().counts.humans, 200);
    house.close(db).await;
});
