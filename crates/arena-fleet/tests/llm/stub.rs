//! A chat endpoint on a port of its own, which does what a test tells it to.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use futures_util::stream;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::task::JoinSet;

/// What the stub does with a request.
#[derive(Debug, Clone)]
pub enum Does {
    /// Streams this text, with usage (prompt, reply) where it is given.
    Streams(String, Option<(u64, u64)>),
    /// The same a byte at a time, with comments and all kinds of line ends.
    Dribbles(String, (u64, u64)),
    /// Answers in one piece of JSON.
    Whole(String, (u64, u64)),
    /// Refuses, with `Retry-After` where it is given, and with this error object.
    Refuses(u16, Option<&'static str>, Value),
    /// Sends some text and then nothing more.
    Stalls,
    /// Streams this text to its end, and leaves the stream open without a word more.
    StaysOpen(String),
    /// Streams this text to those who do not say `max_tokens`, and refuses the others.
    NewerOnly(String),
    /// Never answers at all.
    Hangs,
    /// Says that all is well and then what is no JSON.
    Malformed,
    /// Sends some text and then an error.
    ErrorInStream,
    /// Sends some text and then an end, as if that were all.
    EndsEarly,
    /// Sends some text and then breaks the connection.
    Breaks,
    /// Sends text without end.
    Floods,
}

/// The stub.
pub struct Stub {
    pub url: String,
    shared: Arc<Shared>,
    _server: JoinSet<()>,
}

struct Shared {
    plan: Mutex<VecDeque<Does>>,
    otherwise: Mutex<Does>,
    requests: Mutex<Vec<(HeaderMap, Value)>>,
    tokens: AtomicU64,
    now: AtomicUsize,
    peak: AtomicUsize,
}

impl Stub {
    /// Starts one that does this with every request that nothing else is planned for.
    pub async fn start(otherwise: Does) -> Stub {
        let shared = Arc::new(Shared {
            plan: Mutex::default(),
            otherwise: Mutex::new(otherwise),
            requests: Mutex::default(),
            tokens: AtomicU64::new(0),
            now: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
        });
        let app = Router::new().route("/v1/chat/completions", post(chat)).with_state(Arc::clone(&shared));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, app).await.unwrap() });
        Stub { url, shared, _server: server }
    }

    /// Does these next, in this order.
    pub fn plan(&self, steps: impl IntoIterator<Item = Does>) {
        self.shared.plan.lock().unwrap().extend(steps);
    }

    /// Does this from now on.
    pub fn always(&self, does: Does) {
        *self.shared.otherwise.lock().unwrap() = does;
    }

    /// Requests so far.
    pub fn calls(&self) -> usize {
        self.shared.requests.lock().unwrap().len()
    }

    /// Headers and body of the newest request.
    pub fn last(&self) -> (HeaderMap, Value) {
        self.shared.requests.lock().unwrap().last().unwrap().clone()
    }

    /// Tokens of all answers so far, told or not.
    pub fn tokens(&self) -> u64 {
        self.shared.tokens.load(Ordering::SeqCst)
    }

    /// The most requests that were under way at once.
    pub fn peak(&self) -> usize {
        self.shared.peak.load(Ordering::SeqCst)
    }
}

async fn chat(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let now = shared.now.fetch_add(1, Ordering::SeqCst) + 1;
    shared.peak.fetch_max(now, Ordering::SeqCst);
    let body: Value = serde_json::from_slice(&body).unwrap();
    let is_old = !body["max_tokens"].is_null();
    shared.requests.lock().unwrap().push((headers, body));
    let planned = shared.plan.lock().unwrap().pop_front();
    let does = match planned.unwrap_or_else(|| shared.otherwise.lock().unwrap().clone()) {
        Does::NewerOnly(_) if is_old => Does::Refuses(
            400,
            None,
            json!({"message": "use 'max_completion_tokens' instead of 'max_tokens'"}),
        ),
        Does::NewerOnly(text) => Does::Streams(text, Some((1, 1))),
        does => does,
    };
    // Long enough for others to come meanwhile, where they may.
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    let response = answer(&shared, does).await;
    shared.now.fetch_sub(1, Ordering::SeqCst);
    response
}

