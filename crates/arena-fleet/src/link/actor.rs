//! The task of a connection.

use super::pending::{Kind, Pending, Unanswered};
use super::route::{Route, Routes};
use super::{Command, End, LinkState};
use crate::channel::PushError;
use crate::classify::{self, Waited};
use crate::endpoint::{Dial, Endpoint, Socket, connect};
use crate::monitor::{Answered, Monitor, Phase, Subject};
use crate::pool::{Gate, Offer, Registry, Source, Ticket};
use arena_core::fleet::{Fault, FaultClass};
use arena_realtime::codec::client::Outgoing;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::value::RawValue;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_util::sync::CancellationToken;

/// How long a connection without channels is kept: a bot that comes back at once finds it.
const IDLE: Duration = Duration::from_secs(10);
/// How long the endpoint may take to answer a close.
const CLOSING: Duration = Duration::from_secs(1);
/// Pushes of one channel that may wait for their answers; one more is refused.
const UNANSWERED_PUSHES: usize = 32;

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// A connection with its handshake.
    pub(crate) connect: Duration,
    /// An answer.
    pub(crate) reply: Duration,
    /// From one heartbeat to the next.
    pub(crate) heartbeat: Duration,
}

/// A connection that is to be made.
pub(crate) struct Actor {
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) dial: Arc<dyn Dial>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) monitor: Monitor,
    pub(crate) limits: Limits,
    /// Its place in the registry; dropped, it has none.
    pub(crate) ticket: Ticket,
    /// What its channels ask.
    pub(crate) commands: mpsc::Receiver<Box<Command>>,
    /// Cancelled when all connections are to be closed, after their channels have left.
    pub(crate) closing: CancellationToken,
}

/// How a connection comes to its end.
pub(super) enum Over {
    /// By itself, because nobody needs it.
    Unneeded,
    /// It failed.
    Failed(Fault),
}

impl From<Fault> for Over {
    fn from(fault: Fault) -> Over {
        Over::Failed(fault)
    }
}

/// Dropped, in whatever way the task ends, the connection is none of those that are.
struct Known {
    monitor: Monitor,
    subject: Subject,
    /// Why it ended is told.
    told: bool,
}

impl Drop for Known {
    fn drop(&mut self) {
        if !self.told {
            let fault = Fault::new(FaultClass::Network, "connection_lost", "the connection's task ended");
            self.monitor.phase(&self.subject, Phase::Failed(fault));
        }
        self.monitor.forget(&self.subject);
    }
}

fn not_needed() -> End {
    let detail = "the connection was not needed any more";
    let fault = Fault::new(FaultClass::Network, "closed_normally", detail);
    End { fault, counts: false, was_open: true }
}

impl Actor {
    /// Connects when it is its turn, and serves until nobody needs it or it fails.
    pub(crate) async fn run(mut self) {
        let subject = Subject::Connection(self.ticket.id());
        let mut known = Known { monitor: self.monitor.clone(), subject: subject.clone(), told: false };
        self.monitor.phase(&subject, Phase::Waiting);
        let ended = Box::pin(self.serve(&subject)).await;
        match &ended {
            None => self.monitor.phase(&subject, Phase::Closed),
            Some(end) => {
                tracing::debug!(connection = self.ticket.id(), fault = %end.fault, "a connection ended");
                self.monitor.phase(&subject, Phase::Failed(end.fault.clone()));
            }
        }
        known.told = true;
        self.ticket.ended(ended.unwrap_or_else(not_needed));
    }

    /// `None` where it was closed on purpose.
    async fn serve(&mut self, subject: &Subject) -> Option<End> {
        let (socket, offer) = tokio::select! {
            // Boxed, so that nothing of it is kept while the connection lives.
            opened = Box::pin(self.open(subject)) => match opened {
                Ok(opened) => opened,
                Err(end) => return Some(end),
            },
            () = self.unneeded() => return None,
        };
        self.ticket.is(LinkState::Open);
        self.monitor.phase(subject, Phase::Open);
        let Actor { registry, ticket, commands, monitor, limits, endpoint, closing, gate, .. } = self;
        let mut link = Link::new(socket, endpoint, registry, ticket, commands, monitor, *limits);
        let end = match link.run(closing).await {
            Over::Unneeded => None,
            Over::Failed(fault) => {
                if let Some(offer) = offer {
                    offer.lost();
                }
                // Who joined on it may have been let in, and then nothing was answered any more.
                let is_silent = fault.class == FaultClass::Timeout;
                let counts = !is_silent || gate.trouble(Source::Connection(ticket.id()), false);
                Some(End { fault, counts, was_open: true })
            }
        };
        // Channels are told why before they see the end of what they hear, which is when the link is dropped.
        ticket.is(LinkState::Ended(end.clone().unwrap_or_else(not_needed)));
        drop(link);
        end
    }

