//! The handshake of RFC 6455, after which the socket is the gateway's.

use super::caller::{Calling, Unusable, query_value};
use arena_realtime::{Gateway, Handshake, HandshakeRefusal};
use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, Request, State};
use axum::http::header::{
    CONNECTION, HeaderName, RETRY_AFTER, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use sha1::{Digest, Sha1};
use tokio::net::TcpStream;
use tokio_util::task::TaskTracker;

/// RFC 6455, section 1.3.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The subprotocol that Phoenix clients offer when they send their token along with it.
const SUBPROTOCOL: &str = "phoenix";

/// What stands before the token among the subprotocols.
const BEARER_PROTOCOL: &str = "base64url.bearer.phx.";

/// Answers a handshake and hands the socket over.
pub(super) async fn upgrade(
    State(gateway): State<Gateway>,
    Extension(tasks): Extension<TaskTracker>,
    request: Request,
) -> Response {
    let (mut parts, _) = request.into_parts();
    let Some((key, on_upgrade)) = websocket_key(&parts.headers).zip(parts.extensions.remove::<OnUpgrade>())
    else {
        return not_a_handshake();
    };
    let calling = Calling::of(&parts);
    let offered = protocols(&parts.headers);
    let token = match (&calling.token, token_among(&offered)) {
        (Ok(Some(token)), _) => Some(token.clone()),
        (_, Some(token)) => Some(token),
        (Ok(None), None) => None,
        (Err(unusable), None) => return not_identified(*unusable),
    };
    let vsn = query_value(&parts.uri, "vsn");
    let handshake = Handshake { vsn: vsn.as_deref(), token: token.as_deref(), caller: calling.caller() };
    let admitted = match gateway.admit_session(&handshake) {
        Ok(admitted) => admitted,
        Err(refusal) => return refused(&refusal),
    };
    tasks.spawn(async move {
        match on_upgrade.await.map(into_socket) {
            Ok(Some((socket, early))) => gateway.start_session(admitted, socket, early),
            Ok(None) => tracing::error!("an upgraded connection is no TCP socket; it is dropped"),
            Err(error) => tracing::debug!(%error, "a handshake was not finished"),
        }
    });
    accepted(&key, offered.iter().any(|offered| offered == SUBPROTOCOL))
}

/// The key of a handshake, if the request is one.
fn websocket_key(headers: &HeaderMap) -> Option<Vec<u8>> {
    let has = |name: HeaderName, word: &str| {
        let values = headers.get_all(name);
        let mut words =
            values.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
        words.any(|found| found.trim().eq_ignore_ascii_case(word))
    };
    let asks = has(CONNECTION, "upgrade") && has(UPGRADE, "websocket") && has(SEC_WEBSOCKET_VERSION, "13");
    let key = headers.get(SEC_WEBSOCKET_KEY)?.as_bytes();
    let fits = STANDARD.decode(key).is_ok_and(|nonce| nonce.len() == 16);
    (asks && fits).then(|| key.to_vec())
}

fn protocols(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(SEC_WEBSOCKET_PROTOCOL);
    let values = values.iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(|protocol| protocol.trim().to_owned()).collect()
}

fn token_among(protocols: &[String]) -> Option<String> {
    let encoded = protocols.iter().find_map(|protocol| protocol.strip_prefix(BEARER_PROTOCOL))?;
    String::from_utf8(URL_SAFE_NO_PAD.decode(encoded).ok()?).ok()
}

/// The TCP socket of an upgraded connection, and what was read of it beyond the handshake.
fn into_socket(upgraded: Upgraded) -> Option<(TcpStream, Vec<u8>)> {
    let parts = upgraded.downcast::<TokioIo<TcpStream>>().ok()?;
    Some((parts.io.into_inner(), parts.read_buf.to_vec()))
}

fn accepted(key: &[u8], subprotocol: bool) -> Response {
    let digest = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    let accept = HeaderValue::try_from(STANDARD.encode(digest));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept.expect("invariant: Base64 is visible ASCII"));
    if subprotocol {
        headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    }
    response
}

fn refused(refusal: &HandshakeRefusal) -> Response {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::FORBIDDEN);
    let mut response = (status, Json(serde_json::json!({ "error": refusal.error }))).into_response();
    if let Some(secs) = refusal.retry_after_secs {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(secs));
    }
    response
}

fn not_identified(unusable: Unusable) -> Response {
    let error = unusable.to_string();
    (StatusCode::UNAUTHORIZED, Json(serde_json::json!({ "error": error }))).into_response()
}

fn not_a_handshake() -> Response {
    let error = "this is a WebSocket endpoint: connect with a client of Phoenix or Supabase Realtime";
    let body = Json(serde_json::json!({ "error": error }));
    (StatusCode::UPGRADE_REQUIRED, [(UPGRADE, "websocket")], body).into_response()
}
