//! One struct per component, and its defaults beside it.

use super::conversations::{ConversationsConfig, Talk};
use super::fleet::FleetConfig;
use super::matchmaking::MatchmakingConfig;
use super::realtime::{AuthConfig, RealtimeConfig};
use super::redact::DatabaseUrl;
use arena_core::RetryPolicy;
use arena_core::admission::{AdmissionRules, KindLimits};
use arena_core::health::HealthRules;
use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// All settings, checked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The HTTP server and the data directory.
    pub server: ServerConfig,
    /// The database.
    pub database: DatabaseConfig,
    /// How tokens are signed and checked.
    pub auth: AuthConfig,
    /// Limits of new channels and sharding.
    pub channels: ChannelsConfig,
    /// When the health report warns.
    pub health: HealthConfig,
    /// The native world host and discovery.
    pub worlds: WorldsConfig,
    /// The reconciler.
    pub sync: SyncConfig,
    /// Conversations.
    pub conversations: ConversationsConfig,
    /// Matchmaking.
    pub matchmaking: MatchmakingConfig,
    /// The realtime gateway.
    pub realtime: RealtimeConfig,
    /// The bot service.
    pub fleet: FleetConfig,
    /// Logging.
    pub log: LogConfig,
}

/// The HTTP server and the data directory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// Where it listens.
    pub listen: SocketAddr,
    /// By which other names it is asked if it listens on loopback.
    pub hosts: Vec<String>,
    /// Where the SQLite file lives.
    pub data_dir: PathBuf,
    /// Requests served at the same time; more are refused as overload.
    pub max_in_flight: usize,
    /// Largest request body, in bytes.
    pub body_limit_bytes: usize,
    /// Largest roster, in bytes.
    pub import_limit_bytes: usize,
    /// How long the outcome of a request with an idempotency key is kept.
    pub idempotency_ttl_hours: u32,
}

impl Default for ServerConfig {
    fn default() -> Self {
        ServerConfig {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7700)),
            hosts: Vec::new(),
            data_dir: PathBuf::from("./data"),
            max_in_flight: 512,
            body_limit_bytes: 1024 * 1024,
            import_limit_bytes: 32 * 1024 * 1024,
            idempotency_ttl_hours: 24,
        }
    }
}

/// The database.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseConfig {
    /// Where it is; empty means the SQLite file in the data directory.
    pub url: DatabaseUrl,
    /// Connections at most.
    pub max_connections: u32,
    /// Whether PostgreSQL is reached through PgBouncer in transaction mode.
    pub pgbouncer: bool,
    /// How long the activity log is kept.
    pub activity_retention_days: u32,
    /// Operations that may wait for the database; more are refused as overload.
    pub max_queue: usize,
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        DatabaseConfig {
            url: DatabaseUrl::default(),
            max_connections: 16,
            pgbouncer: false,
            activity_retention_days: 30,
            max_queue: 4096,
        }
    }
}

impl DatabaseConfig {
    /// The URL to connect to: the configured one, or `arena.db` in the data directory.
    pub fn url_in(&self, data_dir: &Path) -> DatabaseUrl {
        if self.url.is_empty() {
            DatabaseUrl::new(format!("sqlite:{}", data_dir.join("arena.db").display()))
        } else {
            self.url.clone()
        }
    }
}

/// Limits of new channels by kind, and when a group grows by a shard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelsConfig {
    /// Bots in a new MAIN channel.
    pub main: u32,
    /// Bots in a new REGIONAL channel.
    pub regional: u32,
    /// Bots in a new VIP channel.
    pub vip: u32,
    /// Bots in a new TEST channel.
    pub test: u32,
    /// Bots in a new TOURNAMENT channel.
    pub tournament: u32,
    /// Load of a group above which the next bot opens a shard, in percent.
    pub shard_above_percent: u32,
}

impl Default for ChannelsConfig {
    fn default() -> Self {
        ChannelsConfig { main: 30, regional: 30, vip: 20, test: 10, tournament: 30, shard_above_percent: 80 }
    }
}

impl ChannelsConfig {
    /// As the rules take them.
    pub fn rules(&self) -> AdmissionRules {
        AdmissionRules {
            limits: KindLimits {
                main: self.main,
                regional: self.regional,
                vip: self.vip,
                test: self.test,
                tournament: self.tournament,
            },
            shard_above_percent: self.shard_above_percent,
            ..AdmissionRules::default()
        }
    }
}

/// When the health report warns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HealthConfig {
    /// Load from which a channel is a warning, in percent.
    pub warning_from_percent: u32,
    /// Load above which a channel is critical, in percent.
    pub critical_above_percent: u32,
}

impl Default for HealthConfig {
    fn default() -> Self {
        let HealthRules { warning_from_percent, critical_above_percent } = HealthRules::default();
        HealthConfig { warning_from_percent, critical_above_percent }
    }
}

