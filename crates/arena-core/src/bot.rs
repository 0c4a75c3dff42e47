//! Bots: who they are and how far each is on its way into a world.

use crate::channel::{ChannelKind, ChannelName, Region, Seats, Status};
use crate::ids::{BotId, WorldId};
use crate::time::Timestamp;

/// Who a bot is: what a roster says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Unique name, 1 to 64 characters.
    pub name: String,
    /// Who it is, in a few sentences, at most 2,000 characters.
    pub persona: String,
    /// Up to 16 short words that steer its behaviour.
    pub traits: Vec<String>,
    /// The zone of the map it calls home, if it has one.
    pub home_zone: Option<String>,
    /// The region it belongs to, if any.
    pub region: Option<Region>,
    /// The kind of channel it wants to live in.
    pub kind: ChannelKind,
}

/// Why a profile was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct ProfileError {
    /// The field at fault.
    pub field: &'static str,
    /// What is wrong, and what would be right.
    pub problem: String,
}

impl Profile {
    /// The longest name, in characters.
    pub const MAX_NAME: usize = 64;
    /// The longest persona, in characters.
    pub const MAX_PERSONA: usize = 2_000;
    /// The most traits.
    pub const MAX_TRAITS: usize = 16;
    /// The longest trait and zone name, in characters.
    pub const MAX_WORD: usize = 40;

    /// Checks every field; a profile that passes can be stored.
    pub fn check(&self) -> Result<(), ProfileError> {
        check_text("name", &self.name, 1, Self::MAX_NAME)?;
        check_text("persona", &self.persona, 0, Self::MAX_PERSONA)?;
        if self.traits.len() > Self::MAX_TRAITS {
            let problem = format!("{} given; at most {} are kept", self.traits.len(), Self::MAX_TRAITS);
            return Err(ProfileError { field: "traits", problem });
        }
        for word in &self.traits {
            check_text("traits", word, 1, Self::MAX_WORD)?;
        }
        if let Some(zone) = &self.home_zone {
            check_text("home_zone", zone, 1, Self::MAX_WORD)?;
        }
        if self.kind == ChannelKind::Regional && self.region.is_none() {
            let problem = "a bot that wants a REGIONAL channel must name its region".to_owned();
            return Err(ProfileError { field: "region", problem });
        }
        Ok(())
    }
}

pub(crate) fn check_text(
    field: &'static str,
    text: &str,
    min: usize,
    max: usize,
) -> Result<(), ProfileError> {
    let length = text.chars().count();
    if !(min..=max).contains(&length) {
        let problem = format!("is {length} characters long; {min} to {max} are allowed");
        return Err(ProfileError { field, problem });
    }
    if text.chars().any(char::is_control) {
        return Err(ProfileError { field, problem: "must not hold control characters".to_owned() });
    }
    if text.trim() != text {
        return Err(ProfileError { field, problem: "must not begin or end with white space".to_owned() });
    }
    Ok(())
}

/// How far a bot is on its way into its channel's world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BotState {
    /// Waits for the next sync of its channel (or for a channel).
    Pending,
    /// Its body is being put into a world.
    Deploying,
    /// A resident of its channel's world.
    Live,
    /// The last attempt failed; the next one is due at `until`.
    Backoff {
        /// When it is tried again.
        until: Timestamp,
        /// Attempts that failed so far.
        attempt: u32,
        /// Why the last one failed.
        reason: String,
    },
    /// Given up after the last attempt, or refused for good. Left by a retry or by a change of assignment.
    Failed {
        /// Why.
        reason: String,
    },
    /// Taken out of the worlds by an operator; keeps its seat.
    Disabled,
}

impl BotState {
    /// The state's name on the wire and in the database.
    pub fn as_str(&self) -> &'static str {
        match self {
            BotState::Pending => "pending",
            BotState::Deploying => "deploying",
            BotState::Live => "live",
            BotState::Backoff { .. } => "backoff",
            BotState::Failed { .. } => "failed",
            BotState::Disabled => "disabled",
        }
    }

    /// Failed attempts so far.
    pub fn attempts(&self) -> u32 {
        if let BotState::Backoff { attempt, .. } = self { *attempt } else { 0 }
    }
}

