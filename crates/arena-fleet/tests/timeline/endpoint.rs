//! An endpoint that lives in memory and does as it is told.

use arena_fleet::endpoint::{Dial, Endpoint, Stream};
use async_trait::async_trait;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::Response as HttpResponse;
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What becomes of a connect.
#[derive(Debug, Clone)]
pub enum OnConnect {
    Accept,
    /// It is let in, and closed at once.
    AcceptAndClose,
    Refuse {
        status: u16,
        retry_after: Option<&'static str>,
        body: &'static str,
    },
    /// Nobody listens.
    Nobody,
    /// The TCP connection is never made.
    HangAtTcp,
    /// The handshake is never answered.
    HangAtHandshake,
    /// Something is answered that is no HTTP.
    Garbage,
}

/// What becomes of a join.
#[derive(Debug, Clone)]
pub enum OnJoin {
    Ok,
    /// The `response` of an error.
    Refuse(Value),
    Hang,
    /// The connection breaks in the middle of it.
    Break,
    /// The answer comes twice.
    Twice,
    /// It is answered in another topic, and never in its own.
    Elsewhere,
    /// It is answered with these frames, in which `$j`, `$r` and `$t` are its refs and its topic.
    Frames(Vec<&'static str>),
}

/// A join, as it came.
#[derive(Debug, Clone)]
pub struct Join {
    pub at: Duration,
    pub link: usize,
    pub topic: String,
    pub token: Option<String>,
    pub config: Value,
}

type Decide<I, O> = Box<dyn Fn(&I) -> O + Send + Sync>;

/// What it does, to be set at any time.
pub struct Script {
    /// By the number of the connect, from 0.
    pub connect: Decide<usize, OnConnect>,
    pub join: Decide<Join, OnJoin>,
    /// By the number of the connection.
    pub heartbeat: Decide<usize, bool>,
    pub leave: Decide<String, bool>,
    /// The reply to a broadcast: status and response; `None`: none.
    pub push: Decide<Value, Option<(&'static str, Value)>>,
}

impl Default for Script {
    fn default() -> Script {
        Script {
            connect: Box::new(|_| OnConnect::Accept),
            join: Box::new(|_| OnJoin::Ok),
            heartbeat: Box::new(|_| true),
            leave: Box::new(|_| true),
            push: Box::new(|_| Some(("ok", json!({})))),
        }
    }
}

/// What it saw, in order.
#[derive(Default)]
pub struct Seen {
    pub connects: Vec<Duration>,
    pub joins: Vec<Join>,
    /// Everything: when, on which connection, event, topic.
    pub frames: Vec<(Duration, usize, String, String)>,
    /// Who is in, by connection and topic.
    pub members: BTreeMap<(usize, String), String>,
    /// Connections that are open.
    pub open: BTreeMap<usize, mpsc::Sender<Message>>,
    /// Codes of the closes that clients sent.
    pub closes: Vec<u16>,
    /// The URI of each handshake that was let in, and its headers.
    pub handshakes: Vec<(String, Vec<(String, String)>)>,
}

#[derive(Clone)]
pub struct Fake {
    pub script: Arc<Mutex<Script>>,
    pub seen: Arc<Mutex<Seen>>,
    began: Instant,
    tasks: TaskTracker,
    /// Breaks all connections of now.
    broken: Arc<Mutex<CancellationToken>>,
}

impl Fake {
    pub fn new() -> Fake {
        Fake {
            script: Arc::default(),
            seen: Arc::default(),
            began: Instant::now(),
            tasks: TaskTracker::new(),
            broken: Arc::default(),
        }
    }

    pub fn set(&self, set: impl FnOnce(&mut Script)) {
        set(&mut self.script.lock().unwrap());
    }

    pub fn on_connect(&self, decide: impl Fn(&usize) -> OnConnect + Send + Sync + 'static) {
        self.set(|script| script.connect = Box::new(decide));
    }

    pub fn on_join(&self, decide: impl Fn(&Join) -> OnJoin + Send + Sync + 'static) {
        self.set(|script| script.join = Box::new(decide));
    }

    pub fn now(&self) -> Duration {
        self.began.elapsed()
    }

    pub fn connects(&self) -> Vec<Duration> {
        self.seen.lock().unwrap().connects.clone()
    }

    pub fn joins(&self) -> Vec<Join> {
        self.seen.lock().unwrap().joins.clone()
    }

