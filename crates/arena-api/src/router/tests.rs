//! The layers around routes made for the purpose.

use super::*;
use arena_bus::Bus;
use arena_control::{Control, ControlSettings};
use arena_sim::{TownMap, WorldSettings};
use arena_store::{Store, StoreOptions};
use arena_testing::TestDatabase;
use arena_worlds::native::{NativeHost, NativeSettings};
use axum::body::{Body, to_bytes};
use axum::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, Request};
use axum::routing::{get, post};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::Notify;
use tower::ServiceExt;

/// Routes in all their layers.
pub(crate) struct Wrapped {
    pub(crate) router: Router,
    _control: Control,
    _database: TestDatabase,
}

pub(crate) async fn wrapped(routes: Router, slots: usize) -> Wrapped {
    let database = TestDatabase::sqlite();
    let store = Store::open(&StoreOptions::new(database.url())).await.unwrap();
    let (map, world) = (TownMap::town(), WorldSettings::default());
    let host =
        NativeHost::new(NativeSettings { map, world, mailbox: 16, seed: 7, bus: Bus::default(), talk: None })
            .unwrap();
    let control = Control::start(store, Arc::new(host), Bus::default(), ControlSettings::default());
    let idempotency = control.services().idempotency;
    let mutations = Mutations { idempotency, body_limit_bytes: 100 };
    let alive = Router::new().route("/healthz", get(async || "alive"));
    let router = finish(guard(routes, mutations, Load::new(slots, Duration::from_secs(5))).merge(alive));
    Wrapped { router, _control: control, _database: database }
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    fn code(&self) -> (u16, &str) {
        (self.status, self.body["code"].as_str().unwrap_or_default())
    }
}

async fn send(wrapped: &Wrapped, request: Request<Body>) -> Answer {
    let (head, body) = wrapped.router.clone().oneshot(request).await.unwrap().into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let body = serde_json::from_slice(&body).unwrap_or_default();
    Answer { status: head.status.as_u16(), headers: head.headers, body }
}

fn request(method: &str, uri: &str, body: &'static str) -> Request<Body> {
    let request = Request::builder().method(method).uri(uri).header(CONTENT_TYPE, "application/json");
    request.body(Body::from(body)).unwrap()
}

#[tokio::test]
async fn what_is_no_route_is_a_problem_with_the_request_id() {
    let router = wrapped(Router::new().route("/a", get(async || "a").put(async || "a")), 1).await;

    let mut nowhere = request("GET", "/nowhere", "");
    nowhere.headers_mut().insert("x-request-id", "mine-1".parse().unwrap());
    let answer = send(&router, nowhere).await;
    assert_eq!(answer.code(), (404, "no_such_route"));
    assert_eq!(answer.headers["x-request-id"], "mine-1");
    assert_eq!(answer.headers[CONTENT_TYPE], "application/problem+json");
    assert_eq!(answer.body["request_id"], "mine-1");
    assert_eq!(answer.body["title"], "Not Found");

    let answer = send(&router, request("POST", "/a", "")).await;
    assert_eq!(answer.code(), (405, "method_not_allowed"));
    assert_eq!(answer.headers[ALLOW], "GET,HEAD,PUT");
}

#[tokio::test]
async fn an_unusable_request_id_is_replaced() {
    let router = wrapped(Router::new().route("/a", get(async || "a")), 1).await;
    for bad in ["", "two words", &"x".repeat(129)] {
        let mut request = request("GET", "/a", "");
        request.headers_mut().insert("x-request-id", bad.parse().unwrap());
        let answer = send(&router, request).await;
        assert_eq!((answer.status, answer.headers["x-request-id"].len()), (200, 36));
    }
}

#[tokio::test]
async fn a_panic_answers_500_without_its_message() {
    async fn broken() -> &'static str {
        panic!("secret")
    }
    let router = wrapped(Router::new().route("/a", get(broken).post(broken)), 1).await;
    for method in ["GET", "POST", "GET"] {
        let answer = send(&router, request(method, "/a", "")).await;
        assert_eq!(answer.code(), (500, "internal"));
        assert!(!answer.body.to_string().contains("secret"));
    }
}

