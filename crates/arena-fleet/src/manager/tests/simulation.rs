//! Random humans, failures and orders over many hours, from seeds.

use super::{LOBBY, Stage, fleet_in, secs, settings};
use crate::channel::ChannelEvent;
use crate::monitor::{BotState, Monitor};
use crate::settings::ManagerSettings;
use crate::stats::Mode;
use crate::testkit::{Hall, pass};
use arena_core::fleet::{Fault, FaultClass};
use fastrand::Rng;
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;

const MAX: usize = 12;

struct Run {
    stage: Stage,
    rng: Rng,
    humans: Vec<u64>,
    talks: usize,
}

impl Run {
    fn fault(&mut self) -> Fault {
        let class = FaultClass::ALL[self.rng.usize(..FaultClass::ALL.len())];
        Fault::new(class, format!("made_up_{class}"), "as the test wants it")
    }

    fn any_bot(&mut self) -> Option<String> {
        let bots = self.stage.in_lobby();
        self.rng.choice(bots)
    }

    async fn step(&mut self) {
        let fleet = self.stage.fleet.clone();
        match self.rng.u32(..20) {
            0..=3 => {
                let name = format!("human-{}", self.rng.u32(..200));
                self.humans.push(self.stage.hall.appear(LOBBY, &name, json!({})));
            }
            4 | 5 if !self.humans.is_empty() => {
                let who = self.humans.swap_remove(self.rng.usize(..self.humans.len()));
                self.stage.hall.vanish(LOBBY, who);
            }
            6 | 7 | 17 | 18 | 19 => {
                self.talks += 1;
                self.stage.hall.say(
                    LOBBY,
                    "bot_wanted",
                    json!({ "conversation": format!("c{}", self.talks) }),
                );
            }
            8 => {
                let talk = format!("conversation:c{}", self.rng.usize(..=self.talks));
                let text = if self.rng.bool() { "panic" } else { "go" };
                self.stage.hall.say(&talk, "message", json!({ "author": "ann", "text": text }));
            }
            9 => {
                let fault = self.fault();
                if let Some(bot) = self.any_bot() {
                    self.stage.hall.happen(&bot, LOBBY, ChannelEvent::Ended { fault });
                }
            }
            10 | 14 | 15 => fleet.scale((self.rng.bool()).then(|| self.rng.usize(..=MAX + 5))),
            11 | 16 => match self.rng.u32(..8) {
                0 => fleet.pause(),
                1 => fleet.drain(),
                _ => fleet.resume(),
            },
            12 | 13 => self.stage.hall.join_takes(Duration::from_millis(self.rng.u64(..20_000))),
            _ => {
                let observer = "fleet-fleet-1";
                let down = ChannelEvent::Down { fault: self.fault(), after: secs(1) };
                self.stage.hall.happen(observer, LOBBY, down);
                self.stage.hall.happen(observer, LOBBY, ChannelEvent::Joined { response: json!({}) });
            }
        }
        pass(Duration::from_millis(self.rng.u64(1..15_000))).await;
    }

    fn check(&self, seed: u64) {
        let running = self.stage.monitor.bots_now();
        let running = running.iter().filter(|bot| bot.told != BotState::Failed).count();
        assert!(running <= MAX, "seed {seed}: {running} bots");
        let there = self.stage.in_lobby();
        assert_eq!(there.iter().collect::<BTreeSet<_>>().len(), there.len(), "seed {seed}: {there:?}");
    }

    /// Once nothing happens any more, there are as many as are wanted, and all of them work.
    async fn quiet(&self, seed: u64) {
        self.stage.hall.let_in();
        self.stage.hall.join_takes(Duration::ZERO);
        self.stage.fleet.resume();
        self.stage.fleet.scale(None);
        pass(secs(1_200)).await;
        self.check(seed);
        let stats = self.stage.fleet.stats();
        let totals = &stats.monitor.totals;
        assert_eq!(stats.manager.mode, Mode::Running);
        assert_eq!(
            (totals.total, totals.active),
            (stats.manager.target, stats.manager.target),
            "seed {seed}: {totals:?}"
        );
        assert_eq!(self.stage.in_lobby().len(), stats.manager.target, "seed {seed}");
    }
}

async fn run(seed: u64) {
    fastrand::seed(seed);
    let monitor = Monitor::default();
    let hall = Hall::new(&monitor);
    let manager =
        ManagerSettings { maintenance_every: secs(10), drain_deadline: secs(40), ..settings(2, MAX) };
    let stage = fleet_in(&hall, &monitor, "fleet-1", manager);
    let mut run = Run { stage, rng: Rng::with_seed(seed), humans: Vec::new(), talks: 0 };
    // As many as call for the most bots; some of them go, others come.
    for n in 0..45 {
        run.humans.push(hall.appear(LOBBY, &format!("human-{n}"), json!({})));
    }
    for _ in 0..150 {
        run.step().await;
        run.check(seed);
    }
    run.quiet(seed).await;
    assert!(run.stage.fleet.shutdown(secs(10)).await, "seed {seed}");
    assert!(hall.members(LOBBY).is_empty(), "seed {seed}");
}

#[test]
fn whatever_happens_there_are_never_too_many_never_twins_and_in_the_end_as_many_as_are_wanted() {
    for seed in 0..12 {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(run(seed));
    }
}
