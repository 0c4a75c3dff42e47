//! What [`form`] makes, beside a naive reading of the rules.

pub(in crate::matching) mod naive;
mod pairs;
mod properties;
mod teams;

use super::*;
use crate::conversation::ParticipantId;
use crate::matching::{Kind, TicketId, Wish};
use std::sync::Arc;
use uuid::Uuid;

/// The moment of every call, unless a test says otherwise.
const NOW: Timestamp = Timestamp(1_000_000_000);

fn user(name: &str) -> ParticipantId {
    name.parse().unwrap()
}

/// A ticket whose id is its number, which has waited so long, with what else is changed.
fn ticket(number: u128, kind: Kind, waited_ms: i64, change: impl FnOnce(&mut Wish)) -> Waiting {
    let mut wish = Wish::of(user(&format!("u{number}")), kind);
    change(&mut wish);
    Waiting {
        id: TicketId(Uuid::from_u128(number)),
        version: 1,
        since: Timestamp(NOW.0 - waited_ms),
        ahead: false,
        wish: Arc::new(wish),
    }
}

fn human(number: u128, waited_ms: i64) -> Waiting {
    ticket(number, Kind::Human, waited_ms, |_| {})
}

fn bot(number: u128, waited_ms: i64) -> Waiting {
    ticket(number, Kind::Bot, waited_ms, |_| {})
}

/// A human of a region.
fn from(number: u128, waited_ms: i64, region: &str) -> Waiting {
    ticket(number, Kind::Human, waited_ms, |wish| wish.region = Some(region.parse().unwrap()))
}

/// The numbers of who was matched, each match in ascending order, in the order in which they were made.
fn matched(rules: &Rules, tickets: &[Waiting]) -> Vec<Vec<u128>> {
    matched_with(rules, tickets, &Avoid::default())
}

fn matched_with(rules: &Rules, tickets: &[Waiting], avoid: &Avoid) -> Vec<Vec<u128>> {
    let formed = form(rules, tickets, avoid, NOW, 0);
    formed.iter().map(|formed| numbers(tickets, formed)).collect()
}

fn numbers(tickets: &[Waiting], formed: &Formed) -> Vec<u128> {
    let places = formed.teams.iter().flatten();
    let mut numbers: Vec<u128> = places.map(|place| tickets[*place].id.0.as_u128()).collect();
    numbers.sort_unstable();
    numbers
}
