//! A bot's talk: it comes into a conversation, listens, thinks, speaks, and leaves.

mod ear;
mod hands;
mod purse;

use super::around::{Around, BotSettings};
use super::leave::{LeaveWatch, at, told};
use super::lobby::{seat_in_talk, shown};
use super::thought::{NoThought, think};
use crate::brain::{Brain, Line, Purse, Scene, Sensed};
use crate::channel::{Channel, ChannelEvent, is_of_client};
use crate::identity::Identity;
use crate::monitor::BotState;
use arena_core::fleet::{Fault, FaultClass};
use ear::{Company, Heard, heard, history};
use hands::{Done, Hands};
use purse::SocketPurse;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// What was heard and not thought about yet. One more takes the place of the oldest: it would be answered too late.
const INBOX: usize = 16;
/// Lines of the conversation that a bot reads when it comes.
const HISTORY: u64 = 20;
/// Lines of bots that a bot answers until somebody else says something: two that name each other would never end.
const TO_BOTS: u32 = 3;
/// What a bot says that has to go and whose brain says nothing.
const GOODBYE: &str = "I have to go now. Goodbye!";
/// How long leaving a channel may take.
const LEAVING: Duration = Duration::from_secs(5);
/// How long the work that is under way may take to come to its end, and what is reserved to be given back, while there
/// is time for both.
const LETTING_GO: Duration = Duration::from_secs(2);

/// How a talk ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TalkEnd {
    /// As talks end: why, for the log.
    Over(String),
    /// The brain is not to be used again.
    BrainFailed(Fault),
}

/// What is to be talked in.
pub(super) struct TalkStart {
    pub(super) around: Arc<Around>,
    pub(super) me: Arc<Identity>,
    /// The conversation's id.
    pub(super) conversation: String,
    pub(super) leave: LeaveWatch,
    /// Is told once whether the bot has come in.
    pub(super) came: oneshot::Sender<Result<(), Fault>>,
}

/// The answer to what was said before, once it is there; `None`: there is none.
type Reading = Pin<Box<dyn Future<Output = Option<Value>> + Send>>;

type Working = Pin<Box<dyn Future<Output = Worked> + Send>>;

/// What came of thinking about one thing.
struct Worked {
    brain: Box<dyn Brain>,
    result: Result<(Done, bool), NoThought>,
}

/// Why the bot goes.
enum Going {
    /// Nobody is to be told, or nothing can be said.
    Silently(String),
    /// With a goodbye, until then.
    Politely(String, Instant),
    /// Its brain failed; with a goodbye of no brain's.
    BrainFailed(NoThought),
}

struct Talk {
    settings: BotSettings,
    me: Arc<Identity>,
    hands: Hands,
    hush: CancellationToken,
    leave: LeaveWatch,
    came: Option<oneshot::Sender<Result<(), Fault>>>,
    began: Instant,
    /// Away while it thinks.
    brain: Option<Box<dyn Brain>>,
    working: Option<Working>,
    /// While what was said before is asked for.
    reading: Option<Reading>,
    /// See [`INBOX`].
    inbox: VecDeque<Sensed>,
    last_word: bool,
    company: Company,
    /// Since when nobody is there any more.
    alone_since: Option<Instant>,
    last_line: Instant,
    last_of_others: Instant,
    /// Silences that the brain was told of since the last line.
    quiets: u32,
    dropped_thoughts: u32,
    /// Whether anybody has said anything, now or before it came.
    met: bool,
    /// Lines of bots in a row that were for it to answer.
    to_bots: u32,
}

/// Talks, from coming in to having left.
pub(super) async fn talk(start: TalkStart) -> TalkEnd {
    let topic = format!("conversation:{}", start.conversation);
    let spec = seat_in_talk(&start.around, &start.me, &topic);
    let mut channel = (start.around.open)(&start.me.id, spec);
    let mut talk = Talk::new(start, &topic, &channel);
    let going = talk.go_on(&mut channel).await;
    let by = Instant::now() + LEAVING;
    let (end, by) = match going {
        Going::Silently(why) => (TalkEnd::Over(why), by),
        Going::Politely(why, until) => {
            talk.say_goodbye(until).await;
            (TalkEnd::Over(why), until.max(Instant::now() + Duration::from_millis(500)))
        }
        Going::BrainFailed(why) => {
            let _ = tokio::time::timeout(LEAVING, talk.hands.say(GOODBYE, None)).await;
            (TalkEnd::BrainFailed(why.fault()), by)
        }
    };
    talk.let_go(by).await;
    channel.leave(by.saturating_duration_since(Instant::now()).min(LEAVING)).await;
    end
}