/// A bot as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bot {
    /// Durable identity.
    pub id: BotId,
    /// Who it is.
    pub profile: Profile,
    /// The channel it is assigned to.
    pub channel: Option<ChannelName>,
    /// Rises with every change of its assignment; observations of an older epoch are refused.
    pub epoch: i64,
    /// How far it is.
    pub state: BotState,
    /// The world it is, or may still be, a resident of.
    pub world: Option<WorldId>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its state last changed.
    pub changed_at: Timestamp,
}

impl Bot {
    /// Says in one sentence why the bot is not live, or `None` when it is. `seats` is its channel, `trouble` what
    /// the last sync of that channel reported.
    pub fn why_not_live(
        &self,
        seats: Option<&Seats>,
        trouble: Option<&str>,
        now: Timestamp,
    ) -> Option<String> {
        let channel = match (&self.state, &self.channel) {
            (BotState::Live, _) => return None,
            (BotState::Disabled, _) => {
                return Some("disabled by an operator; enable it to bring it back".to_owned());
            }
            (_, None) => return Some("not assigned to a channel; assign it to one".to_owned()),
            (_, Some(channel)) => channel,
        };
        Some(match &self.state {
            BotState::Failed { reason } => format!("gave up: {reason}; retry it, or assign it elsewhere"),
            BotState::Backoff { until, attempt, reason } => {
                let secs = until.since(now).as_secs_f64();
                format!("attempt {attempt} failed: {reason}; next attempt in {secs:.1} s")
            }
            BotState::Deploying => format!("its body is being put into the world of {channel}"),
            _ => match (trouble, seats.map(Seats::status)) {
                (Some(trouble), _) => format!("waits for the world of {channel}: {trouble}"),
                (None, Some(Status::Draining)) => {
                    format!("waits to be moved out of {channel}, which is draining")
                }
                _ => format!("waits for the next sync of {channel}"),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile() -> Profile {
        Profile {
            name: "Ada".to_owned(),
            persona: "Counts cards and is honest about it.".to_owned(),
            traits: vec!["curious".to_owned()],
            home_zone: Some("casino".to_owned()),
            region: None,
            kind: ChannelKind::Main,
        }
    }

    #[test]
    fn profiles_are_checked_field_by_field() {
        assert_eq!(profile().check(), Ok(()));
        let cases: [(&str, fn(&mut Profile)); 6] = [
            ("name", |p| p.name = " Ada".to_owned()),
            ("name", |p| p.name = "x".repeat(65)),
            ("persona", |p| p.persona = "a\u{0}b".to_owned()),
            ("traits", |p| p.traits = vec!["x".to_owned(); 17]),
            ("home_zone", |p| p.home_zone = Some(String::new())),
            ("region", |p| p.kind = ChannelKind::Regional),
        ];
        for (field, spoil) in cases {
            let mut bad = profile();
            spoil(&mut bad);
            assert_eq!(bad.check().unwrap_err().field, field);
        }
    }

    #[test]
    fn a_bot_that_is_not_live_says_why() {
        let mut bot = Bot {
            id: BotId(uuid::Uuid::nil()),
            profile: profile(),
            channel: None,
            epoch: 0,
            state: BotState::Pending,
            world: None,
            created_at: Timestamp(0),
            changed_at: Timestamp(0),
        };
        let why = |bot: &Bot, trouble| bot.why_not_live(None, trouble, Timestamp(1_000)).unwrap_or_default();
        assert!(why(&bot, None).contains("not assigned"));
        bot.channel = Some("main".parse().unwrap());
        assert!(why(&bot, Some("host unreachable")).contains("host unreachable"));
        bot.state =
            BotState::Backoff { until: Timestamp(3_500), attempt: 2, reason: "world is full".to_owned() };
        assert_eq!(why(&bot, None), "attempt 2 failed: world is full; next attempt in 2.5 s");
        bot.state = BotState::Live;
        assert_eq!(why(&bot, None), "");
    }
}
