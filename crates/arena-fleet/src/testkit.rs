//! A hall that bots can be in without any connection: the ends of their channels are held here.

use crate::bot::Open;
use crate::channel::{Ask, Channel, ChannelEvent, ChannelSpec, FarEnd, Reply};
use crate::monitor::{Monitor, Phase, Subject};
use arena_core::fleet::Fault;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

/// What somebody said.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) topic: String,
    pub(crate) event: String,
    pub(crate) payload: Value,
}

/// A join of a bot.
#[derive(Debug, Clone)]
pub(crate) struct Join {
    pub(crate) bot: String,
    pub(crate) at: Instant,
}

struct Member {
    bot: String,
    topic: String,
    events: mpsc::Sender<ChannelEvent>,
    watches: bool,
    control: mpsc::Sender<ChannelEvent>,
}

/// Answers a push, given what it carried.
type Answering = Box<dyn Fn(&Value) -> Reply + Send>;

#[derive(Default)]
struct State {
    next: u64,
    members: BTreeMap<u64, Member>,
    /// By topic, then appearance: key and what is shown.
    present: BTreeMap<String, BTreeMap<u64, (String, Value)>>,
    /// Faults by bot and topic; an empty bot stands for all.
    refusals: BTreeMap<(String, String), Fault>,
    /// Answers to pushes by event.
    answers: BTreeMap<String, Answering>,
    responses: BTreeMap<String, Value>,
    said: Vec<Said>,
    joins: Vec<Join>,
    /// Events that are never answered.
    unanswered: Vec<String>,
    join_takes: Duration,
    occupancy: bool,
}

#[derive(Clone)]
pub(crate) struct Hall {
    state: Arc<Mutex<State>>,
    monitor: Monitor,
    tasks: TaskTracker,
}

impl Hall {
    pub(crate) fn new(monitor: &Monitor) -> Hall {
        Hall { state: Arc::default(), monitor: monitor.clone(), tasks: TaskTracker::new() }
    }

    /// The same hall for others, who are told elsewhere how their channels are.
    pub(crate) fn told_to(&self, monitor: &Monitor) -> Hall {
        Hall { monitor: monitor.clone(), ..self.clone() }
    }

    pub(crate) fn open(&self) -> Open {
        let hall = self.clone();
        Arc::new(move |bot, spec| {
            let (near, far) = Channel::pair(&spec.topic);
            hall.tasks.spawn(hall.clone().serve(bot.to_owned(), spec, far));
            near
        })
    }

    /// The joins so far.
    pub(crate) fn joins(&self) -> Vec<Join> {
        self.lock().joins.clone()
    }

    /// What was said so far.
    pub(crate) fn said(&self) -> Vec<Said> {
        self.lock().said.clone()
    }

