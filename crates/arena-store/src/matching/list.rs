//! Lists and numbers for people.

use super::read::add_members;
use super::rows::{self, MatchRow, TicketRow, match_columns, ticket_columns};
use crate::channels::number;
use crate::db::{Store, Tx};
use crate::error::StoreError;
use crate::listing::{Listing, Place};
use crate::page::{Page, PageRequest};
use arena_core::Timestamp;
use arena_core::conversation::ParticipantId;
use arena_core::matching::{Kind, MatchState, QueueName, TicketState};
use sqlx::Row;
use sqlx::any::AnyRow;

/// Which tickets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TicketFilter {
    /// Of this queue.
    pub queue: Option<QueueName>,
    /// In this state.
    pub state: Option<TicketState>,
    /// Of this user.
    pub user: Option<ParticipantId>,
    /// Of this kind.
    pub kind: Option<Kind>,
}

/// Which matches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MatchFilter {
    /// Of this queue.
    pub queue: Option<QueueName>,
    /// In this state.
    pub state: Option<MatchState>,
    /// Only tournaments.
    pub tournaments: bool,
}

/// What is in a queue now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QueueCounts {
    /// Humans who wait.
    pub humans: u64,
    /// Bots that wait.
    pub bots: u64,
    /// Since when the human waits who has waited longest.
    pub oldest: Option<Timestamp>,
    /// Tickets in matches that are only proposed.
    pub proposed: u64,
    /// Tickets in matches that stand.
    pub matched: u64,
}

/// What became of tickets of humans that left a queue lately.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WaitStats {
    /// Tickets of humans whose match stood.
    pub matched: u64,
    /// The wait that half of them did not exceed, in milliseconds.
    pub wait_p50_ms: Option<u64>,
    /// The wait that 95 of 100 did not exceed, in milliseconds.
    pub wait_p95_ms: Option<u64>,
    /// Mean quality of the matches, 0 to 100.
    pub quality: Option<u32>,
    /// Tickets of humans that were taken back, went silent or timed out before they were matched.
    pub abandoned: u64,
    /// Matches that were not confirmed, or declined.
    pub failed: u64,
}

/// The most tickets, and the most matches, that numbers about the past are taken from.
const MOST_COUNTED: i64 = 10_000;

