//! The players: they listen to their worlds, some move, and when asked to, some go and others come.

use super::door::{Arrival, Door, Errand};
use super::news::{self, INPUT_REF, News};
use super::spread::Spread;
use super::{Args, town};
use crate::dialect::phoenix::{self, JOIN_REF};
use crate::latency::Latencies;
use crate::load::websocket::{self, TEXT};
use crate::load::{Id, Sockets};
use anyhow::{Context, ensure};
use std::time::{Duration, Instant};

const HEARTBEAT_EVERY: Duration = Duration::from_secs(25);
/// Arrivals are looked for at least this often.
const GLANCE: Duration = Duration::from_millis(1);
/// Places of a world that its players walk to.
const PLACES: usize = 64;
/// Joining stops making progress: something is wrong.
const STUCK: Duration = Duration::from_secs(30);

/// Everybody, and what was heard.
pub struct Crowd<'a> {
    args: &'a Args,
    door: Door,
    sockets: Sockets,
    /// By connection.
    players: Vec<Option<Player>>,
    worlds: Vec<WorldSeen>,
    heard: Heard,
    heartbeat: Vec<u8>,
    /// Errands that have not come back.
    underway: u32,
    /// Turns taken: heartbeats, inputs, and the one who leaves next.
    beats: Turns,
    moves: Turns,
    leaver: Id,
}

struct Player {
    world: u32,
    id: String,
    offset: u64,
    epoch: String,
    /// When an input was sent that has not been answered, and not been seen in a delta.
    unanswered: Option<Instant>,
    unseen: Option<Instant>,
    /// The tick that carried out the last input.
    tick: Option<u64>,
}

#[derive(Default)]
struct WorldSeen {
    spread: Spread,
    places: Vec<[i64; 2]>,
}

/// What was heard in a window.
#[derive(Default)]
pub struct Heard {
    /// Messages of worlds, delivered.
    pub deliveries: u64,
    /// Their bytes on the wire.
    pub bytes: u64,
    /// Messages that a member should have got and did not, or got twice.
    pub gaps: u64,
    /// From a message's arrival at the first member to its arrival at each other one.
    pub spread: Vec<Duration>,
    /// From an input to its answer.
    pub answered: Vec<Duration>,
    /// From an input to the delta that shows it.
    pub shown: Vec<Duration>,
    /// Inputs that were refused.
    pub refused: u64,
    /// From the moment a player wants to join to the snapshot.
    pub joins: Vec<Duration>,
    /// Giving a seat back.
    pub leaves: Vec<Duration>,
    /// Errands that could not be begun because too many were waiting.
    pub late: u64,
}

/// Something that each of many does once in a while, one after the other.
struct Turns {
    since: Instant,
    every: Duration,
    taken: u64,
}

impl Turns {
    fn new(every: Duration) -> Turns {
        Turns { since: Instant::now(), every, taken: 0 }
    }

    /// Whose turns have come since the last call, of so many.
    fn due(&mut self, of: usize) -> Vec<usize> {
        let all = (self.since.elapsed().as_secs_f64() / self.every.as_secs_f64() * of as f64) as u64;
        let from = self.taken;
        self.taken = all.max(from);
        (from..self.taken).map(|turn| (turn % of.max(1) as u64) as usize).collect()
    }
}

