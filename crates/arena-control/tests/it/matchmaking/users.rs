//! What users have against each other: blocks and reports.

use super::house::{House, code, human, pairs, who};
use crate::support::{Db, until};
use arena_control::{MatchBody, PageRequest};
use arena_core::matching::{MatchEnd, Rules, TicketState};
use serde_json::Value;
use std::time::Duration;

on_both!(a_block_ends_the_match_and_keeps_the_two_apart, async |db: &Db| {
    let house = House::with(db, Rules { skip_window_ms: 0, ..pairs() }).await;
    let operators = house.ear("operator:matchmaking");
    let (_, _, row) = house.pair(human("ada"), human("bob")).await;
    for _ in 0..2 {
        house.block(&who("ada"), &who("bob")).await.unwrap();
    }
    let row = house.get_match(row.id).await.unwrap();
    assert_eq!((row.ended, row.ended_by.clone()), (Some(MatchEnd::Blocked), Some(who("ada"))));
    assert_eq!(house.blocks(&who("ada"), PageRequest::first(9)).await.unwrap().items, [who("bob")]);
    until("operators hear", async || operators.of("match_over").len() == 1).await;
    assert!(operators.of("match_over")[0]["members"][0]["ticket"].is_string());
    assert_eq!(operators.of("match_over")[0]["ended_by"], "ada");
    // The one who was blocked is not told by whom.
    assert_eq!(serde_json::to_value(MatchBody::new(&row)).unwrap()["ended_by"], Value::Null);
    house.until_settled().await;
    let log = house.log(row.conversation.as_ref().unwrap()).await;
    let (_, farewell) = log.iter().find(|(event, _)| event == "system").unwrap();
    assert_eq!((&farewell["data"]["match_over"], &farewell["data"]["by"]), (&"blocked".into(), &Value::Null));

    // Neither way round.
    let (bob, ada) = (house.joins("bob").await, house.joins("ada").await);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(house.state(ada).await, TicketState::Waiting);
    house.unblock(&who("ada"), &who("bob")).await.unwrap();
    assert_eq!(house.proposed(ada).await.id, house.proposed(bob).await.id);
    assert_eq!(code(house.block(&who("ada"), &who("ada")).await.unwrap_err()), "invalid_report");
    house.close(db).await;
});

on_both!(a_block_of_a_proposed_partner_lets_both_go_on, async |db: &Db| {
    let house = House::with(db, Rules { skip_window_ms: 0, ..pairs() }).await;
    let (ada, bob) = (house.joins("ada").await, house.joins("bob").await);
    let row = house.proposed(ada).await;
    house.block(&who("bob"), &who("ada")).await.unwrap();
    assert_eq!(house.get_match(row.id).await.unwrap().ended, Some(MatchEnd::Blocked));
    tokio::time::sleep(Duration::from_millis(300)).await;
    for ticket in [ada, bob] {
        assert_eq!(house.state(ticket).await, TicketState::Waiting);
    }
    house.close(db).await;
});

on_both!(a_report_reaches_operators_and_is_kept, async |db: &Db| {
    let house = House::with(db, pairs()).await;
    let operators = house.ear("operator:matchmaking");
    let (_, _, row) = house.pair(human("ada"), human("bob")).await;
    let report = |reporter: &'static str, reported: Option<&'static str>, reason: &'static str| {
        let (house, id) = (&house, row.id);
        async move {
            let reported = reported.map(who);
            house.report(id, &who(reporter), reported, reason.to_owned(), "…".to_owned()).await
        }
    };
    let row = report("ada", None, "rude").await.unwrap();
    assert_eq!(row.reported, who("bob"));
    for (reporter, reported, reason, refused) in [
        ("eve", None, "rude", "not_in_match"),
        ("ada", Some("eve"), "rude", "not_in_match"),
        ("ada", Some("ada"), "rude", "invalid_report"),
        ("ada", Some("bob"), "", "invalid_report"),
    ] {
        assert_eq!(code(report(reporter, reported, reason).await.unwrap_err()), refused);
    }
    let kept = house.reports(PageRequest::first(10)).await.unwrap().items;
    assert_eq!(kept, std::slice::from_ref(&row));
    until("operators hear", async || operators.of("report").len() == 1).await;
    assert_eq!(operators.of("report")[0]["reported"], "bob");

    // Again: the same report, and nothing to tell; other words are.
    assert_eq!(report("ada", None, "rude").await.unwrap(), row);
    let worse = report("ada", None, "threats").await.unwrap();
    assert_eq!((worse.id, worse.reason.as_str()), (row.id, "threats"));
    until("operators hear", async || operators.of("report").len() >= 2).await;
    assert_eq!(operators.of("report").len(), 2);
    assert_eq!(house.reports(PageRequest::first(10)).await.unwrap().items, [worse]);
    house.close(db).await;
});
