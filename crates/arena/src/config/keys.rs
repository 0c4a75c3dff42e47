//! Every key: what it means and what it allows. The help, the errors and the reference are made from this.

use super::value::Rule;
use arena_core::matching::QueueName;
use arena_core::topic::TopicName;
use arena_realtime::policy::TopicPattern;
use arena_realtime::token::Secret;
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

const PUBLIC_URL: Rule = Rule::Text {
    allowed: "empty, or a URL that begins with ws:// or wss://",
    accepts: |text| text.is_empty() || text.starts_with("ws://") || text.starts_with("wss://"),
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

const TOPICS: Rule = Rule::List {
    allowed: "topics, such as \"room:7\", or beginnings of topics, such as \"room:*\"",
    accepts: |text| text.parse::<TopicPattern>().is_ok(),
};

const QUEUES: Rule = Rule::List {
    allowed: "names of queues, such as \"strangers\"",
    accepts: |text| text.parse::<QueueName>().is_ok(),
};

const HOSTS: Rule = Rule::List {
    allowed: "host names or IP addresses, such as \"localhost\"",
    accepts: |text| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_:[]".contains(&b))
    },
};

const NAMES: Rule = Rule::List {
    allowed: "host names without a port, such as \"arena.example\", or \"*\"",
    accepts: |text| {
        text == "*"
            || (!text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b)))
    },
};

const JWT_SECRET: Rule = Rule::Secret {
    allowed: "empty, or at least 32 bytes of text",
    accepts: |text| text.is_empty() || Secret::shared(text).is_ok(),
};

const FILE: Rule = Rule::Text {
    allowed: "empty, or the path of an existing file",
    accepts: |text| text.is_empty() || Path::new(text).is_file(),
};

const ENDPOINT: Rule = Rule::Text {
    allowed: "empty, or a URL that begins with wss://, ws://, https:// or http:// and holds no key",
    accepts: |text| text.is_empty() || (is_url(text, &["wss://", "ws://", "https://", "http://"])),
};

const WEB_URL: Rule = Rule::Text {
    allowed: "empty, or a URL that begins with https:// or http://",
    accepts: |text| text.is_empty() || is_url(text, &["https://", "http://"]),
};

/// Whether it is a URL of one of these schemes, with a host. What stands before an `@` could be a password.
fn is_url(text: &str, schemes: &[&str]) -> bool {
    let rest = schemes.iter().find_map(|scheme| text.strip_prefix(scheme));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/') && !rest.contains(['@', ' ']))
}

const TOPIC: Rule = Rule::Text {
    allowed: "a topic without `realtime:`, such as lobby:main",
    accepts: |text| !text.starts_with("realtime:") && text.parse::<TopicName>().is_ok(),
};

const API_KEY: Rule = Rule::Secret {
    allowed: "empty, or a key: visible ASCII without spaces",
    accepts: |text| text.bytes().all(|byte| byte.is_ascii_graphic()),
};

const ANY_TEXT: Rule = Rule::Text { allowed: "text of at most 200 bytes", accepts: |text| text.len() <= 200 };

const EXISTING_DIRECTORY: Rule = Rule::Text {
    allowed: "empty, or the path of an existing directory",
    accepts: |text| text.is_empty() || Path::new(text).is_dir(),
};

/// Numbers of bots, and of their connections.
const BOTS: Rule = between(0, 100_000);

/// Amounts of tokens, and of money in millionths, that 0 takes the limit from.
const AMOUNT: Rule = between(0, 1_000_000_000_000_000);

/// Limits that 0 takes away.
const OR_NONE: Rule = between(0, 10_000_000);

/// Lengths of time that somebody waits for, up to a day.
const SECS: Rule = between(1, 86_400);

