//! The line of a fleet's bots at the door where seats are given: what all together may ask.

use super::seat::{Seat, Seats};
use crate::identity::Identity;
use crate::pool::Gate;
use crate::settings::PoolSettings;
use arena_core::fleet::{Fault, FaultClass};
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;

/// Reservations per second: a thousand wanderers have their seats within a minute.
const PER_SEC: f64 = 20.0;
/// How many may come at once after a rest.
const BURST: u32 = 10;
/// How long a seat may take to be given, from the head of the line on.
const SEAT: Duration = Duration::from_secs(15);

/// Refusals that say something of one channel, or of one bot's seats, alone: docs/rest.md has them.
const OF_ONE: [&str; 4] = ["channel_full", "channel_not_accepting", "no_seats", "too_many_seats"];

/// Seats that are asked for one after the other: by a token bucket that is slower after a refusal, and by one bot alone
/// while the server does not answer. Bots wait in order, one place each; who is dropped leaves the line.
pub(crate) struct SeatLine {
    seats: Arc<dyn Seats>,
    gate: Arc<Gate>,
}

impl SeatLine {
    pub(crate) fn new(seats: Arc<dyn Seats>) -> SeatLine {
        let settings =
            PoolSettings { connects_per_sec: PER_SEC, connects_burst: BURST, ..PoolSettings::default() };
        SeatLine { seats, gate: Arc::new(Gate::new(&settings)) }
    }
}

#[async_trait]
impl Seats for SeatLine {
    async fn take(&self, me: &Identity, channel: &str) -> Result<Seat, Fault> {
        let permit = self.gate.connect().await;
        let late = || Fault::new(FaultClass::Timeout, "seat_timeout", "no seat was given in time");
        let taken = tokio::time::timeout(SEAT, self.seats.take(me, channel)).await;
        let taken = taken.unwrap_or_else(|_| Err(late()));
        match &taken {
            Err(fault) if concerns_all(fault) => {
                permit.failed(fault);
            }
            // Also a refusal shows that the server works.
            Ok(_) | Err(_) => permit.answered(),
        }
        taken
    }
}

/// Whether others would fare the same. What is wrong with one channel, or one bot, is no concern of theirs.
fn concerns_all(fault: &Fault) -> bool {
    match fault.class {
        FaultClass::Network | FaultClass::Timeout => true,
        FaultClass::RateLimit => !OF_ONE.contains(&fault.code.as_str()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::TokenSource;
    use std::sync::Mutex;
    use tokio::task::JoinSet;
    use tokio::time::Instant;

    /// Keeps when it was asked, and answers with this until it recovers.
    struct Office {
        asked: Mutex<Vec<Duration>>,
        began: Instant,
        answer: Option<Fault>,
        recovers: Duration,
    }

    #[async_trait]
    impl Seats for Office {
        async fn take(&self, _me: &Identity, channel: &str) -> Result<Seat, Fault> {
            self.asked.lock().unwrap().push(self.began.elapsed());
            let seat =
                Seat { topic: channel.to_owned(), token: TokenSource::fixed("t"), body: String::new() };
            let fault = self.answer.clone().filter(|_| self.began.elapsed() < self.recovers);
            fault.map_or(Ok(seat), Err)
        }
    }

    /// When the office was asked while so many bots wanted a seat each, for so long.
    async fn asked(bots: usize, answer: Option<Fault>, time: Duration) -> Vec<Duration> {
        asked_until(bots, answer, Duration::MAX, time).await
    }

    async fn asked_until(
        bots: usize,
        answer: Option<Fault>,
        recovers: Duration,
        time: Duration,
    ) -> Vec<Duration> {
        let office = Arc::new(Office { asked: Mutex::default(), began: Instant::now(), answer, recovers });
        let line = Arc::new(SeatLine::new(office.clone()));
        let mut waiting = JoinSet::new();
        for n in 0..bots {
            let line = Arc::clone(&line);
            waiting.spawn(async move {
                let me = Identity {
                    id: format!("bot-{n}"),
                    name: "Ada".to_owned(),
                    persona: "host".to_owned(),
                    brain: crate::BrainKind::Wanderer,
                    world: Some("main".to_owned()),
                };
                line.take(&me, "main").await
            });
        }
        tokio::time::sleep(time).await;
        office.asked.lock().unwrap().clone()
    }

    #[tokio::test(start_paused = true)]
    async fn a_thousand_wanderers_have_seats_within_a_minute_and_never_all_at_once() {
        let asked = asked(1_000, None, Duration::from_secs(60)).await;
        assert_eq!(asked.len(), 1_000);
        let first = asked.iter().filter(|at| **at < Duration::from_secs(1)).count();
        assert!((20..=31).contains(&first), "{first}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_dead_server_is_tried_by_one_and_a_full_channel_slows_nobody_down() {
        let fault = |class, code: &str| Some(Fault::new(class, code, "x"));
        let dead = asked(200, fault(FaultClass::Network, "seat_unanswered"), Duration::from_secs(20)).await;
        assert!(dead.len() < 15, "{}", dead.len());
        let limited = asked(200, fault(FaultClass::RateLimit, "http_429"), Duration::from_secs(8)).await;
        assert!(limited.len() < 40, "{}", limited.len());
        let full = asked(200, fault(FaultClass::RateLimit, "channel_full"), Duration::from_secs(11)).await;
        assert_eq!(full.len(), 200);
    }
    #[tokio::test(start_paused = true)]
    async fn when_a_dead_server_is_back_all_get_their_turn() {
        let dead = Some(Fault::new(FaultClass::Network, "seat_unanswered", "x"));
        let asked = asked_until(200, dead, Duration::from_secs(20), Duration::from_secs(60)).await;
        assert!((200..=215).contains(&asked.len()), "{}", asked.len());
    }
}
