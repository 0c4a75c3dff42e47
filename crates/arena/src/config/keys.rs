//! Every key: what it means and what it allows. The help, the errors and the reference are made from this.

use super::value::Rule;
use std::net::SocketAddr;
use std::path::Path;

/// One key of the configuration.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its section.
    pub section: &'static str,
    /// Its name in the section, which ends in its unit where it has one.
    pub name: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// What it allows.
    pub rule: Rule,
}

impl Key {
    /// As it is written in messages: `section.name`.
    pub fn path(&self) -> String {
        format!("{}.{}", self.section, self.name)
    }

    /// The environment variable that sets it.
    pub fn variable(&self) -> String {
        format!("ARENA_{}__{}", self.section, self.name).to_ascii_uppercase()
    }

    /// The key of this section and name.
    pub fn find(section: &str, name: &str) -> Option<&'static Key> {
        KEYS.iter().find(|key| key.section == section && key.name == name)
    }

    /// The names of a section's keys, in order.
    pub fn names_in(section: &str) -> Vec<&'static str> {
        KEYS.iter().filter(|key| key.section == section).map(|key| key.name).collect()
    }

    /// The sections, in order.
    pub fn sections() -> Vec<&'static str> {
        let mut sections: Vec<&'static str> = KEYS.iter().map(|key| key.section).collect();
        sections.dedup();
        sections
    }
}

const fn key(section: &'static str, name: &'static str, rule: Rule, doc: &'static str) -> Key {
    Key { section, name, doc, rule }
}

const fn between(min: i64, max: i64) -> Rule {
    Rule::Integer { min, max }
}

const SEATS: Rule = between(1, 10_000);
const PERCENT: Rule = between(1, 100);

const ADDRESS: Rule = Rule::Text {
    allowed: "an IP address and a port, such as 127.0.0.1:7700 or [::]:7700",
    accepts: |text| text.parse::<SocketAddr>().is_ok(),
};

const DIRECTORY: Rule = Rule::Text {
    allowed: "the path of a directory; it is created where it is missing",
    accepts: |text| !text.is_empty() && !Path::new(text).is_file(),
};

/// Maps that are built into the simulation.
const BUILT_IN_MAPS: [&str; 1] = ["town"];

const MAP: Rule = Rule::Text {
    allowed: "town (built in), or the path of an existing Tiled JSON file",
    accepts: |text| BUILT_IN_MAPS.contains(&text) || Path::new(text).is_file(),
};

