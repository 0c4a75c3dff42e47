//! What can be asked of the board, and how it refuses.

use crate::channel::{ChannelKind, ChannelName, GroupName, Mode, Region, Status};
use crate::ids::{BotId, PlayerId};
use crate::player::NewPlayer;

/// One request; applied whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// Put a bot into this very channel.
    Assign {
        /// The bot.
        bot: BotId,
        /// Where to.
        channel: ChannelName,
    },
    /// Find a channel that suits the bot and put it there.
    Place {
        /// The bot.
        bot: BotId,
    },
    /// Return a bot without a channel to main or one of its shards.
    Adopt {
        /// The bot.
        bot: BotId,
    },
    /// Take a bot out of its channel; it stays without one until it is assigned again.
    Remove {
        /// The bot.
        bot: BotId,
        /// The channel it is expected in, if that matters.
        from: Option<ChannelName>,
    },
    /// Create places for bots that are new to the database.
    Enroll {
        /// The new bots.
        bots: Vec<Newcomer>,
    },
    /// Move bots from one channel to another, all or none.
    Migrate {
        /// Where they are.
        from: ChannelName,
        /// Where they go.
        to: ChannelName,
        /// Which; `None` means all.
        bots: Option<Vec<BotId>>,
    },
    /// Even out the load of one group, or of every group.
    Rebalance {
        /// The group; `None` means every group.
        group: Option<GroupName>,
    },
    /// Open a channel.
    Open {
        /// Its name; `None` means the next shard of the default group.
        name: Option<ChannelName>,
        /// What for.
        kind: ChannelKind,
        /// The region it is bound to.
        region: Option<Region>,
        /// Its limit; `None` means the kind's default.
        max_bots: Option<u32>,
    },
    /// Change a channel's settings. Draining empties it into its group at once.
    Configure {
        /// Which.
        channel: ChannelName,
        /// New limit.
        max_bots: Option<u32>,
        /// New mode.
        mode: Option<Mode>,
    },
    /// Delete a channel after moving its bots to its group, or to main. Its players lose their seats.
    Close {
        /// Which.
        channel: ChannelName,
    },
    /// Reserve a seat for a player. One that has a seat already keeps it.
    Reserve {
        /// The player, under a new id.
        player: NewPlayer,
        /// Where.
        want: Want,
    },
    /// Free a player's seat.
    Vacate {
        /// The player.
        player: PlayerId,
    },
}

/// Where a player wants a seat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Want {
    /// In this very channel.
    ByName(ChannelName),
    /// In the least loaded channel that suits; a shard is opened for it as for a bot.
    Find {
        /// What for.
        kind: ChannelKind,
        /// The player's region.
        region: Option<Region>,
    },
}

/// A bot that is about to be stored for the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newcomer {
    /// Its new id.
    pub bot: BotId,
    /// The kind of channel it wants.
    pub kind: ChannelKind,
    /// Its region.
    pub region: Option<Region>,
    /// The channel its roster names; taken if it has a seat, else another of the kind is found.
    pub channel: Option<ChannelName>,
}

/// Which bots and players must be loaded before an operation can be applied. Channels and groups are loaded whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// These bots.
    pub bots: Vec<BotId>,
    /// All bots of these channels.
    pub channels: Vec<ChannelName>,
    /// These players.
    pub players: Vec<PlayerId>,
    /// All players of these channels.
    pub players_in: Vec<ChannelName>,
    /// How many seats these users have.
    pub users: Vec<String>,
    /// All bots of these groups.
    pub groups: Vec<GroupName>,
    /// Every assigned bot.
    pub everything: bool,
}

