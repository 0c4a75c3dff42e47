use super::*;
use crate::token::{Claims, Role, SeatClaim};
use arena_core::topic::TopicName;
use proptest::prelude::*;
use std::net::IpAddr;
use uuid::Uuid;

const WORLD_ID: &str = "world:w-0192f0c1a2b37c4d8e5f60718293a4b5";

fn topic(text: &str) -> TopicName {
    text.parse().unwrap()
}

fn patterns(texts: &[&str]) -> Vec<TopicPattern> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

/// Those who come in the tables below.
fn who(name: &str) -> Identity {
    let claims = |sub: &str, role| Claims::of(sub, role, 0, 60);
    let user = |sub| claims(sub, Role::Authenticated);
    let seat = |channel: &str| Some(SeatClaim { player: Uuid::nil(), channel: channel.to_owned() });
    Identity::of(&match name {
        "nobody" => return Identity::anonymous(),
        "ann" => user("ann"),
        "service" => claims("api", Role::ServiceRole),
        "reader" => Claims { topics: Grants { read: patterns(&["*"]), ..Grants::default() }, ..user("r") },
        "writer" => Claims { topics: Grants { write: patterns(&["*"]), ..Grants::default() }, ..user("w") },
        "member" => {
            let rooms = || patterns(&["room:*", "secret:7", "world:vip"]);
            Claims { topics: Grants { read: rooms(), write: rooms(), presence: rooms() }, ..user("m") }
        }
        "player" => Claims { seat: seat("main"), ..user("p") },
        "vip player" => Claims { seat: seat("vip"), ..user("v") },
        other => panic!("nobody is called {other}"),
    })
}

/// What may be done: `r`ead, `w`rite, be `p`resent; else the code of the refusal.
fn may(name: &str, address: &str, private: bool) -> String {
    let settings = PolicySettings { private_topics: patterns(&["secret:*", "world:vip", "lobby:staff"]) };
    match TopicPolicy::new(settings).access(&who(name), &topic(address), private) {
        Ok(access) => {
            assert!(access.read, "who may not read is refused");
            [("r", access.read), ("w", access.write), ("p", access.presence)]
                .into_iter()
                .filter_map(|(letter, may)| may.then_some(letter))
                .collect()
        }
        Err(denied) => denied.code().to_owned(),
    }
}

#[test]
fn public_topics_are_open_to_whoever_is_connected() {
    for name in ["nobody", "ann", "service", "player"] {
        for address in ["lobby:main", "room:1", "anything", "lobby", "Secret:1", "world"] {
            assert_eq!(may(name, address, false), "rwp", "{name} {address}");
        }
    }
}

#[test]
fn private_topics_are_open_to_what_a_token_grants_and_to_services() {
    for (name, address, expected) in [
        ("nobody", "room:1", "Unauthorized"),
        ("ann", "room:1", "Unauthorized"),
        ("ann", "lobby:main", "Unauthorized"),
        ("player", "room:1", "Unauthorized"),
        ("member", "room:1", "rwp"),
        ("member", "secret:7", "rwp"),
        ("member", "secret:8", "Unauthorized"),
        ("member", "secret:77", "Unauthorized"),
        ("member", "lobby:staff", "Unauthorized"),
        ("reader", "lobby:staff", "r"),
        ("writer", "lobby:staff", "Unauthorized"),
        ("service", "secret:8", "rwp"),
        ("service", "lobby:staff", "rwp"),
    ] {
        assert_eq!(may(name, address, true), expected, "{name} {address}");
    }
}

#[test]
fn a_topic_that_is_listed_as_private_cannot_be_had_as_public_by_anybody() {
    for name in ["nobody", "ann", "member", "service", "vip player"] {
        for address in ["secret:7", "secret:", "lobby:staff", "world:vip"] {
            assert_eq!(may(name, address, false), "PrivateOnly", "{name} {address}");
        }
    }
}

#[test]
fn the_private_topic_of_a_name_is_another_than_the_public_one() {
    let policy = TopicPolicy::default();
    for private in [false, true] {
        let access = policy.access(&who("service"), &topic("room:1"), private).unwrap();
        assert_eq!(access.private, private);
        assert!(policy.access(&who("service"), &topic("user:ann"), private).unwrap().private);
        assert!(!policy.access(&who("ann"), &topic("world:main"), private).unwrap().private);
    }
}

