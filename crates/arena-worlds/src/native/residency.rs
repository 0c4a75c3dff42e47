//! Who is where on this host: a bot is a resident of at most one world, whatever order calls arrive in.
//!
//! Commands are sent to worlds while the register is locked, so that the order in which a world reads them is the
//! order in which the register was changed.

use crate::host::{Body, JoinOutcome};
use arena_core::fault::HostFault;
use arena_core::{BotId, WorldId};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What the host last heard of a bot.
#[derive(Debug, Clone)]
struct Residence {
    /// The newest epoch of its assignment.
    epoch: i64,
    /// Where its body is, or may be until the world confirms that it has left.
    world: Option<WorldId>,
    /// Which entrance this was, of all.
    entrance: u64,
    /// When it was last heard of.
    heard: Instant,
}

/// A body that is being called out, and the entrance that this undoes.
pub(crate) type Leaving = (BotId, u64);

/// How long the epoch of a bot is remembered that is in no world: no call is on its way for longer.
const REMEMBER: Duration = Duration::from_secs(600);
/// Entries below which nothing is forgotten.
const FEW: usize = 1_024;

/// The register of all bodies on this host.
#[derive(Debug, Default)]
pub(crate) struct Residency {
    register: Mutex<Register>,
}

#[derive(Debug, Default)]
struct Register {
    bodies: HashMap<BotId, Residence>,
    entrances: u64,
    /// Entries that were left when it was last pruned.
    kept: usize,
}

impl Residency {
    /// Where these bodies are, as far as that is not `world`: they must leave there first.
    pub(crate) fn elsewhere(
        &self,
        bodies: &[Body],
        world: &WorldId,
    ) -> BTreeMap<WorldId, Vec<(BotId, Option<i64>)>> {
        let register = self.lock();
        let mut found: BTreeMap<WorldId, Vec<(BotId, Option<i64>)>> = BTreeMap::new();
        for body in bodies {
            let known = register.bodies.get(&body.bot).filter(|known| known.epoch <= body.epoch);
            if let Some(elsewhere) = known.and_then(|known| known.world.as_ref()).filter(|w| *w != world) {
                found.entry(elsewhere.clone()).or_default().push((body.bot, Some(body.epoch)));
            }
        }
        found
    }

    /// Lets bodies into `world` by `send`, but for those with a newer assignment and those that are still elsewhere:
    /// their outcomes are returned.
    pub(crate) fn enter(
        &self,
        bodies: Vec<Body>,
        world: &WorldId,
        send: impl FnOnce(Vec<Body>) -> Result<(), HostFault>,
    ) -> Result<Vec<JoinOutcome>, HostFault> {
        let mut register = self.lock();
        let mut refused = Vec::new();
        let mut entering = Vec::with_capacity(bodies.len());
        for body in bodies {
            match register.refusal(&body, world) {
                Some(fault) => refused.push((body.bot, Err(fault))),
                None => entering.push(body),
            }
        }
        let entered: Vec<(BotId, i64)> = entering.iter().map(|body| (body.bot, body.epoch)).collect();
        if !entering.is_empty() {
            send(entering)?;
        }
        for (bot, epoch) in entered {
            register.note(bot, epoch, Some(world.clone()));
        }
        Ok(refused)
    }

    /// Calls bodies out of `world` by `send`. Those that entered under a newer epoch than the one they are called out
    /// under stay; an epoch that is given is remembered, whatever becomes of the call.
    pub(crate) fn call_out(
        &self,
        bots: &[(BotId, Option<i64>)],
        world: &WorldId,
        send: impl FnOnce(Vec<BotId>) -> Result<(), HostFault>,
    ) -> Result<Vec<Leaving>, HostFault> {
        let mut register = self.lock();
        let mut called = Vec::with_capacity(bots.len());
        let mut leaving = Vec::new();
        for (bot, epoch) in bots {
            let Some(known) = register.bodies.get_mut(bot) else {
                epoch.iter().for_each(|epoch| register.note(*bot, *epoch, None));
                called.push(*bot);
                continue;
            };
            let here = known.world.as_ref() == Some(world);
            if here && epoch.is_some_and(|epoch| known.epoch > epoch) {
                continue;
            }
            known.epoch = known.epoch.max(epoch.unwrap_or(known.epoch));
            known.heard = Instant::now();
            called.push(*bot);
            if here {
                leaving.push((*bot, known.entrance));
            }
        }
        send(called)?;
        Ok(leaving)
    }

    /// Notes that bodies have left, unless they entered again meanwhile.
    pub(crate) fn left(&self, leaving: &[Leaving]) {
        let mut register = self.lock();
        for (bot, entrance) in leaving {
            if let Some(known) = register.bodies.get_mut(bot).filter(|known| known.entrance == *entrance) {
                known.world = None;
            }
        }
    }

