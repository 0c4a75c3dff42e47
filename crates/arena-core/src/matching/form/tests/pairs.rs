//! Pairs, case by case.

use super::*;
use crate::matching::{Field, Preference, RatingRule};

fn strangers() -> Rules {
    Rules::strangers()
}

#[test]
fn who_waits_longest_is_matched_first() {
    assert_eq!(matched(&strangers(), &[human(1, 10), human(2, 30), human(3, 20)]), [[2, 3]]);
}

#[test]
fn whoever_was_let_down_comes_first() {
    let mut tickets = [human(1, 30), human(2, 20), human(3, 10)];
    tickets[2].ahead = true;
    assert_eq!(matched(&strangers(), &tickets), [[1, 3]]);
}

#[test]
fn the_same_region_is_insisted_on_for_ten_seconds() {
    let apart = |waited| [from(1, waited, "eu"), from(2, 0, "us")];
    assert!(matched(&strangers(), &apart(9_999)).is_empty());
    assert_eq!(matched(&strangers(), &apart(10_000)), [[1, 2]]);
    assert_eq!(matched(&strangers(), &[from(1, 0, "eu"), human(2, 0)]), [[1, 2]], "left out goes with all");
    assert_eq!(matched(&strangers(), &[from(1, 0, "eu"), from(2, 0, "eu")]), [[1, 2]]);
}

#[test]
fn the_same_region_is_preferred_even_when_it_is_not_insisted_on() {
    let tickets = [from(1, 20_000, "eu"), from(2, 19_000, "us"), from(3, 0, "eu"), from(4, 0, "us")];
    assert_eq!(matched(&strangers(), &tickets), [[1, 3], [2, 4]]);
}

#[test]
fn what_must_be_the_same_is_never_left_out_by_one() {
    let mode: Field = "attributes.mode".parse().unwrap();
    let rules = Rules { must: vec![mode], ..Rules::default() };
    let plays = |number, value: &str| {
        let attribute = ("mode".parse().unwrap(), value.parse().unwrap());
        ticket(number, Kind::Human, 1_000_000, |wish| wish.attributes.extend([attribute]))
    };
    assert_eq!(matched(&rules, &[plays(1, "chess"), plays(2, "go"), plays(3, "go")]), [[2, 3]]);
    assert!(matched(&rules, &[plays(1, "chess"), human(2, 1_000_000)]).is_empty());
    assert_eq!(matched(&rules, &[human(1, 0), human(2, 0)]), [[1, 2]], "left out by both is the same");
}

#[test]
fn interests_in_common_decide() {
    let likes = |number, interests: &[&str]| {
        let interests = interests.iter().map(|interest| interest.parse().unwrap()).collect();
        ticket(number, Kind::Human, 100 - number as i64, |wish| wish.interests = interests)
    };
    let tickets =
        [likes(1, &["go", "tea"]), likes(2, &["cars"]), likes(3, &["go"]), likes(4, &["tea", "go"])];
    assert_eq!(matched(&strangers(), &tickets), [[1, 4], [2, 3]]);
}

#[test]
fn ratings_may_be_further_apart_as_time_passes() {
    let rating = Some(RatingRule { within: 50, grows_per_s: 10, at_most: Some(100) });
    let rules = Rules { rating, ..Rules::default() };
    let plays =
        |number, waited, rating| ticket(number, Kind::Human, waited, |wish| wish.rating = Some(rating));
    let two = |waited, other| matched(&rules, &[plays(1, waited, 1_000), plays(2, 0, other)]).len();
    assert_eq!((two(0, 1_050), two(0, 1_051)), (1, 0));
    assert_eq!((two(1_000, 940), two(1_000, 939)), (1, 0));
    assert_eq!((two(1_000_000, 1_100), two(1_000_000, 1_101)), (1, 0));
    assert_eq!(matched(&rules, &[plays(1, 0, 9_000), human(2, 0)]), [[1, 2]], "without one goes with all");
    let three = [plays(1, 30, 1_000), plays(2, 20, 1_040), plays(3, 10, 1_010)];
    assert_eq!(matched(&rules, &three), [[1, 3]], "the nearest");
}

#[test]
fn who_met_lately_or_is_avoided_is_left_alone() {
    let tickets = [human(1, 30), human(2, 20)];
    let mut met = Avoid::default();
    met.add(user("u2"), user("u1"));
    assert!(matched_with(&strangers(), &tickets, &met).is_empty());
    for (one, other) in [(1, 2), (2, 1)] {
        let avoids = ticket(one, Kind::Human, 10, |wish| wish.avoid = vec![user(&format!("u{other}"))]);
        assert!(matched(&strangers(), &[avoids, human(other, 10)]).is_empty());
    }
}

#[test]
fn a_human_gets_a_bot_after_five_seconds_and_only_if_no_human_fits() {
    assert!(matched(&strangers(), &[human(1, 4_999), bot(2, 90_000)]).is_empty());
    assert_eq!(matched(&strangers(), &[human(1, 5_000), bot(2, 0)]), [[1, 2]]);
    assert_eq!(matched(&strangers(), &[human(1, 90_000), bot(2, 95_000), human(3, 0)]), [[1, 3]]);
    assert!(matched(&Rules::default(), &[human(1, 90_000), bot(2, 90_000)]).is_empty(), "no bots at all");
}

