//! Refusals, as a machine reads them.

use arena_core::conversation::{MessageId, Refusal, Scope};
use serde::{Deserialize, Serialize};

/// What a refusal tells beside its code and its words. `null` is what is not known, or does not apply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RefusalBody {
    scope: Scope,
    limit: Option<u64>,
    used: Option<u64>,
    remaining: Option<u64>,
    retry_after_ms: Option<u64>,
    message_id: Option<MessageId>,
}

impl From<&Refusal> for RefusalBody {
    fn from(refusal: &Refusal) -> RefusalBody {
        RefusalBody {
            scope: refusal.scope,
            limit: refusal.limit,
            used: refusal.used,
            remaining: refusal.remaining,
            retry_after_ms: refusal.retry_after_ms,
            message_id: refusal.message_id.clone(),
        }
    }
}

/// A refusal with its code and its words, where it is not a problem of its own.
#[derive(Debug, Serialize)]
pub(super) struct CodedRefusal<'a> {
    code: &'static str,
    detail: &'a str,
    #[serde(flatten)]
    body: RefusalBody,
}

impl<'a> From<&'a Refusal> for CodedRefusal<'a> {
    fn from(refusal: &'a Refusal) -> CodedRefusal<'a> {
        CodedRefusal { code: refusal.code.as_str(), detail: &refusal.detail, body: refusal.into() }
    }
}
