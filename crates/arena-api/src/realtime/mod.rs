//! The doors of the realtime gateway: the socket, broadcasts by HTTP, and what is behind the topics.

mod backstage;
mod broadcast;
mod caller;
mod cors;
mod join_tokens;
mod socket;
mod stats;

pub use backstage::Stage;
pub use join_tokens::JoinTokens;

use arena_realtime::Gateway;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn;
use axum::routing::{get, post};

/// Everything comes under the paths of a server of one's own and under those of the hosted service: clients derive
/// one from the other, and some know only the second.
const PREFIXES: [(&str, &str); 2] =
    [("/socket", "/api/broadcast"), ("/realtime/v1", "/realtime/v1/api/broadcast")];

/// The routes of the gateway, to be merged with those of REST. A body of more than `body_limit_bytes` is refused.
pub fn realtime_router(gateway: Gateway, body_limit_bytes: usize) -> Router {
    let mut routes = Router::new().route("/api/realtime", get(stats::stats));
    for (socket, broadcast) in PREFIXES {
        let http = Router::new()
            .route(broadcast, post(broadcast::batch))
            .route(&format!("{broadcast}/{{topic}}/events/{{event}}"), post(broadcast::single))
            .layer(from_fn(cors::allow_all));
        routes = routes.route(&format!("{socket}/websocket"), get(socket::upgrade)).merge(http);
    }
    routes
        .layer(from_fn(crate::layers::panic::catch))
        .layer(DefaultBodyLimit::max(body_limit_bytes))
        .with_state(gateway)
}