#[test]
fn the_bot_that_has_waited_longest_is_taken() {
    let tickets = [human(1, 6_000), human(2, 9_000), bot(3, 1), bot(4, 3), bot(5, 2)];
    let mut rules = strangers();
    assert_eq!(matched(&rules, &tickets), [[1, 2]]);
    rules.must = vec!["attributes.own".parse().unwrap()];
    let own = |number, kind, waited, value: &str| {
        let attribute = ("own".parse().unwrap(), value.parse().unwrap());
        ticket(number, kind, waited, |wish| wish.attributes.extend([attribute]))
    };
    let bots = [own(3, Kind::Bot, 1, "a"), own(4, Kind::Bot, 3, "a"), own(5, Kind::Bot, 2, "b")];
    let mut tickets = vec![own(1, Kind::Human, 6_000, "a"), own(2, Kind::Human, 9_000, "b")];
    tickets.extend(bots);
    assert_eq!(matched(&rules, &tickets), [[2, 5], [1, 4]]);
}

#[test]
fn a_bot_that_stands_by_for_long_widens_nothing() {
    let mut other_region = bot(2, 90_000);
    Arc::make_mut(&mut other_region.wish).region = Some("us".parse().unwrap());
    assert!(matched(&strangers(), &[from(1, 9_999, "eu"), other_region.clone()]).is_empty());
    assert_eq!(matched(&strangers(), &[from(1, 10_000, "eu"), other_region]), [[1, 2]]);
}

#[test]
fn bots_are_never_matched_with_bots() {
    assert!(matched(&strangers(), &[bot(1, 90_000), bot(2, 90_000), bot(3, 0)]).is_empty());
}

#[test]
fn nobody_is_matched_before_the_shortest_wait() {
    let rules = Rules { min_wait_ms: 500, ..Rules::default() };
    assert!(matched(&rules, &[human(1, 499), human(2, 9_000)]).is_empty());
    assert_eq!(matched(&rules, &[human(1, 500), human(2, 9_000)]), [[1, 2]]);
}

#[test]
fn a_user_on_two_tickets_waits_with_the_first() {
    let twice = |number, waited| ticket(number, Kind::Human, waited, |wish| wish.user = user("ann"));
    assert!(matched(&strangers(), &[twice(1, 20), twice(2, 10)]).is_empty());
    assert_eq!(matched(&strangers(), &[twice(1, 20), twice(2, 10), human(3, 0)]), [[1, 3]]);
}

#[test]
fn quality_is_the_share_of_what_was_wished_for() {
    let quality = |one: Waiting, other: Waiting| {
        form(&strangers(), &[one, other], &Avoid::default(), NOW, 0)[0].quality
    };
    let said = |number, region: &str, language: &str| {
        let (region, language) = (region.parse().unwrap(), language.parse().unwrap());
        let set = |wish: &mut Wish| (wish.region, wish.language) = (Some(region), Some(language));
        ticket(number, Kind::Human, 100_000, set)
    };
    assert_eq!(quality(said(1, "eu", "de"), said(2, "eu", "de")), 100);
    assert_eq!(quality(said(1, "eu", "de"), said(2, "us", "de")), 66, "language is worth 4, region 2");
    assert_eq!(quality(said(1, "eu", "de"), said(2, "us", "en")), 0);
    assert_eq!(quality(human(1, 0), human(2, 0)), 50, "nobody knows");
    let nothing = form(&Rules::default(), &[human(1, 0), human(2, 0)], &Avoid::default(), NOW, 0);
    assert_eq!(nothing[0].quality, 100, "nothing was wished for");
}

#[test]
fn a_preference_can_be_for_ever() {
    let preference = Preference { field: Field::Region, for_ms: None, weight: 1 };
    let rules = Rules { prefer: vec![preference], ..Rules::default() };
    assert!(matched(&rules, &[from(1, 80_000_000, "eu"), from(2, 80_000_000, "us")]).is_empty());
}

#[test]
fn ratings_without_a_rule_change_nothing() {
    let plays = |number: u128| {
        ticket(number, Kind::Human, 1_000 - number as i64, |wish| wish.rating = Some(-(number as i32)))
    };
    let tickets: Vec<Waiting> = (1..=100).map(plays).collect();
    let in_turn: Vec<Vec<u128>> = (1..=50).map(|nth| vec![2 * nth - 1, 2 * nth]).collect();
    assert_eq!(matched(&strangers(), &tickets), in_turn);
}

#[test]
fn a_large_crowd_is_put_together_but_for_the_few_who_do_not_agree() {
    let regions = ["eu", "us", "ap"];
    let tickets: Vec<Waiting> =
        (0..3_000_u32).map(|nth| from(nth.into(), (nth % 9_000).into(), regions[nth as usize % 3])).collect();
    let made = matched(&strangers(), &tickets);
    assert_eq!(made.len(), 1_500);
    assert!(made.iter().all(|pair| pair[0] % 3 == pair[1] % 3), "of one region");
}

#[test]
fn who_has_met_more_than_can_be_looked_at_is_compared_with_everybody() {
    let many = 3 * LOOKS.looked as u128;
    let (one, other) = (many / 2, many - 1);
    let tickets: Vec<Waiting> = (0..many).map(|number| human(number, 1_000 - number as i64)).collect();
    let mut met = Avoid::default();
    for (a, b) in
        (0..many).flat_map(|a| (0..a).map(move |b| (a, b))).filter(|(a, b)| (*b, *a) != (one, other))
    {
        met.add(user(&format!("u{a}")), user(&format!("u{b}")));
    }
    assert_eq!(matched_with(&strangers(), &tickets, &met), [[one, other]]);
}
