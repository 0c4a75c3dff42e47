//! Whoever listens hears the log, all of it, in order, and nothing else under a number.

use crate::support::{Db, House, id, json, limits, line, say, setup, who};
use arena_bus::Sink;
use arena_core::conversation::{Command, Delivery, Say, Setup};
use std::sync::Arc;

on_both!(what_is_heard_is_what_is_stored, async |db: &Db| {
    let house = House::open(db).await;
    house.begin("c", setup(&["a", "b"], limits(Some(3), Some(5)))).await;
    house.said("c", "a", "before").await;
    let ear = house.ear("c").await;
    house.said("c", "b", "1").await;
    house.said("c", "a", "2").await;
    house.said("c", "a", "3").await;
    house.refused("c", say("a", "too much")).await;
    house.said("c", "b", "4").await;
    house.told("c").await;
    let log = house.log("c").await;
    let heard: Vec<_> = ear.heard().into_iter().filter(|message| !message.transient).collect();
    let epoch = house.messages(&id("c"), 0, 1).await.unwrap().epoch;
    assert_eq!(heard.len(), log.len() - 2, "all but what was there before");
    for (heard, stored) in heard.iter().zip(&log[2..]) {
        assert_eq!((heard.offset, &heard.event, &heard.epoch), (stored.position, &stored.event, &epoch));
        assert_eq!(json(heard), serde_json::from_slice::<serde_json::Value>(&stored.body).unwrap());
    }
    house.close().await;
});

on_both!(a_restart_goes_on_with_the_same_numbers, async |db: &Db| {
    let house = House::open(db).await;
    house.begin("c", Setup::default()).await;
    let before = house.said("c", "a", "1").await.position;
    house.crash().await;
    let house = House::open(db).await;
    let listening = house.listen(&id("c")).await.unwrap();
    assert_eq!(listening.position, before);
    let ear = house.ear("c").await;
    let after = house.said("c", "a", "2").await.position;
    house.told("c").await;
    assert_eq!((after.offset, &after.epoch), (before.offset + 1, &before.epoch));
    assert_eq!(ear.heard()[0].position(), after);
    house.close().await;
});

on_both!(who_cannot_answer_is_not_asked, async |db: &Db| {
    let house = House::open(db).await;
    for (name, delivery) in [("marked", Delivery::ContextOnly), ("withheld", Delivery::Withhold)] {
        house.begin(name, Setup { delivery, ..setup(&["a", "b", "c"], limits(Some(1), None)) }).await;
        house.said(name, "a", "my only one").await;
        let ear = house.ear(name).await;
        house.said(name, "b", "no answer?").await;
        house.told(name).await;
        let heard = ear.heard();
        let audience = heard[0].audience.as_ref().expect("a has nothing left");
        assert_eq!(audience.users.iter().map(|user| &**user).collect::<Vec<_>>(), ["a"]);
        match (delivery, &audience.instead) {
            (Delivery::ContextOnly, Some(arena_bus::Payload::Json(body))) => {
                let body: serde_json::Value = serde_json::from_slice(body).unwrap();
                assert_eq!((&body["context_only"], &body["text"]), (&true.into(), &"no answer?".into()));
            }
            (Delivery::Withhold, None) => {}
            other => panic!("{other:?}"),
        }
    }
    house.close().await;
});

on_both!(notices_ride_on_messages_and_are_told_to_operators, async |db: &Db| {
    let house = House::open(db).await;
    house.begin("c", setup(&[], limits(Some(3), None))).await;
    let (ear, operator) = (house.ear("c").await, house.operator());
    house.said("c", "a", "1").await;
    let receipt = house.said("c", "a", "2").await;
    house.told("c").await;
    assert!(!receipt.notices.is_empty(), "two thirds are gone, and one message is left");
    let last = ear.of("message").pop().unwrap();
    assert_eq!(last["notices"].as_array().unwrap().len(), receipt.notices.len());
    assert_eq!(ear.of("notice").len(), receipt.notices.len());
    assert_eq!(operator.of("notice").len(), receipt.notices.len());
    assert_eq!(operator.of("notice")[0]["conversation"], "c");
    house.said("c", "a", "3").await;
    house.told("c").await;
    assert_eq!(operator.of("participant_blocked").len(), 1);
    assert_eq!(ear.of("participant_blocked")[0]["participant"], "a");
    house.close().await;
});

on_both!(an_agent_is_told_all_it_needs_in_one_call, async |db: &Db| {
    let house = House::open(db).await;
    house.begin("c", setup(&["a", "b"], limits(Some(2), Some(10)))).await;
    for n in 0..2 {
        house.said("c", "a", &format!("a{n}")).await;
    }
    house.order("c", Command::Say(Say { tokens: 5, ..line("b", "b0") })).await.unwrap();
    let context = house.context(&id("c"), &who("b"), 2).await.unwrap();
    assert_eq!(context.share.budget.remaining.messages, Some(1));
    assert_eq!(context.total.remaining.messages, Some(7));
    assert!(context.share.may_send && context.your_turn);
    assert_eq!(context.participants, [who("a"), who("b")]);
    let texts: Vec<_> =
        context.last.iter().map(|line| String::from_utf8_lossy(&line.body).into_owned()).collect();
    assert!(texts.len() == 2 && texts[0].contains("a1") && texts[1].contains("b0"), "{texts:?}");
    assert!(!house.context(&id("c"), &who("a"), 0).await.unwrap().share.may_send);
    house.close().await;
});

on_both!(a_topic_that_is_not_listened_to_costs_no_stream, async |db: &Db| {
    let house = House::open(db).await;
    for n in 0..20 {
        let name = format!("c{n}");
        house.begin(&name, Setup::default()).await;
        house.said(&name, "a", "alone").await;
    }
    assert!(house.bus.is_empty());
    let ear = house.ear("c7").await;
    house.said("c7", "a", "heard").await;
    house.told("c7").await;
    assert_eq!(ear.heard().len(), 1);
    let stream = house.listen(&id("c7")).await.unwrap().stream;
    stream.detach(&(ear.clone() as Arc<dyn Sink>));
    house.said("c7", "a", "not heard").await;
    house.told("c7").await;
    assert_eq!(ear.heard().len(), 1);
    house.close().await;
});
