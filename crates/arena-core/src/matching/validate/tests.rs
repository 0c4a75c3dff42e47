use super::*;
use crate::conversation::{Caps, Limits, TurnPolicy, Turns};
use crate::matching::{Field, Label, Preference};
use crate::tournament::Format;

fn rules_refused(change: impl FnOnce(&mut Rules)) -> String {
    let mut rules = Rules::strangers();
    change(&mut rules);
    rules.check().expect_err("such rules were taken").to_string()
}

fn rules_taken(change: impl FnOnce(&mut Rules)) {
    let mut rules = Rules::strangers();
    change(&mut rules);
    assert_eq!(rules.check(), Ok(()), "{rules:?}");
}

fn talk(setup: Setup) -> Outcome {
    Outcome::Talk(Box::new(setup))
}

fn user(name: &str) -> ParticipantId {
    name.parse().unwrap()
}

#[test]
fn the_rules_that_come_along_are_acceptable() {
    assert_eq!(Rules::default().check(), Ok(()));
    assert_eq!(Rules::strangers().check(), Ok(()));
}

#[test]
fn a_match_is_of_two_to_256_users() {
    rules_taken(|rules| (rules.teams, rules.team_size) = (1, 2));
    rules_taken(|rules| (rules.teams, rules.team_size) = (16, 16));
    rules_taken(|rules| (rules.teams, rules.team_size) = (256, 1));
    assert!(rules_refused(|rules| (rules.teams, rules.team_size) = (1, 1)).contains("raise teams"));
    assert!(rules_refused(|rules| (rules.teams, rules.team_size) = (17, 16)).contains("is 272"));
    assert!(rules_refused(|rules| rules.teams = 0).contains("teams is 0"));
    assert!(rules_refused(|rules| rules.teams = u32::MAX).contains("teams is"));
    assert!(rules_refused(|rules| rules.team_size = 17).contains("team_size is 17"));
}

#[test]
fn a_field_is_compared_once() {
    let both = |rules: &mut Rules| rules.must.push(Field::Region);
    assert!(rules_refused(both).contains("`region` is in must and prefer twice"));
    let attribute = |nth: usize| Field::Attribute(format!("a{nth}").parse().unwrap());
    rules_taken(|rules| rules.must = (0..8).map(attribute).collect());
    assert!(rules_refused(|rules| rules.must = (0..9).map(attribute).collect()).contains("9 fields"));
    let preferred = |nth| Preference { field: attribute(nth), for_ms: None, weight: 1 };
    assert!(rules_refused(|rules| rules.prefer = (0..9).map(preferred).collect()).contains("prefer has 9"));
}

#[test]
fn weights_and_durations_are_bounded() {
    assert!(rules_refused(|rules| rules.interests_weight = 1_001).contains("interests_weight"));
    assert!(rules_refused(|rules| rules.prefer[0].weight = 1_001).contains("prefer `region`: weight"));
    assert!(rules_refused(|rules| rules.prefer[1].for_ms = Some(86_400_001)).contains("for_ms"));
    assert!(rules_refused(|rules| rules.confirm_ms = 0).contains("confirm_ms is 0"));
    assert!(rules_refused(|rules| rules.silent_ms = 0).contains("silent_ms is 0"));
    assert!(rules_refused(|rules| rules.away_ms = u64::MAX).contains("away_ms"));
    assert!(rules_refused(|rules| rules.max_wait_ms = Some(0)).contains("max_wait_ms"));
    rules_taken(|rules| (rules.away_ms, rules.skip_window_ms) = (0, 86_400_000));
}

#[test]
fn waits_that_contradict_each_other_are_refused() {
    assert!(
        rules_refused(|rules| (rules.min_wait_ms, rules.max_wait_ms) = (9_000, Some(9_000)))
            .contains("min_wait_ms")
    );
    assert!(rules_refused(|rules| rules.max_wait_ms = Some(5_000)).contains("bots never come"));
    rules_taken(|rules| rules.max_wait_ms = Some(5_001));
    let rating = RatingRule { within: 100, grows_per_s: 0, at_most: Some(99) };
    assert!(rules_refused(|rules| rules.rating = Some(rating)).contains("at_most"));
    rules_taken(|rules| rules.rating = Some(RatingRule { at_most: Some(100), ..rating }));
}

#[test]
fn a_talk_has_to_work_with_as_many_users_as_a_match_has() {
    let turns =
        Setup { turns: Turns { policy: TurnPolicy::RoundRobin, timeout_ms: None }, ..Setup::default() };
    rules_taken(|rules| rules.outcome = talk(turns));
    let sure = |total| {
        let limits = Limits {
            guaranteed_per_participant: 5,
            total: Caps { messages: Some(total), ..Caps::default() },
            ..Limits::default()
        };
        talk(Setup { limits, ..Setup::default() })
    };
    rules_taken(|rules| rules.outcome = sure(10));
    assert!(rules_refused(|rules| rules.outcome = sure(9)).contains("2 times 5 is more than 9"));
    let named = Setup { participants: vec![user("ann")], ..Setup::default() };
    assert!(rules_refused(|rules| rules.outcome = talk(named)).contains("leave them out"));
}

