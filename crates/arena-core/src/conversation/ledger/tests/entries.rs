//! Entries as JSON.

use super::*;
use serde_json::json;

fn body(entry: &Entry) -> serde_json::Value {
    serde_json::from_str(&entry.body()).unwrap()
}

#[test]
fn a_message_says_what_was_said_and_nothing_that_was_not() {
    let mut talk = Talk::new("", limits(-1, 1));
    let data = serde_json::value::RawValue::from_string(r#"{"n": 1.50}"#.to_owned()).unwrap();
    let say = Say { id: Some(id("m1")), data: Some(data), tokens: 3, ..say("ann", "hi \"there\"") };
    let handled = talk.handle(Command::Say(say));
    let [message, end] = &handled.entries[..] else { panic!("{handled:?}") };
    let text = r#"{"id":"m1","author":"ann","text":"hi \"there\"","data":{"n": 1.50},"tokens":3}"#;
    assert_eq!((message.event(), message.body().as_str()), ("message", text));
    assert_eq!((message.message_id(), message.author()), (Some(&id("m1")), Some(&id("ann"))));
    let used = json!({"messages": 1, "tokens": 3, "cost_micros": 0});
    let counts = json!([{"participant": "ann", "used": used}]);
    assert_eq!(body(end), json!({"reason": "total_limit", "used": used, "participants": counts}));
    assert_eq!((end.message_id(), end.author()), (None, None));
}

#[test]
fn every_entry_is_read_as_it_was_written() {
    let amounts = Amounts { messages: 1, tokens: 2, cost_micros: 3 };
    let blocked = |scope, participant| {
        Entry::Blocked(Blocked {
            scope,
            participant,
            resource: Resource::Tokens,
            until_ms: Some(Timestamp(9)),
        })
    };
    let reserved = Reserved {
        id: id("r"),
        participant: id("ann"),
        amounts,
        until_ms: Timestamp(7),
        accounts: vec![AccountId::Tree(id("talk"))],
    };
    let notice = Notice {
        scope: Scope::Conversation,
        participant: None,
        resource: Resource::CostMicros,
        level: NoticeLevel::NineTenths,
        used: 9,
        limit: 10,
    };
    let message = Message {
        id: None,
        author: id("ann"),
        text: "hi".into(),
        data: None,
        tokens: 0,
        cost_micros: 5,
        reservation: Some(id("r")),
        turn: Some(id("bob")),
        notices: vec![notice],
    };
    let change = SetupChange { loops: Some(None), limits: Some(limits(1, 2)), ..SetupChange::default() };
    let by = TopUp { participants: vec![(id("ann"), amounts)], duration_ms: 5, ..TopUp::default() };
    let entries = [
        ("created", Entry::Created(Box::new(Setup { participants: roster("ann bob"), ..Setup::default() }))),
        ("message", Entry::Message(message)),
        ("system", Entry::System(SystemMessage { id: Some(id("s")), text: "note".into(), data: None })),
        ("participant_blocked", blocked(Scope::Participant, Some(id("ann")))),
        ("conversation_blocked", blocked(Scope::Conversation, None)),
        (
            "exhausted",
            Entry::Exhausted(Exhausted { reason: ExhaustedBy::Ended, used: amounts, participants: vec![] }),
        ),
        ("reopened", Entry::Reopened),
        ("reserved", Entry::Reserved(reserved)),
        ("released", Entry::Released(Released { id: id("r"), participant: id("ann"), lapsed: true })),
        ("participant_added", Entry::Added(id("ann"))),
        ("participant_removed", Entry::Removed(id("ann"))),
        ("configured", Entry::Configured { actor: "op".into(), change: Box::new(change) }),
        ("topped_up", Entry::ToppedUp { actor: "op".into(), by }),
        ("turn", Entry::Turn(Turn { participant: None, skipped: Some(id("ann")) })),
    ];
    for (event, entry) in entries {
        assert_eq!(entry.event(), event);
        let again = Entry::read(event, &entry.body()).unwrap();
        assert_eq!(format!("{again:?}"), format!("{entry:?}"));
        assert_eq!(again.body(), entry.body());
    }
}

#[test]
fn what_is_switched_off_is_not_what_is_left_alone() {
    let read =
        |change: &str| match Entry::read("configured", &format!(r#"{{"actor":"op","change":{change}}}"#)) {
            Ok(Entry::Configured { change, .. }) => change.loops,
            other => panic!("{other:?}"),
        };
    assert_eq!(read("{}"), None);
    assert_eq!(read(r#"{"loops":null}"#), Some(None));
}

#[test]
fn what_cannot_be_read_is_an_error() {
    let bodies =
        ["", "null", "\"text\"", "{}", "[]", r#"{"author":"","text":"x"}"#, r#"{"text":"nobody said it"}"#];
    for body in bodies {
        assert!(
            matches!(Entry::read("message", body), Err(EntryError::Body { event: "message", .. })),
            "{body}"
        );
    }
    assert!(matches!(Entry::read("gossip", "{}"), Err(EntryError::Unknown(name)) if name == "gossip"));
}

#[test]
fn a_ledger_begins_with_its_creation_only() {
    assert!(Ledger::open(&Entry::Reopened, Timestamp(0)).is_none());
}

#[test]
fn the_setup_in_the_log_is_short_and_names_its_root() {
    let talk = Talk::new("ann bob", limits(-1, 5));
    let created = body(&talk.log[0].0);
    assert_eq!(
        created,
        json!({
            "participants": ["ann", "bob"],
            "limits": {"total": {"messages": 5, "tokens": null, "cost_micros": null}},
            "root": "talk",
        })
    );
}
