//! What is remembered: for those who come back, and to tell a message that is sent again.

use crate::support::{Log, Slow, bus, draft, stream};
use arena_bus::{Draft, Epoch, Position, Recovery, Stream};

fn recovered(stream: &Stream, position: &Position) -> Option<Vec<u64>> {
    stream.view(|view| match view.recover(position) {
        Recovery::Whole(missed) => Some(missed.iter().map(|message| message.offset).collect()),
        Recovery::Lost => None,
    })
}

#[test]
fn what_followed_a_position_is_given_whole_or_not_at_all() {
    let bus = bus(|settings| settings.other.messages = 5);
    let stream = stream(&bus);
    let epoch = stream.position().epoch;
    let at = |offset| Position { offset, epoch: epoch.clone() };
    assert_eq!(recovered(&stream, &at(0)), Some(vec![]), "an empty stream is no gap");
    assert_eq!(recovered(&stream, &at(1)), None, "of the future");
    for _ in 0..8 {
        stream.publish(draft("1")).unwrap();
    }
    for (offset, expected) in [
        (0, None),
        (2, None),
        (3, Some(vec![4, 5, 6, 7, 8])),
        (7, Some(vec![8])),
        (8, Some(vec![])),
        (9, None),
        (u64::MAX, None),
    ] {
        assert_eq!(recovered(&stream, &at(offset)), expected, "after {offset}");
    }
    assert_eq!(recovered(&stream, &Position { offset: 8, epoch: Epoch::from("other") }), None);
}

#[test]
fn the_newest_message_is_kept_however_large_it_is() {
    let bus = bus(|settings| settings.other.bytes = 10);
    let stream = stream(&bus);
    stream.publish(draft("1")).unwrap();
    stream.publish(draft(&"2".repeat(100))).unwrap();
    stream.view(|view| assert_eq!(view.last().map(|message| message.offset), Some(2)));
    let at = Position { offset: 1, ..stream.position() };
    assert_eq!(recovered(&stream, &at), Some(vec![2]));
}

#[tokio::test]
async fn a_restart_is_a_new_epoch_and_what_waits_is_handed_over_before_what_follows() {
    let bus = bus(|_| {});
    let stream = stream(&bus);
    let slow = Slow::attached(&stream);
    for _ in 0..3 {
        stream.publish(draft("1")).unwrap();
    }
    let old = stream.position();
    let new = stream.restart();
    assert_ne!(old.epoch, new.epoch);
    assert_eq!((new.offset, recovered(&stream, &old)), (0, None));
    assert_eq!(stream.publish(draft("1")).unwrap().position.offset, 1);
    slow.permits.add_permits(10);
    crate::support::becomes("all is handed over", || slow.log.offsets().len() == 4).await;
    assert_eq!((slow.log.offsets(), slow.log.sequences()), (vec![1, 2, 3, 1], vec![1, 2, 3, 4]));
}

#[test]
fn a_message_is_known_again_by_author_and_id_while_it_is_remembered() {
    let bus = bus(|settings| settings.other.messages = 3);
    let stream = stream(&bus);
    let log = Log::attached(&stream);
    let say = |author: Option<&str>, id: Option<&str>| {
        let draft = Draft { id: id.map(Into::into), author: author.map(Into::into), ..draft("1") };
        let published = stream.publish(draft).unwrap();
        (published.position.offset, published.duplicate)
    };
    assert_eq!(say(Some("ann"), Some("a")), (1, false));
    assert_eq!(say(Some("ann"), Some("a")), (1, true));
    assert_eq!(say(Some("bob"), Some("a")), (2, false), "another author");
    assert_eq!(say(None, Some("a")), (3, false), "the server's own");
    assert_eq!(say(None, Some("a")), (3, true));
    assert_eq!(say(Some("ann"), None), (4, false));
    assert_eq!(say(Some("ann"), None), (5, false), "without an id everything is new");
    assert_eq!(say(Some("ann"), Some("a")), (6, false), "forgotten");
    stream.restart();
    assert_eq!(say(Some("ann"), Some("a")), (1, false), "another life");
    assert_eq!(log.offsets(), [1, 2, 3, 4, 5, 6, 1]);
}

#[test]
fn messages_since_a_time_are_the_newest_of_them_in_order() {
    let bus = bus(|_| {});
    let stream = stream(&bus);
    for _ in 0..5 {
        stream.publish(draft("1")).unwrap();
    }
    let since = |ms, limit| stream.view(|v| v.since(ms, limit).iter().map(|m| m.offset).collect::<Vec<_>>());
    assert_eq!(since(0, 3), [3, 4, 5]);
    assert_eq!(since(0, 100), [1, 2, 3, 4, 5]);
    assert_eq!(since(0, 0), [] as [u64; 0]);
    assert_eq!(since(u64::MAX, 100), [] as [u64; 0]);
}
