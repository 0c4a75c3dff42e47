//! The conversation's budget, asked for over the conversation's own channel.

use crate::brain::{Purse, Unpaid};
use crate::channel::Pusher;
use async_trait::async_trait;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How long a reservation is held at most: longer than a brain may think and type.
const LEASE_MS: u64 = 120_000;

/// Reserves where the endpoint knows budgets. Elsewhere nothing is reserved, and nothing is sent either: an event that
/// an endpoint does not know is a broadcast to everybody.
#[derive(Debug)]
pub(super) struct SocketPurse {
    pub(super) pusher: Pusher,
    pub(super) me: Arc<str>,
    /// Whether the topic is a conversation that charges, as the answer to the join has it.
    pub(super) charges: Arc<AtomicBool>,
}

#[async_trait]
impl Purse for SocketPurse {
    async fn reserve(&self, tokens: u64, cost_micros: u64) -> Result<Option<String>, Unpaid> {
        if !self.charges.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let id = uuid::Uuid::new_v4().simple().to_string();
        let wish = json!({
            "id": id, "participant": *self.me, "messages": 1, "tokens": tokens, "cost_micros": cost_micros,
            "lease_ms": LEASE_MS,
        });
        let refused = |code: &str| Err(Unpaid { code: code.to_owned() });
        match self.pusher.push("reserve", wish).await {
            Ok(reply) if reply.ok => {
                Ok(reply.response.get("reservation").is_some_and(Value::is_object).then_some(id))
            }
            Ok(reply) => match reply.response.get("code").and_then(Value::as_str) {
                Some("UnknownEvent") | None => Ok(None),
                Some(code) => refused(code),
            },
            // Whether it is held now is not known. It lapses; until then nothing is spent that nobody may pay for.
            Err(_) => {
                self.release(&id).await;
                refused("no_answer")
            }
        }
    }

    async fn release(&self, reservation: &str) {
        let wish = json!({ "id": reservation, "participant": *self.me });
        // One that is not given back lapses.
        let _ = self.pusher.push("release", wish).await;
    }
}
