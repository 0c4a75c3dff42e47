use super::*;
use crate::codec::{Body, Dialect, JoinConfig, Ref, Status, UserPayload, Vsn, decode_text, server};
use arena_bus::Payload;
use proptest::prelude::*;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

const BOTH: [Vsn; 2] = [Vsn::V1, Vsn::V2];

fn raw(value: &Value) -> Box<RawValue> {
    to_raw_value(value).unwrap()
}

fn value(raw: &RawValue) -> Value {
    serde_json::from_str(raw.get()).unwrap()
}

/// What is behind the header of a server's frame, which has no mask: its length takes 1, 3 or 9 bytes.
fn content(frame: &[u8]) -> &[u8] {
    match frame[1] {
        126 => &frame[4..],
        127 => &frame[10..],
        _ => &frame[2..],
    }
}

fn text(frame: &[u8]) -> &str {
    std::str::from_utf8(content(frame)).unwrap()
}

#[test]
fn the_server_reads_what_clients_write_in_both_versions() {
    let payload = raw(&json!({"a": "ä\"b"}));
    for vsn in BOTH {
        let out = Outgoing {
            join_ref: Some("3"),
            reference: Some("7"),
            topic: "realtime:lobby:main",
            event: "presence",
            payload: &payload,
        };
        let frame = out.encode(vsn);
        let message = decode_text(vsn, &frame).unwrap();
        assert_eq!(message.join_ref, Some(Ref::from("3")));
        assert_eq!(message.reference, Some(Ref::from("7")));
        assert_eq!((&*message.topic, &*message.event), ("realtime:lobby:main", "presence"));
        let Body::Json(read) = message.body else { panic!("JSON") };
        assert_eq!(value(read), json!({"a": "ä\"b"}));
    }
}

#[test]
fn a_heartbeat_is_one_in_both_versions() {
    let empty = raw(&json!({}));
    for vsn in BOTH {
        let frame = Outgoing::heartbeat("9", &empty).encode(vsn);
        let message = decode_text(vsn, &frame).unwrap();
        assert_eq!((&*message.topic, &*message.event), ("phoenix", "heartbeat"));
        assert_eq!((message.join_ref, message.reference), (None, Some(Ref::from("9"))));
    }
}

#[test]
fn the_server_finds_everything_in_a_join() {
    let recover = raw(&json!({"id": "x", "offset": 12, "epoch": "e1"}));
    let request = JoinRequest {
        ack: true,
        own: true,
        private: true,
        presence_key: Some("bot-ada"),
        watches_presence: false,
        recover: Some(&recover),
        access_token: Some("a.b.c"),
    };
    let payload = request.payload();
    let (config, complaints) = JoinConfig::parse(&payload);
    assert_eq!(complaints, []);
    assert!(config.broadcast.ack && config.broadcast.own && config.private && config.names_changes);
    assert_eq!(config.presence.key.as_deref(), Some("bot-ada"));
    assert!(!config.presence.enabled);
    assert_eq!(config.access_token.as_deref(), Some("a.b.c"));
    assert!(!format!("{request:?}").contains("a.b.c"));
    let plain = JoinRequest::default().payload();
    let (config, complaints) = JoinConfig::parse(&plain);
    assert_eq!(complaints, []);
    assert_eq!((config.recover, config.access_token, config.presence.key), (None, None, None));
}

#[test]
fn a_place_to_recover_from_arrives_as_offset_and_epoch() {
    let recover = raw(&json!({"offset": 12, "epoch": "e1"}));
    let request = JoinRequest { recover: Some(&recover), ..JoinRequest::default() };
    let (config, _) = JoinConfig::parse(&request.payload());
    let position = config.recover.unwrap();
    assert_eq!((position.offset, position.epoch.as_str()), (12, "e1"));
}

