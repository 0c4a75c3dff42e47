//! RFC 6455, in the manner and the order of the Autobahn test suite.

use super::oracle::oracle_reads;
use super::reading::{Seen, lcg, read, read_chopped};
use arena_realtime::frame::Opcode::{Binary, Close, Continuation, Ping, Pong, Text};
use arena_realtime::frame::{FrameError, FrameReader, Incoming, Opcode, mask, masked};
use std::ops::ControlFlow;
use tungstenite::protocol::Role;

const MAX: usize = 1 << 20;
const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// These frames give these messages, and then the connection is closed with this code, however they are chopped; and
/// the oracle thinks so too.
#[track_caller]
fn check(frames: &[Vec<u8>], seen: &[Seen], code: Option<u16>) {
    check_ours(frames, seen, code);
    assert_eq!(oracle_reads(&frames.concat(), MAX, Role::Server), (seen.to_vec(), code), "the oracle");
}

#[track_caller]
fn check_ours(frames: &[Vec<u8>], seen: &[Seen], code: Option<u16>) {
    let bytes = frames.concat();
    let mut random = lcg(7);
    let mut chops: [(&str, Box<dyn FnMut() -> usize>); 4] = [
        ("whole", Box::new(|| usize::MAX)),
        ("two bytes", Box::new(|| 2)),
        ("random", Box::new(move || (random() % 97) as usize)),
        ("one byte", Box::new(|| 1)),
    ];
    for (how, chop) in &mut chops {
        let (got, error) = read_chopped(&bytes, MAX, chop);
        assert_eq!((got.as_slice(), error.map(|error| error.close_code())), (seen, code), "{how}: {error:?}");
    }
}

fn text(payload: &str) -> Seen {
    Seen::Text(payload.to_owned())
}

fn first(payload: impl AsRef<[u8]>) -> Vec<u8> {
    masked(false, Text, payload.as_ref(), KEY)
}

fn next(payload: impl AsRef<[u8]>) -> Vec<u8> {
    masked(false, Continuation, payload.as_ref(), KEY)
}

fn last(payload: impl AsRef<[u8]>) -> Vec<u8> {
    masked(true, Continuation, payload.as_ref(), KEY)
}

fn whole(opcode: Opcode, payload: impl AsRef<[u8]>) -> Vec<u8> {
    mask(opcode, payload.as_ref(), KEY)
}

#[test]
fn messages_of_every_kind_of_length() {
    for len in [0, 1, 7, 8, 125, 126, 127, 128, 65_535, 65_536] {
        let (ascii, bytes) = ("*".repeat(len), vec![0xfe; len]);
        let frames = [whole(Text, &ascii), whole(Binary, &bytes)];
        check(&frames, &[Seen::Text(ascii), Seen::Binary(bytes)], None);
    }
}

#[test]
fn pings_carry_up_to_125_bytes() {
    check(&[whole(Ping, "")], &[Seen::Ping(Vec::new())], None);
    check(&[whole(Ping, "Hello")], &[Seen::Ping(b"Hello".to_vec())], None);
    check(&[whole(Ping, [0xfe; 125])], &[Seen::Ping(vec![0xfe; 125])], None);
    check(&[whole(Ping, [0xfe; 126])], &[], Some(1002));
    check(&vec![whole(Ping, "x"); 10], &vec![Seen::Ping(b"x".to_vec()); 10], None);
}

#[test]
fn pongs_that_nobody_asked_for_are_fine() {
    check(
        &[whole(Pong, ""), whole(Pong, "?"), whole(Ping, "")],
        &[Seen::Pong, Seen::Pong, Seen::Ping(vec![])],
        None,
    );
}

#[test]
fn reserved_bits_and_opcodes_end_the_connection() {
    for bits in [0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70] {
        for opcode in [Text, Binary, Ping, Close] {
            let mut bad = whole(opcode, "");
            bad[0] |= bits;
            check(&[whole(Text, "good"), bad, whole(Text, "unread")], &[text("good")], Some(1002));
        }
    }
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        let mut bad = whole(Text, "");
        bad[0] = 0x80 | opcode;
        check(&[whole(Text, "good"), bad], &[text("good")], Some(1002));
    }
}

