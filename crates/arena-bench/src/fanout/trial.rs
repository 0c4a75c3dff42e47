//! One server measured once.

use super::Args;
use super::crowd::{Crowd, Shape, Window};
use super::servers::{Contestant, Running};
use crate::machine::{process_cpu, resident_bytes};
use anyhow::ensure;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A load is held while 99 of 100 deliveries are quicker than this.
pub const HELD_MS_P99: f64 = 50.0;
/// A load is held while at least this part of it arrives in time.
const HELD_PART: f64 = 0.99;
/// The ladder begins at this many times the measured load; each step is that much higher than the last.
const LADDER_FROM: f64 = 2.0;
const LADDER_STEP: f64 = 1.1;
const LADDER_SETTLE: Duration = Duration::from_secs(1);
const LADDER_WINDOW: Duration = Duration::from_secs(4);
/// Time for a server to put away what joining took.
const REST: Duration = Duration::from_secs(1);

/// What one run found out.
#[derive(Debug, Clone, Copy)]
pub struct Trial {
    /// Deliveries for a second of the server's processor time.
    pub per_cpu_s: f64,
    /// The server's processor time, in cores.
    pub cores: f64,
    /// Memory of the server's process for a session.
    pub kib: f64,
    /// The server's processor time for accepting a session and its join, in microseconds.
    pub accept_us: f64,
    /// Delivery, in milliseconds.
    pub ms_p50: f64,
    /// See `ms_p50`.
    pub ms_p99: f64,
    /// See `ms_p50`.
    pub ms_max: f64,
    /// How late messages were sent, in milliseconds.
    pub late_ms_p99: f64,
    /// Bytes of a delivery on the wire.
    pub bytes: f64,
    /// The highest load held.
    pub held: Held,
}

/// A load that was held.
#[derive(Debug, Clone, Copy)]
pub struct Held {
    /// Messages a second in each room.
    pub per_room_s: f64,
    /// Deliveries a second.
    pub per_s: f64,
    /// Delivery, in milliseconds.
    pub ms_p99: f64,
    /// The server's processor time, in cores.
    pub cores: f64,
    /// The load generator's.
    pub load_cores: f64,
}

/// Starts a server, joins it, and measures it at the given load; then climbs the ladder.
pub fn measure(contestant: &Contestant, args: &Args) -> anyhow::Result<Trial> {
    let server = contestant.start(args)?;
    let shape = args.shape();
    let (cpu, bytes) = (process_cpu(&server.pid)?, resident_bytes(&server.pid)?);
    let mut crowd = Crowd::join(&*server.dialect, server.address, shape)?;
    sleep(REST);
    let sessions = f64::from(shape.sessions());
    let accept = process_cpu(&server.pid)? - cpu;
    let bytes = resident_bytes(&server.pid)?.saturating_sub(bytes);

    let settle = Duration::from_secs(args.settle_seconds);
    let (window, used) = step(&mut crowd, &server, args.rate, settle, Duration::from_secs(args.seconds))?;
    let missing = crowd.settle()?;
    ensure!(missing == 0, "{missing} deliveries of {} are missing", contestant.name());
    let base = held(&window, &used, args.rate);
    Ok(Trial {
        per_cpu_s: window.heard as f64 / used.server.as_secs_f64(),
        cores: base.cores,
        kib: bytes as f64 / sessions / 1024.0,
        accept_us: accept.as_secs_f64() * 1e6 / sessions,
        ms_p50: window.latency.ms(50.0),
        ms_p99: base.ms_p99,
        ms_max: window.latency.ms(100.0),
        late_ms_p99: window.late.ms(99.0),
        bytes: window.bytes as f64 / window.heard as f64,
        held: if args.no_ladder { base } else { climb(&mut crowd, &server, shape, base) },
    })
}

/// How long a message to a room of one is when it is delivered.
pub fn frame_bytes(contestant: &Contestant, args: &Args) -> anyhow::Result<usize> {
    let server = contestant.start(args)?;
    let mut crowd = Crowd::join(&*server.dialect, server.address, Shape { rooms: 1, members: 1 })?;
    let window = crowd.talk(100.0, Duration::from_secs(1))?;
    ensure!(window.heard > 0, "the {} delivers nothing", contestant.name());
    Ok((window.bytes / window.heard) as usize)
}

/// Processor time used in a window.
struct Used {
    server: Duration,
    load: Duration,
}

fn step(
    crowd: &mut Crowd<'_>,
    server: &Running,
    per_room_s: f64,
    settle: Duration,
    length: Duration,
) -> anyhow::Result<(Window, Used)> {
    crowd.talk(per_room_s, settle)?;
    let (ours, theirs) = (process_cpu("self")?, process_cpu(&server.pid)?);
    let window = crowd.talk(per_room_s, length)?;
    let used = Used { server: process_cpu(&server.pid)? - theirs, load: process_cpu("self")? - ours };
    Ok((window, used))
}

fn held(window: &Window, used: &Used, per_room_s: f64) -> Held {
    let seconds = window.took.as_secs_f64();
    Held {
        per_room_s,
        per_s: window.heard as f64 / seconds,
        ms_p99: window.latency.ms(99.0),
        cores: used.server.as_secs_f64() / seconds,
        load_cores: used.load.as_secs_f64() / seconds,
    }
}

/// Raises the load until it is not held anymore. Nothing is held if the measured load was not.
fn climb(crowd: &mut Crowd<'_>, server: &Running, shape: Shape, base: Held) -> Held {
    if base.ms_p99 >= HELD_MS_P99 {
        return Held { per_room_s: 0.0, per_s: 0.0, ..base };
    }
    let mut highest = base;
    let mut per_room_s = base.per_room_s * LADDER_FROM;
    let stuck = Instant::now() + Duration::from_secs(300);
    while Instant::now() < stuck {
        // A server that ends a connection does not hold the load either.
        let Ok((window, used)) = step(crowd, server, per_room_s, LADDER_SETTLE, LADDER_WINDOW) else { break };
        let now = held(&window, &used, per_room_s);
        let due = per_room_s * f64::from(shape.sessions());
        let complete = crowd.settle().is_ok_and(|missing| missing == 0);
        if now.ms_p99 >= HELD_MS_P99 || now.per_s < due * HELD_PART || !complete {
            break;
        }
        highest = now;
        per_room_s *= LADDER_STEP;
    }
    highest
}
