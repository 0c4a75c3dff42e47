//! Matches of more than two, case by case.

use super::*;
use crate::matching::Field;
use crate::tournament::Format;

fn rules(teams: u32, team_size: u32) -> Rules {
    Rules { teams, team_size, ..Rules::default() }
}

fn tournament(entrants: u32, bots_after_ms: Option<u64>) -> Rules {
    let outcome = Outcome::Tournament { format: Format::SingleElimination, region: None };
    Rules { outcome, bots_after_ms, ..rules(entrants, 1) }
}

fn rated(number: u128, waited: i64, rating: i32) -> Waiting {
    ticket(number, Kind::Human, waited, |wish| wish.rating = Some(rating))
}

/// A party of so many.
fn party(number: u128, waited: i64, size: usize) -> Waiting {
    let others = (1..size).map(|nth| user(&format!("u{number}-{nth}"))).collect();
    ticket(number, Kind::Human, waited, |wish| wish.party = others)
}

/// The teams of the only match, by the numbers of tickets, in ascending order within.
fn teams(rules: &Rules, tickets: &[Waiting]) -> Vec<Vec<u128>> {
    let formed = form(rules, tickets, &Avoid::default(), NOW, 0);
    assert_eq!(formed.len(), 1, "{formed:?}");
    let team = |team: &Vec<usize>| {
        let mut team: Vec<u128> = team.iter().map(|place| tickets[*place].id.0.as_u128()).collect();
        team.sort_unstable();
        team
    };
    formed[0].teams.iter().map(team).collect()
}

#[test]
fn a_match_is_made_when_there_are_enough() {
    let mut tickets: Vec<Waiting> = (1..=3).map(|number| human(number, 100 - number as i64)).collect();
    assert!(matched(&rules(2, 2), &tickets).is_empty());
    tickets.extend([human(4, 1), human(5, 0)]);
    assert_eq!(matched(&rules(2, 2), &tickets), [[1, 2, 3, 4]]);
    assert_eq!(teams(&rules(1, 5), &tickets), [[1, 2, 3, 4, 5]]);
}

#[test]
fn a_party_is_never_split() {
    let tickets = [party(1, 50, 2), human(2, 40), party(3, 30, 2), human(4, 20)];
    let made = teams(&rules(2, 3), &tickets);
    assert!(made.iter().all(|team| team.len() == 2), "{made:?}: each a party and a single");
    let three = [party(1, 9, 2), party(2, 8, 2), party(3, 7, 2)];
    assert!(matched(&rules(2, 3), &three).is_empty(), "one would have to be split");
    assert_eq!(teams(&rules(2, 2), &[party(1, 9, 2), human(2, 8), human(3, 7)]), [vec![1], vec![2, 3]]);
    assert!(matched(&rules(3, 1), &[party(1, 9, 2), human(2, 8)]).is_empty(), "too large for a team");
}

#[test]
fn teams_are_as_strong_as_each_other() {
    let strengths = [2_000, 1_900, 1_100, 1_000, 1_500, 1_500];
    let tickets: Vec<Waiting> =
        strengths.iter().zip(1..).map(|(rating, number)| rated(number, 10, *rating)).collect();
    let sums: Vec<i32> = teams(&rules(2, 3), &tickets)
        .iter()
        .map(|team| team.iter().map(|number| strengths[*number as usize - 1]).sum())
        .collect();
    assert_eq!(sums, [4_500, 4_500]);
}

#[test]
fn everybody_in_a_match_may_be_with_everybody() {
    let mut met = Avoid::default();
    met.add(user("u2"), user("u3"));
    let tickets: Vec<Waiting> = (1..=5).map(|number| human(number, 100 - number as i64)).collect();
    assert_eq!(matched_with(&rules(2, 2), &tickets, &met), [[1, 2, 4, 5]]);
    assert!(matched_with(&rules(2, 2), &tickets[..4], &met).is_empty());
}

