//! What rules and wishes have to fulfil.

use super::rules::{Outcome, RatingRule, Rules, RulesError};
use super::ticket::{Kind, Wish, WishError};
use crate::Metadata;
use crate::conversation::{ParticipantId, Setup};
use crate::tournament::Format;
use std::collections::BTreeSet;

/// Room in a conversation's metadata for the ids of its match and queue, in bytes: they take 122 at most.
const NOTES: usize = 256;

impl Rules {
    /// Whether a queue can be run like this. The error says what to change.
    pub fn check(&self) -> Result<(), RulesError> {
        self.check_sizes()?;
        self.check_fields()?;
        self.check_durations()?;
        self.rating.as_ref().map_or(Ok(()), RatingRule::check)?;
        match &self.outcome {
            Outcome::Talk(setup) => self.check_talk(setup),
            Outcome::Tournament { format, .. } => self.check_tournament(*format),
        }
    }

    fn check_sizes(&self) -> Result<(), RulesError> {
        bounded("teams", self.teams.into(), 1, Self::MAX_TEAMS.into())?;
        bounded("team_size", self.team_size.into(), 1, Self::MAX_TEAM_SIZE.into())?;
        match self.users() {
            1 => wrong("a match needs at least 2 users: raise teams or team_size"),
            users if users > Self::MAX_USERS => wrong(format!(
                "teams times team_size is {users}; at most {} users are in a match",
                Self::MAX_USERS
            )),
            _ => Ok(()),
        }
    }

    fn check_fields(&self) -> Result<(), RulesError> {
        let prefer = self.prefer.iter().map(|preference| &preference.field);
        for (name, many) in [("must", self.must.len()), ("prefer", self.prefer.len())] {
            if many > Self::MAX_FIELDS {
                return wrong(format!("{name} has {many} fields; at most {} are compared", Self::MAX_FIELDS));
            }
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = self.must.iter().chain(prefer).find(|field| !seen.insert(*field)) {
            return wrong(format!("`{twice}` is in must and prefer twice: name each field once"));
        }
        for preference in &self.prefer {
            let what = |part| format!("prefer `{}`: {part}", preference.field);
            bounded(&what("weight"), preference.weight.into(), 0, Self::MAX_WEIGHT.into())?;
            bounded(&what("for_ms"), preference.for_ms.unwrap_or(0), 0, Self::MAX_DURATION_MS)?;
        }
        bounded("interests_weight", self.interests_weight.into(), 0, Self::MAX_WEIGHT.into())
    }

    fn check_durations(&self) -> Result<(), RulesError> {
        let durations = [
            ("bots_after_ms", 0, self.bots_after_ms.unwrap_or(0)),
            ("min_wait_ms", 0, self.min_wait_ms),
            ("max_wait_ms", 1, self.max_wait_ms.unwrap_or(1)),
            ("skip_window_ms", 0, self.skip_window_ms),
            ("confirm_ms", 1, self.confirm_ms),
            ("silent_ms", 1, self.silent_ms),
            ("away_ms", 0, self.away_ms),
            ("round_ms", 1, self.round_ms),
        ];
        for (name, least, ms) in durations {
            bounded(name, ms, least, Self::MAX_DURATION_MS)?;
        }
        let Some(max_wait) = self.max_wait_ms else { return Ok(()) };
        if self.min_wait_ms >= max_wait {
            return wrong("min_wait_ms must be below max_wait_ms, or every ticket times out");
        }
        if self.bots_after_ms.is_some_and(|bots_after| bots_after >= max_wait) {
            return wrong(
                "bots_after_ms must be below max_wait_ms, or bots never come: lower it or leave it out",
            );
        }
        Ok(())
    }

    fn check_talk(&self, setup: &Setup) -> Result<(), RulesError> {
        if !setup.participants.is_empty() || setup.parent.is_some() || setup.root.is_some() {
            return wrong("talk: participants, parent and root are filled in by each match: leave them out");
        }
        if setup.metadata.to_json().len() + NOTES > Metadata::MAX_BYTES {
            return wrong("talk: metadata leaves no room for a match's own notes: make it 256 bytes shorter");
        }
        // Turns and guarantees go by the roster: they are checked with one as large as a match.
        let someone = |nth: u32| nth.to_string().parse::<ParticipantId>();
        let roster: Result<Vec<ParticipantId>, _> = (0..self.users()).map(someone).collect();
        let participants = roster.expect("invariant: a number is a participant id");
        let with_roster = Setup { participants, ..setup.clone() };
        with_roster.validate().map_err(|error| RulesError(format!("talk: {error}")))
    }

    fn check_tournament(&self, format: Format) -> Result<(), RulesError> {
        if self.team_size != 1 {
            return wrong(
                "a tournament is among single users: set team_size to 1 and teams to how many enter",
            );
        }
        if format == Format::RoundRobin && self.teams > Self::MAX_ROUND_ROBIN {
            return wrong(format!(
                "teams is {}; at most {} play everybody against everybody: lower it, or use single_elimination",
                self.teams,
                Self::MAX_ROUND_ROBIN
            ));
        }
        Ok(())
    }
}

impl RatingRule {
    fn check(&self) -> Result<(), RulesError> {
        if self.at_most.is_some_and(|at_most| at_most < self.within) {
            return wrong("rating: at_most must not be below within");
        }
        Ok(())
    }
}

impl Wish {
    /// The most characters of a name.
    pub const MAX_NAME: usize = 64;
    /// The most users that a ticket avoids.
    pub const MAX_AVOID: usize = 100;
    /// The most interests.
    pub const MAX_INTERESTS: usize = 20;
    /// The most attributes.
    pub const MAX_ATTRIBUTES: usize = 20;

