//! What joins ask for, as clients write it.

use super::*;

fn parse(json: &str) -> (JoinConfig, Vec<String>) {
    let (config, complaints) = JoinConfig::parse(serde_json::from_str(json).unwrap());
    (config, complaints.iter().map(Complaint::to_string).collect())
}

fn defaults() -> JoinConfig {
    JoinConfig {
        broadcast: BroadcastConfig {
            ack: false,
            own: false,
            replay: None,
            last: false,
            snapshot_as_broadcast: false,
            id_field: None,
        },
        presence: PresenceConfig { key: None, enabled: true },
        private: false,
        recover: None,
        names_changes: false,
        access_token: None,
    }
}

#[test]
fn what_is_left_out_has_its_default() {
    for json in [
        "{}",
        "null",
        r#"{"config":null,"access_token":null}"#,
        r#"{"config":{"broadcast":null,"presence":null,"private":null,"elsewhere":[{"event":"*"}]}}"#,
        r#"{"config":{"broadcast":{},"presence":{"key":""}},"user_token":"x"}"#,
        r#"{"config":{"broadcast":{"replay":null,"recover":null}},"access_token":"sb_publishable_x"}"#,
    ] {
        assert_eq!(parse(json), (defaults(), vec![]), "{json}");
    }
}

#[test]
fn everything_can_be_said() {
    let json = r#"{"config": {
        "broadcast": {"ack": true, "self": true, "last": true, "replay": {"since": 1764000000000, "limit": 10},
                      "recover": {"offset": 41, "epoch": "abc"}, "snapshot": "broadcast", "id_field": "key"},
        "presence": {"key": "ada", "enabled": false},
        "private": true, "postgres_changes": []
    }, "access_token": "t"}"#;
    let replay = Some(Replay { since_ms: 1_764_000_000_000, limit: Some(10) });
    let expected = JoinConfig {
        broadcast: BroadcastConfig {
            ack: true,
            own: true,
            replay,
            last: true,
            snapshot_as_broadcast: true,
            id_field: Some("key".into()),
        },
        presence: PresenceConfig { key: Some("ada".into()), enabled: false },
        private: true,
        recover: Some(Position { offset: 41, epoch: Epoch::from("abc") }),
        names_changes: true,
        access_token: Some("t".into()),
    };
    assert_eq!(parse(json), (expected, vec![]));
}

#[test]
fn booleans_and_numbers_may_be_strings() {
    let json = r#"{"config":{"private":"True","broadcast":{"ack":"true","self":"FALSE",
        "replay":{"since":"5"},"recover":{"offset":"7","epoch":"e"}},"presence":{"enabled":"false"}}}"#;
    let (config, complaints) = parse(json);
    assert!(config.private && config.broadcast.ack && !config.broadcast.own && !config.presence.enabled);
    assert_eq!(config.broadcast.replay, Some(Replay { since_ms: 5, limit: None }));
    assert_eq!(config.recover, Some(Position { offset: 7, epoch: Epoch::from("e") }));
    assert!(complaints.is_empty(), "{complaints:?}");
}

#[test]
fn one_wrong_field_spoils_no_other() {
    let json = r#"{"config":{"private":1,"broadcast":{"ack":[],"self":true,"replay":{"since":-1,"limit":"x"},
        "recover":{"offset":1}},"presence":{"key":7,"enabled":"yes"}},"access_token":{}}"#;
    let (config, complaints) = parse(json);
    let broadcast = BroadcastConfig { own: true, ..BroadcastConfig::default() };
    assert_eq!(config, JoinConfig { broadcast, ..defaults() });
    let expected = [
        "config.broadcast.recover is not an offset and an epoch",
        "config.broadcast.ack is not a boolean",
        "config.broadcast.replay.since is not a whole number",
        "config.broadcast.replay.limit is not a whole number",
        "config.presence.key is not a string",
        "config.presence.enabled is not a boolean",
        "config.private is not a boolean",
        "access_token is not a string",
    ];
    assert_eq!(complaints, expected);
}

#[test]
fn what_is_no_object_is_no_setting() {
    for (json, complaint) in [
        ("[]", "payload is not an object"),
        ("5", "payload is not an object"),
        (r#"{"config":[]}"#, "config is not an object"),
        (r#"{"config":{"broadcast":true}}"#, "config.broadcast is not an object"),
        (r#"{"config":{"presence":"x"}}"#, "config.presence is not an object"),
        (r#"{"config":{"broadcast":{"replay":3}}}"#, "config.broadcast.replay is not an object"),
        (r#"{"config":{"private":true,"private":false}}"#, "config is not an object"),
    ] {
        assert_eq!(parse(json), (defaults(), vec![complaint.to_owned()]), "{json}");
    }
}

#[test]
fn recover_may_stand_beside_broadcast() {
    let (config, complaints) = parse(r#"{"config":{"recover":{"offset":3,"epoch":"e"}}}"#);
    assert_eq!((config.recover, complaints), (Some(Position { offset: 3, epoch: Epoch::from("e") }), vec![]));
}

#[test]
fn tokens_are_not_printed() {
    let (config, _) = parse(r#"{"access_token":"secret"}"#);
    assert!(!format!("{config:?}").contains("secret"));
}

#[test]
fn the_id_of_a_message_without_one_says_where_to_go_on() {
    for (id, expected) in [
        ("e:3", Some((3, "e"))),
        // Transient: what follows it is what follows the message before it.
        ("e:3+77", Some((3, "e"))),
        ("chosen", None),
        ("e:", None),
        ("e:+7", None),
    ] {
        let (config, _) = parse(&format!(r#"{{"config":{{"broadcast":{{"recover":{{"id":"{id}"}}}}}}}}"#));
        let expected = expected.map(|(offset, epoch)| Position { offset, epoch: Epoch::from(epoch) });
        assert_eq!(config.recover, expected, "{id}");
    }
}