impl Talk {
    fn new(start: TalkStart, topic: &str, channel: &Channel) -> Talk {
        let charges = Arc::new(AtomicBool::new(false));
        let pusher = channel.pusher();
        let purse = SocketPurse::new(pusher.clone(), start.me.id.as_str().into(), charges.clone());
        let purse = Arc::new(purse);
        let now = Instant::now();
        let settings = start.around.settings;
        Talk {
            settings,
            brain: Some((start.around.brains)(&start.me, topic)),
            hands: Hands {
                me: start.me.clone(),
                pusher,
                purse,
                charges,
                typing: settings.typing,
                shown: Arc::new(shown(&start.around, &start.me, BotState::Talking)),
            },
            me: start.me,
            hush: CancellationToken::new(),
            leave: start.leave,
            came: Some(start.came),
            began: now,
            working: None,
            reading: None,
            inbox: VecDeque::new(),
            last_word: false,
            company: Company::default(),
            alone_since: None,
            last_line: now,
            last_of_others: now,
            quiets: 0,
            dropped_thoughts: 0,
            met: false,
            to_bots: 0,
        }
    }

    /// Until there is a reason to go.
    async fn go_on(&mut self, channel: &mut Channel) -> Going {
        loop {
            self.begin_work();
            let leave = *self.leave.borrow();
            let look = self.next_look();
            let going = tokio::select! {
                biased;
                () = at(leave.map(|leave| leave.goodbye_at)) => {
                    leave.map(|leave| Going::Politely("told to leave".to_owned(), leave.said_by()))
                }
                () = told(&mut self.leave) => None,
                event = channel.next() => match event {
                    Some(event) => self.hear(event),
                    None => Some(Going::Silently("the channel ended".to_owned())),
                },
                worked = work(&mut self.working) => self.worked(worked),
                read = read(&mut self.reading) => self.read(read.as_ref()),
                () = tokio::time::sleep_until(look) => self.look(),
            };
            if let Some(going) = going {
                return going;
            }
        }
    }

    fn begin_work(&mut self) {
        // Nothing is thought about before what was said before is known.
        if self.working.is_none()
            && self.came.is_none()
            && let Some(sensed) = self.inbox.pop_front()
            && let Some(brain) = self.brain.take()
        {
            let (hands, hush) = (self.hands.clone(), self.hush.clone());
            self.working = Some(Box::pin(work_on(brain, sensed, hands, hush, self.settings.thought)));
        }
    }

    fn worked(&mut self, worked: Worked) -> Option<Going> {
        self.working = None;
        match worked.result {
            Ok((done, said)) => {
                self.brain = Some(worked.brain);
                self.dropped_thoughts = 0;
                if said {
                    self.last_line = Instant::now();
                }
                match done {
                    Done::Fine => None,
                    Done::Left => Some(Going::Silently("the bot had said what it had to say".to_owned())),
                    Done::Spent(code) => Some(Going::Silently(code)),
                }
            }
            Err(NoThought::Panicked) => Some(Going::BrainFailed(NoThought::Panicked)),
            Err(NoThought::TooLong) => {
                self.brain = Some(worked.brain);
                self.dropped_thoughts += 1;
                let too_many = self.dropped_thoughts >= self.settings.dropped_thoughts;
                too_many.then_some(Going::BrainFailed(NoThought::TooLong))
            }
        }
    }

    fn hear(&mut self, event: ChannelEvent) -> Option<Going> {
        match event {
            ChannelEvent::Joined { response } => {
                self.joined(&response);
                None
            }
            ChannelEvent::Message { event, payload, meta }
                if event == "occupancy" && !is_of_client(&meta) =>
            {
                self.company.occupancy(&payload);
                self.look_around();
                None
            }
            ChannelEvent::Message { event, payload, .. } => self.message(&event, &payload),
            ChannelEvent::Presence { event, payload } => {
                self.company.presence(&self.me.id, &event, &payload);
                self.look_around();
                None
            }
            ChannelEvent::Ended { fault } => {
                let why = format!("the conversation is closed to the bot: {}", fault.code);
                if let Some(came) = self.came.take() {
                    let _ = came.send(Err(fault));
                }
                Some(Going::Silently(why))
            }
            ChannelEvent::Down { .. } | ChannelEvent::System { .. } => None,
        }
    }

