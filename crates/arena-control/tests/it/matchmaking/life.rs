//! A ticket's whole life, and who is matched with whom.

use super::house::{House, bot, code, human, idle, pairs, q, quick, who};
use crate::support::{Db, until};
use arena_control::TicketFilter;
use arena_core::matching::{
    Field, Kind, MatchEnd, MatchState, Preference, QueueName, Rules, TicketEnd, TicketState,
};
use std::time::Duration;

on_both!(two_users_meet_confirm_talk_and_part, async |db: &Db| {
    let house = House::with(db, Rules { skip_window_ms: 0, ..pairs() }).await;
    let ear = house.ear("user:ada");
    let ada = house.joins("ada").await;
    assert_eq!(house.state(ada).await, TicketState::Waiting);
    let bob = house.joins("bob").await;
    let row = house.proposed(ada).await;
    assert_eq!(house.proposed(bob).await.id, row.id);
    assert_eq!(row.members.len(), 2);

    let row = house.confirm(row.id, &who("ada")).await.unwrap();
    assert_eq!(row.state, MatchState::Proposed, "one of two is not enough");
    let row = house.confirm(row.id, &who("bob")).await.unwrap();
    assert_eq!(row.state, MatchState::Standing);
    let view = house.ticket(bob).await.unwrap();
    assert_eq!(view.ticket.state, TicketState::Matched);
    assert!(view.ticket.waited_ms.is_some());

    let talk = row.conversation.clone().unwrap();
    house.says(&talk, "ada", "Hello!").await.unwrap();
    house.says(&talk, "eve", "Me too!").await.unwrap_err();
    let row = house.leave(row.id, &who("ada"), false).await.unwrap();
    assert_eq!((row.state, row.ended), (MatchState::Over, Some(MatchEnd::Left)));
    assert_eq!(row.ended_by, Some(who("ada")));
    for ticket in [ada, bob] {
        let ticket = house.ticket(ticket).await.unwrap().ticket;
        assert_eq!((ticket.state, ticket.ended), (TicketState::Over, Some(TicketEnd::Played)));
    }
    until("ada has heard all of it", async || ear.states().last().is_some_and(|state| state == "over")).await;
    // What happens in a moment may be told at once; each is the truth, in order.
    let order = ["waiting", "proposed", "matched", "over"];
    let places: Vec<_> =
        ear.states().iter().map(|heard| order.iter().position(|state| state == heard)).collect();
    assert!(places.is_sorted(), "{:?}", ear.states());
    let last = ear.of("ticket").pop().unwrap();
    assert_eq!((&last["match"]["ended"], &last["match"]["ended_by"]), (&"left".into(), &"ada".into()));
    assert!(last["match"]["members"][0].get("ticket").is_none(), "nobody learns of another's ticket");
    let stats = house.stats();
    assert_eq!((stats.tickets, stats.proposed, stats.confirmed, stats.over), (2, 1, 1, 1), "{stats:?}");
    house.close(db).await;
});

on_both!(a_ticket_that_waits_is_taken_back_and_its_user_may_come_again, async |db: &Db| {
    let house = House::with(db, pairs()).await;
    let ada = house.joins("ada").await;
    let again = house.enqueue(&q(), None, human("ada")).await.unwrap_err();
    assert_eq!(code(again), "on_another_ticket");
    assert_eq!(
        house.enqueue(&q(), Some(ada), human("ada")).await.unwrap().ticket.id,
        ada,
        "the same wish again"
    );
    let other = house.enqueue(&q(), Some(ada), human("bob")).await.unwrap_err();
    assert_eq!(code(other), "ticket_exists");
    for _ in 0..2 {
        let view = house.cancel(ada).await.unwrap();
        assert_eq!(view.ticket.ended, Some(TicketEnd::Cancelled));
    }
    assert!(house.ticket_of(&who("ada")).await.unwrap().is_none());
    house.joins("ada").await;
    assert_eq!(house.stats().tickets, 2, "what was made once is counted once");
    house.close(db).await;
});

on_both!(a_proposed_match_is_declined_and_a_standing_one_left_by_taking_the_ticket_back, async |db: &Db| {
    let house = House::with(db, pairs()).await;
    let (ada, bob) = (house.joins("ada").await, house.joins("bob").await);
    let row = house.proposed(ada).await;
    assert_eq!(house.cancel(ada).await.unwrap().ticket.ended, Some(TicketEnd::Declined));
    assert_eq!(house.get_match(row.id).await.unwrap().ended, Some(MatchEnd::Declined));
    let waits = house.ticket(bob).await.unwrap().ticket;
    assert_eq!((waits.state, waits.ahead), (TicketState::Waiting, true));
    house.cancel(bob).await.unwrap();

    let (ada, bob, row) = house.pair(human("ada2"), human("bob2")).await;
    assert_eq!(house.cancel(ada).await.unwrap().ticket.ended, Some(TicketEnd::Played));
    assert_eq!(house.get_match(row.id).await.unwrap().ended, Some(MatchEnd::Left));
    assert_eq!(house.state(bob).await, TicketState::Over);
    house.close(db).await;
});

