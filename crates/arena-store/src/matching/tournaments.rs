//! The games of tournaments.

use crate::db::Store;
use crate::error::StoreError;
use arena_core::matching::MatchId;

impl Store {
    /// A tournament as JSON, with its version.
    pub async fn tournament(&self, id: MatchId) -> Result<Option<(String, i64)>, StoreError> {
        let _ = id;
        todo!()
    }

    /// Writes a tournament that was read in this version. `false` if another was faster: read again.
    pub async fn write_tournament(&self, id: MatchId, version: i64, state: &str) -> Result<bool, StoreError> {
        let _ = (id, version, state);
        todo!()
    }
}
