//! The bot service.

use super::redact::HiddenText;
use arena_core::RetryPolicy;
use arena_core::matching::QueueName;
use arena_fleet::{AlertSettings, FleetSettings, LlmSettings, ManagerSettings, PoolSettings, StartMode};
use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// How bots are started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FleetStart {
    /// At the same slow pace always.
    #[default]
    Staggered,
    /// Faster as long as the endpoint answers quickly.
    Adaptive,
}

/// The bot service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FleetConfig {
    /// Whether `arena serve` runs one.
    pub enabled: bool,
    /// Where `arena fleet run` answers.
    pub listen: SocketAddr,
    /// Where bots connect; empty means this server.
    pub endpoint: String,
    /// What bots show when they connect.
    pub apikey: HiddenText,
    /// What the bots' own tokens are signed with.
    pub jwt_secret: HiddenText,
    /// Where humans are counted.
    pub lobby: String,
    /// Queues of the matchmaker in which idle bots wait.
    pub queues: Vec<String>,
    /// Bots when nobody is there.
    pub min: usize,
    /// Bots at most.
    pub max: usize,
    /// Bots for each hundred humans.
    pub target_percent: u32,
    /// How often the numbers are looked at.
    pub maintenance_ms: u64,
    /// How bots are started.
    pub start: FleetStart,
    /// The shortest time between two starts.
    pub stagger_min_ms: u64,
    /// The longest.
    pub stagger_max_ms: u64,
    /// How long a bot that talks may go on after it was told to leave.
    pub drain_deadline_secs: u64,
    /// How long everything may take at the end.
    pub shutdown_deadline_secs: u64,
    /// The roster; empty means the one that is built in.
    pub roster: PathBuf,
    /// A directory of personas besides those that are built in; empty means none.
    pub personas: PathBuf,
    /// Connections at most.
    pub max_connections: usize,
    /// Channels of one connection at most.
    pub channels_per_connection: usize,
    /// Connects of all bots.
    pub connects_per_sec: u32,
    /// Joins of all bots.
    pub joins_per_sec: u32,
    /// How long a connection with its handshake may take.
    pub connect_timeout_ms: u64,
    /// How long an answer may take.
    pub reply_timeout_ms: u64,
    /// How often a heartbeat is sent.
    pub heartbeat_secs: u64,
    /// Delay before the second attempt.
    pub retry_base_ms: u64,
    /// The longest delay.
    pub retry_cap_ms: u64,
    /// Attempts in all.
    pub retry_attempts: u32,
    /// Failed connects in a row until one bot tries for all.
    pub breaker_failures: u32,
    /// Where alerts are posted; empty means nowhere.
    pub alert_webhook: String,
    /// Share of the wanted bots that fail at which an alert is raised.
    pub alert_failed_percent: u32,
    /// How long that has to last.
    pub alert_after_secs: u64,
    /// The least time between two alerts.
    pub alert_every_secs: u64,
    /// The chat endpoint of `llm` bots; empty means none.
    pub llm_base_url: String,
    /// Its model.
    pub llm_model: String,
    /// Its key.
    pub llm_api_key: HiddenText,
    /// How long a reply may take.
    pub llm_timeout_secs: u64,
    /// How long its stream may stall.
    pub llm_stall_timeout_secs: u64,
    /// Tokens of a reply at most.
    pub llm_max_reply_tokens: u64,
    /// Requests of all bots at once.
    pub llm_max_requests: usize,
    /// Price of a million tokens of prompts.
    pub llm_prompt_price_micros: u64,
    /// Price of a million tokens of replies.
    pub llm_reply_price_micros: u64,
    /// Tokens that one bot may spend; 0 is no limit.
    pub llm_bot_tokens: u64,
    /// Money that one bot may spend; 0 is no limit.
    pub llm_bot_cost_micros: u64,
    /// Tokens that all bots may spend; 0 is no limit.
    pub llm_fleet_tokens: u64,
    /// Money that all bots may spend; 0 is no limit.
    pub llm_fleet_cost_micros: u64,
}

impl Default for FleetConfig {
    fn default() -> Self {
        FleetConfig {
            enabled: false,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7710)),
            endpoint: String::new(),
            apikey: HiddenText::default(),
            jwt_secret: HiddenText::default(),
            lobby: "lobby:main".to_owned(),
            queues: vec![QueueName::strangers().to_string()],
            min: 3,
            max: 15,
            target_percent: 30,
            maintenance_ms: 60_000,
            start: FleetStart::Staggered,
            stagger_min_ms: 5_000,
            stagger_max_ms: 8_000,
            drain_deadline_secs: 60,
            shutdown_deadline_secs: 10,
            roster: PathBuf::new(),
            personas: PathBuf::new(),
            max_connections: 2_000,
            channels_per_connection: 10,
            connects_per_sec: 50,
            joins_per_sec: 100,
            connect_timeout_ms: 8_000,
            reply_timeout_ms: 8_000,
            heartbeat_secs: 25,
            retry_base_ms: 2_000,
            retry_cap_ms: 30_000,
            retry_attempts: 10,
            breaker_failures: 5,
            alert_webhook: String::new(),
            alert_failed_percent: 20,
            alert_after_secs: 60,
            alert_every_secs: 900,
            llm_base_url: String::new(),
            llm_model: String::new(),
            llm_api_key: HiddenText::default(),
            llm_timeout_secs: 30,
            llm_stall_timeout_secs: 10,
            llm_max_reply_tokens: 300,
            llm_max_requests: 8,
            llm_prompt_price_micros: 0,
            llm_reply_price_micros: 0,
            llm_bot_tokens: 0,
            llm_bot_cost_micros: 0,
            llm_fleet_tokens: 0,
            llm_fleet_cost_micros: 0,
        }
    }
}

