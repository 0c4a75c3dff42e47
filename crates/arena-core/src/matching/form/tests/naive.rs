//! A reading of the rules that shares nothing with the code: words are compared as they are written.

use super::*;
use crate::matching::{Field, Outcome};

/// Whether two tickets may be in a match that has a human: bots may be in it together, if all else is right.
pub fn legal_beside_a_human(
    rules: &Rules,
    avoid: &Avoid,
    one: &Waiting,
    other: &Waiting,
    now: Timestamp,
) -> bool {
    let with_bots = Rules {
        outcome: Outcome::Tournament { format: crate::tournament::Format::RoundRobin, region: None },
        bots_after_ms: Some(0),
        ..rules.clone()
    };
    let bots = [one, other].iter().all(|ticket| ticket.wish.kind == Kind::Bot);
    legal(if bots { &with_bots } else { rules }, avoid, one, other, now)
}

/// Whether two tickets may be in a match together.
pub fn legal(rules: &Rules, avoid: &Avoid, one: &Waiting, other: &Waiting, now: Timestamp) -> bool {
    let waits = |ticket: &Waiting| (now.0 - ticket.since.0).max(0) as u64;
    if waits(one) < rules.min_wait_ms || waits(other) < rules.min_wait_ms {
        return false;
    }
    let humans: Vec<&Waiting> =
        [one, other].into_iter().filter(|ticket| ticket.wish.kind == Kind::Human).collect();
    let tournament = matches!(rules.outcome, Outcome::Tournament { .. });
    let patience = match humans[..] {
        [] if !tournament => return false,
        [] => waits(one).max(waits(other)),
        _ => humans.iter().map(|ticket| waits(ticket)).max().unwrap(),
    };
    if humans.len() < 2 && rules.bots_after_ms.is_none_or(|after| patience < after) {
        return false;
    }
    let must = rules.must.iter().all(|field| said(one, field) == said(other, field));
    let prefer = rules.prefer.iter().all(|preference| {
        let insisted = preference.for_ms.is_none_or(|for_ms| patience < for_ms);
        match (said(one, &preference.field), said(other, &preference.field)) {
            (Some(one), Some(other)) => !insisted || one == other,
            _ => true,
        }
    });
    must && prefer && near(rules, one, other, patience) && !apart(avoid, one, other)
}

fn said(ticket: &Waiting, field: &Field) -> Option<String> {
    match field {
        Field::Region => ticket.wish.region.as_ref().map(ToString::to_string),
        Field::Language => ticket.wish.language.as_ref().map(ToString::to_string),
        Field::Attribute(name) => ticket.wish.attributes.get(name).map(ToString::to_string),
    }
}

fn near(rules: &Rules, one: &Waiting, other: &Waiting, patience: u64) -> bool {
    match (&rules.rating, one.wish.rating, other.wish.rating) {
        (Some(rule), Some(one), Some(other)) => {
            let within = u64::from(rule.within) + u64::from(rule.grows_per_s) * patience / 1_000;
            u64::from(one.abs_diff(other)) <= within.min(rule.at_most.map_or(u64::MAX, u64::from))
        }
        _ => true,
    }
}

fn apart(avoid: &Avoid, one: &Waiting, other: &Waiting) -> bool {
    let every = one.wish.users().flat_map(|a| other.wish.users().map(move |b| (a, b)));
    let mut every = every.map(|(a, b)| {
        a == b || avoid.has(a, b) || one.wish.avoid.contains(b) || other.wish.avoid.contains(a)
    });
    every.any(|apart| apart)
}
