//! What happens when nothing comes back.

use super::*;
use serde_json::json;

/// A bot whose model fails talks on by its persona, the conversation gets its budget back once, and nothing is asked
/// more often than makes sense.
async fn falls_back(does: Does, calls: usize, fault: &str) {
    let stub = Stub::start(does.clone()).await;
    // Everything else comes as fast as the machine allows, however slow that is.
    let llm = match does {
        Does::Stalls => LlmSettings { stall_timeout: Duration::from_millis(300), ..settings(&stub) },
        Does::Hangs => LlmSettings { timeout: Duration::from_secs(1), ..settings(&stub) },
        _ => settings(&stub),
    };
    let brains = brains(llm);
    let (book, purse) = Book::open();
    let mut talk = Talk::new(&brains, "bot-1", &purse);
    let acts = talk.hear("What moves you?").await;
    let (text, spent) = said(&acts);
    assert!(!text.is_empty() && spent.is_none(), "{does:?}: {acts:?}");
    assert_eq!(talk.brain.kind(), BrainKind::Scripted, "{does:?}");
    settled(&brains).await;
    assert_eq!((book.reserved().len(), book.released()), (1, vec!["r1".to_owned()]), "{does:?}");
    let stats = stats(&brains);
    assert_eq!((stub.calls(), stats.calls, stats.failures), (calls, calls as u64, calls as u64), "{does:?}");
    assert_eq!((stats.fallbacks, stats.held_tokens, stats.under_way), (1, 0, 0), "{does:?}");
    assert_eq!(stats.last_fault.as_deref(), Some(fault), "{does:?}");
}

fn refuses(status: u16) -> Does {
    Does::Refuses(status, None, json!({"message": "no", "type": "refused"}))
}

#[tokio::test]
async fn what_does_not_pass_is_asked_once() {
    falls_back(refuses(400), 1, "protocol: http_400").await;
    falls_back(refuses(401), 1, "authentication: http_401").await;
    falls_back(refuses(403), 1, "permission: http_403").await;
    falls_back(refuses(404), 1, "tenant_missing: http_404").await;
    falls_back(refuses(302), 1, "protocol: http_302").await;
}

#[tokio::test]
async fn what_may_pass_is_asked_a_few_times() {
    falls_back(refuses(429), 3, "rate_limit: http_429").await;
    falls_back(refuses(500), 3, "network: http_500").await;
    falls_back(refuses(503), 3, "network: http_503").await;
}

#[tokio::test]
async fn what_was_begun_is_not_asked_again() {
    falls_back(Does::Malformed, 1, "protocol: malformed").await;
    falls_back(Does::ErrorInStream, 1, "network: stream_error").await;
    falls_back(Does::EndsEarly, 1, "network: cut").await;
    falls_back(Does::Breaks, 1, "network: cut").await;
}

#[tokio::test]
async fn an_answer_that_stalls_or_never_comes_is_not_waited_for() {
    falls_back(Does::Stalls, 1, "timeout: stalled").await;
    falls_back(Does::Hangs, 1, "timeout: timeout").await;
}

#[tokio::test]
async fn who_has_waited_for_a_turn_still_has_the_whole_time_for_a_reply() {
    let stub = Stub::start(streams("At last.", (1, 1))).await;
    stub.plan([Does::Hangs]);
    let second = Duration::from_secs(1);
    let brains = brains(LlmSettings { timeout: second, max_requests: 1, ..settings(&stub) });
    let (_, purse) = Book::open();
    let mut first = Talk::new(&brains, "bot-1", &purse);
    let mut other = Talk::new(&brains, "bot-2", &purse);
    let (hung, answered) = tokio::join!(first.hear("Well?"), other.hear("Well?"));
    assert_eq!((said(&hung).1, said(&answered).0), (None, "At last."));
    let stats = stats(&brains);
    assert_eq!((stats.calls, stats.failures, stats.fallbacks), (2, 1, 1));
}