#[test]
fn fragments_become_one_message() {
    check(&[first("fragment1"), last("fragment2")], &[text("fragment1fragment2")], None);
    check(&[first(""), next(""), last("")], &[text("")], None);
    check(&[first(""), next("middle"), last("")], &[text("middle")], None);
    let bytes = [masked(false, Binary, &[1, 2], KEY), last([3])];
    check(&bytes, &[Seen::Binary(vec![1, 2, 3])], None);
    let many: Vec<_> = std::iter::once(first("")).chain(vec![next("ab"); 500]).chain([last("c")]).collect();
    check(&many, &[Seen::Text("ab".repeat(500) + "c")], None);
}

#[test]
fn control_frames_may_come_between_fragments() {
    let frames = [first("a"), whole(Ping, "p"), next("b"), whole(Pong, ""), last("c"), whole(Text, "d")];
    check(&frames, &[Seen::Ping(b"p".to_vec()), Seen::Pong, text("abc"), text("d")], None);
    let closed = [first("a"), whole(Close, [3, 232]), last("b")];
    check(&closed, &[Seen::Close(Some(1000), String::new())], None);
}

#[test]
fn fragments_out_of_order_end_the_connection() {
    check(&[masked(false, Ping, b"a", KEY), last("b")], &[], Some(1002));
    check(&[masked(false, Pong, b"a", KEY), last("b")], &[], Some(1002));
    check(&[masked(false, Close, b"", KEY)], &[], Some(1002));
    check(&[last("a"), whole(Text, "b")], &[], Some(1002));
    check(&[next("a"), whole(Text, "b")], &[], Some(1002));
    check(&[first("a"), whole(Text, "b")], &[], Some(1002));
    check(&[first("a"), masked(false, Binary, b"b", KEY)], &[], Some(1002));
    check(&[first("a"), last("b"), last("c")], &[text("ab")], Some(1002));
}

#[test]
fn text_is_utf8_over_all_fragments() {
    let valid = "Hello-µ@ßöäüàá-UTF-8!! κόσμε 🦀 \u{10ffff}";
    check(&[whole(Text, valid)], &[text(valid)], None);
    let bytewise: Vec<_> =
        std::iter::once(first("")).chain(valid.bytes().map(|b| next([b]))).chain([last("")]).collect();
    check(&bytewise, &[text(valid)], None);
    // Overlong, surrogate, beyond the last character, lone continuation, cut short, impossible bytes.
    for bad in [
        &b"\xc0\xaf"[..],
        b"\xe0\x80\xaf",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\x80",
        b"\xce\xba\xe1\xbd",
        b"\xfe",
        b"\xff",
        b"a\xc3(",
    ] {
        check(&[whole(Text, bad)], &[], Some(1007));
        check(
            &[whole(Text, "before"), first(""), last(bad), whole(Text, "x")],
            &[text("before")],
            Some(1007),
        );
        check(&[first(bad), last("")], &[], Some(1007));
        check(&[whole(Binary, bad)], &[Seen::Binary(bad.to_vec())], None);
    }
}

#[test]
fn text_that_cannot_become_utf8_is_refused_before_its_end() {
    let start = first("κόσμε");
    let bad = next(b"\xf4\x90");
    check(&[start.clone(), bad.clone()], &[], Some(1007));
    let mut long = whole(Text, [b"\xf4\x90", &[b'x'; 1_000][..]].concat());
    long.truncate(20);
    assert_eq!(read(&long, MAX).1, Some(FrameError::NotUtf8));
}

#[test]
fn close_frames_say_why() {
    let closed = |code, reason: &str| [Seen::Close(code, reason.to_owned())];
    check(&[whole(Close, "")], &closed(None, ""), None);
    check(&[whole(Close, b"\x03\xe8")], &closed(Some(1000), ""), None);
    check(&[whole(Close, b"\x03\xe9going")], &closed(Some(1001), "going"), None);
    let longest = "*".repeat(123);
    check(&[whole(Close, [b"\x03\xe8", longest.as_bytes()].concat())], &closed(Some(1000), &longest), None);
    check(&[whole(Close, [b"\x03\xe8", [b'*'; 124].as_slice()].concat())], &[], Some(1002));
    for code in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999] {
        check(&[whole(Close, u16::to_be_bytes(code))], &closed(Some(code), ""), None);
    }
}

