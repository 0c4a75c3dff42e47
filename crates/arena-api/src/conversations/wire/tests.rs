//! Bodies, good and bad.

use super::*;
use arena_core::conversation::{
    Amounts, Caps, Code, Command, LoopRules, OnFailure, ParticipantId, Refusal, SetupChange,
};
use serde_json::json;

fn name(text: &str) -> ParticipantId {
    text.parse().unwrap()
}

fn code(event: &str, json: &str, who: &Speaker) -> &'static str {
    command(event, json, who).map_or_else(|error| error.code(), |_| "fine")
}

fn author(json: &str, who: &Speaker) -> Result<String, &'static str> {
    match command("message", json, who) {
        Ok(Command::Say(say)) => Ok(say.author.to_string()),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error.code()),
    }
}

#[test]
fn a_message_is_read_whole() {
    let body = r#"{"id": "m-1", "author": "ada", "text": "hi", "data": {"a": [1, 2.50]}, "tokens": 7,
        "cost_micros": 9, "reservation": "r-1"}"#;
    let Command::Say(say) = command("message", body, &Speaker::service()).unwrap() else {
        panic!("a message says something")
    };
    assert_eq!((say.author.as_str(), say.text.as_str()), ("ada", "hi"));
    assert_eq!(say.data.unwrap().get(), r#"{"a":[1,2.50]}"#, "numbers stay as they were written");
    assert_eq!((say.tokens, say.cost_micros), (7, 9));
    assert_eq!((say.id.unwrap().as_str(), say.reservation.unwrap().as_str()), ("m-1", "r-1"));
    let small = r#"{"author": "ada", "text": "", "data": null, "id": null, "tokens": null}"#;
    let Command::Say(say) = command("message", small, &Speaker::service()).unwrap() else {
        panic!("a message says something")
    };
    assert!(say.data.is_none() && say.id.is_none() && say.tokens == 0);
}

