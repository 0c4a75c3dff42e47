//! What the bots of a fleet may spend on their model, each of them and all together.
//!
//! A call holds what it may cost before it is made, and is charged what it has cost afterwards. What is spent and held
//! never exceeds a limit, whoever calls at the same time. An answer that costs more than was held for it (the endpoint
//! does not keep to the number of tokens that it was given) is charged all the same: that is the only way to exceed a limit,
//! by what the answers under way at that moment cost more. The next ones hold as much more.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Tokens and money.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) tokens: u64,
    pub(super) cost_micros: u64,
}

/// Limits of an account; `None`: none.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Limits {
    pub(super) tokens: Option<u64>,
    pub(super) cost_micros: Option<u64>,
}

/// The limit does not leave enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spent;

/// What was spent and what is held.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Account {
    pub(super) used: Amount,
    pub(super) held: Amount,
}

/// The accounts of all bots. Bounded by the roster.
#[derive(Debug)]
pub(super) struct Ledger {
    of_bot: Limits,
    of_fleet: Limits,
    books: Mutex<Books>,
}

#[derive(Debug, Default)]
struct Books {
    fleet: Account,
    bots: HashMap<String, Account>,
    /// What answers have lately cost more than was held for them.
    excess: Amount,
}

/// A part of the budgets, held for a call. Dropped before anything was sent it is given back; dropped later it is
/// charged whole, because the endpoint may have gone on.
#[derive(Debug)]
pub(super) struct Hold {
    ledger: Arc<Ledger>,
    bot: String,
    held: Amount,
    sent: bool,
    settled: bool,
}

impl Amount {
    fn plus(self, other: Amount) -> Amount {
        Amount {
            tokens: self.tokens.saturating_add(other.tokens),
            cost_micros: self.cost_micros.saturating_add(other.cost_micros),
        }
    }

    fn minus(self, other: Amount) -> Amount {
        Amount {
            tokens: self.tokens.saturating_sub(other.tokens),
            cost_micros: self.cost_micros.saturating_sub(other.cost_micros),
        }
    }

    /// The larger of each.
    pub(super) fn max(self, other: Amount) -> Amount {
        Amount { tokens: self.tokens.max(other.tokens), cost_micros: self.cost_micros.max(other.cost_micros) }
    }
}

impl Account {
    fn has_room(&self, limits: Limits, more: Amount) -> bool {
        let then = self.used.plus(self.held).plus(more);
        limits.tokens.is_none_or(|limit| then.tokens <= limit)
            && limits.cost_micros.is_none_or(|limit| then.cost_micros <= limit)
    }

    fn settle(&mut self, held: Amount, used: Amount) {
        self.held = self.held.minus(held);
        self.used = self.used.plus(used);
    }
}

impl Ledger {
    pub(super) fn new(of_bot: Limits, of_fleet: Limits) -> Ledger {
        Ledger { of_bot, of_fleet, books: Mutex::default() }
    }

    /// Holds so much for a call of this bot.
    pub(super) fn hold(self: &Arc<Ledger>, bot: &str, estimate: Amount) -> Result<Hold, Spent> {
        let mut books = self.books();
        let held = estimate.plus(books.excess);
        if !self.room_for(&books, bot, held) {
            return Err(Spent);
        }
        books.fleet.held = books.fleet.held.plus(held);
        let account = books.bots.entry(bot.to_owned()).or_default();
        account.held = account.held.plus(held);
        Ok(Hold { ledger: Arc::clone(self), bot: bot.to_owned(), held, sent: false, settled: false })
    }

    /// Whether so much could be held now.
    pub(super) fn could_hold(&self, bot: &str, estimate: Amount) -> bool {
        let books = self.books();
        self.room_for(&books, bot, estimate.plus(books.excess))
    }

    /// What all bots have spent and hold.
    pub(super) fn fleet(&self) -> Account {
        self.books().fleet
    }

    fn room_for(&self, books: &Books, bot: &str, more: Amount) -> bool {
        let account = books.bots.get(bot).copied().unwrap_or_default();
        books.fleet.has_room(self.of_fleet, more) && account.has_room(self.of_bot, more)
    }

    fn settle(&self, bot: &str, held: Amount, used: Amount) {
        let mut books = self.books();
        books.fleet.settle(held, used);
        if let Some(account) = books.bots.get_mut(bot) {
            account.settle(held, used);
        }
        // An answer within what was held halves it, so that one freak does not lock up the rest of a budget.
        let over = used.minus(held);
        let half = Amount { tokens: books.excess.tokens / 2, cost_micros: books.excess.cost_micros / 2 };
        books.excess = if over == Amount::default() { half } else { books.excess.plus(over) };
    }

