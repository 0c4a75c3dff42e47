//! Where they wait, in virtual time.

use super::Look;
use super::arrivals::{Arrival, talk};
use super::plan::Plan;
use super::report::{Tally, percentile, share};
use crate::matching::{Avoid, Formed, Kind, Rules, TicketId, Waiting, form};
use crate::time::Timestamp;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Who puts them together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Matcher {
    Rules,
    /// Whoever waits longest.
    FirstCome,
}

/// Somebody who came, wherever they are now.
#[derive(Debug)]
struct Person {
    arrival: Arrival,
    talks: u32,
    /// Whom it met, and until when they are apart.
    met: Vec<(Timestamp, u64)>,
}

pub(super) struct Room<'a> {
    rules: &'a Rules,
    plan: &'a Plan,
    matcher: Matcher,
    people: BTreeMap<u64, Person>,
    /// By when they began to wait.
    waiting: BTreeMap<(Timestamp, u64), Waiting>,
    /// By their ends: who is in them, and whether they are skipped.
    talks: BTreeMap<(Timestamp, u64), (Vec<u64>, bool)>,
    /// Until when those who were matched should not be again. It only counts, and decides nothing.
    parted: BTreeMap<(u64, u64), Timestamp>,
    waits: Vec<u64>,
    quality: u64,
    pairs: u64,
    same_region: u64,
    same_language: u64,
    human_matches: u64,
    tally: Tally,
}

impl<'a> Room<'a> {
    pub fn new(rules: &'a Rules, plan: &'a Plan, matcher: Matcher) -> Room<'a> {
        Room {
            rules,
            plan,
            matcher,
            people: BTreeMap::new(),
            waiting: BTreeMap::new(),
            talks: BTreeMap::new(),
            parted: BTreeMap::new(),
            waits: Vec::new(),
            quality: 0,
            pairs: 0,
            same_region: 0,
            same_language: 0,
            human_matches: 0,
            tally: Tally::default(),
        }
    }

    /// Somebody comes for the first time.
    pub fn enter(&mut self, arrival: &Arrival) {
        self.tally.arrivals += u64::from(arrival.wish.kind == Kind::Human);
        self.people.insert(arrival.number, Person { arrival: arrival.clone(), talks: 0, met: Vec::new() });
        self.wait(arrival.number, arrival.at);
    }

    fn wait(&mut self, number: u64, since: Timestamp) {
        let person = &self.people[&number];
        let wish = person.arrival.wish.clone();
        self.tally.waits += u64::from(wish.kind == Kind::Human);
        let id = TicketId(Uuid::from_u64_pair(number, person.talks.into()));
        self.waiting.insert((since, number), Waiting { id, version: 1, since, ahead: false, wish });
    }

    /// Talks that have ended by now: bots stand by again, and humans wait again if it was skipped.
    pub fn end_talks(&mut self, now: Timestamp) {
        while let Some(talk) = self.talks.first_entry().filter(|talk| talk.key().0 <= now) {
            let ((at, _), (members, skipped)) = talk.remove_entry();
            for number in members {
                if skipped || self.people[&number].arrival.wish.kind == Kind::Bot {
                    self.wait(number, at);
                } else {
                    self.people.remove(&number);
                }
            }
        }
    }

    /// Those leave who have waited too long, by their own measure or by that of the rules.
    pub fn lose_patience(&mut self, now: Timestamp) {
        let (people, max_wait_ms) = (&mut self.people, self.rules.max_wait_ms);
        let tally = &mut self.tally;
        self.waiting.retain(|(since, number), ticket| {
            let own = people[number].arrival.patience_ms;
            let most =
                if ticket.wish.kind == Kind::Human { own.into_iter().chain(max_wait_ms).min() } else { None };
            let stays = most.is_none_or(|most| waited_ms(*since, now) < most);
            if !stays {
                people.remove(number);
                tally.abandoned += 1;
            }
            stays
        });
    }

    /// Puts those together who wait.
    pub fn tick(&mut self, now: Timestamp, tick: u64, watch: &mut dyn FnMut(&Look<'_>)) {
        let (numbers, waiting): (Vec<u64>, Vec<Waiting>) =
            self.waiting.iter().map(|((_, number), ticket)| (*number, ticket.clone())).unzip();
        let avoid = self.avoid(&numbers, now);
        let formed = match self.matcher {
            Matcher::Rules => form(self.rules, &waiting, &avoid, now, tick),
            Matcher::FirstCome => first_come(self.rules, &waiting, now),
        };
        watch(&Look { now, waiting: &waiting, avoid: &avoid, formed: &formed });
        for formed in &formed {
            let members: Vec<(u64, &Waiting)> =
                formed.teams.iter().flatten().map(|place| (numbers[*place], &waiting[*place])).collect();
            self.count(&members, formed.quality, now);
            self.begin_talk(&members, now);
        }
    }

    /// Who of those who wait met lately.
    fn avoid(&mut self, waiting: &[u64], now: Timestamp) -> Avoid {
        let mut avoid = Avoid::default();
        for number in waiting {
            if let Some(person) = self.people.get_mut(number) {
                person.met.retain(|(until, _)| *until > now);
            }
            let person = &self.people[number];
            for other in person.met.iter().filter_map(|(_, other)| self.people.get(other)) {
                avoid.add(person.arrival.wish.user.clone(), other.arrival.wish.user.clone());
            }
        }
        avoid
    }

    fn begin_talk(&mut self, members: &[(u64, &Waiting)], now: Timestamp) {
        let (mut ends, mut skipped) = (u64::MAX, false);
        for (number, ticket) in members {
            self.waiting.remove(&(ticket.since, *number));
            if let Some(person) = self.people.get_mut(number) {
                let (lasts, skips) = talk(self.plan, *number, person.talks);
                person.talks += 1;
                if lasts < ends {
                    (ends, skipped) = (lasts, skips);
                }
            }
        }
        let until = Timestamp(now.0.saturating_add_unsigned(self.rules.skip_window_ms));
        for ((one, _), (other, _)) in pairs(members) {
            for (one, other) in [(one, *other), (other, *one)] {
                if let Some(person) = self.people.get_mut(one) {
                    person.met.push((until, other));
                }
            }
        }
        let numbers: Vec<u64> = members.iter().map(|(number, _)| *number).collect();
        self.talks.insert((Timestamp(now.0.saturating_add_unsigned(ends)), numbers[0]), (numbers, skipped));
    }

    fn count(&mut self, members: &[(u64, &Waiting)], quality: u32, now: Timestamp) {
        let human = |ticket: &Waiting| ticket.wish.kind == Kind::Human;
        let humans: Vec<&Waiting> =
            members.iter().map(|(_, ticket)| *ticket).filter(|ticket| human(ticket)).collect();
        self.waits.extend(humans.iter().map(|ticket| waited_ms(ticket.since, now)));
        self.tally.matches += 1;
        if humans.len() == members.len() {
            self.tally.with_humans += humans.len() as u64;
            self.human_matches += 1;
            self.quality += u64::from(quality);
        } else {
            self.tally.with_bots += humans.len() as u64;
        }
        let until = Timestamp(now.0.saturating_add_unsigned(self.rules.skip_window_ms));
        for ((a, one), (b, other)) in pairs(members) {
            let parted = self.parted.insert((*a.min(b), *a.max(b)), until);
            self.tally.met_again += u64::from(parted.is_some_and(|until| until > now));
            if human(one) && human(other) {
                let said_same =
                    |one: Option<&str>, other: Option<&str>| u64::from(one.is_some() && one == other);
                self.pairs += 1;
                self.same_region += said_same(region_of(one), region_of(other));
                self.same_language += said_same(language_of(one), language_of(other));
            }
        }
    }

    /// What was counted.
    pub fn close(mut self) -> Tally {
        self.waits.sort_unstable();
        let humans = self.waiting.values().filter(|ticket| ticket.wish.kind == Kind::Human);
        Tally {
            waiting_at_end: humans.count() as u64,
            wait_p50_ms: percentile(&self.waits, 50),
            wait_p95_ms: percentile(&self.waits, 95),
            wait_max_ms: percentile(&self.waits, 100),
            quality_mean: share(self.quality, self.human_matches) / 100.0,
            same_region_percent: share(self.same_region, self.pairs),
            same_language_percent: share(self.same_language, self.pairs),
            ..self.tally
        }
    }
}

