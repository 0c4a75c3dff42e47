//! Somebody in the lobby who counts who is there, straight at the gateway, whatever clients say of themselves.

use super::LOBBY;
use super::wire::{Frame, Wire};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::{interval, sleep};

/// How soon it comes back to a gateway that was down: it must not miss who comes first.
const AGAIN: Duration = Duration::from_millis(20);
const HEARTBEAT: Duration = Duration::from_secs(20);

/// How many were there, since when. Grows with each change that is told, which the gateway does every 50 ms at most.
type Log = Arc<Mutex<Vec<(Instant, usize)>>>;

/// Counts the appearances in the lobby, its own not among them. Ends when it is dropped.
pub struct Observer {
    log: Log,
    _watching: JoinSet<()>,
}

impl Observer {
    /// Watches the gateway at this address.
    pub fn start(runtime: &Handle, gateway: SocketAddr, apikey: &str) -> Observer {
        let log = Log::default();
        let (apikey, seen) = (apikey.to_owned(), Arc::clone(&log));
        let mut watching = JoinSet::new();
        watching.spawn_on(
            async move {
                loop {
                    watch(gateway, &apikey, &seen).await;
                    note(&seen, 0);
                    sleep(AGAIN).await;
                }
            },
            runtime,
        );
        Observer { log, _watching: watching }
    }

    /// How many are there now.
    pub fn present(&self) -> usize {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).last().map_or(0, |(_, count)| *count)
    }

    /// When so many were there for the first time since `since`.
    pub fn reached(&self, count: usize, since: Instant) -> Option<Instant> {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.iter().find(|(at, there)| *at >= since && *there >= count).map(|(at, _)| *at)
    }

    /// The most that were there at once since `since`: more than there are clients would be one of them twice.
    pub fn most(&self, since: Instant) -> usize {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.iter().filter(|(at, _)| *at >= since).map(|(_, count)| *count).max().unwrap_or(0)
    }
}

fn note(log: &Log, count: usize) {
    let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
    if log.last().is_none_or(|(_, last)| *last != count) {
        log.push((Instant::now(), count));
    }
}

/// One stay.
async fn watch(gateway: SocketAddr, apikey: &str, log: &Log) {
    let Ok(mut wire) = Wire::connect(gateway, apikey).await else { return };
    let config = json!({ "config": { "broadcast": {}, "presence": { "enabled": true } } });
    if wire.push("1", LOBBY, "phx_join", config).await.is_err() {
        return;
    }
    let (mut beat, mut crowd) = (interval(HEARTBEAT), Crowd::default());
    loop {
        tokio::select! {
            _ = beat.tick() => {
                if wire.push("2", "phoenix", "heartbeat", json!({})).await.is_err() {
                    return;
                }
            }
            frame = wire.next() => {
                let Some(frame) = frame else { return };
                if crowd.take(&frame) {
                    note(log, crowd.len());
                }
            }
        }
    }
}

/// Who is there, as far as it is told: everybody's reference, or of many only how many they are.
#[derive(Debug, Default)]
struct Crowd {
    references: HashSet<String>,
    count: Option<usize>,
}

impl Crowd {
    /// Whether the frame was about it.
    fn take(&mut self, frame: &Frame) -> bool {
        let payload = &frame.payload;
        match frame.event.as_str() {
            "presence_state" => {
                self.references = references(payload).collect();
                self.count = None;
            }
            "presence_diff" => {
                for gone in references(&payload["leaves"]) {
                    self.references.remove(&gone);
                }
                self.references.extend(references(&payload["joins"]));
            }
            "broadcast" if payload["event"] == "occupancy" => {
                self.count = payload["payload"]["count"].as_u64().and_then(|count| count.try_into().ok());
            }
            _ => return false,
        }
        true
    }

    fn len(&self) -> usize {
        self.count.unwrap_or(self.references.len())
    }
}

fn references(keys: &Value) -> impl Iterator<Item = String> + '_ {
    let metas = keys.as_object().into_iter().flatten().filter_map(|(_, entry)| entry["metas"].as_array());
    metas.flatten().filter_map(|meta| meta["phx_ref"].as_str()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(frames: &[(&str, Value)]) -> usize {
        let mut crowd = Crowd::default();
        for (event, payload) in frames {
            crowd.take(&Frame { reference: None, event: (*event).to_owned(), payload: payload.clone() });
        }
        crowd.len()
    }

    #[test]
    fn appearances_are_counted_by_name_and_then_by_number() {
        let metas = |refs: &[&str]| {
            let metas: Vec<Value> = refs.iter().map(|reference| json!({ "phx_ref": reference })).collect();
            json!({ "metas": metas })
        };
        let state = ("presence_state", json!({ "a": metas(&["1", "2"]), "b": metas(&["3"]) }));
        let diff =
            json!({ "joins": { "a": metas(&["4"]), "c": metas(&["5"]) }, "leaves": { "a": metas(&["1"]) } });
        let diff = ("presence_diff", diff);
        let many = ("broadcast", json!({ "event": "occupancy", "payload": { "count": 700 } }));
        assert_eq!(count(&[state.clone(), diff.clone()]), 4);
        assert_eq!(count(&[state.clone(), diff, many.clone()]), 700);
        assert_eq!(count(&[many, state]), 3);
    }
}
