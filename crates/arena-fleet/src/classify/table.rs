//! The table: codes, phrases, statuses and close codes of Supabase Realtime 2.129 and of our gateway.
//!
//! Sources: the operational codes that Supabase documents; `docs/realtime.md` and `docs/conversations.md` of this
//! project; RFC 6455, section 7.4, and the registry of close codes; RFC 9110, section 15.

use arena_core::fleet::FaultClass::{
    self, Authentication, Network, Permission, Protocol, RateLimit, TenantMissing, Timeout,
};
use std::io::ErrorKind;

/// A phrase, in lower case, and what it means.
pub(super) struct Means {
    pub(super) says: &'static str,
    pub(super) code: &'static str,
    pub(super) class: FaultClass,
}

/// A range of numbers, and what they mean.
pub(super) struct Range {
    pub(super) from: u16,
    pub(super) to: u16,
    pub(super) code: &'static str,
    pub(super) class: FaultClass,
}

/// What reasons begin with.
pub(super) const CODES: &[(&str, FaultClass)] = &[
    // Tokens.
    ("InvalidJWTToken", Authentication),
    ("MalformedJWT", Authentication),
    ("JwtSignatureError", Authentication),
    ("JwtSignerError", Authentication),
    ("MissingAPIKey", Authentication),
    ("ErrorAuthorizingWebsocket", Authentication),
    // What a good token does not open.
    ("Unauthorized", Permission),
    ("PrivateOnly", Permission),
    ("InvalidTopic", Permission),
    ("ChargedTopic", Permission),
    ("TopicNameRequired", Permission),
    ("InvalidJoinPayload", Permission),
    ("RlsPolicyError", Permission),
    ("RealtimeDisabledForConfiguration", Permission),
    ("service_only", Permission),
    ("not_your_name", Permission),
    ("forbidden", Permission),
    // A seat is a right to be in a world; without it there is nothing to come back to.
    ("seat_lost", Permission),
    ("SeatLost", Permission),
    ("SeatTaken", Permission),
    ("reservation_lapsed", Permission),
    // What is not there.
    ("TenantNotFound", TenantMissing),
    ("RealtimeDisabledForTenant", TenantMissing),
    ("TenantSuspended", TenantMissing),
    ("channel_not_found", TenantMissing),
    ("conversation_not_found", TenantMissing),
    // Too much; whatever ends with RateLimitReached besides these is, too.
    ("ChannelRateLimitReached", RateLimit),
    ("ConnectionRateLimitReached", RateLimit),
    ("ClientJoinRateLimitReached", RateLimit),
    ("MessagePerSecondRateLimitReached", RateLimit),
    ("PresenceRateLimitReached", RateLimit),
    ("ClientPresenceRateLimitReached", RateLimit),
    ("DatabaseConnectionRateLimitReached", RateLimit),
    ("FrameRateLimitReached", RateLimit),
    ("too_many_sayings", RateLimit),
    ("TooManyTopics", RateLimit),
    ("DatabaseLackOfConnections", RateLimit),
    ("IncreaseConnectionPool", RateLimit),
    ("IncreaseSubscriptionConnectionPool", RateLimit),
    // Not now.
    ("RealtimeRestarting", Network),
    ("RealtimeNodeDisconnected", Network),
    ("InitializingProjectConnection", Network),
    ("UnableToConnectToProject", Network),
    ("UnableToConnectToTenantDatabase", Network),
    ("UnableCheckoutConnection", Network),
    ("DatabaseConnectionDown", Network),
    ("DatabaseConnectionIssue", Network),
    ("MigrationsFailedToRun", Network),
    ("UnableToSetPolicies", Network),
    ("ErrorExecutingTransaction", Network),
    ("ErrorConnectingToWebsocket", Network),
    ("ErrorOnRpcCall", Network),
    ("RpcError", Network),
    ("UnableToReplayMessages", Network),
    ("UnknownErrorOnChannel", Network),
    ("UnableToTrackPresence", Network),
    ("SlowConsumer", Network),
    ("overloaded", Network),
    ("shutting_down", Network),
    ("internal", Network),
    ("store_unavailable", Network),
    ("world_unavailable", Network),
    ("unavailable", Network),
    ("TimeoutOnRpcCall", Timeout),
    ("timeout", Timeout),
    // What we should not have sent.
    ("UnknownEvent", Protocol),
    ("malformed_json", Protocol),
    ("invalid_body", Protocol),
    ("InvalidPresencePayload", Protocol),
    ("UnknownPresenceEvent", Protocol),
    ("PayloadSizeExceeded", Protocol),
    ("payload_size_exceeded", Protocol),
];

