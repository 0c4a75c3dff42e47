//! Random crowds under random rules: what must hold whatever is chosen.

use super::*;
use crate::matching::{Field, Label, Outcome, Preference, RatingRule};
use crate::tournament::Format;
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// How many different users there are in a crowd, at most.
const MOST: usize = 40;

fn word(letter: char, most: u8) -> impl Strategy<Value = Option<Label>> {
    weighted(0.8, (0..most).prop_map(move |nth| format!("{letter}{nth}").parse().unwrap()))
}

fn field() -> impl Strategy<Value = Field> {
    let fields = ["region", "language", "attributes.mode", "attributes.mood"];
    proptest::sample::select(fields.map(|field| field.parse().unwrap()).to_vec())
}

fn wait() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), 0..30_000u64, Just(5_000), Just(10_000)]
}

/// Rules of pairs, of some of the fields.
fn pair_rules() -> impl Strategy<Value = Rules> {
    let preference = (field(), weighted(0.8, wait()), 0..5u32);
    let rating = (0..300u32, 0..50u32, weighted(0.5, 300..900u32));
    let rating =
        rating.prop_map(|(within, grows_per_s, at_most)| RatingRule { within, grows_per_s, at_most });
    let parts = (
        vec(field(), 0..2),
        vec(preference, 0..4),
        weighted(0.4, rating),
        0..3u32,
        weighted(0.7, wait()),
        prop_oneof![3 => Just(0), 1 => 0..3_000u64],
    );
    parts.prop_map(|(must, prefer, rating, interests_weight, bots_after_ms, min_wait_ms)| {
        let mut seen = BTreeSet::new();
        let must: Vec<Field> = must.into_iter().filter(|field| seen.insert(field.clone())).collect();
        let prefer = prefer.into_iter().filter(|(field, ..)| seen.insert(field.clone()));
        let prefer = prefer.map(|(field, for_ms, weight)| Preference { field, for_ms, weight }).collect();
        Rules { must, prefer, rating, interests_weight, bots_after_ms, min_wait_ms, ..Rules::default() }
    })
}

/// Rules of larger matches.
fn team_rules() -> impl Strategy<Value = Rules> {
    let outcome = Outcome::Tournament { format: Format::RoundRobin, region: None };
    let sizes = prop_oneof![
        3 => (1..4u32, 1..4u32).prop_map(|sizes| (sizes, None)),
        1 => (2..9u32).prop_map(move |entrants| ((entrants, 1), Some(outcome.clone()))),
    ];
    (pair_rules(), sizes).prop_map(|(rules, ((teams, team_size), outcome))| {
        let outcome = outcome.unwrap_or_else(|| rules.outcome.clone());
        let team_size = if teams * team_size == 1 { 3 } else { team_size };
        Rules { teams, team_size, outcome, ..rules }
    })
}

/// A crowd of which some bring others along.
fn parties() -> impl Strategy<Value = Vec<Waiting>> {
    (crowd(), vec(prop_oneof![3 => Just(0), 1 => 0..3usize], MOST)).prop_map(|(mut tickets, others)| {
        for (ticket, others) in tickets.iter_mut().zip(others) {
            let wish = Arc::make_mut(&mut ticket.wish);
            if wish.kind == Kind::Human {
                wish.party = (0..others).map(|nth| user(&format!("{}-{nth}", wish.user))).collect();
            }
        }
        tickets
    })
}

fn wish() -> impl Strategy<Value = Wish> {
    let own = (word('m', 2), word('n', 3), weighted(0.8, 0..1_500i32), vec(word('i', 5), 0..4));
    let parts = (any::<bool>(), word('r', 3), word('l', 3), own, vec(0..MOST, 0..3));
    parts.prop_map(|(bot, region, language, (mode, mood, rating, interests), avoid)| {
        let mut wish = Wish::of(user("nobody"), if bot { Kind::Bot } else { Kind::Human });
        wish.region = region.map(|region| region.as_str().parse().unwrap());
        wish.language = language;
        wish.rating = rating;
        wish.interests = interests.into_iter().flatten().collect();
        for (name, value) in [("mode", mode), ("mood", mood)] {
            wish.attributes.extend(value.map(|value| (name.parse().unwrap(), value)));
        }
        wish.avoid = avoid.into_iter().map(|nth| user(&format!("u{nth}"))).collect();
        wish
    })
}

