//! What must hold of every evening, whoever comes.

use super::*;
use crate::matching::Kind;
use crate::matching::form::tests::naive;
use std::collections::BTreeMap;

const SEEDS: [u64; 5] = [1, 2, 3, 4, 5];

/// Ticks that two may wait who may be matched. One look finds everybody in crowds of this size.
const FEW_TICKS: u32 = 2;

fn evening(seed: u64) -> Plan {
    Plan { seed, duration_s: 300, ..Plan::default() }
}

/// Replays under the rules, and shows every tick.
fn watch(rules: &Rules, plan: &Plan, watch: &mut dyn FnMut(&Look<'_>)) -> Tally {
    replay(rules, plan, &arrivals::arrivals(plan), Matcher::Rules, watch)
}

#[test]
fn the_same_seed_gives_the_same_report() {
    let run = |seed| simulate(&Rules::strangers(), &evening(seed)).unwrap();
    for seed in SEEDS {
        assert_eq!(run(seed), run(seed));
    }
    assert_ne!(run(1), run(2));
}

#[test]
fn nobody_is_lost() {
    for seed in SEEDS {
        let report = simulate(&Rules::strangers(), &evening(seed)).unwrap();
        for tally in [&report.rules, &report.first_come] {
            let ended = tally.with_humans + tally.with_bots + tally.abandoned + tally.waiting_at_end;
            assert_eq!(tally.waits, ended, "{tally:?}");
            assert!(tally.matches > 100 && tally.arrivals > 450, "{tally:?}");
        }
        assert_eq!(report.rules.arrivals, report.first_come.arrivals);
    }
}

#[test]
fn nobody_waits_for_more_than_a_few_ticks_while_a_legal_partner_waits() {
    let rules = Rules::strangers();
    for seed in SEEDS {
        let mut waiting_together: BTreeMap<_, u32> = BTreeMap::new();
        watch(&rules, &evening(seed), &mut |look| {
            let taken: Vec<usize> = look.formed.iter().flat_map(|formed| formed.teams.concat()).collect();
            let left: Vec<&Waiting> = (0..look.waiting.len())
                .filter(|place| !taken.contains(place))
                .map(|place| &look.waiting[place])
                .collect();
            let mut now = BTreeMap::new();
            for (nth, one) in left.iter().enumerate() {
                for other in &left[..nth] {
                    if naive::legal(&rules, look.avoid, one, other, look.now) {
                        let ticks = waiting_together.get(&(one.id, other.id)).unwrap_or(&0) + 1;
                        assert!(ticks <= FEW_TICKS, "{one:?} and {other:?} at {:?}", look.now);
                        now.insert((one.id, other.id), ticks);
                    }
                }
            }
            waiting_together = now;
        });
    }
}

#[test]
fn bots_never_pair_and_humans_come_first() {
    let rules = Rules::strangers();
    for seed in SEEDS {
        let tally = watch(&rules, &evening(seed), &mut |look| {
            let kind = |place: &usize| look.waiting[*place].wish.kind;
            let taken: Vec<usize> = look.formed.iter().flat_map(|formed| formed.teams.concat()).collect();
            for formed in look.formed {
                let (bots, humans): (Vec<usize>, Vec<usize>) =
                    formed.teams.concat().into_iter().partition(|place| kind(place) == Kind::Bot);
                assert!(bots.len() <= 1, "bots in a pair");
                let mut left = (0..look.waiting.len()).filter(|place| !taken.contains(place));
                let waits = left.find(|place| {
                    !bots.is_empty()
                        && kind(place) == Kind::Human
                        && naive::legal(
                            &rules,
                            look.avoid,
                            &look.waiting[humans[0]],
                            &look.waiting[*place],
                            look.now,
                        )
                });
                assert_eq!(waits, None, "a human got a bot while another waits");
            }
        });
        assert!(tally.with_bots > 0 && tally.with_humans > 0, "{tally:?}");
    }
}

#[test]
fn nobody_meets_the_same_partner_within_the_skip_window() {
    let skippers = |seed| Plan { duration_s: 120, skip_percent: 90, talk_ms: 5_000, ..evening(seed) };
    for seed in SEEDS {
        let report = simulate(&Rules::strangers(), &skippers(seed)).unwrap();
        assert_eq!(report.rules.met_again, 0);
    }
}

#[test]
fn with_enough_bots_nobody_waits_longer_than_for_a_bot() {
    let rules = Rules::strangers();
    for seed in SEEDS {
        let plan = Plan { bots: 150, ..evening(seed) };
        let tally = simulate(&rules, &plan).unwrap().rules;
        let most = rules.bots_after_ms.unwrap() + u64::from(plan.tick_ms);
        assert!(tally.wait_max_ms <= most, "{tally:?}");
        assert_eq!(tally.with_bots + tally.with_humans + tally.abandoned + tally.waiting_at_end, tally.waits);
    }
}

#[test]
fn without_bots_waits_are_bounded_by_what_is_insisted_on() {
    let rules = Rules::strangers();
    let longest = rules.prefer.iter().filter_map(|preference| preference.for_ms).max().unwrap();
    for seed in SEEDS {
        let plan = Plan { bots: 0, humans_per_s: 1.0, ..evening(seed) };
        let tally = simulate(&rules, &plan).unwrap().rules;
        assert!(tally.wait_p95_ms <= longest + 2_000, "{tally:?}");
        assert_eq!(tally.with_bots, 0);
    }
}

#[test]
fn rules_give_better_partners_than_first_come_does() {
    for seed in SEEDS {
        let report = simulate(&Rules::strangers(), &evening(seed)).unwrap();
        let (ours, plain) = (&report.rules, &report.first_come);
        assert!(ours.quality_mean > plain.quality_mean + 20.0, "{report:?}");
        assert!(ours.same_language_percent > plain.same_language_percent + 20.0, "{report:?}");
        assert!(ours.same_region_percent > plain.same_region_percent + 20.0, "{report:?}");
    }
}

#[test]
fn the_impatient_leave() {
    let alone = Plan { bots: 0, humans_per_s: 0.01, impatient_percent: 100, ..evening(1) };
    let tally = simulate(&Rules::strangers(), &alone).unwrap().rules;
    assert!(tally.abandoned > 0 && tally.abandoned + tally.waiting_at_end == tally.waits, "{tally:?}");
    let timed_out = Rules { max_wait_ms: Some(6_000), ..Rules::strangers() };
    let patient = Plan { impatient_percent: 0, ..alone };
    let tally = simulate(&timed_out, &patient).unwrap().rules;
    assert!(tally.abandoned > 0 && tally.abandoned + tally.waiting_at_end == tally.waits, "{tally:?}");
}

#[test]
fn teams_can_be_replayed_too() {
    let rules = Rules { teams: 2, team_size: 3, bots_after_ms: Some(8_000), ..Rules::default() };
    let report = simulate(&rules, &evening(1)).unwrap();
    assert!(report.rules.matches > 50, "{report:?}");
}

#[test]
fn plans_and_rules_that_make_no_sense_are_refused() {
    let refused = |change: fn(&mut Plan)| {
        let mut plan = Plan::default();
        change(&mut plan);
        simulate(&Rules::strangers(), &plan).is_err()
    };
    assert!(refused(|plan| plan.duration_s = 0));
    assert!(refused(|plan| plan.humans_per_s = f64::NAN));
    assert!(refused(|plan| plan.humans_per_s = -1.0));
    assert!(refused(|plan| plan.humans_per_s = 1e9));
    assert!(refused(|plan| plan.bots = 10_001));
    assert!(refused(|plan| plan.tick_ms = 0));
    assert!(refused(|plan| plan.skip_percent = 101));
    assert!(refused(|plan| plan.talk_ms = 0));
    assert!(refused(|plan| plan.interests_each = 21));
    assert!(simulate(&Rules { teams: 0, ..Rules::default() }, &Plan::default()).is_err());
}

#[test]
fn a_plan_survives_json_and_may_leave_things_out() {
    let json = serde_json::to_string(&Plan::default()).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), Plan::default());
    assert_eq!(serde_json::from_str::<Plan>(r#"{"seed":7}"#).unwrap(), Plan { seed: 7, ..Plan::default() });
    assert!(serde_json::from_str::<Plan>(r#"{"sed":7}"#).is_err());
}
