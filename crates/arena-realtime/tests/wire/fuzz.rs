//! Random bytes. An ordinary test run makes inputs for a moment; CONTRIBUTING.md says how to search for longer.

use super::reading::{Outcome, Seen, lcg, read, read_chopped};
use arena_realtime::codec::{Body, JoinConfig, Vsn, decode_binary, decode_text, server};
use arena_realtime::frame::{Opcode, mask};
use serde_json::value::RawValue;
use std::time::Duration;

/// How long each target runs within the ordinary tests.
const TEST_TIME: Duration = Duration::from_millis(700);
const MAX: usize = 300;

/// Neither frames nor messages make the gateway panic; how bytes are chopped changes nothing.
#[test]
fn arbitrary_bytes_are_read_without_harm() {
    bolero::check!().with_test_time(TEST_TIME).for_each(|bytes: &[u8]| {
        let (seen, error) = read(bytes, MAX);
        let mut random = lcg(bytes.len() as u64);
        let chopped = read_chopped(bytes, MAX, &mut || (random() % 9) as usize);
        assert_eq!((&seen, &error), (&chopped.0, &chopped.1));
        decode_all((seen, error));
    });
}

/// The same behind a frame's header, which random bytes seldom get right.
#[test]
fn arbitrary_messages_are_decoded_without_harm() {
    bolero::check!().with_test_time(TEST_TIME).for_each(|bytes: &[u8]| {
        let frames = [mask(Opcode::Text, bytes, [1, 2, 3, 4]), mask(Opcode::Binary, bytes, [5, 6, 7, 8])];
        for frame in frames {
            decode_all(read(&frame, usize::MAX));
        }
    });
}

fn decode_all((seen, error): Outcome) {
    assert!(error.is_none_or(|error| [1002, 1007, 1009].contains(&error.close_code())));
    for seen in seen {
        let _ = match &seen {
            Seen::Text(text) => {
                for vsn in [Vsn::V1, Vsn::V2] {
                    let _ = decode_text(vsn, text).map(|message| answer(vsn, &message));
                }
                serde_json::from_str(text).map(|raw: &RawValue| JoinConfig::parse(raw)).is_ok()
            }
            Seen::Binary(bytes) => decode_binary(bytes).map(|message| answer(Vsn::V2, &message)).is_ok(),
            _ => true,
        };
    }
}

/// What is echoed is JSON, whatever was decoded.
fn answer(vsn: Vsn, message: &arena_realtime::codec::ClientMessage<'_>) {
    let (join_ref, reference) = (message.join_ref.as_ref(), message.reference.as_ref());
    let reply = server::reply(vsn, join_ref, reference, &message.topic, server::Status::Ok, "{}");
    let start = if reply.len() < 128 { 2 } else { 4 };
    assert!(serde_json::from_slice::<serde_json::Value>(&reply[start..]).is_ok(), "{reply:?}");
    if let Body::Json(json) = message.body {
        let _ = JoinConfig::parse(json);
    }
    let _ = message.body.broadcast_id();
}
