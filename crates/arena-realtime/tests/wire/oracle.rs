//! tungstenite, which has passed the Autobahn suite, reads what we write and writes what we read.

use super::reading::{Outcome, Seen, read_chopped};
use arena_realtime::frame::{self, Opcode, masked};
use proptest::prelude::*;
use std::io::{Cursor, Read, Write};
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::protocol::{CloseFrame, Role, WebSocketConfig, WebSocketContext};
use tungstenite::{Error, Message};

/// A stream that reads from one place and writes to another.
#[derive(Default)]
struct Wire {
    input: Cursor<Vec<u8>>,
    output: Vec<u8>,
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self.input.read(buffer)? {
            0 => Err(std::io::ErrorKind::WouldBlock.into()),
            read => Ok(read),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.output.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What the oracle sees in `bytes` as `role`, and the code that it would close with.
pub fn oracle_reads(bytes: &[u8], max: usize, role: Role) -> (Vec<Seen>, Option<u16>) {
    let config = WebSocketConfig::default().max_message_size(Some(max)).max_frame_size(Some(max.max(125)));
    let mut context = WebSocketContext::new(role, Some(config));
    let mut wire = Wire { input: Cursor::new(bytes.to_vec()), output: Vec::new() };
    let mut seen = Vec::new();
    loop {
        match context.read(&mut wire) {
            Ok(message) => seen.push(seen_by_oracle(message)),
            Err(Error::Io(_) | Error::ConnectionClosed | Error::AlreadyClosed) => return (seen, None),
            Err(Error::Utf8(_)) => return (seen, Some(1007)),
            Err(Error::Capacity(_)) => return (seen, Some(1009)),
            Err(Error::Protocol(_)) => return (seen, Some(1002)),
            Err(other) => panic!("{other}"),
        }
        if let Some(Seen::Close(..)) = seen.last() {
            return (seen, None);
        }
    }
}

fn seen_by_oracle(message: Message) -> Seen {
    match message {
        Message::Text(text) => Seen::Text(text.to_string()),
        Message::Binary(bytes) => Seen::Binary(bytes.to_vec()),
        Message::Ping(bytes) => Seen::Ping(bytes.to_vec()),
        Message::Pong(_) => Seen::Pong,
        Message::Close(None) => Seen::Close(None, String::new()),
        Message::Close(Some(frame)) => Seen::Close(Some(frame.code.into()), frame.reason.to_string()),
        Message::Frame(_) => unreachable!("the oracle only reads whole messages"),
    }
}

/// What the oracle writes as a client, masked with keys of its choice.
fn oracle_writes(messages: &[Message]) -> Vec<u8> {
    let mut context = WebSocketContext::new(Role::Client, None);
    let mut wire = Wire::default();
    for message in messages {
        context.write(&mut wire, message.clone()).unwrap();
    }
    context.flush(&mut wire).unwrap();
    wire.output
}

#[test]
fn the_oracle_reads_what_we_write() {
    for len in [0, 1, 125, 126, 127, 65_535, 65_536, 200_000] {
        let payload = "é".repeat(len / 2) + &"x".repeat(len % 2);
        let bytes = [frame::text(payload.as_bytes()), frame::binary(payload.as_bytes())].concat();
        let expected = [Seen::Text(payload.clone()), Seen::Binary(payload.into_bytes())];
        assert_eq!(oracle_reads(&bytes, 1 << 20, Role::Client), (expected.to_vec(), None), "{len} bytes");
    }
    let bytes =
        [frame::ping(b"are you there"), frame::pong(&[7; 125]), frame::close(1012, "restart")].concat();
    let expected =
        [Seen::Ping(b"are you there".to_vec()), Seen::Pong, Seen::Close(Some(1012), "restart".to_owned())];
    assert_eq!(oracle_reads(&bytes, 1 << 20, Role::Client), (expected.to_vec(), None));
}

#[test]
fn control_frames_that_would_be_too_long_are_cut() {
    let bytes = [frame::ping(&[1; 200]), frame::close(1001, &"ü".repeat(100))].concat();
    let expected = [Seen::Ping(vec![1; 125]), Seen::Close(Some(1001), "ü".repeat(61))];
    assert_eq!(oracle_reads(&bytes, 1 << 20, Role::Client), (expected.to_vec(), None));
}

fn message() -> impl Strategy<Value = Message> {
    prop_oneof![
        ".{0,200}".prop_map(Message::text),
        proptest::collection::vec(any::<u8>(), 0..300).prop_map(Message::binary),
        (120_usize..70_000).prop_map(|len| Message::binary(vec![7; len])),
        proptest::collection::vec(any::<u8>(), 0..=125).prop_map(|bytes| Message::Ping(bytes.into())),
        Just(Message::Pong(tungstenite::Bytes::new())),
    ]
}

/// A frame as no good client would order them.
fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let opcode = prop_oneof![
        Just(Opcode::Continuation),
        Just(Opcode::Text),
        Just(Opcode::Binary),
        Just(Opcode::Ping),
        Just(Opcode::Pong),
    ];
    let payload = prop_oneof![
        ".{0,8}".prop_map(String::into_bytes),
        proptest::collection::vec(any::<u8>(), 0..140),
        // Pieces of one character of four bytes, which only make sense together.
        (0_usize..4, 0_usize..=4).prop_map(|(from, to)| "🦀".as_bytes()[from.min(to)..to].to_vec()),
    ];
    (any::<bool>(), opcode, payload, any::<[u8; 4]>())
        .prop_map(|(fin, opcode, payload, key)| masked(fin || opcode.is_control(), opcode, &payload, key))
}

proptest! {
    #[test]
    fn we_read_what_the_oracle_writes(messages in proptest::collection::vec(message(), 0..8), seed: u64) {
        let mut bytes = oracle_writes(&messages);
        let mut expected: Vec<Seen> = messages.into_iter().map(seen_by_oracle).collect();
        let close = CloseFrame { code: CloseCode::Away, reason: "bye".into() };
        bytes.extend(oracle_writes(&[Message::Close(Some(close))]));
        expected.push(Seen::Close(Some(1001), "bye".to_owned()));
        prop_assert_eq!(chopped(&bytes, 100_000, seed), (expected, None));
    }

    #[test]
    fn however_the_bytes_are_chopped_the_messages_are_the_same(
        frames in proptest::collection::vec(any_frame(), 0..12),
        seed: u64,
        max in 0_usize..300,
    ) {
        let bytes = frames.concat();
        let whole = read_chopped(&bytes, max, &mut || usize::MAX);
        prop_assert_eq!(&chopped(&bytes, max, seed), &whole);
        prop_assert_eq!(&read_chopped(&bytes, max, &mut || 1), &whole);
    }

    #[test]
    fn in_whatever_order_frames_come_we_and_the_oracle_see_the_same(
        frames in proptest::collection::vec(any_frame(), 0..12),
        seed: u64,
    ) {
        let bytes = frames.concat();
        let (seen, error) = chopped(&bytes, usize::MAX, seed);
        let ours = (seen, error.map(|error| error.close_code()));
        prop_assert_eq!(ours, oracle_reads(&bytes, 1 << 20, Role::Server));
    }
}

fn chopped(bytes: &[u8], max: usize, seed: u64) -> Outcome {
    let mut random = super::reading::lcg(seed);
    // Short pieces and long ones, and nothing at times.
    read_chopped(bytes, max, &mut || {
        let bits = random();
        (bits >> 4) as usize % (1 << (bits % 12))
    })
}
