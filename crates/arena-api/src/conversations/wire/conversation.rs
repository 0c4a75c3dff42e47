//! A conversation as it is shown.

use super::setup::SetupBody;
use arena_control::Summary;
use arena_core::Timestamp;
use arena_core::conversation::{ConversationId, ExhaustedBy};
use serde::Serialize;

/// A conversation and its setup.
#[derive(Debug, Serialize)]
pub(crate) struct ConversationBody {
    id: ConversationId,
    #[serde(flatten)]
    setup: SetupBody,
    exhausted: Option<ExhaustedBy>,
    created_at_ms: Timestamp,
}

impl From<Summary> for ConversationBody {
    fn from(Summary { id, setup, exhausted, created_at }: Summary) -> ConversationBody {
        ConversationBody { id, setup: setup.into(), exhausted, created_at_ms: created_at }
    }
}
