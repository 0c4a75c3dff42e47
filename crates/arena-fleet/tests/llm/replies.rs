//! What comes back.

use super::*;
use serde_json::{Value, json};

#[tokio::test]
async fn a_streamed_reply_is_said_with_what_it_has_cost() {
    let stub = Stub::start(streams("Quite well, thank you!", (40, 7))).await;
    let brains = brains(settings(&stub));
    let (book, purse) = Book::open();
    let mut talk = Talk::new(&brains, "bot-1", &purse);
    assert_eq!(talk.brain.kind(), BrainKind::Llm);
    let acts = talk.hear("What moves you?").await;
    let spent = Spent { reservation: Some("r1".to_owned()), tokens: 47, cost_micros: 40 + 3 * 7 };
    assert_eq!(said(&acts), ("Quite well, thank you!", Some(&spent)));
    settled(&brains).await;
    let (tokens, cost) = book.reserved()[0];
    assert!(tokens > 100 && cost > 300, "the prompt and the longest reply are reserved: {tokens} {cost}");
    assert_eq!(book.released(), [""; 0]);
    let stats = stats(&brains);
    assert_eq!((stats.calls, stats.replies, stats.failures, stats.under_way), (1, 1, 0, 0));
    assert_eq!((stats.tokens, stats.cost_micros, stats.held_tokens), (47, 61, 0));
}

#[tokio::test]
async fn the_model_gets_the_persona_the_talk_and_the_key() {
    let stub = Stub::start(streams("Hm.", (1, 1))).await;
    let brains = brains(settings(&stub));
    let (_, purse) = Book::open();
    let mut talk = Talk::new(&brains, "bot-1", &purse);
    let greeting = talk.sense(Sensed::Entered { history: vec![] }).await;
    assert_eq!(stub.calls(), 0, "greetings are free");
    talk.hear("What moves you?").await;
    let (headers, body) = stub.last();
    assert_eq!(headers["authorization"], format!("Bearer {KEY}"));
    assert_eq!(body["model"], "stub-1");
    assert_eq!(body["stream"], true);
    assert_eq!(body["stream_options"], json!({"include_usage": true}));
    assert_eq!(body["max_tokens"], 100);
    let messages = body["messages"].as_array().unwrap();
    assert_eq!(messages[0]["role"], "system");
    assert!(messages[0]["content"].as_str().unwrap().contains("You are a bot"));
    assert_eq!(messages[1], json!({"role": "assistant", "content": said(&greeting).0}));
    assert_eq!(messages[2], json!({"role": "user", "content": "What moves you?"}));
}

#[tokio::test]
async fn a_reply_does_not_depend_on_how_it_is_cut_or_whether_it_is_streamed() {
    let text = "Schöne Grüße – 你好 👋";
    let stub = Stub::start(streams(text, (5, 5))).await;
    stub.plan([Does::Dribbles(text.to_owned(), (5, 5)), Does::Whole(text.to_owned(), (5, 5))]);
    let brains = brains(settings(&stub));
    let (_, purse) = Book::open();
    for id in ["bot-1", "bot-2", "bot-3"] {
        let acts = Talk::new(&brains, id, &purse).hear("Well?").await;
        let (line, spent) = said(&acts);
        assert_eq!((line, spent.unwrap().tokens), (text, 10));
    }
    assert_eq!(stub.calls(), 3);
}

#[tokio::test]
async fn a_question_before_the_bot_came_is_answered_by_the_model() {
    let stub = Stub::start(streams("In the north.", (1, 1))).await;
    let brains = brains(settings(&stub));
    let (_, purse) = Book::open();
    let mut talk = Talk::new(&brains, "bot-1", &purse);
    let acts = talk.sense(Sensed::Entered { history: vec![line("Which way is the harbour?")] }).await;
    assert_eq!(said(&acts).0, "In the north.");
}