    // Nothing is left half done where a panic could come: what is there is right.
    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hold {
    /// From here on it may cost something.
    pub(super) fn sent(&mut self) {
        self.sent = true;
    }

    /// All that is held.
    pub(super) fn held(&self) -> Amount {
        self.held
    }

    /// Charges what it has cost and gives the rest back.
    pub(super) fn settle(mut self, used: Amount) {
        self.settled = true;
        self.ledger.settle(&self.bot, self.held, used);
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if !self.settled {
            let used = if self.sent { self.held } else { Amount::default() };
            self.ledger.settle(&self.bot, self.held, used);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn amount(tokens: u64) -> Amount {
        Amount { tokens, cost_micros: tokens * 2 }
    }

    fn ledger(bot: Option<u64>, fleet: Option<u64>) -> Arc<Ledger> {
        let limits = |tokens| Limits { tokens, cost_micros: None };
        Arc::new(Ledger::new(limits(bot), limits(fleet)))
    }

    #[test]
    fn what_is_held_counts_and_is_given_back() {
        let ledger = ledger(Some(100), Some(150));
        let ada = ledger.hold("ada", amount(100)).unwrap();
        assert_eq!(ledger.hold("ada", amount(1)).unwrap_err(), Spent);
        assert_eq!(ledger.hold("bo", amount(51)).unwrap_err(), Spent);
        let bo = ledger.hold("bo", amount(50)).unwrap();
        ada.settle(amount(30));
        drop(bo);
        assert_eq!(ledger.fleet().used.tokens, 30);
        assert_eq!(ledger.fleet().held, Amount::default());
        assert!(ledger.could_hold("ada", amount(70)) && !ledger.could_hold("ada", amount(71)));
    }

    #[test]
    fn money_is_a_limit_of_its_own() {
        let limits = Limits { tokens: None, cost_micros: Some(100) };
        let ledger = Arc::new(Ledger::new(limits, Limits::default()));
        assert!(ledger.hold("ada", amount(51)).is_err());
        ledger.hold("ada", amount(50)).unwrap().settle(amount(50));
        assert!(!ledger.could_hold("ada", amount(1)) && ledger.could_hold("bo", amount(50)));
    }

    #[test]
    fn what_was_sent_and_never_settled_is_charged_whole() {
        let ledger = ledger(None, Some(100));
        let mut hold = ledger.hold("ada", amount(60)).unwrap();
        hold.sent();
        drop(hold);
        assert_eq!(ledger.fleet().used.tokens, 60);
    }

    #[test]
    fn an_answer_that_costs_more_is_charged_and_the_next_holds_more() {
        let ledger = ledger(None, Some(1_000));
        ledger.hold("ada", amount(100)).unwrap().settle(amount(400));
        assert_eq!(ledger.fleet().used.tokens, 400);
        assert_eq!(ledger.hold("ada", amount(100)).unwrap().held().tokens, 400);
    }

    proptest! {
        /// Whatever bots hold and settle in whatever order: as long as answers keep to what was held, no limit is
        /// exceeded, and at the end nothing is held.
        #[test]
        fn no_limit_is_ever_exceeded(steps in proptest::collection::vec((0usize..4, 1u64..60, 0u64..60, 0u8..4), 1..120)) {
            let ledger = ledger(Some(150), Some(400));
            let mut holds: Vec<(Hold, u64)> = Vec::new();
            for (bot, estimate, part, step) in steps {
                match step {
                    0 | 1 => {
                        if let Ok(mut hold) = ledger.hold(["a", "b", "c", "d"][bot], amount(estimate)) {
                            hold.sent();
                            holds.push((hold, estimate.min(part)));
                        }
                    }
                    2 if !holds.is_empty() => {
                        let (hold, used) = holds.remove(bot % holds.len());
                        hold.settle(amount(used));
                    }
                    _ => drop(holds.pop()),
                }
                let fleet = ledger.fleet();
                prop_assert!(fleet.used.tokens + fleet.held.tokens <= 400);
                let books = ledger.books();
                prop_assert!(books.bots.values().all(|bot| bot.used.tokens + bot.held.tokens <= 150));
                let of_bots: u64 = books.bots.values().map(|bot| bot.used.tokens).sum();
                prop_assert_eq!(of_bots, fleet.used.tokens);
            }
            drop(holds);
            prop_assert_eq!(ledger.fleet().held, Amount::default());
        }
    }
}
