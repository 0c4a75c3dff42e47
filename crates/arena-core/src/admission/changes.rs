//! What an operation did, and what has to be written.

use super::board::Group;
use crate::channel::{ChannelName, Seats};
use crate::ids::{BotId, PlayerId};
use crate::player::NewPlayer;

/// A bot's change of channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// The bot.
    pub bot: BotId,
    /// Where it was.
    pub from: Option<ChannelName>,
    /// Where it is now.
    pub to: Option<ChannelName>,
}

/// What one operation did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// Bots that changed their channel.
    pub moves: Vec<Move>,
    /// Channels that were opened for it.
    pub opened: Vec<ChannelName>,
    /// The channel that was closed.
    pub closed: Option<ChannelName>,
    /// The seat that a player got.
    pub reserved: Option<(PlayerId, ChannelName)>,
    /// Players that lost their seat, and where it was.
    pub vacated: Vec<(PlayerId, ChannelName)>,
    /// Of those, who sat there, and the session that held the seat. The board does not know of sessions: the store
    /// fills this in.
    pub unseated: Vec<(PlayerId, u64)>,
}

impl Applied {
    /// Every channel that has something to sync now. A reserved seat has no body yet.
    pub fn touched(&self) -> impl Iterator<Item = &ChannelName> {
        let moved = self.moves.iter().flat_map(|m| m.from.iter().chain(m.to.iter()));
        let vacated = self.vacated.iter().map(|(_, channel)| channel);
        moved.chain(&self.opened).chain(&self.closed).chain(vacated)
    }
}

/// What must be written to make the database equal to the board, in this order: groups, opened and updated channels,
/// moves and players (first out of the old channels, then into the new ones), closed channels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Groups to insert or update.
    pub groups: Vec<Group>,
    /// Channels to insert.
    pub opened: Vec<Seats>,
    /// Channels whose mode or limit changed.
    pub updated: Vec<Seats>,
    /// Bots whose channel changed, each once; new bots are not among them.
    pub moves: Vec<Move>,
    /// Where each new bot goes.
    pub enrolled: Vec<(BotId, ChannelName)>,
    /// Players whose seat is freed.
    pub vacated: Vec<PlayerId>,
    /// Where each new player's seat is.
    pub reserved: Vec<(NewPlayer, ChannelName)>,
    /// Channels to delete.
    pub closed: Vec<ChannelName>,
}
