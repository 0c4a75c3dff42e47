//! The health report: what is wrong, how bad it is, and what to do about it.

use crate::channel::{ChannelKind, ChannelName, Seats, Status};
use crate::ids::WorldId;
use serde::{Deserialize, Serialize};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing to do.
    Healthy,
    /// Works, but look at it.
    Warning,
    /// Does not do its work, or is about to stop.
    Critical,
}

/// Bots of a channel by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateCounts {
    /// Wait for a sync.
    pub pending: u32,
    /// Are being put into a world.
    pub deploying: u32,
    /// Residents.
    pub live: u32,
    /// Wait for their next attempt.
    pub backoff: u32,
    /// Given up.
    pub failed: u32,
    /// Taken out by an operator.
    pub disabled: u32,
}

impl StateCounts {
    /// All of them.
    pub fn total(&self) -> u32 {
        self.awaited() + self.live + self.failed + self.disabled
    }

    /// Those on their way into a world.
    pub fn awaited(&self) -> u32 {
        self.pending + self.deploying + self.backoff
    }

    /// Adds another channel's.
    pub fn add(&mut self, other: &StateCounts) {
        self.pending += other.pending;
        self.deploying += other.deploying;
        self.live += other.live;
        self.backoff += other.backoff;
        self.failed += other.failed;
        self.disabled += other.disabled;
    }
}

/// What is known of a channel's world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorldState {
    /// It has none, and needs none while it has no bots.
    None,
    /// The host confirms it.
    Valid {
        /// Its id.
        world: WorldId,
        /// Whether it ticks slower than it should.
        lagging: bool,
    },
    /// The host says that it does not exist.
    Gone,
    /// The host does not answer, so nothing is known.
    Unknown {
        /// Why not.
        detail: String,
    },
}

/// Load shares at which a channel is a warning or critical, in percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HealthRules {
    /// From here on a warning.
    pub warning_from_percent: u32,
    /// Above this critical.
    pub critical_above_percent: u32,
}

impl Default for HealthRules {
    fn default() -> Self {
        HealthRules { warning_from_percent: 70, critical_above_percent: 90 }
    }
}

/// What the report on one channel is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelFacts {
    /// Name, kind, limit and load.
    pub seats: Seats,
    /// Bots by state.
    pub bots: StateCounts,
    /// Its world.
    pub world: WorldState,
    /// What the last sync complained of, if it did.
    pub trouble: Option<String>,
}

/// The report on one channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChannelHealth {
    /// Its name.
    pub channel: ChannelName,
    /// What it is for.
    pub kind: ChannelKind,
    /// What it is now.
    pub status: Status,
    /// How bad it is.
    pub level: Level,
    /// Bots assigned.
    pub assigned: u32,
    /// Players with a seat.
    #[serde(default)]
    pub players: u32,
    /// Its limit.
    pub max_bots: u32,
    /// Share of its seats taken, in percent.
    pub load_percent: f64,
    /// Bots by state.
    pub bots: StateCounts,
    /// Its world: `none`, `valid`, `lagging`, `gone` or `unknown`.
    pub world_state: String,
    /// The world's id, where there is one.
    pub world: Option<WorldId>,
    /// What is wrong.
    pub issues: Vec<String>,
    /// What to do, one for each thing that an operator can do something about.
    pub advice: Vec<String>,
}

/// The report on everything.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HealthReport {
    /// The worst level of any channel.
    pub level: Level,
    /// The channels, worst first.
    pub channels: Vec<ChannelHealth>,
    /// Bots of all channels by state.
    pub bots: StateCounts,
    /// Seats of all channels.
    pub seats: u64,
    /// Worlds that their hosts confirm.
    pub valid_worlds: u32,
    /// Share of the syncs of the last while that succeeded, in percent; `null` before the first one.
    pub sync_success_percent: Option<f64>,
}