fn region_of(ticket: &Waiting) -> Option<&str> {
    ticket.wish.region.as_ref().map(|region| region.as_str())
}

fn language_of(ticket: &Waiting) -> Option<&str> {
    ticket.wish.language.as_ref().map(|language| language.as_str())
}

fn waited_ms(since: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(now.0 - since.0).unwrap_or(0)
}

/// Everybody with everybody.
fn pairs<T>(members: &[T]) -> impl Iterator<Item = (&T, &T)> {
    (0..members.len()).flat_map(move |one| (0..one).map(move |other| (&members[one], &members[other])))
}

/// Whoever waits longest, as many as are in a match; then those who may be given bots, with bots. They come in the order
/// in which they began to wait.
fn first_come(rules: &Rules, waiting: &[Waiting], now: Timestamp) -> Vec<Formed> {
    let users = rules.users() as usize;
    let (humans, bots): (Vec<usize>, Vec<usize>) =
        (0..waiting.len()).partition(|place| waiting[*place].wish.kind == Kind::Human);
    let whole = humans.len() / users * users;
    let mut matches: Vec<Vec<usize>> = humans[..whole].chunks(users).map(<[usize]>::to_vec).collect();
    let patient = |place: &usize| {
        rules.bots_after_ms.is_some_and(|after| waited_ms(waiting[*place].since, now) >= after)
    };
    let left: Vec<usize> = humans[whole..].iter().copied().filter(patient).collect();
    if !left.is_empty() && left.len() + bots.len() >= users {
        matches.push(left.into_iter().chain(bots).take(users).collect());
    }
    let formed = matches.into_iter().map(|members| {
        let quality = form::quality(rules, members.iter().map(|place| &waiting[*place]));
        Formed { teams: members.into_iter().map(|place| vec![place]).collect(), quality }
    });
    formed.collect()
}