fn crowd() -> impl Strategy<Value = Vec<Waiting>> {
    let one = (wish(), -500..60_000i64, any::<bool>(), any::<u64>());
    vec(one, 0..MOST).prop_map(|all| {
        let all = all.into_iter().enumerate();
        all.map(|(nth, (wish, waited, ahead, id))| {
            let mut ticket = ticket((u128::from(id) << 16) + nth as u128, wish.kind, waited, |own| {
                *own = Wish { user: user(&format!("u{nth}")), ..wish.clone() };
            });
            ticket.ahead = ahead;
            ticket
        })
        .collect()
    })
}

fn met() -> impl Strategy<Value = Avoid> {
    // Some have met a few, and some nearly everybody.
    let pairs = prop_oneof![vec((0..MOST, 0..MOST), 0..60), vec((0..MOST, 0..MOST), 500..2_500)];
    pairs.prop_map(|pairs| {
        let mut avoid = Avoid::default();
        pairs.into_iter().for_each(|(a, b)| avoid.add(user(&format!("u{a}")), user(&format!("u{b}"))));
        avoid
    })
}

/// Nobody twice, as many users as there have to be, everybody legal with everybody, and a human among them.
fn check_matches(rules: &Rules, tickets: &[Waiting], avoid: &Avoid, now: Timestamp, formed: &[Formed]) {
    let mut seen = BTreeSet::new();
    for formed in formed {
        assert_eq!(formed.teams.len(), rules.teams as usize);
        assert!(formed.quality <= 100);
        let members: Vec<usize> = formed.teams.iter().flatten().copied().collect();
        let has_human = members.iter().any(|place| tickets[*place].wish.kind == Kind::Human);
        let tournament = matches!(rules.outcome, Outcome::Tournament { .. });
        assert!(has_human || tournament, "bots among themselves");
        for team in &formed.teams {
            let users: u32 = team.iter().map(|place| tickets[*place].wish.size()).sum();
            assert_eq!(users, rules.team_size);
        }
        for (nth, one) in members.iter().enumerate() {
            assert!(seen.insert(*one), "{one} is in two matches");
            for other in &members[..nth] {
                let (one, other) = (&tickets[*one], &tickets[*other]);
                let legal = if has_human {
                    naive::legal_beside_a_human(rules, avoid, one, other, now)
                } else {
                    naive::legal(rules, avoid, one, other, now)
                };
                assert!(legal, "{one:?} with {other:?}");
            }
        }
    }
}

fn left_over(tickets: &[Waiting], formed: &[Formed]) -> Vec<Waiting> {
    let taken: BTreeSet<usize> = formed.iter().flat_map(|formed| formed.teams.concat()).collect();
    let left = tickets.iter().enumerate().filter(|(place, _)| !taken.contains(place));
    left.map(|(_, ticket)| ticket.clone()).collect()
}

/// Two of these that may be matched.
fn legal_pair<'a>(
    rules: &Rules,
    avoid: &Avoid,
    tickets: &'a [Waiting],
    now: Timestamp,
) -> Option<(&'a Waiting, &'a Waiting)> {
    let mut pairs = (0..tickets.len()).flat_map(|a| (0..a).map(move |b| (&tickets[a], &tickets[b])));
    pairs.find(|(one, other)| naive::legal(rules, avoid, one, other, now))
}

/// The looks of the product, and some so short that hardly anybody is seen.
fn looks() -> impl Strategy<Value = Looks> {
    let short = (1..3usize, 1..4usize).prop_map(|(scored, looked)| Looks {
        scored,
        looked,
        compared: 0,
        at_least: 0,
    });
    prop_oneof![1 => Just(LOOKS), 2 => short]
}

