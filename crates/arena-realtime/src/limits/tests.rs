use super::*;
use arena_core::topic::TopicName;
use proptest::prelude::*;
use std::net::IpAddr;
use std::sync::{Arc, Barrier};
use std::time::Duration;

fn at(millis: u64) -> Moment {
    Moment::after(Duration::from_millis(millis))
}

fn topic(text: &str) -> TopicName {
    text.parse().unwrap()
}

/// How many of `tries` at one moment are let through.
fn taken(bucket: &Bucket, rate: Rate, now: Moment, tries: u32) -> u32 {
    (0..tries).filter(|_| bucket.take(rate, now).is_ok()).count() as u32
}

#[test]
fn a_bucket_is_eight_bytes_and_a_session_has_four() {
    assert_eq!(size_of::<Bucket>(), 8);
    assert_eq!(size_of::<SessionBuckets>(), 32);
}

#[test]
fn after_a_rest_the_burst_goes_through_and_then_the_rate() {
    let (bucket, rate) = (Bucket::default(), Rate::per_second(10, 3));
    assert_eq!(taken(&bucket, rate, at(5_000), 10), 3);
    assert_eq!(bucket.take(rate, at(5_000)), Err(Duration::from_millis(100)));
    assert_eq!(bucket.take(rate, at(5_099)), Err(Duration::from_millis(1)));
    assert_eq!(taken(&bucket, rate, at(5_100), 10), 1);
    assert_eq!(taken(&bucket, rate, at(5_300), 10), 2);
    assert_eq!(taken(&bucket, rate, at(99_000), 10), 3);
}

#[test]
fn a_rate_that_divides_no_second_is_rounded_down() {
    let (bucket, rate) = (Bucket::default(), Rate::per_second(3, 1));
    assert_eq!(taken(&bucket, rate, at(0), 2), 1);
    assert_eq!(bucket.take(rate, at(0)), Err(Duration::from_nanos(333_333_334)));
}

#[test]
fn no_rate_is_no_limit_and_a_burst_of_none_is_one() {
    let bucket = Bucket::default();
    assert_eq!(taken(&bucket, Rate::per_second(0, 0), at(0), 1_000), 1_000);
    assert_eq!(taken(&bucket, Rate::per_second(1, 0), at(0), 1_000), 1);
    assert_eq!(taken(&Bucket::default(), Rate::per_second(u32::MAX, u32::MAX), at(0), 1_000), 1_000);
}

proptest! {
    /// Over every window: never more than the rate times its length and the burst.
    #[test]
    fn no_window_holds_more_than_its_share(
        per_second in 1..500_u32,
        burst in 0..40_u32,
        steps in prop::collection::vec((0..60_u64, 1..6_u32), 1..150),
    ) {
        let (bucket, rate) = (Bucket::default(), Rate::per_second(per_second, burst));
        let mut now = 0;
        let mut let_through = Vec::new();
        for (wait, tries) in steps {
            now += wait;
            let_through.extend((0..taken(&bucket, rate, at(now), tries)).map(|_| now));
        }
        for (first, start) in let_through.iter().enumerate() {
            for (last, end) in let_through.iter().enumerate().skip(first) {
                let most = u64::from(burst.max(1)) * 1_000 + u64::from(per_second) * (end - start);
                prop_assert!((last - first + 1) as u64 * 1_000 <= most, "{} from {} to {}", last - first + 1, start, end);
            }
        }
    }

    /// Whoever waits as long as they were told is let through, and not a moment earlier.
    #[test]
    fn the_wait_is_exact(per_second in 1..100_000_u32, burst in 1..100_u32, start in 0..10_000_u64) {
        let (bucket, rate) = (Bucket::default(), Rate::per_second(per_second, burst));
        prop_assert_eq!(taken(&bucket, rate, at(start), burst + 5), burst);
        let wait = bucket.take(rate, at(start)).unwrap_err();
        let due = at(start).plus(wait);
        let early = at(start).plus(wait - Duration::from_nanos(1));
        prop_assert_eq!(bucket.take(rate, early), Err(Duration::from_nanos(1)));
        prop_assert_eq!(bucket.take(rate, due), Ok(()));
    }
}

#[test]
fn many_threads_at_once_get_no_more_than_one_would() {
    const THREADS: usize = 8;
    let (rate, burst) = (Rate::per_second(1_000, 50), 50);
    for _ in 0..20 {
        let (bucket, start) = (Bucket::default(), Barrier::new(THREADS));
        let one = |_| {
            start.wait();
            // 100 ms of time, the same for all, in an order that nobody knows.
            (0..=100).map(|millis| taken(&bucket, rate, at(millis), 20)).sum::<u32>()
        };
        let all: u32 = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS).map(|n| scope.spawn(move || one(n))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        // All that there was is taken: a thread that was late finds later moments taken already.
        assert_eq!(all, burst + 100);
    }
}

#[test]
fn each_key_has_its_own_bucket() {
    let keyed: Keyed<String> = Keyed::new(Rate::per_second(1, 2), 1_000);
    for key in ["a", "b", "c"] {
        assert_eq!((0..5).filter(|_| keyed.take(key, at(0)).is_ok()).count(), 2, "{key}");
    }
    assert!(keyed.take("a", at(1_000)).is_ok());
    assert_eq!(keyed.len(), 3);
}