    async fn open(&self, subject: &Subject) -> Result<(Socket, Option<Offer>), End> {
        let permit = self.gate.connect().await;
        self.ticket.is(LinkState::Connecting);
        self.monitor.phase(subject, Phase::Opening);
        let began = Instant::now();
        let limit = self.limits.connect;
        let connected = timeout(limit, connect(&self.endpoint, &*self.dial)).await;
        match connected.unwrap_or_else(|_| Err(classify::timeout(Waited::Connect, limit))) {
            Ok(socket) => {
                let offer = permit.succeeded();
                self.monitor.answered(Answered::Connect, began.elapsed());
                Ok((socket, offer))
            }
            Err(fault) => Err(End { counts: permit.failed(&fault), fault, was_open: false }),
        }
    }

    /// Ready when all channels that wanted it have gone, or all of it is to end.
    async fn unneeded(&self) {
        loop {
            tokio::select! {
                () = self.ticket.returned() => {}
                () = self.closing.cancelled() => return,
            }
            if self.registry.retire(self.ticket.id()) {
                return;
            }
        }
    }
}

/// An open connection.
pub(super) struct Link<'a> {
    pub(super) socket: Socket,
    pub(super) endpoint: &'a Endpoint,
    registry: &'a Arc<Registry>,
    ticket: &'a Ticket,
    commands: &'a mut mpsc::Receiver<Box<Command>>,
    pub(super) monitor: &'a Monitor,
    limits: Limits,
    pub(super) routes: Routes,
    pub(super) unanswered: Unanswered,
    /// The ref of the next message.
    pub(super) next: u64,
    next_beat: Instant,
    /// The heartbeat that is not answered yet.
    pub(super) beat: Option<(u64, Instant)>,
    /// Frames that nobody understood, since the last heartbeat that was answered.
    pub(super) strange: u32,
    idle_since: Option<Instant>,
    empty: Box<RawValue>,
}

