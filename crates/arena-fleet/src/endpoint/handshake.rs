//! From a byte stream to a WebSocket.

use super::dial::{Dial, Stream};
use super::url::Endpoint;
use crate::classify;
use arena_core::fleet::{Fault, FaultClass};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue, Request, Response};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Error};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

/// A connection.
pub(crate) type Socket = WebSocketStream<Box<dyn Stream>>;

/// Headers that carry the key: the realtime service reads the first, the gateway before hosted projects the second.
const KEY_HEADERS: [HeaderName; 2] =
    [HeaderName::from_static("x-api-key"), HeaderName::from_static("apikey")];
/// The largest message of the protocol (`max_frame_size` of Supabase Realtime).
const MAX_MESSAGE: usize = 5_000_000;
/// A thousand connections of the default size would take 256 MiB.
const READ_BUFFER: usize = 2_048;
/// What may wait to be written: a message of ours, and the answers to pings.
const MAX_WRITE_BUFFER: usize = 1 << 20;

/// A connection after its handshake. The caller bounds the time.
pub(crate) async fn connect(endpoint: &Endpoint, dial: &dyn Dial) -> Result<Socket, Fault> {
    let stream = dial.dial(endpoint).await.map_err(|error| classify::io_error(&error))?;
    let request = request(endpoint)?;
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(MAX_WRITE_BUFFER)
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE));
    match client_async_with_config(request, stream, Some(config)).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(response)) => Err(refusal(&response)),
        Err(error) => Err(broken(&error)),
    }
}

fn request(endpoint: &Endpoint) -> Result<Request<()>, Fault> {
    let unusable = |error: String| Fault::new(FaultClass::Protocol, "endpoint_unusable", error);
    let mut request =
        endpoint.handshake_url().into_client_request().map_err(|error| unusable(error.to_string()))?;
    if let Some(key) = endpoint.key() {
        let mut value = HeaderValue::from_str(&key).map_err(|error| unusable(error.to_string()))?;
        value.set_sensitive(true);
        for name in KEY_HEADERS {
            request.headers_mut().insert(name, value.clone());
        }
    }
    Ok(request)
}

fn refusal(response: &Response<Option<Vec<u8>>>) -> Fault {
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    let body = response.body().as_deref().unwrap_or_default();
    classify::handshake(response.status().as_u16(), header("retry-after"), body)
}

/// The stream broke, or what came over it was no handshake.
fn broken(error: &tungstenite::Error) -> Fault {
    match error {
        Error::Io(error) => classify::io_error(error),
        Error::ConnectionClosed | Error::AlreadyClosed => {
            Fault::new(FaultClass::Network, "connection_lost", error.to_string())
        }
        Error::Protocol(tungstenite::error::ProtocolError::HandshakeIncomplete) => {
            Fault::new(FaultClass::Network, "connection_lost", error.to_string())
        }
        error => Fault::new(FaultClass::Protocol, "handshake_invalid", error.to_string()),
    }
}
