//! Channels: names, kinds, regions, modes and the status that follows from them.

use crate::ids::ParseIdError;
use crate::metadata::Metadata;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Declares a text newtype that is parsed by `$check` and prints as itself.
macro_rules! parsed_text {
    ($(#[$doc:meta])* $name:ident, $what:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                if $check(text) {
                    Ok($name(text.to_owned()))
                } else {
                    Err(ParseIdError::new($what, text))
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = ParseIdError;

            fn try_from(text: String) -> Result<Self, ParseIdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

/// Lower-case letters, digits and single inner hyphens, 1 to 63 characters: what a DNS label allows, so that a
/// name can stand in a host name, a path and a topic.
fn is_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
        && !text.contains("--")
}

parsed_text!(
    /// A channel's unique name, such as `main` or `main-2`.
    ChannelName,
    "channel name (1-63 of a-z, 0-9 and single hyphens inside)",
    is_label
);
parsed_text!(
    /// The name that the shards of one group share, such as `main`.
    GroupName,
    "group name (1-63 of a-z, 0-9 and single hyphens inside)",
    is_label
);
parsed_text!(
    /// A region, such as `us-west-2`.
    Region,
    "region (1-63 of a-z, 0-9 and single hyphens inside)",
    is_label
);

/// The highest number of a shard.
const MAX_SHARD: u32 = 999_999;

impl ChannelName {
    /// The group and the shard number that this name stands for: `main-3` is shard 3 of `main`, and a name
    /// without a number of 2 to 999,999 at its end is shard 1 of the group of its own name. The bound keeps the next
    /// number countable, whatever names operators choose.
    pub fn split(&self) -> (GroupName, u32) {
        if let Some((group, digits)) = self.0.rsplit_once('-')
            && !digits.starts_with('0')
            && let Ok(shard @ 2..=MAX_SHARD) = digits.parse::<u32>()
        {
            return (GroupName(group.to_owned()), shard);
        }
        (GroupName(self.0.clone()), 1)
    }

    /// The name of shard number `shard` of `group`.
    pub fn of_shard(group: &GroupName, shard: u32) -> Result<ChannelName, ParseIdError> {
        match shard {
            1 => group.0.parse(),
            2..=MAX_SHARD => format!("{}-{shard}", group.0).parse(),
            _ => Err(ParseIdError::new("shard number (1 to 999,999)", &shard.to_string())),
        }
    }
}

impl GroupName {
    /// The group that takes what nobody named a group for: `main`, or `us-west-2-regional` for a region.
    /// The region stands first because its own trailing number would read as a shard.
    pub fn default_for(kind: ChannelKind, region: Option<&Region>) -> GroupName {
        let kind = kind.as_str().to_ascii_lowercase();
        match region {
            None => GroupName(kind),
            Some(region) => GroupName(format!("{}-{kind}", clip_label(region.as_str(), 48))),
        }
    }
}

/// Keeps a label within `max` bytes and a label still; only ASCII reaches here.
fn clip_label(text: &str, max: usize) -> &str {
    text[..text.len().min(max)].trim_end_matches('-')
}

/// What a channel is for. The kind sets its default limit and who is sharded into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ChannelKind {
    /// The town that everybody starts in.
    Main,
    /// For the bots of one region; must name it.
    Regional,
    /// A smaller, quieter town.
    Vip,
    /// For trying things out.
    Test,
    /// For one tournament.
    Tournament,
}

impl ChannelKind {
    /// Every kind, in the order they are documented.
    pub const ALL: [ChannelKind; 5] = [
        ChannelKind::Main,
        ChannelKind::Regional,
        ChannelKind::Vip,
        ChannelKind::Test,
        ChannelKind::Tournament,
    ];

    /// As it stands on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            ChannelKind::Main => "MAIN",
            ChannelKind::Regional => "REGIONAL",
            ChannelKind::Vip => "VIP",
            ChannelKind::Test => "TEST",
            ChannelKind::Tournament => "TOURNAMENT",
        }
    }

    /// The region a channel opened for a bot of `region` is bound to: only regional channels are.
    pub fn bound_region(self, region: Option<&Region>) -> Option<&Region> {
        region.filter(|_| self == ChannelKind::Regional)
    }
}

impl fmt::Display for ChannelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for ChannelKind {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let found = ChannelKind::ALL.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(text));
        found.ok_or_else(|| ParseIdError::new("channel kind (MAIN, REGIONAL, VIP, TEST or TOURNAMENT)", text))
    }
}

/// What an operator (or the orchestrator) wants of a channel. Left only by an explicit act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Mode {
    /// Takes bots in.
    Active,
    /// Takes nobody in and empties itself into its group.
    Draining,
    /// Takes nobody in and keeps its bots.
    Maintenance,
}

impl Mode {
    /// As it stands in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Active => "ACTIVE",
            Mode::Draining => "DRAINING",
            Mode::Maintenance => "MAINTENANCE",
        }
    }
}

