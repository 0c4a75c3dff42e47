//! A backstage that does what a test wants: slow, failing, refusing, replacing its worlds.

use super::{PATIENCE, Talks};
use arena_bus::{Bus, Draft, Payload, Stream};
use arena_core::topic::TopicName;
use arena_realtime::token::SeatClaim;
use arena_realtime::{Asking, Backstage, Entered, Heard, Look, Missed, Refused, Said, Saying};
use async_trait::async_trait;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::watch;
use uuid::Uuid;

/// Something that was asked of the backstage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    Enter(Uuid, u64),
    Look,
    Act(Uuid, u64),
    Exit(Uuid, u64),
    Listen,
}

/// Who has come into a conversation, or gone: conversation, user, and whether it is there.
pub type Attended = (String, String, bool);

/// Every world of it counts: its snapshot and its deltas say `{"n": …}`, each delta one more than what was before it.
pub struct Stage {
    bus: Bus,
    script: Mutex<Script>,
    /// Whether calls are kept waiting.
    held: watch::Sender<bool>,
    /// Whether the answer that is late is kept back.
    late: watch::Sender<bool>,
    /// How many calls have come so far.
    asked: watch::Sender<usize>,
    /// The conversations.
    pub talks: Talks,
}

#[derive(Debug, Default)]
struct Script {
    calls: Vec<Call>,
    /// The inputs that came, in their order.
    inputs: Vec<String>,
    /// Who sits where.
    seats: HashMap<Uuid, u64>,
    /// How far each world has counted.
    counts: HashMap<String, u64>,
    refusal: Option<Refused>,
    /// So many looks find a world that is replaced before they are used.
    stale: usize,
    /// After so many looks the following are refused.
    looks_left: Option<usize>,
    /// The answer to the next entry is late.
    late_answer: bool,
    /// Seats that were entered, by holder, and how often each was exited.
    exits: HashMap<u64, usize>,
    /// What was asked of the matchmaker: for whom, by whom, what and how.
    matchmaking: Vec<Value>,
    attended: Vec<Attended>,
}

impl Stage {
    pub fn new(bus: Bus) -> Arc<Stage> {
        let (held, late) = (watch::Sender::new(false), watch::Sender::new(false));
        let (talks, asked) = (Talks::new(bus.clone()), watch::Sender::new(0));
        Arc::new(Stage { bus, script: Mutex::default(), held, late, asked, talks })
    }

    /// From now on calls wait; exits do not.
    pub fn hold(&self) {
        self.held.send_replace(true);
    }

    pub fn release(&self) {
        self.held.send_replace(false);
    }

    /// The next who enters sits at once, and hears of it only after [`Stage::release_answer`].
    pub fn keep_next_answer(&self) {
        self.late.send_replace(true);
        self.script().late_answer = true;
    }

    pub fn release_answer(&self) {
        self.late.send_replace(false);
    }

    pub fn refuse(&self, code: &str, detail: &str) {
        self.script().refusal = Some(Refused { code: code.to_owned(), detail: detail.to_owned() });
    }

    /// The next looks are out of date when they are used.
    pub fn make_stale(&self, looks: usize) {
        self.script().stale = looks;
    }

    /// Looks after so many are refused.
    pub fn fail_looks_after(&self, looks: usize) {
        self.script().looks_left = Some(looks);
    }

    /// Waits until so many calls have come.
    pub async fn is_asked(&self, calls: usize) {
        let mut asked = self.asked.subscribe();
        tokio::time::timeout(PATIENCE, asked.wait_for(|asked| *asked >= calls)).await.unwrap().unwrap();
    }

    pub fn calls(&self) -> Vec<Call> {
        self.script().calls.clone()
    }

    /// The inputs that came, in their order.
    pub fn inputs(&self) -> Vec<String> {
        self.script().inputs.clone()
    }

    /// What was asked of the matchmaker: for whom, by whom, what and how.
    pub fn matchmaking(&self) -> Vec<Value> {
        self.script().matchmaking.clone()
    }

    /// Who has come into conversations, and gone.
    pub fn attended(&self) -> Vec<Attended> {
        self.script().attended.clone()
    }

    pub fn holder(&self, player: Uuid) -> Option<u64> {
        self.script().seats.get(&player).copied()
    }

    /// Whether every seat was exited once, but for those that are held.
    pub fn owes_no_exit(&self) -> bool {
        let script = self.script();
        let held = |holder: &u64| script.seats.values().any(|seated| seated == holder);
        script.exits.iter().all(|(holder, exits)| *exits == usize::from(!held(holder)))
    }

    pub fn every_seat_was_exited_once(&self) -> bool {
        self.script().exits.values().all(|exits| *exits == 1)
    }

    /// A tick of a world: one delta.
    pub fn tick(&self, channel: &str) {
        let mut script = self.script();
        let count = script.counts.entry(channel.to_owned()).or_default();
        *count += 1;
        tell(&self.stream(channel), "delta", *count);
    }

    /// A delta that is as large as a test wants.
    pub fn long_tick(&self, channel: &str, bytes: usize) {
        let mut script = self.script();
        let count = script.counts.entry(channel.to_owned()).or_default();
        *count += 1;
        let json = format!("{{\"n\":{count},\"pad\":\"{}\"}}", "x".repeat(bytes));
        self.stream(channel).publish(Draft::new("delta", Payload::Json(json.into()))).unwrap();
    }

    /// A world is replaced by another.
    pub fn replace(&self, channel: &str) {
        self.replace_in(&mut self.script(), channel);
    }

