//! What clients write. The golden files show whole messages; here are the corners.

use arena_realtime::codec::{
    Body, ClientMessage, DecodeError, Ref, UnknownVsn, UserPayload, Vsn, decode_binary, decode_text,
};

fn v1(text: &str) -> ClientMessage<'_> {
    decode_text(Vsn::V1, text).unwrap()
}

fn v2(text: &str) -> ClientMessage<'_> {
    decode_text(Vsn::V2, text).unwrap()
}

fn json<'a>(message: &ClientMessage<'a>) -> &'a str {
    match message.body {
        Body::Json(json) => json.get(),
        ref other => panic!("{other:?}"),
    }
}

/// Event, meta and payload.
fn user_broadcast<'m>(message: &'m ClientMessage<'_>) -> (&'m str, Option<&'m str>, &'m [u8]) {
    let Body::UserBroadcast { event, meta, payload } = &message.body else { panic!("{message:?}") };
    let payload = match payload {
        UserPayload::Json(json) => json.get().as_bytes(),
        UserPayload::Binary(bytes) => bytes,
    };
    (event, meta.map(|meta| meta.get()), payload)
}

/// `parts` behind their kind and their lengths.
fn binary(kind: u8, parts: &[&str], encoding: Option<u8>, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![kind];
    out.extend(parts.iter().map(|part| part.len() as u8));
    out.extend(encoding);
    out.extend(parts.iter().flat_map(|part| part.bytes()));
    out.extend(payload);
    out
}

#[test]
fn versions_are_told_by_the_query() {
    assert_eq!(Vsn::from_query(None), Ok(Vsn::V1));
    assert_eq!(Vsn::from_query(Some("1.0.0")), Ok(Vsn::V1));
    assert_eq!(Vsn::from_query(Some("2.0.0")), Ok(Vsn::V2));
    for unknown in ["", "2", "3.0.0", " 2.0.0", &"9".repeat(10_000)] {
        let refused: UnknownVsn = Vsn::from_query(Some(unknown)).unwrap_err();
        assert!(refused.to_string().len() < 100);
    }
}

