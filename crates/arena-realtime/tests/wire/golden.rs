//! Every kind of frame, as files to read. CONTRIBUTING.md says how to write them anew.

use arena_bus::{Epoch, Message, Payload};
use arena_realtime::codec::server::{self, Status};
use arena_realtime::codec::{ClientMessage, Dialect, Ref, Vsn, decode_binary, decode_text};
use arena_realtime::frame;
use bytes::Bytes;
use std::fmt::Write as _;
use std::path::PathBuf;
use tungstenite::protocol::frame::FrameHeader;

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

#[track_caller]
fn check(name: &str, text: &str) {
    let path = directory().join(name).with_extension("txt");
    if std::env::var_os("ARENA_UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(directory()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(text, golden, "{name}; CONTRIBUTING.md says how to update it");
}

/// A server's frame: what it is for, its header, its payload.
fn show(title: &str, frame: &[u8]) -> String {
    let mut cursor = std::io::Cursor::new(frame);
    let (header, len) = FrameHeader::parse(&mut cursor).unwrap().unwrap();
    let payload = &frame[cursor.position() as usize..];
    assert_eq!((payload.len() as u64, header.mask, header.is_final), (len, None, true));
    let payload = match std::str::from_utf8(payload) {
        Ok(text) if !text.contains(char::is_control) => text.to_owned(),
        _ => dump(payload),
    };
    format!("# {title}\n{:?}, {len} bytes\n{}\n\n", header.opcode, payload.trim_end())
}

/// Sixteen bytes a line, in hex and as text.
fn dump(bytes: &[u8]) -> String {
    let mut out = String::new();
    for line in bytes.chunks(16) {
        let hex: Vec<_> = line.iter().map(|byte| format!("{byte:02x}")).collect();
        let printable = |byte: &u8| if byte.is_ascii_graphic() { char::from(*byte) } else { '.' };
        let text: String = line.iter().map(printable).collect();
        writeln!(out, "{:47}  {text}", hex.join(" ")).unwrap();
    }
    out
}

/// The same frame for both versions.
fn both(title: &str, frame: impl Fn(Vsn) -> Bytes) -> String {
    [(Vsn::V1, "1.0.0"), (Vsn::V2, "2.0.0")]
        .map(|(vsn, name)| show(&format!("{title}, vsn {name}"), &frame(vsn)))
        .concat()
}

const TOPIC: &str = "realtime:lobby:main";

fn message(payload: Payload) -> Message {
    Message {
        event: "cursor".into(),
        payload,
        given_id: None,
        author: None,
        from: None,
        audience: None,
        offset: 42,
        epoch: Epoch::from("0123456789ab"),
        transient: false,
        sequence: 50,
        at_ms: 1_764_000_000_000,
    }
}

#[test]
fn golden_reply() {
    let (join_ref, reference) = (Ref::from("1"), Ref::from("7"));
    let text = both("a join is answered", |vsn| {
        let response = r#"{"postgres_changes":[]}"#;
        server::reply(vsn, Some(&join_ref), Some(&reference), TOPIC, Status::Ok, response)
    }) + &both("a join is refused", |vsn| {
        let response = r#"{"reason":"Unauthorized: You do not have permissions to read from this Channel topic: lobby:main"}"#;
        server::reply(vsn, Some(&join_ref), Some(&reference), TOPIC, Status::Error, response)
    }) + &both("a heartbeat without a ref", |vsn| {
        server::reply(vsn, None, None, "phoenix", Status::Ok, "{}")
    });
    check("reply", &text);
}

#[test]
fn golden_reply_to_odd_refs() {
    let odd = decode_text(Vsn::V2, r#"[12,"a\"b\u00e9","realtime:a\"b\\c\u0001é","x",{}]"#).unwrap();
    let text = both("refs and topics that need care", |vsn| {
        server::reply(vsn, odd.join_ref.as_ref(), odd.reference.as_ref(), &odd.topic, Status::Ok, "{}")
    });
    check("reply-odd", &text);
}

#[test]
fn golden_lifecycle() {
    let join_ref = Ref::from("1");
    let of = |event: &str| both(event, |vsn| server::push(vsn, Some(&join_ref), TOPIC, event, "{}"));
    check("lifecycle", &(of("phx_close") + &of("phx_error")));
}

#[test]
fn golden_system() {
    let payload = r#"{"extension":"system","status":"error","message":"Too many messages per second","channel":"lobby:main"}"#;
    let join_ref = Ref::from("1");
    check("system", &both("system", |vsn| server::push(vsn, Some(&join_ref), TOPIC, "system", payload)));
}

#[test]
fn golden_presence() {
    let join_ref = Ref::from("1");
    let text = both("presence_state, to one member", |vsn| {
        let state = r#"{"ada":{"metas":[{"phx_ref":"F1","name":"Ada"}]}}"#;
        server::push(vsn, Some(&join_ref), TOPIC, "presence_state", state)
    }) + &both("presence_diff, to all members", |vsn| {
        let diff = r#"{"joins":{"ada":{"metas":[{"phx_ref":"F2","phx_ref_prev":"F1"}]}},"leaves":{"ada":{"metas":[{"phx_ref":"F1"}]}}}"#;
        server::push(vsn, None, TOPIC, "presence_diff", diff)
    });
    check("presence", &text);
}

#[test]
fn golden_broadcast() {
    let json = message(Payload::Json(Bytes::from_static(br#"{"x":1, "y":2.50}"#)));
    let named = Message {
        given_id: Some("m\"1".into()),
        event: "say \"hi\"\n".into(),
        ..message(json.payload.clone())
    };
    let transient = Message { transient: true, ..message(json.payload.clone()) };
    let text = both("JSON", |vsn| server::broadcast(Dialect::of(vsn, true), TOPIC, &json, false).unwrap())
        + &both("JSON, replayed, with an id and an event that need escapes", |vsn| {
            server::broadcast(Dialect::of(vsn, true), TOPIC, &named, true).unwrap()
        })
        + &both("JSON, transient", |vsn| {
            server::broadcast(Dialect::of(vsn, true), TOPIC, &transient, false).unwrap()
        });
    check("broadcast", &text);
}

#[test]
fn golden_broadcast_of_bytes() {
    let bytes = message(Payload::Binary(Bytes::from_static(&[0, 1, 0xfe, 0xff])));
    let long = Message { given_id: Some("i".repeat(240).into()), ..message(bytes.payload.clone()) };
    let text = show("bytes", &server::broadcast(Dialect::V2, TOPIC, &bytes, false).unwrap())
        + &show("bytes, replayed", &server::broadcast(Dialect::V2, TOPIC, &bytes, true).unwrap())
        + &show(
            "bytes with an id too long for meta",
            &server::broadcast(Dialect::V2, TOPIC, &long, false).unwrap(),
        );
    let phoenix = server::broadcast(Dialect::Phoenix, TOPIC, &bytes, false).unwrap();
    check("broadcast-binary", &(text + &show("bytes, for Phoenix's own client", &phoenix)));
    assert!(server::broadcast(Dialect::V1, TOPIC, &bytes, false).is_none(), "version 1 has no binary frames");
    let unheard = Message { event: "e".repeat(256).into(), ..message(bytes.payload.clone()) };
    assert!(
        server::broadcast(Dialect::V2, TOPIC, &unheard, false).is_none(),
        "an event that no frame can carry"
    );
}

#[test]
fn golden_control() {
    let text = show("ping", &frame::ping(b"?"))
        + &show("pong", &frame::pong(b"?"))
        + &show("close", &frame::close(1012, "service restart"));
    check("control", &text);
}

fn show_client(title: &str, input: &str, message: &ClientMessage<'_>) -> String {
    let ClientMessage { join_ref, reference, topic, event, body } = message;
    let json = |reference: &Option<Ref<'_>>| reference.as_ref().map_or("-".to_owned(), Ref::to_string);
    format!(
        "# {title}\n{}\njoin_ref {}, ref {}, topic {topic}, event {event}\n{body:?}\n\n",
        input.trim_end(),
        json(join_ref),
        json(reference)
    )
}

#[test]
fn golden_client_text() {
    let mut out = String::new();
    for (title, vsn, text) in [
        (
            "realtime-js joins",
            Vsn::V2,
            r#"["1","1","realtime:room:1","phx_join",{"config":{"broadcast":{"ack":false,"self":false},"presence":{"key":"","enabled":false},"postgres_changes":[],"private":false},"access_token":"t"}]"#,
        ),
        (
            "realtime-py joins",
            Vsn::V1,
            r#"{"event":"phx_join","topic":"realtime:room:1","payload":{"config":{"broadcast":null,"presence":null,"private":false,"postgres_changes":[]}},"ref":"1","join_ref":"1"}"#,
        ),
        ("a heartbeat", Vsn::V2, r#"[null,"2","phoenix","heartbeat",{}]"#),
        (
            "realtime-py's heartbeat",
            Vsn::V1,
            r#"{"topic":"phoenix","event":"heartbeat","payload":{},"ref":null}"#,
        ),
        (
            "a broadcast in version 1",
            Vsn::V1,
            r#"{"topic":"realtime:room:1","event":"broadcast","payload":{"type":"broadcast","event":"cursor","payload":{"x":1}},"ref":"3"}"#,
        ),
        (
            "a broadcast with an id in version 2",
            Vsn::V2,
            r#"["1","3","realtime:room:1","broadcast",{"type":"broadcast","event":"cursor","payload":{"x":1},"meta":{"id":"m1"}}]"#,
        ),
        (
            "a member is tracked",
            Vsn::V2,
            r#"["1","4","realtime:room:1","presence",{"type":"presence","event":"track","payload":{"name":"Ada"}}]"#,
        ),
        ("a new token", Vsn::V2, r#"["1","5","realtime:room:1","access_token",{"access_token":"t2"}]"#),
        ("a member leaves", Vsn::V2, r#"["1","6","realtime:room:1","phx_leave",{}]"#),
    ] {
        out += &show_client(title, text, &decode_text(vsn, text).unwrap());
    }
    check("client-text", &out);
}

#[test]
fn golden_client_binary() {
    let mut out = String::new();
    for (title, bytes) in [
        ("a broadcast of JSON", &b"\x03\x01\x01\x0f\x06\x00\x0117realtime:room:1cursor{\"x\":1}"[..]),
        (
            "a broadcast of bytes",
            b"\x03\x01\x01\x0f\x03\x10\x0018realtime:room:1raw{\"persist\":true}\x00\xff\x01",
        ),
        ("a plain push of bytes", b"\x00\x01\x01\x0f\x0619realtime:room:1upload\x00\xff"),
    ] {
        out += &show_client(title, &dump(bytes), &decode_binary(bytes).unwrap());
    }
    check("client-binary", &out);
}
