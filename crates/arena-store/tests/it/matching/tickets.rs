//! Tickets while they wait.

use crate::support::*;
use arena_core::matching::{Kind, TicketEnd, TicketId, TicketState};
use arena_store::{NewTicket, TicketError};
use std::collections::BTreeSet;
use uuid::Uuid;

on_both!(a_ticket_waits_with_all_that_it_wishes_for, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    let mut new = new_ticket("ada");
    new.wish.kind = Kind::Bot;
    new.wish.name = Some("Ada ❤".to_owned());
    new.wish.party = vec![user("bob")];
    new.wish.region = Some(region("eu"));
    new.wish.language = Some("en".parse().unwrap());
    new.wish.interests = vec!["chess".parse().unwrap()];
    new.wish.rating = Some(-3);
    new.wish.attributes.insert("mode".parse().unwrap(), "fast".parse().unwrap());
    new.wish.avoid = vec![user("eve")];
    new.wish.requeue = true;
    let made = make_ticket(&store, &new, at(5)).await;
    assert_eq!((made.state, made.version, made.since, made.seen_at), (TicketState::Waiting, 1, at(5), at(5)));
    assert_eq!(*made.wish, new.wish);
    assert_eq!(store.ticket(new.id).await.unwrap(), Some(made.clone()));
    assert_eq!(store.ticket_of(&user("ada")).await.unwrap(), Some(made.clone()));
    assert_eq!(store.ticket_of(&user("bob")).await.unwrap(), Some(made.clone()));
    assert_eq!(store.ticket_of(&user("eve")).await.unwrap(), None);
    let unknown = TicketId(Uuid::now_v7());
    assert_eq!(store.ticket(unknown).await.unwrap(), None);
    assert_eq!(store.tickets_by_id(&[unknown, new.id, new.id]).await.unwrap(), [made]);
    let waiting = store.waiting(&strangers()).await.unwrap();
    assert_eq!((waiting.len(), waiting[0].id, waiting[0].version), (1, new.id, 1));
    assert_eq!((waiting[0].since, waiting[0].ahead, &*waiting[0].wish), (at(5), false, &new.wish));
    assert_matching_sound(db).await;
});

on_both!(the_same_ticket_again_is_the_same_ticket, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    let new = new_ticket("ada");
    let made = make_ticket(&store, &new, T0).await;
    assert_eq!(make_ticket(&store, &new, at(9)).await, made);
    let other = NewTicket { id: new.id, ..new_ticket("bob") };
    let refused = try_ticket(&store, &other, T0).await.unwrap_err();
    assert!(matches!(refused, TicketError::IdTaken(id) if id == new.id));
    store.end_waiting(new.id, TicketEnd::Cancelled, at(10)).await.unwrap();
    assert_eq!(make_ticket(&store, &new, at(11)).await.state, TicketState::Over);
    assert_eq!(store.waiting(&strangers()).await.unwrap(), []);
});

on_both!(nobody_is_on_two_tickets, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    let ada = enqueue(&store, "ada").await;
    let mut party = new_ticket("bob");
    party.wish.party = vec![user("cy"), user("ada")];
    for new in [new_ticket("ada"), party] {
        let refused = try_ticket(&store, &new, T0).await.unwrap_err();
        let TicketError::OnAnother { user: who, ticket } = refused else { panic!("{refused:?}") };
        assert_eq!((who, ticket), (user("ada"), ada.id));
    }
    store.end_waiting(ada.id, TicketEnd::Cancelled, at(1)).await.unwrap();
    enqueue(&store, "ada").await;
    assert_matching_sound(db).await;
});

on_both!(of_many_each_is_made_or_refused_by_itself, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    let first = new_ticket("ada");
    let mut nowhere = new_ticket("bob");
    nowhere.queue = "nowhere".parse().unwrap();
    let news = [first.clone(), nowhere, new_ticket("ada"), first.clone(), new_ticket("cy")];
    let outcomes = store.create_tickets(&news, T0).await.unwrap();
    assert_eq!(outcomes[0].as_ref().unwrap().id, first.id);
    assert!(matches!(outcomes[1], Err(TicketError::NoQueue(_))));
    assert!(matches!(outcomes[2], Err(TicketError::OnAnother { .. })));
    assert_eq!(outcomes[3].as_ref().unwrap().id, first.id);
    assert_eq!(outcomes[4].as_ref().unwrap().wish.user, user("cy"));
    assert_eq!(store.waiting(&strangers()).await.unwrap().len(), 2);
    assert_eq!(store.create_tickets(&[], T0).await.unwrap().len(), 0);
    assert_matching_sound(db).await;
});

on_both!(of_many_who_ask_for_one_user_at_once_one_gets_a_ticket, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    for round in 0..5 {
        let made = at_once(8, |n| {
            let store = store.clone();
            async move {
                // Each asks for both, in another order.
                let mut news = [new_ticket(&format!("a-{round}")), new_ticket(&format!("b-{round}"))];
                if n % 2 == 0 {
                    news.reverse();
                }
                store.create_tickets(&news, T0).await.unwrap().iter().filter(|made| made.is_ok()).count()
            }
        })
        .await;
        assert_eq!(made.iter().sum::<usize>(), 2);
    }
    assert_matching_sound(db).await;
});