impl Store {
    /// A page of tickets, oldest first.
    pub async fn tickets(
        &self,
        filter: &TicketFilter,
        page: &PageRequest,
    ) -> Result<Page<TicketRow>, StoreError> {
        let mut tx = self.snapshot_by_index().await?;
        let live = filter.state.is_some_and(|state| state != TicketState::Over);
        let query = Listing::new(concat!("SELECT ", ticket_columns!(), " FROM tickets"))
            .compare("queue =", filter.queue.as_ref().map(QueueName::as_str))
            .compare("state =", filter.state.map(TicketState::as_str))
            .when(live, "state <> 'over'")
            .compare("user_id =", filter.user.as_ref().map(ParticipantId::as_str))
            .compare("kind =", filter.kind.map(Kind::as_str))
            .place("(created_at, id) >", Place::parse(page)?)
            .page(&tx, "created_at, id", page);
        let rows = tx.rows(query).await?;
        tx.commit().await?;
        let rows = rows.iter().map(rows::ticket).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::cut(rows, page, |ticket| Place(ticket.created_at, ticket.id.0).to_string()))
    }

    /// A page of matches, oldest first.
    pub async fn matches(
        &self,
        filter: &MatchFilter,
        page: &PageRequest,
    ) -> Result<Page<MatchRow>, StoreError> {
        let mut tx = self.snapshot_by_index().await?;
        let query = Listing::new(concat!("SELECT ", match_columns!(), " FROM matches"))
            .compare("queue =", filter.queue.as_ref().map(QueueName::as_str))
            .compare("state =", filter.state.map(MatchState::as_str))
            .when(filter.tournaments, "channel IS NOT NULL")
            .place("(made_at, id) >", Place::parse(page)?)
            .page(&tx, "made_at, id", page);
        let rows = tx.rows(query).await?;
        let rows = rows.iter().map(rows::meeting).collect::<Result<Vec<_>, _>>()?;
        let mut cut = Page::cut(rows, page, |meeting| Place(meeting.made_at, meeting.id.0).to_string());
        add_members(&mut tx, &mut cut.items).await?;
        tx.commit().await?;
        Ok(cut)
    }

    /// What is in a queue now.
    pub async fn queue_counts(&self, queue: &QueueName) -> Result<QueueCounts, StoreError> {
        let mut tx = self.snapshot_by_index().await?;
        let sql = "SELECT state, kind, COUNT(*), MIN(since) FROM tickets \
                   WHERE queue = $1 AND state <> 'over' GROUP BY state, kind";
        let rows = tx.rows(tx.sql(sql).bind(queue.to_string())).await?;
        tx.commit().await?;
        let mut counts = QueueCounts::default();
        for row in &rows {
            let count: u64 = number(row, 2)?;
            match (row.try_get::<&str, _>(0)?, row.try_get::<&str, _>(1)?) {
                ("waiting", "human") => {
                    counts.humans = count;
                    counts.oldest = Some(Timestamp(row.try_get(3)?));
                }
                ("waiting", _) => counts.bots = count,
                ("proposed", _) => counts.proposed += count,
                _ => counts.matched += count,
            }
        }
        Ok(counts)
    }

    /// What became of tickets that left a queue after `after`; of the last 10,000 at most. A ticket that waited again and
    /// met another counts for each match that stood.
    pub async fn wait_stats(&self, queue: &QueueName, after: Timestamp) -> Result<WaitStats, StoreError> {
        let mut tx = self.snapshot_by_index().await?;
        let mut waits = waits(&mut tx, queue, after).await?;
        waits.sort_unstable();
        let sql = "SELECT CAST(SUM(quality) AS BIGINT), COUNT(*) FROM (SELECT quality FROM matches \
                   WHERE queue = $1 AND stood_at > $2 ORDER BY stood_at DESC LIMIT $3) AS found";
        let quality = ask(&mut tx, sql, queue, after).await?;
        let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM tickets WHERE queue = $1 AND changed_at > $2 \
                   AND state = 'over' AND kind = 'human' AND ended IN ('cancelled', 'silent', 'timed_out') LIMIT $3) AS found";
        let abandoned = ask(&mut tx, sql, queue, after).await?;
        let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM matches WHERE queue = $1 AND changed_at > $2 \
                   AND state = 'over' AND stood_at IS NULL LIMIT $3) AS found";
        let failed = ask(&mut tx, sql, queue, after).await?;
        tx.commit().await?;
        Ok(WaitStats {
            matched: waits.len() as u64,
            wait_p50_ms: percentile(&waits, 50),
            wait_p95_ms: percentile(&waits, 95),
            quality: mean(&quality[0])?,
            abandoned: number(&abandoned[0], 0)?,
            failed: number(&failed[0], 0)?,
        })
    }
}

/// How long humans waited for matches that stood, the latest of them.
async fn waits(tx: &mut Tx, queue: &QueueName, after: Timestamp) -> Result<Vec<u64>, StoreError> {
    let sql = "SELECT m.waited_ms FROM matches JOIN match_members AS m ON m.match_id = matches.id \
               WHERE matches.queue = $1 AND matches.stood_at > $2 AND m.kind = 'human' AND m.waited_ms IS NOT NULL \
               ORDER BY matches.stood_at DESC LIMIT $3";
    ask(tx, sql, queue, after).await?.iter().map(|row| number(row, 0)).collect()
}

async fn ask(
    tx: &mut Tx,
    sql: &'static str,
    queue: &QueueName,
    after: Timestamp,
) -> Result<Vec<AnyRow>, StoreError> {
    tx.rows(tx.sql(sql).bind(queue.to_string()).bind(after.0).bind(MOST_COUNTED)).await
}

/// The value that so many of 100 do not exceed (nearest rank), of values in order.
fn percentile(sorted: &[u64], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.max(1) - 1).copied()
}

/// The rounded mean of a sum and a count.
fn mean(row: &AnyRow) -> Result<Option<u32>, StoreError> {
    let count: u64 = number(row, 1)?;
    if count == 0 {
        return Ok(None);
    }
    let sum: u64 = number(row, 0)?;
    Ok(u32::try_from((sum + count / 2) / count).ok())
}
