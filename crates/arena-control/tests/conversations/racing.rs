//! Many who speak at once, near the end of a budget.

use crate::support::{Db, House, actor, id, limits, say, setup};
use arena_control::SubmitError;
use arena_core::conversation::Code;

/// Senders that race for the last messages.
const SENDERS: usize = 64;
const LAST: u64 = 10;

on_both!(sixty_four_who_race_for_the_last_ten_messages_get_ten, async |db: &Db| {
    let house = House::open(db).await;
    for round in 0..20 {
        let conversation = format!("race-{round}");
        house.begin(&conversation, setup(&[], limits(None, Some(LAST)))).await;
        let mut racing = tokio::task::JoinSet::new();
        for sender in 0..SENDERS {
            let (conversations, conversation) = (house.clone(), id(&conversation));
            racing.spawn(async move {
                conversations.submit(&actor(), &conversation, say(&format!("s{sender}"), "mine!")).await
            });
        }
        let outcomes = racing.join_all().await;
        let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count() as u64;
        let lost = outcomes.iter().filter(|outcome| match outcome {
            Err(SubmitError::Refused(refusal)) => refusal.code == Code::TotalLimit,
            _ => false,
        });
        assert_eq!((won, lost.count()), (LAST, SENDERS - LAST as usize), "never 11, never 9");
        assert_eq!(house.count(&conversation, "message").await as u64, LAST);
        assert_eq!(house.count(&conversation, "exhausted").await, 1);
    }
    house.close().await;
});

on_both!(messages_stand_in_the_order_in_which_they_were_handed_in, async |db: &Db| {
    let house = House::open(db).await;
    house.begin("c", setup(&[], limits(None, None))).await;
    let ear = house.ear("c").await;
    let handed_in: Vec<_> =
        (0..1_000).map(|n| house.submit(&actor(), &id("c"), say("a", &n.to_string()))).collect();
    let mut last = 0;
    for outcome in handed_in {
        let position = outcome.await.unwrap().position.offset;
        assert!(position > last);
        last = position;
    }
    let log = house.log("c").await;
    let said = log.iter().filter(|line| &*line.event == "message");
    let texts: Vec<String> = said
        .map(|line| {
            serde_json::from_slice::<serde_json::Value>(&line.body).unwrap()["text"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(texts, (0..1_000).map(|n| n.to_string()).collect::<Vec<_>>());
    house.told("c").await;
    let heard: Vec<u64> = ear.heard().iter().map(|message| message.offset).collect();
    assert_eq!(heard, (2..=1_001).collect::<Vec<_>>(), "what is stored is told, in order");
    assert!(house.stats().batches < 500, "they share transactions: {:?}", house.stats());
    house.close().await;
});