#[test]
fn refs_come_back_as_they_were_written() {
    for reference in [r#""1""#, r#""ab-\"c\u00e9""#, "7", "-1", "1.5"] {
        let text = format!(r#"[{reference},{reference},"t","e",{{}}]"#);
        let message = v2(&text);
        assert_eq!(message.join_ref.unwrap().as_json(), reference);
        assert_eq!(message.reference.unwrap().into_owned().as_json(), reference);
    }
    let message = v2(r#"[null,null,"t","e",{}]"#);
    assert_eq!((message.join_ref, message.reference), (None, None));
    assert_eq!(v1(r#"{"topic":"t","event":"e","payload":{},"ref":"1"}"#).reference, Some(Ref::from("1")));
}

#[test]
fn refs_are_strings_or_numbers_and_short() {
    for bad in ["{}", "[1]", "true"] {
        let text = format!(r#"[{bad},null,"t","e",{{}}]"#);
        assert!(matches!(decode_text(Vsn::V2, &text), Err(DecodeError::BadRef)), "{bad}");
        let text = format!(r#"{{"topic":"t","event":"e","payload":{{}},"ref":{bad}}}"#);
        assert!(matches!(decode_text(Vsn::V1, &text), Err(DecodeError::BadRef)), "{bad}");
    }
    let text = |len| format!(r#"["{}",null,"t","e",{{}}]"#, "r".repeat(len));
    assert!(decode_text(Vsn::V2, &text(255)).is_ok());
    assert!(matches!(decode_text(Vsn::V2, &text(256)), Err(DecodeError::TooLong { .. })));
}

#[test]
fn payloads_pass_through_untouched() {
    for payload in ["null", "1e400", r#"{"a": [1,  2.50],"a":"\u00e9\/"}"#, r#""text""#, "[]"] {
        assert_eq!(json(&v2(&format!(r#"["1","2","t","e",{payload}]"#))), payload);
        let text = format!(r#"{{"topic":"t","event":"e","payload": {payload} ,"ref":null}}"#);
        assert_eq!(json(&v1(&text)), payload);
    }
    assert_eq!(json(&v1(r#"{"topic":"t","event":"e"}"#)), "null");
}

#[test]
fn escapes_in_topics_and_events_are_undone_and_others_cost_nothing() {
    let message = v2(r#"[null,null,"realtime:\u00fc\"","e\n",{}]"#);
    assert_eq!((&*message.topic, &*message.event), ("realtime:ü\"", "e\n"));
    let message = v1(r#"{"topic":"realtime:ü","event":"e","payload":{}}"#);
    assert!(matches!(message.topic, std::borrow::Cow::Borrowed("realtime:ü")));
    assert!(matches!(message.event, std::borrow::Cow::Borrowed("e")));
}

#[test]
fn keys_that_nobody_knows_are_ignored() {
    let message = v1(r#"{"extra":[{}],"ref":"1","payload":{},"event":"e","topic":"t","join_ref":"0"}"#);
    assert_eq!((&*message.topic, message.join_ref), ("t", Some(Ref::from("0"))));
}

#[test]
fn malformed_text_is_refused() {
    for bad in ["", "{", "null", "1", r#"{"topic":"t"}"#, r#"{"event":"e"}"#, r#"{"topic":null,"event":"e"}"#]
    {
        assert!(matches!(decode_text(Vsn::V1, bad), Err(DecodeError::Malformed(_))), "{bad}");
    }
    for bad in
        ["", "[", "{}", "[]", r#"["1","2","t","e"]"#, r#"["1","2","t","e",{},1]"#, r#"["1","2",3,"e",{}]"#]
    {
        assert!(matches!(decode_text(Vsn::V2, bad), Err(DecodeError::Malformed(_))), "{bad}");
    }
    assert!(matches!(decode_text(Vsn::V1, r#"["t","e",{},"1","2"]"#), Err(DecodeError::Malformed(_))));
    for bad in [r#""text""#, "[]", r#"["e",{},null]"#, "1", "null", r#"{"event":1}"#] {
        let text = format!(r#"[null,null,"t","broadcast",{bad}]"#);
        assert!(matches!(decode_text(Vsn::V2, &text), Err(DecodeError::Malformed(_))), "{bad}");
    }
}

#[test]
fn deep_nesting_does_not_exhaust_the_stack() {
    let deep = "[".repeat(200_000);
    assert!(decode_text(Vsn::V2, &format!(r#"[null,null,"t","e",{deep}]"#)).is_err());
    let closed = deep.clone() + &"]".repeat(200_000);
    assert_eq!(json(&v2(&format!(r#"[null,null,"t","e",{closed}]"#))), closed);
    assert!(decode_binary(&binary(3, &["", "", "t", "e", ""], Some(1), deep.as_bytes())).is_err());
}

#[test]
fn a_broadcast_is_the_same_in_every_frame() {
    let object = r#"{"type":"broadcast","event":"cursor","payload":{"x":1},"meta":{"id":"m1"}}"#;
    let text1 = format!(r#"{{"topic":"realtime:r","event":"broadcast","payload":{object},"ref":"7"}}"#);
    let text2 = format!(r#"["1","7","realtime:r","broadcast",{object}]"#);
    let frame = binary(3, &["1", "7", "realtime:r", "cursor", r#"{"id":"m1"}"#], Some(1), br#"{"x":1}"#);
    for message in [v1(&text1), v2(&text2), decode_binary(&frame).unwrap()] {
        assert_eq!((&*message.topic, &*message.event), ("realtime:r", "broadcast"));
        assert_eq!(message.reference, Some(Ref::from("7")));
        assert_eq!(user_broadcast(&message), ("cursor", Some(r#"{"id":"m1"}"#), &br#"{"x":1}"#[..]));
        assert_eq!(message.body.broadcast_id().as_deref(), Some("m1"));
    }
}

#[test]
fn a_broadcast_may_leave_things_out() {
    let message = v2(r#"[null,null,"t","broadcast",{}]"#);
    assert_eq!(user_broadcast(&message), ("", None, &b"{}"[..]));
    assert_eq!(message.body.broadcast_id(), None);
    let message = v2(r#"[null,null,"t","broadcast",{"event":"e","payload":null,"meta":null}]"#);
    assert_eq!(user_broadcast(&message), ("e", None, &b"{}"[..]));
    for meta in [r#"{"id":""}"#, r#"{"id":5}"#, "[]", "{}"] {
        let text = format!(r#"[null,null,"t","broadcast",{{"meta":{meta}}}]"#);
        assert_eq!(v2(&text).body.broadcast_id(), None, "{meta}");
    }
}

/// Hex as realtime-js 2.119.0 wrote it.
#[test]
fn frames_of_realtime_js_are_understood() {
    let hex = |text: &str| -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    };
    let bytes =
        hex("0301011006000131377265616c74696d653a726f6f6d3ac3bc637572736f727b2278223a312c2279223a22c3a9227d");
    let message = decode_binary(&bytes).unwrap();
    assert_eq!((&*message.topic, &message.join_ref), ("realtime:room:ü", &Some(Ref::from("1"))));
    assert_eq!(user_broadcast(&message), ("cursor", None, r#"{"x":1,"y":"é"}"#.as_bytes()));
    let bytes =
        hex("0301010f03100031387265616c74696d653a726f6f6d3a317261777b2270657273697374223a747275657d00ff01");
    let message = decode_binary(&bytes).unwrap();
    assert_eq!((&*message.topic, &message.reference), ("realtime:room:1", &Some(Ref::from("8"))));
    assert_eq!(user_broadcast(&message), ("raw", Some(r#"{"persist":true}"#), &[0, 255, 1][..]));
    let bytes = hex("0301010f04000131397265616c74696d653a726f6f6d3a31626172657b7d");
    assert_eq!(user_broadcast(&decode_binary(&bytes).unwrap()), ("bare", None, &b"{}"[..]));
}

#[test]
fn plain_phoenix_pushes_carry_bytes() {
    let bytes = binary(0, &["1", "", "realtime:r", "upload"], None, &[0xff, 0]);
    let message = decode_binary(&bytes).unwrap();
    assert_eq!((message.join_ref, message.reference), (Some(Ref::from("1")), None));
    assert_eq!((&*message.topic, &*message.event), ("realtime:r", "upload"));
    assert!(matches!(message.body, Body::Binary([0xff, 0])));
}

#[test]
fn binary_messages_that_are_cut_short_are_refused() {
    for whole in [
        binary(0, &["1", "2", "topic", "event"], None, b""),
        binary(3, &["1", "2", "topic", "event", "{}"], Some(0), b""),
    ] {
        assert!(decode_binary(&whole).is_ok());
        for len in 0..whole.len() {
            let result = decode_binary(&whole[..len]);
            assert!(matches!(result, Err(DecodeError::Truncated)), "{len}: {result:?}");
        }
    }
}

#[test]
fn malformed_binary_messages_are_refused() {
    for kind in [1, 2, 4, 5, 255] {
        let bytes = [kind, 0, 0, 0, 0, 0, 0];
        let result = decode_binary(&bytes);
        assert!(matches!(result, Err(DecodeError::UnknownKind(k)) if k == kind));
    }
    let parts = ["1", "2", "t", "e", ""];
    assert!(matches!(
        decode_binary(&binary(3, &parts, Some(2), b"{}")),
        Err(DecodeError::UnknownEncoding(2))
    ));
    for bad in [&b""[..], b"{", b"{} {}", b"\"\xff\""] {
        assert!(matches!(decode_binary(&binary(3, &parts, Some(1), bad)), Err(DecodeError::Malformed(_))));
    }
    let meta = ["1", "2", "t", "e", "{"];
    assert!(matches!(decode_binary(&binary(3, &meta, Some(1), b"{}")), Err(DecodeError::Malformed(_))));
    let mut bytes = binary(3, &parts, Some(0), b"");
    bytes[9] = 0xff;
    assert!(matches!(decode_binary(&bytes), Err(DecodeError::NotUtf8("the topic"))));
}

#[test]
fn names_that_no_binary_frame_could_carry_are_refused() {
    let long = "é".repeat(128);
    for text in [
        format!(r#"[null,null,"{long}","e",{{}}]"#),
        format!(r#"[null,null,"t","{long}",{{}}]"#),
        format!(r#"[null,null,"t","broadcast",{{"event":"{long}"}}]"#),
    ] {
        assert!(matches!(decode_text(Vsn::V2, &text), Err(DecodeError::TooLong { limit: 255, .. })));
    }
    assert!(decode_text(Vsn::V2, &format!(r#"[null,null,"t","{}",{{}}]"#, &long[..254])).is_ok());
}
