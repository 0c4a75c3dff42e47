//! Who is not to be matched with whom: partings for a while, blocks for ever; and what users report.

use super::locks::hold_tickets;
use super::rows::ReportRow;
use super::tickets::ids;
use crate::channels::parsed;
use crate::db::{Store, Tx, transact};
use crate::error::StoreError;
use crate::listing::{Listing, Place};
use crate::page::{Page, PageRequest};
use crate::sized::{Sized, parts};
use crate::text::storable;
use arena_core::Timestamp;
use arena_core::conversation::ParticipantId;
use arena_core::matching::{Avoid, QueueName};
use sqlx::Row;
use sqlx::any::AnyRow;

/// The most users that one user blocks. Whoever waits is compared with all of them at every look at the queue.
pub const MAX_BLOCKS: u32 = 1_000;

/// What became of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    New,
    Already,
    TooMany,
}

static RENEW: Sized = Sized::new(
    "UPDATE tickets SET version = version + 1, changed_at = v.column2 FROM (VALUES ",
    2,
    ") AS v WHERE tickets.id = v.column1 AND tickets.state = 'waiting'",
);

impl Store {
    /// Pairs of users who wait in a queue and are not to be matched now. Ask behind [`Store::waiting`]: who is blocked or
    /// parted later waits in another version by then.
    pub async fn avoided(&self, queue: &QueueName, now: Timestamp) -> Result<Avoid, StoreError> {
        let mut tx = self.snapshot_by_index().await?;
        let sql = "SELECT p.low, p.high FROM tickets AS t JOIN ticket_users AS u ON u.ticket = t.id \
                   JOIN match_partings AS p ON p.low = u.user_id AND p.until > $2 \
                   WHERE t.queue = $1 AND t.state = 'waiting' AND t.state <> 'over' AND EXISTS (SELECT 1 \
                   FROM ticket_users AS o JOIN tickets AS w ON w.id = o.ticket \
                   WHERE o.user_id = p.high AND w.queue = $1 AND w.state = 'waiting') \
                   UNION ALL SELECT b.user_id, b.blocked FROM tickets AS t JOIN ticket_users AS u ON u.ticket = t.id \
                   JOIN match_blocks AS b ON b.user_id = u.user_id \
                   WHERE t.queue = $1 AND t.state = 'waiting' AND t.state <> 'over' AND EXISTS (SELECT 1 \
                   FROM ticket_users AS o JOIN tickets AS w ON w.id = o.ticket \
                   WHERE o.user_id = b.blocked AND w.queue = $1 AND w.state = 'waiting')";
        let rows = tx.rows(tx.sql(sql).bind(queue.to_string()).bind(now.0)).await?;
        tx.commit().await?;
        let mut avoid = Avoid::default();
        for row in rows {
            avoid.add(parsed(&row, 0)?, parsed(&row, 1)?);
        }
        Ok(avoid)
    }

    /// Blocks a user for another, and gives the waiting tickets of both a new version: what was read of them before does
    /// not make a match any more. Returns whether the block is kept: not where `user` has [`MAX_BLOCKS`] already.
    pub async fn block(
        &self,
        user: &ParticipantId,
        blocked: &ParticipantId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let kept = transact!(self.write_by_index(), |tx| { keep_block(&mut tx, user, blocked, now).await })?;
        // One that is there already was seen by all that was read since.
        if kept != Kept::New {
            return Ok(kept == Kept::Already);
        }
        // In a transaction of its own: a ticket that was made meanwhile is seen by this one, or sees the block.
        transact!(self.write_by_index(), |tx| {
            let sql = "SELECT ticket FROM ticket_users WHERE user_id IN ($1, $2)";
            let query = tx.sql(sql).bind(user.to_string()).bind(blocked.to_string());
            let mut tickets = ids(&tx.rows(query).await?)?;
            tickets.sort_unstable();
            tickets.dedup();
            hold_tickets(&mut tx, &tickets).await?;
            for part in parts(&tickets) {
                let query = RENEW.of(&tx, part.len());
                let query = part.iter().fold(query, |query, id| query.bind(id.to_string()).bind(now.0));
                tx.execute(query).await?;
            }
            Ok(true)
        })
    }

    /// Takes a block back. Returns whether there was one.
    pub async fn unblock(&self, user: &ParticipantId, blocked: &ParticipantId) -> Result<bool, StoreError> {
        let gone = transact!(self.write_by_index(), |tx| {
            let sql = "DELETE FROM match_blocks WHERE user_id = $1 AND blocked = $2";
            tx.execute(tx.sql(sql).bind(user.to_string()).bind(blocked.to_string())).await
        })?;
        Ok(gone > 0)
    }