impl FromStr for Mode {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        [Mode::Active, Mode::Draining, Mode::Maintenance]
            .into_iter()
            .find(|mode| mode.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| ParseIdError::new("channel mode (ACTIVE, DRAINING or MAINTENANCE)", text))
    }
}

/// What a channel is now. `Full` is never stored: it follows from the load, so it cannot be stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// Has seats and takes bots in.
    Active,
    /// Has no seat left; synced like any other.
    Full,
    /// Takes nobody in and empties itself into its group.
    Draining,
    /// Takes nobody in and keeps its bots.
    Maintenance,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Status::Active => "ACTIVE",
            Status::Full => "FULL",
            Status::Draining => "DRAINING",
            Status::Maintenance => "MAINTENANCE",
        })
    }
}

/// The part of a channel that admission decides by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seats {
    /// Unique name.
    pub name: ChannelName,
    /// The group it is a shard of.
    pub group: GroupName,
    /// What it is for.
    pub kind: ChannelKind,
    /// The region it is bound to; a channel without one takes bots of every region.
    pub region: Option<Region>,
    /// What its operator wants of it.
    pub mode: Mode,
    /// Its seats: most bots and players that it may hold together.
    pub max_bots: u32,
    /// Bots assigned to it.
    pub bots: u32,
    /// Players with a seat in it, reserved ones among them.
    pub players: u32,
}

impl Seats {
    /// What the channel is now.
    pub fn status(&self) -> Status {
        match self.mode {
            Mode::Active if self.taken() >= self.max_bots => Status::Full,
            Mode::Active => Status::Active,
            Mode::Draining => Status::Draining,
            Mode::Maintenance => Status::Maintenance,
        }
    }

    /// Seats that bots and players have taken.
    pub fn taken(&self) -> u32 {
        self.bots.saturating_add(self.players)
    }

    /// Seats that a bot or a player could still take, whatever the mode.
    pub fn free(&self) -> u32 {
        self.max_bots.saturating_sub(self.taken())
    }

    /// Share of the seats taken, 0 to 1. A channel without seats counts as full.
    pub fn load(&self) -> f64 {
        if self.max_bots == 0 { 1.0 } else { f64::from(self.taken()) / f64::from(self.max_bots) }
    }

    /// Whether a bot of `region` belongs here.
    pub fn suits(&self, kind: ChannelKind, region: Option<&Region>) -> bool {
        self.kind == kind && (self.region.is_none() || self.region.as_ref() == region)
    }
}

/// A channel as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Channel {
    /// Name, kind, limit and load.
    pub seats: Seats,
    /// Free JSON of the operator's.
    pub metadata: Metadata,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When its settings last changed.
    pub updated_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_split_into_group_and_shard() {
        for (name, group, shard) in [
            ("main", "main", 1),
            ("main-2", "main", 2),
            ("main-1", "main-1", 1),
            ("main-02", "main-02", 1),
            ("us-west-2-regional-12", "us-west-2-regional", 12),
            ("7", "7", 1),
            ("main-999999", "main", 999_999),
            ("main-4294967295", "main-4294967295", 1),
        ] {
            let (g, s) = name.parse::<ChannelName>().unwrap().split();
            assert_eq!((g.as_str(), s), (group, shard), "{name}");
            assert_eq!(ChannelName::of_shard(&g, s).unwrap().as_str(), name);
        }
    }

    #[test]
    fn hostile_names_are_refused() {
        for bad in ["", "-a", "a-", "a--b", "Main", "a b", "a/b", "ü", &"a".repeat(64)] {
            assert!(bad.parse::<ChannelName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn default_groups_never_read_as_a_shard() {
        let region: Region = "us-west-2".parse().unwrap();
        for kind in ChannelKind::ALL {
            for region in [None, Some(&region)] {
                let group = GroupName::default_for(kind, region);
                let name = ChannelName::of_shard(&group, 1).unwrap();
                assert_eq!(name.split(), (group, 1));
            }
        }
    }

    fn seats(max_bots: u32, bots: u32, players: u32) -> Seats {
        Seats {
            name: "main".parse().unwrap(),
            group: "main".parse().unwrap(),
            kind: ChannelKind::Main,
            region: None,
            mode: Mode::Active,
            max_bots,
            bots,
            players,
        }
    }

    #[test]
    fn a_channel_without_seats_is_full_and_divides_by_nothing() {
        let seats = seats(0, 0, 0);
        assert_eq!((seats.status(), seats.load()), (Status::Full, 1.0));
    }

    #[test]
    fn bots_and_players_fill_the_same_seats() {
        let seats = |players| seats(8, 4, players);
        assert_eq!((seats(2).free(), seats(2).load(), seats(2).status()), (2, 0.75, Status::Active));
        assert_eq!((seats(4).free(), seats(4).load(), seats(4).status()), (0, 1.0, Status::Full));
    }
}
