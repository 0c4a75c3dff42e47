//! What is asked on a user's topic.

use super::Act;
use super::wire::{EnqueueBody, named};
use crate::conversations::wire::{Speaker, WireError, object};
use arena_core::conversation::ParticipantId;
use arena_core::matching::MatchId;
use serde::Deserialize;

/// Something that is asked for a user.
#[derive(Debug, PartialEq)]
pub(crate) enum Event {
    /// To do something.
    Act(Act),
    /// Which ticket it is on.
    Status,
    /// To note that it is there still.
    Heartbeat,
    /// To take its ticket back.
    Cancel,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NothingBody {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MatchOnly {
    r#match: MatchId,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Going {
    r#match: MatchId,
    requeue: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Blocking {
    blocked: ParticipantId,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reporting {
    r#match: MatchId,
    reported: Option<ParticipantId>,
    reason: String,
    detail: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GameResult {
    r#match: MatchId,
    game: u32,
    #[serde(deserialize_with = "named")]
    winner: Option<ParticipantId>,
    score: Option<(u32, u32)>,
}

impl Event {
    /// What an event of this name and this payload asks for `user`, on whose topic `who` sends it.
    pub(crate) fn read(
        name: &str,
        json: &str,
        user: &ParticipantId,
        who: &Speaker,
    ) -> Result<Event, WireError> {
        let nothing = |event| object::<NothingBody>(json).map(|NothingBody {}| event);
        Ok(Event::Act(match name {
            "match_status" => return nothing(Event::Status),
            "match_heartbeat" => return nothing(Event::Heartbeat),
            "match_cancel" => return nothing(Event::Cancel),
            "match_enqueue" => {
                let mut body: EnqueueBody = object(json)?;
                // The topic says whom it is for, to services too.
                let user = Speaker::user(user.clone()).name(body.user.take(), "user")?;
                body.act(user, who)?
            }
            "match_confirm" => Act::Confirm(object::<MatchOnly>(json)?.r#match),
            "match_decline" => Act::Decline(object::<MatchOnly>(json)?.r#match),
            "match_skip" => {
                let Going { r#match: id, requeue } = object(json)?;
                Act::Skip { id, requeue: requeue.unwrap_or(true) }
            }
            "match_leave" => {
                let Going { r#match: id, requeue } = object(json)?;
                Act::Leave { id, requeue: requeue.unwrap_or(false) }
            }
            "match_block" => Act::Block(object::<Blocking>(json)?.blocked),
            "match_unblock" => Act::Unblock(object::<Blocking>(json)?.blocked),
            "match_report" => {
                let Reporting { r#match: id, reported, reason, detail } = object(json)?;
                Act::Report { id, reported, reason, detail: detail.unwrap_or_default() }
            }
            "match_result" => {
                let GameResult { r#match: id, game, winner, score } = object(json)?;
                Act::Result { id, game, winner, score }
            }
            other => return Err(WireError::UnknownEvent(other.chars().take(40).collect())),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arena_core::matching::Kind;
    use serde_json::{Value, json};

    const ID: &str = "00000000-0000-0000-0000-000000000007";

    fn id() -> MatchId {
        ID.parse().unwrap()
    }

    fn ann() -> ParticipantId {
        "ann".parse().unwrap()
    }

    fn read(name: &str, body: &Value) -> Result<Event, WireError> {
        Event::read(name, &body.to_string(), &ann(), &Speaker::user(ann()))
    }

    #[test]
    fn every_event_is_read_and_whoever_skips_waits_again_unless_they_say_otherwise() {
        let of = |body: Value| body;
        for (name, body, event) in [
            ("match_status", of(json!({})), Event::Status),
            ("match_heartbeat", of(json!({})), Event::Heartbeat),
            ("match_cancel", of(json!({})), Event::Cancel),
            ("match_confirm", of(json!({"match": ID})), Event::Act(Act::Confirm(id()))),
            ("match_decline", of(json!({"match": ID})), Event::Act(Act::Decline(id()))),
            ("match_skip", of(json!({"match": ID})), Event::Act(Act::Skip { id: id(), requeue: true })),
            (
                "match_skip",
                of(json!({"match": ID, "requeue": false})),
                Event::Act(Act::Skip { id: id(), requeue: false }),
            ),
            ("match_leave", of(json!({"match": ID})), Event::Act(Act::Leave { id: id(), requeue: false })),
            ("match_block", of(json!({"blocked": "ann"})), Event::Act(Act::Block(ann()))),
            ("match_unblock", of(json!({"blocked": "ann"})), Event::Act(Act::Unblock(ann()))),
            (
                "match_report",
                of(json!({"match": ID, "reason": "spam"})),
                Event::Act(Act::Report {
                    id: id(),
                    reported: None,
                    reason: "spam".to_owned(),
                    detail: String::new(),
                }),
            ),
            (
                "match_result",
                of(json!({"match": ID, "game": 3, "winner": "ann", "score": [2, 1]})),
                Event::Act(Act::Result { id: id(), game: 3, winner: Some(ann()), score: Some((2, 1)) }),
            ),
        ] {
            assert_eq!(read(name, &body), Ok(event), "{name}");
        }
    }

    #[test]
    fn whoever_waits_is_the_one_whose_topic_it_is() {
        let enqueue = |body: Value, who: &Speaker| {
            Event::read("match_enqueue", &body.to_string(), &ann(), who).map(|event| match event {
                Event::Act(Act::Enqueue { wish, .. }) => *wish,
                other => panic!("{other:?}"),
            })
        };
        let service = Speaker::service();
        let own = enqueue(json!({"queue": "q"}), &service).unwrap();
        assert_eq!((own.user, own.kind), (ann(), Kind::Human));
        let other = enqueue(json!({"queue": "q", "user": "bob"}), &service);
        assert_eq!(other.unwrap_err().code(), "not_your_name");
        assert_eq!(enqueue(json!({"queue": "q", "party": ["bob"]}), &service).unwrap().size(), 2);
        let bot = Speaker { bot: true, ..Speaker::user(ann()) };
        assert_eq!(enqueue(json!({"queue": "q", "kind": "human"}), &bot).unwrap().kind, Kind::Bot);
    }

    #[test]
    fn what_is_malformed_says_so_with_a_code() {
        for (name, json, code) in [
            ("match_status", "nonsense", "malformed_json"),
            ("match_status", r#"{"x": 1}"#, "invalid_body"),
            ("match_confirm", "{}", "invalid_body"),
            ("match_confirm", r#"{"match": 7}"#, "invalid_body"),
            ("match_confirm", "[]", "invalid_body"),
            (
                "match_skip",
                r#"{"match": "00000000-0000-0000-0000-000000000007", "requeue": "no"}"#,
                "invalid_body",
            ),
            ("match_enqueue", r#"{"queue": "Strangers"}"#, "invalid_body"),
            ("match_dance", "{}", "unknown_event"),
        ] {
            let error = Event::read(name, json, &ann(), &Speaker::user(ann())).unwrap_err();
            assert_eq!(error.code(), code, "{name} {json}: {error}");
        }
    }
}
