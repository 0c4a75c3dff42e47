//! Conversations that come into being in somebody else's transaction, as the writer would have made them.

use super::live::Live;
use arena_core::Timestamp;
use arena_core::conversation::{ConversationId, Ledger, Setup, SetupError};
use arena_store::{ConversationRow, LogRow};

/// Where keys begin that are not the writer's, in the million numbers that each millisecond has.
const FIRST: i64 = 1 << 19;

/// How many keys of each millisecond belong to one lane.
const IN_LANE: i64 = 1 << 12;

/// Keys for conversations that the writer does not make.
///
/// A key is `milliseconds << 20` and a number below that, for the writer and here: so keys rise with time, and lists go
/// by them. The writer counts from 0 and would have to make half a million conversations in a millisecond to come as far
/// as [`FIRST`]; here numbers begin there. Two processes draw from one of 128 lanes each. Should they have drawn the
/// same, and need a key in the same millisecond, the table's primary key refuses the later transaction as a whole: it is
/// tried again from [another lane](Keys::change_lane), and nothing is lost.
#[derive(Debug)]
pub(crate) struct Keys {
    lane: i64,
    /// The last one: milliseconds and a number within the lane.
    last: i64,
}

impl Keys {
    /// Keys of a lane that is drawn at random.
    pub(crate) fn new() -> Keys {
        Keys { lane: draw_lane(), last: 0 }
    }

    /// Draws another lane: somebody else has this one.
    pub(crate) fn change_lane(&mut self) {
        self.lane = draw_lane();
    }

    /// A key that no conversation has had.
    pub(crate) fn next(&mut self, now: Timestamp) -> i64 {
        self.last = (self.last + 1).max(now.0.saturating_mul(IN_LANE));
        let (ms, number) = (self.last / IN_LANE, self.last % IN_LANE);
        ms.saturating_mul(1 << 20).saturating_add(FIRST + self.lane * IN_LANE + number)
    }
}

fn draw_lane() -> i64 {
    i64::from(uuid::Uuid::new_v4().as_bytes()[0] & 0x7f)
}

/// The row of a new conversation, and the first entries of its log. To be written together, before anybody else knows
/// its id: one of an earlier conversation that had a tree's budget would find that budget again.
pub(crate) fn newborn(
    id: ConversationId,
    key: i64,
    setup: Setup,
    now: Timestamp,
) -> Result<(ConversationRow, Vec<LogRow>), SetupError> {
    let (ledger, entries) = Ledger::create(setup, &id, now)?;
    let live = Live::new(id, key, ledger, now);
    let log = entries.iter().zip(1..).map(|(entry, position)| live.log_row(entry, position, now)).collect();
    Ok((live.row(), log))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn keys_rise_are_drawn_once_and_are_none_of_the_writers() {
        let mut keys = Keys::new();
        let now = Timestamp(1_800_000_000_000);
        let drawn: Vec<i64> = (0..10_000).map(|_| keys.next(now)).collect();
        assert!(drawn.is_sorted());
        assert_eq!(drawn.iter().collect::<BTreeSet<_>>().len(), drawn.len());
        for key in drawn {
            let number = key & ((1 << 20) - 1);
            assert!((FIRST..1 << 20).contains(&number), "{number}");
            assert!(key >> 20 >= now.0 && key >> 20 < now.0 + 3);
        }
        assert!(
            keys.next(Timestamp(now.0 - 5_000)) >> 20 >= now.0,
            "a clock that is set back draws none twice"
        );
    }

    #[test]
    fn lanes_share_no_key() {
        let now = Timestamp(1_800_000_000_000);
        let mut drawn = BTreeSet::new();
        for lane in 0..128 {
            let mut keys = Keys { lane, last: 0 };
            assert!((0..5_000).all(|_| drawn.insert(keys.next(now))));
        }
    }
}