impl HealthReport {
    /// Judges every channel.
    pub fn new(
        facts: &[ChannelFacts],
        rules: &HealthRules,
        sync_success_percent: Option<f64>,
    ) -> HealthReport {
        let mut channels: Vec<ChannelHealth> = facts.iter().map(|f| judge(f, rules)).collect();
        channels.sort_by(|a, b| b.level.cmp(&a.level).then_with(|| a.channel.cmp(&b.channel)));
        let mut bots = StateCounts::default();
        facts.iter().for_each(|f| bots.add(&f.bots));
        let valid = facts.iter().filter(|f| matches!(f.world, WorldState::Valid { .. })).count();
        HealthReport {
            level: channels.iter().map(|c| c.level).max().unwrap_or(Level::Healthy),
            bots,
            seats: facts.iter().map(|f| u64::from(f.seats.max_bots)).sum(),
            valid_worlds: u32::try_from(valid).unwrap_or(u32::MAX),
            channels,
            sync_success_percent,
        }
    }
}

/// Collects the verdict on one channel.
struct Verdict {
    level: Level,
    issues: Vec<String>,
    advice: Vec<String>,
}

impl Verdict {
    fn add(&mut self, level: Level, issue: String, advice: &str) {
        self.level = self.level.max(level);
        self.issues.push(issue);
        if !advice.is_empty() {
            self.advice.push(advice.to_owned());
        }
    }
}

fn judge(facts: &ChannelFacts, rules: &HealthRules) -> ChannelHealth {
    let seats = &facts.seats;
    let mut verdict = Verdict { level: Level::Healthy, issues: Vec::new(), advice: Vec::new() };
    judge_load(seats, rules, &mut verdict);
    judge_world(facts, &mut verdict);
    judge_bots(facts, &mut verdict);
    let (world_state, world) = match &facts.world {
        WorldState::None => ("none", None),
        WorldState::Valid { world, lagging: false } => ("valid", Some(world.clone())),
        WorldState::Valid { world, lagging: true } => ("lagging", Some(world.clone())),
        WorldState::Gone => ("gone", None),
        WorldState::Unknown { .. } => ("unknown", None),
    };
    ChannelHealth {
        channel: seats.name.clone(),
        kind: seats.kind,
        status: seats.status(),
        level: verdict.level,
        assigned: seats.bots,
        players: seats.players,
        max_bots: seats.max_bots,
        load_percent: (seats.load() * 1_000.0).round() / 10.0,
        bots: facts.bots,
        world_state: world_state.to_owned(),
        world,
        issues: verdict.issues,
        advice: verdict.advice,
    }
}

fn judge_load(seats: &Seats, rules: &HealthRules, verdict: &mut Verdict) {
    let percent = seats.load() * 100.0;
    let taken = format!("{} of {} seats taken", seats.taken(), seats.max_bots);
    match seats.status() {
        Status::Draining => {
            return verdict.add(
                Level::Warning,
                "draining".to_owned(),
                "activate or delete it when it is empty",
            );
        }
        Status::Maintenance => {
            return verdict.add(
                Level::Warning,
                "in maintenance, takes nobody in".to_owned(),
                "activate it when the work is done",
            );
        }
        Status::Active | Status::Full => {}
    }
    if percent > f64::from(rules.critical_above_percent) {
        verdict.add(Level::Critical, taken, "raise its limit, or open a shard and rebalance the group");
    } else if percent >= f64::from(rules.warning_from_percent) {
        verdict.add(Level::Warning, taken, "");
    }
}

