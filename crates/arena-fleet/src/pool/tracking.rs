//! What a channel shows of itself in the presence: the newest wish, once at a time, and again where it was refused.

use crate::channel::{PushError, Reply};
use crate::classify;
use arena_core::fleet::{Fault, LONGEST_ASKED};
use serde_json::Value;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// How long after a refusal it is tried again, at least; with as much again at random.
const AGAIN: Duration = Duration::from_secs(5);

/// The presence of one channel.
#[derive(Debug, Default)]
pub(super) struct Tracking {
    /// What is to be shown.
    wish: Option<Value>,
    /// Whether the endpoint has been told.
    told: bool,
    /// Its answer, while that is on its way.
    answer: Option<oneshot::Receiver<Result<Reply, PushError>>>,
    /// Not before this.
    not_before: Option<Instant>,
}

impl Tracking {
    pub(super) fn new(wish: Option<Value>) -> Tracking {
        Tracking { wish, ..Tracking::default() }
    }

    /// Another wish, in place of the one before.
    pub(super) fn wish(&mut self, wish: Value) {
        self.wish = Some(wish);
        self.told = false;
    }

    /// Whether there may be something to take back.
    pub(super) fn is_shown(&self) -> bool {
        self.wish.is_some() && (self.told || self.answer.is_some())
    }

    /// The channel is joined anew: nothing of it is shown there.
    pub(super) fn restart(&mut self) {
        *self = Tracking::new(self.wish.take());
    }

    /// What is to be told now, if anything.
    pub(super) fn due(&self, now: Instant) -> Option<&Value> {
        let waits = self.answer.is_some() || self.not_before.is_some_and(|at| now < at);
        self.wish.as_ref().filter(|_| !self.told && !waits)
    }

    /// It was told; the answer will come here.
    pub(super) fn tell(&mut self, answer: oneshot::Receiver<Result<Reply, PushError>>) {
        self.told = true;
        self.answer = Some(answer);
        self.not_before = None;
    }

    /// Ready when there is something to do: an answer is there (a refusal is handed over), or the time for another try
    /// has come.
    pub(super) async fn next(&mut self) -> Option<Fault> {
        if let Some(answer) = &mut self.answer {
            let answered = answer.await;
            self.answer = None;
            return self.refused(answered.unwrap_or(Err(PushError::Lost)));
        }
        match self.not_before.filter(|_| !self.told) {
            Some(at) => {
                tokio::time::sleep_until(at).await;
                self.not_before = None;
                None
            }
            None => std::future::pending().await,
        }
    }

    fn refused(&mut self, answer: Result<Reply, PushError>) -> Option<Fault> {
        let fault = match answer {
            Ok(reply) if reply.ok => return None,
            Ok(reply) => Some(classify::refusal(&reply.response)),
            Err(_) => None,
        };
        let asked = fault.as_ref().and_then(|fault| fault.retry_after).unwrap_or_default();
        self.told = false;
        self.not_before =
            Some(Instant::now() + asked.clamp(AGAIN, LONGEST_ASKED).mul_f64(1.0 + fastrand::f64()));
        fault
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[tokio::test(start_paused = true)]
    async fn a_wait_without_end_is_an_hour_or_two() {
        let mut tracking = Tracking::new(Some(json!(1)));
        let (answer, answered) = oneshot::channel();
        tracking.tell(answered);
        let response = json!({"reason": "PresenceRateLimitReached", "retry_after_ms": u64::MAX});
        answer.send(Ok(Reply { ok: false, response })).unwrap();
        tracking.next().await;
        let now = Instant::now();
        tracking.next().await;
        assert!(now.elapsed() >= LONGEST_ASKED && now.elapsed() <= LONGEST_ASKED * 2, "{:?}", now.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn the_newest_wish_is_told_and_a_refused_one_again_later() {
        let mut tracking = Tracking::new(Some(json!(1)));
        let now = Instant::now();
        assert_eq!(tracking.due(now), Some(&json!(1)));
        let (answer, answered) = oneshot::channel();
        tracking.tell(answered);
        tracking.wish(json!(2));
        tracking.wish(json!(3));
        assert_eq!(tracking.due(now), None);
        let refusal =
            json!({"reason": "ClientPresenceRateLimitReached: Client presence rate limit exceeded"});
        answer.send(Ok(Reply { ok: false, response: refusal })).unwrap();
        assert_eq!(tracking.next().await.unwrap().code, "ClientPresenceRateLimitReached");
        assert_eq!(tracking.due(Instant::now()), None);
        assert_eq!(tracking.next().await, None);
        let waited = now.elapsed();
        assert!(waited >= AGAIN && waited <= AGAIN * 2, "{waited:?}");
        assert_eq!(tracking.due(Instant::now()), Some(&json!(3)));
    }
}
