//! The rules of capacity, line by line, through the service.

use crate::support::{Db, House, id, json, limits, say, setup, who};
use arena_core::conversation::{Code, Command, ExhaustedBy, Limits, Setup, SetupChange, TopUp};

/// What is left to somebody and to all, and whether that somebody may send.
async fn left(house: &House, author: &str) -> (Option<u64>, Option<u64>, bool, bool) {
    let capacity = house.capacity(&id("c")).await.unwrap();
    let share = capacity.participants.iter().find(|share| share.participant == who(author));
    let (own, may) = match share {
        Some(share) => (share.budget.remaining.messages, share.may_send),
        None => (None, !capacity.exhausted),
    };
    (own, capacity.total.remaining.messages, capacity.exhausted, may)
}

on_both!(one_participant_spends_its_replies_and_the_conversation_stays_open, async |db: &Db| {
    let house = House::open(db).await;
    house.begin("c", setup(&[], limits(Some(2), Some(5)))).await;
    house.said("c", "a", "1").await;
    assert_eq!(left(&house, "a").await, (Some(1), Some(4), false, true));
    house.said("c", "a", "2").await;
    assert_eq!(left(&house, "a").await, (Some(0), Some(3), false, false));
    house.close().await;
});

on_both!(a_blocked_participant_blocks_nobody_else, async |db: &Db| {
    let house = House::open(db).await;
    house.begin("c", setup(&[], limits(Some(1), None))).await;
    house.said("c", "a", "1").await;
    house.said("c", "b", "1").await;
    assert_eq!(house.code("c", "a").await, Code::ParticipantLimit);
    assert_eq!(house.code("c", "b").await, Code::ParticipantLimit);
    assert!(!house.capacity(&id("c")).await.unwrap().exhausted);
    house.said("c", "third", "hello?").await;
    assert_eq!(house.count("c", "message").await, 3);
    house.close().await;
});

on_both!(what_is_dropped_is_told_once_and_never_counts, async |db: &Db| {
    let house = House::open(db).await;
    house.begin("c", setup(&[], limits(Some(1), None))).await;
    let (ear, operator) = (house.ear("c").await, house.operator());
    house.said("c", "a", "first").await;
    house.refused("c", say("a", "second")).await;
    house.told("c").await;
    let exceeded = ear.of("channel_capacity_exceeded");
    assert_eq!(exceeded.len(), 1, "{exceeded:?}");
    assert_eq!(exceeded[0]["reason"], "participant_limit");
    assert_eq!(exceeded[0]["participant"], "a");
    assert_eq!(exceeded[0]["conversation"], "c");
    assert!(!ear.heard().iter().any(|told| json(told).to_string().contains("second")), "it is not said");
    let told = operator.of("channel_capacity_exceeded");
    assert_eq!((told.len(), &told[0]["message"]["text"]), (1, &"second".into()), "operators may read it");
    assert_eq!(house.count("c", "message").await, 1, "what is refused is not stored");
    assert_eq!(house.capacity(&id("c")).await.unwrap().total.used.messages, 1);
    house.close().await;
});

on_both!(the_message_that_reaches_the_limit_is_delivered_and_the_next_is_not, async |db: &Db| {
    let house = House::open(db).await;
    house.begin("c", setup(&[], limits(None, Some(2)))).await;
    let ear = house.ear("c").await;
    house.said("c", "a", "1").await;
    house.said("c", "b", "2").await;
    house.told("c").await;
    assert!(ear.of("channel_capacity_exceeded").is_empty());
    assert_eq!(ear.of("message").len(), 2);
    assert_eq!(ear.of("exhausted").len(), 1, "{:?}", ear.events());
    assert_eq!(house.code("c", "a").await, Code::TotalLimit);
    assert_eq!(house.code("c", "c").await, Code::TotalLimit);
    house.told("c").await;
    assert_eq!(ear.of("channel_capacity_exceeded").len(), 2);
    let ends = ear.of("exhausted");
    assert_eq!(ends.len(), 1, "exactly once");
    assert_eq!(ends[0]["reason"], "total_limit");
    assert_eq!(ends[0]["used"]["messages"], 2, "final counts");
    house.close().await;
});

on_both!(exhaustion_outlives_a_restart_and_ends_with_a_top_up_that_is_audited, async |db: &Db| {
    let house = House::open(db).await;
    house.begin("c", setup(&[], limits(None, Some(2)))).await;
    house.said("c", "a", "1").await;
    house.said("c", "a", "2").await;
    house.crash().await;

    let house = House::open(db).await;
    let ear = house.ear("c").await;
    assert_eq!(house.code("c", "a").await, Code::TotalLimit);
    let by = TopUp { total: amounts(1), ..TopUp::default() };
    house.order("c", Command::TopUp(by)).await.unwrap();
    house.told("c").await;
    assert_eq!(ear.events().iter().filter(|event| *event == "reopened").count(), 1, "{:?}", ear.events());
    house.said("c", "a", "3").await;
    assert_eq!(house.code("c", "a").await, Code::TotalLimit);
    assert_eq!(house.count("c", "exhausted").await, 2, "one for each time");
    let audit =
        house.store.activity(&Default::default(), &arena_store::PageRequest::first(10)).await.unwrap();
    let topped_up = audit.items.iter().find(|line| line.action == "conversation.topped_up").unwrap();
    assert_eq!((topped_up.actor.as_str(), &topped_up.detail["conversation"]), ("tester", &"c".into()));
    house.close().await;
});

