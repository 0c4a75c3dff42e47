//! All members of all rooms: they join, talk at a steady pace, and count what they hear.

use crate::dialect::Dialect;
use crate::latency::Latencies;
use crate::load::{Id, Sockets, Stamp, StampReader};
use anyhow::{Context, ensure};
use std::net::SocketAddr;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Every connection says something this often, as clients of realtime servers do.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(25);
/// Once nothing has arrived for so long, nothing will.
const SILENCE: Duration = Duration::from_secs(1);

/// Joins are at least so far apart: a gateway's limit is 2,500 a second.
const JOIN_GAP: Duration = Duration::from_micros(500);

/// How many talk to how many.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Rooms.
    pub rooms: u32,
    /// Members of each.
    pub members: u32,
}

impl Shape {
    /// Members of all rooms.
    pub fn sessions(self) -> u32 {
        self.rooms * self.members
    }
}

/// Connected members.
pub struct Crowd<'a> {
    dialect: &'a dyn Dialect,
    shape: Shape,
    sockets: Sockets,
    /// By connection, room after room.
    ears: Vec<Ear>,
    /// Messages that each room was sent.
    sent: Vec<u64>,
    origin: Instant,
    /// Heartbeats sent since the origin.
    beats: u64,
    /// Scratch for what is sent.
    out: Vec<u8>,
}

#[derive(Default)]
struct Ear {
    stamp: StampReader,
    heard: u64,
}

/// What was heard while it was measured.
pub struct Window {
    /// Its length.
    pub took: Duration,
    /// Deliveries in it.
    pub heard: u64,
    /// Their bytes on the wire.
    pub bytes: u64,
    /// From the moment at which a message was due to its delivery.
    pub latency: Latencies,
    /// From the moment at which a message was due to when it was sent: what the load generator itself adds.
    pub late: Latencies,
}

impl<'a> Crowd<'a> {
    /// Connects and joins all, one after the other.
    pub fn join(dialect: &'a dyn Dialect, to: SocketAddr, shape: Shape) -> anyhow::Result<Crowd<'a>> {
        let mut sockets = Sockets::new()?;
        let begun = Instant::now();
        for n in 0..shape.sessions() {
            sleep((begun + JOIN_GAP * n).saturating_duration_since(Instant::now()));
            let (stream, rest) =
                dialect.join(to, n / shape.members).with_context(|| format!("join member {n}"))?;
            let id = sockets.add(stream, rest)?;
            ensure!(id == n as Id, "invariant: ids count the connections");
        }
        Ok(Crowd {
            dialect,
            shape,
            sockets,
            ears: (0..shape.sessions()).map(|_| Ear::default()).collect(),
            sent: vec![0; shape.rooms as usize],
            origin: Instant::now(),
            beats: 0,
            out: Vec::new(),
        })
    }

    /// Every room is sent so many messages a second, evenly spread, by its first member.
    pub fn talk(&mut self, per_room_s: f64, length: Duration) -> anyhow::Result<Window> {
        let rooms = self.shape.rooms;
        let gap = Duration::from_secs_f64(1.0 / (per_room_s * f64::from(rooms)));
        let expected = length.as_secs_f64() * per_room_s * f64::from(self.shape.sessions());
        let mut heard = Heard { latency: Vec::with_capacity(expected as usize + 1_000), bytes: 0 };
        let mut late = Vec::new();
        let started = Instant::now();
        let (mut now, end, mut due) = (started, started + length, started);
        while now < end {
            while due <= now {
                let room = (late.len() % rooms as usize) as u32;
                self.say(room, due)?;
                late.push(due.elapsed());
                due += gap;
            }
            self.beat()?;
            self.listen(due.min(end), &mut heard)?;
            now = Instant::now();
        }
        Ok(Window {
            took: started.elapsed(),
            heard: heard.latency.len() as u64,
            bytes: heard.bytes,
            latency: Latencies::new(heard.latency),
            late: Latencies::new(late),
        })
    }

    /// Listens until everything has been heard, or nothing comes anymore; returns the deliveries that are missing, and
    /// fails if somebody has heard something twice.
    pub fn settle(&mut self) -> anyhow::Result<u64> {
        let mut last = Instant::now();
        while self.missing()? > 0 && last.elapsed() < SILENCE {
            let mut heard = Heard { latency: Vec::new(), bytes: 0 };
            self.beat()?;
            self.listen(Instant::now() + SILENCE / 10, &mut heard)?;
            if !heard.latency.is_empty() {
                last = Instant::now();
            }
        }
        self.missing()
    }

    fn missing(&self) -> anyhow::Result<u64> {
        let mut missing = 0;
        for (ears, sent) in self.ears.chunks(self.shape.members as usize).zip(&self.sent) {
            for ear in ears {
                missing += sent.checked_sub(ear.heard).context("a member has heard more than was said")?;
            }
        }
        Ok(missing)
    }

    fn say(&mut self, room: u32, due: Instant) -> anyhow::Result<()> {
        self.out.clear();
        self.dialect.message(room, Stamp::of(self.origin, due), &mut self.out);
        self.sent[room as usize] += 1;
        self.sockets.send((room * self.shape.members) as Id, &self.out)
    }

    /// Sends the heartbeats that are due.
    fn beat(&mut self) -> anyhow::Result<()> {
        let Some(beat) = self.dialect.heartbeat() else { return Ok(()) };
        let sessions = u64::from(self.shape.sessions());
        let rounds = self.origin.elapsed().as_secs_f64() / HEARTBEAT_EVERY.as_secs_f64();
        while self.beats < (rounds * sessions as f64) as u64 {
            self.sockets.send((self.beats % sessions) as Id, beat)?;
            self.beats += 1;
        }
        Ok(())
    }

    fn listen(&mut self, until: Instant, heard: &mut Heard) -> anyhow::Result<()> {
        let Crowd { dialect, sockets, ears, origin, .. } = self;
        let mut answers = Vec::new();
        sockets.wait(
            until,
            |input| dialect.length(input),
            |id, frame, now| {
                let ear = &mut ears[id];
                if let Some(stamp) = ear.stamp.read(frame) {
                    ear.heard += 1;
                    heard.latency.push(stamp.age(*origin, now));
                    heard.bytes += frame.len() as u64;
                } else if let Some(answer) = dialect.answer(frame)? {
                    answers.push((id, answer));
                }
                Ok(())
            },
        )?;
        answers.iter().try_for_each(|(id, answer)| sockets.send(*id, answer))
    }
}

struct Heard {
    latency: Vec<Duration>,
    bytes: u64,
}
