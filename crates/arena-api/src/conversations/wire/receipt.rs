//! What came of a command.

use super::capacity::{BudgetBody, ShareBody};
use super::refusal::CodedRefusal;
use arena_control::Receipt;
use arena_core::Timestamp;
use arena_core::conversation::{ExhaustedBy, Notice, ParticipantId, ReservationId};
use serde::Serialize;

/// A receipt.
#[derive(Debug, Serialize)]
pub(crate) struct ReceiptBody<'a> {
    offset: u64,
    epoch: &'a str,
    id: Option<&'a str>,
    repeated: bool,
    dropped: Option<CodedRefusal<'a>>,
    notices: &'a [Notice],
    turn: Option<&'a ParticipantId>,
    share: Option<ShareBody>,
    total: BudgetBody,
    exhausted: Option<ExhaustedBy>,
    reservation: Option<ReservationBody<'a>>,
}

#[derive(Debug, Serialize)]
struct ReservationBody<'a> {
    id: &'a ReservationId,
    until_ms: Timestamp,
}

impl<'a> From<&'a Receipt> for ReceiptBody<'a> {
    fn from(receipt: &'a Receipt) -> ReceiptBody<'a> {
        ReceiptBody {
            offset: receipt.position.offset,
            epoch: receipt.position.epoch.as_str(),
            id: receipt.message_id.as_deref(),
            repeated: receipt.repeated,
            dropped: receipt.dropped.as_deref().map(CodedRefusal::from),
            notices: &receipt.notices,
            turn: receipt.turn.as_ref(),
            share: receipt.share.clone().map(ShareBody::from),
            total: receipt.total.into(),
            exhausted: receipt.exhausted,
            reservation: receipt
                .reservation
                .as_ref()
                .map(|(id, until)| ReservationBody { id, until_ms: *until }),
        }
    }
}

/// `{"offset", "epoch", "id", "repeated", "dropped", "notices", "turn", "share", "total", "exhausted", "reservation"}`.
pub(crate) fn receipt_json(receipt: &Receipt) -> String {
    serde_json::to_string(&ReceiptBody::from(receipt)).expect("invariant: names and numbers are JSON")
}