    fn replace_in(&self, script: &mut Script, channel: &str) {
        let count = script.counts.entry(channel.to_owned()).or_default();
        *count += 1_000;
        let stream = self.stream(channel);
        stream.restart();
        tell(&stream, "snapshot", *count);
    }

    fn stream(&self, channel: &str) -> Arc<Stream> {
        let topic: TopicName = format!("world:{channel}").parse().unwrap();
        self.bus.open(&topic).unwrap()
    }

    fn look_at(&self, script: &mut Script, channel: &str) -> Look {
        let count = *script.counts.entry(channel.to_owned()).or_default();
        let position = self.stream(channel).position();
        if script.stale > 0 {
            script.stale -= 1;
            self.replace_in(script, channel);
        }
        Look { snapshot: format!("{{\"n\":{count}}}").into(), position }
    }

    async fn called(&self, call: Call) -> Result<(), Refused> {
        self.script().calls.push(call);
        self.asked.send_modify(|asked| *asked += 1);
        let mut held = self.held.subscribe();
        let _ = held.wait_for(|held| !held).await;
        self.script().refusal.clone().map_or(Ok(()), Err)
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }
}

fn tell(stream: &Arc<Stream>, event: &str, n: u64) {
    let json = format!("{{\"n\":{n}}}");
    stream.publish(Draft::new(event, Payload::Json(json.into()))).unwrap();
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.script().fmt(f)
    }
}

#[async_trait]
impl Backstage for Stage {
    async fn enter(&self, seat: &SeatClaim, holder: u64) -> Result<Entered, Refused> {
        self.called(Call::Enter(seat.player, holder)).await?;
        let (entered, late) = {
            let mut script = self.script();
            let before = script.seats.get(&seat.player).copied();
            if before.is_some_and(|before| before > holder) {
                return Err(Refused { code: "seat_taken".into(), detail: "by a later join".into() });
            }
            script.seats.insert(seat.player, holder);
            script.exits.insert(holder, 0);
            let look = self.look_at(&mut script, &seat.channel);
            (Entered { look, took_over: before }, std::mem::take(&mut script.late_answer))
        };
        if late {
            let _ = self.late.subscribe().wait_for(|late| !late).await;
        }
        Ok(entered)
    }

    async fn look(&self, channel: &str) -> Result<Look, Refused> {
        self.called(Call::Look).await?;
        let mut script = self.script();
        if let Some(left) = &mut script.looks_left {
            match left.checked_sub(1) {
                Some(less) => *left = less,
                None => return Err(Refused { code: "no_world".into(), detail: "it is gone".into() }),
            }
        }
        Ok(self.look_at(&mut script, channel))
    }

    async fn act(&self, seat: &SeatClaim, holder: u64, event: &str, input: &str) -> Result<u64, Refused> {
        self.script().inputs.push(input.to_owned());
        self.called(Call::Act(seat.player, holder)).await?;
        let script = self.script();
        if script.seats.get(&seat.player) != Some(&holder) {
            return Err(Refused { code: "not_seated".into(), detail: "somebody else is".into() });
        }
        match event {
            "fail" => Err(Refused { code: "blocked".into(), detail: "a wall".into() }),
            _ => Ok(7),
        }
    }

    async fn exit(&self, seat: &SeatClaim, holder: u64) {
        let mut script = self.script();
        script.calls.push(Call::Exit(seat.player, holder));
        *script.exits.entry(holder).or_default() += 1;
        if script.seats.get(&seat.player) == Some(&holder) {
            script.seats.remove(&seat.player);
        }
    }

    async fn listen(&self, conversation: &str) -> Result<Heard, Refused> {
        self.called(Call::Listen).await?;
        self.talks.listen(conversation)
    }

    async fn missed(
        &self,
        conversation: &str,
        user: &str,
        after: u64,
        limit: u32,
    ) -> Result<Missed, Refused> {
        // What is written and published meanwhile is what there is to get wrong. No sleep is none: one of no length
        // takes a millisecond.
        let (before, after_it) = self.talks.pauses();
        if let Some(pause) = before {
            tokio::time::sleep(pause).await;
        }
        let missed = self.talks.missed(conversation, user, after, limit);
        if let Some(pause) = after_it {
            tokio::time::sleep(pause).await;
        }
        missed
    }

    fn say(&self, saying: Saying<'_>) -> Said {
        let outcome = self.talks.say(&saying);
        let mut held = self.held.subscribe();
        Box::pin(async move {
            let _ = held.wait_for(|held| !held).await;
            outcome
        })
    }

    /// `{"queue": "none"}` is refused.
    fn matchmake(&self, asking: Asking<'_>) -> Said {
        let Asking { user, who, event, json } = asking;
        self.script().matchmaking.push(json!([user, *who.user, event, json]));
        let outcome = if json.contains("none") {
            let refused =
                Refused { code: "queue_not_found".into(), detail: "there is no queue `none`".into() };
            Err(refused.into())
        } else {
            Ok(json!({"state": "waiting"}).to_string())
        };
        let mut held = self.held.subscribe();
        Box::pin(async move {
            let _ = held.wait_for(|held| !held).await;
            outcome
        })
    }

    async fn attend(&self, conversation: &str, user: &str, present: bool) {
        let mut held = self.held.subscribe();
        let _ = held.wait_for(|held| !held).await;
        self.script().attended.push((conversation.to_owned(), user.to_owned(), present));
    }
}
