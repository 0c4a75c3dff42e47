//! Conversations: ordered, durable streams of messages among participants, with budgets that nobody talks past.
//!
//! A conversation is a log of [entries](Entry), numbered from 1 without gaps. A [`Ledger`] is what the log adds up to:
//! it decides what becomes of a [`Command`] and changes by entries only, so that reading the log again gives the same
//! ledger.

mod account;
mod amounts;
mod capacity;
mod command;
mod encoding;
mod entry;
mod ledger;
mod names;
mod refusal;
mod setup;
mod validate;

pub use account::{Account, AccountId, Accounts};
pub use amounts::{Amounts, Caps, Resource};
pub use capacity::{Capacity, Remaining, Share};
pub use command::{Command, Reserve, Say, SetupChange, TopUp};
pub use encoding::EntryError;
pub use entry::{
    Blocked, Entry, Exhausted, FinalCount, Message, Notice, NoticeLevel, Released, Reserved, Scope,
    SystemMessage, Turn,
};
pub use ledger::{Done, Handled, Ledger};
pub use names::{ConversationId, MessageId, ParticipantId, ReservationId};
pub use refusal::{Code, ExhaustedBy, Refusal};
pub use setup::{
    Delivery, Limits, LoopRules, Moderation, OnFailure, OnRefusal, Setup, SetupError, TurnPolicy, Turns,
};
