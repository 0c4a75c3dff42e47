//! Coming back to a conversation: its log remembers what its stream does not.

use crate::support::{Client, House};
use arena_bus::BusSettings;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const TOPIC: &str = "conversation:7";
const EPOCH: &str = "epoch-of-7";

fn recover(offset: u64, epoch: &str) -> Value {
    json!({"broadcast": {"recover": {"offset": offset, "epoch": epoch}}, "presence": {"enabled": false}})
}

fn quiet() -> Value {
    json!({"presence": {"enabled": false}})
}

/// A house with a conversation of so many lines, of which streams remember `history`.
fn house(lines: usize, history: usize) -> House {
    let mut bus = BusSettings::default();
    bus.other.messages = history;
    let house = House::over(bus, |_| {});
    house.stage.talks.begin("7", &[]);
    house.stage.talks.write_many("7", lines - 1);
    house
}

fn offset(message: &Value) -> u64 {
    message[4]["meta"]["offset"].as_u64().unwrap()
}

fn position(response: &Value) -> (u64, &str) {
    (response["position"]["offset"].as_u64().unwrap(), response["position"]["epoch"].as_str().unwrap())
}

/// The offsets of what a client has been told so far, all of it from before its join.
async fn replayed(client: &mut Client) -> Vec<u64> {
    let heard = client.all().await;
    assert!(heard.iter().all(|message| message[4]["meta"]["replayed"] == true), "{heard:?}");
    heard.iter().map(offset).collect()
}

#[tokio::test]
async fn who_comes_newly_begins_where_the_log_ends() {
    let house = house(300, 64);
    let mut client = house.guest().await;
    let response = client.join(TOPIC, quiet()).await;
    assert_eq!((position(&response), response.get("recovered")), ((300, EPOCH), None));
    house.stage.talks.write("7", "message", json!({}));
    let heard = client.all().await;
    assert_eq!(heard.iter().map(offset).collect::<Vec<_>>(), [301]);
    assert_eq!(heard[0][4]["meta"].get("replayed"), None);
    drop(client);
    house.is_left_empty().await;
}

#[tokio::test]
async fn what_was_missed_comes_from_the_log_where_the_stream_does_not_remember_it() {
    let house = house(300, 64);
    // One that stays keeps the stream, which remembers the newest 10 lines then.
    let mut other = house.guest().await;
    other.join(TOPIC, quiet()).await;
    house.stage.talks.write_many("7", 10);
    for after in [0, 1, 50, 289, 290, 300, 309, 310] {
        let mut client = house.guest().await;
        let response = client.join(TOPIC, recover(after, EPOCH)).await;
        assert_eq!((&response["recovered"], position(&response)), (&json!(true), (after, EPOCH)));
        assert_eq!(replayed(&mut client).await, (after + 1..=310).collect::<Vec<_>>(), "after {after}");
    }
    let stats = house.gateway.stats();
    assert_eq!((stats.recovered, stats.not_recovered), (8, 0));
    drop(other);
    house.is_left_empty().await;
}

#[tokio::test]
async fn lines_of_the_log_come_as_they_were_published() {
    let house = house(1, 64);
    let mut other = house.guest().await;
    other.join(TOPIC, quiet()).await;
    house.stage.talks.write("7", "message", json!({"text": "hi \"there\"", "id": "m-1"}));
    let mut live = other.until(|m| m[3] == "broadcast").await;
    drop(other);
    house.becomes("nobody is there", |house| house.gateway.stats().rooms == 0).await;
    house.bus.sweep(Instant::now() + Duration::from_secs(1_000));
    assert!(house.bus.get(&TOPIC.parse().unwrap()).is_none(), "or this tests nothing");
    let mut client = house.guest().await;
    client.join(TOPIC, recover(1, EPOCH)).await;
    live[4]["meta"]["replayed"] = true.into();
    assert_eq!(client.all().await, [live]);
    drop(client);
    house.is_left_empty().await;
}