/// Calls until nothing was formed for longer than there can be turns. Returns who is left over.
fn call_on(rules: &Rules, tickets: Vec<Waiting>, avoid: &Avoid, first: u64, looks: Looks) -> Vec<Waiting> {
    let (mut left, mut idle, mut tick) = (tickets, 0, first);
    while idle <= left.len() {
        let formed = form_looking(rules, &left, avoid, NOW, tick, looks);
        left = left_over(&left, &formed);
        idle = if formed.is_empty() { idle + 1 } else { 0 };
        tick += 1;
    }
    left
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_pair_is_legal_and_nobody_is_in_two(
        rules in pair_rules(), tickets in crowd(), avoid in met(), tick in any::<u64>(), looks in looks(),
    ) {
        let formed = form_looking(&rules, &tickets, &avoid, NOW, tick, looks);
        check_matches(&rules, &tickets, &avoid, NOW, &formed);
        prop_assert_eq!(&formed, &form_looking(&rules, &tickets, &avoid, NOW, tick, looks), "the same again");
    }

    #[test]
    fn no_two_legal_ones_are_left_over(rules in pair_rules(), tickets in crowd(), avoid in met()) {
        let formed = form(&rules, &tickets, &avoid, NOW, 0);
        let left = left_over(&tickets, &formed);
        prop_assert_eq!(legal_pair(&rules, &avoid, &left, NOW), None);
    }

    #[test]
    fn nobody_waits_for_ever_while_a_legal_partner_waits(
        rules in pair_rules(), tickets in crowd(), avoid in met(), first in any::<u32>(), looks in looks(),
    ) {
        let left = call_on(&rules, tickets, &avoid, first.into(), looks);
        prop_assert_eq!(legal_pair(&rules, &avoid, &left, NOW), None);
    }

    #[test]
    fn a_human_gets_a_bot_only_if_no_human_is_left_for_it(
        rules in pair_rules(), tickets in crowd(), avoid in met(), tick in any::<u64>(), looks in looks(),
    ) {
        let formed = form_looking(&rules, &tickets, &avoid, NOW, tick, looks);
        let left = left_over(&tickets, &formed);
        for formed in formed {
            let members: Vec<&Waiting> = formed.teams.concat().iter().map(|place| &tickets[*place]).collect();
            let (humans, bots): (Vec<&Waiting>, Vec<&Waiting>) =
                members.into_iter().partition(|ticket| ticket.wish.kind == Kind::Human);
            if !bots.is_empty() {
                prop_assert_eq!((humans.len(), bots.len()), (1, 1));
                // With short looks one that has waited longer may wait for its turn to be compared with this one.
                let looked_for = |other: &&Waiting| {
                    looks.looked == LOOKS.looked || other.since > humans[0].since && !other.ahead && !humans[0].ahead
                };
                let partner = left
                    .iter()
                    .filter(|other| other.wish.kind == Kind::Human)
                    .filter(looked_for)
                    .find(|other| naive::legal(&rules, &avoid, humans[0], other, NOW));
                prop_assert_eq!(partner, None, "waits, and {:?} got a bot", humans[0]);
            }
        }
    }

    #[test]
    fn the_order_of_the_list_does_not_matter(
        rules in pair_rules(),
        (tickets, shuffled) in crowd().prop_flat_map(|tickets| (Just(tickets.clone()), Just(tickets).prop_shuffle())),
        avoid in met(),
        looks in looks(),
    ) {
        let made = |tickets: &[Waiting]| -> Vec<(Vec<u128>, u32)> {
            let formed = form_looking(&rules, tickets, &avoid, NOW, 7, looks);
            formed.iter().map(|formed| (numbers(tickets, formed), formed.quality)).collect()
        };
        prop_assert_eq!(made(&tickets), made(&shuffled));
    }

    #[test]
    fn every_match_of_teams_is_legal_and_full(
        rules in team_rules(), tickets in parties(), avoid in met(), tick in any::<u64>(), looks in looks(),
    ) {
        let formed = form_looking(&rules, &tickets, &avoid, NOW, tick, looks);
        check_matches(&rules, &tickets, &avoid, NOW, &formed);
        prop_assert_eq!(&formed, &form_looking(&rules, &tickets, &avoid, NOW, tick, looks), "the same again");
    }

    #[test]
    fn teams_fill_while_there_are_enough_who_go_with_all(
        many in 0..MOST, teams in 1..4u32, team_size in 2..4u32, looks in looks(),
    ) {
        let rules = Rules { teams, team_size, ..Rules::default() };
        let tickets = (0..many).map(|nth| human(nth as u128, nth as i64 % 7)).collect();
        let left = call_on(&rules, tickets, &Avoid::default(), 0, looks);
        prop_assert!(left.len() < rules.users() as usize, "{} are left over", left.len());
    }
}
