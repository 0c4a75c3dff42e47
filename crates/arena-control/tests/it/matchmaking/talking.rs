//! The conversation of a match is one like any other, though another transaction made it.

use super::house::{House, human, pairs, quick, say, talk_of, who};
use crate::support::{Db, actor, until};
use arena_control::PageRequest;
use arena_core::conversation::{AccountId, Caps, Command, Limits, Setup};
use arena_core::matching::{MatchEnd, MatchState, Outcome, Rules, TicketState};
use arena_store::ConversationFilter;

on_both!(
    a_matchs_conversation_is_read_spoken_in_exhausted_listed_and_deleted_like_any_other,
    async |db: &Db| {
        for restart in [false, true] {
            let mut house =
                House::with(db, Rules { outcome: talk_of(3), skip_window_ms: 0, ..pairs() }).await;
            let (_, _, row) = house.pair(human("ada"), human("bob")).await;
            let talk = row.conversation.clone().unwrap();
            if restart {
                house.crash().await;
                house = House::open(db, quick()).await;
            }
            let conversations = house.services.conversations.clone();
            let setup = conversations.get(&talk).await.unwrap().setup;
            assert_eq!(setup.participants, [who("ada"), who("bob")]);
            let notes = serde_json::Value::from(setup.metadata);
            assert_eq!((&notes["match"], &notes["queue"]), (&row.id.to_string().into(), &"q".into()));
            let log = house.log(&talk).await;
            assert_eq!(log.iter().map(|(event, _)| event.as_str()).collect::<Vec<_>>(), ["created"]);

            house.says(&talk, "ada", "1").await.unwrap();
            house.says(&talk, "bob", "2").await.unwrap();
            house.says(&talk, "eve", "me").await.unwrap_err();
            house.says(&talk, "ada", "3").await.unwrap();
            let error = house.says(&talk, "bob", "4").await.unwrap_err();
            assert!(error.starts_with("total_limit"), "{error}");
            let events: Vec<String> = house.log(&talk).await.into_iter().map(|(event, _)| event).collect();
            assert_eq!(events, ["created", "message", "message", "message", "exhausted"]);

            let listed =
                conversations.list(ConversationFilter::default(), PageRequest::first(100)).await.unwrap();
            assert!(listed.items.iter().any(|found| found.id == talk));
            until("the match is over", async || {
                house.get_match(row.id).await.unwrap().state == MatchState::Over
            })
            .await;
            assert_eq!(house.get_match(row.id).await.unwrap().ended, Some(MatchEnd::TalkOver));
            house.until_settled().await;
            conversations.delete(&actor(), &talk).await.unwrap();
            assert!(conversations.get(&talk).await.is_err());
            house.close(db).await;
        }
    }
);

on_both!(lists_of_conversations_stay_in_order_whoever_makes_them, async |db: &Db| {
    let house = House::with(db, pairs()).await;
    let conversations = house.services.conversations.clone();
    let mut made = Vec::new();
    for n in 0..3 {
        let id = format!("plain-{n}").parse().unwrap();
        made.push(conversations.create(&actor(), Some(id), Setup::default(), None).await.unwrap().id);
        let (_, _, row) = house.pair(human(&format!("ada{n}")), human(&format!("bob{n}"))).await;
        made.push(row.conversation.unwrap());
    }
    let (mut page, mut listed) = (PageRequest::first(2), Vec::new());
    loop {
        let found = conversations.list(ConversationFilter::default(), page.clone()).await.unwrap();
        listed.extend(found.items.into_iter().map(|summary| summary.id));
        match found.next_cursor {
            Some(cursor) => page.cursor = Some(cursor),
            None => break,
        }
    }
    assert_eq!(listed, made);
    house.close(db).await;
});

on_both!(an_owner_pays_for_the_matches_of_a_queue, async |db: &Db| {
    let setup = Setup { owner: Some(who("sponsor")), ..Setup::default() };
    let house = House::with(db, Rules { outcome: Outcome::Talk(Box::new(setup)), ..pairs() }).await;
    let account = AccountId::Owner(who("sponsor"));
    let caps = Caps { messages: Some(2), ..Caps::default() };
    house.services.conversations.set_account(&actor(), &account, caps, None).await.unwrap();
    let (_, _, one) = house.pair(human("ada"), human("bob")).await;
    let (_, _, other) = house.pair(human("cid"), human("dan")).await;
    let (one, other) = (one.conversation.unwrap(), other.conversation.unwrap());
    house.says(&one, "ada", "1").await.unwrap();
    house.says(&other, "cid", "2").await.unwrap();
    let error = house.says(&one, "bob", "3").await.unwrap_err();
    assert!(error.starts_with("total_limit"), "{error}");
    assert_eq!(house.services.conversations.account(&account).await.unwrap().used.messages, 2);
    house.close(db).await;
});

