//! What the gateway is told at its start.

use crate::limits::RealtimeLimits;
use crate::policy::{AnonymousAccess, PolicySettings};
use crate::room::PresenceSettings;
use std::time::Duration;

/// How the gateway behaves.
#[derive(Debug, Clone)]
pub struct GatewaySettings {
    /// What a session, a user, a topic and the node may do.
    pub limits: RealtimeLimits,
    /// Who may connect without a token.
    pub anonymous: AnonymousAccess,
    /// Who may do what on which topic.
    pub policy: PolicySettings,
    /// How presence is told.
    pub presence: PresenceSettings,
    /// How long before its token expires a client is warned.
    pub token_warning: Duration,
    /// How long a topic is kept open after its token has expired.
    pub token_grace: Duration,
}