fn judge_world(facts: &ChannelFacts, verdict: &mut Verdict) {
    match &facts.world {
        WorldState::Valid { lagging: true, .. } => {
            verdict.add(
                Level::Warning,
                "its world ticks slower than it should".to_owned(),
                "run fewer worlds on this host",
            );
        }
        WorldState::Gone => {
            verdict.add(
                Level::Critical,
                "its world is gone".to_owned(),
                "it heals by itself; if it does not, reset the channel",
            );
        }
        WorldState::Unknown { detail } => {
            verdict.add(
                Level::Warning,
                format!("its world cannot be checked: {detail}"),
                "check the world host",
            );
        }
        WorldState::None if facts.bots.total() > facts.bots.disabled => {
            verdict.add(
                Level::Critical,
                "it has bots and no world".to_owned(),
                "it heals by itself; if it does not, reset the channel",
            );
        }
        WorldState::None | WorldState::Valid { .. } => {}
    }
    if let Some(trouble) = &facts.trouble {
        verdict.add(Level::Warning, format!("last sync: {trouble}"), "");
    }
}

fn judge_bots(facts: &ChannelFacts, verdict: &mut Verdict) {
    let bots = &facts.bots;
    if bots.failed > 0 {
        verdict.add(
            Level::Warning,
            format!("{} failed", counted(bots.failed)),
            "see why with `arena bots show`, then retry them",
        );
    }
    if bots.awaited() > 0 {
        verdict.add(Level::Warning, format!("{} on the way into the world", counted(bots.awaited())), "");
    }
}

fn counted(bots: u32) -> String {
    if bots == 1 { "1 bot".to_owned() } else { format!("{bots} bots") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::Mode;

    fn facts(bots: u32, max_bots: u32, world: WorldState) -> ChannelFacts {
        let seats = Seats {
            name: "main".parse().unwrap(),
            group: "main".parse().unwrap(),
            kind: ChannelKind::Main,
            region: None,
            mode: Mode::Active,
            max_bots,
            bots,
            players: 0,
        };
        ChannelFacts { seats, bots: StateCounts { live: bots, ..Default::default() }, world, trouble: None }
    }

    fn valid() -> WorldState {
        WorldState::Valid { world: "w".parse().unwrap(), lagging: false }
    }

    fn level(facts: &ChannelFacts) -> Level {
        HealthReport::new(std::slice::from_ref(facts), &HealthRules::default(), None).level
    }

    #[test]
    fn load_sets_the_level() {
        for (bots, expected) in [
            (0, Level::Healthy),
            (69, Level::Healthy),
            (70, Level::Warning),
            (90, Level::Warning),
            (91, Level::Critical),
            (100, Level::Critical),
        ] {
            assert_eq!(level(&facts(bots, 100, valid())), expected, "{bots}");
        }
    }

    #[test]
    fn players_are_load_as_bots_are() {
        let mut crowded = facts(60, 100, valid());
        crowded.seats.players = 35;
        let report = HealthReport::new(&[crowded], &HealthRules::default(), None);
        let channel = &report.channels[0];
        assert_eq!((channel.level, channel.load_percent), (Level::Critical, 95.0));
        assert_eq!((channel.assigned, channel.players), (60, 35));
        assert_eq!(channel.issues, ["95 of 100 seats taken"]);
    }

    #[test]
    fn a_channel_without_seats_divides_by_nothing() {
        assert_eq!(level(&facts(0, 0, WorldState::None)), Level::Critical);
    }

    #[test]
    fn an_invalid_world_is_critical_and_an_unreachable_host_is_not() {
        assert_eq!(level(&facts(5, 30, WorldState::Gone)), Level::Critical);
        assert_eq!(level(&facts(5, 30, WorldState::None)), Level::Critical);
        assert_eq!(level(&facts(0, 30, WorldState::None)), Level::Healthy);
        assert_eq!(level(&facts(5, 30, WorldState::Unknown { detail: "timeout".into() })), Level::Warning);
    }

    #[test]
    fn bots_that_are_not_live_are_an_issue() {
        let mut late = facts(5, 30, valid());
        late.bots = StateCounts { live: 3, failed: 1, backoff: 1, ..Default::default() };
        let report = HealthReport::new(&[late], &HealthRules::default(), Some(100.0));
        assert_eq!((report.level, report.channels[0].issues.len()), (Level::Warning, 2));
    }
}
