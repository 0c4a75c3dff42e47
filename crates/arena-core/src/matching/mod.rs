//! Matchmaking: who waits, by which rules they are put together, and what becomes of a match.
//!
//! [`rules`] are a queue's ruleset as data; [`ticket`] is a wish to be matched and its life; [`meeting`] is a match and
//! its life; [`form`] puts waiting tickets together; [`simulate`] measures how fair that is.

pub mod form;
pub mod meeting;
mod names;
pub mod rules;
pub mod simulate;
pub mod ticket;
mod validate;

pub use form::{Avoid, Formed, form};
pub use meeting::{MatchEnd, MatchState};
pub use names::{Label, MatchId, QueueName, TicketId};
pub use rules::{Field, Outcome, Preference, RatingRule, Rules, RulesError};
pub use ticket::{Kind, TicketEnd, TicketState, Waiting, Wish, WishError};
