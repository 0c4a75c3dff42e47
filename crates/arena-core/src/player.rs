//! Players: who holds a seat in a channel, and how firmly.

use crate::bot::{ProfileError, check_text};
use crate::channel::ChannelName;
use crate::ids::PlayerId;
use crate::time::Timestamp;

/// A player that a seat is about to be reserved for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPlayer {
    /// A new id.
    pub id: PlayerId,
    /// Who it is: the subject of its token, 1 to 128 characters.
    pub user: String,
    /// What its body is called, 1 to 64 characters. Not unique.
    pub name: String,
    /// Until when the seat is kept if nobody enters.
    pub expires_at: Timestamp,
}

impl NewPlayer {
    /// The longest user, in characters.
    pub const MAX_USER: usize = 128;
    /// The longest name, in characters.
    pub const MAX_NAME: usize = 64;

    /// Checks every field; a player that passes can be stored.
    pub fn check(&self) -> Result<(), ProfileError> {
        check_text("user", &self.user, 1, Self::MAX_USER)?;
        check_text("name", &self.name, 1, Self::MAX_NAME)
    }
}

/// How firmly a seat is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlayerState {
    /// Nobody has entered yet.
    Reserved {
        /// When the seat is free again.
        until: Timestamp,
    },
    /// A session holds it, until it leaves.
    Seated {
        /// Which: the fence against sessions that were replaced.
        session: u64,
    },
    /// Its session has left; the seat and the body wait for another.
    Away {
        /// When the seat is free again.
        until: Timestamp,
    },
}

impl PlayerState {
    /// The state's name on the wire and in the database.
    pub fn as_str(&self) -> &'static str {
        match self {
            PlayerState::Reserved { .. } => "reserved",
            PlayerState::Seated { .. } => "seated",
            PlayerState::Away { .. } => "away",
        }
    }

    /// When the seat is free again unless somebody enters; none while a session holds it.
    pub fn expires_at(&self) -> Option<Timestamp> {
        match self {
            PlayerState::Reserved { until } | PlayerState::Away { until } => Some(*until),
            PlayerState::Seated { .. } => None,
        }
    }

    /// The session that holds the seat.
    pub fn session(&self) -> Option<u64> {
        if let PlayerState::Seated { session } = self { Some(*session) } else { None }
    }

    /// Whether the player has a body in the channel's world.
    pub fn has_body(&self) -> bool {
        !matches!(self, PlayerState::Reserved { .. })
    }
}

/// A player as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Player {
    /// The seat's id; its body has the same.
    pub id: PlayerId,
    /// Where the seat is.
    pub channel: ChannelName,
    /// Who it is.
    pub user: String,
    /// What its body is called.
    pub name: String,
    /// How firmly the seat is held.
    pub state: PlayerState,
    /// Rises with every entry; a host refuses a body under an older one.
    pub epoch: i64,
    /// When the seat was reserved.
    pub created_at: Timestamp,
    /// When the state last changed.
    pub changed_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_and_names_are_checked() {
        let player = NewPlayer {
            id: PlayerId(uuid::Uuid::nil()),
            user: "anon-1".to_owned(),
            name: "Ada".to_owned(),
            expires_at: Timestamp(0),
        };
        assert_eq!(player.check(), Ok(()));
        let bad_name = NewPlayer { name: "x".repeat(65), ..player.clone() };
        assert_eq!(bad_name.check().unwrap_err().field, "name");
        let bad_user = NewPlayer { user: "a\nb".to_owned(), ..player };
        assert_eq!(bad_user.check().unwrap_err().field, "user");
    }
}
