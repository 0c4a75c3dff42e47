//! The doors to a fleet over HTTP: how it is, in three forms, and what an operator can tell it. docs/rest.md and
//! docs/fleet.md have the contract.
//!
//! There is no password on them, as there is none on the rest of REST: a server listens on loopback unless it is told
//! otherwise. Pages of other sites in a browser on the same machine are refused, also those that reach it by a name of
//! their own.

mod body;
mod commands;
mod metrics;
mod origin;
mod problem;
mod reading;
mod request_id;
#[cfg(test)]
mod tests;

pub use commands::Talking;
pub use reading::Report;

use crate::stats::{FleetStats, Health};
use async_trait::async_trait;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{any, get, post};
use origin::Names;
use problem::Problem;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Where a fleet is found on a server that does other things too.
pub const PREFIX: &str = "/api/fleet";

/// Bodies are an id or two.
const MAX_BODY_BYTES: usize = 16 * 1024;

/// Reports that are made at once; more are refused as overload. One of a thousand bots takes a megabyte.
const MAX_REPORTS: usize = 8;

/// What the doors ask of a fleet. Tests stand on the other side of it.
#[async_trait]
pub trait Helm: Send + Sync + 'static {
    /// How everything is; `each`: with each bot and each connection, which takes longer.
    fn stats(&self, each: bool) -> FleetStats;

    /// Whether the work is done.
    fn health(&self) -> Health;

    /// Nothing starts and nothing stops from now on.
    fn pause(&self);

    /// Goes on after a pause, a drain, or a refusal of the key.
    fn resume(&self);

    /// All bots leave, talkers when they have finished; then it is paused.
    fn drain(&self);

    /// Sets how many bots there should be; `None`: as many as the humans call for.
    fn scale(&self, bots: Option<usize>);

    /// Sends a bot into a conversation: this one, or whoever has been idle for longest.
    ///
    /// # Errors
    /// Why none goes.
    async fn talk(&self, conversation: &str, bot: Option<&str>) -> Result<Sent, NotSent>;
}

/// A bot that was sent into a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Its id.
    pub bot: String,
    /// Its name.
    pub name: String,
}

/// Why no bot was sent into a conversation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSent {
    /// The fleet has no bot of this id.
    #[error("no bot `{0}` is running; GET /api/fleet/stats lists those that are")]
    Unknown(String),
    /// The bot that was asked for cannot now.
    #[error("bot `{bot}` {why}")]
    Busy {
        /// Its id.
        bot: String,
        /// What it is at.
        why: String,
    },
    /// Nobody has time.
    #[error("no bot is idle now")]
    NobodyIdle,
    /// It was sent, and was not let in.
    #[error("{detail}")]
    Refused {
        /// The endpoint's code.
        code: String,
        /// The endpoint's words.
        detail: String,
    },
}

#[derive(Clone)]
struct Door {
    helm: Arc<dyn Helm>,
    reports: Arc<Semaphore>,
}

/// The routes under [`PREFIX`], to be merged with those of a server, which says itself by which names it is asked.
pub fn router(helm: Arc<dyn Helm>) -> Router {
    finish(routes(PREFIX).with_state(Door::new(helm)), Names::Any)
}

/// The routes at the root and under [`PREFIX`], and an answer to everything else: for a process that listens there and is
/// nothing but a bot service.
pub fn standalone(helm: Arc<dyn Helm>, listens: IpAddr) -> Router {
    let routes = routes("").merge(routes(PREFIX)).fallback(no_such_route);
    finish(routes.with_state(Door::new(helm)), Names::of(listens))
}

/// For a server without a fleet: says so, and what to do.
pub fn absent() -> Router {
    let routes = Router::new().route(PREFIX, any(not_running));
    finish(routes.route(&format!("{PREFIX}/{{*rest}}"), any(not_running)), Names::Any)
}

impl Door {
    fn new(helm: Arc<dyn Helm>) -> Door {
        Door { helm, reports: Arc::new(Semaphore::new(MAX_REPORTS)) }
    }
}

fn routes(prefix: &str) -> Router<Door> {
    Router::new()
        .route(&format!("{prefix}/stats"), get(reading::stats))
        .route(&format!("{prefix}/metrics"), get(reading::metrics))
        .route(&format!("{prefix}/healthz"), get(reading::healthz))
        .route(&format!("{prefix}/pause"), post(commands::pause))
        .route(&format!("{prefix}/resume"), post(commands::resume))
        .route(&format!("{prefix}/drain"), post(commands::drain))
        .route(&format!("{prefix}/scale"), post(commands::scale))
        .route(&format!("{prefix}/talks"), post(commands::talk))
}

fn finish(routes: Router, names: Names) -> Router {
    routes
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(from_fn_with_state(names, origin::same_only))
        .layer(from_fn(request_id::identify))
}

async fn not_running() -> Problem {
    let detail = "no bot service runs in this server: start it with `arena serve --fleet` or fleet.enabled, or run one \
                  of its own with `arena fleet run` (http://127.0.0.1:7710) and name that with --server";
    Problem::new(StatusCode::NOT_FOUND, "fleet_not_running", detail)
}

async fn no_such_route(method: Method, uri: Uri) -> Problem {
    let detail = format!("there is no {method} {}; docs/fleet.md lists what there is", uri.path());
    Problem::new(StatusCode::NOT_FOUND, "no_such_route", detail)
}

async fn method_not_allowed(method: Method, uri: Uri) -> Problem {
    let detail = format!("{} does not take {method}; see the Allow header", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
}