on_both!(the_queue_of_strangers_is_there_and_stays_as_operators_made_it, async |db: &Db| {
    let house = House::open(db, quick()).await;
    let strangers = QueueName::strangers();
    house.begun().await;
    assert_eq!(*house.queue(&strangers).await.unwrap().queue.rules, Rules::strangers());
    let rules = Rules { team_size: 2, ..Rules::strangers() };
    house.put_queue(&crate::support::actor(), &strangers, rules.clone()).await.unwrap();
    house.close(db).await;
    let house = House::open(db, quick()).await;
    house.begun().await;
    assert_eq!(*house.queue(&strangers).await.unwrap().queue.rules, rules);
    house.put_queue(&crate::support::actor(), &q(), pairs()).await.unwrap();
    house.delete_queue(&crate::support::actor(), &strangers).await.unwrap();
    house.close(db).await;
    let house = House::open(db, idle()).await;
    house.begun().await;
    assert_eq!(house.queue(&strangers).await.map_err(code).unwrap_err(), "queue_not_found");
    house.close(db).await;
});

on_both!(the_same_region_first_and_the_world_when_patience_ends, async |db: &Db| {
    let near = Preference { field: Field::Region, for_ms: Some(1_500), weight: 1 };
    let house = House::with(db, Rules { prefer: vec![near], ..pairs() }).await;
    let from = |user: &str, region: &str| {
        let mut wish = human(user);
        wish.region = Some(region.parse().unwrap());
        wish
    };
    let ada = house.wishes(from("ada", "eu")).await;
    let far = house.wishes(from("far", "us")).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(house.state(ada).await, TicketState::Waiting, "they are patient still");
    let near = house.wishes(from("near", "eu")).await;
    assert_eq!(house.proposed(ada).await.id, house.proposed(near).await.id);
    let last = house.wishes(from("last", "ap")).await;
    assert_eq!(house.proposed(far).await.id, house.proposed(last).await.id, "patience has ended by itself");
    house.close(db).await;
});

on_both!(bots_come_after_a_while_only_to_humans_and_never_to_bots, async |db: &Db| {
    let house = House::with(db, Rules { bots_after_ms: Some(1_000), ..pairs() }).await;
    let bots = [house.wishes(bot("r1")).await, house.wishes(bot("r2")).await, house.wishes(bot("r3")).await];
    let ada = house.joins("ada").await;
    let began = std::time::Instant::now();
    let row = house.proposed(ada).await;
    assert!(began.elapsed() >= Duration::from_millis(700), "too early: {:?}", began.elapsed());
    let kinds: Vec<Kind> = row.members.iter().map(|member| member.kind).collect();
    assert!(kinds.contains(&Kind::Bot) && kinds.contains(&Kind::Human));
    tokio::time::sleep(Duration::from_millis(300)).await;
    let filter = TicketFilter { state: Some(TicketState::Waiting), ..TicketFilter::default() };
    let waiting = house.tickets(filter, arena_control::PageRequest::first(10)).await.unwrap().items;
    assert_eq!(waiting.len(), bots.len() - 1, "two bots wait on");
    house.close(db).await;
});

on_both!(a_human_is_taken_before_a_bot_that_has_waited_longer, async |db: &Db| {
    let house = House::open(db, idle()).await;
    house.rules(Rules { bots_after_ms: Some(0), ..pairs() }).await;
    house.wishes(bot("r1")).await;
    let (ada, bob) = (house.joins("ada").await, house.joins("bob").await);
    house.close(db).await;
    let house = House::open(db, quick()).await;
    assert_eq!(house.proposed(ada).await.id, house.proposed(bob).await.id);
    house.close(db).await;
});

on_both!(teams_and_parties_are_filled_and_all_of_them_talk, async |db: &Db| {
    let house = House::with(db, Rules { team_size: 2, ..pairs() }).await;
    let mut party = human("ada");
    party.party = vec![who("ann")];
    let ear = house.ear("user:ann");
    let ada = house.wishes(party).await;
    house.joins("bob").await;
    assert_eq!(house.state(ada).await, TicketState::Waiting);
    house.joins("cid").await;
    let row = house.proposed(ada).await;
    for user in ["ada", "bob", "cid"] {
        house.confirm(row.id, &who(user)).await.unwrap();
    }
    let talk = row.conversation.unwrap();
    for user in ["ada", "ann", "bob", "cid"] {
        house.says(&talk, user, "Hi!").await.unwrap();
    }
    until("the party hears of it", async || ear.states().contains(&"matched".to_owned())).await;
    let error = house.enqueue(&q(), None, human("ann")).await.unwrap_err();
    assert_eq!(code(error), "on_another_ticket");
    house.close(db).await;
});
