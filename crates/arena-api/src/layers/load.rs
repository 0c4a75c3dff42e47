//! Load limits: how many requests run at once, and how long each may take.

use crate::problem::Problem;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// When a client that was turned away should come back.
const COME_BACK_AFTER: Duration = Duration::from_secs(1);

/// Bounds the requests of the routes it is laid around. There is no queue: who finds no slot is turned away at once.
#[derive(Clone)]
pub(crate) struct Load {
    slots: Arc<Semaphore>,
    timeout: Duration,
}

/// The slot a request holds. It travels with the request, so that work that outlives its client keeps it.
#[derive(Clone)]
pub(crate) struct Slot {
    _held: Arc<OwnedSemaphorePermit>,
}

impl Load {
    /// At most `slots` requests at once, each answered within `timeout`.
    pub(crate) fn new(slots: usize, timeout: Duration) -> Load {
        Load { slots: Arc::new(Semaphore::new(slots.min(Semaphore::MAX_PERMITS))), timeout }
    }
}

/// Lets a request in if there is a slot, and answers for it when it takes too long.
pub(crate) async fn admit(
    State(load): State<Load>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let Ok(slot) = load.slots.try_acquire_owned() else {
        let detail = "too many requests are in progress";
        return Err(Problem::unavailable("overloaded", detail, COME_BACK_AFTER));
    };
    let slot = Slot { _held: Arc::new(slot) };
    request.extensions_mut().insert(slot.clone());
    let answer = tokio::time::timeout(load.timeout, next.run(request)).await;
    drop(slot);
    answer.map_err(|_| {
        let detail = format!(
            "no answer within {} s; a change may still be carried out, so repeat it with the same Idempotency-Key",
            load.timeout.as_secs_f64()
        );
        Problem::unavailable("timeout", detail, COME_BACK_AFTER)
    })
}
