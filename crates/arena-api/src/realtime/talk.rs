//! What is behind the topics of conversations: the conversations' service, in the words that REST has for it too.

use crate::conversations::wire::{
    CapacityBody, ContextBody, LogBody, RefusalBody, Speaker, WireError, command, object, receipt_json,
};
use crate::conversations::{Last, LogReads, channel_of};
use crate::extract::Limit;
use crate::realtime::join_tokens::speaker_of;
use crate::router::ApiLimits;
use arena_control::{
    Actor, Conversations, ErrorClass, Listening, LogLine, LogPage, ServiceError, SubmitError,
};
use arena_core::conversation::{Command, ConversationId, Delivery, MessageId, ParticipantId, Refusal};
use arena_realtime::policy::{Identity, is_residents};
use arena_realtime::{Heard, Line, Missed, Refused, Said, Saying, Unsaid};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Conversations, for the gateway.
#[derive(Debug, Clone)]
pub(super) struct Talk {
    conversations: Conversations,
    reads: LogReads,
    /// The longest text, and the longest data beside it, in bytes.
    max_text_bytes: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NothingBody {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ContextQuery {
    participant: Option<ParticipantId>,
    last: Option<Last>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MessagesQuery {
    after: Option<u64>,
    limit: Option<Limit>,
}

impl Talk {
    pub(super) fn new(conversations: Conversations, limits: &ApiLimits) -> Talk {
        Talk { conversations, reads: limits.log_reads.clone(), max_text_bytes: limits.max_text_bytes }
    }

    pub(super) async fn listen(&self, id: &str) -> Result<Heard, Refused> {
        let id = conversation(id)?;
        let listening = self.conversations.listen(&id).await.map_err(|error| failed(&error))?;
        let Listening { position, stream, roster } = listening;
        Ok(Heard { position, stream, roster, channel: self.channel_of(&id).await? })
    }

    /// The channel whose residents talk there, if it is their talk.
    async fn channel_of(&self, id: &ConversationId) -> Result<Option<String>, Refused> {
        if !is_residents(id.as_str()) {
            return Ok(None);
        }
        let found = self.conversations.get(id).await.map_err(|error| failed(&error))?;
        Ok(channel_of(id, &found.setup))
    }

    /// Whoever cannot answer is given what is missed as it would have been given it live.
    pub(super) async fn missed(
        &self,
        id: &str,
        user: &str,
        after: u64,
        limit: u32,
    ) -> Result<Missed, Refused> {
        let id = conversation(id)?;
        let page = self.reads.page(&self.conversations, &id, after, limit).await;
        let page = page.map_err(|error| failed(&error))?;
        let delivery = match user.parse() {
            Ok(participant) => self.conversations.delivery_to(&id, &participant).await,
            Err(_) => Ok(Delivery::All),
        };
        let delivery = delivery.map_err(|error| failed(&error))?;
        let LogPage { lines, position, epoch, more } = page;
        let lines = lines.into_iter().filter_map(|line| line.delivered(delivery)).map(line).collect();
        Ok(Missed { lines, through: position, epoch, more })
    }

    /// A command is handed in before this returns.
    pub(super) fn say(&self, saying: &Saying<'_>) -> Said {
        match self.begin(saying) {
            Ok(said) => said,
            Err(unsaid) => Box::pin(std::future::ready(Err(unsaid))),
        }
    }

    fn begin(&self, saying: &Saying<'_>) -> Result<Said, Unsaid> {
        let Saying { who, event, json, .. } = *saying;
        let id = conversation(saying.conversation)?;
        let speaker = self.speaker(who);
        let (conversations, reads) = (self.conversations.clone(), self.reads.clone());
        match event {
            "capacity" => {
                let NothingBody {} = object(json).map_err(misspoken)?;
                Ok(Box::pin(async move {
                    let capacity = conversations.capacity(&id).await.map_err(not_done)?;
                    written(&CapacityBody::new(id, capacity))
                }))
            }
            "context" => {
                let ContextQuery { participant, last } = object(json).map_err(misspoken)?;
                let participant = speaker.name(participant, "participant").map_err(misspoken)?;
                let last = last.unwrap_or_default().get();
                Ok(Box::pin(async move {
                    let context = reads.context(&conversations, &id, &participant, last).await;
                    let context = context.map_err(not_done)?;
                    written(&ContextBody::new(&context).map_err(|_| unreadable())?)
                }))
            }
            "messages" => {
                let MessagesQuery { after, limit } = object(json).map_err(misspoken)?;
                let (after, limit) = (after.unwrap_or_default(), limit.unwrap_or_default().get());
                Ok(Box::pin(async move {
                    let page = reads.page(&conversations, &id, after, limit).await.map_err(not_done)?;
                    written(&LogBody::new(&page).map_err(|_| unreadable())?)
                }))
            }
            _ => {
                speaker.may_speak_in(&id).map_err(misspoken)?;
                let command = with_id(command(event, json, &speaker).map_err(misspoken)?, saying.id)?;
                let submitted = conversations.submit(&actor(who), &id, command);
                Ok(Box::pin(async move {
                    submitted.await.map(|receipt| receipt_json(&receipt)).map_err(|error| match error {
                        SubmitError::Refused(refusal) => refused(&refusal),
                        SubmitError::Failed(error) => not_done(error),
                    })
                }))
            }
        }
    }

    fn speaker(&self, who: &Identity) -> Speaker {
        Speaker { max_text_bytes: self.max_text_bytes, ..speaker_of(who) }
    }
}

/// Whom the audit names.
fn actor(who: &Identity) -> Actor {
    Actor::parse(&who.user).unwrap_or_else(|_| Actor::parse("realtime").unwrap_or_else(|_| Actor::system()))
}

/// The id of the broadcast is the message's, where the message has none in itself.
fn with_id(mut command: Command, id: Option<&str>) -> Result<Command, Unsaid> {
    let own = match &mut command {
        Command::Say(say) => &mut say.id,
        Command::SaySystem { id, .. } => id,
        _ => return Ok(command),
    };
    if let (None, Some(id)) = (&own, id) {
        let parsed: Result<MessageId, _> = id.parse();
        *own = Some(parsed.map_err(|error| misspoken(WireError::Invalid(format!("id: {error}"))))?);
    }
    Ok(command)
}

fn line(LogLine { position, at, event, id, body }: LogLine) -> Line {
    let id = id.map(|id| id.as_str().into());
    Line { offset: position, at_ms: u64::try_from(at.0).unwrap_or(0), event, id, body }
}

pub(super) fn written(body: &impl serde::Serialize) -> Result<String, Unsaid> {
    serde_json::to_string(body).map_err(|_| unreadable())
}

fn conversation(id: &str) -> Result<ConversationId, Refused> {
    id.parse().map_err(|error: arena_core::ParseIdError| Refused {
        code: "conversation_not_found".to_owned(),
        detail: error.to_string(),
    })
}

fn failed(error: &ServiceError) -> Refused {
    Refused { code: error.code().to_owned(), detail: error.to_string() }
}

fn unreadable() -> Unsaid {
    let detail = "the log cannot be read; its operator has to look".to_owned();
    Refused { code: "internal".to_owned(), detail }.into()
}

pub(super) fn misspoken(error: WireError) -> Unsaid {
    Refused { code: error.code().to_owned(), detail: error.to_string() }.into()
}

pub(super) fn not_done(error: ServiceError) -> Unsaid {
    let mut more = Map::new();
    if let ErrorClass::Unavailable { retry_after } = error.class() {
        let millis = u64::try_from(retry_after.as_millis()).unwrap_or(u64::MAX);
        more.insert("retry_after_ms".to_owned(), millis.into());
    }
    Unsaid { refused: failed(&error), more }
}

fn refused(refusal: &Refusal) -> Unsaid {
    let refused = Refused { code: refusal.code.as_str().to_owned(), detail: refusal.detail.clone() };
    let more = match serde_json::to_value(RefusalBody::from(refusal)) {
        Ok(Value::Object(more)) => more,
        _ => Map::new(),
    };
    Unsaid { refused, more }
}
