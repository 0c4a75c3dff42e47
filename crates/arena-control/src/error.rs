//! What a service can refuse with, sorted for whoever has to tell the client.

use crate::matchmaking::MatchError;
use crate::roster::RosterError;
use arena_core::admission::AdmitError;
use arena_core::bot::ProfileError;
use arena_core::conversation::{AccountId, ConversationId, SetupError};
use arena_core::fault::HostFault;
use arena_core::{PlayerId, WorldId};
use arena_store::{OpError, StoreError};
use arena_worlds::DiscoverError;
use std::time::Duration;

/// Which kind of answer an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// There is no such thing.
    NotFound,
    /// The request is right, but the present state does not allow it.
    Conflict,
    /// The request itself is wrong.
    Invalid,
    /// Not now; the same request may work later.
    Unavailable {
        /// When to try again.
        retry_after: Duration,
    },
    /// A fault of ours.
    Internal,
}

/// Why a service did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ServiceError {
    /// The rules of admission refused it.
    #[error(transparent)]
    Refused(#[from] AdmitError),
    /// A bot's profile is not acceptable.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// A roster is not acceptable; nothing of it was stored.
    #[error(transparent)]
    Roster(#[from] RosterError),
    /// No bot of that name.
    #[error("there is no bot named `{0}`")]
    NoBotNamed(String),
    /// No such world.
    #[error("there is no world {0}")]
    WorldNotFound(WorldId),
    /// The player has no seat in the channel, or not any more.
    #[error("player {0} has no seat there any more; join again")]
    ReservationLapsed(PlayerId),
    /// Another session holds the player's seat.
    #[error("another session has taken the seat of player {0}")]
    SeatLost(PlayerId),
    /// No such conversation.
    #[error("there is no conversation `{0}`")]
    ConversationNotFound(ConversationId),
    /// There is one of that id.
    #[error("there is a conversation `{0}` already; choose another id, or leave it out")]
    ConversationExists(ConversationId),
    /// A conversation cannot be set up like that.
    #[error("{0}")]
    InvalidConversation(String),
    /// The matchmaker refused it.
    #[error(transparent)]
    Matching(#[from] MatchError),
    /// No such shared budget.
    #[error("there is no budget `{0}`; set one with PUT /api/budgets/{0}")]
    AccountNotFound(AccountId),
    /// Too much is waiting already.
    #[error("too many requests are waiting; try again shortly")]
    Overloaded,
    /// Arena is stopping.
    #[error("the server is shutting down")]
    ShuttingDown,
    /// A world host did not do its part.
    #[error("the world host: {0}")]
    Host(HostFault),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ServiceError {
    /// The stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            ServiceError::Refused(refused) => admit_code(refused),
            ServiceError::Profile(_) => "invalid_profile",
            ServiceError::Roster(_) => "invalid_roster",
            ServiceError::NoBotNamed(_) => "bot_not_found",
            ServiceError::WorldNotFound(_) => "world_not_found",
            ServiceError::ReservationLapsed(_) => "reservation_lapsed",
            ServiceError::SeatLost(_) => "seat_lost",
            ServiceError::ConversationNotFound(_) => "conversation_not_found",
            ServiceError::ConversationExists(_) => "conversation_exists",
            ServiceError::InvalidConversation(_) => "invalid_conversation",
            ServiceError::Matching(error) => error.code(),
            ServiceError::AccountNotFound(_) => "budget_not_found",
            ServiceError::Overloaded => "overloaded",
            ServiceError::ShuttingDown => "shutting_down",
            ServiceError::Host(_) => "world_unavailable",
            ServiceError::Store(StoreError::BadCursor) => "invalid_cursor",
            ServiceError::Store(StoreError::Taken(_)) => "name_taken",
            ServiceError::Store(StoreError::Overfull) => "channel_full",
            ServiceError::Store(StoreError::Unavailable(_) | StoreError::Contended) => "store_unavailable",
            ServiceError::Store(_) => "internal",
        }
    }

    /// Which kind of answer it is.
    pub fn class(&self) -> ErrorClass {
        let soon = ErrorClass::Unavailable { retry_after: Duration::from_secs(1) };
        match self {
            ServiceError::Refused(refused) => admit_class(refused),
            ServiceError::Matching(error) => error.class(),
            ServiceError::Profile(_) | ServiceError::Roster(_) | ServiceError::InvalidConversation(_) => {
                ErrorClass::Invalid
            }
            ServiceError::NoBotNamed(_)
            | ServiceError::WorldNotFound(_)
            | ServiceError::ConversationNotFound(_)
            | ServiceError::AccountNotFound(_) => ErrorClass::NotFound,
            ServiceError::ReservationLapsed(_)
            | ServiceError::SeatLost(_)
            | ServiceError::ConversationExists(_) => ErrorClass::Conflict,
            ServiceError::Overloaded | ServiceError::ShuttingDown | ServiceError::Host(_) => soon,
            ServiceError::Store(StoreError::BadCursor) => ErrorClass::Invalid,
            ServiceError::Store(StoreError::Taken(_) | StoreError::Overfull) => ErrorClass::Conflict,
            ServiceError::Store(StoreError::Unavailable(_) | StoreError::Contended) => soon,
            ServiceError::Store(_) => ErrorClass::Internal,
        }
    }

    /// Whether the same request may work later without anybody changing anything.
    pub fn retryable(&self) -> bool {
        matches!(self.class(), ErrorClass::Unavailable { .. })
    }
}

fn admit_code(refused: &AdmitError) -> &'static str {
    match refused {
        AdmitError::ChannelNotFound(_) => "channel_not_found",
        AdmitError::GroupNotFound(_) => "group_not_found",
        AdmitError::BotNotFound(_) => "bot_not_found",
        AdmitError::PlayerNotFound(_) => "player_not_found",
        AdmitError::ChannelFull { .. } => "channel_full",
        AdmitError::NotAccepting { .. } => "channel_not_accepting",
        AdmitError::NotInChannel { .. } => "not_in_channel",
        AdmitError::ChannelExists(_) => "channel_exists",
        AdmitError::GroupConflict { .. } => "group_conflict",
        AdmitError::RegionRequired => "region_required",
        AdmitError::BelowLoad { .. } => "below_load",
        AdmitError::NoSeats(_) => "no_seats",
        AdmitError::TooManySeats { .. } => "too_many_seats",
        AdmitError::NameTooLong(_) => "name_too_long",
    }
}

fn admit_class(refused: &AdmitError) -> ErrorClass {
    match refused {
        AdmitError::ChannelNotFound(_)
        | AdmitError::GroupNotFound(_)
        | AdmitError::BotNotFound(_)
        | AdmitError::PlayerNotFound(_) => ErrorClass::NotFound,
        AdmitError::RegionRequired | AdmitError::NameTooLong(_) => ErrorClass::Invalid,
        _ => ErrorClass::Conflict,
    }
}

impl From<OpError> for ServiceError {
    fn from(error: OpError) -> ServiceError {
        match error {
            OpError::Refused(refused) => ServiceError::Refused(refused),
            OpError::Store(store) => ServiceError::Store(store),
        }
    }
}

impl From<SetupError> for ServiceError {
    fn from(error: SetupError) -> ServiceError {
        ServiceError::InvalidConversation(error.to_string())
    }
}

impl From<DiscoverError> for ServiceError {
    fn from(error: DiscoverError) -> ServiceError {
        match error {
            DiscoverError::Host(fault) => ServiceError::Host(fault),
            DiscoverError::Store(store) => ServiceError::Store(store),
        }
    }
}