#[test]
fn a_tournament_is_among_single_users() {
    let tournament = Outcome::Tournament { format: Format::RoundRobin, region: None };
    rules_taken(|rules| (rules.teams, rules.outcome) = (32, tournament.clone()));
    let refused = rules_refused(|rules| (rules.team_size, rules.outcome) = (2, tournament));
    assert!(refused.contains("set team_size to 1"), "{refused}");
    // 33 would play 528 games.
    let league = Outcome::Tournament { format: Format::RoundRobin, region: None };
    let refused = rules_refused(|rules| (rules.teams, rules.outcome) = (33, league));
    assert!(refused.contains("at most 32"), "{refused}");
    let cup = Outcome::Tournament { format: Format::SingleElimination, region: None };
    rules_taken(|rules| (rules.teams, rules.outcome) = (256, cup));
}

fn wish_refused(rules: &Rules, change: impl FnOnce(&mut Wish)) -> String {
    let mut wish = Wish::of(user("ann"), Kind::Human);
    change(&mut wish);
    wish.check(rules).expect_err("such a wish was taken").to_string()
}

#[test]
fn a_party_fits_into_a_team_and_names_everybody_once() {
    let pairs = Rules::strangers();
    assert_eq!(Wish::of(user("ann"), Kind::Human).check(&pairs), Ok(()));
    assert!(wish_refused(&pairs, |wish| wish.party = vec![user("bob")]).contains("2 users do not fit"));
    let teams = Rules { team_size: 3, ..Rules::default() };
    let mut wish = Wish::of(user("ann"), Kind::Human);
    wish.party = vec![user("bob"), user("cyd")];
    assert_eq!(wish.check(&teams), Ok(()));
    assert!(wish_refused(&teams, |wish| wish.party = vec![user("ann")]).contains("`ann` is named twice"));
    let with_bob = |wish: &mut Wish| (wish.party, wish.avoid) = (vec![user("bob")], vec![user("bob")]);
    assert!(wish_refused(&teams, with_bob).contains("take it out of avoid"));
    let bots = |wish: &mut Wish| (wish.party, wish.kind) = (vec![user("bob")], Kind::Bot);
    assert!(wish_refused(&teams, bots).contains("a bot comes alone"));
}

#[test]
fn lists_of_a_wish_are_bounded() {
    let rules = Rules::default();
    let label = |nth: usize| format!("l{nth}").parse::<Label>().unwrap();
    let many = |nth: usize| user(&format!("u{nth}"));
    assert!(wish_refused(&rules, |wish| wish.avoid = (0..101).map(many).collect()).contains("avoid has 101"));
    assert!(wish_refused(&rules, |wish| wish.interests = (0..21).map(label).collect()).contains("interests"));
    let attributes =
        |wish: &mut Wish| wish.attributes = (0..21).map(|nth| (label(nth), label(nth))).collect();
    assert!(wish_refused(&rules, attributes).contains("attributes"));
    let mut full = Wish::of(user("ann"), Kind::Human);
    full.avoid = (0..100).map(many).collect();
    full.interests = (0..20).map(label).collect();
    full.attributes = (0..20).map(|nth| (label(nth), label(nth))).collect();
    assert_eq!(full.check(&rules), Ok(()));
}

#[test]
fn a_name_can_be_shown() {
    let rules = Rules::default();
    let mut wish = Wish::of(user("ann"), Kind::Human);
    for good in ["Ann", "Ännchen von Tharau", &"ß".repeat(64)] {
        wish.name = Some(good.to_owned());
        assert_eq!(wish.check(&rules), Ok(()), "{good}");
    }
    for bad in ["", "  ", "a\nb", &"x".repeat(65)] {
        assert!(wish_refused(&rules, |wish| wish.name = Some(bad.to_owned())).contains("name must be"));
    }
}

#[test]
fn metadata_leaves_room_for_the_notes_of_a_match() {
    // {"x":"…"} and what is in between.
    let metadata = |bytes: usize| {
        let json = serde_json::json!({ "x": "y".repeat(bytes - 8) });
        let metadata = Metadata::try_from(json).unwrap();
        assert_eq!(metadata.to_json().len(), bytes);
        talk(Setup { metadata, ..Setup::default() })
    };
    rules_taken(|rules| rules.outcome = metadata(Metadata::MAX_BYTES - 256));
    let error = rules_refused(|rules| rules.outcome = metadata(Metadata::MAX_BYTES - 255));
    assert!(error.contains("256 bytes shorter"), "{error}");
}