impl Op {
    /// What must be on the board for this operation.
    pub fn needs(&self, needs: &mut Needs) {
        match self {
            Op::Assign { bot, .. } | Op::Place { bot } | Op::Adopt { bot } | Op::Remove { bot, .. } => {
                needs.bots.push(*bot);
            }
            Op::Migrate { bots: Some(bots), .. } => needs.bots.extend(bots),
            Op::Migrate { from: channel, bots: None, .. } => needs.channels.push(channel.clone()),
            Op::Close { channel } => {
                needs.channels.push(channel.clone());
                needs.players_in.push(channel.clone());
            }
            Op::Reserve { player: NewPlayer { id, user, .. }, .. } => {
                needs.players.push(*id);
                needs.users.push(user.clone());
            }
            Op::Vacate { player } => needs.players.push(*player),
            Op::Configure { channel, mode: Some(Mode::Draining), .. } => needs.channels.push(channel.clone()),
            Op::Rebalance { group: Some(group) } => needs.groups.push(group.clone()),
            Op::Rebalance { group: None } => needs.everything = true,
            Op::Enroll { .. } | Op::Open { .. } | Op::Configure { .. } => {}
        }
    }

    /// Whether many of these may share one transaction: those that touch single bots or players only.
    pub fn is_batchable(&self) -> bool {
        matches!(
            self,
            Op::Assign { .. }
                | Op::Place { .. }
                | Op::Adopt { .. }
                | Op::Remove { .. }
                | Op::Reserve { .. }
                | Op::Vacate { .. }
        )
    }
}

/// Why an operation was refused. Nothing of it was applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdmitError {
    /// No channel of that name.
    #[error("there is no channel `{0}`")]
    ChannelNotFound(ChannelName),
    /// No group of that name.
    #[error("there is no group `{0}`")]
    GroupNotFound(GroupName),
    /// No bot of that id.
    #[error("there is no bot {0}")]
    BotNotFound(BotId),
    /// No player of that id has a seat.
    #[error("there is no player {0}")]
    PlayerNotFound(PlayerId),
    /// Too few seats left.
    #[error("channel `{channel}` has {free} of {limit} seats left, {wanted} wanted")]
    ChannelFull {
        /// The channel.
        channel: ChannelName,
        /// Its limit.
        limit: u32,
        /// Seats left.
        free: u32,
        /// Seats wanted.
        wanted: u32,
    },
    /// Draining or in maintenance.
    #[error("channel `{channel}` is {status} and takes nobody in; activate it first")]
    NotAccepting {
        /// The channel.
        channel: ChannelName,
        /// What it is.
        status: Status,
    },
    /// The bot lives elsewhere.
    #[error("bot {bot} is not in channel `{channel}`")]
    NotInChannel {
        /// The bot.
        bot: BotId,
        /// Where it was expected.
        channel: ChannelName,
    },
    /// The name is taken.
    #[error("channel `{0}` exists already")]
    ChannelExists(ChannelName),
    /// The group's other channels are of another kind or region.
    #[error("group `{group}` is of kind {kind}{}; choose another name, or the same kind and region",
        region.as_ref().map(|r| format!(" in region {r}")).unwrap_or_default())]
    GroupConflict {
        /// The group.
        group: GroupName,
        /// Its kind.
        kind: ChannelKind,
        /// Its region.
        region: Option<Region>,
    },
    /// Regional channels and their bots must name a region.
    #[error("a REGIONAL channel needs a region")]
    RegionRequired,
    /// The new limit is lower than the load.
    #[error(
        "channel `{channel}` holds {bots} bots and {players} players, more than a limit of {max_bots}; \
         migrate or remove some first"
    )]
    BelowLoad {
        /// The channel.
        channel: ChannelName,
        /// Bots it holds.
        bots: u32,
        /// Players it holds.
        players: u32,
        /// The limit asked for.
        max_bots: u32,
    },
    /// A kind whose limit is 0 can take nobody in.
    #[error("channels of kind {0} have a limit of 0 bots; raise it in the config")]
    NoSeats(ChannelKind),
    /// The user has as many seats as one user may.
    #[error("user `{user}` has {limit} seats already, as many as one may have; free one first")]
    TooManySeats {
        /// The user.
        user: String,
        /// How many.
        limit: u32,
    },
    /// A shard's number no longer fits behind the group's name, or there is no higher one.
    #[error("group `{0}` has no name left for another shard; choose another group, or a shorter name")]
    NameTooLong(GroupName),
}