#[test]
fn another_beginning_is_tried_when_the_best_do_not_go_together() {
    let rules = Rules { interests_weight: 1, ..rules(3, 1) };
    let likes = |number, interest: &str| {
        ticket(number, Kind::Human, 100 - number as i64, |wish| {
            wish.interests = vec![interest.parse().unwrap()]
        })
    };
    let tickets = [likes(1, "go"), likes(2, "go"), likes(3, "tea"), likes(4, "tea")];
    let mut met = Avoid::default();
    met.add(user("u2"), user("u3"));
    met.add(user("u2"), user("u4"));
    assert_eq!(matched_with(&rules, &tickets, &met), [[1, 3, 4]]);
}

#[test]
fn bots_fill_what_humans_cannot() {
    let with_bots = Rules { bots_after_ms: Some(5_000), ..rules(2, 2) };
    let tickets = |waited| [human(1, waited), human(2, waited), bot(3, 9), bot(4, 7), bot(5, 8)];
    assert!(matched(&with_bots, &tickets(4_999)).is_empty());
    assert_eq!(matched(&with_bots, &tickets(5_000)), [[1, 2, 3, 5]]);
    assert!(matched(&rules(2, 2), &tickets(90_000)).is_empty(), "no bots at all");
    let bots: Vec<Waiting> = (1..=8).map(|number| bot(number, 90_000)).collect();
    assert!(matched(&with_bots, &bots).is_empty(), "never bots alone");
    let enough: Vec<Waiting> = (1..=4).map(|number| human(number, 9_000)).chain([bot(5, 90_000)]).collect();
    assert_eq!(matched(&with_bots, &enough), [[1, 2, 3, 4]], "humans first");
}

#[test]
fn a_human_who_has_not_waited_long_enough_gets_no_bots() {
    let with_bots = Rules { bots_after_ms: Some(5_000), ..rules(3, 1) };
    let tickets = [human(1, 5_000), human(2, 0), bot(3, 2), bot(4, 1)];
    assert_eq!(matched(&with_bots, &tickets), [[1, 3, 4]]);
}

#[test]
fn a_tournament_has_the_strongest_first() {
    let tickets = [rated(1, 40, 900), human(2, 30), rated(3, 20, 1_200), rated(4, 10, 1_000)];
    assert_eq!(teams(&tournament(4, None), &tickets), [[3], [4], [1], [2]]);
    let two = tournament(2, None);
    assert_eq!(teams(&two, &[rated(1, 40, 900), rated(2, 30, 1_000)]), [[2], [1]]);
}

#[test]
fn a_tournament_may_be_of_bots_alone() {
    let bots: Vec<Waiting> = (1..=64).map(|number| bot(number, 0)).collect();
    assert_eq!(matched(&tournament(64, Some(0)), &bots).len(), 1);
    assert!(matched(&tournament(64, Some(1)), &bots).is_empty(), "they have not waited");
    assert!(matched(&tournament(64, None), &bots).is_empty(), "it takes none");
    assert_eq!(matched(&tournament(16, Some(0)), &bots).len(), 4);
}

#[test]
fn bots_are_kept_for_humans_who_wait_for_a_tournament() {
    let rules = tournament(3, Some(5_000));
    let bots = [bot(2, 9_000), bot(3, 9_000), bot(4, 9_000)];
    let with = |waited| [vec![human(1, waited)], bots.to_vec()].concat();
    assert!(matched(&rules, &with(100)).is_empty());
    assert_eq!(matched(&rules, &with(5_000)), [[1, 2, 3]]);
    let elsewhere = Rules { must: vec![Field::Region], ..rules };
    let mut tickets = with(100);
    Arc::make_mut(&mut tickets[0].wish).region = Some("eu".parse().unwrap());
    assert_eq!(matched(&elsewhere, &tickets), [[2, 3, 4]], "they cannot be in one with it");
}

#[test]
fn nobody_is_left_over_while_there_are_enough() {
    for (teams, team_size) in [(2, 2), (4, 1), (1, 3), (2, 5), (8, 2)] {
        let rules = rules(teams, team_size);
        let tickets: Vec<Waiting> = (1..=100).map(|number| human(number, 1_000 - number as i64)).collect();
        let users = rules.users() as usize;
        assert_eq!(matched(&rules, &tickets).len(), 100 / users, "{teams} of {team_size}");
    }
}