impl<'a> Crowd<'a> {
    /// Nobody yet.
    pub fn new(args: &'a Args, door: Door) -> anyhow::Result<Crowd<'a>> {
        Ok(Crowd {
            args,
            door,
            sockets: Sockets::new()?,
            players: Vec::new(),
            worlds: (0..args.worlds).map(|_| WorldSeen::default()).collect(),
            heard: Heard::default(),
            heartbeat: phoenix::heartbeat(),
            underway: 0,
            beats: Turns::new(HEARTBEAT_EVERY),
            moves: Turns::new(Duration::from_secs_f64(args.move_seconds)),
            leaver: 0,
        })
    }

    /// Fills all worlds with players; returns how long it took.
    pub fn fill(&mut self) -> anyhow::Result<Duration> {
        let started = Instant::now();
        let mut progress = Instant::now();
        let wanted = (self.args.worlds * self.args.players) as usize;
        let mut arrived = 0;
        let mut sent = 0_u32;
        while arrived < wanted {
            while (sent as usize) < wanted {
                let errand = Errand { due: Instant::now(), leaves: None, world: sent % self.args.worlds };
                if !self.door.send(errand)? {
                    break;
                }
                sent += 1;
                self.underway += 1;
            }
            let now = self.take_in()?;
            arrived += now;
            if now > 0 {
                progress = Instant::now();
            }
            ensure!(progress.elapsed() < STUCK, "{arrived} of {wanted} players have joined");
            self.listen(GLANCE)?;
        }
        Ok(started.elapsed())
    }

    /// Lets time pass: everybody listens, some move, and `churn` players a second go and come.
    pub fn live(&mut self, churn: f64, length: Duration) -> anyhow::Result<Heard> {
        self.heard = Heard::default();
        let started = Instant::now();
        let mut changes = 0_u64;
        while started.elapsed() < length {
            while changes < (started.elapsed().as_secs_f64() * churn) as u64 {
                let due = started + Duration::from_secs_f64(changes as f64 / churn);
                self.replace_one(due)?;
                changes += 1;
            }
            self.take_in()?;
            self.walk()?;
            self.listen(GLANCE)?;
        }
        Ok(std::mem::take(&mut self.heard))
    }

    /// Waits for the errands that are under way.
    pub fn settle(&mut self) -> anyhow::Result<()> {
        let started = Instant::now();
        while self.underway > 0 {
            ensure!(started.elapsed() < STUCK, "{} players are still joining", self.underway);
            self.take_in()?;
            self.listen(GLANCE)?;
        }
        Ok(())
    }

    /// Players that are in.
    pub fn present(&self) -> usize {
        self.players.iter().flatten().count()
    }

    fn replace_one(&mut self, due: Instant) -> anyhow::Result<()> {
        // A prime step, so that the leavers are spread over the worlds.
        for _ in 0..self.players.len() {
            self.leaver = (self.leaver + 7_919) % self.players.len();
            if self.players[self.leaver].is_some() {
                break;
            }
        }
        let Some(player) = self.players.get(self.leaver).and_then(Option::as_ref) else { return Ok(()) };
        let errand = Errand { due, leaves: Some(player.id.clone()), world: player.world };
        if self.door.send(errand)? {
            self.underway += 1;
            self.sockets.close(self.leaver);
            self.players[self.leaver] = None;
        } else {
            self.heard.late += 1;
        }
        Ok(())
    }

    /// Takes in who has arrived; returns how many.
    fn take_in(&mut self) -> anyhow::Result<usize> {
        let mut taken = 0;
        while let Some(arrival) = self.door.arrived()? {
            let Arrival { world, player, stream, rest, offset, epoch, places, took, leaving } = arrival;
            self.underway -= 1;
            taken += 1;
            self.heard.joins.push(took);
            self.heard.leaves.extend(leaving);
            let seen = &mut self.worlds[world as usize];
            seen.places = places;
            seen.places.truncate(PLACES);
            let id = self.sockets.add(stream, rest)?;
            if id == self.players.len() {
                self.players.push(None);
            }
            self.players[id] =
                Some(Player { world, id: player, offset, epoch, unanswered: None, unseen: None, tick: None });
        }
        Ok(taken)
    }

    /// Sends the inputs that are due: every so many-th player walks to where somebody else stood.
    fn walk(&mut self) -> anyhow::Result<()> {
        let movers = self.players.len() / self.args.movers_one_in;
        for turn in self.moves.due(movers) {
            let id = turn * self.args.movers_one_in;
            let Some(player) = &mut self.players[id] else { continue };
            let places = &self.worlds[player.world as usize].places;
            let Some([x, y]) = places.get(self.moves.taken as usize % places.len().max(1)) else { continue };
            if player.unanswered.is_some() {
                continue;
            }
            let topic = town::channel(player.world);
            let text = format!(
                r#"["{JOIN_REF}","{INPUT_REF}","realtime:world:{topic}","broadcast",{{"type":"broadcast","event":"move","payload":{{"x":{x},"y":{y}}}}}]"#
            );
            let now = Instant::now();
            (player.unanswered, player.unseen, player.tick) = (Some(now), Some(now), None);
            self.sockets.send(id, &websocket::text(&text))?;
        }
        Ok(())
    }

    fn listen(&mut self, most: Duration) -> anyhow::Result<()> {
        for id in self.beats.due(self.players.len()) {
            if self.players[id].is_some() {
                self.sockets.send(id, &self.heartbeat)?;
            }
        }
        let Crowd { sockets, players, worlds, heard, .. } = self;
        let mut answers = Vec::new();
        sockets.wait(Instant::now() + most, websocket::length, |id, bytes, now| {
            let frame = websocket::open(bytes);
            let player = players[id].as_mut().context("invariant: who listens is a player")?;
            match if frame.opcode == TEXT { news::look(frame.payload) } else { News::Other } {
                News::World { offset } => {
                    heard.deliveries += 1;
                    heard.bytes += bytes.len() as u64;
                    player.follow(offset, frame.payload, now, heard);
                    heard.spread.extend(worlds[player.world as usize].spread.after_the_first(offset, now));
                }
                News::Input { tick } => player.answered(tick, now, heard),
                News::Other => answers.extend(phoenix::answer(bytes)?.map(|answer| (id, answer))),
            }
            Ok(())
        })?;
        answers.iter().try_for_each(|(id, answer)| sockets.send(*id, answer))
    }
}

impl Player {
    fn follow(&mut self, offset: u64, text: &[u8], now: Instant, heard: &mut Heard) {
        if offset != self.offset + 1 {
            let epoch = news::epoch(text);
            // A new epoch begins with a snapshot, at offset 1.
            let expected = if epoch == self.epoch.as_bytes() { self.offset + 1 } else { 1 };
            heard.gaps += offset.abs_diff(expected);
            self.epoch = String::from_utf8_lossy(epoch).into_owned();
        }
        self.offset = offset;
        let Some(since) = self.unseen else { return };
        if memchr::memmem::find(text, self.id.as_bytes()).is_some() {
            heard.shown.push(now.saturating_duration_since(since));
            self.unseen = None;
        } else if self.tick.is_some_and(|tick| news::tick(text) >= Some(tick)) {
            // Nothing to show: it stands where it was sent.
            self.unseen = None;
        }
    }

    fn answered(&mut self, tick: Option<u64>, now: Instant, heard: &mut Heard) {
        if let Some(since) = self.unanswered.take() {
            heard.answered.push(now.saturating_duration_since(since));
        }
        self.tick = tick;
        if tick.is_none() {
            heard.refused += 1;
            self.unseen = None;
        }
    }
}

impl Heard {
    /// Latencies of deliveries, answers, sightings, joins and leaves.
    pub fn latencies(&mut self) -> [Latencies; 5] {
        [&mut self.spread, &mut self.answered, &mut self.shown, &mut self.joins, &mut self.leaves]
            .map(|measured| Latencies::new(std::mem::take(measured)))
    }
}