#[test]
fn broadcasts_and_presence_arrive_as_such() {
    let said = user_broadcast_payload("message", &json!({"text": "hello"}));
    for vsn in BOTH {
        let out = Outgoing {
            join_ref: Some("1"),
            reference: Some("2"),
            topic: "realtime:a",
            event: "broadcast",
            payload: &said,
        };
        let frame = out.encode(vsn);
        let Body::UserBroadcast { event, payload: UserPayload::Json(payload), .. } =
            decode_text(vsn, &frame).unwrap().body
        else {
            panic!("a broadcast")
        };
        assert_eq!((&*event, value(payload)), ("message", json!({"text": "hello"})));
    }
    let track = presence_payload(Some(&json!({"bot": true})));
    assert_eq!(value(&track), json!({"type": "presence", "event": "track", "payload": {"bot": true}}));
    let untrack = presence_payload::<Value>(None);
    assert_eq!(value(&untrack), json!({"type": "presence", "event": "untrack"}));
}

#[test]
fn clients_read_the_servers_replies_in_both_versions() {
    for vsn in BOTH {
        let (join, reference) = (Ref::from("1"), Ref::from("5"));
        let frame = server::reply(
            vsn,
            Some(&join),
            Some(&reference),
            "realtime:a",
            Status::Error,
            r#"{"reason":"PrivateOnly: no"}"#,
        );
        let ServerMessage::Reply { reference, topic, status, response, .. } =
            decode_server_text(vsn, text(&frame)).unwrap()
        else {
            panic!("a reply")
        };
        assert_eq!((&*reference, &*topic, status), ("5", "realtime:a", Status::Error));
        assert_eq!(value(response), json!({"reason": "PrivateOnly: no"}));
    }
}

#[test]
fn a_close_names_its_join_in_both_versions() {
    for vsn in BOTH {
        let join = Ref::from("4");
        let frame = server::push(vsn, Some(&join), "realtime:a", "phx_close", "{}");
        let ServerMessage::Push { join_ref, event, .. } = decode_server_text(vsn, text(&frame)).unwrap()
        else {
            panic!("a push")
        };
        assert_eq!((join_ref.as_deref(), &*event), (Some("4"), "phx_close"));
    }
}

fn message(payload: Payload) -> arena_bus::Message {
    arena_bus::Message {
        event: "chat".into(),
        payload,
        given_id: None,
        author: None,
        from: None,
        audience: None,
        offset: 4,
        epoch: arena_bus::Epoch::from("e1"),
        transient: false,
        sequence: 4,
        at_ms: 0,
    }
}