    /// A page of those whom a user has blocked, by id.
    pub async fn blocks(
        &self,
        user: &ParticipantId,
        page: &PageRequest,
    ) -> Result<Page<ParticipantId>, StoreError> {
        let mut tx = self.snapshot_by_index().await?;
        let query = Listing::new("SELECT blocked FROM match_blocks")
            .compare("user_id =", Some(user.as_str()))
            .compare("blocked >", page.cursor.as_deref())
            .page(&tx, "blocked", page);
        let rows = tx.rows(query).await?;
        tx.commit().await?;
        let blocked = rows.iter().map(|row| parsed(row, 0)).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::cut(blocked, page, ParticipantId::to_string))
    }

    /// Keeps a report. What a user says of the same one in the same match again is the same report, with the latest words.
    /// Returns it as it is kept, and whether it says anything new.
    pub async fn report(&self, report: &ReportRow) -> Result<(ReportRow, bool), StoreError> {
        let sql = "INSERT INTO match_reports (id, match_id, reporter, reported, reason, detail, created_at) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (match_id, reporter, reported) DO UPDATE \
                   SET reason = excluded.reason, detail = excluded.detail \
                   WHERE match_reports.reason <> excluded.reason OR match_reports.detail <> excluded.detail";
        transact!(self.write_by_index(), |tx| {
            let query = tx.sql(sql).bind(report.id.to_string()).bind(report.in_match.to_string());
            let query = query.bind(report.reporter.to_string()).bind(report.reported.to_string());
            let query = query.bind(storable(&report.reason)).bind(storable(&report.detail));
            let written = tx.execute(query.bind(report.created_at.0)).await?;
            Ok((kept_report(&mut tx, report).await?, written > 0))
        })
    }

    /// A page of reports, newest first.
    pub async fn reports(&self, page: &PageRequest) -> Result<Page<ReportRow>, StoreError> {
        let mut tx = self.snapshot_by_index().await?;
        let select = "SELECT id, match_id, reporter, reported, reason, detail, created_at FROM match_reports";
        let query = Listing::new(select).place("(created_at, id) <", Place::parse(page)?).page(
            &tx,
            "created_at DESC, id DESC",
            page,
        );
        let rows = tx.rows(query).await?;
        tx.commit().await?;
        let rows = rows.iter().map(report_row).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::cut(rows, page, |report| Place(report.created_at, report.id).to_string()))
    }
}

async fn keep_block(
    tx: &mut Tx,
    user: &ParticipantId,
    blocked: &ParticipantId,
    now: Timestamp,
) -> Result<Kept, StoreError> {
    let sql = "SELECT 1 FROM match_blocks WHERE user_id = $1 AND blocked = $2";
    if tx.row(tx.sql(sql).bind(user.to_string()).bind(blocked.to_string())).await?.is_some() {
        return Ok(Kept::Already);
    }
    // Several at the same moment count each other on SQLite only; elsewhere they may go over it by their number.
    let sql = "INSERT INTO match_blocks (user_id, blocked, created_at) SELECT $1, $2, $3 \
               WHERE (SELECT COUNT(*) FROM match_blocks WHERE user_id = $1) < $4 \
               ON CONFLICT (user_id, blocked) DO NOTHING";
    let query = tx.sql(sql).bind(user.to_string()).bind(blocked.to_string()).bind(now.0);
    let written = tx.execute(query.bind(i64::from(MAX_BLOCKS))).await?;
    Ok(if written > 0 { Kept::New } else { Kept::TooMany })
}

async fn kept_report(tx: &mut Tx, report: &ReportRow) -> Result<ReportRow, StoreError> {
    let sql = "SELECT id, match_id, reporter, reported, reason, detail, created_at FROM match_reports \
               WHERE match_id = $1 AND reporter = $2 AND reported = $3";
    let query = tx.sql(sql).bind(report.in_match.to_string()).bind(report.reporter.to_string());
    let kept = tx.row(query.bind(report.reported.to_string())).await?;
    // Forgotten by another in this moment: keep it anew.
    kept.as_ref().map(report_row).transpose()?.ok_or(StoreError::Contended)
}

fn report_row(row: &AnyRow) -> Result<ReportRow, StoreError> {
    Ok(ReportRow {
        id: parsed(row, 0)?,
        in_match: parsed(row, 1)?,
        reporter: parsed(row, 2)?,
        reported: parsed(row, 3)?,
        reason: row.try_get(4)?,
        detail: row.try_get(5)?,
        created_at: Timestamp(row.try_get(6)?),
    })
}