#[test]
fn notices_are_written_by_services_and_read_by_the_one_they_are_for() {
    for private in [false, true] {
        for (name, address, expected) in [
            ("ann", "user:ann", "r"),
            ("ann", "user:Ann", "Unauthorized"),
            ("ann", "user:ann2", "Unauthorized"),
            ("ann", "user:", "Unauthorized"),
            ("ann", "user:*", "Unauthorized"),
            ("reader", "user:ann", "Unauthorized"),
            ("nobody", "user:ann", "Unauthorized"),
            ("service", "user:ann", "rw"),
        ] {
            assert_eq!(may(name, address, private), expected, "{name} {address}");
        }
    }
}

#[test]
fn everybody_watches_a_world_and_who_has_a_seat_in_it_acts() {
    for private in [false, true] {
        for (name, expected) in [
            ("nobody", "rp"),
            ("ann", "rp"),
            ("service", "rp"),
            ("writer", "rp"),
            ("player", "rwp"),
            ("vip player", "rp"),
        ] {
            assert_eq!(may(name, "world:main", private), expected, "{name}");
            assert_eq!(may(name, "world:main-2", private), "rp", "{name}");
        }
    }
    for (name, expected) in [
        ("nobody", "Unauthorized"),
        ("player", "Unauthorized"),
        ("writer", "Unauthorized"),
        ("reader", "r"),
        ("member", "rp"),
        ("service", "rp"),
        ("vip player", "rwp"),
    ] {
        assert_eq!(may(name, "world:vip", true), expected, "{name}");
    }
}

#[test]
fn a_conversation_is_open_to_whom_its_roster_names_and_to_services() {
    let roster: Vec<_> = ["ann", "p"].iter().map(|name| name.parse().unwrap()).collect();
    for (name, named, unnamed) in [
        ("ann", true, true),
        ("player", true, true),
        ("service", true, true),
        ("member", false, true),
        ("nobody", false, true),
    ] {
        assert_eq!((attends(&who(name), &roster), attends(&who(name), &[])), (named, unnamed), "{name}");
        for private in [false, true] {
            assert_eq!(may(name, "conversation:7", private), "rwp", "{name}: the roster is asked for later");
        }
    }
}

#[test]
fn a_conversation_that_is_listed_as_private_takes_a_grant_besides() {
    let settings = PolicySettings { private_topics: patterns(&["conversation:*"]) };
    let policy = TopicPolicy::new(settings);
    let may = |name, private| policy.access(&who(name), &topic("conversation:7"), private);
    assert_eq!(may("ann", false).unwrap_err().code(), "PrivateOnly");
    assert_eq!(may("ann", true).unwrap_err().code(), "Unauthorized");
    assert!(may("reader", true).is_ok_and(|access| !access.write));
    assert!(may("service", true).is_ok_and(|access| access.write));
}

#[test]
fn what_operators_watch_is_read_by_services_and_written_by_nobody() {
    for private in [false, true] {
        for (name, expected) in [
            ("nobody", "Unauthorized"),
            ("ann", "Unauthorized"),
            ("reader", "Unauthorized"),
            ("service", "r"),
        ] {
            assert_eq!(may(name, "operator:conversations", private), expected, "{name}");
        }
    }
}

#[test]
fn what_is_no_topic_of_a_world_is_refused_with_a_hint() {
    for name in ["nobody", "service", "player"] {
        for address in [WORLD_ID, "world:", "world:Main", "world:main:2", "world:*"] {
            assert_eq!(may(name, address, false), "InvalidTopic", "{address}");
        }
        assert_eq!(may(name, "world:w-2", false), "rp", "a channel may well be called so");
    }
    let denied = TopicPolicy::default().access(&who("ann"), &topic(WORLD_ID), false).unwrap_err();
    assert!(denied.reason().contains("world:<channel>"), "{}", denied.reason());
}

#[test]
fn refusals_are_worded_as_clients_know_them() {
    let denied = TopicPolicy::default().access(&who("ann"), &topic("room:1"), true).unwrap_err();
    let words = "Unauthorized: You do not have permissions to read from this Channel topic: room:1";
    assert_eq!(denied.reason(), words);
}

#[test]
fn whom_a_token_does_not_name_is_somebody_else_in_every_session() {
    let key = Claims { sub: None, ..Claims::of("", Role::Anon, 0, 60) };
    let (one, other) = (Identity::of(&key), Identity::of(&key));
    assert!(one.anonymous && one.user != other.user && one.user.starts_with("anon-"));
    assert_eq!(one.renewed(&key).user, one.user, "and stays it in that session");
    let ann = Claims::of("ann", Role::Authenticated, 0, 60);
    assert_eq!(&*one.renewed(&ann).user, "ann");
    let after = who("ann").renewed(&key);
    assert!(after.anonymous && &*after.user != "ann");
    let service = Claims { role: Role::ServiceRole, ..key.clone() };
    assert_ne!(one.renewed(&service).user, one.user);
    assert_ne!(Identity::of(&service).renewed(&key).user, Identity::of(&service).user);
}

