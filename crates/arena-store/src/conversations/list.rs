//! Finding conversations: pages of them, and those in which something is due.

use super::rows::{self, CONVERSATION, ConversationRow};
use crate::channels::parsed;
use crate::db::Store;
use crate::error::StoreError;
use crate::listing::Listing;
use crate::page::{Page, PageRequest};
use arena_core::Timestamp;
use arena_core::conversation::ConversationId;

/// Which conversations to list; `None` means any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConversationFilter {
    /// Of this owner.
    pub owner: Option<String>,
    /// Of the tree that begins with this conversation.
    pub root: Option<ConversationId>,
    /// Those that are exhausted, or those that are not.
    pub exhausted: Option<bool>,
}

impl Store {
    /// A page of conversations, oldest first, as of when their states were last stored.
    pub async fn conversations(
        &self,
        filter: &ConversationFilter,
        page: &PageRequest,
    ) -> Result<Page<ConversationRow>, StoreError> {
        let cursor = page.cursor.as_deref().map(str::parse).transpose();
        let cursor = cursor.map_err(|_| StoreError::BadCursor)?;
        let mut tx = self.read().await?;
        let query = Listing::new(format!("SELECT {CONVERSATION} FROM conversations"))
            .compare("owner =", filter.owner.as_deref())
            .compare("root =", filter.root.as_ref().map(ConversationId::as_str))
            .when(filter.exhausted == Some(true), "exhausted = 1")
            .when(filter.exhausted == Some(false), "exhausted = 0")
            .compare_number("key >", cursor)
            .page(&tx, "key", page);
        let rows = tx.rows(query).await?;
        tx.commit().await?;
        let rows = rows.iter().map(rows::conversation).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::cut(rows, page, |row| row.key.to_string()))
    }

    /// At most `limit` conversations in which something is due by `now`, the longest overdue first.
    pub async fn due_conversations(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<ConversationId>, StoreError> {
        let mut tx = self.read().await?;
        let sql = "SELECT id FROM conversations WHERE due_at <= $1 ORDER BY due_at LIMIT $2";
        let rows = tx.rows(tx.sql(sql).bind(now.0).bind(i64::from(limit))).await?;
        tx.commit().await?;
        rows.iter().map(|row| parsed(row, 0)).collect()
    }
}
