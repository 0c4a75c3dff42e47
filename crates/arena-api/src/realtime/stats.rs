//! What the gateway does, in numbers.

use arena_realtime::{Gateway, GatewayStats};
use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

/// `GET /api/realtime`.
pub(super) async fn stats(State(gateway): State<Gateway>) -> Json<Value> {
    let GatewayStats {
        sessions,
        rooms,
        streams,
        accepted,
        refused_handshakes,
        joins,
        refused_joins,
        messages,
        refused_messages,
        malformed,
        broken_frames,
        idle_closed,
        slow_closed,
        caught_up,
        recovered,
        not_recovered,
        unattended,
    } = gateway.stats();
    Json(json!({
        "sessions": sessions,
        "rooms": rooms,
        "streams": streams,
        "totals": {
            "accepted": accepted,
            "refused_handshakes": refused_handshakes,
            "joins": joins,
            "refused_joins": refused_joins,
            "messages": messages,
            "refused_messages": refused_messages,
            "malformed": malformed,
            "broken_frames": broken_frames,
            "idle_closed": idle_closed,
            "slow_closed": slow_closed,
            "caught_up": caught_up,
            "recovered": recovered,
            "not_recovered": not_recovered,
            "unattended": unattended,
        },
    }))
}
