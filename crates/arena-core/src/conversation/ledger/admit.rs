//! Whether somebody may say something now. Changes nothing.

use super::super::{
    Account, AccountId, Accounts, Amounts, Code, ExhaustedBy, ParticipantId, Refusal, Resource, Say, Scope,
    TurnPolicy,
};
use super::budget::Budget;
use super::holds::Hold;
use super::{Ledger, Moment, after_ms};
use crate::Timestamp;

/// Somebody wants to use something.
pub(super) struct Ask<'a> {
    pub who: &'a ParticipantId,
    pub seat: Option<usize>,
    pub wanted: Amounts,
    /// What they hold for it.
    pub hold: Option<&'a Hold>,
    /// How many messages are owed to the whole roster, if that is known already.
    pub owed: Option<u64>,
}

impl Ask<'_> {
    fn given_back(&self) -> Amounts {
        self.hold.map_or(Amounts::default(), |hold| hold.amounts)
    }
}

impl Ledger {
    /// Whether a message is let through, in the order that is promised: the end, the roster, budgets from the
    /// conversation's messages to those that are shared, the turn, loops. Gives the fingerprint of its text, if loops
    /// are looked for.
    pub(super) fn admit_message(
        &self,
        say: &Say,
        accounts: &Accounts,
        moment: Moment,
    ) -> Result<Option<u64>, Refusal> {
        let seat = self.people.find(&say.author);
        let hold = say.reservation.as_ref().and_then(|id| self.hold_of(seat, id));
        let ask = Ask { who: &say.author, seat, wanted: say.cost(), hold, owed: None };
        let print = || self.setup.loops.as_ref().map(|rules| rules.fingerprint(&say.text));
        let admitted = self.admit(&ask, accounts, moment).and_then(|()| {
            let print = print();
            self.is_no_loop(seat, print, moment).map(|()| print)
        });
        admitted.map_err(|refusal| Refusal { message_id: say.id.clone(), ..refusal })
    }

    /// All but loops.
    pub(super) fn admit(&self, ask: &Ask<'_>, accounts: &Accounts, moment: Moment) -> Result<(), Refusal> {
        self.is_open(moment)?;
        self.may_take_part(ask, moment)?;
        self.fits(ask, moment)?;
        self.leaves_guarantees(ask, moment)?;
        self.fits_shared(ask, accounts, moment)?;
        self.has_turn(ask.seat, moment)
    }

    /// Refused by what ended it, also where that is not written down yet.
    pub(super) fn is_open(&self, moment: Moment) -> Result<(), Refusal> {
        let Some(by) = self.ended(moment) else { return Ok(()) };
        let words = match by {
            ExhaustedBy::TotalLimit | ExhaustedBy::TokenLimit | ExhaustedBy::CostLimit => {
                "the conversation's budget is spent; it goes on when somebody tops it up"
            }
            ExhaustedBy::Timeout => "the conversation's time is over; it goes on when somebody tops it up",
            ExhaustedBy::AllParticipantsExhausted => "everybody here has spent their share",
            ExhaustedBy::ClosedByModerator => "a moderator closed this conversation",
            ExhaustedBy::Ended => "this conversation has come to its end",
        };
        let budget = self.total_budget(moment);
        let numbers = spent_resource(by).and_then(|resource| {
            let cap = budget.caps.of(resource)?;
            Some((cap, budget.used.plus(budget.held).of(resource)))
        });
        Err(Refusal {
            limit: numbers.map(|(cap, _)| cap),
            used: numbers.map(|(_, used)| used),
            remaining: numbers.map(|(cap, used)| cap.saturating_sub(used)),
            ..Refusal::plain(Code::from(by), words)
        })
    }

    fn may_take_part(&self, ask: &Ask<'_>, moment: Moment) -> Result<(), Refusal> {
        match ask.seat {
            Some(seat) if self.roster.is_empty() || self.in_roster(seat) => Ok(()),
            None if self.roster.is_empty() => self.has_room(moment),
            _ => Err(Refusal::not_a_participant(ask.who)),
        }
    }

    fn fits(&self, ask: &Ask<'_>, moment: Moment) -> Result<(), Refusal> {
        let (own, all) = (self.share_budget(ask.seat, moment), self.total_budget(moment));
        let (own, all) = ((own, Scope::Participant), (all, Scope::Conversation));
        let order = [
            (all, Resource::Messages),
            (own, Resource::Messages),
            (own, Resource::Tokens),
            (all, Resource::Tokens),
            (own, Resource::CostMicros),
            (all, Resource::CostMicros),
        ];
        for ((budget, scope), of) in order {
            if let Some(refusal) = budget.refuses(scope, of, ask.wanted, ask.given_back()) {
                let freed = budget.after(Amounts::default(), budget.held);
                let waits = freed.refuses(scope, of, ask.wanted, Amounts::default()).is_none();
                let holder = ask.seat.filter(|_| scope == Scope::Participant);
                let lease = self.lease_ends_in_ms(holder, moment).filter(|_| waits);
                let retry_after_ms = refusal.retry_after_ms.into_iter().chain(lease).min();
                return Err(Refusal { retry_after_ms, ..refusal });
            }
        }
        Ok(())
    }

    /// How long until the first of what is held, by one or by all, may be given back.
    fn lease_ends_in_ms(&self, holder: Option<usize>, moment: Moment) -> Option<u64> {
        let held = self.holds.iter().filter(|hold| holder.is_none_or(|holder| hold.who == holder));
        held.map(|hold| super::elapsed(moment.at, hold.until)).min()
    }

