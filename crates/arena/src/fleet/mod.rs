//! A fleet made of settings: where its bots connect and what they show there, and a process that runs it.

mod access;
mod keys;
mod news;
pub(crate) mod run;
pub(crate) mod watch;

use crate::auth::AuthError;
use crate::config::Config;
use arena_fleet::Fleet;
use arena_fleet::endpoint::EndpointError;
use arena_realtime::token::WeakSecret;
use std::io;
use std::net::SocketAddr;

/// Why no fleet was started.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// The endpoint is none.
    #[error("fleet.endpoint: {0}")]
    Endpoint(EndpointError),
    /// Nothing opens connections to the endpoint.
    #[error(
        "nothing opens {0}: give its key as fleet.apikey (--apikey, ARENA_FLEET__APIKEY; or, with SUPABASE_URL, \
         SUPABASE_SERVICE_ROLE_KEY), or its secret as fleet.jwt_secret (--jwt-secret, ARENA_FLEET__JWT_SECRET; or, with \
         SUPABASE_URL, SUPABASE_JWT_SECRET)"
    )]
    NoKey(String),
    /// This server's address is not known.
    #[error("server.listen has port 0, so nobody knows where the server is: name it with --endpoint")]
    NoPort,
    /// The secret is none.
    #[error("fleet.jwt_secret: {0}")]
    Secret(WeakSecret),
    /// This server's secret cannot be used.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// No HTTP client.
    #[error("no HTTP client: {0}")]
    Client(Box<dyn std::error::Error + Send + Sync>),
    /// The roster or the personas cannot be used.
    #[error("{0}")]
    Fleet(#[from] arena_fleet::StartError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}; name another address with --listen")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The threads could not be started.
    #[error("cannot start: {0}")]
    Runtime(io::Error),
}

/// A fleet that runs.
pub(crate) struct Opened {
    /// The fleet.
    pub(crate) fleet: Fleet,
    /// Where its bots connect, without the key.
    pub(crate) endpoint: String,
}

/// Starts the fleet of these settings; `own` is where the server of the same settings listens. `project`: an endpoint
/// without a path is a Supabase project's URL.
pub(crate) fn open(config: &Config, own: SocketAddr, project: bool) -> Result<Opened, FleetError> {
    let access = access::of(config, own, project)?;
    let endpoint = access.endpoint.to_string();
    let fleet = Fleet::start(config.fleet.settings(), access)?;
    Ok(Opened { fleet, endpoint })
}