on_both!(one_id_asked_for_at_once_is_one_ticket, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    let new = new_ticket("ada");
    let made = at_once(8, |_| {
        let (store, new) = (store.clone(), new.clone());
        async move { try_ticket(&store, &new, T0).await.unwrap() }
    })
    .await;
    assert!(made.iter().all(|ticket| *ticket == made[0]));
    assert_matching_sound(db).await;
});

on_both!(only_a_ticket_that_waits_can_be_taken_back, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    assert_eq!(store.end_waiting(TicketId(Uuid::nil()), TicketEnd::Cancelled, T0).await.unwrap(), None);
    let ada = enqueue(&store, "ada").await;
    let ended = store.end_waiting(ada.id, TicketEnd::Cancelled, at(7)).await.unwrap().unwrap();
    assert_eq!((ended.state, ended.ended), (TicketState::Over, Some(TicketEnd::Cancelled)));
    assert_eq!((ended.version, ended.changed_at), (2, at(7)));
    assert_eq!(store.ticket(ada.id).await.unwrap(), Some(ended.clone()));
    assert_eq!(store.end_waiting(ada.id, TicketEnd::Silent, at(8)).await.unwrap(), Some(ended));
    let meeting = propose(&store, &["bob", "cy"]).await;
    for ticket in tickets_of(&store, &meeting).await {
        let same = store.end_waiting(ticket.id, TicketEnd::Cancelled, at(200)).await.unwrap();
        assert_eq!(same, Some(ticket));
    }
    assert_matching_sound(db).await;
});

on_both!(what_is_heard_of_tickets_is_noted_once_and_never_taken_back, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    let (ada, bob) = (enqueue(&store, "ada").await, enqueue(&store, "bob").await);
    store.end_waiting(bob.id, TicketEnd::Cancelled, at(1)).await.unwrap();
    let unknown = TicketId(Uuid::now_v7());
    let ids = [bob.id, ada.id, unknown, ada.id];
    assert_eq!(store.tickets_seen(&ids, at(50)).await.unwrap(), [ada.id]);
    assert_eq!(store.tickets_seen(&ids, at(40)).await.unwrap(), [ada.id]);
    let seen = store.ticket(ada.id).await.unwrap().unwrap();
    assert_eq!((seen.seen_at, seen.version, seen.changed_at), (at(50), 1, T0));
    assert_eq!(store.ticket(bob.id).await.unwrap().unwrap().seen_at, T0);
    assert_eq!(store.tickets_seen(&[], at(50)).await.unwrap(), []);
});

on_both!(the_silent_and_those_who_have_waited_too_long_are_ended, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    let silent = make_ticket(&store, &new_ticket("silent"), at(0)).await;
    let both = make_ticket(&store, &new_ticket("both"), at(1)).await;
    let long = make_ticket(&store, &new_ticket("long"), at(2)).await;
    let fine = make_ticket(&store, &new_ticket("fine"), at(20)).await;
    store.tickets_seen(&[long.id], at(10)).await.unwrap();
    let elsewhere = "elsewhere".parse().unwrap();
    assert_eq!(store.end_stale(&elsewhere, at(99), Some(at(99)), 9, at(100)).await.unwrap(), []);
    let ended = store.end_stale(&strangers(), at(1), None, 9, at(100)).await.unwrap();
    assert_eq!(ended, [(silent.id, TicketEnd::Silent)]);
    let ended = store.end_stale(&strangers(), at(2), Some(at(20)), 9, at(100)).await.unwrap();
    let ended: BTreeSet<_> = ended.into_iter().map(|(id, end)| (id, end.as_str())).collect();
    assert_eq!(ended, BTreeSet::from([(both.id, "silent"), (long.id, "timed_out")]));
    let waiting = store.waiting(&strangers()).await.unwrap();
    assert_eq!(waiting.iter().map(|ticket| ticket.id).collect::<Vec<_>>(), [fine.id]);
    let long = store.ticket(long.id).await.unwrap().unwrap();
    assert_eq!((long.ended, long.version, long.changed_at), (Some(TicketEnd::TimedOut), 2, at(100)));
    assert_matching_sound(db).await;
});

on_both!(a_sweep_ends_no_more_than_it_may_and_none_that_are_in_a_match, async |db| {
    let store = db.open().await;
    open_queue(&store).await;
    let meeting = propose(&store, &["ada", "bob"]).await;
    for n in 0..5 {
        make_ticket(&store, &new_ticket(&format!("user-{n}")), at(n)).await;
    }
    let ended = store.end_stale(&strangers(), at(999), Some(at(999)), 2, at(1_000)).await.unwrap();
    assert_eq!(ended.len(), 2, "{ended:?}");
    while !store.end_stale(&strangers(), at(999), None, 2, at(1_000)).await.unwrap().is_empty() {}
    assert_eq!(store.waiting(&strangers()).await.unwrap(), []);
    assert_eq!(states(&store, &meeting).await, [TicketState::Proposed; 2]);
    assert_matching_sound(db).await;
});