    /// It is in, or in again. What was said before is read once; what is missed later comes by itself.
    fn joined(&mut self, response: &Value) {
        let charges = response.get("position").is_some();
        self.hands.charges.store(charges, Ordering::Relaxed);
        if self.came.is_none() {
            return;
        }
        if !charges {
            self.enter(Vec::new());
            return;
        }
        let wish = json!({ "last": HISTORY, "participant": self.me.id });
        let pusher = self.hands.pusher.clone();
        self.reading = Some(Box::pin(async move {
            let reply = pusher.push("context", wish).await.ok().filter(|reply| reply.ok);
            reply.map(|reply| reply.response)
        }));
    }

    /// What was said before is known, or cannot be found out.
    fn read(&mut self, context: Option<&Value>) -> Option<Going> {
        self.reading = None;
        let exhausted = context.and_then(|context| context.get("exhausted"));
        if let Some(code) = exhausted.filter(|exhausted| !exhausted.is_null()) {
            if let Some(came) = self.came.take() {
                let _ = came.send(Err(spent(code)));
            }
            return Some(Going::Silently("the conversation is exhausted".to_owned()));
        }
        self.enter(context.map(history).unwrap_or_default());
        None
    }

    /// Is in, for the first time.
    fn enter(&mut self, history: Vec<Line>) {
        if let Some(came) = self.came.take() {
            let _ = came.send(Ok(()));
            self.met |= history.iter().any(|line| line.author != self.me.id);
            // Before what was heard meanwhile.
            if self.inbox.len() == INBOX {
                self.inbox.pop_front();
            }
            self.inbox.push_front(Sensed::Entered { history });
        }
    }

    fn message(&mut self, event: &str, payload: &Value) -> Option<Going> {
        match heard(&self.me, self.settings.answers_bots, event, payload) {
            Heard::Line { by_bot: true, .. } if self.to_bots >= TO_BOTS => self.somebody_spoke(),
            Heard::Line { line, last_word, by_bot } => {
                self.somebody_spoke();
                self.to_bots = if by_bot { self.to_bots + 1 } else { 0 };
                let last_word = last_word || self.last_word;
                self.note(Sensed::Heard { line, last_word });
            }
            Heard::Murmur => self.somebody_spoke(),
            Heard::LastWord => self.last_word = true,
            Heard::MoreToSay => self.last_word = false,
            Heard::Over(why) => return Some(Going::Silently(why.to_owned())),
            Heard::Nothing => {}
        }
        None
    }

    fn somebody_spoke(&mut self) {
        self.met = true;
        self.last_line = Instant::now();
        self.last_of_others = self.last_line;
        self.quiets = 0;
    }

    fn note(&mut self, sensed: Sensed) {
        if self.inbox.len() == INBOX {
            self.inbox.pop_front();
        }
        self.inbox.push_back(sensed);
    }

    fn look_around(&mut self) {
        let alone = self.company.had && !self.company.any(&self.me.id);
        self.alone_since = match (alone, self.alone_since) {
            (true, None) => Some(Instant::now()),
            (true, since) => since,
            (false, _) => None,
        };
    }

    /// The next silence that means something.
    fn quiet_at(&self) -> Instant {
        self.last_line + self.settings.quiet * 2u32.saturating_pow(self.quiets)
    }

    /// The silence of others after which it leaves: shorter where it was called and nobody is there.
    fn patience(&self) -> Duration {
        let alone = !self.met && !self.company.had;
        if alone { self.settings.nobody.min(self.settings.silence) } else { self.settings.silence }
    }

    fn next_look(&self) -> Instant {
        if self.came.is_some() {
            return self.began + self.settings.entry;
        }
        let leaves = self.last_of_others + self.patience();
        let alone = self.alone_since.map_or(leaves, |since| since + self.settings.alone);
        self.quiet_at().min(leaves).min(alone)
    }