#[test]
fn a_new_token_of_the_same_user_keeps_the_seat_and_of_another_does_not() {
    let player = who("player");
    let renewed = player.renewed(&Claims::of("p", Role::Authenticated, 0, 60));
    assert_eq!(renewed.seat, player.seat);
    assert!(player.renewed(&Claims::of("q", Role::Authenticated, 0, 60)).seat.is_none());
    let other = SeatClaim { player: Uuid::max(), channel: "vip".to_owned() };
    let moved = Claims { seat: Some(other.clone()), ..Claims::of("p", Role::Authenticated, 0, 60) };
    assert_eq!(player.renewed(&moved).seat.as_deref(), Some(&other));
    assert!(who("member").renewed(&Claims::of("m", Role::Authenticated, 0, 60)).grants.is_empty());
}

#[test]
fn only_programs_on_this_machine_that_speak_for_themselves_are_local() {
    let page = |origin| Some(origin);
    for (peer, forwarded, origin, local) in [
        ("127.0.0.1", false, None, true),
        ("127.1.2.3", false, None, true),
        ("::1", false, None, true),
        ("::ffff:127.0.0.1", false, None, true),
        ("127.0.0.1", false, page("http://localhost:5173"), true),
        ("127.0.0.1", false, page("https://127.0.0.1"), true),
        ("127.0.0.1", false, page("http://[::1]:80"), true),
        ("127.0.0.1", true, None, false),
        ("10.0.0.1", false, None, false),
        ("::ffff:10.0.0.1", false, None, false),
        ("127.0.0.1", false, page("https://example.com"), false),
        ("127.0.0.1", false, page("https://localhost.example.com"), false),
        ("127.0.0.1", false, page("https://127.0.0.1.example.com"), false),
        ("127.0.0.1", false, page("https://localhost@example.com"), false),
        ("127.0.0.1", false, page("https://localhost:80@example.com"), false),
        ("127.0.0.1", false, page("null"), false),
        ("127.0.0.1", false, page("file://"), false),
        ("127.0.0.1", false, page(""), false),
        ("10.0.0.1", false, page("http://localhost"), false),
    ] {
        let caller = Caller { peer: peer.parse::<IpAddr>().unwrap(), forwarded, origin };
        assert_eq!(AnonymousAccess::Loopback.allows(&caller), local, "{caller:?}");
        assert!(AnonymousAccess::Always.allows(&caller) && !AnonymousAccess::Never.allows(&caller));
    }
}

#[test]
fn a_star_stands_at_the_end_or_nowhere() {
    for bad in ["", "a*b", "*a", "**", "a**", "a\nb", &"a".repeat(241)] {
        assert_eq!(bad.parse::<TopicPattern>(), Err(BadPattern), "{bad:?}");
    }
}

proptest! {
    #[test]
    fn a_pattern_means_its_topic_or_all_that_begin_like_it(start in "[a-c:]{1,4}", rest in "[a-c:]{0,4}") {
        let whole = topic(&format!("{start}{rest}"));
        let exact: TopicPattern = start.parse().unwrap();
        let prefix: TopicPattern = format!("{start}*").parse().unwrap();
        prop_assert_eq!(exact.matches(&whole), rest.is_empty());
        prop_assert!(prefix.matches(&whole));
        let behind = topic(&format!("x{start}"));
        prop_assert!(!prefix.matches(&behind) && !exact.matches(&behind));
    }

    #[test]
    fn without_a_grant_no_name_opens_a_private_topic(name in "\\PC{1,60}") {
        let Ok(address) = name.parse::<TopicName>() else { return Ok(()) };
        let open = TopicPolicy::default().access(&who("ann"), &address, true);
        prop_assert!(open.is_err() || name.starts_with("world:") || name == "user:ann", "{}", name);
    }
}

#[test]
fn what_residents_say_is_told_from_other_conversations_by_its_id() {
    let world = "w-0123456789abcdef0123456789abcdef";
    for id in ["0", "1", "184467440737"].map(|number| format!("{world}-{number}")) {
        assert!(is_residents(&id), "{id}");
    }
    for id in [world, &format!("{world}-"), &format!("{world}-a"), &format!("{world}1-1"), "w-2-1", "debate"]
    {
        assert!(!is_residents(id), "{id}");
    }
}
