//! What went wrong between a bot and its endpoint, and what follows from it.

use std::fmt;
use std::time::Duration;

/// Kinds of failures. Each leads to one next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultClass {
    /// The key or the token is not accepted.
    Authentication,
    /// The token is accepted, and does not open this topic or allow this act.
    Permission,
    /// The endpoint does not know the project, or the topic's thing (a channel, a conversation) is gone.
    TenantMissing,
    /// The endpoint asks for fewer connections, joins or messages.
    RateLimit,
    /// No connection, or one that broke; also an endpoint that says that it restarts or is overloaded.
    Network,
    /// No answer in time.
    Timeout,
    /// The endpoint says what the protocol does not allow, or what nobody understands.
    Protocol,
}

/// What to do after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStep {
    /// Trying again changes nothing: stop and report.
    Stop,
    /// Try again, and let everybody else be slower too.
    SlowDown,
    /// Try again after a back-off.
    Retry,
    /// Report, keep away from it, and let another bot take the place.
    Quarantine,
}

impl FaultClass {
    /// All classes.
    pub const ALL: [FaultClass; 7] = [
        FaultClass::Authentication,
        FaultClass::Permission,
        FaultClass::TenantMissing,
        FaultClass::RateLimit,
        FaultClass::Network,
        FaultClass::Timeout,
        FaultClass::Protocol,
    ];

    /// What follows from a failure of this class.
    pub fn next_step(self) -> NextStep {
        match self {
            FaultClass::Authentication | FaultClass::Permission | FaultClass::TenantMissing => NextStep::Stop,
            FaultClass::RateLimit => NextStep::SlowDown,
            FaultClass::Network | FaultClass::Timeout => NextStep::Retry,
            FaultClass::Protocol => NextStep::Quarantine,
        }
    }

    /// The name in reports and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            FaultClass::Authentication => "authentication",
            FaultClass::Permission => "permission",
            FaultClass::TenantMissing => "tenant_missing",
            FaultClass::RateLimit => "rate_limit",
            FaultClass::Network => "network",
            FaultClass::Timeout => "timeout",
            FaultClass::Protocol => "protocol",
        }
    }
}

impl fmt::Display for FaultClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A failure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail} ({class}, {code})")]
pub struct Fault {
    /// Its kind.
    pub class: FaultClass,
    /// What equal failures have in common, without ids and numbers: `ConnectionRateLimitReached`, `connect_timeout`.
    pub code: String,
    /// In words, as the endpoint said it where it said anything.
    pub detail: String,
    /// What the endpoint asked to wait.
    pub retry_after: Option<Duration>,
}

impl Fault {
    /// A failure of this class, without a time that the endpoint asked for.
    pub fn new(class: FaultClass, code: impl Into<String>, detail: impl Into<String>) -> Fault {
        Fault { class, code: code.into(), detail: detail.into(), retry_after: None }
    }

    /// The same, with what the endpoint asked to wait.
    pub fn retry_after(mut self, delay: Option<Duration>) -> Fault {
        self.retry_after = delay;
        self
    }
}