#[tokio::test]
async fn who_missed_too_much_is_told_so_and_where_it_is_now() {
    let house = house(1_200, 64);
    for (after, recovered) in [(199, false), (200, true), (0, false)] {
        let mut client = house.guest().await;
        let response = client.join(TOPIC, recover(after, EPOCH)).await;
        assert_eq!(response["recovered"], recovered, "after {after}");
        let heard = replayed(&mut client).await;
        if recovered {
            assert_eq!(heard, (after + 1..=1_200).collect::<Vec<_>>());
        } else {
            assert_eq!((position(&response), heard.len()), ((1_200, EPOCH), 0));
        }
    }
    house.is_left_empty().await;
}

#[tokio::test]
async fn more_bytes_than_an_outbox_should_hold_are_not_sent_at_once() {
    let house = house(1, 2);
    let text = "x".repeat(100_000);
    for _ in 0..30 {
        house.stage.talks.write("7", "message", json!({"text": text}));
    }
    for (after, recovered) in [(1, false), (11, true)] {
        let mut client = house.guest().await;
        let response = client.join(TOPIC, recover(after, EPOCH)).await;
        assert_eq!(response["recovered"], recovered, "after {after}");
    }
    house.is_left_empty().await;
}

#[tokio::test]
async fn positions_that_never_were_recover_nothing_and_break_nothing() {
    let house = house(100, 10);
    for (offset, epoch) in
        [(101, EPOCH), (u64::MAX, EPOCH), (50, "epoch-of-8"), (0, ""), (100, "\""), (99, &"e".repeat(10_000))]
    {
        let mut client = house.guest().await;
        let response = client.join(TOPIC, recover(offset, epoch)).await;
        assert_eq!((&response["recovered"], position(&response)), (&json!(false), (100, EPOCH)));
        assert_eq!(client.all().await.len(), 0);
    }
    house.is_left_empty().await;
}

#[tokio::test]
async fn what_is_not_meant_for_one_is_left_out_of_what_it_missed() {
    let house = house(100, 10);
    house.stage.talks.withhold_from("7", "ann");
    let mut ann = house.holder_of(&house.token("ann", 600, |_| {})).await;
    assert_eq!(ann.join(TOPIC, recover(1, EPOCH)).await["recovered"], true);
    assert_eq!(ann.all().await.len(), 0);
    let mut bob = house.holder_of(&house.token("bob", 600, |_| {})).await;
    bob.join(TOPIC, recover(1, EPOCH)).await;
    assert_eq!(replayed(&mut bob).await.len(), 99);
    drop((ann, bob));
    house.is_left_empty().await;
}

#[tokio::test]
async fn a_stream_that_is_another_by_the_time_of_the_join_is_listened_to_again() {
    let house = house(100, 10);
    for (stale, lets_in) in [(2, true), (100, false)] {
        house.stage.talks.make_stale("7", stale);
        let mut client = house.guest().await;
        let reply = client.try_join(TOPIC, recover(50, EPOCH)).await;
        assert_eq!(reply["status"] == "ok", lets_in, "{reply}");
        if lets_in {
            assert_eq!(replayed(&mut client).await, (51..=100).collect::<Vec<_>>());
        } else {
            assert!(reply["response"]["reason"].as_str().unwrap().starts_with("RealtimeRestarting: "));
        }
    }
    house.is_left_empty().await;
}

#[tokio::test]
async fn who_cannot_catch_up_with_what_is_said_is_told_so_in_the_end() {
    let house = house(100, 10);
    house.stage.talks.interrupt_with("7", 11);
    let mut client = house.guest().await;
    let response = client.join(TOPIC, recover(1, EPOCH)).await;
    assert_eq!(response["recovered"], false);
    let at = position(&response).0;
    house.stage.talks.interrupt_with("7", 0);
    house.stage.talks.write("7", "message", json!({}));
    assert_eq!(client.all().await.iter().map(offset).collect::<Vec<_>>(), [at + 1]);
    drop(client);
    // What fits between two readings is caught up with.
    house.stage.talks.interrupt_with("7", 9);
    let mut client = house.guest().await;
    let response = client.join(TOPIC, recover(50, EPOCH)).await;
    assert_eq!(response["recovered"], true);
    let end = house.stage.talks.position("7").offset;
    assert_eq!(replayed(&mut client).await, (51..=end).collect::<Vec<_>>());
    drop(client);
    house.is_left_empty().await;
}