/// Every key, in the order of the reference.
pub const KEYS: &[Key] = &[
    key("server", "listen", ADDRESS, "Address and port of the HTTP server. Port 0 takes a free one."),
    key(
        "server",
        "hosts",
        NAMES,
        "Names that a proxy may send as Host to a server on loopback, beside localhost, 127.0.0.1 and [::1]; without a port. \"*\" is any name.",
    ),
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
    key(
        "auth",
        "jwt_secret",
        JWT_SECRET,
        "The secret that tokens are signed with (HS256). Empty means the file jwt.secret in server.data_dir, which \
         is made where it is missing: one secret a line, the first signs, all are accepted.",
    ),
    key(
        "auth",
        "jwks_file",
        FILE,
        "A JSON Web Key Set (RFC 7517) whose keys are accepted too, such as those of an identity provider or the \
         secrets of the time before a rotation.",
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
        "worlds",
        "talk",
        Rule::OneOf(&["stored", "unstored"]),
        "What becomes of what residents say to each other: a conversation with a log and budgets, or heard and gone.",
    ),
    key(
        "worlds",
        "talk_max_messages",
        between(1, 10_000),
        "Messages in one conversation of residents at most. With the last one they part.",
    ),
    key(
        "worlds",
        "talk_max_replies_per_participant",
        between(0, 10_000),
        "Messages of each resident in one conversation at most; 0 is no limit.",
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
        "conversations",
        "max_queue",
        between(1, 1_000_000),
        "Messages and commands that may wait at once; more are refused as overload.",
    ),
    key(
        "conversations",
        "max_active",
        between(100, 10_000_000),
        "Conversations in memory at most. The others are read from the database when somebody speaks in them.",
    ),
    key(
        "conversations",
        "idle_secs",
        SECS,
        "How long a conversation stays in memory in which nothing happens, in seconds.",
    ),
    key(
        "conversations",
        "max_text_bytes",
        between(256, 262_144),
        "Longest text of a message, in bytes; the same for the data beside it.",
    ),
    key(
        "conversations",
        "max_streams",
        between(1, 100_000),
        "Logs that are followed over HTTP at once; more are answered 503. Each is an open file.",
    ),
    key(
        "conversations",
        "retention_days",
        between(0, 3_650),
        "How long conversations are kept that are at their end, in days; 0 keeps them.",
    ),
    key("conversations", "moderation_hosts", HOSTS, "Hosts that the URLs of moderators may point to."),
    key(
        "matchmaking",
        "enabled",
        Rule::Bool,
        "Whether waiting tickets are matched. Tickets are taken and matches go on either way.",
    ),
    key(
        "matchmaking",
        "gather_ms",
        between(0, 10_000),
        "How long after a change of a queue it is looked at, so that changes are taken together, in milliseconds.",
    ),
    key(
        "matchmaking",
        "every_ms",
        between(100, 60_000),
        "How often a queue is looked at where nothing changes, in milliseconds: those who wait get less particular by waiting.",
    ),
    key(
        "matchmaking",
        "sweep_every_ms",
        between(100, 60_000),
        "How often what is overdue is ended, in milliseconds: matches that nobody confirms, tickets of which nothing is heard.",
    ),
    key(
        "matchmaking",
        "max_queue",
        between(1, 1_000_000),
        "Tickets that may wait for the transaction that makes them; more are refused as overload.",
    ),
    key(
        "matchmaking",
        "max_waiting",
        between(2, 10_000_000),
        "Tickets that may wait in one queue; more are refused as overload.",
    ),
    key(
        "matchmaking",
        "max_polls",
        between(1, 100_000),
        "Looks at tickets over HTTP at once, most of which wait for news; more are answered 503. Each is an open file.",
    ),
    key(
        "matchmaking",
        "retention_days",
        between(0, 3_650),
        "How long tickets and matches are kept after their end, in days; 0 keeps them.",
    ),
    key(
        "realtime",
        "public_url",
        PUBLIC_URL,
        "Where players are told to connect, such as wss://arena.example/socket; empty means the server's own address.",
    ),
    key(
        "realtime",
        "anonymous",
        Rule::OneOf(&["never", "loopback", "always"]),
        "Who may connect without a token: nobody, programs on this machine, or everybody. A request that a proxy passed on, or that a page of another site made, is not from this machine.",
    ),
    key(
        "realtime",
        "private_topics",
        TOPICS,
        "Topics that are private whoever asks, and open only to tokens that grant them.",
    ),
    key(
        "realtime",
        "max_connections",
        between(1, 1_000_000),
        "Connections at most. Each is an open file: the limit of the system must be higher.",
    ),
    key("realtime", "max_connections_per_user", OR_NONE, "Connections of one user at most; 0 is no limit."),
    key(
        "realtime",
        "max_connections_per_address",
        OR_NONE,
        "Connections from one IP address (IPv6: one /64 network) at most; 0 is no limit, as it must be behind a proxy.",
    ),
    key("realtime", "max_topics_per_session", between(1, 10_000), "Topics that one connection may join."),
    key(
        "realtime",
        "max_pending_joins",
        between(1, 10_000),
        "Joins of one connection that may be under way.",
    ),
    key(
        "realtime",
        "session_joins_per_sec",
        OR_NONE,
        "Joins of one connection, per second; 0 is no limit. All its topics may be joined at once.",
    ),
    key("realtime", "node_joins_per_sec", OR_NONE, "Joins of all connections, per second; 0 is no limit."),
    key(
        "realtime",
        "session_messages_per_sec",
        OR_NONE,
        "Messages from one connection, per second; 0 is no limit.",
    ),
    key(
        "realtime",
        "user_messages_per_sec",
        OR_NONE,
        "Messages from one user, by all connections and HTTP, per second; 0 is no limit.",
    ),
    key("realtime", "topic_messages_per_sec", OR_NONE, "Messages into one topic, per second; 0 is no limit."),
    key("realtime", "node_messages_per_sec", OR_NONE, "Messages into all topics, per second; 0 is no limit."),
    key(
        "realtime",
        "session_presence_per_sec",
        OR_NONE,
        "Presence calls of one connection, per second; 0 is no limit.",
    ),
    key(
        "realtime",
        "topic_presence_per_sec",
        OR_NONE,
        "Presence calls in one topic, per second; 0 is no limit.",
    ),
    key(
        "realtime",
        "node_presence_per_sec",
        OR_NONE,
        "Presence calls of all connections, per second; 0 is no limit.",
    ),
    key(
        "realtime",
        "session_frames_per_sec",
        OR_NONE,
        "Frames from one connection, whatever is in them, per second; more close it, and 0 is no limit.",
    ),
    key(
        "realtime",
        "burst_secs",
        between(1, 60),
        "After a rest, so many seconds' worth of a rate may come at once.",
    ),
    key(
        "realtime",
        "max_tracked_keys",
        between(1_000, 10_000_000),
        "Users and topics whose rates are counted one by one; more share what is left.",
    ),
    key(
        "realtime",
        "payload_limit_bytes",
        between(1_024, 4_194_304),
        "Largest payload of a message, in bytes.",
    ),
    key(
        "realtime",
        "presence_limit_bytes",
        between(128, 1_048_576),
        "Largest payload of a presence, in bytes.",
    ),
    key(
        "realtime",
        "frame_limit_bytes",
        between(65_536, 16_777_216),
        "Largest frame, or message of several frames, in bytes; larger ones close the connection.",
    ),
    key(
        "realtime",
        "outbox_bytes",
        between(65_536, 67_108_864),
        "What may wait to be written to one connection, in bytes. Above it worlds skip to the newest state, and other topics close the connection as too slow.",
    ),
    key("realtime", "max_batch_messages", between(1, 10_000), "Messages in one HTTP request at most."),
    key(
        "realtime",
        "idle_timeout_secs",
        between(5, 3_600),
        "A connection that is silent for so long is closed, in seconds. Clients beat every 15 to 30 s.",
    ),
    key(
        "realtime",
        "world_history_messages",
        between(1, 100_000),
        "Messages kept of a world's topic, for those who come back.",
    ),
    key(
        "realtime",
        "world_history_bytes",
        between(1_024, 1_073_741_824),
        "Bytes kept of a world's topic at most.",
    ),
    key("realtime", "history_messages", between(1, 100_000), "Messages kept of any other topic."),
    key("realtime", "history_bytes", between(1_024, 1_073_741_824), "Bytes kept of any other topic at most."),
    key(
        "realtime",
        "history_total_bytes",
        between(1_048_576, 1_099_511_627_776),
        "Bytes kept of all topics but worlds together. Above it the histories go first that were idle for longest.",
    ),
    key(
        "realtime",
        "history_linger_secs",
        SECS,
        "How long a topic's history outlives its last member and its last message, in seconds.",
    ),
    key("realtime", "last_value_topics", TOPICS, "Topics whose last message is kept longer than others'."),
    key(
        "realtime",
        "last_value_linger_secs",
        between(1, 2_592_000),
        "How long those outlive their last member, in seconds.",
    ),
    key(
        "realtime",
        "max_pending_messages",
        between(16, 1_000_000),
        "Messages of one topic that may wait to be delivered; more are refused.",
    ),
    key(
        "realtime",
        "max_topics",
        between(100, 10_000_000),
        "Topics besides worlds that exist at once. For one more, the one that was idle for longest goes.",
    ),
    key(
        "realtime",
        "presence_occupancy_above",
        between(1, 100_000),
        "Members above which a topic tells how many are present instead of who.",
    ),
    key("realtime", "token_warning_secs", SECS, "How long before its end a token is warned of, in seconds."),
    key(
        "realtime",
        "token_grace_secs",
        between(0, 3_600),
        "How long a connection may go on after its token's end, in seconds.",
    ),
    key(
        "realtime",
        "join_token_ttl_secs",
        between(30, 86_400),
        "How long the token that a player gets for a seat is good for, in seconds.",
    ),
    key(
        "realtime",
        "max_seats_per_user",
        between(0, 10_000),
        "Seats that one user may have at once; 0 is no limit. Who comes without a token is another user each time.",
    ),
    key(
        "realtime",
        "reserve_secs",
        between(5, 3_600),
        "How long a seat is held for a player who has not come yet, in seconds.",
    ),
    key(
        "realtime",
        "seat_grace_secs",
        between(0, 3_600),
        "How long a seat is held for a player whose connection broke, in seconds.",
    ),
    key(
        "realtime",
        "drain_spread_secs",
        between(0, 300),
        "At shutdown: over how long the closing of connections is spread, in seconds, so that they do not all come back at once.",
    ),
    key(
        "realtime",
        "drain_deadline_secs",
        between(1, 600),
        "At shutdown: after how long what is still open is cut off, in seconds.",
    ),
    key("fleet", "enabled", Rule::Bool, "Whether `arena serve` runs a bot service too."),
    key(
        "fleet",
        "listen",
        ADDRESS,
        "Address and port where `arena fleet run` answers. Port 0 takes a free one.",
    ),
    key(
        "fleet",
        "endpoint",
        ENDPOINT,
        "Where bots connect: a realtime endpoint, or the URL of a Supabase project. Empty means this server.",
    ),
    key(
        "fleet",
        "apikey",
        API_KEY,
        "What bots show when they connect, such as a project's service role key. Empty means a token that is signed with the secret.",
    ),
    key(
        "fleet",
        "jwt_secret",
        JWT_SECRET,
        "What the endpoint checks tokens with: with it every bot gets a token in its own name. Empty means this server's secret where bots connect to this server; elsewhere bots go by the key.",
    ),
    key("fleet", "lobby", TOPIC, "The topic where humans are counted and bots show themselves."),
    key(
        "fleet",
        "queues",
        QUEUES,
        "Queues of the matchmaker in which idle bots wait for humans, each in one of them. Empty means none. `arena \
         fleet run` takes none unless they are set.",
    ),
    key("fleet", "min", BOTS, "Bots when nobody is there, and at least."),
    key("fleet", "max", BOTS, "Bots at most."),
    key("fleet", "target_percent", between(0, 10_000), "Bots for each hundred humans in the lobby."),
    key(
        "fleet",
        "maintenance_ms",
        between(100, 3_600_000),
        "How often humans are counted and bots started or retired, in milliseconds.",
    ),
    key(
        "fleet",
        "start",
        Rule::OneOf(&["staggered", "adaptive"]),
        "How bots are started: always at the pace of stagger_min_ms to stagger_max_ms, or faster as long as the endpoint answers quickly, and slow again from the first refusal on.",
    ),
    key("fleet", "stagger_min_ms", between(0, 600_000), "Shortest time between two starts, in milliseconds."),
    key("fleet", "stagger_max_ms", between(0, 600_000), "Longest time between two starts, in milliseconds."),
    key(
        "fleet",
        "drain_deadline_secs",
        between(0, 86_400),
        "How long a bot that talks may go on after it was told to leave, in seconds.",
    ),
    key("fleet", "shutdown_deadline_secs", between(1, 600), "How long the end may take, in seconds."),
    key("fleet", "roster", FILE, "Who the bots are: a JSON file. Empty means the roster that is built in."),
    key(
        "fleet",
        "personas",
        EXISTING_DIRECTORY,
        "Personas besides those that are built in: a directory of files. Empty means none.",
    ),
    key(
        "fleet",
        "max_connections",
        between(1, 100_000),
        "Connections at most, each an open file. Bots that are in the same lobby need one each.",
    ),
    key("fleet", "channels_per_connection", between(1, 100), "Channels that share one connection at most."),
    key("fleet", "connects_per_sec", between(1, 10_000), "Connects of all bots per second at most."),
    key("fleet", "joins_per_sec", between(1, 10_000), "Joins of all bots per second at most."),
    key(
        "fleet",
        "connect_timeout_ms",
        between(100, 120_000),
        "How long a connection and its handshake may take, in milliseconds.",
    ),
    key("fleet", "reply_timeout_ms", between(100, 120_000), "How long an answer may take, in milliseconds."),
    key(
        "fleet",
        "heartbeat_secs",
        between(1, 600),
        "How often a heartbeat is sent, in seconds. One that is not answered when the next is due ends the connection.",
    ),
    key("fleet", "retry_base_ms", between(10, 600_000), "Delay before the second attempt, in milliseconds."),
    key("fleet", "retry_cap_ms", between(10, 3_600_000), "The longest delay, in milliseconds."),
    key("fleet", "retry_attempts", between(1, 1_000), "Attempts in all; then another bot takes the place."),
    key(
        "fleet",
        "breaker_failures",
        between(1, 10_000),
        "Failed connects in a row after which one bot tries for all until the endpoint is back.",
    ),
    key(
        "fleet",
        "alert_webhook",
        WEB_URL,
        "Where an alert is posted when too many bots fail. Empty means nowhere.",
    ),
    key(
        "fleet",
        "alert_failed_percent",
        PERCENT,
        "Share of the wanted bots that do not work at which it is, in percent.",
    ),
    key("fleet", "alert_after_secs", between(0, 86_400), "How long that has to last, in seconds."),
    key("fleet", "alert_every_secs", SECS, "The least time between two alerts, in seconds."),
    key(
        "fleet",
        "llm_base_url",
        WEB_URL,
        "The chat endpoint of bots with a language model (OpenAI's API), such as https://api.openai.com/v1. Empty means that they are scripted.",
    ),
    key("fleet", "llm_model", ANY_TEXT, "The model."),
    key("fleet", "llm_api_key", API_KEY, "Its key. Empty means that none is sent."),
    key("fleet", "llm_timeout_secs", between(1, 50), "How long a reply may take in all, in seconds."),
    key("fleet", "llm_stall_timeout_secs", between(1, 50), "How long a reply may stall, in seconds."),
    key("fleet", "llm_max_reply_tokens", between(1, 100_000), "Tokens of a reply at most."),
    key("fleet", "llm_max_requests", between(1, 1_000), "Requests of all bots at once; further ones wait."),
    key(
        "fleet",
        "llm_prompt_price_micros",
        AMOUNT,
        "Price of a million tokens of prompts, in millionths of a currency's unit.",
    ),
    key("fleet", "llm_reply_price_micros", AMOUNT, "Price of a million tokens of replies, in the same."),
    key("fleet", "llm_bot_tokens", AMOUNT, "Tokens that one bot may spend; 0 is no limit."),
    key(
        "fleet",
        "llm_bot_cost_micros",
        AMOUNT,
        "Money that one bot may spend, in millionths; 0 is no limit.",
    ),
    key("fleet", "llm_fleet_tokens", AMOUNT, "Tokens that all bots may spend together; 0 is no limit."),
    key(
        "fleet",
        "llm_fleet_cost_micros",
        AMOUNT,
        "Money that all bots may spend together, in millionths; 0 is no limit.",
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
