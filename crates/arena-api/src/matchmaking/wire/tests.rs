//! What JSON of matchmaking means.

use super::*;
use crate::conversations::wire::{Speaker, WireError, object};
use crate::matchmaking::Act;
use arena_core::matching::{Field, Kind, Outcome, Rules, Wish};
use arena_core::tournament::Format;
use serde_json::{Value, json};

fn rules(body: &Value) -> Rules {
    rules_from_json(&body.to_string()).unwrap()
}

fn why(body: &Value) -> String {
    rules_from_json(&body.to_string()).unwrap_err()
}

#[test]
fn rules_that_say_nothing_are_the_default_and_every_field_comes_back_as_it_was_told() {
    assert_eq!(rules(&json!({})), Rules::default());
    assert_eq!(rules(&json!({"teams": null, "outcome": null})), Rules::default());
    let told = json!({
        "teams": 2, "team_size": 3,
        "must": ["language", "attributes.mode"],
        "prefer": [{"field": "region", "for_ms": 10_000, "weight": 2}],
        "rating": {"within": 100, "grows_per_s": 10, "at_most": 400},
        "interests_weight": 3, "bots_after_ms": 5_000, "min_wait_ms": 500, "max_wait_ms": 60_000,
        "skip_window_ms": 1_000, "confirm_ms": 2_000, "silent_ms": 3_000, "away_ms": 4_000,
        "round_ms": 5_000,
        "outcome": {"talk": {
            "limits": {"max_total_messages": 20, "max_total_tokens": 900},
            "turns": {"policy": "round_robin", "timeout_ms": 1_000},
            "loops": {"max_repeats": 5},
            "metadata": {"room": "blue"},
        }},
    });
    let read = rules(&told);
    assert_eq!(read.must[1], Field::Attribute("mode".parse().unwrap()));
    let Outcome::Talk(setup) = &read.outcome else { panic!("{read:?}") };
    assert_eq!((setup.limits.total.messages, setup.limits.total.tokens), (Some(20), Some(900)));
    let shown = serde_json::to_value(RulesBody::from(read.clone())).unwrap();
    for (name, value) in told.as_object().unwrap().iter().filter(|(name, _)| *name != "outcome") {
        assert_eq!(&shown[name], value, "{name}");
    }
    assert_eq!(shown["outcome"]["talk"]["limits"]["max_total_messages"], 20);
    assert_eq!(rules(&shown), read, "what is shown is taken");
}

#[test]
fn a_tournament_is_an_outcome_and_strangers_are_rules_like_others() {
    let cup =
        rules(&json!({"teams": 8, "outcome": {"tournament": {"format": "round_robin", "region": "eu"}}}));
    let Outcome::Tournament { format, region } = &cup.outcome else { panic!("{cup:?}") };
    assert_eq!(
        (*format, region.as_ref().map(ToString::to_string)),
        (Format::RoundRobin, Some("eu".to_owned()))
    );
    let strangers = serde_json::to_value(RulesBody::from(Rules::strangers())).unwrap();
    assert_eq!(rules(&strangers), Rules::strangers());
}

#[test]
fn what_is_wrong_with_rules_is_told_with_the_field_at_fault() {
    for (body, part) in [
        (json!({"team": 2}), "unknown field `team`"),
        (json!({"teams": "two"}), "teams:"),
        (json!({"must": ["colour"]}), "region, language or attributes.<name>"),
        (json!({"prefer": [{"field": "region", "weight": 1, "how": 2}]}), "unknown field `how`"),
        (json!({"rating": {"within": -1}}), "rating.within:"),
        (json!({"outcome": {"war": {}}}), "unknown variant `war`"),
        (json!({"outcome": {"talk": {"participants": ["ann"]}}}), "unknown field `participants`"),
        (json!({"outcome": {"tournament": {"format": "swiss"}}}), "unknown variant `swiss`"),
        (json!([]), "a JSON object is expected"),
    ] {
        assert!(why(&body).contains(part), "{body}: {}", why(&body));
    }
}

fn wish(body: &Value, who: &Speaker) -> Result<Wish, WireError> {
    let mut body = object::<EnqueueBody>(&body.to_string())?;
    let user = who.name(body.user.take(), "user")?;
    body.act(user, who).map(|act| match act {
        Act::Enqueue { wish, .. } => *wish,
        other => panic!("{other:?}"),
    })
}

#[test]
fn users_wait_for_themselves_and_services_for_anybody_and_whole_parties() {
    let (ann, service) = (Speaker::user("ann".parse().unwrap()), Speaker::service());
    let plain = json!({"queue": "strangers"});
    assert_eq!(wish(&plain, &ann).unwrap().user.as_str(), "ann");
    let error = wish(&plain, &service).unwrap_err();
    assert_eq!((error.code(), error.to_string().contains("`user`")), ("invalid_body", true));
    let for_bob = json!({"queue": "strangers", "user": "bob"});
    assert_eq!(wish(&for_bob, &service).unwrap().user.as_str(), "bob");
    assert_eq!(wish(&for_bob, &ann).unwrap_err().code(), "not_your_name");
    let party = json!({"queue": "strangers", "user": "ann", "party": ["bob"]});
    assert_eq!(wish(&party, &ann).unwrap_err().code(), "service_only");
    assert_eq!(wish(&party, &service).unwrap().size(), 2);
    assert_eq!(wish(&plain, &Speaker::nobody()).unwrap_err().code(), "not_your_name");
}

#[test]
fn a_bot_by_its_token_is_one_whatever_it_says_and_anybody_may_say_so() {
    let ann = Speaker::user("ann".parse().unwrap());
    let bot = Speaker { bot: true, ..ann.clone() };
    for (said, who, kind) in [
        (json!({"queue": "q"}), &ann, Kind::Human),
        (json!({"queue": "q", "kind": "bot"}), &ann, Kind::Bot),
        (json!({"queue": "q", "kind": "human"}), &bot, Kind::Bot),
        (json!({"queue": "q"}), &bot, Kind::Bot),
    ] {
        assert_eq!(wish(&said, who).unwrap().kind, kind, "{said}");
    }
}

#[test]
fn a_draw_is_said_and_not_left_out() {
    let result = |json: &str| object::<ResultBody>(json);
    assert_eq!(result(r#"{"winner": null, "score": [1, 1]}"#).unwrap().score, Some((1, 1)));
    assert!(result("{}").unwrap_err().to_string().contains("`winner`"));
    assert!(result(r#"{"winner": "a", "score": [1]}"#).unwrap_err().to_string().starts_with("score"));
}