#[tokio::test]
async fn what_is_written_and_not_yet_published_comes_once_when_it_is() {
    let house = house(100, 10);
    house.stage.talks.run_ahead("7", 25);
    let mut client = house.guest().await;
    let response = client.join(TOPIC, recover(50, EPOCH)).await;
    assert_eq!(response["recovered"], true);
    assert_eq!(replayed(&mut client).await, (51..=100).collect::<Vec<_>>());
    house.stage.talks.publish_rest("7");
    let heard = client.all().await;
    assert_eq!(heard.iter().map(offset).collect::<Vec<_>>(), (101..=125).collect::<Vec<_>>());
    drop(client);
    house.is_left_empty().await;
}

/// One that loses its connection again and again, and checks that it sees every line once and in order.
struct Member {
    at: Option<u64>,
    recovered: usize,
    lost: usize,
}

impl Member {
    async fn live(&mut self, house: &House, lives: usize) {
        for life in 0..lives {
            // Now and then it stays away for longer than the history reaches.
            while life % 3 == 2 && self.at.is_some_and(|at| house.stage.talks.position("7").offset < at + 40)
            {
                tokio::task::yield_now().await;
            }
            let mut client = house.guest().await;
            let config = self.at.map_or_else(quiet, |at| recover(at, EPOCH));
            let response = client.join(TOPIC, config).await;
            let (begins, epoch) = position(&response);
            assert_eq!(epoch, EPOCH);
            match (self.at, response["recovered"].as_bool()) {
                (Some(at), Some(true)) => {
                    assert_eq!(at, begins, "it goes on elsewhere");
                    self.recovered += 1;
                }
                (Some(at), Some(false)) => {
                    assert!(begins > at, "it was sent back");
                    self.lost += 1;
                }
                (None, None) => {}
                odd => panic!("{odd:?} in {response}"),
            }
            let mut at = begins;
            for _ in 0..(life * 7) % 60 {
                let message = client.event(TOPIC, "broadcast").await;
                let now = message["meta"]["offset"].as_u64().unwrap();
                assert_eq!(now, at + 1, "a gap or a repetition nobody was told of, in life {life}");
                at = now;
            }
            self.at = Some(at);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn over_all_their_lives_members_see_every_line_once_and_in_order_while_it_is_written() {
    let house = Arc::new(house(10, 16));
    house.stage.talks.make_slow(3);
    let stop = Arc::new(AtomicBool::new(false));
    let writer = {
        let (house, stop) = (Arc::clone(&house), Arc::clone(&stop));
        std::thread::spawn(move || {
            for n in 0.. {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                // Written together and published later: readers of the log are ahead of the stream.
                let pause = || std::thread::sleep(Duration::from_micros(n % 5 * 500));
                house.stage.talks.write_and_wait("7", 1 + n as usize % 12, pause);
                std::thread::sleep(Duration::from_micros(n % 3 * 300));
            }
        })
    };
    let members: Vec<_> = (0..4)
        .map(|_| {
            let house = Arc::clone(&house);
            crate::support::aside(async move {
                let mut member = Member { at: None, recovered: 0, lost: 0 };
                member.live(&house, 40).await;
                member.recovered
            })
        })
        .collect();
    let mut recovered = 0;
    for member in members {
        recovered += member.await.unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    writer.join().unwrap();
    assert!(recovered > 100, "only {recovered} came back");
    house.is_left_empty().await;
}