#[tokio::test]
async fn whoever_asks_for_a_bot_gets_the_truth_and_no_model_is_asked() {
    let stub = Stub::start(streams("No, I am human.", (1, 1))).await;
    let brains = brains(settings(&stub));
    let (book, purse) = Book::open();
    let mut talk = Talk::new(&brains, "bot-1", &purse);
    let acts = talk.hear("Are you a bot?").await;
    assert!(said(&acts).0.to_lowercase().contains("bot"));
    assert_eq!((stub.calls(), book.reserved().len()), (0, 0));
    // What the model claims by itself is not passed on, and paid for all the same.
    let acts = talk.hear("Tell me about you.").await;
    let (line, spent) = said(&acts);
    assert!(line.to_lowercase().contains("bot") && !line.contains("human."), "{line}");
    assert_eq!(spent.unwrap().reservation.as_deref(), Some("r1"));
}

#[tokio::test]
async fn farewells_and_last_words_cost_nothing() {
    let stub = Stub::start(streams("Hm.", (1, 1))).await;
    let brains = brains(settings(&stub));
    let (_, purse) = Book::open();
    for sensed in [
        Sensed::Heard { line: line("bye!"), last_word: false },
        Sensed::Heard { line: line("And then?"), last_word: true },
        Sensed::Leaving,
    ] {
        let acts = Talk::new(&brains, "bot-1", &purse).sense(sensed).await;
        assert!(matches!(acts.as_slice(), [Act::Say { spent: None, .. }, Act::Leave]), "{acts:?}");
    }
    assert_eq!(stub.calls(), 0);
}

#[tokio::test]
async fn a_flood_is_cut_to_a_line_and_not_waited_for() {
    let stub = Stub::start(Does::Floods).await;
    let brains = brains(settings(&stub));
    let (_, purse) = Book::open();
    let acts = Talk::new(&brains, "bot-1", &purse).hear("Go on").await;
    let (line, spent) = said(&acts);
    assert!(line.len() <= 2_000 && line.ends_with("well."), "{}", line.len());
    // Nobody said what it has cost: more than was asked for, as there is more.
    assert!(spent.unwrap().tokens > 10_000);
}

#[tokio::test]
async fn an_endpoint_that_knows_the_newer_limit_only_is_given_that() {
    let stub = Stub::start(streams("Well.", (1, 1))).await;
    let words = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.";
    let refusal = || Does::Refuses(400, None, json!({"message": words, "code": "unsupported_parameter"}));
    let unknown = || Does::Refuses(422, None, json!("extra fields not permitted: stream_options"));
    stub.plan([refusal(), unknown()]);
    let brains = brains(settings(&stub));
    let (_, purse) = Book::open();
    let mut talk = Talk::new(&brains, "bot-1", &purse);
    assert_eq!(said(&talk.hear("And?").await).0, "Well.");
    let (_, body) = stub.last();
    assert_eq!((&body["max_tokens"], &body["max_completion_tokens"]), (&Value::Null, &json!(100)));
    assert_eq!(body["stream_options"], Value::Null);
    assert_eq!((stub.calls(), stats(&brains).failures), (3, 0));
}

#[tokio::test]
async fn many_who_find_out_at_once_what_the_endpoint_does_not_know_all_get_their_reply() {
    let stub = Stub::start(Does::NewerOnly("Well.".to_owned())).await;
    let brains = brains(LlmSettings { max_requests: 8, ..settings(&stub) });
    let (_, purse) = Book::open();
    let mut talks: Vec<Talk> = (0..8).map(|n| Talk::new(&brains, &format!("bot-{n}"), &purse)).collect();
    let all = futures_util::future::join_all(talks.iter_mut().map(|talk| talk.hear("And?"))).await;
    assert!(stub.peak() > 1, "they came one after the other, so nothing is shown");
    assert!(all.iter().all(|acts| said(acts).0 == "Well."), "{all:?}");
    assert_eq!((stats(&brains).failures, stats(&brains).breaker.as_str()), (0, "closed"));
}

#[tokio::test]
async fn an_answer_that_is_whole_counts_though_its_stream_never_ends() {
    let stub = Stub::start(Does::StaysOpen("That is all.".to_owned())).await;
    let brains = brains(LlmSettings { stall_timeout: Duration::from_millis(300), ..settings(&stub) });
    let (_, purse) = Book::open();
    let acts = Talk::new(&brains, "bot-1", &purse).hear("And?").await;
    assert_eq!(said(&acts).0, "That is all.");
    assert_eq!((stub.calls(), stats(&brains).failures), (1, 0));
}