async fn answer(shared: &Shared, does: Does) -> Response {
    let count = |(prompt, reply): (u64, u64)| shared.tokens.fetch_add(prompt + reply, Ordering::SeqCst);
    match does {
        Does::Streams(text, usage) => {
            usage.map(count);
            stream_of(pieces(&text, usage), Then::Ends)
        }
        Does::Dribbles(text, usage) => {
            count(usage);
            let all = pieces(&text, Some(usage)).concat().replace("\n\n", "\r\n\r\n: still here\n\n");
            stream_of(all.into_bytes().chunks(1).map(<[u8]>::to_vec).collect::<Vec<_>>(), Then::Ends)
        }
        Does::Whole(text, (prompt, reply)) => {
            count((prompt, reply));
            let body = json!({
                "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": prompt, "completion_tokens": reply, "total_tokens": prompt + reply},
            });
            axum::Json(body).into_response()
        }
        Does::Refuses(status, retry_after, error) => {
            let mut response = (StatusCode::from_u16(status).unwrap(), axum::Json(json!({ "error": error })))
                .into_response();
            if let Some(delay) = retry_after {
                response.headers_mut().insert("retry-after", delay.parse().unwrap());
            }
            response
        }
        Does::StaysOpen(text) => {
            let mut pieces = pieces(&text, None);
            pieces.pop();
            stream_of(pieces, Then::Stalls)
        }
        Does::NewerOnly(_) => unreachable!("it is one of the others by now"),
        Does::Stalls => stream_of([delta("I think")], Then::Stalls),
        Does::Hangs => std::future::pending().await,
        Does::Malformed => stream_of(["data: <html>busy</html>\n\n".to_owned()], Then::Ends),
        Does::ErrorInStream => {
            let error = json!({"error": {"message": "out of memory for prompt", "type": "server_error"}});
            stream_of([delta("I think"), format!("data: {error}\n\n")], Then::Ends)
        }
        Does::EndsEarly => stream_of([delta("I think")], Then::Ends),
        Does::Breaks => stream_of([delta("I think")], Then::Breaks),
        Does::Floods => stream_of(vec![delta(&"All is well. ".repeat(100)); 2_000], Then::Stalls),
    }
}

fn delta(text: &str) -> String {
    format!(
        "data: {}\n\n",
        json!({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}]})
    )
}

fn pieces(text: &str, usage: Option<(u64, u64)>) -> Vec<String> {
    let mut pieces = vec![": welcome\n\n".to_owned()];
    pieces.extend(text.split_inclusive(' ').map(delta));
    pieces.push(format!(
        "data: {}\n\n",
        json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    ));
    if let Some((prompt, reply)) = usage {
        let usage =
            json!({"prompt_tokens": prompt, "completion_tokens": reply, "total_tokens": prompt + reply});
        pieces.push(format!("data: {}\n\n", json!({"choices": [], "usage": usage})));
    }
    pieces.push("data: [DONE]\n\n".to_owned());
    pieces
}

#[derive(Clone, Copy)]
enum Then {
    Ends,
    Stalls,
    Breaks,
}

fn stream_of<T: Into<Vec<u8>>>(pieces: impl IntoIterator<Item = T>, then: Then) -> Response {
    let pieces: VecDeque<Vec<u8>> = pieces.into_iter().map(Into::into).collect();
    let body = stream::unfold(pieces, move |mut pieces| async move {
        if let Some(piece) = pieces.pop_front() {
            return Some((Ok(Bytes::from(piece)), pieces));
        }
        match then {
            Then::Ends => None,
            Then::Stalls => std::future::pending::<Option<(Result<Bytes, std::io::Error>, _)>>().await,
            Then::Breaks => {
                // Time for what was said before to get out.
                tokio::task::yield_now().await;
                Some((Err(std::io::Error::other("broken on purpose")), pieces))
            }
        }
    });
    let response =
        Response::builder().header("content-type", "text/event-stream").body(Body::from_stream(body));
    response.unwrap()
}