    /// Whoever has had as many messages as everybody is sure of leaves to the others what they are sure of.
    fn leaves_guarantees(&self, ask: &Ask<'_>, moment: Moment) -> Result<(), Refusal> {
        let sure = self.setup.limits.guaranteed_per_participant;
        let given = ask.given_back();
        if sure == 0 {
            return Ok(());
        }
        let own = self.share_budget(ask.seat, moment);
        if ask.wanted.messages <= self.owed_beside(own.after(Amounts::default(), given)) {
            return Ok(());
        }
        let total = self.total_budget(moment).after(Amounts::default(), given);
        let Some(left) = total.left(Resource::Messages) else { return Ok(()) };
        let own = ask.seat.map_or(0, |seat| self.owed_to(seat, moment));
        let others = ask.owed.unwrap_or_else(|| self.owed_to_all(moment)).saturating_sub(own);
        if left >= ask.wanted.messages.saturating_add(others) {
            return Ok(());
        }
        Err(Refusal {
            limit: total.caps.messages,
            used: total.caps.messages.map(|cap| cap.saturating_sub(left)),
            remaining: Some(left),
            retry_after_ms: total.refills_in_ms,
            ..Refusal::plain(
                Code::GuaranteedToOthers,
                format!(
                    "{left} messages are left, and {others} of them are guaranteed to other participants"
                ),
            )
        })
    }

    fn fits_shared(&self, ask: &Ask<'_>, accounts: &Accounts, moment: Moment) -> Result<(), Refusal> {
        if accounts.is_empty() {
            return Ok(());
        }
        for id in self.accounts() {
            if let Some(account) = accounts.get(&id) {
                shared_refuses(&id, account, ask, moment.at).map_or(Ok(()), Err)?;
            }
        }
        Ok(())
    }

    fn has_turn(&self, seat: Option<usize>, moment: Moment) -> Result<(), Refusal> {
        let policy = self.setup.turns.policy;
        let holder = self.word.holder();
        let anybody = policy == TurnPolicy::Free || (holder.is_none() && policy != TurnPolicy::Moderator);
        if anybody || (holder.is_some() && holder == seat) {
            return Ok(());
        }
        let words = match self.turn() {
            Some(turn) => format!("it is the turn of `{turn}`"),
            None => "nobody has been given the word".to_owned(),
        };
        let waits = self.turn_ends().filter(|_| policy != TurnPolicy::Moderator);
        Err(Refusal {
            retry_after_ms: waits.map(|end| super::elapsed(moment.at, end)),
            ..Refusal::plain(Code::NotYourTurn, words)
        })
    }

    /// Whether somebody is throttled: for their text, where it is known, or as one of two.
    pub(super) fn is_no_loop(
        &self,
        seat: Option<usize>,
        print: Option<u64>,
        moment: Moment,
    ) -> Result<(), Refusal> {
        let Some(rules) = &self.setup.loops else { return Ok(()) };
        let text = print.and_then(|print| self.recent.throttles_text(print, rules, moment.at));
        let pair = seat.and_then(|seat| self.recent.throttles_pair(seat, rules, moment.at));
        let (wait, words) = match (text, pair) {
            (Some(wait), _) => (wait, "this has been said again and again"),
            (None, Some(wait)) => (wait, "two participants have been talking to each other without a pause"),
            (None, None) => return Ok(()),
        };
        Err(Refusal {
            scope: Scope::Participant,
            retry_after_ms: Some(wait),
            ..Refusal::plain(Code::LoopDetected, words)
        })
    }
}

fn shared_refuses(id: &AccountId, account: &Account, ask: &Ask<'_>, now: Timestamp) -> Option<Refusal> {
    let scope = match id {
        AccountId::Owner(_) => Scope::Owner,
        AccountId::Tree(_) => Scope::Tree,
    };
    let held = ask.hold.filter(|hold| hold.accounts.contains(id));
    let given = held.map_or(Amounts::default(), |hold| hold.amounts);
    let budget = Budget::shared(account, now);
    Resource::ALL.into_iter().find_map(|of| budget.refuses(scope, of, ask.wanted, given))
}

/// Which resource it was that ended a conversation.
pub(super) fn spent_resource(by: ExhaustedBy) -> Option<Resource> {
    match by {
        ExhaustedBy::TotalLimit => Some(Resource::Messages),
        ExhaustedBy::TokenLimit => Some(Resource::Tokens),
        ExhaustedBy::CostLimit => Some(Resource::CostMicros),
        _ => None,
    }
}

impl Ledger {
    /// When its time is over: the earlier of its end and the end of its patience, which begins no sooner than the last
    /// lease ends: whoever reserves is about to say something.
    pub(super) fn time_ends(&self) -> Option<Timestamp> {
        let limits = &self.setup.limits;
        let end = limits.max_duration_ms.map(|ms| after_ms(self.created_at, ms));
        let leases = self.holds.iter().map(|hold| hold.until);
        let patience =
            limits.idle_timeout_ms.map(|ms| after_ms(leases.fold(self.silent_since, Timestamp::max), ms));
        end.into_iter().chain(patience).min()
    }

    /// What ended it: also its time, where that is over and not written down yet.
    pub(super) fn ended(&self, moment: Moment) -> Option<ExhaustedBy> {
        let over = || self.time_ends().is_some_and(|end| end <= moment.at);
        self.exhausted.or_else(|| over().then_some(ExhaustedBy::Timeout))
    }
}
