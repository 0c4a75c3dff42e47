//! A connection to one topic: a small client of the realtime protocol, version 2. Blocking, as all of the CLI is.

use super::Watch;
use serde_json::{Value, json};
use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};
use tungstenite::client::{ClientRequestBuilder, client};
use tungstenite::http::Uri;
use tungstenite::{HandshakeError, Message, WebSocket};

/// How often the server hears from us: half of what it waits for.
const HEARTBEAT: Duration = Duration::from_secs(25);

/// How long a connection, its handshake and its join may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a read waits before the heartbeat is thought of.
const READ: Duration = Duration::from_millis(500);

/// Why nothing can be watched, now or at all.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// There is no server, or the connection broke.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// There is no server.
    #[error("no server answers at {server}: {source}; start one with `arena serve`")]
    Unreachable {
        /// Where.
        server: String,
        /// What the system says.
        source: io::Error,
    },
    /// The server does not let us in.
    #[error(
        "the server refused the connection: {0}; make a token with `arena token create` and give it with --token"
    )]
    Handshake(String),
    /// The topic does not let us in.
    #[error("{topic} cannot be watched: {reason}")]
    Join {
        /// Which.
        topic: String,
        /// Why.
        reason: String,
    },
    /// The topic was closed for us.
    #[error("{0} was closed by the server")]
    Closed(String),
}

impl WatchError {
    /// Whether trying again is of no use.
    pub fn is_final(&self) -> bool {
        matches!(self, WatchError::Handshake(_) | WatchError::Join { .. } | WatchError::Closed(_))
    }

    /// Whether no server answered at all.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, WatchError::Unreachable { .. })
    }
}

/// Something that happened in the topic.
#[derive(Debug, Clone)]
pub enum News {
    /// It was joined; what the server answered.
    Joined {
        /// The position, perhaps a snapshot, whether everything missed was recovered.
        response: Value,
    },
    /// Somebody, or the server, said something.
    Message {
        /// What kind of message.
        event: String,
        /// What it carries.
        payload: Value,
        /// Its id, offset and epoch.
        meta: Value,
    },
    /// Presence, or a word of the server's about the topic.
    Notice {
        /// `presence_state`, `presence_diff` or `system`.
        event: String,
        /// What it carries.
        payload: Value,
    },
}

/// A topic's news, over as many connections as it takes.
#[derive(Debug, Default)]
pub struct Feed {
    socket: Option<WebSocket<TcpStream>>,
    topic: String,
    /// Where the last message stood.
    position: Option<Value>,
    joined: bool,
    beaten: Option<Instant>,
    asked: Option<Instant>,
}

impl Feed {
    /// Connects and asks to join; the answer is the first news.
    pub fn connect(&mut self, watch: &Watch) -> Result<(), WatchError> {
        self.topic = format!("realtime:{}", watch.topic);
        let mut socket = dial(watch)?;
        let mut broadcast = json!({});
        if let Some(position) = &self.position {
            broadcast["recover"] = position.clone();
        }
        let config =
            json!({ "broadcast": broadcast, "presence": { "enabled": true }, "private": watch.private });
        let join = json!(["1", "1", self.topic, "phx_join", { "config": config }]);
        socket.send(Message::text(join.to_string())).map_err(broken)?;
        self.socket = Some(socket);
        let now = Instant::now();
        (self.beaten, self.asked) = (Some(now), Some(now));
        Ok(())
    }

    /// Whether the topic was ever joined.
    pub fn has_joined(&self) -> bool {
        self.joined
    }

    /// Waits for the next news.
    pub fn wait(&mut self) -> Result<News, WatchError> {
        loop {
            if let Some(news) = self.poll()? {
                return Ok(news);
            }
        }
    }

    /// Waits for the next frame, but not for long; it may be of no interest.
    pub fn poll(&mut self) -> Result<Option<News>, WatchError> {
        let Some(socket) = &mut self.socket else {
            return Err(WatchError::Broken("there is none".to_owned()));
        };
        let text = match socket.read() {
            Ok(Message::Text(text)) => Some(text),
            Ok(Message::Close(close)) => {
                let why = close.map_or_else(String::new, |close| format!("{} {}", close.code, close.reason));
                return Err(WatchError::Broken(format!("the server closed it: {why}")));
            }
            Ok(_) => None,
            Err(tungstenite::Error::Io(error)) if is_timeout(&error) => None,
            Err(error) => return Err(broken(error)),
        };
        self.beat()?;
        text.and_then(|text| self.read(&text)).transpose()
    }

