//! Connections of plain clients: Phoenix Channels 2.0.0 over tokio-tungstenite.

use crate::dialect::phoenix::socket_path;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

/// One connection.
pub struct Wire(WebSocketStream<TcpStream>);

/// What came.
pub struct Frame {
    /// Of which push it is the answer.
    pub reference: Option<String>,
    /// Its event.
    pub event: String,
    /// What it carries.
    pub payload: Value,
}

impl Wire {
    /// Connects and shakes hands.
    pub async fn connect(to: SocketAddr, apikey: &str) -> Result<Wire, Error> {
        let stream = TcpStream::connect(to).await?;
        stream.set_nodelay(true)?;
        let config = WebSocketConfig::default().read_buffer_size(2 * 1024).write_buffer_size(0);
        let url = format!("ws://{to}{}", socket_path(apikey));
        let (socket, _) = client_async_with_config(url, stream, Some(config)).await?;
        Ok(Wire(socket))
    }

    /// Sends a push; `reference` is what its answer is known by.
    pub async fn push(
        &mut self,
        reference: &str,
        topic: &str,
        event: &str,
        payload: Value,
    ) -> Result<(), Error> {
        let frame = json!(["1", reference, topic, event, payload]);
        self.0.send(Message::text(frame.to_string())).await
    }

    /// The next frame; `None` at the end.
    pub async fn next(&mut self) -> Option<Frame> {
        loop {
            let Message::Text(text) = self.0.next().await?.ok()? else { continue };
            let Ok(Value::Array(mut parts)) = serde_json::from_str(&text) else { continue };
            let [_, reference, _, event, payload] = parts.as_mut_slice() else { continue };
            return Some(Frame {
                reference: reference.as_str().map(str::to_owned),
                event: event.as_str().unwrap_or_default().to_owned(),
                payload: payload.take(),
            });
        }
    }
}