    /// Whether a queue of these rules takes it. The error says what to change.
    pub fn check(&self, rules: &Rules) -> Result<(), WishError> {
        self.check_name()?;
        self.check_party(rules)?;
        for (name, many, most) in [
            ("avoid", self.avoid.len(), Self::MAX_AVOID),
            ("interests", self.interests.len(), Self::MAX_INTERESTS),
            ("attributes", self.attributes.len(), Self::MAX_ATTRIBUTES),
        ] {
            if many > most {
                return unwanted(format!("{name} has {many} entries; at most {most} are kept"));
            }
        }
        Ok(())
    }

    fn check_name(&self) -> Result<(), WishError> {
        let Some(name) = &self.name else { return Ok(()) };
        let fits = (1..=Self::MAX_NAME).contains(&name.chars().count());
        if !fits || name.trim().is_empty() || name.chars().any(char::is_control) {
            return unwanted(format!(
                "name must be 1 to {} characters, not all blank, and no control characters; or leave it out",
                Self::MAX_NAME
            ));
        }
        Ok(())
    }

    fn check_party(&self, rules: &Rules) -> Result<(), WishError> {
        if self.size() > rules.team_size {
            return unwanted(format!(
                "{} users do not fit into a team of {} in this queue: come with fewer in party, or use another queue",
                self.size(),
                rules.team_size
            ));
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = self.users().find(|user| !seen.insert(*user)) {
            return unwanted(format!("`{twice}` is named twice: party holds those who come along with user"));
        }
        if let Some(own) = self.avoid.iter().find(|user| seen.contains(user)) {
            return unwanted(format!("`{own}` is on this ticket: take it out of avoid"));
        }
        if self.kind == Kind::Bot && !self.party.is_empty() {
            return unwanted("a bot comes alone: give each bot a ticket of its own".to_owned());
        }
        Ok(())
    }
}

fn bounded(name: &str, got: u64, least: u64, most: u64) -> Result<(), RulesError> {
    if (least..=most).contains(&got) {
        return Ok(());
    }
    wrong(format!("{name} is {got}; it must be {least} to {most}"))
}

fn wrong(words: impl Into<String>) -> Result<(), RulesError> {
    Err(RulesError(words.into()))
}

fn unwanted(words: String) -> Result<(), WishError> {
    Err(WishError(words))
}

#[cfg(test)]
mod tests;
