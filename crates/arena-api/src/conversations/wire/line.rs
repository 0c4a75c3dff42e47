//! Lines of a log.

use super::capacity::{BudgetBody, ShareBody};
use arena_control::{Context, LogLine, LogPage};
use arena_core::Timestamp;
use arena_core::conversation::{ExhaustedBy, Notice, ParticipantId};
use serde::Serialize;
use serde_json::value::RawValue;

/// A line.
#[derive(Debug, Serialize)]
pub(crate) struct LineBody<'a> {
    offset: u64,
    epoch: &'a str,
    at_ms: Timestamp,
    event: &'a str,
    id: String,
    payload: &'a RawValue,
}

impl<'a> LineBody<'a> {
    /// A message that was given no id is called by its place. Fails where the log holds no JSON.
    pub(crate) fn new(line: &'a LogLine, epoch: &'a str) -> serde_json::Result<LineBody<'a>> {
        let id = match &line.id {
            Some(id) => id.to_string(),
            None => format!("{epoch}:{}", line.position),
        };
        let payload = serde_json::from_slice(&line.body)?;
        Ok(LineBody { offset: line.position, epoch, at_ms: line.at, event: &line.event, id, payload })
    }

    fn all(lines: &'a [LogLine], epoch: &'a str) -> serde_json::Result<Vec<LineBody<'a>>> {
        lines.iter().map(|line| LineBody::new(line, epoch)).collect()
    }
}

/// A part of a log.
#[derive(Debug, Serialize)]
pub(crate) struct LogBody<'a> {
    items: Vec<LineBody<'a>>,
    position: u64,
    epoch: &'a str,
    more: bool,
}

impl<'a> LogBody<'a> {
    pub(crate) fn new(page: &'a LogPage) -> serde_json::Result<LogBody<'a>> {
        let epoch = page.epoch.as_str();
        Ok(LogBody {
            items: LineBody::all(&page.lines, epoch)?,
            position: page.position,
            epoch,
            more: page.more,
        })
    }
}

/// What an agent needs to know before it speaks.
#[derive(Debug, Serialize)]
pub(crate) struct ContextBody<'a> {
    share: ShareBody,
    total: BudgetBody,
    exhausted: Option<ExhaustedBy>,
    turn: Option<&'a ParticipantId>,
    your_turn: bool,
    notices: &'a [Notice],
    participants: &'a [ParticipantId],
    last: Vec<LineBody<'a>>,
    position: u64,
    epoch: &'a str,
}

impl<'a> ContextBody<'a> {
    pub(crate) fn new(context: &'a Context) -> serde_json::Result<ContextBody<'a>> {
        let epoch = context.position.epoch.as_str();
        Ok(ContextBody {
            share: context.share.clone().into(),
            total: context.total.into(),
            exhausted: context.exhausted,
            turn: context.turn.as_ref(),
            your_turn: context.your_turn,
            notices: &context.notices,
            participants: &context.participants,
            last: LineBody::all(&context.last, epoch)?,
            position: context.position.offset,
            epoch,
        })
    }
}
