//! Draining, on real sockets.

use super::*;
use crate::router::tests::wrapped;
use axum::routing::{get, post};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::task::JoinSet;

struct Running {
    addr: SocketAddr,
    shutdown: CancellationToken,
    server: JoinSet<Drained>,
}

impl Running {
    async fn start(router: Router, drain_deadline: Duration) -> Running {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let mut server = JoinSet::new();
        let stopped = shutdown.clone().cancelled_owned();
        server.spawn(serve(listener, router, stopped, drain_deadline));
        Running { addr, shutdown, server }
    }

    async fn connect(&self, request: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.addr).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    async fn ended(mut self) -> Drained {
        self.server.join_next().await.unwrap().unwrap()
    }
}

#[derive(Clone, Default)]
struct Gate {
    begun: Arc<Notify>,
    go_on: Arc<Notify>,
}

impl Gate {
    fn router(&self) -> Router {
        let gate = self.clone();
        let pass = async move || {
            gate.begun.notify_one();
            gate.go_on.notified().await;
            "passed"
        };
        Router::new().route("/a", get(pass.clone()).post(pass)).route("/b", post(async || "b"))
    }
}

const GET_A: &str = "GET /a HTTP/1.1\r\nhost: x\r\n\r\n";
const LONG: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_running_request_is_answered_and_then_the_connection_closes() {
    let gate = Gate::default();
    let running = Running::start(gate.router(), LONG).await;
    let mut stream = running.connect(GET_A).await;
    gate.begun.notified().await;
    running.shutdown.cancel();
    gate.go_on.notify_one();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("passed"), "{answer}");
    assert_eq!(running.ended().await, Drained::Whole);
}

#[tokio::test]
async fn idle_connections_do_not_delay_the_end() {
    let running = Running::start(Gate::default().router(), LONG).await;
    let _never_used = running.connect("").await;
    let mut used = running.connect("POST /b HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(used.read(&mut [0; 1_000]).await.unwrap() > 0);
    running.shutdown.cancel();
    assert_eq!(tokio::time::timeout(LONG / 2, running.ended()).await, Ok(Drained::Whole));
}

#[tokio::test]
async fn what_is_left_at_the_deadline_is_cut_off() {
    let gate = Gate::default();
    let running = Running::start(gate.router(), Duration::from_millis(20)).await;
    let mut stream = running.connect(GET_A).await;
    gate.begun.notified().await;
    running.shutdown.cancel();
    assert_eq!(running.ended().await, Drained::Cut);
    let mut answer = String::new();
    assert_eq!(stream.read_to_string(&mut answer).await.unwrap_or(0), 0, "{answer}");
}

/// Answers with so many bytes and then nothing, until the server ends; or for ever, if it does not look.
fn endless(bytes: usize, looks: bool) -> Router {
    let answer = async move |Extension(ending): Extension<Ending>| {
        let closing = ending.endless();
        let frames = futures_util::stream::unfold(Some(closing), move |closing| async move {
            let closing = closing?;
            if bytes == 0 && looks {
                closing.cancelled().await;
                return None;
            }
            Some((Ok::<_, std::convert::Infallible>(vec![b'x'; bytes]), Some(closing)))
        });
        axum::body::Body::from_stream(frames)
    };
    Router::new().route("/a", get(answer))
}

#[tokio::test]
async fn an_answer_without_an_end_ends_with_the_server() {
    let running = Running::start(endless(0, true), LONG).await;
    let mut stream = running.connect(GET_A).await;
    assert!(stream.read(&mut [0; 1_000]).await.unwrap() > 0);
    running.shutdown.cancel();
    assert_eq!(tokio::time::timeout(LONG / 2, running.ended()).await, Ok(Drained::Whole));
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert!(rest.ends_with(b"0\r\n\r\n"), "it was cut off");
}

#[tokio::test]
async fn a_client_that_does_not_read_an_answer_without_an_end_does_not_delay_the_end() {
    let running = Running::start(endless(65_536, false), LONG).await;
    let mut stream = running.connect(GET_A).await;
    assert!(stream.read(&mut [0; 1_000]).await.unwrap() > 0);
    running.shutdown.cancel();
    assert_eq!(tokio::time::timeout(LONG / 2, running.ended()).await, Ok(Drained::Whole));
}

#[tokio::test]
async fn the_drain_waits_for_a_change_whose_client_has_left() {
    let gate = Gate::default();
    let wrapped = wrapped(gate.router(), 1).await;
    let mut running = Running::start(wrapped.router.clone(), LONG).await;
    let stream = running.connect("POST /a HTTP/1.1\r\nhost: x\r\n\r\n").await;
    gate.begun.notified().await;
    drop(stream);
    running.shutdown.cancel();
    let early = tokio::time::timeout(Duration::from_millis(50), running.server.join_next()).await;
    assert!(early.is_err(), "the server did not wait for the change");
    gate.go_on.notify_one();
    assert_eq!(running.ended().await, Drained::Whole);
}
