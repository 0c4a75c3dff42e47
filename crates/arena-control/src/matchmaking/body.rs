//! Tickets and matches as JSON: what REST answers and what notices carry is the same.

use super::view::TicketView;
use arena_core::Timestamp;
use arena_core::channel::{ChannelName, Region};
use arena_core::conversation::{ConversationId, ParticipantId};
use arena_core::matching::{
    Kind, Label, MatchEnd, MatchId, MatchState, QueueName, TicketEnd, TicketId, TicketState,
};
use arena_store::{MatchRow, MemberRow, ReportRow};
use serde::Serialize;
use std::collections::BTreeMap;

/// A ticket, with the match that it is in, or was in last.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TicketBody {
    /// Which.
    pub id: TicketId,
    /// Where it waits, or waited.
    pub queue: QueueName,
    /// Who acts for it.
    pub user: ParticipantId,
    /// What kind.
    pub kind: Kind,
    /// How partners are told of it.
    pub name: Option<String>,
    /// Who comes along.
    pub party: Vec<ParticipantId>,
    /// Where.
    pub region: Option<Region>,
    /// What it speaks.
    pub language: Option<Label>,
    /// What it likes to talk about.
    pub interests: Vec<Label>,
    /// How strong it plays.
    pub rating: Option<i32>,
    /// Whatever else rules compare.
    pub attributes: BTreeMap<Label, Label>,
    /// Whom it is not to be matched with.
    pub avoid: Vec<ParticipantId>,
    /// Whether it waits again by itself.
    pub requeue: bool,
    /// Where it is in its life.
    pub state: TicketState,
    /// Why it has ended.
    pub ended: Option<TicketEnd>,
    /// Rises with every change.
    pub version: i64,
    /// When it began to wait.
    pub since_ms: Timestamp,
    /// It comes before those that were not let down.
    pub ahead: bool,
    /// How long it waited for the match that it is in, or was in last.
    pub waited_ms: Option<u64>,
    /// When it was made.
    pub created_at_ms: Timestamp,
    /// When its state changed.
    pub changed_at_ms: Timestamp,
    /// The match that it is in, or was in last.
    #[serde(rename = "match")]
    pub in_match: Option<MatchBody>,
}

/// A match.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MatchBody {
    /// Which.
    pub id: MatchId,
    /// The queue that it came from.
    pub queue: QueueName,
    /// Where it is in its life.
    pub state: MatchState,
    /// Why it has ended.
    pub ended: Option<MatchEnd>,
    /// Whose doing that was. Members are not told who has blocked whom.
    pub ended_by: Option<ParticipantId>,
    /// Where its members talk.
    pub conversation: Option<ConversationId>,
    /// Where its tournament is.
    pub channel: Option<ChannelName>,
    /// How well they go together, 0 to 100.
    pub quality: u32,
    /// When it was made.
    pub made_at_ms: Timestamp,
    /// Until when everybody has to confirm.
    pub confirm_until_ms: Timestamp,
    /// When its state changed.
    pub changed_at_ms: Timestamp,
    /// Who is in it, by team.
    pub members: Vec<MemberBody>,
}

/// A member of a match.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MemberBody {
    /// Its ticket: operators are told, partners are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<TicketId>,
    /// Who acts for it.
    pub user: ParticipantId,
    /// What kind: nobody takes a bot for a human.
    pub kind: Kind,
    /// How it is called.
    pub name: Option<String>,
    /// Who came along.
    pub party: Vec<ParticipantId>,
    /// Its team, from 0.
    pub team: u32,
    /// Whether it has confirmed.
    pub confirmed: bool,
}

impl TicketBody {
    /// As its user, and an operator, is told of it.
    pub fn new(view: &TicketView) -> TicketBody {
        let TicketView { ticket, in_match } = view;
        let wish = ticket.wish.as_ref().clone();
        TicketBody {
            id: ticket.id,
            queue: ticket.queue.clone(),
            user: wish.user,
            kind: wish.kind,
            name: wish.name,
            party: wish.party,
            region: wish.region,
            language: wish.language,
            interests: wish.interests,
            rating: wish.rating,
            attributes: wish.attributes,
            avoid: wish.avoid,
            requeue: wish.requeue,
            state: ticket.state,
            ended: ticket.ended,
            version: ticket.version,
            since_ms: ticket.since,
            ahead: ticket.ahead,
            waited_ms: ticket.waited_ms,
            created_at_ms: ticket.created_at,
            changed_at_ms: ticket.changed_at,
            in_match: in_match.as_ref().map(MatchBody::new),
        }
    }
}

impl MatchBody {
    /// As its members are told of it.
    pub fn new(row: &MatchRow) -> MatchBody {
        MatchBody {
            id: row.id,
            queue: row.queue.clone(),
            state: row.state,
            ended: row.ended,
            ended_by: told_by(row).cloned(),
            conversation: row.conversation.clone(),
            channel: row.channel.clone(),
            quality: row.quality,
            made_at_ms: row.made_at,
            confirm_until_ms: row.confirm_until,
            changed_at_ms: row.changed_at,
            members: row.members.iter().map(MemberBody::new).collect(),
        }
    }

    /// As operators are told of it: with its members' tickets.
    pub fn for_operators(row: &MatchRow) -> MatchBody {
        let with_ticket =
            |member: &MemberRow| MemberBody { ticket: Some(member.ticket), ..MemberBody::new(member) };
        MatchBody {
            ended_by: row.ended_by.clone(),
            members: row.members.iter().map(with_ticket).collect(),
            ..MatchBody::new(row)
        }
    }
}

impl MemberBody {
    fn new(member: &MemberRow) -> MemberBody {
        MemberBody {
            ticket: None,
            user: member.user.clone(),
            kind: member.kind,
            name: member.name.clone(),
            party: member.party.clone(),
            team: member.team,
            confirmed: member.confirmed_at.is_some(),
        }
    }
}

/// Whose doing the end of a match was, as far as members are told: not who has blocked whom.
pub(super) fn told_by(row: &MatchRow) -> Option<&ParticipantId> {
    row.ended_by.as_ref().filter(|_| row.ended != Some(MatchEnd::Blocked))
}

/// What a user has said about a partner.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReportBody {
    /// Which.
    pub id: uuid::Uuid,
    /// The match that they met in.
    #[serde(rename = "match")]
    pub in_match: MatchId,
    /// Who says it.
    pub reporter: ParticipantId,
    /// Of whom.
    pub reported: ParticipantId,
    /// A short word.
    pub reason: String,
    /// More of it, for people.
    pub detail: String,
    /// When.
    pub created_at_ms: Timestamp,
}

impl ReportBody {
    /// As operators, and whoever made it, are told of it.
    pub fn new(row: &ReportRow) -> ReportBody {
        ReportBody {
            id: row.id,
            in_match: row.in_match,
            reporter: row.reporter.clone(),
            reported: row.reported.clone(),
            reason: row.reason.clone(),
            detail: row.detail.clone(),
            created_at_ms: row.created_at,
        }
    }
}
