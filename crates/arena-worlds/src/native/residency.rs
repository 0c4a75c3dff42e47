//! Who is where on this host: a bot is a resident of at most one world, whatever order calls arrive in.

use arena_core::{BotId, WorldId};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What the host last heard of a bot.
#[derive(Debug, Clone)]
struct Residence {
    /// The newest epoch of its assignment.
    epoch: i64,
    /// Where its body is; `None` if it was called out under this epoch and has not entered anywhere since.
    world: Option<WorldId>,
}

/// What to do with a body that wants to enter a world.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// Let it in.
    Enter,
    /// Take it out of that world first.
    EnterFrom(WorldId),
    /// Its assignment is no longer the newest.
    Stale,
}

/// The register of all bodies on this host.
#[derive(Debug, Default)]
pub(crate) struct Residency {
    bodies: Mutex<HashMap<BotId, Residence>>,
}

impl Residency {
    /// Registers a body in `world`, unless a newer assignment is known.
    pub(crate) fn claim(&self, bot: BotId, epoch: i64, world: &WorldId) -> Claim {
        let mut bodies = self.lock();
        let entered = Residence { epoch, world: Some(world.clone()) };
        match bodies.insert(bot, entered) {
            Some(known) if known.epoch > epoch => {
                bodies.insert(bot, known);
                Claim::Stale
            }
            Some(Residence { world: Some(elsewhere), .. }) if elsewhere != *world => {
                Claim::EnterFrom(elsewhere)
            }
            _ => Claim::Enter,
        }
    }

    /// Takes a body out of the register of `world`. Returns whether the engine must remove it: not if it entered
    /// under a newer epoch than the one it is called out under.
    pub(crate) fn release(&self, bot: BotId, epoch: Option<i64>, world: &WorldId) -> bool {
        let mut bodies = self.lock();
        let known = bodies.get(&bot).cloned();
        let here = known.as_ref().is_some_and(|known| known.world.as_ref() == Some(world));
        match (epoch, known) {
            (Some(epoch), Some(known)) if known.epoch > epoch => return !here,
            (Some(epoch), Some(known)) => {
                let world = known.world.filter(|_| !here);
                bodies.insert(bot, Residence { epoch, world });
            }
            (Some(epoch), None) => {
                bodies.insert(bot, Residence { epoch, world: None });
            }
            (None, _) if here => {
                bodies.remove(&bot);
            }
            (None, _) => {}
        }
        true
    }

    /// Forgets everyone whose world is not among the living.
    pub(crate) fn prune(&self, lives: impl Fn(&WorldId) -> bool) {
        self.lock().retain(|_, known| known.world.as_ref().is_some_and(&lives));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<BotId, Residence>> {
        self.bodies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn bot() -> BotId {
        BotId(Uuid::nil())
    }

    fn world(name: &str) -> WorldId {
        name.parse().unwrap()
    }

    #[test]
    fn a_newer_assignment_takes_the_body_along_and_an_older_one_is_refused() {
        let residency = Residency::default();
        assert_eq!(residency.claim(bot(), 1, &world("a")), Claim::Enter);
        assert_eq!(residency.claim(bot(), 2, &world("b")), Claim::EnterFrom(world("a")));
        assert_eq!(residency.claim(bot(), 1, &world("a")), Claim::Stale);
        assert_eq!(residency.claim(bot(), 2, &world("b")), Claim::Enter);
    }

    #[test]
    fn a_bot_that_was_called_out_cannot_slip_back_in_under_its_old_assignment() {
        let residency = Residency::default();
        assert!(residency.release(bot(), Some(2), &world("a")));
        assert_eq!(residency.claim(bot(), 1, &world("a")), Claim::Stale);
        assert_eq!(residency.claim(bot(), 2, &world("b")), Claim::Enter);
    }

    #[test]
    fn a_late_call_out_does_not_hit_a_body_that_entered_since() {
        let residency = Residency::default();
        residency.claim(bot(), 3, &world("a"));
        assert!(!residency.release(bot(), Some(2), &world("a")));
        assert!(residency.release(bot(), None, &world("a")));
    }
}
