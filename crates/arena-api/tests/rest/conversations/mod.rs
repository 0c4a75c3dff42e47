//! `/api/conversations` and `/api/budgets`.

mod bodies;
mod budgets;
mod commands;
mod events;
mod following;
mod messages;
mod names;
mod residents;

pub use events::KEEP_ALIVE;

use crate::client::{Answer, Call};
use crate::server::Server;
use serde_json::{Value, json};

/// Creates the conversation `c` with these limits.
async fn limited(server: &Server, limits: Value) {
    create(server, json!({"id": "c", "limits": limits})).await;
}

async fn create(server: &Server, body: Value) -> Value {
    server.post("/api/conversations").json(body).send().await.ok(201)
}

/// Somebody says something in `c`.
async fn say(server: &Server, author: &str) -> Answer {
    message(server, json!({"author": author, "text": "hi"})).await
}

async fn message(server: &Server, body: Value) -> Answer {
    call(server, "messages").json(body).send().await
}

/// A POST to something of `c`.
fn call(server: &Server, what: &str) -> Call {
    server.post(&format!("/api/conversations/c/{what}"))
}

/// A GET of something of `c`.
async fn read(server: &Server, what: &str) -> Value {
    server.get(&format!("/api/conversations/c/{what}")).send().await.ok(200)
}

/// The events of the log of `c`.
async fn events_of(server: &Server) -> Vec<String> {
    let page = read(server, "messages?limit=1000").await;
    page["items"].as_array().unwrap().iter().map(|line| line["event"].as_str().unwrap().to_owned()).collect()
}