    /// Forgets those who are in no living world and have not been heard of for long, whenever the register has
    /// doubled.
    pub(crate) fn prune(&self, lives: impl Fn(&WorldId) -> bool) {
        let mut register = self.lock();
        if register.bodies.len() < FEW.max(2 * register.kept) {
            return;
        }
        let stays =
            |known: &Residence| known.heard.elapsed() < REMEMBER || known.world.as_ref().is_some_and(&lives);
        register.bodies.retain(|_, known| stays(known));
        register.kept = register.bodies.len();
    }

    fn lock(&self) -> MutexGuard<'_, Register> {
        self.register.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Register {
    fn refusal(&self, body: &Body, world: &WorldId) -> Option<HostFault> {
        let known = self.bodies.get(&body.bot)?;
        if known.epoch > body.epoch {
            let detail = "a newer assignment of the bot is known".to_owned();
            return Some(HostFault::Refused { code: "stale_assignment", detail, retryable: true });
        }
        let elsewhere = known.world.as_ref().filter(|known| *known != world)?;
        Some(HostFault::transient(format!("its body is still in world {elsewhere}")))
    }

    fn note(&mut self, bot: BotId, epoch: i64, world: Option<WorldId>) {
        self.entrances += 1;
        let noted = Residence { epoch, world, entrance: self.entrances, heard: Instant::now() };
        self.bodies.insert(bot, noted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::BodyKind;
    use uuid::Uuid;

    const BOT: BotId = BotId(Uuid::nil());

    fn world(name: &str) -> WorldId {
        name.parse().unwrap()
    }

    fn body(epoch: i64) -> Body {
        Body {
            bot: BOT,
            kind: BodyKind::Bot,
            epoch,
            name: "Ada".to_owned(),
            home_zone: None,
            traits: Vec::new(),
            position: None,
        }
    }

    /// `None` if it was let in.
    fn enter(residency: &Residency, epoch: i64, to: &str) -> Option<HostFault> {
        let refused = residency.enter(vec![body(epoch)], &world(to), |_| Ok(())).unwrap();
        refused.into_iter().find_map(|(_, outcome)| outcome.err())
    }

    fn call_out(residency: &Residency, epoch: Option<i64>, from: &str) -> Vec<Leaving> {
        residency.call_out(&[(BOT, epoch)], &world(from), |_| Ok(())).unwrap()
    }

    fn is_stale(fault: Option<HostFault>) -> bool {
        matches!(fault, Some(HostFault::Refused { code: "stale_assignment", .. }))
    }

    #[test]
    fn a_body_enters_a_second_world_only_after_it_has_left_the_first() {
        let residency = Residency::default();
        assert_eq!(enter(&residency, 1, "a"), None);
        assert_eq!(residency.elsewhere(&[body(2)], &world("b")), [(world("a"), vec![(BOT, Some(2))])].into());
        assert!(matches!(enter(&residency, 2, "b"), Some(HostFault::Transient { .. })));
        let leaving = call_out(&residency, Some(2), "a");
        assert!(matches!(enter(&residency, 2, "b"), Some(HostFault::Transient { .. })), "called, not gone");
        residency.left(&leaving);
        assert_eq!(enter(&residency, 2, "b"), None);
        assert!(is_stale(enter(&residency, 1, "a")));
    }

    #[test]
    fn a_bot_that_was_called_out_cannot_slip_back_in_under_its_old_assignment() {
        let residency = Residency::default();
        call_out(&residency, Some(2), "a");
        assert!(is_stale(enter(&residency, 1, "a")));
        assert_eq!(enter(&residency, 2, "b"), None);
    }

    #[test]
    fn a_late_call_out_does_not_hit_a_body_that_entered_since() {
        let residency = Residency::default();
        enter(&residency, 3, "a");
        let mut called = None;
        let send = |bots: Vec<BotId>| {
            called = Some(bots);
            Ok(())
        };
        residency.call_out(&[(BOT, Some(2))], &world("a"), send).unwrap();
        assert_eq!(called, Some(vec![]));
    }

    #[test]
    fn a_late_answer_does_not_hide_a_body_that_entered_again() {
        let residency = Residency::default();
        enter(&residency, 1, "a");
        let leaving = call_out(&residency, None, "a");
        enter(&residency, 1, "a");
        residency.left(&leaving);
        assert!(matches!(enter(&residency, 1, "b"), Some(HostFault::Transient { .. })));
    }

    #[test]
    fn a_call_that_did_not_get_through_leaves_the_body_where_it_is() {
        let residency = Residency::default();
        enter(&residency, 1, "a");
        let full = |_: Vec<BotId>| Err(HostFault::transient("full"));
        residency.call_out(&[(BOT, Some(2))], &world("a"), full).unwrap_err();
        assert!(matches!(enter(&residency, 2, "b"), Some(HostFault::Transient { .. })));
        assert!(is_stale(enter(&residency, 1, "a")), "the newer assignment is known all the same");
    }
}
