//! Puts resources and layers together.

use crate::conversations::LogReads;
use crate::conversations::wire::Speaker;
use crate::joining::Joining;
use crate::layers::load::{self, Load};
use crate::layers::mutation::{self, Mutations};
use crate::layers::{panic, query, request_id};
use crate::problem::Problem;
use crate::{activity, bots, channels, conversations, health, matchmaking, players, worlds};
use arena_control::Services;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::{from_fn, from_fn_with_state};
use std::time::Duration;

/// What the API bears. Whatever is beyond a limit is refused at once, never queued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiLimits {
    /// Requests in progress at once; more answer 503 `overloaded`. `/healthz` is exempt.
    pub max_in_flight: usize,
    /// The largest body in bytes; larger ones answer 413 `body_too_large`.
    pub body_limit_bytes: usize,
    /// The largest roster that can be imported, in bytes.
    pub import_limit_bytes: usize,
    /// Imports in progress at once: a bound on memory, since a roster is read whole before it is checked.
    pub max_imports: usize,
    /// How long a client waits for an answer before it gets 503 `timeout`.
    pub request_timeout: Duration,
    /// The same for an import, upload included.
    pub import_timeout: Duration,
    /// The longest text of a message in a conversation, and the longest data beside it, in bytes.
    pub max_text_bytes: usize,
    /// Logs of conversations that are followed at once; more answer 503 `overloaded`.
    pub max_streams: usize,
    /// Looks at tickets at once, most of which wait for news; more answer 503 `overloaded`. They are counted apart: who
    /// waits takes no place from others.
    pub max_polls: usize,
    /// After so long without a line, a comment shows that such a stream is alive. Proxies cut what is silent for a
    /// minute.
    pub stream_keep_alive: Duration,
    /// Logs of conversations that are read at once, over all doors that this is handed to; who finds no place within a
    /// second gets 503 `overloaded`.
    pub log_reads: LogReads,
}

impl Default for ApiLimits {
    fn default() -> Self {
        ApiLimits {
            max_in_flight: 512,
            body_limit_bytes: 1024 * 1024,
            import_limit_bytes: 32 * 1024 * 1024,
            max_imports: 4,
            request_timeout: Duration::from_secs(30),
            import_timeout: Duration::from_secs(300),
            max_text_bytes: Speaker::MAX_TEXT_BYTES,
            max_streams: 1_000,
            max_polls: 10_000,
            stream_keep_alive: Duration::from_secs(15),
            log_reads: LogReads::default(),
        }
    }
}

/// The whole REST API over `services`; players join by way of `joining`.
pub fn router(services: Services, limits: ApiLimits, joining: Joining) -> Router {
    let mutations =
        |body_limit_bytes| Mutations { idempotency: services.idempotency.clone(), body_limit_bytes };
    let door = conversations::Door::new(&joining, &limits);
    let polls = matchmaking::Polls::new(limits.max_polls, limits.request_timeout);
    let resources = Router::new()
        .merge(channels::routes())
        .merge(bots::routes())
        .merge(conversations::routes(door.clone()))
        .merge(matchmaking::routes(door.clone()))
        .merge(players::routes(joining))
        .merge(worlds::routes())
        .merge(activity::routes())
        .merge(health::routes());
    let resources = guard(
        resources,
        mutations(limits.body_limit_bytes),
        Load::new(limits.max_in_flight, limits.request_timeout),
    );
    let imports = guard(
        bots::import_routes(),
        mutations(limits.import_limit_bytes),
        Load::new(limits.max_imports, limits.import_timeout),
    );
    let polls = guard(
        matchmaking::poll_routes(door, polls),
        mutations(limits.body_limit_bytes),
        Load::new(limits.max_polls, limits.request_timeout),
    );
    finish(resources.merge(imports).merge(polls).merge(health::liveness())).with_state(services)
}

/// Lays around `routes` what protects them; see [`crate::layers`].
fn guard<S>(routes: Router<S>, mutations: Mutations, load: Load) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    routes
        .layer(from_fn(panic::catch))
        .layer(from_fn_with_state(mutations, mutation::run_to_the_end))
        .layer(from_fn(query::only_where_taken))
        .layer(from_fn_with_state(load, load::admit))
}

/// Adds what answers for everything that is no route, and what every answer passes through.
fn finish<S>(routes: Router<S>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    routes
        .fallback(no_such_route)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn(request_id::identify))
}

async fn no_such_route(method: Method, uri: Uri) -> Problem {
    let detail = format!("there is no {method} {}; docs/rest.md lists what there is", uri.path());
    Problem::new(StatusCode::NOT_FOUND, "no_such_route", detail)
}

async fn method_not_allowed(method: Method, uri: Uri) -> Problem {
    let detail = format!("{} does not take {method}; the Allow header names what it takes", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
}

#[cfg(test)]
pub(crate) mod tests;