#[test]
fn keys_without_a_limit_are_not_even_kept() {
    let keyed: Keyed<String> = Keyed::new(Rate::UNLIMITED, 10);
    assert!((0..1_000).all(|n| keyed.take(n.to_string().as_str(), at(0)).is_ok()));
    assert!(keyed.is_empty());
}

#[test]
fn the_number_of_keys_is_bounded_whoever_comes() {
    const MAX: usize = 160;
    let keyed: Keyed<String> = Keyed::new(Rate::per_second(10, 10), MAX);
    let key = |n: u32| format!("user-{n}");
    let passed = (0..100_000).filter(|n| keyed.take(key(*n).as_str(), at(0)).is_ok()).count();
    assert!(keyed.len() <= MAX, "{}", keyed.len());
    // Each of those who are known, and a burst from the shared bucket of each of the 16 parts.
    assert_eq!(passed, keyed.len() + 16 * 10);
    // Those who came first are not disturbed.
    assert_eq!((0..20).filter(|_| keyed.take(key(0).as_str(), at(0)).is_ok()).count(), 9);
}

#[test]
fn a_key_at_rest_is_forgotten_when_room_is_needed_and_a_busy_one_is_not() {
    const MAX: usize = 16;
    let keyed: Keyed<String> = Keyed::new(Rate::per_second(1, 5), MAX);
    while keyed.take("busy", at(9_500)).is_ok() {}
    for n in 0..1_000 {
        let _ = keyed.take(format!("early-{n}").as_str(), at(9_500));
    }
    assert_eq!(keyed.len(), MAX);
    // All others have taken one and have it back after a second.
    for n in 0..1_000 {
        let _ = keyed.take(format!("late-{n}").as_str(), at(10_600));
    }
    assert_eq!(keyed.len(), MAX);
    assert!(keyed.take("busy", at(10_600)).is_ok(), "one has come back");
    assert!(keyed.take("busy", at(10_600)).is_err(), "it was not forgotten");
}

#[test]
fn connections_count_until_they_are_dropped() {
    let users: Vec<Arc<str>> = ["a", "b", "c"].map(Arc::from).to_vec();
    let from = |text: &str| text.parse::<IpAddr>().unwrap();
    let connections = Connections::new(3, 2, 2);
    let full = |scope| Refusal::Connections { scope };
    let first = connections.open(&users[0], from("10.0.0.1")).unwrap();
    let second = connections.open(&users[0], from("10.0.0.2")).unwrap();
    assert_eq!(connections.open(&users[0], from("10.0.0.3")).unwrap_err(), full(Scope::User));
    let third = connections.open(&users[1], from("::ffff:10.0.0.1")).unwrap();
    assert_eq!(connections.open(&users[2], from("10.0.0.4")).unwrap_err(), full(Scope::Node));
    drop(second);
    assert_eq!(connections.open(&users[2], from("10.0.0.1")).unwrap_err(), full(Scope::Address));
    let fourth = connections.open(&users[2], from("10.0.0.4")).unwrap();
    assert_eq!(connections.count(), 3);
    drop((first, third, fourth));
    assert_eq!(connections.count(), 0);
    let again = connections.open(&users[0], from("10.0.0.1")).unwrap();
    let _more = connections.open(&users[0], from("10.0.0.1")).unwrap();
    drop(again);
}

#[test]
fn a_subscriber_of_ipv6_has_one_network_and_zero_is_no_limit() {
    let from = |text: &str| text.parse::<IpAddr>().unwrap();
    let user: Arc<str> = "a".into();
    let connections = Connections::new(10, 0, 1);
    let _one = connections.open(&user, from("2001:db8::1")).unwrap();
    assert!(connections.open(&user, from("2001:db8::2")).is_err());
    let _two = connections.open(&user, from("2001:db8:0:1::1")).unwrap();
    let open = Connections::new(10, 0, 0);
    let all: Vec<_> = (0..11).map(|_| open.open(&user, from("10.0.0.1"))).collect();
    assert_eq!(all.iter().filter(|one| one.is_ok()).count(), 10);
}

fn limiter(change: impl FnOnce(&mut RealtimeLimits)) -> Limiter {
    let mut limits = RealtimeLimits::default();
    change(&mut limits);
    Limiter::new(limits)
}

const TWO: RateLimit = RateLimit { per_second: 1, burst: 2 };

