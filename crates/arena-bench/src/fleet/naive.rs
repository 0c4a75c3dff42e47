//! Clients as they are found in the wild: a connection each, a fixed ladder without jitter, nothing in common. What
//! realtime-js does, whose ladder this is.

use super::LOBBY;
use super::wire::Wire;
use serde_json::json;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval_at, sleep, timeout};

/// realtime-js: delays after the first, the second, the third and every further failure.
const LADDER: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(5), Duration::from_secs(10)];
/// realtime-js: how long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// realtime-js: between heartbeats; one that is not answered by the next is the end of the connection.
const HEARTBEAT: Duration = Duration::from_secs(25);

/// Many of them. They end when this is dropped.
pub struct Naive {
    _clients: JoinSet<()>,
}

impl Naive {
    /// All at once, as they do.
    pub fn start(runtime: &Handle, to: SocketAddr, apikey: &str, count: usize) -> Naive {
        let mut clients = JoinSet::new();
        for n in 0..count {
            let apikey = apikey.to_owned();
            clients.spawn_on(async move { live(to, &apikey, &format!("naive-{n}")).await }, runtime);
        }
        Naive { _clients: clients }
    }
}

async fn live(to: SocketAddr, apikey: &str, key: &str) {
    let mut failures = 0;
    loop {
        if let Ok(Ok(wire)) = timeout(PATIENCE, Wire::connect(to, apikey)).await {
            failures = 0;
            stay(wire, key).await;
        }
        sleep(rung(failures)).await;
        failures += 1;
    }
}

fn rung(failures: usize) -> Duration {
    LADDER[failures.min(LADDER.len() - 1)]
}

/// Joins, is present, and stays until the connection breaks.
async fn stay(mut wire: Wire, key: &str) {
    let start = Instant::now() + HEARTBEAT;
    let (mut beats, mut unanswered) = (interval_at(start, HEARTBEAT), false);
    let (mut refused, mut join_at) = (0, Some(Instant::now()));
    loop {
        let due = join_at.unwrap_or(start + Duration::from_secs(86_400));
        let sent = tokio::select! {
            () = tokio::time::sleep_until(due) => {
                join_at = None;
                let config = json!({ "broadcast": {}, "presence": { "key": key, "enabled": true } });
                wire.push("join", LOBBY, "phx_join", json!({ "config": config })).await
            }
            _ = beats.tick() => {
                if std::mem::replace(&mut unanswered, true) {
                    return;
                }
                wire.push("beat", "phoenix", "heartbeat", json!({})).await
            }
            frame = wire.next() => {
                let Some(frame) = frame else { return };
                match (frame.event.as_str(), frame.reference.as_deref()) {
                    ("phx_reply", Some("beat")) => unanswered = false,
                    ("phx_reply", Some("join")) if frame.payload["status"] == "ok" => {
                        let payload = json!({ "name": key, "bot": true });
                        let track = json!({ "type": "presence", "event": "track", "payload": payload });
                        if wire.push("track", LOBBY, "presence", track).await.is_err() {
                            return;
                        }
                    }
                    ("phx_reply", Some("join")) | ("phx_error", _) => {
                        join_at = Some(Instant::now() + rung(refused));
                        refused += 1;
                    }
                    _ => {}
                }
                Ok(())
            }
        };
        if sent.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ladder_ends_at_its_last_rung() {
        let secs: Vec<u64> = (0..6).map(|failures| rung(failures).as_secs()).collect();
        assert_eq!(secs, [1, 2, 5, 10, 10, 10]);
    }
}