#[test]
fn nothing_is_read_after_a_close() {
    let frames = [whole(Text, "a"), whole(Close, b""), whole(Text, "b"), vec![0xff; 10]];
    check(&frames, &[text("a"), Seen::Close(None, String::new())], None);
}

// From here on the oracle is laxer or answers differently, so we go by the RFC alone.

#[test]
fn malformed_close_frames_end_the_connection() {
    check_ours(&[whole(Close, "a")], &[], Some(1002));
    check_ours(&[whole(Close, b"\x03\xe8\xff\xfe")], &[], Some(1007));
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535] {
        check_ours(&[whole(Close, u16::to_be_bytes(code))], &[], Some(1002));
    }
    for code in [1012, 1013, 1014] {
        check_ours(&[whole(Close, u16::to_be_bytes(code))], &[Seen::Close(Some(code), String::new())], None);
    }
}

#[test]
fn frames_without_a_mask_end_the_connection() {
    check(&[vec![0x81, 2, b'h', b'i']], &[], Some(1002));
    // Two bytes are enough to see it.
    assert_eq!(read(&[0x81, 2], MAX).1, Some(FrameError::Unmasked));
}

#[test]
fn lengths_are_written_in_as_few_bytes_as_possible() {
    let header = |bytes: &[u8]| [bytes, &KEY].concat();
    for bad in [
        header(&[0x82, 0xfe, 0, 125]),
        header(&[0x82, 0xff, 0, 0, 0, 0, 0, 0, 0, 125]),
        header(&[0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff]),
        header(&[0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0]),
    ] {
        check_ours(&[bad], &[], Some(1002));
    }
}

#[test]
fn messages_over_the_limit_are_refused_by_their_header() {
    let mut bytes = whole(Binary, vec![0; 101]);
    bytes.truncate(8);
    assert_eq!(read(&bytes, 100).1, Some(FrameError::TooBig { limit: 100 }));
    assert_eq!(read(&whole(Binary, vec![0; 100]), 100).1, None);
    let fragments = [first(vec![b'a'; 60]), next(vec![b'b'; 40]), last("")].concat();
    assert_eq!(read(&fragments, 100).1, None);
    let fragments = [first(vec![b'a'; 60]), next(vec![b'b'; 41])].concat();
    let error = read(&fragments, 100).1.unwrap();
    assert_eq!((error, error.close_code()), (FrameError::TooBig { limit: 100 }, 1009));
    let absurd = [&[0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], &KEY[..]].concat();
    assert_eq!(read(&absurd, usize::MAX >> 2).1.unwrap().close_code(), 1009);
}

#[test]
fn control_frames_do_not_count_towards_the_limit() {
    let bytes = [first("abc"), whole(Ping, [1; 125]), last("d")].concat();
    assert_eq!(read(&bytes, 4), (vec![Seen::Ping(vec![1; 125]), text("abcd")], None));
}

#[test]
fn a_reader_stops_where_it_is_told_to() {
    let mut bytes = [whole(Text, "a"), whole(Text, "b"), whole(Text, "c")].concat();
    let (mut reader, mut seen) = (FrameReader::new(), Vec::new());
    let mut feed = |bytes: &mut [u8]| {
        let on = &mut |incoming: Incoming<'_>| {
            seen.push(Seen::from(incoming));
            if seen.len() == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        reader.feed(bytes, MAX, on).unwrap();
    };
    feed(&mut bytes);
    feed(&mut whole(Text, "d"));
    assert_eq!(seen, [text("a"), text("b")]);
    assert!(reader.is_ended());
}

#[test]
fn a_whole_message_is_read_where_it_lies() {
    let mut bytes = [whole(Text, "first"), whole(Binary, "second")].concat();
    let range = bytes.as_ptr_range();
    let mut inside = Vec::new();
    let on = &mut |incoming: Incoming<'_>| {
        let payload = match incoming {
            Incoming::Text(text) => text.as_bytes(),
            Incoming::Binary(bytes) => bytes,
            other => panic!("{other:?}"),
        };
        inside.push(range.contains(&payload.as_ptr()));
        ControlFlow::Continue(())
    };
    FrameReader::new().feed(&mut bytes, MAX, on).unwrap();
    assert_eq!(inside, [true, true]);
}

#[test]
fn a_reader_between_messages_is_small() {
    assert!(size_of::<FrameReader>() <= 16, "{} bytes", size_of::<FrameReader>());
}