#[tokio::test(start_paused = true)]
async fn joins_are_bounded_by_number_and_by_rate() {
    let limiter = limiter(|limits| {
        limits.session_joins = TWO;
        limits.node_joins = RateLimit { per_second: 1, burst: 3 };
        limits.topics_per_session = 5;
        limits.pending_joins = 2;
    });
    let (one, other) = (SessionBuckets::default(), SessionBuckets::default());
    assert_eq!(limiter.join(&one, 5, 0), Err(Refusal::Topics));
    assert_eq!(limiter.join(&one, 4, 1), Err(Refusal::Topics));
    let pending = Refusal::Joins { scope: Scope::Session, retry_after: None };
    assert_eq!(limiter.join(&one, 0, 2), Err(pending));
    assert!(limiter.join(&one, 4, 0).is_ok() && limiter.join(&one, 0, 1).is_ok());
    let refused = |scope| Refusal::Joins { scope, retry_after: Some(Duration::from_secs(1)) };
    assert_eq!(limiter.join(&one, 0, 0), Err(refused(Scope::Session)));
    assert!(limiter.join(&other, 0, 0).is_ok(), "one session's flood costs another nothing");
    assert_eq!(limiter.join(&other, 0, 0), Err(refused(Scope::Node)));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(limiter.join(&one, 0, 0).is_ok());
}

#[tokio::test(start_paused = true)]
async fn messages_are_bounded_by_session_user_topic_and_node_the_narrowest_first() {
    let (a, b) = (topic("room:a"), topic("room:b"));
    for (scope, sessions, users, topics) in [
        (Scope::Session, 1, ["u", "u"], [&a, &b]),
        (Scope::User, 2, ["u", "u"], [&a, &b]),
        (Scope::Topic, 2, ["u", "v"], [&a, &a]),
        (Scope::Node, 2, ["u", "v"], [&a, &b]),
    ] {
        let limiter = limiter(|limits| {
            limits.session_messages = TWO;
            limits.user_messages = TWO;
            limits.topic_messages = TWO;
            limits.node_messages = TWO;
        });
        let buckets = [SessionBuckets::default(), SessionBuckets::default()];
        let send = |n: usize| limiter.message(&buckets[n % sessions], users[n % 2], topics[n % 2], 1);
        assert!(send(0).is_ok() && send(1).is_ok());
        let retry_after = Duration::from_secs(1);
        assert_eq!(send(2), Err(Refusal::Messages { scope, retry_after }), "{scope:?}");
        tokio::time::advance(retry_after).await;
        assert!(send(2).is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn presence_and_frames_have_buckets_of_their_own() {
    let limiter = limiter(|limits| {
        limits.session_presence = TWO;
        limits.topic_presence = RateLimit { per_second: 1, burst: 3 };
        limits.session_frames = TWO;
    });
    let (one, other, room) = (SessionBuckets::default(), SessionBuckets::default(), topic("room:a"));
    assert!(limiter.frame(&one).is_ok() && limiter.frame(&one).is_ok());
    assert_eq!(limiter.frame(&one), Err(Refusal::Frames));
    assert!(limiter.presence(&one, &room, 1).is_ok() && limiter.presence(&one, &room, 1).is_ok());
    let retry_after = Duration::from_secs(1);
    assert_eq!(limiter.presence(&one, &room, 1), Err(Refusal::ClientPresence { retry_after }));
    assert!(limiter.presence(&other, &room, 1).is_ok());
    let scope = Scope::Topic;
    assert_eq!(limiter.presence(&other, &room, 1), Err(Refusal::Presence { scope, retry_after }));
    assert!(limiter.message(&one, "u", &room, 1).is_ok());
}

#[test]
fn payloads_are_bounded_at_the_byte() {
    let limiter = Limiter::new(RealtimeLimits::default());
    let (buckets, room) = (SessionBuckets::default(), topic("room:a"));
    let RealtimeLimits { payload_bytes, presence_bytes, .. } = *limiter.limits();
    assert!(limiter.message(&buckets, "u", &room, payload_bytes).is_ok());
    assert_eq!(limiter.message(&buckets, "u", &room, payload_bytes + 1), Err(Refusal::PayloadSize));
    assert_eq!(limiter.publication("u", &room, payload_bytes + 1), Err(Refusal::PayloadSize));
    assert!(limiter.presence(&buckets, &room, presence_bytes).is_ok());
    assert_eq!(limiter.presence(&buckets, &room, presence_bytes + 1), Err(Refusal::TrackSize));
}

#[test]
fn refusals_are_worded_as_clients_know_them() {
    let (scope, retry_after) = (Scope::Node, Duration::from_millis(5));
    for (refusal, reason, wait) in [
        (Refusal::Connections { scope }, "ConnectionRateLimitReached: Too many connected users", None),
        (Refusal::Topics, "ChannelRateLimitReached: Too many channels", None),
        (
            Refusal::Joins { scope, retry_after: Some(retry_after) },
            "ClientJoinRateLimitReached: Too many joins per second",
            Some(retry_after),
        ),
    ] {
        assert_eq!((refusal.reason().as_str(), refusal.retry_after()), (reason, wait));
        assert_eq!(refusal.status(), 429);
    }
    for (refusal, text) in [
        (Refusal::Messages { scope, retry_after }, "Too many messages per second"),
        (Refusal::Presence { scope, retry_after }, "Too many presence messages per second"),
        (Refusal::ClientPresence { retry_after }, "Client presence rate limit exceeded"),
        (Refusal::TrackSize, "Track message size exceeded"),
        (Refusal::PayloadSize, "payload_size_exceeded"),
    ] {
        assert_eq!(refusal.to_string(), text);
    }
}
