//! What residents say, and who else has a word in it; and who has none at all over the socket.

use super::{create, events_of};
use crate::server::{Server, on_both};
use arena_api::{ApiLimits, Stage};
use arena_control::Actor;
use arena_core::Metadata;
use arena_core::conversation::{ConversationId, Setup};
use arena_realtime::policy::Identity;
use arena_realtime::token::{Claims, Role};
use arena_realtime::{Backstage, Saying};
use serde_json::json;

/// What is said aloud in a world, and a talk of two of its residents.
const ALOUD: &str = "w-0123456789abcdef0123456789abcdef-0";
const TALK: &str = "w-0123456789abcdef0123456789abcdef-1";

async fn begin(server: &Server, id: &str, channel: &str, roster: &[&str]) {
    let setup = Setup {
        participants: roster.iter().map(|name| name.parse().unwrap()).collect(),
        metadata: Metadata::try_from(json!({"channel": channel})).unwrap(),
        ..Setup::default()
    };
    let id: Option<ConversationId> = Some(id.parse().unwrap());
    server.services().conversations.create(&Actor::system(), id, setup, None).await.unwrap();
}

/// What becomes of something that is said over the socket: `ok`, or the code of its refusal.
async fn over_the_socket(
    server: &Server,
    who: &Identity,
    conversation: &str,
    event: &str,
    body: &str,
) -> String {
    let stage = Stage::new(server.services(), &ApiLimits::default(), Default::default());
    let said = stage.say(Saying { conversation, who, event, json: body, id: None });
    said.await.map_or_else(|unsaid| unsaid.refused.code, |_| "ok".to_owned())
}

fn somebody(name: &str, role: Role) -> Identity {
    Identity::of(&Claims::of(name, role, 0, 60))
}

on_both!(residents_are_heard_by_all_and_only_services_put_words_there, async |server: Server| {
    begin(&server, ALOUD, "main", &[]).await;
    begin(&server, TALK, "main", &["bot-1", "bot-2"]).await;
    for id in [ALOUD, TALK] {
        let path = format!("/api/conversations/{id}/messages");
        for token in ["ada", "anon", "bot-1"] {
            let call = |call: crate::client::Call| call.header("authorization", &format!("Bearer {token}"));
            call(server.get(&path)).send().await.ok(200);
            let saying = call(server.post(&path)).json(json!({"text": "hi"}));
            saying.send().await.refused(403, "service_only");
            let holding = call(server.post(&format!("/api/conversations/{id}/reservations"))).json(json!({}));
            let holding = holding.send().await;
            assert_eq!(holding.status, 403, "{}", holding.body);
            let who =
                if token == "anon" { Identity::anonymous() } else { somebody(token, Role::Authenticated) };
            for (event, body) in
                [("message", r#"{"text": "hi"}"#), ("reserve", "{}"), ("release", r#"{"id": "r"}"#)]
            {
                let outcome = over_the_socket(&server, &who, id, event, body).await;
                assert_eq!(outcome, "service_only", "{event}");
            }
            assert_eq!(over_the_socket(&server, &who, id, "messages", "{}").await, "ok");
        }
        server.post(&path).json(json!({"author": "bot-1", "text": "hi"})).send().await.ok(201);
        let service = somebody("api", Role::ServiceRole);
        let body = r#"{"author": "bot-1", "text": "hi"}"#;
        assert_eq!(over_the_socket(&server, &service, id, "message", body).await, "ok");
    }
});

#[tokio::test]
async fn residents_of_a_private_world_are_heard_by_services_only() {
    let server = Server::start(arena_testing::TestDatabase::sqlite()).await;
    begin(&server, ALOUD, "vault", &[]).await;
    for what in ["", "/messages", "/capacity", "/messages/stream"] {
        let call = server.get(&format!("/api/conversations/{ALOUD}{what}"));
        call.header("authorization", "Bearer ada").send().await.refused(403, "service_only");
    }
    server.get(&format!("/api/conversations/{ALOUD}")).send().await.ok(200);
}

#[tokio::test]
async fn the_ids_of_residents_talk_are_nobody_elses_choice() {
    let server = Server::start(arena_testing::TestDatabase::sqlite()).await;
    let create = |id: &str| server.post("/api/conversations").json(json!({"id": id})).send();
    let detail = create(ALOUD).await.refused(422, "invalid_body");
    assert!(detail.contains("reserved"), "{detail}");
    create("w-2-1").await.ok(201);
}

on_both!(who_has_no_name_of_its_own_reads_over_the_socket_and_says_nothing, async |server: Server| {
    create(&server, json!({"id": "c"})).await;
    let guest = Identity::anonymous();
    let own = format!(r#"{{"text": "hi", "author": "{}"}}"#, guest.user);
    for (event, body) in [
        ("message", r#"{"text": "hi"}"#),
        ("message", own.as_str()),
        ("reserve", "{}"),
        ("release", r#"{"id": "r-1"}"#),
        ("context", "{}"),
    ] {
        assert_eq!(over_the_socket(&server, &guest, "c", event, body).await, "not_your_name", "{event}");
    }
    for event in ["capacity", "messages"] {
        assert_eq!(over_the_socket(&server, &guest, "c", event, "{}").await, "ok", "{event}");
    }
    let ada = somebody("ada", Role::Authenticated);
    assert_eq!(over_the_socket(&server, &ada, "c", "message", r#"{"text": "hi"}"#).await, "ok");
    assert_eq!(events_of(&server).await, ["created", "message"]);
});
