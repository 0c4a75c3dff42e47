//! A stream against a model of it: a list that forgets nothing.

use crate::support::{Log, bus, draft, stream};
use arena_bus::{Draft, Epoch, Position, Recovery, Sink};
use proptest::prelude::*;
use std::sync::Arc;

#[derive(Debug, Clone)]
enum Step {
    /// By this author under this id, with so many bytes.
    Publish(u8, Option<u8>, usize),
    /// So many bytes, at so many messages from where the stream stands: 1 is the next one.
    PublishAt(i64, usize),
    /// So many messages from where the stream stands.
    Anchor(i64),
    /// At this offset of an epoch of its publisher's choice.
    Elsewhere(u64, bool),
    Tell,
    Restart,
    Attach,
    /// The one at this place of those attached.
    Detach(usize),
    /// From so far back.
    Recover(u64),
    Old(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..2u8, prop::option::of(0..6u8), 0..40usize).prop_map(|(a, i, n)| Step::Publish(a, i, n)),
        4 => (prop_oneof![3 => Just(1i64), 1 => -3..4i64], 0..40usize).prop_map(|(by, n)| Step::PublishAt(by, n)),
        1 => (-3..4i64).prop_map(Step::Anchor),
        1 => (1..9u64, any::<bool>()).prop_map(|(offset, publishes)| Step::Elsewhere(offset, publishes)),
        2 => Just(Step::Tell),
        1 => Just(Step::Restart),
        1 => Just(Step::Attach),
        1 => (0..8usize).prop_map(Step::Detach),
        3 => (0..12u64).prop_map(Step::Recover),
        1 => (0..12u64).prop_map(Step::Old),
    ]
}

/// A message of this epoch: its author, its id, its bytes.
type Entry = (u8, Option<u8>, usize);

/// The author of what its publisher numbers: nobody's id is compared with it.
const OWN: u8 = 9;

const MESSAGES: usize = 6;
const BYTES: usize = 100;

/// How many of the newest are remembered.
fn remembered(entries: &[Entry]) -> usize {
    let mut bytes = 0;
    let fits = |entry: &&Entry| {
        bytes += entry.2;
        bytes <= BYTES
    };
    let fitting = entries.iter().rev().take(MESSAGES).take_while(fits).count();
    fitting.max(usize::from(!entries.is_empty()))
}

proptest! {
    #[test]
    fn a_stream_does_what_a_list_would(steps in prop::collection::vec(step(), 1..120)) {
        let bus = bus(|settings| (settings.other.messages, settings.other.bytes) = (MESSAGES, BYTES));
        let stream = stream(&bus);
        let mut epoch = stream.position().epoch;
        let mut old: Option<Epoch> = None;
        let mut entries: Vec<Entry> = Vec::new();
        // What came before the entries, and was dropped.
        let mut base = 0;
        let mut sequence = 0;
        let mut epochs = 0;
        let mut sinks: Vec<(Arc<Log>, Vec<u64>)> = Vec::new();
        for step in steps {
            match step {
                Step::Publish(author, id, bytes) => {
                    let window = entries.len() - remembered(&entries);
                    let known = id.and_then(|id| {
                        entries.iter().rposition(|e| (e.0, e.1) == (author, Some(id))).filter(|at| *at >= window)
                    });
                    let draft = Draft {
                        id: id.map(|id| id.to_string().into()),
                        author: Some(author.to_string().into()),
                        ..draft(&"x".repeat(bytes))
                    };
                    let published = stream.publish(draft).unwrap();
                    prop_assert_eq!(published.duplicate, known.is_some());
                    let expected = base + known.unwrap_or(entries.len()) as u64 + 1;
                    prop_assert_eq!(published.position, Position { offset: expected, epoch: epoch.clone() });
                    if known.is_none() {
                        entries.push((author, id, bytes));
                        sequence += 1;
                        sinks.iter_mut().for_each(|(_, seen)| seen.push(sequence));
                    }
                }
                Step::PublishAt(by, bytes) => {
                    let stands = base + entries.len() as u64;
                    let Some(offset) = stands.checked_add_signed(by).filter(|offset| *offset > 0) else { continue };
                    let position = Position { offset, epoch: epoch.clone() };
                    stream.publish_at(draft(&"x".repeat(bytes)), position);
                    if by > 1 {
                        entries.clear();
                        base = offset - 1;
                    }
                    if by > 0 {
                        entries.push((OWN, None, bytes));
                        sequence += 1;
                        sinks.iter_mut().for_each(|(_, seen)| seen.push(sequence));
                    }
                }
                Step::Anchor(by) => {
                    let stands = base + entries.len() as u64;
                    let Some(offset) = stands.checked_add_signed(by) else { continue };
                    stream.anchor(&Position { offset, epoch: epoch.clone() });
                    if by > 0 {
                        entries.clear();
                        base = offset;
                    }
                }
                Step::Elsewhere(offset, publishes) => {
                    epochs += 1;
                    let new = Epoch::from(format!("chosen-{epochs}").as_str());
                    let position = Position { offset, epoch: new.clone() };
                    old = Some(std::mem::replace(&mut epoch, new));
                    entries.clear();
                    base = offset;
                    if publishes {
                        stream.publish_at(draft("1"), position);
                        base -= 1;
                        entries.push((OWN, None, 1));
                        sequence += 1;
                        sinks.iter_mut().for_each(|(_, seen)| seen.push(sequence));
                    } else {
                        stream.anchor(&position);
                    }
                }
                Step::Tell => {
                    stream.tell(draft("1")).unwrap();
                    sequence += 1;
                    sinks.iter_mut().for_each(|(_, seen)| seen.push(sequence));
                }
                Step::Restart => {
                    base = 0;
                    old = Some(std::mem::replace(&mut epoch, stream.restart().epoch));
                    prop_assert_ne!(Some(&epoch), old.as_ref());
                    entries.clear();
                }
                Step::Attach => sinks.push((Log::attached(&stream), Vec::new())),
                Step::Detach(at) if at < sinks.len() => {
                    let (log, seen) = sinks.swap_remove(at);
                    prop_assert_eq!(log.sequences(), seen);
                    stream.detach(&(log as Arc<dyn Sink>));
                }
                Step::Detach(_) => {}
                Step::Recover(back) => {
                    let newest = base + entries.len() as u64;
                    let Some(offset) = newest.checked_sub(back) else { continue };
                    let recovery = stream.view(|v| v.recover(&Position { offset, epoch: epoch.clone() }));
                    match recovery {
                        Recovery::Whole(missed) => {
                            let offsets: Vec<_> = missed.iter().map(|message| message.offset).collect();
                            prop_assert_eq!(offsets, (offset + 1..=newest).collect::<Vec<_>>());
                            prop_assert!(back as usize <= remembered(&entries));
                        }
                        Recovery::Lost => prop_assert!(back as usize > remembered(&entries)),
                    }
                }
                Step::Old(offset) => {
                    let Some(epoch) = old.clone() else { continue };
                    let recovery = stream.view(|v| v.recover(&Position { offset, epoch }));
                    prop_assert!(matches!(recovery, Recovery::Lost));
                }
            }
            prop_assert_eq!(
                stream.position(),
                Position { offset: base + entries.len() as u64, epoch: epoch.clone() }
            );
            prop_assert_eq!(stream.waiting(), 0);
        }
        for (log, seen) in sinks {
            prop_assert_eq!(log.sequences(), seen);
        }
    }
}
