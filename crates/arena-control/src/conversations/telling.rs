//! Telling what was stored: on the topic of the conversation, and on the operator's.

use super::live::Live;
use arena_bus::{Audience, Bus, Draft, Payload, Position};
use arena_core::Timestamp;
use arena_core::conversation::{
    Code, ConversationId, Delivery, Entry, MessageId, Notice, ParticipantId, Refusal, Say, Scope,
};
use arena_core::topic::TopicName;
use arena_store::LogRow;
use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Something to be told once the batch is written.
#[derive(Debug)]
pub(super) struct Telling {
    conversation: ConversationId,
    topic: TopicName,
    what: What,
}

#[derive(Debug)]
enum What {
    /// A line of the log.
    Line(Line),
    /// Something that stands in no log; operators are told more of it.
    Transient { event: &'static str, body: String, for_operators: String },
}

#[derive(Debug)]
struct Line {
    /// Where its row is in the batch.
    row: usize,
    position: Position,
    author: Option<ParticipantId>,
    /// Who has no budget left, and what they get instead.
    deaf: BTreeSet<Arc<str>>,
    delivery: Delivery,
    notices: Vec<Notice>,
    /// Whether operators want to know.
    for_operators: bool,
}

impl Telling {
    /// Of an entry, whose row is at `row` of the batch.
    pub(super) fn line(live: &Live, row: usize, offset: u64, entry: &Entry, now: Timestamp) -> Telling {
        let (author, notices) = match entry {
            Entry::Message(message) => (Some(message.author.clone()), message.notices.clone()),
            _ => (None, Vec::new()),
        };
        let everyday = matches!(
            entry,
            Entry::Message(_)
                | Entry::System(_)
                | Entry::Reserved { .. }
                | Entry::Released(_)
                | Entry::Turn(_)
        );
        let position = Position { offset, epoch: live.epoch.clone() };
        let (deaf, delivery) = who_cannot_answer(live, entry, now);
        let line = Line { row, position, author, deaf, delivery, notices, for_operators: !everyday };
        Telling { conversation: live.id.clone(), topic: live.topic.clone(), what: What::Line(line) }
    }

    /// Of something that is not in the log.
    pub(super) fn to_all(live: &Live, event: &'static str, body: String) -> Telling {
        Telling {
            conversation: live.id.clone(),
            topic: live.topic.clone(),
            what: What::Transient { event, for_operators: body.clone(), body },
        }
    }

    /// Of a message that was dropped. Operators get the message too; others do not, or who has nothing left could go
    /// on talking by being refused.
    pub(super) fn dropped(live: &Live, say: &Say, refusal: &Refusal, now: Timestamp) -> Telling {
        let told = Dropped {
            conversation: &live.id,
            participant: &say.author,
            reason: refusal.code,
            scope: refusal.scope,
            message_id: refusal.message_id.as_ref(),
            message: None,
            retry_after_ms: refusal.retry_after_ms,
            at_ms: now,
        };
        let message =
            Some(DroppedMessage { author: &say.author, text: &say.text, data: say.data.as_deref() });
        let event = "channel_capacity_exceeded";
        let what =
            What::Transient { event, body: json(&told), for_operators: json(&Dropped { message, ..told }) };
        Telling { conversation: live.id.clone(), topic: live.topic.clone(), what }
    }
}

/// What is told of a message that was dropped.
#[derive(Serialize)]
struct Dropped<'a> {
    conversation: &'a ConversationId,
    participant: &'a ParticipantId,
    reason: Code,
    scope: Scope,
    message_id: Option<&'a MessageId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<DroppedMessage<'a>>,
    retry_after_ms: Option<u64>,
    at_ms: Timestamp,
}

#[derive(Serialize)]
struct DroppedMessage<'a> {
    author: &'a ParticipantId,
    text: &'a str,
    data: Option<&'a RawValue>,
}

/// What consists of names and numbers can be written.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Whom a message that has just been said would wake in vain, and what they get. Its author has said it, and what
/// exhausts the conversation is kept from nobody.
fn who_cannot_answer(live: &Live, entry: &Entry, now: Timestamp) -> (BTreeSet<Arc<str>>, Delivery) {
    let (ledger, delivery) = (&live.ledger, live.ledger.setup().delivery);
    let Entry::Message(message) = entry else { return (BTreeSet::new(), delivery) };
    let names = |who: &ParticipantId| (*who != message.author).then(|| who.as_str().into());
    match delivery {
        Delivery::All => (BTreeSet::new(), delivery),
        _ if ledger.exhausted().is_some() => {
            (ledger.participants().filter_map(names).collect(), Delivery::ContextOnly)
        }
        _ => (ledger.without_budget(now).into_iter().filter_map(names).collect(), delivery),
    }
}