/// Every key, in the order of the reference.
pub const KEYS: &[Key] = &[
    key("server", "listen", ADDRESS, "Address and port of the HTTP server. Port 0 takes a free one."),
    key("server", "data_dir", DIRECTORY, "Directory of the SQLite file and whatever else the server keeps."),
    key(
        "server",
        "max_in_flight",
        between(1, 100_000),
        "Requests served at the same time; more are answered 503.",
    ),
    key("server", "body_limit_bytes", between(1_024, 67_108_864), "Largest request body, in bytes."),
    key("server", "import_limit_bytes", between(1_024, 1_073_741_824), "Largest roster import, in bytes."),
    key(
        "server",
        "idempotency_ttl_hours",
        between(1, 8_760),
        "How long the outcome of a request with an Idempotency-Key is kept, in hours.",
    ),
    key(
        "database",
        "url",
        Rule::DatabaseUrl,
        "The database. Empty means the SQLite file arena.db in server.data_dir.",
    ),
    key("database", "max_connections", between(1, 1_000), "Connections to the database at most."),
    key(
        "database",
        "pgbouncer",
        Rule::Bool,
        "Whether PostgreSQL is reached through PgBouncer in transaction mode.",
    ),
    key(
        "database",
        "activity_retention_days",
        between(1, 3_650),
        "How long the activity log is kept, in days.",
    ),
    key(
        "database",
        "max_queue",
        between(1, 1_000_000),
        "Operations that may wait for the database; more are refused as overload.",
    ),
    key("channels", "main", SEATS, "Seats of a new MAIN channel, in bots."),
    key("channels", "regional", SEATS, "Seats of a new REGIONAL channel, in bots."),
    key("channels", "vip", SEATS, "Seats of a new VIP channel, in bots."),
    key("channels", "test", SEATS, "Seats of a new TEST channel, in bots."),
    key("channels", "tournament", SEATS, "Seats of a new TOURNAMENT channel, in bots."),
    key(
        "channels",
        "shard_above_percent",
        PERCENT,
        "Load of a group above which a new shard is opened for the next bot, in percent.",
    ),
    key("health", "warning_from_percent", PERCENT, "Load from which a channel is a warning, in percent."),
    key("health", "critical_above_percent", PERCENT, "Load above which a channel is critical, in percent."),
    key("worlds", "map", MAP, "Map of new worlds."),
    key("worlds", "tick_ms", between(10, 10_000), "Length of a tick, in milliseconds."),
    key(
        "worlds",
        "mailbox",
        between(16, 65_536),
        "Commands that may wait at one world; more are refused as overload.",
    ),
    key("worlds", "max_residents", between(1, 10_000), "Residents of one world at most."),
    key(
        "worlds",
        "snapshot_every_ms",
        between(100, 600_000),
        "How often positions are stored, in milliseconds: what a lost world forgets at most.",
    ),
    key(
        "worlds",
        "cache_ttl_secs",
        between(1, 86_400),
        "How long a channel's world is trusted without asking its host, in seconds.",
    ),
    key(
        "worlds",
        "host_timeout_ms",
        between(100, 120_000),
        "How long a world host may take to answer, in milliseconds.",
    ),
    key(
        "worlds",
        "seed",
        between(0, i64::MAX),
        "Seed of the worlds' randomness; 0 draws another one at every start.",
    ),
    key(
        "sync",
        "every_secs",
        between(1, 3_600),
        "How often all channels are swept, in seconds. Changes are synced at once; this is the safety net.",
    ),
    key("sync", "concurrency", between(1, 1_024), "Channels synced at the same time."),
    key(
        "sync",
        "max_deploys_per_run",
        between(1, 100_000),
        "Bots deployed to one channel in one run at most.",
    ),
    key(
        "sync",
        "retry_base_ms",
        between(10, 600_000),
        "Delay before the second attempt to deploy a bot, in milliseconds.",
    ),
    key("sync", "retry_factor", between(1, 10), "What each further delay is multiplied by."),
    key("sync", "retry_cap_ms", between(10, 3_600_000), "The longest delay, in milliseconds."),
    key(
        "sync",
        "retry_attempts",
        between(1, 1_000),
        "Attempts in all; after the last one the bot is failed.",
    ),
    key(
        "sync",
        "retry_jitter_percent",
        between(0, 100),
        "Share of a delay that chance may take off, in percent.",
    ),
    key(
        "log",
        "level",
        Rule::OneOf(&["error", "warn", "info", "debug", "trace"]),
        "How much is logged, to standard error.",
    ),
    key("log", "format", Rule::OneOf(&["text", "json"]), "Lines for people, or one JSON object per line."),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use std::collections::BTreeSet;

    #[test]
    fn every_setting_is_a_documented_key_with_a_default_that_it_allows() {
        let defaults = toml::Table::try_from(Config::default()).unwrap();
        let mut settings = BTreeSet::new();
        for (section, keys) in &defaults {
            for (name, value) in keys.as_table().unwrap() {
                let key = Key::find(section, name).unwrap_or_else(|| panic!("{section}.{name} has no Key"));
                assert!(key.rule.accepts(value), "{} does not allow its default {value}", key.path());
                settings.insert(key.path());
            }
        }
        assert_eq!(settings, KEYS.iter().map(Key::path).collect());
    }
}