#[test]
fn whatever_is_no_message_is_refused_by_its_kind() {
    let long = format!(r#"{{"author": "a", "text": "{}"}}"#, "x".repeat(16_385));
    let heavy = format!(r#"{{"author": "a", "text": "", "data": "{}"}}"#, "x".repeat(16_383));
    let deep = format!(r#"{{"author": "a", "text": "", "data": {}"#, "[".repeat(100_000));
    for (body, expected) in [
        ("", "malformed_json"),
        ("{", "malformed_json"),
        ("hello", "malformed_json"),
        (r#"{"author": "a", "text": "x"} x"#, "malformed_json"),
        (&deep, "malformed_json"),
        ("null", "invalid_body"),
        (r#""hello""#, "invalid_body"),
        ("5", "invalid_body"),
        (r#"[null, "a", "x"]"#, "invalid_body"),
        ("{}", "invalid_body"),
        (r#"{"author": "a"}"#, "invalid_body"),
        (r#"{"text": "x"}"#, "invalid_body"),
        (r#"{"author": null, "text": "x"}"#, "invalid_body"),
        (r#"{"author": "", "text": "x"}"#, "invalid_body"),
        (r#"{"author": 7, "text": "x"}"#, "invalid_body"),
        (r#"{"author": "a\u0000", "text": "x"}"#, "invalid_body"),
        (r#"{"author": "a", "text": null}"#, "invalid_body"),
        (r#"{"author": "a", "text": "x", "tokens": -1}"#, "invalid_body"),
        (r#"{"author": "a", "text": "x", "tokens": 1.5}"#, "invalid_body"),
        (r#"{"author": "a", "text": "x", "cost_micros": "1"}"#, "invalid_body"),
        (r#"{"author": "a", "text": "x", "tokens": 18446744073709551616}"#, "invalid_body"),
        (r#"{"author": "a", "text": "x", "id": "two words"}"#, "invalid_body"),
        (r#"{"author": "a", "text": "x", "colour": "red"}"#, "invalid_body"),
        (r#"{"author": "a", "text": "x", "data": 1e999}"#, "invalid_body"),
        (r#"{"author": "a", "text": "x", "data": {"a": "\ud800"}}"#, "invalid_body"),
        (r#"{"author": "a", "text": "\ud800"}"#, "invalid_body"),
        (r#"{"author": "a", "author": "b", "text": "x"}"#, "invalid_body"),
        (&long, "text_too_long"),
        (&heavy, "text_too_long"),
    ] {
        let clipped: String = body.chars().take(60).collect();
        assert_eq!(code("message", body, &Speaker::service()), expected, "{clipped}");
    }
}

#[test]
fn users_speak_in_their_own_name_and_services_in_any() {
    let (ada, service) = (Speaker::user(name("ada")), Speaker::service());
    let (unsigned, as_ada, as_bo) =
        (r#"{"text": "x"}"#, r#"{"text": "x", "author": "ada"}"#, r#"{"text": "x", "author": "bo"}"#);
    assert_eq!(author(unsigned, &ada), Ok("ada".to_owned()));
    assert_eq!(author(as_ada, &ada), Ok("ada".to_owned()));
    assert_eq!(author(as_bo, &ada), Err("not_your_name"));
    assert_eq!(author(as_bo, &service), Ok("bo".to_owned()));
    assert_eq!(author(unsigned, &service), Err("invalid_body"));
    let named_service = Speaker { user: Some(name("ada")), ..service };
    assert_eq!(author(unsigned, &named_service), Err("invalid_body"));
    assert_eq!(author(as_bo, &named_service), Ok("bo".to_owned()));
    for body in [unsigned, as_ada] {
        assert_eq!(author(body, &Speaker::nobody()), Err("not_your_name"));
    }
    assert_eq!(code("reserve", r#"{"participant": "bo"}"#, &ada), "not_your_name");
    assert_eq!(code("release", r#"{"id": "r", "participant": "bo"}"#, &ada), "not_your_name");
    assert_eq!(code("release", r#"{"id": "r"}"#, &ada), "fine");
}

#[test]
fn only_services_run_conversations() {
    for (event, body) in [
        ("top_up", r#"{"total": {"messages": 1}}"#),
        ("close", "{}"),
        ("reopen", "{}"),
        ("system", r#"{"text": "x"}"#),
        ("turn", r#"{"participant": "ada"}"#),
        ("configure", "{}"),
    ] {
        assert_eq!(code(event, body, &Speaker::service()), "fine", "{event}");
        assert_eq!(code(event, body, &Speaker::user(name("ada"))), "service_only", "{event}");
        assert_eq!(code(event, body, &Speaker::nobody()), "service_only", "{event}");
        assert_eq!(code(event, "null", &Speaker::service()), "invalid_body", "{event}");
    }
    assert_eq!(code("shout", "{}", &Speaker::service()), "unknown_event");
}

#[test]
fn a_reservation_has_an_id_a_message_and_a_lease_where_none_is_given() {
    let Command::Reserve(reserve) =
        command("reserve", r#"{"participant": "a", "tokens": 5}"#, &Speaker::service()).unwrap()
    else {
        panic!("it reserves")
    };
    assert_eq!(reserve.amounts, Amounts { messages: 1, tokens: 5, cost_micros: 0 });
    assert_eq!((reserve.id.as_str().len(), reserve.lease_ms), (36, 60_000));
}

#[test]
fn a_top_up_says_whose_share_it_raises() {
    let body = r#"{"total": {"messages": 5}, "per_participant": {"tokens": 6}, "duration_ms": 7,
        "participants": {"bo": {"cost_micros": 8}}}"#;
    let Command::TopUp(by) = command("top_up", body, &Speaker::service()).unwrap() else {
        panic!("it tops up")
    };
    assert_eq!((by.total.messages, by.per_participant.tokens, by.duration_ms), (5, 6, 7));
    let bo = Amounts { cost_micros: 8, ..Amounts::default() };
    assert_eq!(by.participants, [(name("bo"), bo)]);
}

fn change(json: &str) -> SetupChange {
    match command("configure", json, &Speaker::service()).unwrap() {
        Command::Configure(change) => *change,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_left_out_of_a_change_stays_and_null_takes_the_loop_rules_and_the_moderator_away() {
    assert_eq!(change("{}"), SetupChange::default());
    assert_eq!(change(r#"{"limits": null, "turns": null}"#), SetupChange::default());
    let off = change(r#"{"loops": null, "moderation": null}"#);
    assert_eq!((off.loops, off.moderation), (Some(None), Some(None)));
    let on = change(r#"{"loops": {"window": 4}, "moderation": {"url": "http://127.0.0.1/"}, "limits": {}}"#);
    assert_eq!(on.loops, Some(Some(LoopRules { window: 4, ..LoopRules::default() })));
    let moderation = on.moderation.unwrap().unwrap();
    assert_eq!((moderation.deadline_ms, moderation.on_failure), (2_000, OnFailure::Closed));
    assert_eq!(on.limits.unwrap().total, Caps::default());
    for fixed in ["participants", "owner", "parent", "tree_limits", "id"] {
        assert_eq!(code("configure", &format!("{{\"{fixed}\": null}}"), &Speaker::service()), "invalid_body");
    }
}

#[test]
fn a_conversation_is_made_from_what_is_given() {
    let body = r#"{"id": "c-1", "participants": ["ada", "bo"], "owner": "olga", "parent": "c-0",
        "limits": {"max_replies_per_participant": 2, "max_total_messages": 0, "idle_timeout_ms": 9},
        "turns": {"policy": "round_robin"}, "delivery": "withhold", "on_refusal": "silent_drop",
        "tree_limits": {"max_messages": 3, "refill_every_ms": 4}, "metadata": {"a": 1}}"#;
    let Creation { id, setup, tree } = Creation::read(body).unwrap();
    assert_eq!(id.unwrap().as_str(), "c-1");
    assert_eq!(setup.participants, [name("ada"), name("bo")]);
    assert_eq!(setup.limits.per_participant.messages, Some(2));
    assert_eq!((setup.limits.total.messages, setup.limits.total.tokens), (Some(0), None));
    assert_eq!(tree, Some((Caps { messages: Some(3), ..Caps::default() }, Some(4))));
    let empty = Creation::read("{}").unwrap();
    assert_eq!((empty.id, empty.tree), (None, None));
    let shown = serde_json::to_value(setup::SetupBody::from(setup)).unwrap();
    assert_eq!(shown["limits"]["max_replies_per_participant"], 2);
    assert_eq!(shown["limits"]["max_total_tokens"], json!(null));
    assert_eq!((&shown["turns"]["policy"], &shown["delivery"]), (&json!("round_robin"), &json!("withhold")));
}

#[test]
fn setups_that_say_nonsense_are_refused() {
    for body in [
        "null",
        "[]",
        r#"{"id": "stats"}"#,
        r#"{"id": ".."}"#,
        r#"{"id": "w-0123456789abcdef0123456789abcdef-0"}"#,
        r#"{"id": "a/b"}"#,
        r#"{"participants": "ada"}"#,
        r#"{"participants": [null]}"#,
        r#"{"limits": 5}"#,
        r#"{"limits": {"max_total_messages": -1}}"#,
        r#"{"limits": {"max_total_messages": 2.5}}"#,
        r#"{"limits": {"max_total_messages": "2"}}"#,
        r#"{"limits": {"max_messages": 2}}"#,
        r#"{"turns": {"policy": "loudest"}}"#,
        r#"{"delivery": true}"#,
        r#"{"moderation": {}}"#,
        r#"{"metadata": []}"#,
        r#"{"metadata": {"a": 1e999}}"#,
        r#"{"metadata": {"a": "\ud800"}}"#,
    ] {
        assert_eq!(Creation::read(body).map_err(|error| error.code()), Err("invalid_body"), "{body}");
    }
}

#[test]
fn a_refusal_tells_what_is_known_and_null_for_the_rest() {
    let refusal = Refusal {
        limit: Some(5),
        used: Some(5),
        remaining: Some(0),
        message_id: Some("m-1".parse().unwrap()),
        ..Refusal::plain(Code::TotalLimit, "full")
    };
    let told = serde_json::to_value(refusal::CodedRefusal::from(&refusal)).unwrap();
    assert_eq!(
        told,
        json!({
            "code": "total_limit", "detail": "full", "scope": "conversation", "limit": 5, "used": 5,
            "remaining": 0, "retry_after_ms": null, "message_id": "m-1",
        })
    );
}
