//! Telling what was stored: on the topic of the conversation, and on the operator's.

use super::live::Live;
use super::outcome::LogLine;
use arena_bus::{Audience, Bus, Draft, Epoch, Payload, Position};
use arena_core::Timestamp;
use arena_core::conversation::{ConversationId, Delivery, Entry, Notice, ParticipantId, Refusal, Say};
use arena_core::topic::TopicName;
use arena_store::LogRow;
use bytes::Bytes;
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
    /// Something that stands in no log.
    Transient { event: &'static str, body: String },
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
    pub(super) fn line(
        live: &Live,
        row: usize,
        offset: u64,
        entry: &Entry,
        deaf: BTreeSet<Arc<str>>,
    ) -> Telling {
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
        let delivery = live.ledger.setup().delivery;
        let line = Line { row, position, author, deaf, delivery, notices, for_operators: !everyday };
        Telling { conversation: live.id.clone(), topic: live.topic.clone(), what: What::Line(line) }
    }

    /// Of something that is not in the log.
    pub(super) fn to_all(live: &Live, event: &'static str, body: String) -> Telling {
        Telling {
            conversation: live.id.clone(),
            topic: live.topic.clone(),
            what: What::Transient { event, body },
        }
    }
}

/// What is told of a message that was dropped.
pub(super) fn dropped(live: &Live, say: &Say, refusal: &Refusal, now: Timestamp) -> String {
    serde_json::json!({
        "conversation": live.id,
        "participant": say.author,
        "reason": refusal.code,
        "scope": refusal.scope,
        "message_id": refusal.message_id,
        "message": { "author": say.author, "text": say.text, "data": say.data },
        "retry_after_ms": refusal.retry_after_ms,
        "at_ms": now,
    })
    .to_string()
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
                What::Transient { event, body } => {
                    let draft = Draft::new(event, Payload::Json(body.into()));
                    for stream in stream.iter().chain(&operators) {
                        // Too much is being said there already: what is in no log may be left out.
                        let _ = stream.tell(draft.clone());
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

/// Publishes lines that were stored earlier than anybody here knows: after a transaction whose outcome was not known.
pub(super) fn tell_again(bus: &Bus, topic: &TopicName, epoch: &Epoch, lines: &[LogRow]) {
    let Some(stream) = bus.get(topic) else { return };
    let told = stream.position();
    if told.epoch != *epoch {
        return;
    }
    for row in lines {
        let offset = u64::try_from(row.position).unwrap_or(0);
        if offset == 0 || offset <= told.offset {
            continue;
        }
        if let Ok(line) = LogLine::read(row.clone()) {
            let mut draft = Draft::new(&line.event, Payload::Json(line.body));
            draft.id = line.id.map(|id| id.as_str().into());
            draft.at_ms = u64::try_from(line.at.0).ok();
            stream.publish_at(draft, Position { offset, epoch: epoch.clone() });
        }
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
