//! SQLite's write-ahead log, which has to be moved into the file from time to time.

use crate::db::{Dialect, Store};
use crate::error::StoreError;
use std::sync::atomic::Ordering;

impl Store {
    /// Moves what was written into SQLite's file, if anything was since the last time. Writers go on meanwhile: they would
    /// do it themselves in the middle of a commit otherwise, with everybody waiting for the disk. Does nothing on
    /// PostgreSQL, which does so by itself.
    pub async fn move_wal(&self) -> Result<(), StoreError> {
        if self.dialect() == Dialect::Postgres || !self.written().swap(false, Ordering::Relaxed) {
            return Ok(());
        }
        // Readers may: it changes nothing that anybody could see.
        let mut connection = self.reader().acquire().await?;
        sqlx::raw_sql("PRAGMA wal_checkpoint(PASSIVE)").execute(&mut *connection).await?;
        Ok(())
    }
}