    /// The texts of messages in a topic.
    pub(crate) fn texts(&self, topic: &str) -> Vec<String> {
        let said = self.said();
        let messages = said.iter().filter(|said| said.topic == topic && said.event == "message");
        messages.map(|said| said.payload["text"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Who is present in a topic, with what they show.
    pub(crate) fn present(&self, topic: &str) -> Vec<(String, Value)> {
        self.lock().present.get(topic).into_iter().flat_map(|all| all.values().cloned()).collect()
    }

    /// Bots that are in a topic now.
    pub(crate) fn members(&self, topic: &str) -> Vec<String> {
        self.lock()
            .members
            .values()
            .filter(|member| member.topic == topic)
            .map(|member| member.bot.clone())
            .collect()
    }

    pub(crate) fn join_takes(&self, time: Duration) {
        self.lock().join_takes = time;
    }

    pub(crate) fn refuse(&self, bot: &str, topic: &str, fault: Fault) {
        self.lock().refusals.insert((bot.to_owned(), topic.to_owned()), fault);
    }

    pub(crate) fn let_in(&self) {
        self.lock().refusals.clear();
    }

    pub(crate) fn answer(&self, event: &str, ok: bool, response: Value) {
        self.answer_by(event, move |_| Reply { ok, response: response.clone() });
    }

    pub(crate) fn answer_by(&self, event: &str, answer: impl Fn(&Value) -> Reply + Send + 'static) {
        self.lock().answers.insert(event.to_owned(), Box::new(answer));
    }

    /// From now on nobody answers to this.
    pub(crate) fn ignore(&self, event: &str) {
        self.lock().unanswered.push(event.to_owned());
    }

    /// The answer to joins of a topic.
    pub(crate) fn respond(&self, topic: &str, response: Value) {
        self.lock().responses.insert(topic.to_owned(), response);
    }

    /// From now on only numbers are told of who is present.
    pub(crate) fn only_numbers(&self) {
        self.lock().occupancy = true;
        let topics: Vec<String> = self.lock().present.keys().cloned().collect();
        for topic in topics {
            self.tell_presence(&topic, &json!({}), &json!({}));
        }
    }

    /// Somebody appears; gives the appearance's number.
    pub(crate) fn appear(&self, topic: &str, key: &str, meta: Value) -> u64 {
        let number = {
            let mut state = self.lock();
            state.next += 1;
            state.next
        };
        self.show(number, topic, key, meta);
        number
    }

    pub(crate) fn vanish(&self, topic: &str, number: u64) {
        let gone = self.lock().present.get_mut(topic).and_then(|all| all.remove(&number));
        if let Some((key, meta)) = gone {
            self.tell_presence(topic, &json!({}), &entry(&key, number, &meta));
        }
    }

    /// Somebody who is no bot says something.
    pub(crate) fn say(&self, topic: &str, event: &str, payload: Value) {
        let message = ChannelEvent::Message { event: event.to_owned(), payload, meta: json!({}) };
        self.tell(topic, &message, false);
    }

    /// Ends a bot's channel, or takes it down for a while.
    pub(crate) fn happen(&self, bot: &str, topic: &str, event: ChannelEvent) {
        let state = self.lock();
        for member in state.members.values().filter(|member| member.bot == bot && member.topic == topic) {
            member.control.try_send(event.clone()).unwrap();
        }
    }

    fn show(&self, number: u64, topic: &str, key: &str, meta: Value) {
        // The number is the reference: what is shown anew replaces what was.
        let mut state = self.lock();
        state.present.entry(topic.to_owned()).or_default().insert(number, (key.to_owned(), meta.clone()));
        drop(state);
        self.tell_presence(topic, &entry(key, number, &meta), &json!({}));
    }

    fn tell_presence(&self, topic: &str, joins: &Value, leaves: &Value) {
        if self.lock().occupancy {
            let none = ChannelEvent::Presence { event: "presence_state".to_owned(), payload: json!({}) };
            self.tell(topic, &none, true);
            let count = self.lock().present.get(topic).map_or(0, BTreeMap::len);
            let message = ChannelEvent::Message {
                event: "occupancy".to_owned(),
                payload: json!({ "count": count }),
                meta: json!({}),
            };
            return self.tell(topic, &message, false);
        }
        let payload = json!({ "joins": joins, "leaves": leaves });
        self.tell(topic, &ChannelEvent::Presence { event: "presence_diff".to_owned(), payload }, true);
    }

    fn tell(&self, topic: &str, event: &ChannelEvent, presence: bool) {
        for member in self.lock().members.values() {
            if member.topic == topic && (member.watches || !presence) {
                let _ = member.events.try_send(event.clone());
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    async fn serve(self, bot: String, spec: ChannelSpec, mut far: FarEnd) {
        let subject = Subject::Channel { bot: bot.as_str().into(), topic: spec.topic.as_str().into() };
        self.monitor.phase(&subject, Phase::Opening);
        let takes = self.lock().join_takes;
        let gone = far.gone.clone();
        if gone.run_until_cancelled(tokio::time::sleep(takes)).await.is_none() {
            return self.monitor.forget(&subject);
        }
        let refusal = {
            let state = self.lock();
            let of = |bot: &str| state.refusals.get(&(bot.to_owned(), spec.topic.clone())).cloned();
            of(&bot).or_else(|| of(""))
        };
        if let Some(fault) = refusal {
            self.monitor.phase(&subject, Phase::Failed(fault.clone()));
            let _ = far.events.try_send(ChannelEvent::Ended { fault });
            return;
        }
        let mut ignored = Vec::new();
        let (number, mut control) = self.enter(&bot, &spec, &far);
        self.monitor.phase(&subject, Phase::Open);
        loop {
            tokio::select! {
                () = gone.cancelled() => break,
                Some(event) = control.recv() => {
                    let _ = far.events.try_send(event.clone());
                    match event {
                        ChannelEvent::Ended { fault } => {
                            self.monitor.phase(&subject, Phase::Failed(fault));
                            self.exit(number, &spec.topic);
                            return;
                        }
                        ChannelEvent::Down { fault, after } => {
                            let phase = Phase::BackingOff { fault, attempt: 1, after };
                            self.monitor.phase(&subject, phase);
                        }
                        ChannelEvent::Joined { .. } => self.monitor.phase(&subject, Phase::Open),
                        _ => {}
                    }
                }
                ask = far.asks.recv() => match ask {
                    Some(Ask::Push { event, payload, answer }) => {
                        if self.lock().unanswered.contains(&event) {
                            ignored.push(answer);
                        } else {
                            let _ = answer.send(Ok(self.pushed(&spec.topic, event, payload)));
                        }
                    }
                    Some(Ask::Track(meta)) => {
                        self.show(number, &spec.topic, spec.presence_key.as_deref().unwrap_or_default(), meta);
                    }
                    Some(Ask::Leave(left)) => {
                        self.exit(number, &spec.topic);
                        self.monitor.forget(&subject);
                        let _ = left.send(());
                        return;
                    }
                    None => break,
                },
            }
        }
        self.exit(number, &spec.topic);
        self.monitor.forget(&subject);
    }

    fn enter(&self, bot: &str, spec: &ChannelSpec, far: &FarEnd) -> (u64, mpsc::Receiver<ChannelEvent>) {
        let (control, controlled) = mpsc::channel(16);
        let (number, response, state_then) = {
            let mut state = self.lock();
            state.next += 1;
            let number = state.next;
            state.joins.push(Join { bot: bot.to_owned(), at: Instant::now() });
            let member = Member {
                bot: bot.to_owned(),
                topic: spec.topic.clone(),
                events: far.events.clone(),
                watches: spec.watches_presence,
                control,
            };
            state.members.insert(number, member);
            let mut there = json!({});
            if !state.occupancy {
                for (number, (key, meta)) in state.present.get(&spec.topic).into_iter().flatten() {
                    merge(&mut there, key, *number, meta);
                }
            }
            let tells = if state.occupancy { "occupancy" } else { "full" };
            let response = state.responses.get(&spec.topic).cloned();
            let response = response.unwrap_or_else(|| json!({ "presence": tells }));
            (number, response, there)
        };
        let _ = far.events.try_send(ChannelEvent::Joined { response });
        if spec.watches_presence {
            let payload = state_then;
            let _ =
                far.events.try_send(ChannelEvent::Presence { event: "presence_state".to_owned(), payload });
        }
        match (&spec.presence_key, &spec.presence) {
            (Some(key), Some(meta)) => self.show(number, &spec.topic, key, meta.clone()),
            _ if self.lock().occupancy => self.tell_presence(&spec.topic, &json!({}), &json!({})),
            _ => {}
        }
        (number, controlled)
    }

    fn exit(&self, number: u64, topic: &str) {
        self.lock().members.remove(&number);
        self.vanish(topic, number);
    }

    fn pushed(&self, topic: &str, event: String, payload: Value) -> Reply {
        let answer = self.lock().answers.get(&event).map(|answer| answer(&payload));
        let answer = answer.unwrap_or(Reply { ok: true, response: json!({}) });
        let said = Said { topic: topic.to_owned(), event: event.clone(), payload: payload.clone() };
        self.lock().said.push(said);
        if answer.ok {
            self.tell(topic, &ChannelEvent::Message { event, payload, meta: json!({}) }, false);
        }
        answer
    }
}

fn entry(key: &str, number: u64, meta: &Value) -> Value {
    let mut entry = json!({});
    merge(&mut entry, key, number, meta);
    entry
}

fn merge(all: &mut Value, key: &str, number: u64, meta: &Value) {
    let mut meta = if meta.is_object() { meta.clone() } else { json!({}) };
    meta["phx_ref"] = number.to_string().into();
    if all[key].is_null() {
        all[key] = json!({ "metas": [] });
    }
    all[key]["metas"].as_array_mut().unwrap().push(meta);
}

/// Lets everything happen that happens without time passing.
pub(crate) async fn settle() {
    for _ in 0..64 {
        tokio::task::yield_now().await;
    }
}

/// Lets so much time pass, a little at a time, so that everybody gets their turn.
pub(crate) async fn pass(time: Duration) {
    let end = Instant::now() + time;
    while Instant::now() < end {
        let step = (end - Instant::now()).min(Duration::from_millis(500));
        tokio::time::sleep(step).await;
    }
    settle().await;
}
