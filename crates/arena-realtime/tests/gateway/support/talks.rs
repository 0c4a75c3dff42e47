//! Conversations that a test keeps: logs that are written first and published a moment later.

use arena_bus::{Bus, Draft, Epoch, Payload, Position};
use arena_core::topic::TopicName;
use arena_realtime::{Heard, Line, Missed, Refused, Saying, Unsaid};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

pub struct Talks {
    bus: Bus,
    /// What reads of the log see.
    logs: Mutex<HashMap<String, Log>>,
    /// One thing at a time: what is written is published before anything else is written or asked.
    turn: Mutex<()>,
    heard: Mutex<Vec<Value>>,
    /// How long readings take at most, in milliseconds, and how many there were.
    dawdles: AtomicU64,
    readings: AtomicU64,
}

struct Log {
    epoch: Epoch,
    roster: Vec<String>,
    lines: Vec<Line>,
    /// Whose residents talk there.
    channel: Option<String>,
    /// Lines that this user is not given when it reads the log.
    withheld_from: Option<String>,
    /// So many listeners find that the stream is another by the time that they use it.
    stale: usize,
    /// What is published right after each reading of the log, as if it were said meanwhile.
    interrupted_by: usize,
    /// What is written right before the next reading of the log, and not published.
    ahead: usize,
    unpublished: Vec<Line>,
    /// The roster after the next reading of the log.
    roster_to_be: Option<Vec<String>>,
}

impl Talks {
    pub fn new(bus: Bus) -> Talks {
        let (logs, turn, heard) = (Mutex::default(), Mutex::default(), Mutex::default());
        let (dawdles, readings) = (AtomicU64::new(0), AtomicU64::new(0));
        Talks { bus, logs, turn, heard, dawdles, readings }
    }

    /// A conversation with this roster; its log begins with `created`.
    pub fn begin(&self, id: &str, roster: &[&str]) {
        let log = Log {
            epoch: Epoch::from(format!("epoch-of-{id}").as_str()),
            roster: roster.iter().map(|name| (*name).to_owned()).collect(),
            lines: Vec::new(),
            channel: None,
            withheld_from: None,
            stale: 0,
            interrupted_by: 0,
            ahead: 0,
            unpublished: Vec::new(),
            roster_to_be: None,
        };
        self.logs().insert(id.to_owned(), log);
        self.write(id, "created", json!({}));
    }

    /// It is the talk of residents of this channel's world.
    pub fn belongs_to(&self, id: &str, channel: &str) {
        self.logs().get_mut(id).unwrap().channel = Some(channel.to_owned());
    }

    /// Another conversation takes the place of one that has gone without a word.
    pub fn begin_anew(&self, id: &str, roster: &[&str]) {
        self.begin(id, roster);
        self.logs().get_mut(id).unwrap().epoch = Epoch::from(format!("second-epoch-of-{id}").as_str());
        let created = self.logs()[id].lines[0].clone();
        self.publish(id, created);
    }

    /// Writes a line and publishes it.
    pub fn write(&self, id: &str, event: &str, body: Value) -> Position {
        let _turn = self.turn.lock().unwrap();
        let line = self.write_only(id, event, body);
        self.publish(id, line)
    }

    fn write_only(&self, id: &str, event: &str, body: Value) -> Line {
        let mut logs = self.logs();
        let lines = &mut logs.get_mut(id).unwrap().lines;
        let line = Line {
            offset: lines.len() as u64 + 1,
            at_ms: 1_764_000_000_000 + lines.len() as u64,
            event: event.into(),
            id: body["id"].as_str().map(Into::into),
            body: body.to_string().into(),
        };
        lines.push(line.clone());
        line
    }

    /// As a loop does after its transaction: only if there is a stream.
    fn publish(&self, id: &str, line: Line) -> Position {
        let position = Position { offset: line.offset, epoch: self.logs()[id].epoch.clone() };
        if let Some(stream) = self.bus.get(&topic(id)) {
            let payload = Payload::Json(line.body);
            let draft = Draft { id: line.id, at_ms: Some(line.at_ms), ..Draft::new(&line.event, payload) };
            stream.publish_at(draft, position.clone());
        }
        position
    }

    /// Says so many things at once: all is written before any of it is published.
    pub fn write_many(&self, id: &str, count: usize) {
        self.write_and_wait(id, count, || {});
    }

    /// The same, and waits between writing and publishing.
    pub fn write_and_wait(&self, id: &str, count: usize, wait: impl FnOnce()) {
        let _turn = self.turn.lock().unwrap();
        let lines: Vec<_> = (0..count).map(|n| self.write_only(id, "message", json!({"n": n}))).collect();
        wait();
        for line in lines {
            self.publish(id, line);
        }
    }

    /// From now on readings of the log take their time, up to so many milliseconds before or after.
    pub fn make_slow(&self, millis: u64) {
        self.dawdles.store(millis, Ordering::Relaxed);
    }

    /// How long the next reading takes before it reads, and after.
    pub fn pauses(&self) -> (Option<Duration>, Option<Duration>) {
        let (most, n) = (self.dawdles.load(Ordering::Relaxed), self.readings.fetch_add(1, Ordering::Relaxed));
        let pause = Some(n / 2 % (most + 1)).filter(|millis| *millis > 0).map(Duration::from_millis);
        if n.is_multiple_of(2) { (pause, None) } else { (None, pause) }
    }

    /// When the log is read next, so much has been written that is not published yet.
    pub fn run_ahead(&self, id: &str, lines: usize) {
        self.logs().get_mut(id).unwrap().ahead = lines;
    }

    /// Publishes what was written ahead.
    pub fn publish_rest(&self, id: &str) {
        let _turn = self.turn.lock().unwrap();
        let unpublished = std::mem::take(&mut self.logs().get_mut(id).unwrap().unpublished);
        for line in unpublished {
            self.publish(id, line);
        }
    }

