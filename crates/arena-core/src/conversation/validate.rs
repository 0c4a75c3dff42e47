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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::{Caps, Limits, ParticipantId, Turns};

    fn roster(many: usize) -> Setup {
        let participants = (0..many).map(|n| format!("p{n}").parse().unwrap()).collect();
        Setup { participants, ..Setup::default() }
    }

    fn refused(setup: &Setup) -> String {
        setup.validate().unwrap_err().to_string()
    }

    #[test]
    fn a_roster_is_bounded_and_names_nobody_twice() {
        assert_eq!(roster(1_000).validate(), Ok(()));
        assert_eq!(roster(1_001).validate(), Err(SetupError::TooManyParticipants { got: 1_001, max: 1_000 }));
        let ann: ParticipantId = "ann".parse().unwrap();
        let twice = Setup { participants: vec![ann.clone(), ann.clone()], ..Setup::default() };
        assert_eq!(twice.validate(), Err(SetupError::Twice(ann)));
    }

    #[test]
    fn turns_need_a_roster() {
        let turns = Turns { policy: TurnPolicy::RoundRobin, timeout_ms: None };
        assert_eq!(
            Setup { turns: turns.clone(), ..roster(0) }.validate(),
            Err(SetupError::TurnsWithoutRoster)
        );
        assert_eq!(Setup { turns, ..roster(1) }.validate(), Ok(()));
    }

    #[test]
    fn durations_are_neither_nothing_nor_endless() {
        for (ms, good) in
            [(0, false), (1, true), (Setup::MAX_DURATION_MS, true), (Setup::MAX_DURATION_MS + 1, false)]
        {
            let ms = Some(ms);
            let setups = [
                Setup { limits: Limits { max_duration_ms: ms, ..Limits::default() }, ..roster(0) },
                Setup { limits: Limits { idle_timeout_ms: ms, ..Limits::default() }, ..roster(0) },
                Setup { limits: Limits { refill_every_ms: ms, ..Limits::default() }, ..roster(0) },
                Setup { turns: Turns { timeout_ms: ms, ..Turns::default() }, ..roster(0) },
            ];
            for setup in setups {
                assert_eq!(setup.validate().is_ok(), good, "{setup:?}");
            }
        }
    }

    #[test]
    fn what_is_guaranteed_has_to_be_there() {
        let sure = |many, total, own| {
            let caps = |messages| Caps { messages, ..Caps::default() };
            let limits = Limits {
                guaranteed_per_participant: 2,
                total: caps(total),
                per_participant: caps(own),
                ..Limits::default()
            };
            Setup { limits, ..roster(many) }
        };
        assert_eq!(sure(3, Some(6), Some(2)).validate(), Ok(()));
        assert!(refused(&sure(3, Some(5), None)).contains("3 times 2 is more than 5"));
        assert!(refused(&sure(3, None, None)).contains("no total"));
        assert!(refused(&sure(0, Some(6), None)).contains("no participants"));
        assert!(refused(&sure(3, Some(6), Some(1))).contains("less than 2"));
    }

    #[test]
    fn loop_rules_look_for_something_that_can_be() {
        let rules = |change: fn(&mut LoopRules)| {
            let mut rules = LoopRules::default();
            change(&mut rules);
            Setup { loops: Some(rules), ..Setup::default() }.validate().is_ok()
        };
        assert!(rules(|_| {}));
        assert!(rules(|rules| (rules.max_repeats, rules.pair_messages) = (0, 0)));
        assert!(rules(|rules| (rules.window, rules.pair_messages) = (64, 64)));
        assert!(!rules(|rules| rules.window = 0));
        assert!(!rules(|rules| rules.window = 65));
        assert!(!rules(|rules| rules.max_repeats = 1));
        assert!(!rules(|rules| rules.max_repeats = 13));
        assert!(!rules(|rules| rules.pair_messages = 1));
        assert!(!rules(|rules| rules.pair_messages = 65));
        assert!(!rules(|rules| rules.pair_window_ms = 0));
        assert!(!rules(|rules| rules.throttle_ms = 0));
    }

    #[test]
    fn a_moderator_can_be_asked() {
        let asked = |url: &str, deadline_ms| {
            let moderation = Moderation { url: url.to_owned(), deadline_ms, on_failure: Default::default() };
            Setup { moderation: Some(moderation), ..Setup::default() }.validate().is_ok()
        };
        assert!(asked("https://example.org/ask?x=1", 1) && asked("http://[::1]:80", 10_000));
        assert!(!asked("https://example.org", 0) && !asked("https://example.org", 10_001));
        for url in ["", "example.org", "file:///etc/passwd", "https://", "http:///x", "https://a b"] {
            assert!(!asked(url, 1), "{url:?}");
        }
    }
}
