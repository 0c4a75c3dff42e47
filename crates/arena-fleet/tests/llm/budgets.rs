//! What may be spent.

use super::*;
use tokio::task::JoinSet;

/// A reply of the stub's takes less than what is held for it: about 350 tokens of prompt and 100 of reply.
const USAGE: (u64, u64) = (200, 90);

#[tokio::test]
async fn many_bots_at_once_never_spend_more_than_the_fleet_has() {
    let stub = Stub::start(streams("One. Two. Three.", USAGE)).await;
    let limit = 6_000;
    let brains = brains(LlmSettings { fleet_tokens: Some(limit), max_requests: 16, ..settings(&stub) });
    let (book, purse) = Book::open();
    let mut bots = JoinSet::new();
    for n in 0..60 {
        let mut talk = Talk::new(&brains, &format!("bot-{n}"), &purse);
        let brains = brains.clone();
        bots.spawn(async move {
            let mut by_model = 0;
            for _ in 0..3 {
                by_model += usize::from(said(&talk.hear("Go on, go on").await).1.is_some());
                let stats = stats(&brains);
                assert!(stats.tokens + stats.held_tokens <= limit);
            }
            by_model
        });
    }
    let by_model: usize = bots.join_all().await.into_iter().sum();
    settled(&brains).await;
    let stats = stats(&brains);
    assert_eq!(stats.tokens, stub.tokens());
    assert!(stats.tokens <= limit && stats.held_tokens == 0, "{stats:?}");
    // As much was spent as there was room for: less than one more reply's reservation is left.
    assert!(limit - stats.tokens < 700, "{stats:?}");
    assert_eq!((by_model, stats.replies as usize), (stub.calls(), stub.calls()));
    assert_eq!(book.reserved().len() - book.released().len(), by_model);
    assert!(!stats.up);
}

#[tokio::test]
async fn money_bounds_as_tokens_do() {
    let stub = Stub::start(streams("One. Two. Three.", USAGE)).await;
    let limit = 5_000;
    let brains = brains(LlmSettings { fleet_cost_micros: Some(limit), ..settings(&stub) });
    let (_, purse) = Book::open();
    for n in 0..30 {
        Talk::new(&brains, &format!("bot-{n}"), &purse).hear("Go on").await;
    }
    let stats = stats(&brains);
    assert!(stats.cost_micros <= limit && limit - stats.cost_micros < 1_000, "{stats:?}");
    assert_eq!(stats.cost_micros, stub.calls() as u64 * (200 + 3 * 90));
}

#[tokio::test]
async fn a_bot_that_has_spent_its_own_is_scripted_and_others_are_not() {
    let stub = Stub::start(streams("One. Two. Three.", USAGE)).await;
    let brains = brains(LlmSettings { bot_tokens: Some(1_000), ..settings(&stub) });
    let (_, purse) = Book::open();
    let mut talk = Talk::new(&brains, "bot-1", &purse);
    while said(&talk.hear("Go on").await).1.is_some() {}
    let calls = stub.calls();
    assert!((1..=3).contains(&calls));
    assert_eq!(talk.brain.kind(), BrainKind::Scripted);
    // The same bot in another talk has no more, either.
    assert_eq!(said(&Talk::new(&brains, "bot-1", &purse).hear("Go on").await).1, None);
    assert_eq!(stub.calls(), calls);
    let mut other = Talk::new(&brains, "bot-2", &purse);
    assert_eq!(other.brain.kind(), BrainKind::Llm);
    assert!(said(&other.hear("Go on").await).1.is_some());
}

#[tokio::test]
async fn an_endpoint_that_takes_more_than_it_was_given_exceeds_a_budget_by_one_answer() {
    let over = 5_000;
    let stub = Stub::start(streams("Much ado.", (200, over))).await;
    let limit = 2_000;
    let llm = LlmSettings { fleet_tokens: Some(limit), max_requests: 1, ..settings(&stub) };
    let brains = brains(llm);
    let (_, purse) = Book::open();
    let mut bots = JoinSet::new();
    for n in 0..20 {
        let mut talk = Talk::new(&brains, &format!("bot-{n}"), &purse);
        bots.spawn(async move { talk.hear("Go on").await });
    }
    bots.join_all().await;
    let stats = stats(&brains);
    assert_eq!((stub.calls(), stats.tokens), (1, 200 + over), "one answer, and nothing after it");
    assert!(!stats.up && stats.tokens <= limit + 200 + over);
}

#[tokio::test]
async fn what_nobody_counted_is_charged_as_the_most_that_it_can_be() {
    let stub = Stub::start(Does::Streams("Short.".to_owned(), None)).await;
    let brains = brains(settings(&stub));
    let (book, purse) = Book::open();
    let acts = Talk::new(&brains, "bot-1", &purse).hear("Go on").await;
    let (tokens, cost) = book.reserved()[0];
    let spent = said(&acts).1.unwrap();
    assert_eq!((spent.tokens, spent.cost_micros), (tokens, cost));
    assert_eq!(stats(&brains).tokens, tokens);
}

#[tokio::test]
async fn a_conversation_without_budget_gets_a_goodbye_or_silence_and_no_model() {
    let stub = Stub::start(streams("Hm.", (1, 1))).await;
    let brains = brains(settings(&stub));
    for (code, says, leaves) in [
        ("token_limit", true, true),
        ("cost_limit", true, true),
        ("total_limit", false, true),
        ("participant_limit", false, true),
        ("not_your_turn", false, false),
        ("store_unavailable", true, false),
    ] {
        let (_, purse) = Book::refusing(code);
        let acts = Talk::new(&brains, "bot-1", &purse).hear("Go on").await;
        assert_eq!(acts.iter().any(|act| matches!(act, Act::Say { spent: None, .. })), says, "{code}");
        assert_eq!(acts.contains(&Act::Leave), leaves, "{code}");
    }
    let stats = stats(&brains);
    assert_eq!((stub.calls(), stats.unpaid, stats.tokens, stats.held_tokens), (0, 6, 0, 0));
}

#[tokio::test]
async fn no_more_requests_are_under_way_at_once_than_allowed() {
    let stub = Stub::start(streams("Hm.", (1, 1))).await;
    let brains = brains(LlmSettings { max_requests: 3, ..settings(&stub) });
    let (_, purse) = Book::open();
    let mut bots = JoinSet::new();
    for n in 0..40 {
        let mut talk = Talk::new(&brains, &format!("bot-{n}"), &purse);
        bots.spawn(async move { talk.hear("Go on").await });
    }
    for acts in bots.join_all().await {
        assert!(said(&acts).1.is_some());
    }
    assert_eq!(stub.calls(), 40);
    assert!(stub.peak() <= 3, "{}", stub.peak());
}
