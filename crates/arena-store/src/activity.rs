//! The activity log: who did what, when, to which bot or channel.

use crate::batch;
use crate::channels::parsed_option;
use crate::db::{Store, Tx, transact};
use crate::error::StoreError;
use crate::listing::Listing;
use crate::page::{Page, PageRequest};
use crate::{Actor, now};
use arena_core::channel::ChannelName;
use arena_core::{BotId, Timestamp};
use serde_json::Value;
use sqlx::Row;
use sqlx::any::AnyRow;
use uuid::Uuid;

/// Something that is about to be logged.
#[derive(Debug, Clone, PartialEq)]
pub struct ActivityDraft {
    /// Who did it.
    pub actor: Actor,
    /// What, such as `bot.moved`.
    pub action: &'static str,
    /// To which bot.
    pub bot: Option<BotId>,
    /// In which channel.
    pub channel: Option<ChannelName>,
    /// More about it.
    pub detail: Value,
}

/// Something that was logged.
#[derive(Debug, Clone, PartialEq)]
pub struct Activity {
    /// Rises with time.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub actor: String,
    /// What.
    pub action: String,
    /// To which bot.
    pub bot: Option<BotId>,
    /// In which channel.
    pub channel: Option<ChannelName>,
    /// More about it.
    pub detail: Value,
}

/// Which entries to list; `None` means any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActivityFilter {
    /// Of this bot.
    pub bot: Option<BotId>,
    /// In this channel.
    pub channel: Option<ChannelName>,
    /// Of this action.
    pub action: Option<String>,
}

impl Store {
    /// Logs what happened outside of an order.
    pub async fn log(&self, drafts: &[ActivityDraft]) -> Result<(), StoreError> {
        transact!(self.write(), |tx| { insert(&mut tx, drafts, now()).await })
    }

    /// A page of the log, newest first.
    pub async fn activity(
        &self,
        filter: &ActivityFilter,
        page: &PageRequest,
    ) -> Result<Page<Activity>, StoreError> {
        let cursor = page.cursor.as_deref().map(Uuid::parse_str).transpose();
        let cursor = cursor.map_err(|_| StoreError::BadCursor)?;
        let mut tx = self.read().await?;
        let query = Listing::new("SELECT id, at, actor, action, bot, channel, detail FROM activity")
            .compare("bot =", filter.bot.map(|bot| bot.to_string()).as_deref())
            .compare("channel =", filter.channel.as_ref().map(ChannelName::as_str))
            .compare("action =", filter.action.as_deref())
            .compare("id <", cursor.map(|id| id.to_string()).as_deref())
            .page(&tx, "id DESC", page);
        let rows = tx.rows(query).await?;
        tx.commit().await?;
        let rows = rows.iter().map(activity_row).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::cut(rows, page, |activity| activity.id.clone()))
    }
}

/// Logs within a transaction.
pub(crate) async fn insert(tx: &mut Tx, drafts: &[ActivityDraft], now: Timestamp) -> Result<(), StoreError> {
    for chunk in drafts.chunks(batch::rows_per_statement(7, 0)) {
        let mut query = tx.built(format!(
            "INSERT INTO activity (id, at, actor, action, bot, channel, detail) VALUES {}",
            batch::tuples(chunk.len(), 7, 0)
        ));
        for draft in chunk {
            query = query
                .bind(Uuid::now_v7().to_string())
                .bind(now.0)
                .bind(draft.actor.to_string())
                .bind(draft.action)
                .bind(draft.bot.map(|bot| bot.to_string()))
                .bind(draft.channel.as_ref().map(ChannelName::to_string))
                .bind(draft.detail.to_string());
        }
        tx.execute(query).await?;
    }
    Ok(())
}

fn activity_row(row: &AnyRow) -> Result<Activity, StoreError> {
    let detail: String = row.try_get(6)?;
    Ok(Activity {
        id: row.try_get(0)?,
        at: Timestamp(row.try_get(1)?),
        actor: row.try_get(2)?,
        action: row.try_get(3)?,
        bot: parsed_option(row, 4)?,
        channel: parsed_option(row, 5)?,
        detail: serde_json::from_str(&detail).map_err(StoreError::corrupt)?,
    })
}