/// What is said without a code: bodies of refused handshakes, `system` messages, proxies. The first that fits counts.
pub(super) const PHRASES: &[Means] = &[
    Means { says: "api key is missing", code: "MissingAPIKey", class: Authentication },
    Means { says: "no api key found", code: "MissingAPIKey", class: Authentication },
    Means { says: "invalid api key", code: "InvalidAPIKey", class: Authentication },
    Means { says: "invalid authentication credentials", code: "InvalidAPIKey", class: Authentication },
    Means { says: "token has expired", code: "InvalidJWTToken", class: Authentication },
    Means { says: "token is not valid yet", code: "InvalidJWTToken", class: Authentication },
    Means { says: "token has ended", code: "InvalidJWTToken", class: Authentication },
    Means { says: "fields `role` and `exp` are required", code: "InvalidJWTToken", class: Authentication },
    Means { says: "claims of the jwt", code: "InvalidJWTToken", class: Authentication },
    Means { says: "not a valid jwt", code: "MalformedJWT", class: Authentication },
    Means { says: "failed to validate jwt signature", code: "JwtSignatureError", class: Authentication },
    Means { says: "do not have permissions", code: "Unauthorized", class: Permission },
    Means { says: "unmatched topic", code: "UnmatchedTopic", class: Permission },
    Means { says: "tenant not found", code: "TenantNotFound", class: TenantMissing },
    Means { says: "project not found", code: "TenantNotFound", class: TenantMissing },
    Means { says: "project paused", code: "TenantSuspended", class: TenantMissing },
    Means { says: "too many connected users", code: "ConnectionRateLimitReached", class: RateLimit },
    Means { says: "too many joins per second", code: "ClientJoinRateLimitReached", class: RateLimit },
    Means { says: "too many channels", code: "ChannelRateLimitReached", class: RateLimit },
    Means {
        says: "too many messages per second",
        code: "MessagePerSecondRateLimitReached",
        class: RateLimit,
    },
    Means { says: "too many presence messages", code: "PresenceRateLimitReached", class: RateLimit },
    Means { says: "client presence rate limit", code: "ClientPresenceRateLimitReached", class: RateLimit },
    Means { says: "too many frames per second", code: "FrameRateLimitReached", class: RateLimit },
    Means { says: "too many requests", code: "TooManyRequests", class: RateLimit },
    Means { says: "rate limit exceeded", code: "TooManyRequests", class: RateLimit },
    Means { says: "track message size exceeded", code: "PayloadSizeExceeded", class: Protocol },
    Means { says: "payload_size_exceeded", code: "PayloadSizeExceeded", class: Protocol },
    Means { says: "server is shutting down", code: "RealtimeRestarting", class: Network },
    Means { says: "service restart", code: "RealtimeRestarting", class: Network },
    Means { says: "realtime is restarting", code: "RealtimeRestarting", class: Network },
];