on_both!(silence_ends_a_match_by_its_conversation, async |db: &Db| {
    let limits = Limits { idle_timeout_ms: Some(300), ..Limits::default() };
    let setup = Setup { limits, ..Setup::default() };
    let house = House::with(db, Rules { outcome: Outcome::Talk(Box::new(setup)), ..pairs() }).await;
    let mut bob = human("bob");
    bob.requeue = true;
    let (ada, bob, row) = house.pair(human("ada"), bob).await;
    until("it is over", async || house.get_match(row.id).await.unwrap().state == MatchState::Over).await;
    assert_eq!(house.get_match(row.id).await.unwrap().ended, Some(MatchEnd::TalkOver));
    assert_eq!(house.state(ada).await, TicketState::Over);
    assert_eq!(house.state(bob).await, TicketState::Waiting);
    house.close(db).await;
});

on_both!(closing_or_deleting_the_conversation_ends_the_match, async |db: &Db| {
    let house = House::with(db, pairs()).await;
    let conversations = house.services.conversations.clone();
    let (_, _, closed) = house.pair(human("ada"), human("bob")).await;
    let (_, _, deleted) = house.pair(human("cid"), human("dan")).await;
    conversations.submit(&actor(), closed.conversation.as_ref().unwrap(), Command::Close).await.unwrap();
    conversations.delete(&actor(), deleted.conversation.as_ref().unwrap()).await.unwrap();
    for id in [closed.id, deleted.id] {
        until("it is over", async || house.get_match(id).await.unwrap().state == MatchState::Over).await;
        assert_eq!(house.get_match(id).await.unwrap().ended, Some(MatchEnd::TalkOver));
    }
    house.until_settled().await;
    house.close(db).await;
});

on_both!(whoever_listens_hears_why_before_it_ends, async |db: &Db| {
    let house = House::with(db, pairs()).await;
    let (_, _, row) = house.pair(human("ada"), human("bob")).await;
    let talk = row.conversation.unwrap();
    let conversations = house.services.conversations.clone();
    conversations.listen(&talk).await.unwrap();
    let ear = house.ear(&format!("conversation:{talk}"));
    conversations.submit(&actor(), &talk, say("ada", "Hello?")).await.unwrap();
    house.close_by_operator(row.id).await;
    until("they have heard", async || !ear.of("exhausted").is_empty()).await;
    assert_eq!(ear.of("system")[0]["data"]["match_over"], "closed");
    assert_eq!(ear.of("exhausted")[0]["reason"], "closed_by_moderator");
    house.close(db).await;
});

on_both!(what_was_said_before_a_match_stood_is_kept_and_what_was_not_is_not, async |db: &Db| {
    let house = House::with(db, Rules { skip_window_ms: 0, ..pairs() }).await;
    let (ada, bob) = (house.joins("ada").await, house.joins("bob").await);
    let row = house.proposed(ada).await;
    let talk = row.conversation.clone().unwrap();
    house.says(&talk, "bob", "Something that nobody wants to read.").await.unwrap();
    house.decline(row.id, &who("bob")).await.unwrap();
    house.until_settled().await;
    let events: Vec<String> = house.log(&talk).await.into_iter().map(|(event, _)| event).collect();
    assert_eq!(events, ["created", "message", "system", "exhausted"]);
    assert_eq!(house.state(bob).await, TicketState::Over);

    house.joins("cid").await;
    let row = house.proposed(ada).await;
    house.decline(row.id, &who("cid")).await.unwrap();
    house.until_settled().await;
    assert!(house.services.conversations.get(row.conversation.as_ref().unwrap()).await.is_err());
    house.close(db).await;
});

on_both!(nobody_keeps_the_farewell_away_by_saying_something_under_its_id, async |db: &Db| {
    let house = House::with(db, pairs()).await;
    let (_, _, row) = house.pair(human("ada"), human("bob")).await;
    let talk = row.conversation.clone().unwrap();
    let mut first = say("ada", "Hello?");
    let Command::Say(said) = &mut first else { unreachable!() };
    said.id = Some(format!("match-over-{}", row.id).parse().unwrap());
    house.services.conversations.submit(&actor(), &talk, first).await.unwrap();
    house.leave(row.id, &who("ada"), false).await.unwrap();
    house.until_settled().await;
    let log = house.log(&talk).await;
    let events: Vec<&str> = log.iter().map(|(event, _)| event.as_str()).collect();
    assert_eq!(events, ["created", "message", "system", "exhausted"]);
    assert_eq!(log[2].1["data"]["match_over"], "left");
    house.close(db).await;
});
