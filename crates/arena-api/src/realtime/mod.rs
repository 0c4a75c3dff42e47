//! The doors of the realtime gateway: the socket, broadcasts by HTTP, and what is behind the topics.

mod backstage;
mod broadcast;
mod caller;
mod cors;
mod join_tokens;
mod meeting;
mod socket;
mod stats;
mod talk;
#[cfg(test)]
mod tests;

pub use backstage::Stage;
pub use join_tokens::JoinTokens;

use crate::layers::load::{self, Load};
use crate::layers::request_id;
use crate::router::ApiLimits;
use arena_realtime::Gateway;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};

/// Everything comes under the paths of a server of one's own and under those of the hosted service: clients derive
/// one from the other, and some know only the second.
const PREFIXES: [(&str, &str); 2] =
    [("/socket", "/api/broadcast"), ("/realtime/v1", "/realtime/v1/api/broadcast")];

/// The routes of the gateway, to be merged with those of REST. Broadcasts by HTTP bear as much as REST does, with slots
/// of their own; sockets have the gateway's limits.
pub fn realtime_router(gateway: Gateway, limits: &ApiLimits) -> Router {
    let load = Load::new(limits.max_in_flight, limits.request_timeout);
    let mut routes = Router::new().route("/api/realtime", get(stats::stats));
    for (socket, broadcast) in PREFIXES {
        let http = Router::new()
            .route(broadcast, post(broadcast::batch))
            .route(&format!("{broadcast}/{{topic}}/events/{{event}}"), post(broadcast::single))
            .layer(from_fn_with_state(load.clone(), load::admit))
            // Writes the refusals of the layer above.
            .layer(from_fn(request_id::identify))
            // Around the others, so that pages may read refusals too.
            .layer(from_fn(cors::allow_all));
        routes = routes.route(&format!("{socket}/websocket"), get(socket::upgrade)).merge(http);
    }
    routes
        .layer(from_fn(crate::layers::panic::catch))
        .layer(DefaultBodyLimit::max(limits.body_limit_bytes))
        .with_state(gateway)
}