    fn look(&mut self) -> Option<Going> {
        let now = Instant::now();
        if let Some(came) = self.came.take() {
            let late = Fault::new(
                FaultClass::Timeout,
                "entry_timeout",
                "the conversation could not be joined in time",
            );
            let _ = came.send(Err(late));
            return Some(Going::Silently("could not come in in time".to_owned()));
        }
        if self.alone_since.is_some_and(|since| now >= since + self.settings.alone) {
            return Some(Going::Silently("the partner left".to_owned()));
        }
        if now >= self.last_of_others + self.patience() {
            return Some(Going::Politely(
                "the partner was silent for too long".to_owned(),
                now + LEAVING * 2,
            ));
        }
        if now >= self.quiet_at() {
            self.quiets += 1;
            self.note(Sensed::Quiet { lasted: now - self.last_line });
        }
        None
    }

    /// Ends what it does, and gives back what is reserved: nobody can once the channel is left.
    async fn let_go(&mut self, by: Instant) {
        self.hush.cancel();
        let limit = LETTING_GO.min(by.saturating_duration_since(Instant::now()) / 4);
        if self.working.is_some() {
            let _ = tokio::time::timeout(limit, work(&mut self.working)).await;
            self.working = None;
        }
        let _ = tokio::time::timeout(limit, self.hands.purse.give_back_all()).await;
    }

    /// Lets go of what it does, and says goodbye: in the brain's words, or in its own.
    async fn say_goodbye(&mut self, until: Instant) {
        if let Some(came) = self.came.take() {
            let gone = Fault::new(FaultClass::Network, "leaving", "the bot is about to leave");
            let _ = came.send(Err(gone));
            return;
        }
        self.hush.cancel();
        let goodbye = async {
            if self.working.is_some() {
                let worked = work(&mut self.working).await;
                self.brain = (worked.result != Err(NoThought::Panicked)).then_some(worked.brain);
                self.working = None;
            }
            if !self.words_of_farewell(until).await {
                let _ = self.hands.say(GOODBYE, None).await;
            }
        };
        let _ = tokio::time::timeout_at(until, goodbye).await;
    }

    /// Whether the brain had any.
    async fn words_of_farewell(&mut self, until: Instant) -> bool {
        let Some(mut brain) = self.brain.take() else { return false };
        let left = until.saturating_duration_since(Instant::now());
        let purse: Arc<dyn Purse> = self.hands.purse.clone();
        let scene = Scene { me: &self.me, purse: &purse };
        let Ok(acts) = think(brain.as_mut(), scene, Sensed::Leaving, left.mul_f64(0.5)).await else {
            return false;
        };
        let hands = Hands { typing: self.settings.typing.min(left / 4), ..self.hands.clone() };
        let (done, said) = hands.act(acts, &CancellationToken::new()).await;
        said || matches!(done, Done::Spent(_))
    }
}

fn spent(code: &Value) -> Fault {
    let why = code.as_str().unwrap_or("exhausted");
    Fault::new(FaultClass::Permission, "exhausted", format!("the conversation is exhausted: {why}"))
}

/// Waits for the work that is under way; for ever where there is none.
async fn work(working: &mut Option<Working>) -> Worked {
    match working {
        Some(working) => working.await,
        None => std::future::pending().await,
    }
}

/// Waits for what was asked for to be read; for ever where nothing is.
async fn read(reading: &mut Option<Reading>) -> Option<Value> {
    match reading {
        Some(reading) => reading.await,
        None => std::future::pending().await,
    }
}

async fn work_on(
    mut brain: Box<dyn Brain>,
    sensed: Sensed,
    hands: Hands,
    hush: CancellationToken,
    limit: Duration,
) -> Worked {
    let purse: Arc<dyn Purse> = hands.purse.clone();
    let scene = Scene { me: &hands.me, purse: &purse };
    let thought = hush.run_until_cancelled(think(brain.as_mut(), scene, sensed, limit)).await;
    let result = match thought {
        None => Ok((Done::Fine, false)),
        Some(Err(none)) => Err(none),
        Some(Ok(acts)) => Ok(hands.act(acts, &hush).await),
    };
    Worked { brain, result }
}