/// Statuses of refused handshakes whose body says nothing that is known.
pub(super) const HANDSHAKES: &[Range] = &[
    Range { from: 401, to: 401, code: "handshake_unauthorized", class: Authentication },
    Range { from: 402, to: 402, code: "handshake_payment_required", class: TenantMissing },
    Range { from: 403, to: 403, code: "handshake_forbidden", class: Authentication },
    Range { from: 404, to: 404, code: "handshake_not_found", class: TenantMissing },
    Range { from: 408, to: 408, code: "handshake_timeout", class: Timeout },
    Range { from: 410, to: 410, code: "handshake_gone", class: TenantMissing },
    Range { from: 425, to: 425, code: "handshake_too_early", class: Network },
    Range { from: 429, to: 429, code: "handshake_too_many", class: RateLimit },
    Range { from: 504, to: 504, code: "handshake_gateway_timeout", class: Timeout },
    Range { from: 500, to: 599, code: "handshake_server_error", class: Network },
    // Redirects, 400, 426 and whatever else: what answers is no realtime service, or none that we can talk to.
    Range { from: 100, to: 499, code: "handshake_status", class: Protocol },
];

/// Close codes; 1006 stands for a connection that broke without one.
pub(super) const CLOSES: &[Range] = &[
    Range { from: 1000, to: 1000, code: "closed_normally", class: Network },
    Range { from: 1001, to: 1001, code: "closed_going_away", class: Network },
    Range { from: 1002, to: 1002, code: "closed_protocol_error", class: Protocol },
    Range { from: 1003, to: 1003, code: "closed_unsupported_data", class: Protocol },
    Range { from: 1006, to: 1006, code: "connection_lost", class: Network },
    Range { from: 1007, to: 1007, code: "closed_invalid_data", class: Protocol },
    Range { from: 1008, to: 1008, code: "closed_policy", class: RateLimit },
    Range { from: 1009, to: 1009, code: "closed_too_big", class: Protocol },
    Range { from: 1011, to: 1011, code: "closed_server_error", class: Network },
    Range { from: 1012, to: 1012, code: "closed_service_restart", class: Network },
    Range { from: 1013, to: 1013, code: "closed_try_again_later", class: Network },
    Range { from: 1014, to: 1014, code: "closed_bad_gateway", class: Network },
];

/// Errors of the system that are worth telling apart.
pub(super) const IO_KINDS: &[(ErrorKind, &str, FaultClass)] = &[
    (ErrorKind::ConnectionRefused, "connection_refused", Network),
    (ErrorKind::ConnectionReset, "connection_lost", Network),
    (ErrorKind::ConnectionAborted, "connection_lost", Network),
    (ErrorKind::BrokenPipe, "connection_lost", Network),
    (ErrorKind::UnexpectedEof, "connection_lost", Network),
    (ErrorKind::NotConnected, "connection_lost", Network),
    (ErrorKind::HostUnreachable, "unreachable", Network),
    (ErrorKind::NetworkUnreachable, "unreachable", Network),
    (ErrorKind::NetworkDown, "unreachable", Network),
    (ErrorKind::AddrNotAvailable, "no_address_left", Network),
    (ErrorKind::TimedOut, "connect_timeout", Timeout),
];

/// Codes of our own that stand nowhere above: what the service itself found, and refusals of our REST interface.
pub(super) const OWN: &[&str] = &[
    "unknown_reason",
    "handshake_invalid",
    "handshake_status",
    "closed",
    "tls_failed",
    "io_error",
    "connect_timeout",
    "join_timeout",
    "heartbeat_timeout",
    "write_timeout",
    "frames_invalid",
    "not_understood",
    "message_too_large",
    "endpoint_unusable",
    "channel_unusable",
    "channel_error",
    "channel_closed",
    "channel_ended",
    "unauthorized",
    "channel_full",
    "channel_not_accepting",
    "not_in_channel",
    "no_seats",
    "too_many_seats",
    "world_not_found",
    "bot_not_found",
    "player_not_found",
    "region_required",
    "invalid_profile",
    "bot_behind",
    "bot_busy",
    "bot_panicked",
    "brain_panicked",
    "entry_timeout",
    "exhausted",
    "leaving",
    "seat_timeout",
    "seat_unanswered",
    "seat_unreadable",
];
