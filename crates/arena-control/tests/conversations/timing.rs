//! What time does to conversations: deadlines, leases, turns.

use crate::support::{Db, House, id, limits, line, say, setup, until, who};
use arena_control::ConversationSettings;
use arena_core::conversation::{
    Amounts, Code, Command, ExhaustedBy, Limits, Reserve, Say, Setup, TopUp, TurnPolicy, Turns,
};
use std::time::Duration;

fn reserve(participant: &str, name: &str, lease_ms: u64) -> Command {
    let amounts = Amounts { messages: 1, ..Amounts::default() };
    Command::Reserve(Reserve { participant: who(participant), id: name.parse().unwrap(), amounts, lease_ms })
}

fn commit(author: &str, reservation: &str) -> Command {
    Command::Say(Say { reservation: Some(reservation.parse().unwrap()), ..line(author, "done") })
}

on_both!(a_conversation_that_nobody_speaks_in_ends_by_itself_and_once, async |db: &Db| {
    let house = House::open(db).await;
    let idle = Limits { idle_timeout_ms: Some(150), ..Limits::default() };
    house.begin("c", setup(&[], idle)).await;
    let ear = house.ear("c").await;
    house.said("c", "a", "1").await;
    until("it is over", async || ear.of("exhausted").len() == 1).await;
    assert_eq!(ear.of("exhausted")[0]["reason"], "timeout");
    assert_eq!(house.code("c", "a").await, Code::Timeout);
    let by = TopUp { duration_ms: 1_000, ..TopUp::default() };
    let _ = house.order("c", Command::TopUp(by)).await;
    house.close().await;
});

on_both!(a_deadline_is_kept_though_nobody_has_the_conversation_in_memory, async |db: &Db| {
    let house = House::open(db).await;
    let short = Limits { max_duration_ms: Some(300), ..Limits::default() };
    house.begin("c", setup(&[], short)).await;
    house.said("c", "a", "1").await;
    house.crash().await;

    let house = House::open(db).await;
    let ended = async || house.log("c").await.iter().any(|line| &*line.event == "exhausted");
    until("it is over", ended).await;
    assert_eq!(house.get(&id("c")).await.unwrap().exhausted, Some(ExhaustedBy::Timeout));
    assert_eq!(house.count("c", "exhausted").await, 1);
    house.close().await;
});

on_both!(a_reservation_keeps_its_place_and_gives_it_back_when_it_lapses, async |db: &Db| {
    let house = House::open(db).await;
    house.begin("c", setup(&[], limits(None, Some(2)))).await;
    let receipt = house.order("c", reserve("a", "r1", 60_000)).await.unwrap();
    assert!(receipt.reservation.is_some());
    house.said("c", "b", "1").await;
    assert_eq!(house.code("c", "b").await, Code::TotalLimit, "the last one is held");
    house.order("c", commit("a", "r1")).await.unwrap();
    assert_eq!(house.get(&id("c")).await.unwrap().exhausted, Some(ExhaustedBy::TotalLimit));

    house.begin("d", setup(&[], limits(None, Some(1)))).await;
    house.order("d", reserve("a", "r1", 150)).await.unwrap();
    assert_eq!(house.code("d", "b").await, Code::TotalLimit);
    until("the lease is over", async || house.count("d", "released").await == 1).await;
    house.said("d", "b", "mine then").await;
    house.close().await;
});

on_both!(a_message_whose_reservation_has_lapsed_is_charged_once_like_any_other, async |db: &Db| {
    let house = House::open(db).await;
    house.begin("c", setup(&[], limits(None, Some(3)))).await;
    house.order("c", reserve("a", "r1", 30)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(60)).await;
    house.order("c", commit("a", "r1")).await.unwrap();
    let total = house.capacity(&id("c")).await.unwrap().total;
    assert_eq!((total.used.messages, total.held.messages), (1, 0));

    // Whoever was quicker has it.
    house.order("c", reserve("a", "r2", 30)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(60)).await;
    house.said("c", "b", "2").await;
    house.said("c", "b", "3").await;
    assert_eq!(house.refused("c", commit("a", "r2")).await.code, Code::TotalLimit);
    house.close().await;
});

on_both!(leases_outlive_a_crash_and_then_lapse, async |db: &Db| {
    let house = House::open(db).await;
    house.begin("c", setup(&[], limits(None, Some(1)))).await;
    house.order("c", reserve("a", "r1", 3_000)).await.unwrap();
    house.crash().await;
    let house = House::open(db).await;
    assert_eq!(house.code("c", "b").await, Code::TotalLimit);
    until("the lease is over", async || house.count("c", "released").await == 1).await;
    house.said("c", "b", "mine then").await;
    house.close().await;
});

on_both!(a_turn_passes_on_when_its_holder_is_silent, async |db: &Db| {
    let house = House::open(db).await;
    let turns = Turns { policy: TurnPolicy::RoundRobin, timeout_ms: Some(200) };
    house.begin("c", Setup { turns, ..setup(&["a", "b", "c"], Limits::default()) }).await;
    let ear = house.ear("c").await;
    assert_eq!(house.code("c", "b").await, Code::NotYourTurn);
    let receipt = house.said("c", "a", "1").await;
    assert_eq!(receipt.turn, Some(who("b")));
    until("b is skipped", async || ear.of("turn").iter().any(|turn| turn["skipped"] == "b")).await;
    house.close().await;
});

on_both!(idle_conversations_leave_memory_and_come_back_as_they_were, async |db: &Db| {
    let settings = ConversationSettings { idle: Duration::ZERO, ..ConversationSettings::default() };
    let house = House::open_with(db, settings).await;
    house.begin("c", setup(&[], limits(None, Some(3)))).await;
    house.said("c", "a", "1").await;
    house.said("c", "a", "2").await;
    until("it has left memory", async || house.stats().active == 0).await;
    house.said("c", "a", "3").await;
    assert_eq!(house.refused("c", say("a", "4")).await.code, Code::TotalLimit);
    assert_eq!(house.count("c", "message").await, 3);
    house.close().await;
});
