//! The conversation's budget, asked for over the conversation's own channel.

use crate::brain::{Purse, Unpaid};
use crate::channel::Pusher;
use async_trait::async_trait;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How long a reservation is held at most: longer than a brain may think and type.
const LEASE_MS: u64 = 120_000;
/// Reservations of one talk that are remembered: it thinks about one thing at a time. One more takes the place of the
/// oldest, which lapses by itself.
const OPEN: usize = 16;

/// Reserves where the endpoint knows budgets. Elsewhere nothing is reserved, and nothing is sent either: an event that
/// an endpoint does not know is a broadcast to everybody.
#[derive(Debug)]
pub(super) struct SocketPurse {
    pusher: Pusher,
    me: Arc<str>,
    /// Whether the topic is a conversation that charges, as the answer to the join has it.
    charges: Arc<AtomicBool>,
    /// What was reserved and neither said nor given back, the oldest first. Thoughts and lines may be dropped at any
    /// moment; this is not.
    open: Mutex<Vec<String>>,
}

impl SocketPurse {
    pub(super) fn new(pusher: Pusher, me: Arc<str>, charges: Arc<AtomicBool>) -> SocketPurse {
        SocketPurse { pusher, me, charges, open: Mutex::default() }
    }

    /// A message was said on this reservation: it is the conversation's now.
    pub(super) fn said(&self, reservation: &str) {
        self.forget(reservation);
    }

    /// Gives back whatever is still held. To be called while the channel is joined, after the last word.
    pub(super) async fn give_back_all(&self) {
        let held = self.open().clone();
        for reservation in held {
            self.release(&reservation).await;
        }
    }

    /// Whether it was still held.
    fn forget(&self, reservation: &str) -> bool {
        let mut open = self.open();
        let before = open.len();
        open.retain(|held| held != reservation);
        open.len() < before
    }

    fn remember(&self, reservation: &str) {
        let mut open = self.open();
        if open.len() == OPEN {
            open.remove(0);
        }
        open.push(reservation.to_owned());
    }

    // A list of names is whole whatever panicked.
    fn open(&self) -> MutexGuard<'_, Vec<String>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
        // Before the answer: whoever asked may not wait for it.
        self.remember(&id);
        match self.pusher.push("reserve", wish).await {
            Ok(reply) if reply.ok && reply.response.get("reservation").is_some_and(Value::is_object) => {
                Ok(Some(id))
            }
            Ok(reply) => {
                self.forget(&id);
                match reply.response.get("code").and_then(Value::as_str) {
                    _ if reply.ok => Ok(None),
                    Some("UnknownEvent") | None => Ok(None),
                    Some(code) => refused(code),
                }
            }
            // Whether it is held now is not known. It lapses; until then nothing is spent that nobody may pay for.
            Err(_) => {
                self.release(&id).await;
                refused("no_answer")
            }
        }
    }

    async fn release(&self, reservation: &str) {
        // Once is enough: the end of the talk may have been faster than the end of a thought.
        if !self.forget(reservation) {
            return;
        }
        let wish = json!({ "id": reservation, "participant": *self.me });
        // One that is not given back lapses.
        let _ = self.pusher.push("release", wish).await;
    }
}