/// A batch that was written and is still to be told.
#[derive(Debug)]
pub(super) struct Untold {
    pub(super) tellings: Vec<Telling>,
    pub(super) log: Vec<LogRow>,
}

/// The topic that tells operators of all conversations.
pub(super) fn operators() -> TopicName {
    "operator:conversations".parse().expect("invariant: the topic's name is a good one")
}

impl Untold {
    /// Tells all of it, in order. A topic that nobody has opened is not told: whoever opens it reads the log.
    pub(super) fn tell(self, bus: &Bus, operators: &TopicName) {
        let Untold { tellings, mut log } = self;
        let operators = bus.get(operators);
        for Telling { conversation, topic, what } in tellings {
            let stream = bus.get(&topic);
            if stream.is_none() && operators.is_none() {
                continue;
            }
            match what {
                What::Transient { event, body, for_operators } => {
                    for (stream, body) in [(&stream, body), (&operators, for_operators)] {
                        if let Some(stream) = stream {
                            // Too much is being said there already: what is in no log may be left out.
                            let _ = stream.tell(Draft::new(event, Payload::Json(body.into())));
                        }
                    }
                }
                What::Line(line) => {
                    let Some(row) = log.get_mut(line.row) else { continue };
                    let body = Bytes::from(std::mem::take(&mut row.body));
                    if let Some(operators) = &operators {
                        for (event, body) in for_operators(&conversation, &line, row, &body) {
                            let _ = operators.tell(Draft::new(event, Payload::Json(body.into())));
                        }
                    }
                    if let Some(stream) = &stream {
                        let notices =
                            line.notices.iter().filter_map(|notice| serde_json::to_vec(notice).ok());
                        let notices: Vec<Draft> =
                            notices.map(|json| Draft::new("notice", Payload::Json(json.into()))).collect();
                        let position = line.position.clone();
                        stream.publish_at(draft(line, row, body), position);
                        for notice in notices {
                            let _ = stream.tell(notice);
                        }
                    }
                }
            }
        }
    }
}

impl Untold {
    /// Lines of a log, as the store has them: stored earlier than anybody here knows, by a transaction whose outcome was
    /// not known.
    pub(super) fn again(live: &Live, log: Vec<LogRow>) -> Untold {
        let line = |(index, row): (usize, &LogRow)| {
            let entry = Entry::read(&row.event, &row.body).ok()?;
            Some(Telling::line(live, index, u64::try_from(row.position).ok()?, &entry, row.at))
        };
        Untold { tellings: log.iter().enumerate().filter_map(line).collect(), log }
    }
}

fn draft(line: Line, row: &LogRow, body: Bytes) -> Draft {
    let audience = (!line.deaf.is_empty()).then(|| {
        let instead = match line.delivery {
            Delivery::ContextOnly => Some(Payload::Json(context_only(&body))),
            _ => None,
        };
        Arc::new(Audience { users: line.deaf, instead })
    });
    Draft {
        id: row.message_id.as_deref().map(Arc::from),
        author: line.author.map(|author| author.as_str().into()),
        audience,
        at_ms: u64::try_from(row.at.0).ok(),
        ..Draft::new(&row.event, Payload::Json(body))
    }
}

/// The same message, marked as not to be answered.
pub(super) fn context_only(body: &[u8]) -> Bytes {
    let mut marked = Vec::with_capacity(body.len() + 24);
    marked.extend_from_slice(b"{\"context_only\":true");
    match body.strip_prefix(b"{") {
        Some(b"}") | None => marked.push(b'}'),
        Some(rest) => {
            marked.push(b',');
            marked.extend_from_slice(rest);
        }
    }
    marked.into()
}

/// What operators are told of a line.
fn for_operators<'a>(
    conversation: &ConversationId,
    line: &Line,
    row: &'a LogRow,
    body: &[u8],
) -> Vec<(&'a str, String)> {
    let tell = |event: &str, payload: &str| {
        format!(
            "{{\"conversation\":\"{conversation}\",\"offset\":{},\"at_ms\":{},\"event\":\"{event}\",\"payload\":{payload}}}",
            line.position.offset, row.at.0,
        )
    };
    let mut told = Vec::new();
    if line.for_operators {
        told.push((row.event.as_str(), tell(&row.event, &String::from_utf8_lossy(body))));
    }
    for notice in line.notices.iter().filter_map(|notice| serde_json::to_string(notice).ok()) {
        told.push(("notice", tell("notice", &notice)));
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marked_message_is_the_same_json_with_a_mark() {
        assert_eq!(context_only(b"{\"a\":1}"), "{\"context_only\":true,\"a\":1}");
        assert_eq!(context_only(b"{}"), "{\"context_only\":true}");
    }
}
