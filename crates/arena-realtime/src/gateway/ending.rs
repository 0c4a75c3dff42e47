//! Ending a seat from outside: whoever gave it has taken it back.

use super::Gateway;
use crate::codec::Status;
use std::sync::Weak;

impl Gateway {
    /// Tells the session that holds a seat by this join that it is lost, and for what reason, and takes it out of the
    /// topic. Returns whether there was one.
    pub fn end_seat(&self, holder: u64, reason: &str) -> bool {
        let Some(session) = self.seated().get(&holder).and_then(Weak::upgrade) else { return false };
        // Not an error, after which some clients would join again: there is no seat to come back to.
        self.expel(&session, holder, Status::Ok, "seat", &format!("SeatLost: {reason}"));
        true
    }
}
