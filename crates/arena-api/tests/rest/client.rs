//! A small HTTP client: one connection for each request.

use axum::body::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{HeaderMap, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::net::SocketAddr;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    /// Checks the status and returns the body.
    #[track_caller]
    pub fn ok(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    /// Checks that it is a problem of this status and code, and returns its detail.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> String {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{}", self.body);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(self.body["status"], status);
        assert_eq!(self.headers["x-request-id"], self.body["request_id"].as_str().unwrap());
        self.body["detail"].as_str().unwrap().to_owned()
    }
}

/// A request that is being put together.
#[derive(Debug)]
pub struct Call {
    addr: SocketAddr,
    request: Request<Full<Bytes>>,
}

impl Call {
    pub fn new(addr: SocketAddr, method: &str, path: &str) -> Call {
        let request = Request::builder().method(method).uri(path).header("host", "arena");
        Call { addr, request: request.body(Full::default()).unwrap() }
    }

    pub fn header(mut self, name: &'static str, value: &str) -> Call {
        self.request.headers_mut().insert(name, value.parse().unwrap());
        self
    }

    pub fn text(mut self, media_type: &str, body: impl Into<Bytes>) -> Call {
        *self.request.body_mut() = Full::new(body.into());
        self.header("content-type", media_type)
    }

    pub fn json(self, body: Value) -> Call {
        self.text("application/json", body.to_string())
    }

    pub async fn send(self) -> Answer {
        let stream = TcpStream::connect(self.addr).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        let exchange = async move {
            let (head, body) = sender.send_request(self.request).await.unwrap().into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
            Answer { status: head.status.as_u16(), headers: head.headers, body }
        };
        tokio::join!(exchange, connection).0
    }

    /// Sends it and reads the head of the answer only; the connection lives in the tasks.
    pub async fn open(self) -> (Answer, Incoming, JoinSet<()>) {
        let stream = TcpStream::connect(self.addr).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { drop(connection.await) });
        let (head, body) = sender.send_request(self.request).await.unwrap().into_parts();
        (Answer { status: head.status.as_u16(), headers: head.headers, body: Value::Null }, body, tasks)
    }
}
