//! How players come and go: some threads that do it as clients do, one request after the other.

use super::town;
use crate::dialect::phoenix;
use crate::http::Client;
use crate::load::websocket::Blocking;
use anyhow::{Context, ensure};
use serde_json::Value;
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::Scope;
use std::time::{Duration, Instant};

/// Threads at the door. A join waits for a tick of its world, so each does three to five a second.
const THREADS: usize = 128;
/// Errands that wait for a thread; more are refused, and counted as not done.
const ERRANDS: usize = 256;
/// Players that wait to be taken in; a thread with another one waits too.
const ARRIVED: usize = 256;

/// Somebody goes, somebody comes.
pub struct Errand {
    /// When.
    pub due: Instant,
    /// Who gives the seat back.
    pub leaves: Option<String>,
    /// The world that somebody joins.
    pub world: u32,
}

/// A player with a body in a world.
pub struct Arrival {
    /// The world's number.
    pub world: u32,
    /// The player's id.
    pub player: String,
    /// The joined connection.
    pub stream: TcpStream,
    /// What has arrived on it since.
    pub rest: Vec<u8>,
    /// Offset of the world's stream at the join.
    pub offset: u64,
    /// What the offset counts in.
    pub epoch: String,
    /// Where residents of the world stand.
    pub places: Vec<[i64; 2]>,
    /// From when the errand was due to the answer to the join.
    pub took: Duration,
    /// Of that, giving another's seat back.
    pub leaving: Option<Duration>,
}

/// The threads, from outside.
pub struct Door {
    errands: SyncSender<Errand>,
    arrived: Receiver<anyhow::Result<Arrival>>,
}

impl Door {
    /// Starts the threads; they end when the door is dropped.
    pub fn open<'scope>(scope: &'scope Scope<'scope, '_>, to: SocketAddr, shared: &'scope Line) -> Door {
        let (errands, waiting) = sync_channel(ERRANDS);
        let (out, arrived) = sync_channel(ARRIVED);
        *shared.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(waiting);
        for _ in 0..THREADS {
            let out = out.clone();
            scope.spawn(move || {
                let mut client = Client::new(to);
                while let Some(errand) = shared.next() {
                    if out.send(run(&mut client, to, &errand)).is_err() {
                        break;
                    }
                }
            });
        }
        Door { errands, arrived }
    }

    /// Gives an errand to the next free thread; false if too many are waiting.
    pub fn send(&self, errand: Errand) -> anyhow::Result<bool> {
        match self.errands.try_send(errand) {
            Ok(()) => Ok(true),
            Err(TrySendError::Full(_)) => Ok(false),
            Err(TrySendError::Disconnected(_)) => anyhow::bail!("nobody is at the door"),
        }
    }

    /// The next player that has arrived.
    pub fn arrived(&self) -> anyhow::Result<Option<Arrival>> {
        match self.arrived.try_recv() {
            Ok(arrival) => arrival.map(Some),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => anyhow::bail!("nobody is at the door"),
        }
    }
}

/// Where errands wait.
#[derive(Default)]
pub struct Line(Mutex<Option<Receiver<Errand>>>);

impl Line {
    fn next(&self) -> Option<Errand> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref()?.recv().ok()
    }
}

fn run(client: &mut Client, to: SocketAddr, errand: &Errand) -> anyhow::Result<Arrival> {
    let leaving = errand.leaves.as_ref().map(|player| leave(client, player)).transpose()?;
    let channel = town::channel(errand.world);
    let (status, seat) = client.request("POST", &format!("/api/channels/{channel}/join"), None)?;
    ensure!(status == 201, "the join of {channel} answered {status}: {seat}");
    let text = |key: &str| seat[key].as_str().with_context(|| format!("the seat has no {key}: {seat}"));
    let mut socket = Blocking::upgrade(to, &phoenix::socket_path(text("token")?))?;
    let reply = phoenix::join(&mut socket, &format!("realtime:{}", text("topic")?), true)?;
    let took = errand.due.elapsed();
    let player = text("player")?.to_owned();
    let response = response(&reply)?;
    let offset = response["position"]["offset"].as_u64().context("the join's reply has no position")?;
    let epoch = response["position"]["epoch"].as_str().unwrap_or_default().to_owned();
    let (places, world) = (places(&response), errand.world);
    let (stream, rest) = socket.into_parts();
    Ok(Arrival { world, player, stream, rest, offset, epoch, places, took, leaving })
}

fn leave(client: &mut Client, player: &str) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    let (status, answer) = client.request("DELETE", &format!("/api/players/{player}"), None)?;
    ensure!(status == 204, "giving a seat back answered {status}: {answer}");
    Ok(begun.elapsed())
}

/// What a join was answered.
fn response(reply: &str) -> anyhow::Result<Value> {
    let mut frame: Value = serde_json::from_str(reply)?;
    Ok(frame[4]["response"].take())
}

fn places(response: &Value) -> Vec<[i64; 2]> {
    let residents = response["snapshot"]["residents"].as_array();
    residents
        .into_iter()
        .flatten()
        .filter_map(|resident| Some([resident["x"].as_f64()?, resident["y"].as_f64()?]))
        .map(|place| place.map(|axis| axis.round() as i64))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_joins_reply_tells_where_residents_stand() {
        let reply = r#"["1","1","realtime:world:main","phx_reply",{"status":"ok","response":
            {"position":{"offset":7,"epoch":"a"},"snapshot":{"residents":[{"id":"b","x":3.4,"y":4}]}}}]"#;
        let response = response(reply).unwrap();
        assert_eq!(response["position"]["offset"], 7);
        assert_eq!(places(&response), [[3, 4]]);
    }
}