impl<'a> Link<'a> {
    fn new(
        socket: Socket,
        endpoint: &'a Endpoint,
        registry: &'a Arc<Registry>,
        ticket: &'a Ticket,
        commands: &'a mut mpsc::Receiver<Box<Command>>,
        monitor: &'a Monitor,
        limits: Limits,
    ) -> Link<'a> {
        let now = Instant::now();
        Link {
            socket,
            endpoint,
            registry,
            ticket,
            commands,
            monitor,
            limits,
            routes: Routes::default(),
            unanswered: Unanswered::default(),
            next: 1,
            // A thousand connections that were made together do not beat together.
            next_beat: now + limits.heartbeat.mul_f64(0.5 + 0.5 * fastrand::f64()),
            beat: None,
            strange: 0,
            idle_since: None,
            empty: serde_json::value::to_raw_value(&serde_json::json!({}))
                .unwrap_or_else(|_| RawValue::NULL.to_owned()),
        }
    }

    async fn run(&mut self, closing: &CancellationToken) -> Over {
        loop {
            let timer = self.next_timer();
            let step = tokio::select! {
                frame = self.socket.next() => self.frame(frame).await,
                Some(command) = self.commands.recv() => self.command(command).await,
                () = self.ticket.returned() => self.take_back().await,
                () = sleep_until(timer) => self.timers().await,
                () = closing.cancelled() => Err(Over::Unneeded),
            };
            match step {
                Ok(()) => self.note_idleness(),
                Err(over) => {
                    self.close(&over).await;
                    return over;
                }
            }
        }
    }

    async fn command(&mut self, command: Box<Command>) -> Result<(), Over> {
        match *command {
            Command::Join { topic, payload, told, presence, answer } => {
                self.join(topic, &payload, told, presence, answer).await
            }
            Command::Send { topic, event, payload, answer } => {
                self.push(topic, event, &payload, answer).await
            }
        }
    }

    async fn join(
        &mut self,
        topic: Arc<str>,
        payload: &RawValue,
        told: mpsc::Sender<super::Told>,
        presence: bool,
        answer: super::Answer,
    ) -> Result<(), Over> {
        // Whoever asked may be gone by now.
        if answer.is_closed() {
            return Ok(());
        }
        let join = self.next;
        self.routes.add(Route { topic: Arc::clone(&topic), join, told: Some(told), presence });
        self.say(Kind::Join, join, &topic, "phx_join", payload, Some(answer)).await
    }

    async fn push(
        &mut self,
        topic: Arc<str>,
        event: &'static str,
        payload: &RawValue,
        answer: Option<super::Answer>,
    ) -> Result<(), Over> {
        let refused = match self.routes.get(&topic) {
            None => Some(PushError::NotJoined),
            Some(_) if self.unanswered.pushes(&topic) >= UNANSWERED_PUSHES => Some(PushError::Full),
            Some(_) => None,
        };
        if let Some(error) = refused {
            if let Some(answer) = answer {
                let _ = answer.send(Err(error));
            }
            return Ok(());
        }
        let join = self.routes.get(&topic).map_or(0, |route| route.join);
        self.say(Kind::Push, join, &topic, event, payload, answer).await
    }

    async fn leave(&mut self, topic: Arc<str>) -> Result<(), Over> {
        let Some(route) = self.routes.remove(&topic) else {
            self.registry.is_left(self.ticket.id(), &topic);
            return Ok(());
        };
        self.unanswered.forget(&topic);
        let empty = self.empty.clone();
        self.say(Kind::Leave, route.join, &topic, "phx_leave", &empty, None).await
    }

    /// Leaves the topics whose leases have come back, after all that was to be said there before.
    async fn take_back(&mut self) -> Result<(), Over> {
        while let Ok(command) = self.commands.try_recv() {
            self.command(command).await?;
        }
        for topic in self.registry.to_leave(self.ticket.id()) {
            self.leave(topic).await?;
        }
        Ok(())
    }

    async fn say(
        &mut self,
        kind: Kind,
        join: u64,
        topic: &Arc<str>,
        event: &str,
        payload: &RawValue,
        answer: Option<super::Answer>,
    ) -> Result<(), Over> {
        let reference = self.next;
        self.next += 1;
        let (join, written) = (join.to_string(), reference.to_string());
        let out = Outgoing { join_ref: Some(&join), reference: Some(&written), topic, event, payload };
        let text = out.encode(self.endpoint.spoken());
        let pending = Pending { reference, topic: Arc::clone(topic), kind, sent: Instant::now(), answer };
        self.unanswered.add(pending);
        self.write(Message::text(text)).await
    }

    async fn write(&mut self, message: Message) -> Result<(), Over> {
        match timeout(self.limits.reply, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(super::frames::broken(&error).into()),
            Err(_) => Err(classify::timeout(Waited::Write, self.limits.reply).into()),
        }
    }

    fn next_timer(&self) -> Instant {
        let late = self.unanswered.first_late(self.limits.reply);
        let idle = self.idle_since.map(|since| since + IDLE);
        [late, idle].into_iter().flatten().fold(self.next_beat, Instant::min)
    }

    async fn timers(&mut self) -> Result<(), Over> {
        let now = Instant::now();
        while let Some(late) = self.unanswered.late(self.limits.reply, now) {
            self.unanswered_in_time(late);
        }
        if self.idle_since.is_some_and(|since| now >= since + IDLE) {
            if self.registry.retire(self.ticket.id()) {
                return Err(Over::Unneeded);
            }
            self.idle_since = None;
        }
        if now >= self.next_beat {
            return self.heartbeat(now).await;
        }
        Ok(())
    }

    /// A join that may yet be answered is left when its lease comes back, which it does now.
    fn unanswered_in_time(&self, late: Pending) {
        if late.kind == Kind::Leave {
            self.registry.is_left(self.ticket.id(), &late.topic);
        }
        if let Some(answer) = late.answer {
            let _ = answer.send(Err(PushError::Timeout));
        }
    }

    async fn heartbeat(&mut self, now: Instant) -> Result<(), Over> {
        if self.beat.is_some() {
            return Err(classify::timeout(Waited::Heartbeat, self.limits.heartbeat).into());
        }
        let reference = self.next;
        self.next += 1;
        self.beat = Some((reference, now));
        self.next_beat = now + self.limits.heartbeat;
        let written = reference.to_string();
        let text = Outgoing::heartbeat(&written, &self.empty).encode(self.endpoint.spoken());
        self.write(Message::text(text)).await
    }

    /// The endpoint answered something.
    pub(super) fn resolve(&mut self, pending: Pending, reply: crate::channel::Reply) {
        let took = pending.sent.elapsed();
        match pending.kind {
            Kind::Join => {
                self.monitor.answered(Answered::Join, took);
                if !reply.ok {
                    self.routes.remove(&pending.topic);
                }
            }
            Kind::Push => self.monitor.answered(Answered::Push, took),
            Kind::Leave => self.registry.is_left(self.ticket.id(), &pending.topic),
        }
        if let Some(answer) = pending.answer {
            let _ = answer.send(Ok(reply));
        }
    }

    fn note_idleness(&mut self) {
        let is_idle = self.routes.is_empty() && self.unanswered.is_empty();
        self.idle_since = is_idle.then(|| self.idle_since.unwrap_or_else(Instant::now));
    }

    /// Says goodbye, and waits a moment for the answer.
    async fn close(&mut self, over: &Over) {
        let code = match over {
            Over::Unneeded => CloseCode::Normal,
            Over::Failed(fault) if fault.class == FaultClass::Protocol => CloseCode::Protocol,
            // What is left to be said is the answer to the endpoint's own close.
            Over::Failed(_) => {
                let _ = timeout(CLOSING, self.socket.flush()).await;
                return;
            }
        };
        let frame = CloseFrame { code, reason: "".into() };
        let goodbye = async {
            if self.socket.close(Some(frame)).await.is_ok() {
                while let Some(Ok(_)) = self.socket.next().await {}
            }
        };
        let _ = timeout(CLOSING, goodbye).await;
    }
}
