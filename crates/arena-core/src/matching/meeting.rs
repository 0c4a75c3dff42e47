//! A match, and its life.

use serde::{Deserialize, Serialize};

/// Where a match is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchState {
    /// Not everybody has confirmed yet.
    Proposed,
    /// Everybody has.
    Standing,
    /// It has ended, see [`MatchEnd`].
    Over,
}

/// Why a match has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchEnd {
    /// Somebody did not confirm in time.
    Unconfirmed,
    /// Somebody did not want it.
    Declined,
    /// Somebody wants another partner.
    Skipped,
    /// Somebody has left.
    Left,
    /// Somebody's connection ended and did not come back, or nothing was heard of them any more.
    Disconnected,
    /// Somebody has blocked a partner.
    Blocked,
    /// The conversation is over: its budget is spent, or it was closed or deleted.
    TalkOver,
    /// The tournament was played to its end.
    Finished,
    /// An operator has ended it.
    Closed,
}

impl MatchState {
    /// Its name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            MatchState::Proposed => "proposed",
            MatchState::Standing => "standing",
            MatchState::Over => "over",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<MatchState> {
        [MatchState::Proposed, MatchState::Standing, MatchState::Over]
            .into_iter()
            .find(|state| state.as_str() == name)
    }
}

impl MatchEnd {
    /// All of them.
    pub const ALL: [MatchEnd; 9] = [
        MatchEnd::Unconfirmed,
        MatchEnd::Declined,
        MatchEnd::Skipped,
        MatchEnd::Left,
        MatchEnd::Disconnected,
        MatchEnd::Blocked,
        MatchEnd::TalkOver,
        MatchEnd::Finished,
        MatchEnd::Closed,
    ];

    /// Its name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            MatchEnd::Unconfirmed => "unconfirmed",
            MatchEnd::Declined => "declined",
            MatchEnd::Skipped => "skipped",
            MatchEnd::Left => "left",
            MatchEnd::Disconnected => "disconnected",
            MatchEnd::Blocked => "blocked",
            MatchEnd::TalkOver => "talk_over",
            MatchEnd::Finished => "finished",
            MatchEnd::Closed => "closed",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<MatchEnd> {
        MatchEnd::ALL.into_iter().find(|end| end.as_str() == name)
    }
}