    pub fn open(&self) -> usize {
        self.seen.lock().unwrap().open.len()
    }

    pub fn members(&self) -> usize {
        self.seen.lock().unwrap().members.len()
    }

    pub fn events(&self, of: &str) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        seen.frames.iter().filter(|(.., topic)| topic == of).map(|(_, _, event, _)| event.clone()).collect()
    }

    /// Breaks all connections, without a close.
    pub fn break_all(&self) {
        let mut broken = self.broken.lock().unwrap();
        std::mem::take(&mut *broken).cancel();
    }

    /// Sends this on every connection on which the topic is joined; `$j` is the ref of its join.
    pub async fn tell(&self, topic: &str, frame: &str) {
        let to: Vec<_> = {
            let seen = self.seen.lock().unwrap();
            let members = seen.members.iter().filter(|((_, of), _)| of == topic);
            members
                .filter_map(|((link, _), join)| Some((seen.open.get(link)?.clone(), join.clone())))
                .collect()
        };
        for (link, join) in to {
            let frame = frame.replace("$j", &join).replace("$t", topic);
            link.send(Message::text(frame)).await.unwrap();
        }
    }

    /// Sends this on every connection.
    pub async fn say_all(&self, message: Message) {
        let to: Vec<_> = self.seen.lock().unwrap().open.values().cloned().collect();
        for link in to {
            let _ = link.send(message.clone()).await;
        }
    }

    /// Closes all connections with this code.
    pub async fn close_all(&self, code: u16, reason: &'static str) {
        let to: Vec<_> = self.seen.lock().unwrap().open.values().cloned().collect();
        for link in to {
            let frame = tokio_tungstenite::tungstenite::protocol::CloseFrame {
                code: code.into(),
                reason: reason.into(),
            };
            let _ = link.send(Message::Close(Some(frame))).await;
        }
    }
}

#[async_trait]
impl Dial for Fake {
    async fn dial(&self, _: &Endpoint) -> io::Result<Box<dyn Stream>> {
        let number = {
            let mut seen = self.seen.lock().unwrap();
            seen.connects.push(self.began.elapsed());
            seen.connects.len() - 1
        };
        let what = (self.script.lock().unwrap().connect)(&number);
        match what {
            OnConnect::Nobody => return Err(io::ErrorKind::ConnectionRefused.into()),
            OnConnect::HangAtTcp => std::future::pending().await,
            _ => {}
        }
        let (near, far) = duplex(16 * 1024);
        let fake = self.clone();
        let broken = self.broken.lock().unwrap().clone();
        self.tasks.spawn(async move {
            broken.run_until_cancelled(fake.clone().serve(number, far, what)).await;
            fake.forget(number);
        });
        Ok(Box::new(near))
    }
}

impl Fake {
    fn forget(&self, link: usize) {
        let mut seen = self.seen.lock().unwrap();
        seen.open.remove(&link);
        seen.members.retain(|(of, _), _| *of != link);
    }

    #[allow(clippy::result_large_err, reason = "the library's types")]
    async fn serve(self, number: usize, mut stream: DuplexStream, what: OnConnect) {
        match what {
            OnConnect::HangAtHandshake => {
                let mut buffer = [0; 64];
                while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
            }
            OnConnect::Garbage => {
                let _ = stream.write_all(b"220 mail.example ESMTP\r\n\r\n").await;
            }
            OnConnect::Refuse { status, retry_after, body } => {
                let refuse = move |_: &Request, _: Response| -> Result<Response, ErrorResponse> {
                    let mut response = HttpResponse::builder().status(status);
                    if let Some(after) = retry_after {
                        response = response.header("retry-after", after);
                    }
                    Err(response.body(Some(body.to_owned())).unwrap())
                };
                let _ = accept_hdr_async(stream, refuse).await;
            }
            _ => {
                let seen = Arc::clone(&self.seen);
                let accept = move |request: &Request, response: Response| {
                    let text = |(name, value): (&_, &tokio_tungstenite::tungstenite::http::HeaderValue)| {
                        let name: &tokio_tungstenite::tungstenite::http::HeaderName = name;
                        (name.to_string(), value.to_str().unwrap_or_default().to_owned())
                    };
                    let headers = request.headers().iter().map(text).collect();
                    seen.lock().unwrap().handshakes.push((request.uri().to_string(), headers));
                    Ok(response)
                };
                if let Ok(socket) = accept_hdr_async(stream, accept).await
                    && !matches!(what, OnConnect::AcceptAndClose)
                {
                    self.talk(number, socket).await;
                }
            }
        }
    }