    fn beat(&mut self) -> Result<(), WatchError> {
        let now = Instant::now();
        if self.asked.is_some_and(|asked| now - asked > PATIENCE) {
            return Err(WatchError::Broken("the server does not answer".to_owned()));
        }
        if self.beaten.is_some_and(|beaten| now - beaten > HEARTBEAT) {
            (self.beaten, self.asked) = (Some(now), Some(now));
            let beat = json!([null, "beat", "phoenix", "heartbeat", {}]).to_string();
            if let Some(socket) = &mut self.socket {
                socket.send(Message::text(beat)).map_err(broken)?;
            }
        }
        Ok(())
    }

    /// What a frame tells; `None` if it is of no interest.
    fn read(&mut self, text: &str) -> Option<Result<News, WatchError>> {
        let frame: (Value, Value, String, String, Value) = serde_json::from_str(text).ok()?;
        let (_, reference, topic, event, payload) = frame;
        match event.as_str() {
            "phx_reply" => {
                self.asked = None;
                (reference == "1").then(|| self.answer(payload))
            }
            _ if topic != self.topic => None,
            "broadcast" => {
                let field = |name: &str| payload.get(name).cloned().unwrap_or(Value::Null);
                let (event, meta) = (field("event").as_str().unwrap_or_default().to_owned(), field("meta"));
                if !meta["offset"].is_null() {
                    self.position = Some(json!({ "offset": meta["offset"], "epoch": meta["epoch"] }));
                }
                Some(Ok(News::Message { event, payload: field("payload"), meta }))
            }
            "phx_close" | "phx_error" => Some(Err(WatchError::Closed(self.name()))),
            _ => Some(Ok(News::Notice { event, payload })),
        }
    }

    fn answer(&mut self, mut payload: Value) -> Result<News, WatchError> {
        let response = payload["response"].take();
        if payload["status"] != "ok" {
            let reason = response["reason"].as_str().unwrap_or("no reason was given").to_owned();
            return Err(WatchError::Join { topic: self.name(), reason });
        }
        self.joined = true;
        if self.position.is_none() || response["recovered"] == false {
            self.position = Some(response["position"].clone());
        }
        Ok(News::Joined { response })
    }

    fn name(&self) -> String {
        self.topic.trim_start_matches("realtime:").to_owned()
    }
}

fn dial(watch: &Watch) -> Result<WebSocket<TcpStream>, WatchError> {
    let server = &watch.server;
    let unreachable = |source| WatchError::Unreachable { server: server.clone(), source };
    let url = format!("ws{}/socket/websocket?vsn=2.0.0", server.strip_prefix("http").unwrap_or(server));
    let uri: Uri = url.parse().map_err(|error| unreachable(io::Error::other(error)))?;
    let (host, port) = (uri.host().unwrap_or_default(), uri.port_u16().unwrap_or(80));
    let addresses = (host.trim_matches(['[', ']']), port).to_socket_addrs().map_err(unreachable)?;
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    let stream = addresses.into_iter().find_map(|address| {
        TcpStream::connect_timeout(&address, PATIENCE).map_err(|error| last = error).ok()
    });
    let stream = stream.ok_or_else(|| unreachable(last))?;
    stream.set_read_timeout(Some(PATIENCE)).and_then(|()| stream.set_nodelay(true)).map_err(unreachable)?;
    let mut request = ClientRequestBuilder::new(uri);
    if let Some(token) = &watch.token {
        request = request.with_header("x-api-key", token.clone());
    }
    let (socket, _) = client(request, stream).map_err(refused)?;
    socket.get_ref().set_read_timeout(Some(READ)).map_err(|error| broken(error.into()))?;
    Ok(socket)
}

/// The answer to a refused handshake is JSON with the reason.
fn refused(error: HandshakeError<impl tungstenite::handshake::HandshakeRole>) -> WatchError {
    match error {
        HandshakeError::Failure(tungstenite::Error::Http(response)) => {
            let body = response.body().as_deref().unwrap_or_default();
            let body: Value = serde_json::from_slice(body).unwrap_or_default();
            let why = body["error"].as_str().map_or_else(|| response.status().to_string(), str::to_owned);
            // One that is overloaded or about to end says so, and may be back.
            if response.status().is_server_error() || response.status().as_u16() == 429 {
                return WatchError::Broken(why);
            }
            WatchError::Handshake(why)
        }
        HandshakeError::Failure(error) => broken(error),
        HandshakeError::Interrupted(_) => WatchError::Broken("the handshake was not answered".to_owned()),
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

fn broken(error: tungstenite::Error) -> WatchError {
    WatchError::Broken(error.to_string())
}