#[tokio::test]
async fn queries_are_refused_where_none_is_taken() {
    let router = wrapped(Router::new().route("/a", get(async || "a").post(async || "a")), 1).await;
    assert_eq!(send(&router, request("GET", "/a?", "")).await.status, 200);
    for method in ["GET", "POST"] {
        assert_eq!(send(&router, request(method, "/a?b=1", "")).await.code(), (400, "invalid_query"));
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let router = wrapped(Router::new().route("/a", post(async || "a")), 1).await;
    let body = |length| Body::from("x".repeat(length));
    for (length, status) in [(100, 200), (101, 413)] {
        let request = Request::post("/a").body(body(length)).unwrap();
        assert_eq!(send(&router, request).await.status, status);
    }
}

/// A route that says when it began, and goes on when it is told to.
#[derive(Clone, Default)]
struct Gate {
    begun: Arc<Notify>,
    go_on: Arc<Notify>,
    ended: Arc<AtomicU32>,
}

impl Gate {
    async fn pass(self) -> &'static str {
        self.begun.notify_one();
        self.go_on.notified().await;
        self.ended.fetch_add(1, Ordering::SeqCst);
        "passed"
    }

    async fn router(&self, slots: usize) -> Wrapped {
        let (gate, same) = (self.clone(), self.clone());
        let route = get(async || gate.pass().await).post(async || same.pass().await);
        wrapped(Router::new().route("/a", route), slots).await
    }
}

#[tokio::test]
async fn beyond_the_slots_requests_are_turned_away_at_once() {
    let gate = Gate::default();
    let router = gate.router(1).await;
    let first = send(&router, request("GET", "/a", ""));
    let others = async {
        gate.begun.notified().await;
        let answer = send(&router, request("GET", "/a", "")).await;
        assert_eq!(answer.code(), (503, "overloaded"));
        assert_eq!(answer.headers[RETRY_AFTER], "1");
        assert_eq!(answer.body["retryable"], true);
        assert_eq!(send(&router, request("GET", "/healthz", "")).await.status, 200);
        gate.go_on.notify_one();
    };
    let (first, ()) = tokio::join!(first, others);
    assert_eq!(first.status, 200);
}

#[tokio::test]
async fn a_change_outlives_its_client_and_keeps_its_slot_meanwhile() {
    let gate = Gate::default();
    let router = gate.router(1).await;
    tokio::select! {
        _ = send(&router, request("POST", "/a", "")) => panic!("nobody told it to go on"),
        () = gate.begun.notified() => {}
    }
    assert_eq!(send(&router, request("GET", "/a", "")).await.code(), (503, "overloaded"));
    gate.go_on.notify_one();
    while gate.ended.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_reading_ends_with_its_client() {
    let gate = Gate::default();
    let router = gate.router(1).await;
    tokio::select! {
        _ = send(&router, request("GET", "/a", "")) => panic!("nobody told it to go on"),
        () = gate.begun.notified() => {}
    }
    gate.go_on.notify_one();
    assert_eq!(send(&router, request("GET", "/a", "")).await.status, 200);
    assert_eq!(gate.ended.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_a_problem() {
    let router = Gate::default().router(1).await;
    tokio::time::pause();
    for method in ["GET", "POST"] {
        let answer = send(&router, request(method, "/a", "")).await;
        assert_eq!(answer.code(), (503, "timeout"));
    }
}

fn keyed(body: &'static str) -> Request<Body> {
    let mut request = request("POST", "/a", body);
    request.headers_mut().insert("idempotency-key", "k".parse().unwrap());
    request
}

#[tokio::test]
async fn a_key_is_in_progress_while_its_first_request_runs_even_without_its_client() {
    let gate = Gate::default();
    let router = gate.router(2).await;
    tokio::select! {
        _ = send(&router, keyed("1")) => panic!("nobody told it to go on"),
        () = gate.begun.notified() => {}
    }
    let answer = send(&router, keyed("1")).await;
    assert_eq!(answer.code(), (409, "request_in_progress"));
    assert_eq!(answer.body["retryable"], true);
    assert_eq!(send(&router, keyed("2")).await.code(), (422, "idempotency_key_reused"));

    gate.go_on.notify_one();
    let replayed = loop {
        let answer = send(&router, keyed("1")).await;
        if answer.status != 409 {
            break answer;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(replayed.headers["idempotency-replayed"], "true");
    assert_eq!(gate.ended.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_server_error_gives_its_key_back() {
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    let flaky = async move || match counted.fetch_add(1, Ordering::SeqCst) {
        0 => panic!("broken once"),
        1 => Err(Problem::unavailable("overloaded", "later", Duration::from_secs(3))),
        _ => Ok("done"),
    };
    let router = wrapped(Router::new().route("/a", post(flaky)), 1).await;
    for (status, retry_after) in [(500, None), (503, Some("3")), (200, None), (200, None)] {
        let answer = send(&router, keyed("1")).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.headers.get(RETRY_AFTER).map(|value| value.to_str().unwrap()), retry_after);
    }
    assert_eq!(runs.load(Ordering::SeqCst), 3);
}