    /// Says something in passing.
    pub fn tell(&self, id: &str, event: &str, body: Value) {
        let payload = Payload::Json(body.to_string().into());
        self.bus.get(&topic(id)).unwrap().tell(Draft::new(event, payload)).unwrap();
    }

    /// This user is given no line of the log any more.
    pub fn withhold_from(&self, id: &str, user: &str) {
        self.logs().get_mut(id).unwrap().withheld_from = Some(user.to_owned());
    }

    /// Another roster, and the line that tells of it.
    pub fn change_roster(&self, id: &str, roster: &[&str]) {
        self.logs().get_mut(id).unwrap().roster = roster.iter().map(|name| (*name).to_owned()).collect();
        self.write(id, "participant_removed", json!({}));
    }

    /// The same while the log is read next.
    pub fn change_roster_meanwhile(&self, id: &str, roster: &[&str]) {
        let roster = roster.iter().map(|name| (*name).to_owned()).collect();
        self.logs().get_mut(id).unwrap().roster_to_be = Some(roster);
    }

    pub fn delete(&self, id: &str) {
        self.tell(id, "deleted", json!({}));
        self.logs().remove(id);
    }

    /// The next listeners are too late: the stream is another when they use it.
    pub fn make_stale(&self, id: &str, times: usize) {
        self.logs().get_mut(id).unwrap().stale = times;
    }

    /// After every reading of the log so much is said that no history holds it.
    pub fn interrupt_with(&self, id: &str, messages: usize) {
        self.logs().get_mut(id).unwrap().interrupted_by = messages;
    }

    pub fn position(&self, id: &str) -> Position {
        let logs = self.logs();
        Position { offset: logs[id].lines.len() as u64, epoch: logs[id].epoch.clone() }
    }

    /// Everything that was said, as it came: `[conversation, user, event, json, id]`.
    pub fn heard(&self) -> Vec<Value> {
        self.heard.lock().unwrap().clone()
    }

    pub fn listen(&self, id: &str) -> Result<Heard, Refused> {
        let _turn = self.turn.lock().unwrap();
        let mut logs = self.logs();
        let log = logs.get_mut(id).ok_or_else(|| unknown(id))?;
        let position = Position { offset: log.lines.len() as u64, epoch: log.epoch.clone() };
        let stream = self.bus.open(&topic(id)).unwrap();
        stream.anchor(&position);
        if log.stale > 0 {
            log.stale -= 1;
            stream.restart();
        }
        let roster = log.roster.iter().map(|name| name.parse().unwrap()).collect();
        Ok(Heard { position, stream, roster, channel: log.channel.clone() })
    }

    pub fn missed(&self, id: &str, user: &str, after: u64, limit: u32) -> Result<Missed, Refused> {
        let ahead = self.logs().get_mut(id).map_or(0, |log| std::mem::take(&mut log.ahead));
        for _ in 0..ahead {
            let line = self.write_only(id, "message", json!({}));
            self.logs().get_mut(id).unwrap().unpublished.push(line);
        }
        let (missed, interrupted_by) = {
            let logs = self.logs();
            let log = logs.get(id).ok_or_else(|| unknown(id))?;
            let page: Vec<_> =
                log.lines.iter().filter(|line| line.offset > after).take(limit as usize).cloned().collect();
            let through = page.last().map_or(after, |line| line.offset);
            let withheld = log.withheld_from.as_deref() == Some(user);
            let missed = Missed {
                lines: if withheld { Vec::new() } else { page },
                through,
                epoch: log.epoch.clone(),
                more: through < log.lines.len() as u64,
            };
            (missed, log.interrupted_by)
        };
        let roster = self.logs().get_mut(id).and_then(|log| log.roster_to_be.take());
        if let Some(roster) = roster {
            let roster: Vec<_> = roster.iter().map(String::as_str).collect();
            self.change_roster(id, &roster);
        }
        if interrupted_by > 0 {
            self.write_many(id, interrupted_by);
        }
        Ok(missed)
    }

    /// Objects with a text are taken, and say where they stand; `{"text": "no"}` is refused with everything that may
    /// be told.
    pub fn say(&self, saying: &Saying<'_>) -> Result<String, Unsaid> {
        let Saying { conversation, who, event, json, id } = *saying;
        self.heard.lock().unwrap().push(json!([conversation, *who.user, event, json, id]));
        let Ok(Value::Object(mut body)) = serde_json::from_str(json) else {
            let refused = Refused { code: "invalid_body".into(), detail: "an object is expected".into() };
            return Err(refused.into());
        };
        if body.get("text") == Some(&json!("no")) {
            let refused = Refused { code: "participant_limit".into(), detail: "no message is left".into() };
            let more = json!({"scope": "participant", "limit": 2, "remaining": 0, "retry_after_ms": null});
            let Value::Object(more) = more else { unreachable!() };
            return Err(Unsaid { refused, more });
        }
        if let Some(id) = id {
            body.entry("id").or_insert(json!(id));
        }
        let position = self.write(conversation, event, Value::Object(body));
        Ok(json!({"offset": position.offset, "epoch": position.epoch.as_str()}).to_string())
    }

    fn logs(&self) -> MutexGuard<'_, HashMap<String, Log>> {
        self.logs.lock().unwrap()
    }
}

fn topic(id: &str) -> TopicName {
    format!("conversation:{id}").parse().unwrap()
}

fn unknown(id: &str) -> Refused {
    Refused { code: "conversation_not_found".into(), detail: format!("there is no conversation `{id}`") }
}

impl fmt::Debug for Talks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Talks").finish_non_exhaustive()
    }
}
