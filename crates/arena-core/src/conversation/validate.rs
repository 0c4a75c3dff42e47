//! What a setup has to fulfil.

use super::setup::{LoopRules, Moderation, Setup, SetupError, TurnPolicy};
use std::collections::BTreeSet;

impl Setup {
    /// Whether a conversation can be run like this.
    pub fn validate(&self) -> Result<(), SetupError> {
        self.validate_roster()?;
        self.validate_durations()?;
        self.validate_guarantee()?;
        self.loops.as_ref().map_or(Ok(()), LoopRules::validate)?;
        self.moderation.as_ref().map_or(Ok(()), Moderation::validate)
    }

    fn validate_roster(&self) -> Result<(), SetupError> {
        let (got, max) = (self.participants.len(), Setup::MAX_PARTICIPANTS);
        if got > max {
            return Err(SetupError::TooManyParticipants { got, max });
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = self.participants.iter().find(|participant| !seen.insert(*participant)) {
            return Err(SetupError::Twice(twice.clone()));
        }
        if self.participants.is_empty() && self.turns.policy != TurnPolicy::Free {
            return Err(SetupError::TurnsWithoutRoster);
        }
        Ok(())
    }

    fn validate_durations(&self) -> Result<(), SetupError> {
        let durations = [
            ("max_duration_ms", self.limits.max_duration_ms),
            ("idle_timeout_ms", self.limits.idle_timeout_ms),
            ("refill_every_ms", self.limits.refill_every_ms),
            ("turns.timeout_ms", self.turns.timeout_ms),
        ];
        match durations.into_iter().find(|(_, ms)| ms.is_some_and(|ms| !fits(ms))) {
            Some((name, _)) => Err(SetupError::Duration(name)),
            None => Ok(()),
        }
    }

    fn validate_guarantee(&self) -> Result<(), SetupError> {
        let (each, many) = (self.limits.guaranteed_per_participant, self.participants.len() as u64);
        if each == 0 {
            return Ok(());
        }
        let wrong = |words: String| Err(SetupError::Guarantee(words));
        let Some(total) = self.limits.total.messages else {
            return wrong("there is no total".to_owned());
        };
        if many == 0 {
            return wrong("there are no participants".to_owned());
        }
        if each.checked_mul(many).is_none_or(|all| all > total) {
            return wrong(format!("{many} times {each} is more than {total}"));
        }
        if self.limits.per_participant.messages.is_some_and(|cap| cap < each) {
            return wrong(format!("each may say less than {each}"));
        }
        Ok(())
    }
}

impl LoopRules {
    fn validate(&self) -> Result<(), SetupError> {
        let wrong = |words| Err(SetupError::Loops(words));
        if !(1..=LoopRules::MAX_WINDOW).contains(&self.window) {
            return wrong("window must be 1 to 64");
        }
        if self.max_repeats == 1 || self.max_repeats > self.window {
            return wrong("max_repeats must be 0, or 2 to window");
        }
        if self.pair_messages == 1 || self.pair_messages > LoopRules::MAX_WINDOW {
            return wrong("pair_messages must be 0, or 2 to 64");
        }
        if !fits(self.pair_window_ms) || !fits(self.throttle_ms) {
            return wrong("pair_window_ms and throttle_ms must be between 1 ms and 10 years");
        }
        Ok(())
    }
}

impl Moderation {
    fn validate(&self) -> Result<(), SetupError> {
        let wrong = |words: String| Err(SetupError::Moderation(words));
        let plain = self.url.len() <= 2_048 && self.url.bytes().all(|byte| byte.is_ascii_graphic());
        let web = ["http://", "https://"].iter().any(|scheme| {
            self.url.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
        });
        if !(plain && web) {
            return wrong("url must begin with http:// or https:// and hold no spaces".to_owned());
        }
        if !(1..=Moderation::MAX_DEADLINE_MS).contains(&self.deadline_ms) {
            return wrong(format!("deadline_ms must be 1 to {}", Moderation::MAX_DEADLINE_MS));
        }
        Ok(())
    }
}

/// Whether a duration is neither nothing nor longer than can be counted.
pub(super) fn fits(ms: u64) -> bool {
    (1..=Setup::MAX_DURATION_MS).contains(&ms)
}