impl HealthConfig {
    /// As the rules take it.
    pub fn rules(&self) -> HealthRules {
        HealthRules {
            warning_from_percent: self.warning_from_percent,
            critical_above_percent: self.critical_above_percent,
        }
    }
}

/// The native world host and discovery.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorldsConfig {
    /// A built-in map's name, or the path of a Tiled JSON file.
    pub map: String,
    /// Length of a tick.
    pub tick_ms: u64,
    /// Commands that may wait at one world; more are refused as overload.
    pub mailbox: usize,
    /// Residents in one world at most.
    pub max_residents: u32,
    /// How often positions are stored.
    pub snapshot_every_ms: u64,
    /// How long a known world is trusted without asking its host.
    pub cache_ttl_secs: u64,
    /// How long a world host may take to answer.
    pub host_timeout_ms: u64,
    /// Seed of the worlds' randomness; 0 draws one.
    pub seed: u64,
    /// What becomes of what residents say to each other.
    pub talk: Talk,
    /// Messages in one conversation of residents at most.
    pub talk_max_messages: u64,
    /// Messages of each resident in one conversation at most; 0 is no limit.
    pub talk_max_replies_per_participant: u64,
}

impl Default for WorldsConfig {
    fn default() -> Self {
        WorldsConfig {
            map: "town".to_owned(),
            tick_ms: 200,
            mailbox: 256,
            max_residents: 1_000,
            snapshot_every_ms: 3_000,
            cache_ttl_secs: 300,
            host_timeout_ms: 5_000,
            seed: 0,
            talk: Talk::Stored,
            talk_max_messages: 16,
            talk_max_replies_per_participant: 0,
        }
    }
}

impl WorldsConfig {
    /// Messages of each resident in one conversation at most; `None` is no limit.
    pub fn talk_max_replies(&self) -> Option<u64> {
        (self.talk_max_replies_per_participant > 0).then_some(self.talk_max_replies_per_participant)
    }
}

/// The reconciler that makes residents match assignments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SyncConfig {
    /// How often all channels are swept; nudges come sooner.
    pub every_secs: u64,
    /// Channels synced at the same time.
    pub concurrency: usize,
    /// Bots deployed to one channel in one run at most.
    pub max_deploys_per_run: usize,
    /// Delay before the second attempt at a bot.
    pub retry_base_ms: u64,
    /// What each further delay is multiplied by.
    pub retry_factor: u32,
    /// The longest delay.
    pub retry_cap_ms: u64,
    /// Attempts in all; after the last one the bot is failed.
    pub retry_attempts: u32,
    /// Share of a delay that jitter may take off, in percent.
    pub retry_jitter_percent: u32,
}

impl Default for SyncConfig {
    fn default() -> Self {
        SyncConfig {
            every_secs: 30,
            concurrency: 32,
            max_deploys_per_run: 200,
            retry_base_ms: 2_000,
            retry_factor: 2,
            retry_cap_ms: 30_000,
            retry_attempts: 10,
            retry_jitter_percent: 30,
        }
    }
}

impl SyncConfig {
    /// The retry settings as the rules take them.
    pub fn retry(&self) -> RetryPolicy {
        RetryPolicy {
            base: Duration::from_millis(self.retry_base_ms),
            factor: self.retry_factor,
            cap: Duration::from_millis(self.retry_cap_ms),
            max_attempts: self.retry_attempts,
            jitter: f64::from(self.retry_jitter_percent) / 100.0,
        }
    }
}

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// What a human must act on.
    Error,
    /// What is odd.
    Warn,
    /// What happens.
    Info,
    /// Why it happens.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    /// As `tracing` filters name it.
    pub fn as_str(self) -> &'static str {
        match self {
            LogLevel::Error => "error",
            LogLevel::Warn => "warn",
            LogLevel::Info => "info",
            LogLevel::Debug => "debug",
            LogLevel::Trace => "trace",
        }
    }
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// Logging, to standard error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogConfig {
    /// How much.
    pub level: LogLevel,
    /// In what form.
    pub format: LogFormat,
}

impl Default for LogConfig {
    fn default() -> Self {
        LogConfig { level: LogLevel::Info, format: LogFormat::Text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_those_of_the_rules() {
        assert_eq!(SyncConfig::default().retry(), RetryPolicy::default());
        assert_eq!(HealthConfig::default().rules(), HealthRules::default());
        assert_eq!(ChannelsConfig::default().rules(), AdmissionRules::default());
    }

    #[test]
    fn without_a_url_the_database_is_a_file_in_the_data_directory() {
        let mut database = DatabaseConfig::default();
        assert_eq!(database.url_in(Path::new("/srv/arena")).expose(), "sqlite:/srv/arena/arena.db");
        database.url = DatabaseUrl::new("postgres://db/arena".to_owned());
        assert_eq!(database.url_in(Path::new("/srv/arena")).expose(), "postgres://db/arena");
    }
}
