//! Sinks of several kinds, and shorthand.

use arena_bus::{Bus, BusSettings, Draft, Message, Payload, Rest, Sink, Stream};
use std::sync::{Arc, Mutex};
use tokio::sync::Semaphore;

pub fn bus(change: impl FnOnce(&mut BusSettings)) -> Bus {
    let mut settings = BusSettings::default();
    change(&mut settings);
    Bus::new(settings)
}

pub fn stream(bus: &Bus) -> Arc<Stream> {
    bus.open(&"room:1".parse().unwrap()).unwrap()
}

pub fn draft(text: &str) -> Draft {
    Draft::new("e", Payload::Json(text.to_owned().into()))
}

/// Writes down what it gets.
#[derive(Default)]
pub struct Log(Mutex<Vec<Arc<Message>>>);

impl Log {
    pub fn attached(stream: &Stream) -> Arc<Log> {
        let log = Arc::new(Log::default());
        stream.attach(Arc::clone(&log) as Arc<dyn Sink>);
        log
    }

    pub fn offsets(&self) -> Vec<u64> {
        self.0.lock().unwrap().iter().map(|message| message.offset).collect()
    }

    /// The ids, and which messages are transient.
    pub fn shown(&self) -> Vec<(String, bool)> {
        self.0.lock().unwrap().iter().map(|message| (message.id(), message.transient)).collect()
    }

    pub fn sequences(&self) -> Vec<u64> {
        self.0.lock().unwrap().iter().map(|message| message.sequence).collect()
    }
}

impl Sink for Log {
    fn deliver(&self, messages: &[Arc<Message>]) -> Option<Rest> {
        self.0.lock().unwrap().extend_from_slice(messages);
        None
    }
}

/// Finishes a delivery only when it is given a permit.
pub struct Slow {
    pub log: Log,
    pub permits: Arc<Semaphore>,
    /// How many messages came in each call.
    pub calls: Mutex<Vec<usize>>,
}

impl Slow {
    pub fn attached(stream: &Stream) -> Arc<Slow> {
        let permits = Arc::new(Semaphore::new(0));
        let slow = Arc::new(Slow { log: Log::default(), permits, calls: Mutex::default() });
        stream.attach(Arc::clone(&slow) as Arc<dyn Sink>);
        slow
    }
}

impl Sink for Slow {
    fn deliver(&self, messages: &[Arc<Message>]) -> Option<Rest> {
        self.log.deliver(messages);
        self.calls.lock().unwrap().push(messages.len());
        let permits = Arc::clone(&self.permits);
        Some(Box::pin(async move { permits.acquire().await.unwrap().forget() }))
    }
}

/// Waits until something is so.
pub async fn becomes(what: &str, is_so: impl Fn() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    };
    let done = tokio::time::timeout(std::time::Duration::from_secs(20), wait).await;
    assert!(done.is_ok(), "it never came to this: {what}");
}
