//! The worlds that players come to: channels, and the bots that live there already.

use crate::http::Client;
use crate::roster::ZONES;
use crate::server::Server;
use anyhow::ensure;
use serde_json::{Value, json};

/// Rows of a roster at a time.
const ROSTER: usize = 2_000;

/// Name of the n-th channel; the first shard of a group has no number.
pub fn channel(n: u32) -> String {
    format!("bench-{}", n + 2)
}

/// Opens the channels and imports their bots, then waits until all of them are live.
pub fn build(server: &mut Server, worlds: u32, bots: u32, seats: u32) -> anyhow::Result<()> {
    let mut client = Client::new(server.address());
    for n in 0..worlds {
        let body = json!({ "name": channel(n), "kind": "MAIN", "max_bots": seats });
        let (status, answer) = client.request("POST", "/api/channels", Some(&body))?;
        ensure!(status == 201, "POST /api/channels answered {status}: {answer}");
    }
    let roster: Vec<Value> = (0..worlds * bots).map(|n| bot(n, n / bots.max(1))).collect();
    for rows in roster.chunks(ROSTER) {
        let (status, answer) = client.request("POST", "/api/bots/import", Some(&json!(rows)))?;
        ensure!(status == 200, "POST /api/bots/import answered {status}: {answer}");
    }
    server.until("all bots are live", |_| {
        let (_, health) = client.request("GET", "/api/health", None)?;
        Ok(health["bots"]["live"] == worlds * bots)
    })?;
    Ok(())
}

fn bot(n: u32, world: u32) -> Value {
    let zone = ZONES[n as usize % ZONES.len()];
    json!({ "name": format!("Bench {n:06}"), "home_zone": zone, "channel_kind": "MAIN", "channel": channel(world) })
}
