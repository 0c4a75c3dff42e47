//! Following a log.

use super::events::{Event, Events};
use super::{call, create, limited, message, read, say};
use crate::client::Call;
use crate::server::{Server, on_both};
use arena_api::ApiLimits;
use arena_testing::TestDatabase;
use serde_json::json;
use std::time::Duration;

fn stream(server: &Server, after: u64) -> Call {
    server.get(&format!("/api/conversations/c/messages/stream?after={after}"))
}

async fn follow(server: &Server, after: u64) -> Events {
    Events::open(stream(server, after)).await.expect("the stream is opened")
}

/// As a browser comes back: the place in the address is the one it began with.
async fn resume(server: &Server, last: &Event) -> Events {
    let call = stream(server, 0).header("last-event-id", &last.id.to_string());
    Events::open(call).await.expect("the stream is opened")
}

on_both!(the_log_is_followed_from_any_place_and_on_as_it_grows, async |server: Server| {
    limited(&server, json!({"max_total_messages": 3})).await;
    say(&server, "ada").await.ok(201);
    let mut from_the_start = follow(&server, 0).await;
    let seen = from_the_start.take(2).await;
    assert_eq!((seen[0].id, seen[0].event.as_str()), (1, "created"));
    let page = read(&server, "messages?after=1").await;
    assert_eq!((seen[1].id, &seen[1].data), (2, &page["items"][0]), "a line is the same by all ways");
    let mut newest = follow(&server, u64::MAX).await;
    let odd = json!({"author": "bo", "text": "two\nlines\r", "data": {"a": "\r\n\n"}});
    message(&server, odd).await.ok(201);
    for events in [&mut from_the_start, &mut newest] {
        let event = events.next().await.unwrap();
        assert_eq!((event.id, event.data["payload"]["text"].as_str()), (3, Some("two\nlines\r")));
        assert_eq!(event.data["payload"]["data"]["a"], "\r\n\n");
    }
    say(&server, "ada").await.ok(201);
    let last = from_the_start.take(2).await;
    assert_eq!((last[0].event.as_str(), last[1].event.as_str()), ("message", "exhausted"));
});

on_both!(
    a_reader_who_comes_back_again_and_again_misses_nothing_and_sees_nothing_twice,
    async |server: Server| {
        const MESSAGES: usize = 120;
        limited(&server, json!({})).await;
        let posting = async {
            for number in 0..MESSAGES {
                let body = json!({"author": "ada", "text": number.to_string()});
                message(&server, body).await.ok(201);
            }
        };
        let reading = async {
            let mut seen = follow(&server, 0).await.take(1).await;
            while seen.len() <= MESSAGES {
                // The connection breaks after a few events, in the middle of whatever is being posted.
                let mut events = resume(&server, seen.last().unwrap()).await;
                let some = (seen.len() % 7 + 1).min(MESSAGES + 1 - seen.len());
                seen.extend(events.take(some).await);
            }
            seen
        };
        let ((), seen) = tokio::join!(posting, reading);
        let offsets: Vec<u64> = seen.iter().map(|event| event.id).collect();
        assert_eq!(offsets, (1..=MESSAGES as u64 + 1).collect::<Vec<_>>());
        for (number, event) in seen[1..].iter().enumerate() {
            assert_eq!(event.data["payload"]["text"], number.to_string());
        }
    }
);

#[tokio::test]
async fn a_long_log_is_read_in_parts_and_without_an_end_of_its_request() {
    let server = Server::start(TestDatabase::sqlite()).await;
    let quick = ApiLimits { request_timeout: Duration::from_millis(300), ..ApiLimits::default() };
    let server_with_short_requests = server.limited(quick).await;
    limited(&server, json!({})).await;
    for _ in 0..100 {
        say(&server, "ada").await.ok(201);
    }
    let mut events = follow(&server_with_short_requests, 0).await;
    assert_eq!(events.take(101).await.last().unwrap().id, 101);
    tokio::time::sleep(Duration::from_millis(400)).await;
    say(&server, "bo").await.ok(201);
    assert_eq!(events.next().await.unwrap().id, 102, "the limit is for the head of an answer");
}

#[tokio::test]
async fn only_so_many_logs_are_followed_at_once() {
    let server = Server::start(TestDatabase::sqlite()).await;
    limited(&server, json!({})).await;
    let narrow = server.limited(ApiLimits { max_streams: 1, max_in_flight: 1, ..ApiLimits::default() }).await;
    let mut events = follow(&narrow, 0).await;
    events.take(1).await;
    let refused = stream(&narrow, 0).send().await;
    assert_eq!(refused.headers["retry-after"], "5");
    refused.refused(503, "overloaded");
    // An open stream takes no slot of the other requests.
    narrow.get("/api/conversations/c").send().await.ok(200);
    drop(events);
    narrow.until("the slot to be free", async || Events::open(stream(&narrow, 0)).await.is_some()).await;
}

#[tokio::test]
async fn a_stream_ends_with_its_conversation_and_begins_anew_with_another_of_that_id() {
    let server = Server::start(TestDatabase::sqlite()).await;
    limited(&server, json!({})).await;
    say(&server, "ada").await.ok(201);
    let mut events = follow(&server, 0).await;
    let last = events.take(2).await.pop().unwrap();
    server.delete("/api/conversations/c").send().await.ok(204);
    assert_eq!(events.next().await, None);
    limited(&server, json!({})).await;
    assert_eq!(resume(&server, &last).await.next().await.unwrap().id, 1);
}

