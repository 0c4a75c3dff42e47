//! What users say about partners.

use arena_control::ReportRow;
use arena_core::Timestamp;
use arena_core::conversation::ParticipantId;
use arena_core::matching::MatchId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A report to be made.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReportBody {
    pub(crate) user: Option<ParticipantId>,
    pub(crate) reported: Option<ParticipantId>,
    pub(crate) reason: String,
    pub(crate) detail: Option<String>,
}

/// A report as it is shown.
#[derive(Debug, Serialize)]
pub(crate) struct ReportedBody {
    id: Uuid,
    r#match: MatchId,
    reporter: ParticipantId,
    reported: ParticipantId,
    reason: String,
    detail: String,
    created_at_ms: Timestamp,
}

impl From<ReportRow> for ReportedBody {
    fn from(row: ReportRow) -> ReportedBody {
        ReportedBody {
            id: row.id,
            r#match: row.in_match,
            reporter: row.reporter,
            reported: row.reported,
            reason: row.reason,
            detail: row.detail,
            created_at_ms: row.created_at,
        }
    }
}
