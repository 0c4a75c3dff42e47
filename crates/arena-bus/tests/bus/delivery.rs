//! Handing over: everything, once, in order, whatever the others do.

use crate::support::{Log, Slow, becomes, bus, draft, stream};
use arena_bus::{Message, PublishError, Rest, Sink, Stream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

/// Publishes, and again where there is too much.
fn publish(stream: &Arc<Stream>) -> u64 {
    loop {
        match stream.publish(draft("1")) {
            Ok(published) => return published.position.offset,
            Err(PublishError::Overloaded) => std::thread::yield_now(),
        }
    }
}

#[test]
fn many_threads_number_without_gaps_and_every_sink_sees_all_in_order_while_others_come_and_go() {
    const THREADS: usize = 4;
    const EACH: usize = 5_000;
    let bus = bus(|_| {});
    let stream = stream(&bus);
    let whole = Log::attached(&stream);
    let (start, over) = (Barrier::new(THREADS + 1), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let publishers: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    (0..EACH).map(|_| publish(&stream)).collect::<Vec<_>>()
                })
            })
            .collect();
        let coming_and_going = scope.spawn(|| {
            start.wait();
            let mut visits = 0;
            while !over.load(Ordering::Relaxed) {
                // Both under one lock would be a view; here the sink may come a little later than it looks.
                let before = stream.position().offset;
                let log = Log::attached(&stream);
                let own = publish(&stream);
                let mut seen = log.offsets();
                while seen.last().is_none_or(|last| *last < own) {
                    std::thread::yield_now();
                    seen = log.offsets();
                }
                stream.detach(&(Arc::clone(&log) as Arc<dyn Sink>));
                assert!(seen[0] > before, "it got what was published before it came");
                assert!(seen.windows(2).all(|pair| pair[0] + 1 == pair[1]), "a gap or a repetition");
                visits += 1;
            }
            visits
        });
        let mut offsets: Vec<u64> = Vec::new();
        for publisher in publishers {
            let own = publisher.join().unwrap();
            assert!(own.is_sorted());
            offsets.extend(own);
        }
        over.store(true, Ordering::Relaxed);
        let visits = coming_and_going.join().unwrap();
        assert!(visits > 0);
        offsets.sort_unstable();
        offsets.dedup();
        assert_eq!(offsets.len(), THREADS * EACH);
        assert_eq!(stream.position().offset, (THREADS * EACH + visits) as u64);
    });
    assert_eq!(whole.offsets(), (1..=stream.position().offset).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_sink_gets_nothing_that_was_published_before_it_came_even_if_that_still_waits() {
    let bus = bus(|_| {});
    let stream = stream(&bus);
    let slow = Slow::attached(&stream);
    for _ in 0..10 {
        stream.publish(draft("1")).unwrap();
    }
    let late = Log::attached(&stream);
    stream.publish(draft("1")).unwrap();
    slow.permits.add_permits(100);
    becomes("all is handed over", || late.offsets() == [11]).await;
    assert_eq!(slow.log.offsets(), (1..=11).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_is_published_while_a_sink_is_busy_comes_together_and_in_order() {
    let bus = bus(|_| {});
    let stream = stream(&bus);
    let slow = Slow::attached(&stream);
    for _ in 0..200 {
        stream.publish(draft("1")).unwrap();
    }
    assert_eq!(*slow.calls.lock().unwrap(), [1]);
    slow.permits.add_permits(100);
    becomes("all is handed over", || slow.log.offsets().len() == 200).await;
    assert_eq!(slow.log.offsets(), (1..=200).collect::<Vec<_>>());
    assert_eq!(*slow.calls.lock().unwrap(), [1, 64, 64, 64, 7]);
}

#[tokio::test]
async fn more_than_may_wait_is_refused_and_leaves_no_gap() {
    let bus = bus(|settings| settings.max_pending = 5);
    let stream = stream(&bus);
    let slow = Slow::attached(&stream);
    let refused = (0..20).filter(|_| stream.publish(draft("1")).is_err()).count();
    // One is with the sink, five wait.
    assert_eq!((refused, stream.position().offset), (14, 6));
    slow.permits.add_permits(2);
    becomes("all is handed over", || slow.log.offsets().len() == 6).await;
    becomes("there is room again", || stream.publish(draft("1")).is_ok()).await;
    assert_eq!(stream.position().offset, 7);
}

/// Panics at every other call: at once, or in the rest of its work.
struct Panics {
    calls: AtomicUsize,
    later: bool,
}

impl Sink for Panics {
    fn deliver(&self, _: &[Arc<Message>]) -> Option<Rest> {
        let odd = self.calls.fetch_add(1, Ordering::Relaxed).is_multiple_of(2);
        match (odd, self.later) {
            (true, false) => panic!("a sink that panics"),
            (true, true) => Some(Box::pin(async { panic!("a sink that panics later") })),
            (false, _) => None,
        }
    }
}

#[tokio::test]
async fn a_sink_that_panics_harms_neither_publishers_nor_other_sinks() {
    for later in [false, true] {
        let bus = bus(|settings| settings.max_pending = 3);
        let stream = stream(&bus);
        let before = Log::attached(&stream);
        let panics = Arc::new(Panics { calls: AtomicUsize::new(0), later });
        stream.attach(Arc::clone(&panics) as Arc<dyn Sink>);
        let after = Log::attached(&stream);
        for offset in 1..=20 {
            stream.publish(draft("1")).unwrap();
            becomes("it is handed over", || after.offsets().last() == Some(&offset)).await;
        }
        assert_eq!((before.offsets(), after.offsets()), ((1..=20).collect(), (1..=20).collect()));
        assert!(panics.calls.load(Ordering::Relaxed) > 10, "it is called again");
    }
}

/// Publishes a hundred messages for each one that it gets, from the side.
struct Echo {
    stream: Arc<Stream>,
    left: AtomicUsize,
}

impl Sink for Echo {
    fn deliver(&self, _: &[Arc<Message>]) -> Option<Rest> {
        let take = |left: usize| left.checked_sub(1);
        if self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
            for _ in 0..100 {
                let _ = self.stream.publish(draft("1"));
            }
        }
        None
    }
}

#[tokio::test]
async fn one_publisher_does_not_deliver_for_all_others_without_end() {
    let bus = bus(|_| {});
    let stream = stream(&bus);
    let log = Log::attached(&stream);
    let echo = Arc::new(Echo { stream: Arc::clone(&stream), left: AtomicUsize::new(50) });
    stream.attach(echo as Arc<dyn Sink>);
    stream.publish(draft("1")).unwrap();
    assert!(log.offsets().len() < 1_000, "it was kept for {} messages", log.offsets().len());
    becomes("all is handed over", || log.offsets().len() as u64 == stream.position().offset).await;
    assert!(log.offsets().windows(2).all(|pair| pair[0] + 1 == pair[1]));
}
