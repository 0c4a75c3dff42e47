//! The right of a world to publish in its channel's topic.
//!
//! A channel's topic outlives its worlds, so the actor of an old world must not speak once a new one has begun. Ending
//! an actor is not enough: it may be in the middle of a tick on another thread. So whoever takes a world off the
//! register revokes its license first. An actor holds the license while it publishes, and revoking waits for it, so
//! that when [`License::revoke`] has returned, nothing more of that world is published, ever. A world is only run
//! after its predecessor was taken off the register, hence after the predecessor's last word.
//!
//! A publication runs the code of whoever listens. That code must not end worlds, or it would wait for itself.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Valid until it is revoked.
#[derive(Debug, Default)]
pub(super) struct License {
    revoked: Mutex<bool>,
}

/// While it lives, the license cannot be revoked. Not to be held across an await.
pub(super) struct Held<'a>(#[expect(dead_code, reason = "the guard works by living")] MutexGuard<'a, bool>);

impl License {
    /// `None` once it is revoked.
    pub(super) fn hold(&self) -> Option<Held<'_>> {
        let revoked = self.revoked.lock().unwrap_or_else(PoisonError::into_inner);
        (!*revoked).then_some(Held(revoked))
    }

    /// Waits for whoever holds it; nobody gets it afterwards.
    pub(super) fn revoke(&self) {
        *self.revoked.lock().unwrap_or_else(PoisonError::into_inner) = true;
    }
}
