//! Warnings before a budget is spent: who was warned of what, and what is still to be heard.

use super::super::{Amounts, Notice, NoticeLevel, ParticipantId, Resource, Scope};
use super::budget::{Budget, Tally};
use super::{Ledger, Moment};

/// [`Budget::level`] of a budget with nothing left. That is no warning any more: the log says that it is spent.
const SPENT: u8 = 4;

impl Budget {
    /// How near a resource is to its end: 0 is far, then the notices' levels, then [`SPENT`].
    fn level(&self, resource: Resource) -> u8 {
        let Some(cap) = self.caps.of(resource) else { return 0 };
        let taken = self.used.plus(self.held).of(resource);
        let reached = |percent: u128| u128::from(taken) * 100 >= u128::from(cap) * percent;
        if taken >= cap {
            SPENT
        } else if resource == Resource::Messages && cap - taken == 1 {
            rank(NoticeLevel::LastMessage)
        } else if reached(90) {
            rank(NoticeLevel::NineTenths)
        } else {
            u8::from(reached(66)) * rank(NoticeLevel::TwoThirds)
        }
    }

    /// Brings a notice up to date; `false` where there is nothing to warn of any more.
    fn renew(&self, notice: &mut Notice) -> bool {
        let Some(level) = named(self.level(notice.resource)) else { return false };
        notice.level = level;
        notice.used = self.used.plus(self.held).of(notice.resource);
        notice.limit = self.caps.of(notice.resource).unwrap_or_default();
        true
    }

    /// What its users have not been warned of yet.
    fn warnings(&self, warned: [u8; 3], scope: Scope, who: Option<&ParticipantId>, into: &mut Vec<Notice>) {
        for resource in Resource::ALL {
            let level = self.level(resource);
            if level <= warned[resource as usize] {
                continue;
            }
            let Some(level) = named(level) else { continue };
            into.push(Notice {
                scope,
                participant: who.cloned(),
                resource,
                level,
                used: self.used.plus(self.held).of(resource),
                limit: self.caps.of(resource).unwrap_or_default(),
            });
        }
    }
}

impl Tally {
    /// Forgets warnings that do not hold any more, and that it was spent.
    fn review(&mut self, budget: Budget) {
        self.blocked &= budget.spent().is_some();
        for resource in Resource::ALL {
            let warned = &mut self.warned[resource as usize];
            *warned = (*warned).min(budget.level(resource));
        }
    }
}

impl Ledger {
    /// The notices that ride on a message: those it brings about, after those of others that wait.
    pub(super) fn notices(
        &self,
        author: &ParticipantId,
        cost: Amounts,
        given: Amounts,
        moment: Moment,
    ) -> Vec<Notice> {
        let seat = self.people.find(author);
        let mut notices = Vec::new();
        if !moment.refilled {
            let others = |notice: &&Notice| notice.participant.as_ref() != Some(author);
            notices.extend(self.pending.iter().filter(others).cloned());
        }
        let warned = |tally: &Tally| if moment.refilled { [0; 3] } else { tally.warned };
        let own = self.share_budget(seat, moment).after(cost, given);
        let so_far = seat.map_or([0; 3], |seat| warned(&self.people.at(seat).tally));
        own.warnings(so_far, Scope::Participant, Some(author), &mut notices);
        let all = self.total_budget(moment).after(cost, given);
        all.warnings(warned(&self.total), Scope::Conversation, None, &mut notices);
        notices
    }

    /// Remembers who was warned by a message's notices, and who has still to hear them.
    pub(super) fn take_notices(&mut self, author: usize, notices: &[Notice]) {
        if notices.is_empty() && self.pending.is_empty() {
            return;
        }
        let speaker = self.people.at(author).id.clone();
        self.pending.retain(|notice| notice.participant.as_ref() == Some(&speaker));
        for notice in notices {
            let own = notice.participant.as_ref() == Some(&speaker);
            let tally = match notice.participant {
                Some(_) if own => &mut self.people.at_mut(author).tally,
                None => &mut self.total,
                Some(_) => continue,
            };
            tally.warned[notice.resource as usize] = rank(notice.level);
            if own {
                self.pending
                    .retain(|old| old.resource != notice.resource || old.participant != notice.participant);
                self.pending.push(notice.clone());
            }
        }
    }

    /// After every entry: what waits to be heard says what is so now. Of somebody who is blocked by now nothing waits,
    /// because the log says that already.
    pub(super) fn renew_notices(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let moment = self.moment(self.at);
        let mut pending = std::mem::take(&mut self.pending);
        pending.retain_mut(|notice| {
            let seat = notice.participant.as_ref().and_then(|who| self.people.find(who));
            let budget = seat.map(|seat| self.person_budget(seat, moment));
            budget.is_some_and(|budget| budget.spent().is_none() && budget.renew(notice))
        });
        self.pending = pending;
    }

    /// After caps or the window have changed: forgets what does not hold any more.
    pub(super) fn review(&mut self) {
        let moment = self.moment(self.at);
        let limits = self.setup.limits.clone();
        self.total.review(self.total.budget(limits.total, moment));
        for person in self.people.iter_mut() {
            let caps = limits.per_participant.raised(person.extra);
            person.tally.review(person.tally.budget(caps, moment));
        }
    }
}

fn rank(level: NoticeLevel) -> u8 {
    match level {
        NoticeLevel::TwoThirds => 1,
        NoticeLevel::NineTenths => 2,
        NoticeLevel::LastMessage => 3,
    }
}

fn named(level: u8) -> Option<NoticeLevel> {
    match level {
        1 => Some(NoticeLevel::TwoThirds),
        2 => Some(NoticeLevel::NineTenths),
        3 => Some(NoticeLevel::LastMessage),
        _ => None,
    }
}
