use super::*;
use FaultClass::{Authentication, Network, Permission, Protocol, RateLimit, TenantMissing, Timeout};
use serde_json::json;

/// Each row says what it says, however it is met.
#[test]
fn every_code_is_found_in_a_reason_alone_and_with_a_text() {
    for (code, class) in CODES {
        for text in [(*code).to_owned(), format!("{code}: something about it")] {
            let found = reason(&text);
            assert_eq!((found.class, found.code.as_str()), (*class, *code), "{text}");
        }
        assert_eq!(CODES.iter().filter(|(other, _)| other == code).count(), 1, "{code} stands twice");
    }
}

#[test]
fn every_phrase_is_found_whatever_is_around_it() {
    for row in PHRASES {
        let text = format!("Sorry, {}!", row.says.to_uppercase());
        let found = system(&text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!((found.class, found.code.as_str()), (row.class, row.code), "{text}");
    }
}

#[test]
fn every_status_and_every_close_code_of_the_table_means_what_it_says() {
    for row in HANDSHAKES {
        let found = handshake(row.from, None, b"");
        let first = HANDSHAKES.iter().find(|other| other.from <= row.from && row.from <= other.to).unwrap();
        assert_eq!((found.class, found.code.as_str()), (first.class, first.code));
    }
    for row in CLOSES {
        assert_eq!(closed(Some(row.from), "").code, row.code);
        assert_eq!(closed(Some(row.from), "").class, row.class);
    }
    for (kind, code, class) in IO_KINDS {
        let found = io_error(&io::Error::from(*kind));
        assert_eq!((found.class, found.code.as_str()), (*class, *code));
    }
}

/// What the two endpoints really send.
#[test]
fn refused_handshakes_mean_what_their_bodies_say() {
    for (status, body, class, code) in [
        (401, r#"{"error":"API key is missing"}"#, Authentication, "MissingAPIKey"),
        (401, r#"{"error":"Token has expired"}"#, Authentication, "InvalidJWTToken"),
        (401, r#"{"error":"The token provided is not a valid JWT"}"#, Authentication, "MalformedJWT"),
        (401, r#"{"error":"Failed to validate JWT signature"}"#, Authentication, "JwtSignatureError"),
        (401, r#"{"message":"No API key found in request"}"#, Authentication, "MissingAPIKey"),
        (401, r#"{"error":"Unauthorized"}"#, Authentication, "Unauthorized"),
        (403, "", Authentication, "handshake_forbidden"),
        (403, r#"{"error":"TenantNotFound: Tenant not found: abc"}"#, TenantMissing, "TenantNotFound"),
        (404, "<html>no</html>", TenantMissing, "handshake_not_found"),
        (429, r#"{"error":"Too many connected users"}"#, RateLimit, "ConnectionRateLimitReached"),
        (429, r#"{"error":"Too many joins per second"}"#, RateLimit, "ClientJoinRateLimitReached"),
        (429, "", RateLimit, "handshake_too_many"),
        (500, "", Network, "handshake_server_error"),
        (
            503,
            r#"{"error":"RealtimeRestarting: the server is shutting down"}"#,
            Network,
            "RealtimeRestarting",
        ),
        (503, "upstream connect error", Network, "handshake_server_error"),
        (504, "", Timeout, "handshake_gateway_timeout"),
        (200, "<html>hello</html>", Protocol, "handshake_status"),
        (301, "", Protocol, "handshake_status"),
        (400, r#"{"error":"vsn \"9\" is not spoken here"}"#, Protocol, "handshake_status"),
    ] {
        let found = handshake(status, None, body.as_bytes());
        assert_eq!((found.class, found.code.as_str()), (class, code), "{status} {body}");
    }
}

#[test]
fn refused_joins_mean_what_their_reasons_say() {
    for (text, class) in [
        ("ChannelRateLimitReached: Too many channels", RateLimit),
        ("ConnectionRateLimitReached: Too many connected users", RateLimit),
        ("ClientJoinRateLimitReached: Too many joins per second", RateLimit),
        ("Unauthorized: You do not have permissions to read from this Channel topic: room:1", Permission),
        ("InvalidJWTToken: Token has expired 12 seconds ago", Authentication),
        ("MalformedJWT: The token provided is not a valid JWT", Authentication),
        ("JwtSignatureError: Failed to validate JWT signature", Authentication),
        ("PrivateOnly: This project only allows private channels", Permission),
        ("TopicNameRequired: You must provide a topic name", Permission),
        ("UnableToReplayMessages: Realtime was unable to replay messages", Network),
        ("RealtimeRestarting: Realtime is restarting, please standby", Network),
        ("InitializingProjectConnection: Realtime is initializing", Network),
        ("unmatched topic", Permission),
        ("channel_not_found: there is no channel", TenantMissing),
        ("conversation_not_found: there is none", TenantMissing),
        ("seat_lost: a newer session has it", Permission),
        ("reservation_lapsed: the seat was not taken in time", Permission),
        ("world_unavailable: try again", Network),
        ("TooManyTopics: somebody is in all of them", RateLimit),
        ("overloaded: try again later", Network),
        ("store_unavailable: try again later", Network),
        ("SomethingNewRateLimitReached: not known yet", RateLimit),
    ] {
        assert_eq!(refusal(&json!({ "reason": text })).class, class, "{text}");
    }
}

#[test]
fn what_nobody_knows_is_tried_again_under_a_name_that_adds_up() {
    for (text, code) in
        [("BrandNewThing: 17 of 4", "BrandNewThing"), ("it is Tuesday, 17 of 4", UNKNOWN), ("", UNKNOWN)]
    {
        let found = reason(text);
        assert_eq!((found.class, found.code.as_str()), (Network, code), "{text}");
    }
    let found = refusal(&json!({"reason": "no idea what", "code": "turn_over"}));
    assert_eq!((found.class, found.code.as_str()), (Network, "turn_over"));
    assert_eq!(refusal(&json!("nonsense")).code, UNKNOWN);
    assert_eq!(system("Subscribed to PostgreSQL"), None);
    assert_eq!(system(""), None);
}

#[test]
fn the_endpoints_wish_to_wait_is_heard() {
    let asked = |text| handshake(429, Some(text), b"").retry_after;
    assert_eq!(asked("7"), Some(Duration::from_secs(7)));
    assert_eq!(asked(" 0 "), Some(Duration::ZERO));
    assert_eq!(asked("-3"), None);
    assert_eq!(asked("soon"), None);
    assert_eq!(asked("NaN"), None);
    assert_eq!(asked("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
    let now = httpdate::parse_http_date("Wed, 21 Oct 2015 07:28:00 GMT").unwrap();
    assert_eq!(wait_of("Wed, 21 Oct 2015 07:28:30 GMT", now), Some(Duration::from_secs(30)));
    let found = refusal(&json!({"reason": "overloaded: later", "retry_after_ms": 1500}));
    assert_eq!(found.retry_after, Some(Duration::from_millis(1500)));
}

#[test]
fn closes_say_more_than_their_codes() {
    assert_eq!(closed(Some(1008), "FrameRateLimitReached: Too many frames per second").class, RateLimit);
    assert_eq!(closed(Some(1013), "SlowConsumer: come back and recover").code, "SlowConsumer");
    assert_eq!(closed(Some(1012), "service restart").code, "RealtimeRestarting");
    assert_eq!(closed(None, "").code, "connection_lost");
    assert_eq!((closed(Some(4321), "").class, closed(Some(4321), "").code), (Network, "closed".to_owned()));
}

#[test]
fn errors_of_tls_are_told_apart_from_those_of_the_wire() {
    let error = io::Error::new(io::ErrorKind::InvalidData, rustls::Error::DecryptError);
    assert_eq!(io_error(&error).code, "tls_failed");
    assert_eq!(io_error(&io::Error::other("what?")).code, "io_error");
}

#[test]
fn each_limit_of_time_has_its_name() {
    let of = |waited| timeout(waited, Duration::from_secs(8));
    for (waited, code) in [
        (Waited::Connect, "connect_timeout"),
        (Waited::Join, "join_timeout"),
        (Waited::Heartbeat, "heartbeat_timeout"),
        (Waited::Write, "write_timeout"),
    ] {
        assert_eq!((of(waited).class, of(waited).code.as_str()), (Timeout, code));
    }
}

#[test]
fn words_of_an_endpoint_are_cut_and_cleaned() {
    let long = format!("{}\u{1b}[31m{}", "x y ".repeat(10), "y".repeat(5_000));
    let detail = reason(&long).detail;
    assert!(detail.len() <= MAX_DETAIL && !detail.contains('\u{1b}'));
}