    async fn talk(&self, number: usize, mut socket: WebSocketStream<DuplexStream>) {
        let (send, mut sends) = mpsc::channel(4_096);
        self.seen.lock().unwrap().open.insert(number, send);
        loop {
            tokio::select! {
                Some(message) = sends.recv() => {
                    if socket.send(message).await.is_err() { return; }
                }
                frame = socket.next() => match frame {
                    Some(Ok(Message::Text(text))) => {
                        let frame: Value = serde_json::from_str(&text).unwrap();
                        let is_v1 = frame.is_object();
                        let frame = if is_v1 { as_v2(&frame) } else { frame };
                        let Some(answers) = self.answer(number, &frame) else { return };
                        for answer in answers {
                            let answer = if is_v1 { as_v1(&answer) } else { answer };
                            if socket.send(Message::text(answer)).await.is_err() { return; }
                        }
                    }
                    Some(Ok(Message::Close(frame))) => {
                        let code = frame.map_or(1005, |frame| frame.code.into());
                        self.seen.lock().unwrap().closes.push(code);
                        let _ = socket.flush().await;
                        return;
                    }
                    Some(Ok(_)) => {}
                    _ => return,
                },
            }
        }
    }

    /// `None`: the connection breaks.
    fn answer(&self, link: usize, frame: &Value) -> Option<Vec<String>> {
        let text = |at: usize| frame[at].as_str().unwrap_or_default().to_owned();
        let (join, reference, topic, event) = (text(0), text(1), text(2), text(3));
        let at = self.began.elapsed();
        self.seen.lock().unwrap().frames.push((at, link, event.clone(), topic.clone()));
        let reply = |status: &str, response: &Value| {
            json!([join, reference, topic, "phx_reply", {"status": status, "response": response}]).to_string()
        };
        let script = self.script.lock().unwrap();
        let ok = reply("ok", &json!({}));
        Some(match event.as_str() {
            "heartbeat" => {
                if (script.heartbeat)(&link) {
                    vec![ok]
                } else {
                    vec![]
                }
            }
            "phx_leave" => {
                let answers = (script.leave)(&topic);
                self.seen.lock().unwrap().members.remove(&(link, topic.clone()));
                let close = json!([join, join, topic, "phx_close", {}]).to_string();
                if answers { vec![ok, close] } else { vec![] }
            }
            "phx_join" => {
                let token = frame[4]["access_token"].as_str().map(str::to_owned);
                let config = frame[4]["config"].clone();
                let asked = Join { at, link, topic: topic.clone(), token, config };
                let what = (script.join)(&asked);
                let mut seen = self.seen.lock().unwrap();
                seen.joins.push(asked);
                if matches!(what, OnJoin::Ok | OnJoin::Twice) {
                    seen.members.insert((link, topic.clone()), join.clone());
                }
                drop(seen);
                match what {
                    OnJoin::Ok => vec![ok],
                    OnJoin::Refuse(response) => vec![reply("error", &response)],
                    OnJoin::Hang => vec![],
                    OnJoin::Break => return None,
                    OnJoin::Twice => vec![ok.clone(), ok],
                    OnJoin::Elsewhere => {
                        vec![
                            json!([join, reference, "realtime:other", "phx_reply",
                            {"status": "ok", "response": {}}])
                            .to_string(),
                        ]
                    }
                    OnJoin::Frames(frames) => frames
                        .iter()
                        .map(|frame| {
                            frame.replace("$j", &join).replace("$r", &reference).replace("$t", &topic)
                        })
                        .collect(),
                }
            }
            "broadcast" => match (script.push)(&frame[4]) {
                Some((status, response)) => vec![reply(status, &response)],
                None => vec![],
            },
            _ => vec![ok],
        })
    }
}

/// A frame of version 1 as one of version 2.
fn as_v2(frame: &Value) -> Value {
    json!([frame["join_ref"], frame["ref"], frame["topic"], frame["event"], frame["payload"]])
}

/// And back; version 1 names no join.
fn as_v1(frame: &str) -> String {
    let frame: Value = serde_json::from_str(frame).unwrap();
    json!({"topic": frame[2], "event": frame[3], "payload": frame[4], "ref": frame[1]}).to_string()
}