#[tokio::test]
async fn what_is_in_no_log_wakes_nobody() {
    let server = Server::start(TestDatabase::sqlite()).await;
    limited(&server, json!({"max_replies_per_participant": 1})).await;
    let mut events = follow(&server, 0).await;
    say(&server, "ada").await.ok(201);
    say(&server, "ada").await.refused(409, "participant_limit");
    call(&server, "system").json(json!({"text": "x"})).send().await.ok(201);
    let seen: Vec<String> = events.take(4).await.into_iter().map(|event| event.event).collect();
    assert_eq!(seen, ["created", "message", "participant_blocked", "system"]);
}

on_both!(who_cannot_answer_follows_what_is_delivered_to_such, async |server: Server| {
    let body = json!({"id": "c", "limits": {"max_replies_per_participant": 1}, "delivery": "withhold"});
    create(&server, body).await;
    let follow_as = async |user: &str| {
        let call = stream(&server, 0).header("authorization", &format!("Bearer {user}"));
        Events::open(call).await.expect("the stream is opened")
    };
    let (mut ada, mut cy, mut service) =
        (follow_as("ada").await, follow_as("cy").await, follow(&server, 0).await);
    assert_eq!(ada.take(1).await[0].event, "created");
    say(&server, "ada").await.ok(201);
    say(&server, "bo").await.ok(201);
    call(&server, "close").send().await.ok(200);
    let names = |events: Vec<Event>| events.into_iter().map(|event| event.event).collect::<Vec<_>>();
    assert_eq!(ada.take(2).await.iter().filter(|event| event.event == "message").count(), 0);
    let all = ["created", "message", "participant_blocked", "message", "participant_blocked", "exhausted"];
    assert_eq!(names(service.take(6).await), all);
    assert_eq!(names(cy.take(6).await), all, "who has a budget left hears everything");
});

#[tokio::test]
async fn a_stream_with_nothing_to_tell_shows_that_it_is_alive() {
    let server = Server::start(TestDatabase::sqlite()).await;
    limited(&server, json!({})).await;
    let lively = ApiLimits { stream_keep_alive: Duration::from_millis(20), ..ApiLimits::default() };
    let lively = server.limited(lively).await;
    let mut events = follow(&lively, 1).await;
    events.comment().await;
    say(&server, "ada").await.ok(201);
    assert_eq!(events.next().await.unwrap().id, 2);
}

#[tokio::test]
async fn who_does_not_read_for_a_while_misses_nothing_and_keeps_nobody() {
    let server = Server::start(TestDatabase::sqlite()).await;
    limited(&server, json!({})).await;
    let mut slow = follow(&server, 0).await;
    let mut quick = follow(&server, 0).await;
    quick.take(1).await;
    // More than the sockets between them take.
    let long = "x".repeat(16_384);
    for number in 0..400 {
        let body =
            json!({"author": "ada", "text": long, "data": {"number": number, "long": &long[..16_000]}});
        message(&server, body).await.ok(201);
        assert_eq!(quick.next().await.unwrap().data["payload"]["data"]["number"], number);
    }
    let seen = slow.take(401).await;
    assert!(seen.iter().map(|event| event.id).eq(1..=401));
}

fn stream_of(server: &Server, user: &str) -> Call {
    stream(server, 0).header("authorization", &format!("Bearer {user}"))
}

on_both!(who_leaves_the_roster_reads_on_no_more, async |server: Server| {
    create(&server, json!({"id": "c", "participants": ["ada", "bo"]})).await;
    let mut ada = Events::open(stream_of(&server, "ada")).await.unwrap();
    let mut bo = Events::open(stream_of(&server, "bo")).await.unwrap();
    ada.take(1).await;
    bo.take(1).await;
    server.delete("/api/conversations/c/participants/bo").send().await.ok(200);
    say(&server, "ada").await.ok(201);
    assert_eq!(bo.next().await, None);
    stream_of(&server, "bo").send().await.refused(403, "not_a_participant");
    let seen: Vec<String> = ada.take(2).await.into_iter().map(|event| event.event).collect();
    assert_eq!(seen, ["participant_removed", "message"]);
});

on_both!(who_follows_what_gets_a_roster_without_it_reads_on_no_more, async |server: Server| {
    limited(&server, json!({})).await;
    let mut bo = Events::open(stream_of(&server, "bo")).await.unwrap();
    let mut anon = Events::open(stream_of(&server, "anon")).await.unwrap();
    bo.take(1).await;
    anon.take(1).await;
    call(&server, "participants").json(json!({"participant": "ada"})).send().await.ok(200);
    assert_eq!(bo.next().await, None);
    assert_eq!(anon.next().await, None);
});

#[tokio::test]
async fn a_stream_ends_with_its_token() {
    let server = Server::start(TestDatabase::sqlite()).await;
    limited(&server, json!({})).await;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let mut long = Events::open(stream_of(&server, &format!("ada@{}", now + 600))).await.unwrap();
    let mut short = Events::open(stream_of(&server, &format!("ada@{}", now + 2))).await.unwrap();
    assert_eq!(short.next().await.unwrap().event, "created");
    assert_eq!(short.next().await, None, "though nobody says a word");
    say(&server, "ada").await.ok(201);
    assert_eq!(long.take(2).await[1].event, "message");
}

#[tokio::test]
async fn one_user_follows_so_many_logs_and_leaves_the_others_to_others() {
    let server = Server::start(TestDatabase::sqlite()).await;
    limited(&server, json!({})).await;
    let mut open = Vec::new();
    for _ in 0..16 {
        open.push(Events::open(stream_of(&server, "ada")).await.unwrap());
    }
    stream_of(&server, "ada").send().await.refused(503, "overloaded");
    for other in ["bo", "anon", "service"] {
        open.push(Events::open(stream_of(&server, other)).await.unwrap());
    }
    drop(open);
    server.until("a slot to be free", async || Events::open(stream_of(&server, "ada")).await.is_some()).await;
}
