//! A client of the protocol itself, version 2.0.0, in the test's own process: it sends what the libraries never would.

use super::support::PATIENCE;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::net::TcpStream;
use tungstenite::client::{ClientRequestBuilder, client};
use tungstenite::{Message, WebSocket};

/// One connection that is in one topic.
pub struct Plain {
    socket: WebSocket<TcpStream>,
    topic: String,
    /// Frames that were read while another one was waited for.
    kept: VecDeque<Value>,
    last_ref: u64,
}

impl Plain {
    /// Connects to the server at this address, such as `127.0.0.1:4000`.
    pub fn connect(address: &str, token: Option<&str>) -> Plain {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let uri = format!("ws://{address}/socket/websocket?vsn=2.0.0").parse().unwrap();
        let mut request = ClientRequestBuilder::new(uri);
        if let Some(token) = token {
            request = request.with_header("x-api-key", token);
        }
        let (socket, _) = client(request, stream).unwrap();
        Plain { socket, topic: String::new(), kept: VecDeque::new(), last_ref: 0 }
    }

    /// Asks to join a topic, which everything is about from now on; returns the reply.
    pub fn try_join(&mut self, topic: &str, broadcast: &Value) -> Value {
        topic.clone_into(&mut self.topic);
        let config = json!({ "broadcast": broadcast, "presence": { "enabled": false } });
        let reply = self.push("phx_join", &json!({ "config": config }));
        // Whatever came before the reply is of an earlier stay.
        self.kept.clear();
        reply
    }

    /// Joins, and must be let in; returns the response.
    pub fn join(&mut self, topic: &str, broadcast: &Value) -> Value {
        let mut reply = self.try_join(topic, broadcast);
        assert_eq!(reply["status"], "ok", "{topic}: {reply}");
        reply["response"].take()
    }

    /// Sends a broadcast; returns the reply.
    pub fn ask(&mut self, event: &str, payload: &Value) -> Value {
        self.push("broadcast", &json!({ "type": "broadcast", "event": event, "payload": payload }))
    }

    /// Sends any event; returns the reply: `status` and `response`.
    pub fn push(&mut self, event: &str, payload: &Value) -> Value {
        self.last_ref += 1;
        let reference = self.last_ref.to_string();
        let topic = format!("realtime:{}", self.topic);
        let frame = json!([self.topic, reference, topic, event, payload]);
        self.socket.send(Message::text(frame.to_string())).unwrap();
        self.until(|frame| frame[3] == "phx_reply" && frame[1] == reference.as_str())[4].take()
    }

    /// The next broadcast that fits, as it came: `event`, `payload`, `meta`.
    pub fn broadcast(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        self.until(|frame| frame[3] == "broadcast" && fits(&frame[4]))[4].take()
    }

    /// The next broadcast; `None` where the connection has ended.
    pub fn next_broadcast(&mut self) -> Option<Value> {
        loop {
            let frame = self.kept.pop_front().map_or_else(|| self.try_read(), Ok).ok()?;
            if frame[3] == "broadcast" {
                return frame.get(4).cloned();
            }
        }
    }

    /// All broadcasts up to the first that fits, with it.
    pub fn broadcasts_up_to(&mut self, fits: impl Fn(&Value) -> bool) -> Vec<Value> {
        let last = self.broadcast(fits);
        let before = self.kept.drain(..).filter(|frame| frame[3] == "broadcast");
        before.map(|mut frame| frame[4].take()).chain([last]).collect()
    }

    /// The first frame that fits; those before it are kept, in order.
    fn until(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        if let Some(place) = self.kept.iter().position(&fits) {
            return self.kept.remove(place).unwrap();
        }
        loop {
            let frame = self.read();
            if fits(&frame) {
                return frame;
            }
            self.kept.push_back(frame);
        }
    }

    fn read(&mut self) -> Value {
        self.try_read().unwrap_or_else(|why| panic!("{why}; before: {:?}", self.kept))
    }

    fn try_read(&mut self) -> Result<Value, String> {
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) => return Ok(serde_json::from_str(&text).unwrap()),
                Ok(Message::Close(close)) => return Err(format!("it was closed: {close:?}")),
                Ok(_) => {}
                Err(error) => return Err(error.to_string()),
            }
        }
    }
}