#[tokio::test]
async fn an_endpoint_that_is_not_there_is_asked_a_few_times_and_costs_nothing() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    drop(listener);
    let stub = Stub::start(Does::Hangs).await;
    let brains = brains(LlmSettings { base_url: url, ..settings(&stub) });
    let (book, purse) = Book::open();
    let acts = Talk::new(&brains, "bot-1", &purse).hear("Anybody?").await;
    assert_eq!(said(&acts).1, None);
    settled(&brains).await;
    assert_eq!(book.released(), ["r1"]);
    let stats = stats(&brains);
    assert_eq!((stats.calls, stats.tokens, stats.last_fault.as_deref()), (3, 0, Some("network: connect")));
}

#[tokio::test]
async fn a_refusal_that_names_a_time_is_waited_out() {
    let stub = Stub::start(streams("There you are.", (1, 1))).await;
    stub.plan([Does::Refuses(429, Some("1"), json!({"code": "rate_limit_exceeded"}))]);
    let brains = brains(settings(&stub));
    let (book, purse) = Book::open();
    let begun = std::time::Instant::now();
    let acts = Talk::new(&brains, "bot-1", &purse).hear("Hello there, friend").await;
    assert_eq!(said(&acts).0, "There you are.");
    assert!(begun.elapsed() >= Duration::from_secs(1));
    settled(&brains).await;
    assert_eq!((stub.calls(), book.released().len()), (2, 0));
}

#[tokio::test]
async fn a_time_that_is_too_long_to_wait_leaves_all_bots_scripted() {
    let stub = Stub::start(Does::Refuses(429, Some("3600"), json!({"code": "rate_limit_exceeded"}))).await;
    let brains = brains(settings(&stub));
    let (_, purse) = Book::open();
    for id in ["bot-1", "bot-2", "bot-3"] {
        let acts = Talk::new(&brains, id, &purse).hear("Well?").await;
        assert_eq!(said(&acts).1, None);
    }
    assert_eq!((stub.calls(), stats(&brains).breaker.as_str()), (1, "open"));
}

#[tokio::test]
async fn a_model_that_is_down_is_tried_by_one_bot_and_comes_back_for_all() {
    let stub = Stub::start(Does::EndsEarly).await;
    let brains = brains(settings(&stub));
    let (_, purse) = Book::open();
    let mut talks: Vec<Talk> = (0..6).map(|n| Talk::new(&brains, &format!("bot-{n}"), &purse)).collect();
    for talk in &mut talks {
        talk.hear("Well?").await;
        assert_eq!(talk.brain.kind(), BrainKind::Scripted);
    }
    assert_eq!(stub.calls(), 3, "three failures, and then it is left alone");
    assert_eq!((stats(&brains).breaker.as_str(), stats(&brains).up), ("open", false));

    stub.always(streams("Here I am.", (1, 1)));
    arena_testing::wait_until(Duration::from_secs(20), "the model may be tried", || {
        stats(&brains).breaker == "half_open"
    });
    assert_eq!(said(&talks[5].hear("Are things well again?").await).0, "Here I am.");
    assert_eq!((stats(&brains).breaker.as_str(), stats(&brains).up), ("closed", true));
    for talk in &talks {
        assert_eq!(talk.brain.kind(), BrainKind::Llm);
    }
    assert_eq!(said(&talks[0].hear("And you?").await).0, "Here I am.");
}

#[tokio::test]
async fn a_thought_that_is_dropped_in_the_middle_gives_back_what_the_conversation_held_once() {
    let stub = Stub::start(Does::Stalls).await;
    let brains = brains(settings(&stub));
    let (book, purse) = Book::open();
    let mut talk = Talk::new(&brains, "bot-1", &purse);
    tokio::select! {
        acts = talk.hear("Tell me a very long tale") => panic!("it stalls: {acts:?}"),
        () = async {
            book.until_reserved().await;
            while stub.calls() == 0 {
                tokio::task::yield_now().await;
            }
        } => {}
    }
    settled(&brains).await;
    assert_eq!(book.released(), ["r1"]);
    let stats = stats(&brains);
    assert_eq!((stats.under_way, stats.held_tokens), (0, 0));
    assert_eq!(stats.tokens, book.reserved()[0].0, "nobody knows what it has cost: all that was held");
}
