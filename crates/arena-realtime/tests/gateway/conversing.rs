//! Conversations: who may come, what is said and what is refused.

use crate::support::{Client, House};
use arena_bus::Payload;
use arena_realtime::frame::{Opcode, mask};
use arena_realtime::policy::{Denied, Identity};
use arena_realtime::token::Role;
use arena_realtime::{Publication, PublishRefusal};
use serde_json::{Value, json};

const TOPIC: &str = "conversation:7";

fn quiet() -> Value {
    json!({"presence": {"enabled": false}})
}

async fn user(house: &House, name: &str) -> Client {
    house.holder_of(&house.token(name, 600, |_| {})).await
}

async fn service(house: &House) -> Client {
    house.holder_of(&house.token("api", 600, |claims| claims.role = Role::ServiceRole)).await
}

/// A house with a conversation in it, and somebody there.
async fn talk(roster: &[&str]) -> (House, Client) {
    let house = House::new();
    house.stage.talks.begin("7", roster);
    let mut ann = user(&house, "ann").await;
    ann.join(TOPIC, quiet()).await;
    (house, ann)
}

fn reason(reply: &Value) -> &str {
    assert_eq!(reply["status"], "error", "{reply}");
    reply["response"]["reason"].as_str().unwrap()
}

fn events(heard: &[Value]) -> Vec<&str> {
    heard.iter().filter(|m| m[3] == "broadcast").map(|m| m[4]["event"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_conversation_is_open_to_its_roster_and_to_services_and_without_one_to_all() {
    let house = House::new();
    house.stage.talks.begin("7", &["ann", "bob"]);
    house.stage.talks.begin("open", &[]);
    let (mut guest, mut carl) = (house.guest().await, user(&house, "carl").await);
    let unauthorized =
        format!("Unauthorized: You do not have permissions to read from this Channel topic: {TOPIC}");
    for client in [&mut guest, &mut carl] {
        assert_eq!(reason(&client.try_join(TOPIC, quiet()).await), unauthorized);
        client.join("conversation:open", quiet()).await;
    }
    for mut client in [user(&house, "ann").await, user(&house, "bob").await, service(&house).await] {
        client.join(TOPIC, quiet()).await;
        client.join("conversation:open", quiet()).await;
    }
    drop((guest, carl));
    house.is_left_empty().await;
}

#[tokio::test]
async fn a_conversation_that_is_none_is_refused_with_a_code_and_keeps_no_room() {
    let house = House::new();
    let mut client = house.guest().await;
    let reply = client.try_join("conversation:none", quiet()).await;
    assert_eq!(reason(&reply), "conversation_not_found: there is no conversation `none`");
    assert_eq!(house.gateway.stats().rooms, 0);
    drop(client);
    house.is_left_empty().await;
}

#[tokio::test]
async fn members_hear_every_line_by_its_place_in_the_log_and_what_is_said_in_passing_without_one() {
    let (house, mut ann) = talk(&[]).await;
    let talks = &house.stage.talks;
    talks.write("7", "message", json!({"text": "hi", "id": "m-1"}));
    talks.tell("7", "notice", json!({"level": "two_thirds"}));
    talks.write("7", "turn", json!({"participant": "bob"}));
    let heard = ann.all().await;
    assert_eq!(events(&heard), ["message", "notice", "turn"]);
    let epoch = "epoch-of-7";
    assert_eq!(heard[0][4]["meta"], json!({"id": "m-1", "offset": 2, "epoch": epoch}));
    assert_eq!(heard[1][4]["meta"], json!({"id": format!("{epoch}:2+2")}));
    assert_eq!(heard[2][4]["meta"], json!({"id": format!("{epoch}:3"), "offset": 3, "epoch": epoch}));
    drop(ann);
    house.is_left_empty().await;
}

#[tokio::test]
async fn what_is_said_is_answered_whether_answers_are_asked_for_or_not_and_heard_by_its_author_too() {
    let (house, mut ann) = talk(&["ann"]).await;
    let reference = ann.broadcast(TOPIC, "message", json!({"text": "hi"})).await;
    let reply = ann.reply(&reference).await;
    assert_eq!(reply, json!({"status": "ok", "response": {"offset": 2, "epoch": "epoch-of-7"}}));
    assert_eq!(events(&ann.all().await), ["message"]);
    // By a plain client of Phoenix.
    let reference = ann.push(TOPIC, "capacity", json!({})).await;
    assert_eq!(ann.reply(&reference).await["status"], "ok");
    let heard = house.stage.talks.heard();
    assert_eq!(heard[0], json!(["7", "ann", "message", r#"{"text":"hi"}"#, null]));
    assert_eq!(heard[1], json!(["7", "ann", "capacity", "{}", null]));
    drop(ann);
    house.is_left_empty().await;
}

#[tokio::test]
async fn the_id_of_a_broadcast_is_that_of_the_message() {
    let (house, mut ann) = talk(&[]).await;
    let broadcast = |id| json!({"type": "broadcast", "event": "message", "payload": {}, "meta": {"id": id}});
    let reference = ann.push(TOPIC, "broadcast", broadcast("m-1")).await;
    ann.reply(&reference).await;
    ann.join(TOPIC, json!({"broadcast": {"id_field": "key"}, "presence": {"enabled": false}})).await;
    let reference = ann.broadcast(TOPIC, "message", json!({"key": "m-2"})).await;
    ann.reply(&reference).await;
    let ids: Vec<_> = house.stage.talks.heard().iter().map(|said| said[4].clone()).collect();
    assert_eq!(ids, ["m-1", "m-2"]);
    drop(ann);
    house.is_left_empty().await;
}

#[tokio::test]
async fn a_refusal_tells_everything_twice_and_only_to_who_is_refused() {
    let (house, mut ann) = talk(&[]).await;
    let mut bob = user(&house, "bob").await;
    bob.join(TOPIC, quiet()).await;
    let reference = ann.broadcast(TOPIC, "message", json!({"text": "no"})).await;
    let expected = json!({
        "reason": "participant_limit: no message is left", "code": "participant_limit",
        "scope": "participant", "limit": 2, "remaining": 0, "retry_after_ms": null,
    });
    assert_eq!(ann.reply(&reference).await, json!({"status": "error", "response": expected}));
    let told = ann.event(TOPIC, "broadcast").await;
    let expected = json!({
        "input": "message", "code": "participant_limit", "detail": "no message is left",
        "scope": "participant", "limit": 2, "remaining": 0, "retry_after_ms": null,
    });
    assert_eq!((&told["event"], &told["payload"]), (&json!("refused"), &expected));
    assert_eq!(events(&bob.all().await), [] as [&str; 0]);
    assert_eq!(house.gateway.stats().refused_messages, 1);
    drop((ann, bob));
    house.is_left_empty().await;
}

/// A binary broadcast of bytes.
fn bytes_as_broadcast(reference: &str, event: &str, payload: &[u8]) -> Vec<u8> {
    let (wire, meta, bytes) = (format!("realtime:{TOPIC}"), 0, 0);
    let lengths = [TOPIC.len(), reference.len(), wire.len(), event.len(), meta].map(|len| len as u8);
    let parts = [TOPIC, reference, &wire, event].concat();
    let frame = [&[3][..], &lengths, &[bytes], parts.as_bytes(), payload].concat();
    mask(Opcode::Binary, &frame, [7, 1, 9, 3])
}

#[tokio::test]
async fn whatever_is_no_message_is_refused_with_a_code_and_the_session_goes_on() {
    let (house, mut ann) = talk(&[]).await;
    for payload in [json!("bare"), json!(7), json!([1]), json!(true), json!(null)] {
        let pushed = ann.push(TOPIC, "message", payload.clone()).await;
        assert!(reason(&ann.reply(&pushed).await).starts_with("invalid_body: "), "{payload}");
        if !payload.is_null() {
            let said = ann.broadcast(TOPIC, "message", payload.clone()).await;
            assert!(reason(&ann.reply(&said).await).starts_with("invalid_body: "), "{payload}");
        }
    }
    for event in ["shout", "", "Message", "created", "exhausted", "heartbeat"] {
        let reference = ann.broadcast(TOPIC, event, json!({"text": "hi"})).await;
        assert!(reason(&ann.reply(&reference).await).starts_with("UnknownEvent: "), "{event}");
        if !event.is_empty() {
            let reference = ann.push(TOPIC, event, json!({"text": "hi"})).await;
            assert!(reason(&ann.reply(&reference).await).starts_with("UnknownEvent: "), "{event}");
        }
    }
    ann.send_raw(&bytes_as_broadcast("b1", "message", &[0xff])).await;
    assert!(reason(&ann.reply("b1").await).starts_with("invalid_body: "));
    let reference = ann.broadcast(TOPIC, "message", json!({"text": "x".repeat(300_000)})).await;
    let too_large = json!({"status": "error", "response": {"error": "payload_size_exceeded"}});
    assert_eq!(ann.reply(&reference).await, too_large);
    assert_eq!(house.stage.talks.position("7").offset, 1, "nothing of it was said");
    let reference = ann.broadcast(TOPIC, "message", json!({"text": "hi"})).await;
    assert_eq!(ann.reply(&reference).await["status"], "ok");
    drop(ann);
    house.is_left_empty().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn what_one_session_says_keeps_its_order_without_waiting_for_answers() {
    let (house, mut ann) = talk(&[]).await;
    for round in 0..40 {
        house.stage.hold();
        let mut frames = Vec::new();
        for n in 0..10 {
            let payload = json!({"event": "message", "payload": {"n": round * 10 + n}});
            let wire = format!("realtime:{TOPIC}");
            frames.extend(Client::frame(&json!([TOPIC, format!("s{n}"), wire, "broadcast", payload])));
        }
        ann.send_raw(&frames).await;
        house.becomes("all have come", |house| house.stage.talks.heard().len() == (round + 1) * 10).await;
        house.stage.release();
        for n in 0..10 {
            assert_eq!(ann.reply(&format!("s{n}")).await["status"], "ok");
        }
    }
    let said: Vec<_> = house.stage.talks.heard().iter().map(|said| said[3].clone()).collect();
    assert_eq!(said, (0..400).map(|n| json!(format!("{{\"n\":{n}}}"))).collect::<Vec<_>>());
    drop(ann);
    house.is_left_empty().await;
}

#[tokio::test]
async fn sayings_that_wait_are_bounded_and_hold_up_no_joins() {
    let (house, mut ann) = talk(&[]).await;
    house.stage.hold();
    let mut waiting = Vec::new();
    for _ in 0..16 {
        waiting.push(ann.broadcast(TOPIC, "message", json!({})).await);
    }
    let refused = ann.broadcast(TOPIC, "message", json!({})).await;
    assert!(reason(&ann.reply(&refused).await).starts_with("too_many_sayings: "));
    let join = ann.ask_to_join("world:main", quiet()).await;
    house.stage.is_asked(2).await;
    house.stage.release();
    for reference in waiting {
        assert_eq!(ann.reply(&reference).await["status"], "ok");
    }
    assert_eq!(ann.reply(&join).await["status"], "ok");
    let again = ann.broadcast(TOPIC, "message", json!({})).await;
    assert_eq!(ann.reply(&again).await["status"], "ok");
    drop(ann);
    house.is_left_empty().await;
}

#[tokio::test]
async fn the_limits_of_messages_hold_for_all_that_is_said_in_conversations_and_say_so() {
    for event in ["message", "reserve", "release", "capacity", "messages"] {
        let house = House::with(|settings| {
            settings.limits.session_messages = arena_realtime::limits::RateLimit { per_second: 1, burst: 2 };
        });
        house.stage.talks.begin("7", &[]);
        let mut ann = user(&house, "ann").await;
        ann.join(TOPIC, quiet()).await;
        let mut refused = 0;
        for _ in 0..10 {
            let reference = ann.broadcast(TOPIC, event, json!({})).await;
            let reply = ann.reply(&reference).await;
            refused += usize::from(reply["status"] == "error");
        }
        assert!(refused > 0 && house.stage.talks.heard().len() == 10 - refused, "{event}");
        drop(ann);
        house.is_left_empty().await;
    }
}

#[tokio::test]
async fn nothing_is_published_into_a_conversation_past_its_doors() {
    let (house, mut ann) = talk(&[]).await;
    let topic = TOPIC.parse().unwrap();
    let service = Identity { role: Role::ServiceRole, ..Identity::anonymous() };
    for who in [service, Identity::anonymous()] {
        let payload = Payload::Json("{}".into());
        let message = Publication { topic: &topic, private: false, event: "message", payload, id: None };
        let refused = house.gateway.publish(&who, message).unwrap_err();
        assert_eq!(refused, PublishRefusal::Denied(Denied::Charged(topic.clone())));
        assert!(refused.to_string().starts_with("ChargedTopic: "), "{refused}");
    }
    assert_eq!(events(&ann.all().await), [] as [&str; 0]);
    drop(ann);
    house.is_left_empty().await;
}

#[tokio::test]
async fn members_of_a_conversation_may_be_present_in_it_and_say_nothing_by_it() {
    let (house, mut ann) = talk(&["ann", "bob"]).await;
    let mut bob = user(&house, "bob").await;
    bob.join(TOPIC, json!({"presence": {"enabled": true, "key": "listen: I have something to say"}})).await;
    bob.track(TOPIC, json!({"text": "and I say it"})).await;
    ann.track(TOPIC, json!({})).await;
    let told = |diff: &Value| {
        let keys = diff.as_object().unwrap().iter();
        let fields = |meta: &Value| meta.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        keys.map(|(key, shown)| (key.clone(), fields(&shown["metas"][0]))).collect::<Vec<_>>()
    };
    let reference = || vec!["phx_ref".to_owned()];
    let seen = bob.until(|m| m[3] == "presence_diff" && m[4]["joins"].get("bob").is_some()).await;
    assert!(told(&seen[4]["joins"]).contains(&("bob".to_owned(), reference())), "{seen}");
    drop((ann, bob));
    house.is_left_empty().await;
}

#[tokio::test]
async fn no_roster_names_somebody_whose_name_was_made_up() {
    let house = House::new();
    let mut guest = house.guest().await;
    house.stage.talks.begin("7", &[]);
    guest.join(TOPIC, quiet()).await;
    let said = guest.broadcast(TOPIC, "message", json!({"text": "hi"})).await;
    guest.reply(&said).await;
    let name = house.stage.talks.heard()[0][1].as_str().unwrap().to_owned();
    guest.leave(TOPIC).await;
    house.stage.talks.change_roster("7", &[&name]);
    assert!(reason(&guest.try_join(TOPIC, quiet()).await).starts_with("Unauthorized: "));
    drop(guest);
    house.is_left_empty().await;
}

#[tokio::test]
async fn operators_topics_are_heard_by_services_and_nobody_writes_there() {
    let house = House::new();
    let topic = "operator:conversations";
    let (mut ann, mut service) = (user(&house, "ann").await, service(&house).await);
    assert!(reason(&ann.try_join(topic, quiet()).await).starts_with("Unauthorized: "));
    service.join(topic, quiet()).await;
    let reference = service.broadcast(topic, "e", json!({})).await;
    assert!(reason(&service.reply(&reference).await).starts_with("Unauthorized: "));
    let stream = house.bus.get(&topic.parse().unwrap()).unwrap();
    stream.tell(arena_bus::Draft::new("exhausted", Payload::Json("{}".into()))).unwrap();
    assert_eq!(events(&service.all().await), ["exhausted"]);
    drop((ann, service, stream));
    house.is_left_empty().await;
}

#[tokio::test]
async fn who_is_somebody_else_by_a_new_token_stays_if_the_roster_names_that_one() {
    let (house, mut ann) = talk(&["ann", "bob"]).await;
    for (name, stays) in [("ann", true), ("bob", true), ("carl", false)] {
        let token = house.token(name, 600, |_| {});
        let renewed = ann.push(TOPIC, "access_token", json!({"access_token": token})).await;
        let reply = ann.reply(&renewed).await;
        assert_eq!(reply["status"] == "ok", stays, "{name}: {reply}");
        if stays {
            let said = ann.broadcast(TOPIC, "message", json!({})).await;
            ann.reply(&said).await;
            assert_eq!(house.stage.talks.heard().last().unwrap()[1], name);
        }
    }
    ann.until(|m| m[3] == "phx_close").await;
    assert_eq!(house.gateway.stats().rooms, 0);
    drop(ann);
    house.is_left_empty().await;
}

#[tokio::test]
async fn who_leaves_before_the_answer_is_in_no_conversation() {
    let (house, mut ann) = talk(&[]).await;
    ann.leave(TOPIC).await;
    house.stage.hold();
    ann.ask_to_join(TOPIC, quiet()).await;
    house.stage.is_asked(2).await;
    ann.leave(TOPIC).await;
    house.stage.release();
    house.becomes("nobody is there", |house| house.gateway.stats().rooms == 0).await;
    drop(ann);
    house.is_left_empty().await;
}

/// Waits until a client is put out; returns what it was told.
async fn put_out(client: &mut Client) -> String {
    let told = client.event(TOPIC, "system").await;
    client.until(|m| m[3] == "phx_close").await;
    told["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn whom_a_changed_roster_does_not_name_is_put_out_and_the_others_stay() {
    let (house, mut ann) = talk(&["ann", "bob"]).await;
    let (mut bob, mut service) = (user(&house, "bob").await, service(&house).await);
    for client in [&mut bob, &mut service] {
        client.join(TOPIC, quiet()).await;
    }
    house.stage.talks.change_roster("7", &["ann"]);
    assert!(put_out(&mut bob).await.starts_with("Unauthorized: "));
    house.stage.talks.write("7", "message", json!({}));
    for client in [&mut ann, &mut service] {
        assert_eq!(events(&client.all().await), ["participant_removed", "message"]);
    }
    assert_eq!(events(&bob.all().await), ["participant_removed"]);
    drop((ann, bob, service));
    house.is_left_empty().await;
}

#[tokio::test]
async fn whom_the_roster_loses_while_it_comes_in_is_put_out_again() {
    let (house, ann) = talk(&["ann", "bob"]).await;
    drop(ann);
    let mut bob = user(&house, "bob").await;
    house.becomes("nobody is there", |house| house.gateway.stats().rooms == 0).await;
    // So that it is read from the log, which takes its time.
    house.bus.sweep(std::time::Instant::now() + std::time::Duration::from_secs(1_000));
    house.stage.talks.change_roster_meanwhile("7", &["ann"]);
    let config = json!({"broadcast": {"recover": {"offset": 0, "epoch": "epoch-of-7"}}});
    let reply = bob.try_join(TOPIC, config).await;
    assert_eq!(reply["status"], "ok", "or this tests nothing: {reply}");
    assert!(put_out(&mut bob).await.starts_with("Unauthorized: "));
    drop(bob);
    house.is_left_empty().await;
}

#[tokio::test]
async fn who_is_in_a_conversation_that_is_deleted_is_told_and_put_out() {
    let (house, mut ann) = talk(&[]).await;
    house.stage.talks.delete("7");
    assert_eq!(put_out(&mut ann).await, "conversation_not_found: there is no conversation `7`");
    assert_eq!(house.gateway.stats().rooms, 0);
    drop(ann);
    house.is_left_empty().await;
}

#[tokio::test]
async fn members_of_a_conversation_do_not_stay_in_another_that_takes_its_place() {
    let (house, mut ann) = talk(&["ann", "bob"]).await;
    let mut bob = user(&house, "bob").await;
    bob.join(TOPIC, quiet()).await;
    house.stage.talks.begin_anew("7", &["ann"]);
    assert!(put_out(&mut bob).await.starts_with("Unauthorized: "));
    house.stage.talks.write("7", "message", json!({}));
    assert_eq!(events(&ann.all().await), ["created", "message"]);
    drop((ann, bob));
    house.is_left_empty().await;
}

#[tokio::test]
async fn what_residents_say_is_open_to_whoever_may_watch_their_world() {
    let house = House::with(|settings| {
        settings.policy.private_topics = vec!["world:vault".parse().unwrap()];
    });
    for (id, channel) in [("7", "main"), ("8", "vault")] {
        house.stage.talks.begin(id, &["bot-1", "bot-2"]);
        house.stage.talks.belongs_to(id, channel);
    }
    house.stage.talks.begin("9", &[]);
    house.stage.talks.belongs_to("9", "vault");
    let (mut guest, mut ann) = (house.guest().await, user(&house, "ann").await);
    for client in [&mut guest, &mut ann] {
        client.join(TOPIC, quiet()).await;
        for topic in ["conversation:8", "conversation:9"] {
            assert!(reason(&client.try_join(topic, quiet()).await).starts_with("Unauthorized: "));
        }
    }
    house.stage.talks.change_roster("7", &["bot-1"]);
    let vault = |claims: &mut arena_realtime::token::Claims| {
        claims.topics.read = vec!["world:vault".parse().unwrap()];
    };
    let mut guard = house.holder_of(&house.token("guard", 600, vault)).await;
    guard.join("conversation:8", quiet()).await;
    let reference = ann.broadcast(TOPIC, "messages", json!({})).await;
    assert_eq!(ann.reply(&reference).await["status"], "ok", "nobody is put out by what bots do");
    drop((guest, ann, guard));
    house.is_left_empty().await;
}