on_both!(nothing_configured_limits_nothing_and_zero_allows_nothing, async |db: &Db| {
    let house = House::open(db).await;
    house.begin("c", Setup::default()).await;
    for n in 0..50 {
        house.said("c", "a", &n.to_string()).await;
    }
    assert_eq!(left(&house, "a").await, (None, None, false, true));

    house.begin("zero", setup(&[], limits(None, Some(0)))).await;
    assert_eq!(house.code("zero", "a").await, Code::TotalLimit);
    house.begin("none", setup(&["a", "b"], limits(Some(0), None))).await;
    assert_eq!(house.code("none", "a").await, Code::AllParticipantsExhausted);
    house.close().await;
});

on_both!(configuring_anew_keeps_the_counters, async |db: &Db| {
    let house = House::open(db).await;
    house.begin("c", setup(&[], limits(Some(2), Some(3)))).await;
    house.said("c", "a", "1").await;
    house.said("c", "a", "2").await;
    house.said("c", "b", "3").await;
    assert_eq!(house.code("c", "b").await, Code::TotalLimit);
    let change =
        |limits| Command::Configure(Box::new(SetupChange { limits: Some(limits), ..SetupChange::default() }));
    house.order("c", change(limits(Some(3), Some(5)))).await.unwrap();
    house.said("c", "a", "4").await;
    assert_eq!(house.code("c", "a").await, Code::ParticipantLimit);
    let receipt = house.order("c", change(limits(Some(3), Some(4)))).await.unwrap();
    assert_eq!(receipt.exhausted, Some(ExhaustedBy::TotalLimit), "lowered to what is used");
    house.close().await;
});

on_both!(a_roster_that_has_spent_everything_is_at_its_end_until_somebody_joins, async |db: &Db| {
    let house = House::open(db).await;
    house.begin("c", setup(&["a", "b"], limits(Some(1), None))).await;
    house.said("c", "a", "1").await;
    let last = house.said("c", "b", "1").await;
    assert_eq!(last.exhausted, Some(ExhaustedBy::AllParticipantsExhausted));
    assert_eq!(house.code("c", "stranger").await, Code::AllParticipantsExhausted);
    house.order("c", Command::AddParticipant(who("late"))).await.unwrap();
    assert_eq!(house.code("c", "a").await, Code::ParticipantLimit);
    assert_eq!(house.code("c", "stranger").await, Code::NotAParticipant);
    house.said("c", "late", "hello").await;
    assert_eq!(house.code("c", "late").await, Code::AllParticipantsExhausted);
    house.close().await;
});

on_both!(budgets_of_tokens_and_money_are_not_overdrawn, async |db: &Db| {
    let house = House::open(db).await;
    let mut bounds = Limits::default();
    bounds.total.tokens = Some(100);
    bounds.per_participant.cost_micros = Some(1_000);
    house.begin("c", setup(&[], bounds)).await;
    let spend = |author: &str, tokens, cost_micros| {
        Command::Say(arena_core::conversation::Say {
            tokens,
            cost_micros,
            ..crate::support::line(author, "x")
        })
    };
    house.order("c", spend("a", 60, 900)).await.unwrap();
    let refusal = house.refused("c", spend("a", 10, 101)).await;
    assert_eq!((refusal.code, refusal.remaining), (Code::CostLimit, Some(100)));
    let refusal = house.refused("c", spend("b", 41, 0)).await;
    assert_eq!((refusal.code, refusal.remaining), (Code::TokenLimit, Some(40)));
    let last = house.order("c", spend("b", 40, 0)).await.unwrap();
    assert_eq!(last.exhausted, Some(ExhaustedBy::TokenLimit));
    let stats = house.stats();
    assert_eq!((stats.messages, stats.tokens, stats.cost_micros), (2, 100, 900));
    assert_eq!((stats.dropped["token_limit"], stats.dropped["cost_limit"]), (1, 1));
    assert_eq!(stats.exhausted["token_limit"], 1);
    house.close().await;
});

fn amounts(messages: u64) -> arena_core::conversation::Amounts {
    arena_core::conversation::Amounts { messages, ..Default::default() }
}

on_both!(whatever_stands_in_a_message_that_is_refused_harms_nobody, async |db: &Db| {
    let house = House::open(db).await;
    house.begin("full", setup(&[], limits(None, Some(0)))).await;
    house.begin("open", Setup::default()).await;
    for data in ["1e999", r#""\ud800""#, "[[[[{}]]]]", r#"{"a":1,"a":2}"#] {
        let hostile = arena_core::conversation::Say {
            data: Some(serde_json::value::RawValue::from_string(data.to_owned()).unwrap()),
            ..crate::support::line("a", "x")
        };
        let refused = house.submit(&crate::support::actor(), &id("full"), Command::Say(hostile));
        let said = house.submit(&crate::support::actor(), &id("open"), say("b", "y"));
        refused.await.unwrap_err();
        said.await.unwrap();
    }
    assert_eq!(house.stats().dropped["total_limit"], 4);
    house.close().await;
});
