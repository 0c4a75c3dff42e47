//! Messages that their publisher numbers, and those that have no number at all.

use crate::support::{Log, Slow, becomes, bus, draft, stream};
use arena_bus::{Epoch, Position, PublishError, Recovery, Stream};
use std::sync::Arc;

fn at(offset: u64) -> Position {
    Position { offset, epoch: Epoch::from("log") }
}

fn publish(stream: &Arc<Stream>, offset: u64) {
    stream.publish_at(draft("1"), at(offset));
}

/// The offsets that followed, if they are all kept.
fn after(stream: &Stream, offset: u64) -> Option<Vec<u64>> {
    stream.view(|view| match view.recover(&at(offset)) {
        Recovery::Whole(missed) => Some(missed.iter().map(|message| message.offset).collect()),
        Recovery::Lost => None,
    })
}

#[test]
fn a_publisher_that_numbers_begins_anywhere_and_what_was_kept_before_a_jump_is_dropped() {
    let bus = bus(|_| {});
    let stream = stream(&bus);
    stream.publish(draft("1")).unwrap();
    let log = Log::attached(&stream);
    for offset in [7, 8, 9] {
        publish(&stream, offset);
    }
    assert_eq!((stream.position(), after(&stream, 6)), (at(9), Some(vec![7, 8, 9])));
    assert_eq!(after(&stream, 5), None, "nobody here knows what came before");
    publish(&stream, 12);
    assert_eq!((after(&stream, 9), after(&stream, 11)), (None, Some(vec![12])));
    assert_eq!(log.offsets(), [7, 8, 9, 12]);
}

#[test]
fn what_a_stream_has_passed_is_not_published_again() {
    let bus = bus(|_| {});
    let stream = stream(&bus);
    let log = Log::attached(&stream);
    for offset in [1, 2, 3, 2, 3, 1, 4] {
        publish(&stream, offset);
    }
    assert_eq!((log.offsets(), after(&stream, 0)), (vec![1, 2, 3, 4], Some(vec![1, 2, 3, 4])));
}

#[test]
fn an_anchored_stream_goes_on_from_there_and_never_goes_back() {
    let bus = bus(|_| {});
    let stream = stream(&bus);
    stream.anchor(&at(40));
    assert_eq!((stream.position(), after(&stream, 40), after(&stream, 39)), (at(40), Some(vec![]), None));
    publish(&stream, 41);
    for offset in [40, 41, 0] {
        stream.anchor(&at(offset));
        assert_eq!((stream.position(), after(&stream, 40)), (at(41), Some(vec![41])), "at {offset}");
    }
    stream.anchor(&at(43));
    assert_eq!((after(&stream, 41), after(&stream, 43)), (None, Some(vec![])));
    let other = Position { offset: 2, epoch: Epoch::from("another log") };
    stream.anchor(&other);
    assert_eq!(stream.position(), other);
}

#[test]
fn what_is_said_in_passing_comes_in_order_has_no_number_and_is_not_kept() {
    let bus = bus(|_| {});
    let stream = stream(&bus);
    let log = Log::attached(&stream);
    publish(&stream, 1);
    stream.tell(draft("2")).unwrap();
    stream.tell(draft("3")).unwrap();
    publish(&stream, 2);
    let expected = [("log:1", false), ("log:1+2", true), ("log:1+3", true), ("log:2", false)];
    assert_eq!(log.shown(), expected.map(|(id, transient)| (id.to_owned(), transient)));
    assert_eq!(log.sequences(), [1, 2, 3, 4]);
    assert_eq!((after(&stream, 0), stream.position()), (Some(vec![1, 2]), at(2)));
    stream.view(|view| assert_eq!(view.since(0, 9).len(), 2));
}

#[tokio::test]
async fn who_numbers_is_never_refused_and_sees_how_many_wait() {
    let bus = bus(|settings| settings.max_pending = 5);
    let stream = stream(&bus);
    let slow = Slow::attached(&stream);
    for offset in 1..=20 {
        publish(&stream, offset);
    }
    assert_eq!(stream.waiting(), 19, "one is with the sink");
    assert_eq!(stream.tell(draft("1")), Err(PublishError::Overloaded));
    assert_eq!(stream.publish(draft("1")), Err(PublishError::Overloaded));
    slow.permits.add_permits(10);
    becomes("all is handed over", || stream.waiting() == 0 && slow.log.offsets().len() == 20).await;
    assert_eq!(slow.log.offsets(), (1..=20).collect::<Vec<_>>());
}

#[test]
fn a_message_keeps_the_time_that_its_publisher_gives_it() {
    let bus = bus(|_| {});
    let stream = stream(&bus);
    let said = arena_bus::Draft { at_ms: Some(1_764_000_000_000), ..draft("1") };
    stream.publish_at(said, at(1));
    stream.view(|view| assert_eq!(view.last().map(|message| message.at_ms), Some(1_764_000_000_000)));
}

#[test]
fn nobody_who_listens_means_nothing_waits() {
    let bus = bus(|_| {});
    let stream = stream(&bus);
    stream.tell(draft("1")).unwrap();
    publish(&stream, 1);
    assert_eq!((stream.waiting(), stream.position()), (0, at(1)));
    let late = Log::attached(&stream);
    assert!(late.offsets().is_empty());
}