impl FleetConfig {
    /// The settings as the bot service takes them.
    pub fn settings(&self) -> FleetSettings {
        let path = |path: &PathBuf| Some(path.clone()).filter(|path| !path.as_os_str().is_empty());
        FleetSettings {
            pool: self.pool(),
            manager: self.manager(),
            alert: AlertSettings {
                webhook: Some(self.alert_webhook.clone()).filter(|url| !url.is_empty()),
                failed_percent: self.alert_failed_percent,
                lasting: Duration::from_secs(self.alert_after_secs),
                every: Duration::from_secs(self.alert_every_secs),
            },
            queues: self.queues.clone(),
            roster: path(&self.roster),
            personas: path(&self.personas),
            llm: (!self.llm_base_url.is_empty()).then(|| self.llm()),
        }
    }

    fn pool(&self) -> PoolSettings {
        PoolSettings {
            channels_per_connection: self.channels_per_connection,
            max_connections: self.max_connections,
            connect_timeout: Duration::from_millis(self.connect_timeout_ms),
            reply_timeout: Duration::from_millis(self.reply_timeout_ms),
            heartbeat_every: Duration::from_secs(self.heartbeat_secs),
            connects_per_sec: self.connects_per_sec.into(),
            connects_burst: burst(self.connects_per_sec),
            joins_per_sec: self.joins_per_sec.into(),
            joins_burst: burst(self.joins_per_sec),
            retry: RetryPolicy {
                base: Duration::from_millis(self.retry_base_ms),
                cap: Duration::from_millis(self.retry_cap_ms),
                max_attempts: self.retry_attempts,
                ..RetryPolicy::default()
            },
            breaker_failures: self.breaker_failures,
            ..PoolSettings::default()
        }
    }

    fn manager(&self) -> ManagerSettings {
        let ms = Duration::from_millis;
        ManagerSettings {
            lobby: self.lobby.clone(),
            min: self.min,
            max: self.max,
            target_percent: self.target_percent,
            maintenance_every: ms(self.maintenance_ms),
            stagger: (ms(self.stagger_min_ms), ms(self.stagger_max_ms)),
            start: match self.start {
                FleetStart::Staggered => StartMode::Staggered,
                FleetStart::Adaptive => StartMode::Adaptive,
            },
            drain_deadline: Duration::from_secs(self.drain_deadline_secs),
            shutdown_deadline: Duration::from_secs(self.shutdown_deadline_secs),
        }
    }

    fn llm(&self) -> LlmSettings {
        let limit = |limit: u64| Some(limit).filter(|limit| *limit > 0);
        LlmSettings {
            api_key: self.llm_api_key.expose().to_owned(),
            timeout: Duration::from_secs(self.llm_timeout_secs),
            stall_timeout: Duration::from_secs(self.llm_stall_timeout_secs),
            max_reply_tokens: self.llm_max_reply_tokens,
            prompt_price_micros: self.llm_prompt_price_micros,
            reply_price_micros: self.llm_reply_price_micros,
            bot_tokens: limit(self.llm_bot_tokens),
            bot_cost_micros: limit(self.llm_bot_cost_micros),
            fleet_tokens: limit(self.llm_fleet_tokens),
            fleet_cost_micros: limit(self.llm_fleet_cost_micros),
            max_requests: self.llm_max_requests,
            ..LlmSettings::new(&self.llm_base_url, &self.llm_model)
        }
    }
}

/// What may come at once after a rest: a fifth of a second's worth, and at least one.
fn burst(per_sec: u32) -> u32 {
    per_sec.div_ceil(5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_those_of_the_bot_service() {
        let (ours, theirs) = (FleetConfig::default().settings(), FleetSettings::default());
        assert_eq!((ours.pool, ours.manager), (theirs.pool, theirs.manager));
        assert_eq!((ours.alert, ours.llm), (theirs.alert, theirs.llm));
        assert_eq!(ours.queues, ["strangers"], "there is a matchmaker here");
        assert_eq!((ours.roster, ours.personas), (theirs.roster, theirs.personas));
    }

    #[test]
    fn a_model_is_there_with_its_url_and_0_is_no_limit() {
        let config = FleetConfig {
            llm_base_url: "http://127.0.0.1:1/v1".to_owned(),
            llm_model: "small".to_owned(),
            llm_api_key: HiddenText::new("s3cret".to_owned()),
            llm_fleet_tokens: 9,
            ..FleetConfig::default()
        };
        let llm = config.settings().llm.unwrap();
        assert!(!format!("{config:?}{llm:?}").contains("s3cret"));
        let expected = LlmSettings {
            api_key: "s3cret".to_owned(),
            fleet_tokens: Some(9),
            ..LlmSettings::new("http://127.0.0.1:1/v1", "small")
        };
        assert_eq!(llm, expected, "all else is the default");
    }
}
