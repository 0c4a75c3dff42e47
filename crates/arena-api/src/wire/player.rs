//! Players, and what they join with.

use crate::joining::JoinToken;
use arena_control::Reservation;
use arena_core::channel::ChannelName;
use arena_core::player::Player;
use arena_core::{PlayerId, Timestamp};
use serde::Serialize;

/// A seat and who holds it.
#[derive(Debug, Serialize)]
pub(crate) struct PlayerBody {
    id: PlayerId,
    channel: ChannelName,
    user: String,
    name: String,
    state: &'static str,
    seat_held_until_ms: Option<Timestamp>,
    created_at_ms: Timestamp,
    changed_at_ms: Timestamp,
}

impl From<Player> for PlayerBody {
    fn from(player: Player) -> Self {
        PlayerBody {
            id: player.id,
            channel: player.channel,
            user: player.user,
            name: player.name,
            state: player.state.as_str(),
            seat_held_until_ms: player.state.expires_at(),
            created_at_ms: player.created_at,
            changed_at_ms: player.changed_at,
        }
    }
}

/// A reserved seat, and what its player needs to enter.
#[derive(Serialize)]
pub(crate) struct JoinBody {
    player: PlayerId,
    topic: String,
    channel: ChannelName,
    endpoint: String,
    token: String,
    expires_at_ms: Timestamp,
    seat_held_until_ms: Timestamp,
}

impl JoinBody {
    pub(crate) fn new(seat: Reservation, join_token: JoinToken, endpoint: &str) -> JoinBody {
        JoinBody {
            player: seat.player,
            topic: format!("world:{}", seat.channel),
            channel: seat.channel,
            endpoint: endpoint.to_owned(),
            token: join_token.token,
            expires_at_ms: join_token.expires_at,
            seat_held_until_ms: seat.expires_at,
        }
    }
}
