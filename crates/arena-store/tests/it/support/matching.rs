//! What tests of the matchmaker's rows share.

use super::Db;
use arena_core::Timestamp;
use arena_core::conversation::ParticipantId;
use arena_core::matching::{Kind, MatchEnd, MatchId, QueueName, Rules, TicketId, TicketState, Wish};
use arena_store::{
    Attendance, Confirming, ConversationRow, Ending, Lost, MatchDraft, MatchRow, NewTicket, Store,
    TicketError, TicketRow,
};
use std::sync::atomic::{AtomicI64, Ordering};
use uuid::Uuid;

/// When tickets are made, unless a test says otherwise.
pub(crate) const T0: Timestamp = Timestamp(1_000_000);

/// So many milliseconds after [`T0`].
pub(crate) fn at(ms: i64) -> Timestamp {
    Timestamp(T0.0 + ms)
}

pub(crate) fn user(name: &str) -> ParticipantId {
    name.parse().unwrap()
}

/// The queue that every test has.
pub(crate) fn strangers() -> QueueName {
    QueueName::strangers()
}

pub(crate) async fn open_queue(store: &Store) {
    store.put_match_queue(&strangers(), &Rules::strangers(), true).await.unwrap();
}

pub(crate) fn new_ticket(name: &str) -> NewTicket {
    NewTicket { id: TicketId(Uuid::now_v7()), queue: strangers(), wish: Wish::of(user(name), Kind::Human) }
}

/// Makes a ticket that waits from then on.
pub(crate) async fn make_ticket(store: &Store, new: &NewTicket, now: Timestamp) -> TicketRow {
    try_ticket(store, new, now).await.unwrap()
}

pub(crate) async fn try_ticket(
    store: &Store,
    new: &NewTicket,
    now: Timestamp,
) -> Result<TicketRow, TicketError> {
    store.create_tickets(std::slice::from_ref(new), now).await.unwrap().pop().unwrap()
}

/// A ticket of somebody of whom nothing else is known.
pub(crate) async fn enqueue(store: &Store, name: &str) -> TicketRow {
    make_ticket(store, &new_ticket(name), T0).await
}

/// A match of these tickets, each a team.
pub(crate) fn draft(tickets: &[&TicketRow], confirm_until: Timestamp) -> MatchDraft {
    let id = MatchId(Uuid::now_v7());
    MatchDraft {
        id,
        teams: tickets.iter().map(|ticket| vec![(ticket.id, ticket.version)]).collect(),
        quality: 50,
        confirm_until,
        conversation: talk(&format!("match-{id}")),
        log: Vec::new(),
    }
}

/// A conversation that nothing has happened in.
pub(crate) fn talk(id: &str) -> ConversationRow {
    static KEYS: AtomicI64 = AtomicI64::new(1);
    ConversationRow {
        key: KEYS.fetch_add(1, Ordering::Relaxed),
        id: id.parse().unwrap(),
        owner: None,
        root: None,
        state: "{}".to_owned(),
        position: 0,
        exhausted: false,
        created_at: T0,
        due_at: None,
    }
}

/// A match that is proposed, of users of whom nothing else is known.
pub(crate) async fn propose(store: &Store, names: &[&str]) -> MatchRow {
    let mut tickets = Vec::new();
    for name in names {
        tickets.push(enqueue(store, name).await);
    }
    propose_tickets(store, &tickets.iter().collect::<Vec<_>>()).await
}

pub(crate) async fn propose_tickets(store: &Store, tickets: &[&TicketRow]) -> MatchRow {
    let draft = draft(tickets, at(8_000));
    let made = store.make_matches(&strangers(), std::slice::from_ref(&draft), at(100)).await.unwrap();
    assert_eq!(made, [draft.id]);
    store.match_row(draft.id).await.unwrap().unwrap()
}

/// Everybody confirms.
pub(crate) async fn stand(store: &Store, meeting: &MatchRow, now: Timestamp) -> MatchRow {
    for member in &meeting.members {
        assert!(matches!(confirm(store, meeting.id, &member.user, now).await, Confirming::Noted(_)));
    }
    store.match_row(meeting.id).await.unwrap().unwrap()
}

pub(crate) async fn confirm(store: &Store, id: MatchId, user: &ParticipantId, now: Timestamp) -> Confirming {
    store.confirm_match(id, user, now).await.unwrap().unwrap().unwrap()
}

pub(crate) fn ending(end: MatchEnd, by: Option<&str>) -> Ending {
    // Whoever is said to be lost is lost, like everybody else then.
    let lost = Lost { silent_before: at(i64::MAX - T0.0), ..Lost::NOBODY };
    let lost = if end == MatchEnd::Disconnected { lost } else { Lost::NOBODY };
    Ending { end, by: by.map(user), requeue: false, apart_until: None, only: None, lost }
}

/// Notes since when somebody is away, or that it is there.
pub(crate) async fn attend(store: &Store, meeting: &MatchRow, name: &str, away_since: Option<Timestamp>) {
    let conversation = meeting.conversation.clone().unwrap();
    store.attend_matches(&[Attendance { conversation, user: user(name), away_since }]).await.unwrap();
}

/// The tickets of a match, in the order of its members.
pub(crate) async fn tickets_of(store: &Store, meeting: &MatchRow) -> Vec<TicketRow> {
    let mut tickets = Vec::new();
    for member in &meeting.members {
        tickets.push(store.ticket(member.ticket).await.unwrap().unwrap());
    }
    tickets
}

pub(crate) async fn states(store: &Store, meeting: &MatchRow) -> Vec<TicketState> {
    tickets_of(store, meeting).await.into_iter().map(|ticket| ticket.state).collect()
}

/// What must hold of the matchmaker's rows at every moment, whatever happened.
pub(crate) async fn assert_matching_sound(db: &Db) {
    let pool = db.raw().await;
    for (rule, sql) in arena_testing::MATCHING_RULES {
        let sql = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM ({sql}) AS broken"));
        let broken: i64 = sqlx::query_scalar(sql).fetch_one(&pool).await.unwrap();
        assert_eq!(broken, 0, "{rule}");
    }
    pool.close().await;
}