#[test]
fn clients_read_the_servers_broadcasts_of_every_dialect() {
    let json = message(Payload::Json(r#"{"n":1}"#.into()));
    for dialect in [Dialect::V1, Dialect::V2, Dialect::Phoenix] {
        let frame = server::broadcast(dialect, "realtime:a", &json, true).unwrap();
        let ServerMessage::Broadcast { topic, event, meta, payload: UserPayload::Json(payload) } =
            decode_server_text(dialect.vsn(), text(&frame)).unwrap()
        else {
            panic!("a broadcast")
        };
        assert_eq!((&*topic, &*event, value(payload)), ("realtime:a", "chat", json!({"n": 1})));
        assert_eq!(value(meta.unwrap())["replayed"], json!(true));
    }
    let bytes = message(Payload::Binary(vec![0, 255, 7].into()));
    for (dialect, has_meta) in [(Dialect::V2, true), (Dialect::Phoenix, false)] {
        let frame = server::broadcast(dialect, "realtime:a", &bytes, false).unwrap();
        let ServerMessage::Broadcast { topic, event, meta, payload: UserPayload::Binary(payload) } =
            decode_server_binary(Vsn::V2, content(&frame)).unwrap()
        else {
            panic!("bytes")
        };
        assert_eq!((&*topic, &*event, payload), ("realtime:a", "chat", &[0, 255, 7][..]));
        assert_eq!(meta.is_some(), has_meta);
    }
}

#[test]
fn what_is_no_message_has_a_typed_error() {
    use ServerError::*;
    let of = |text| decode_server_text(Vsn::V2, text).unwrap_err();
    assert!(matches!(of("nonsense"), Malformed(_)));
    assert!(matches!(of("{}"), Malformed(_)));
    assert!(matches!(of(r#"[null,null,"t","phx_reply",{"status":"ok"}]"#), ReplyToNothing));
    assert!(matches!(of(r#"[null,"1","t","phx_reply",{"status":"maybe"}]"#), BadStatus));
    assert!(matches!(of(r#"[null,"1","t","phx_reply",[]]"#), Malformed(_)));
    assert!(matches!(of(r#"[{},"1","t","x",{}]"#), BadRef));
    assert!(matches!(of(r#"[null,"1",5,"x",{}]"#), Malformed(_)));
    assert!(matches!(of(r#"[null,null,"t","broadcast",[1]]"#), Malformed(_)));
    let of = |bytes| decode_server_binary(Vsn::V2, bytes).unwrap_err();
    assert!(matches!(of(&[]), Truncated));
    assert!(matches!(of(&[4, 200, 1, 0, 0, 1]), Truncated));
    assert!(matches!(of(&[9]), UnknownKind(9)));
    assert!(matches!(of(&[4, 1, 1, 0, 7, b't', b'e']), UnknownEncoding(7)));
    assert!(matches!(of(&[2, 1, 1, 255, b'e']), NotUtf8("the topic")));
    assert!(matches!(decode_server_binary(Vsn::V1, &[2, 0, 0]).unwrap_err(), Binary));
}

#[test]
fn plain_phoenix_binary_kinds_are_read() {
    let reply = decode_server_binary(Vsn::V2, b"\x01\x01\x01\x01\x0217tok\x09").unwrap();
    let ServerMessage::Reply { join_ref, reference, topic, status, .. } = reply else { panic!("a reply") };
    assert_eq!((join_ref.as_deref(), &*reference, &*topic, status), (Some("1"), "7", "t", Status::Ok));
    let push = decode_server_binary(Vsn::V2, b"\x00\x01\x01\x021tev\x09").unwrap();
    let ServerMessage::Push { join_ref, topic, event, .. } = push else { panic!("a push") };
    assert_eq!((join_ref.as_deref(), &*topic, &*event), (Some("1"), "t", "ev"));
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), text in ".{0,200}") {
        for vsn in BOTH {
            let _ = decode_server_binary(vsn, &bytes);
            let _ = decode_server_text(vsn, &text);
        }
    }

    #[test]
    fn what_is_nearly_a_message_does_not_either(
        event in "phx_reply|broadcast|system|phx_close|presence_state",
        refs in "null|\"[0-9]\"|[0-9]{1,3}|\\{\\}|true",
        payload in "null|\\{\\}|\\[\\]|7|\"x\"|\\{\"status\":(\"ok\"|7)\\}|\\{\"event\":(\"e\"|\\{\\})\\}",
        kind in 0u8..6, lens in any::<[u8; 5]>(), rest in proptest::collection::vec(any::<u8>(), 0..600),
    ) {
        let text = format!("[{refs},{refs},\"t\",\"{event}\",{payload}]");
        let _ = decode_server_text(Vsn::V2, &text);
        let text = format!("{{\"topic\":\"t\",\"event\":\"{event}\",\"payload\":{payload},\"ref\":{refs}}}");
        let _ = decode_server_text(Vsn::V1, &text);
        let bytes: Vec<u8> = [kind].into_iter().chain(lens).chain(rest).collect();
        let _ = decode_server_binary(Vsn::V2, &bytes);
    }

    #[test]
    fn whatever_a_client_writes_the_server_reads_as_it_was_meant(
        topic in "realtime:[a-zé\"\\\\]{1,40}", event in ".{1,40}", reference in ".{1,20}", text in ".{0,80}",
    ) {
        let said = user_broadcast_payload(&event, &json!({ "text": text }));
        for vsn in BOTH {
            let out = Outgoing {
                join_ref: None, reference: Some(&reference), topic: &topic, event: "broadcast", payload: &said,
            };
            let frame = out.encode(vsn);
            let read = decode_text(vsn, &frame).unwrap();
            prop_assert_eq!(&*read.topic, topic.as_str());
            prop_assert_eq!(read.reference, Some(Ref::from(reference.as_str())));
            let Body::UserBroadcast { event: read_event, payload: UserPayload::Json(payload), .. } = read.body else {
                panic!("a broadcast")
            };
            prop_assert_eq!(&*read_event, event.as_str());
            prop_assert_eq!(value(payload), json!({ "text": text }));
        }
    }
}
