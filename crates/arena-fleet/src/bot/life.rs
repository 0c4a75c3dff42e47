//! The life of a bot, from its start until it is gone.

use super::around::Around;
use super::leave::{Leave, LeaveWatch, at, told};
use super::lobby::{brain, place, shown, word};
use super::talk::{TalkEnd, TalkStart, talk};
use super::ticket::News;
use super::wish::{self, Wish};
use super::world::{self, WorldEnd};
use crate::channel::{Channel, ChannelEvent};
use crate::identity::{BrainKind, Identity};
use crate::monitor::BotState;
use arena_core::fleet::{Fault, FaultClass, NextStep};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How long leaving the lobby may take, where there is that much time.
const LEAVING: Duration = Duration::from_secs(5);
/// When a presence that could not be handed over is tried again.
const SHOW_AGAIN: Duration = Duration::from_secs(1);

/// How often a bot with a model looks whether the model is there; chance adds up to as much.
const LOOK_AT_MODEL: Duration = Duration::from_secs(30);

/// What a bot is asked to do.
#[derive(Debug)]
pub enum Order {
    /// To talk in this conversation. The answer comes when it is in, or cannot come in.
    Talk {
        /// The conversation's id.
        conversation: String,
        /// Takes the answer.
        answer: oneshot::Sender<Result<(), Fault>>,
    },
}

/// What a bot tells its manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// It is in its first channel, so long after its start.
    Active {
        /// Which bot.
        bot: Arc<str>,
        /// How long it took.
        took: Duration,
    },
    /// It is idle again.
    Idle {
        /// Which bot.
        bot: Arc<str>,
    },
}

/// How a bot ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BotEnd {
    /// Which bot.
    pub bot: Arc<str>,
    /// Why it failed; `None`: it was told to leave.
    pub fault: Option<Fault>,
}

/// A bot that is to live.
#[derive(Debug)]
pub struct Bot {
    /// What it shares with others.
    pub around: Arc<Around>,
    /// Who it is.
    pub me: Arc<Identity>,
    /// What it is asked; whoever asks more than it takes is refused.
    pub orders: mpsc::Receiver<Order>,
    /// When it has to leave.
    pub leave: LeaveWatch,
    /// Whether it may be matched with humans now.
    pub takes_on: watch::Receiver<bool>,
    /// Takes what it tells. Full: its manager learns of it at the next tick.
    pub notes: mpsc::Sender<Note>,
}

impl Bot {
    /// Lives. Dropping this ends everything that the bot has; its channels are left without waiting then.
    pub async fn live(self) -> BotEnd {
        let bot: Arc<str> = self.me.id.as_str().into();
        let monitor = self.around.monitor.clone();
        let mut life = Life::new(self);
        let fault = life.go_on().await;
        match &fault {
            Some(fault) => monitor.bot_failed(&bot, fault),
            None => monitor.bot_is(&bot, BotState::Leaving, None),
        }
        life.end().await;
        BotEnd { bot, fault }
    }
}

enum Ended {
    Talk(TalkEnd),
    World(WorldEnd),
}

struct Life {
    bot: Bot,
    id: Arc<str>,
    began: Instant,
    state: BotState,
    conversation: Option<String>,
    /// `None`: the lobby does not let it in.
    lobby: Option<Channel>,
    /// When the lobby is tried again.
    lobby_at: Option<Instant>,
    /// The state and the brain that it shows in the lobby.
    shown: (&'static str, BrainKind),
    /// When it looks next whether it still has the brain that it shows.
    look_at: Option<Instant>,
    /// When the presence is to be shown again.
    show_at: Option<Instant>,
    /// Its talk and its world. They end with it.
    parts: JoinSet<Ended>,
    /// Where they are told to leave.
    parts_leave: watch::Sender<Option<Leave>>,
    /// Where its talk is told to end, whether the bot leaves or not.
    talk_leave: watch::Sender<Option<Leave>>,
    /// Its ticket at the matchmaker, where it holds one.
    wish: Option<Wish>,
}

impl Life {
    fn new(bot: Bot) -> Life {
        let lobby = (bot.around.open)(&bot.me.id, place(&bot.around, &bot.me, BotState::Idle));
        let mut parts = JoinSet::new();
        let (parts_leave, leave) = watch::channel(*bot.leave.borrow());
        if let (Some(channel), Some(seats)) = (&bot.me.world, &bot.around.seats) {
            let living =
                world::live(bot.around.clone(), bot.me.clone(), seats.clone(), channel.clone(), leave);
            parts.spawn(async { Ended::World(living.await) });
        }
        Life {
            id: bot.me.id.as_str().into(),
            began: Instant::now(),
            state: BotState::Starting,
            conversation: None,
            lobby: Some(lobby),
            lobby_at: None,
            shown: (word(BotState::Idle), brain(&bot.around, &bot.me)),
            look_at: (bot.me.brain == BrainKind::Llm).then(next_look),
            show_at: None,
            parts,
            parts_leave,
            talk_leave: watch::channel(None).0,
            wish: Wish::of(&bot.around, &bot.me),
            bot,
        }
    }

    /// Until it is to go. Gives why it failed, if it did.
    async fn go_on(&mut self) -> Option<Fault> {
        loop {
            if self.leaving().is_some() && self.conversation.is_none() {
                return None;
            }
            let by = self.leaving().map(|leave| leave.by);
            self.may_be_matched();
            let fault = tokio::select! {
                biased;
                () = at(by) => return None,
                () = told(&mut self.bot.leave) => self.told(),
                Some(ended) = self.parts.join_next() => self.part_ended(ended),
                event = next(&mut self.lobby) => self.in_lobby(event),
                Some(order) = self.bot.orders.recv() => self.take(order),
                Ok(()) = self.bot.takes_on.changed() => None,
                news = wish::news(&mut self.wish) => self.matched(news),
                () = at(self.lobby_at) => self.try_lobby(),
                () = at(self.show_at) => self.show(),
                () = at(self.look_at) => {
                    self.look_at = Some(next_look());
                    self.show()
                }
            };
            if fault.is_some() {
                return fault;
            }
        }
    }

    fn leaving(&self) -> Option<Leave> {
        *self.bot.leave.borrow()
    }

    fn told(&mut self) -> Option<Fault> {
        // Whoever talks to nobody is gone before anybody could read that it leaves.
        if self.leaving().is_some() && self.conversation.is_some() {
            self.enter(BotState::Leaving);
        }
        self.parts_leave.send_replace(self.leaving());
        self.talk_leave.send_replace(self.leaving());
        None
    }

    /// Tells its ticket whether it has the time for somebody.
    fn may_be_matched(&mut self) {
        let free = self.state == BotState::Idle
            && self.conversation.is_none()
            && self.leaving().is_none()
            && *self.bot.takes_on.borrow();
        if let Some(wish) = &mut self.wish {
            wish.ticket().is_free(free);
        }
    }

    /// The matchmaker has somebody for it, or has ended what was.
    fn matched(&mut self, news: News) -> Option<Fault> {
        match news {
            News::Meet { of, conversation } => {
                if let Some(wish) = &mut self.wish {
                    wish.ticket().meets(of);
                }
                // Nobody asks whether it comes in: where it does not, its talk ends, and the match with it.
                self.begin(conversation, oneshot::channel().0);
            }
            News::Over => {
                self.talk_leave.send_if_modified(|leave| {
                    let stays = leave.is_none();
                    leave.get_or_insert_with(|| Leave::now(LEAVING));
                    stays
                });
            }
        }
        None
    }

    fn take(&mut self, order: Order) -> Option<Fault> {
        let Order::Talk { conversation, answer } = order;
        let promised = self.wish.as_mut().is_some_and(|wish| wish.ticket().is_promised());
        if self.conversation.is_some() || self.leaving().is_some() || promised {
            if promised && self.conversation.is_none() && self.leaving().is_none() {
                // Whoever asked has it down as talking there.
                self.bot.around.monitor.bot_is(&self.id, self.state, None);
            }
            let busy =
                Fault::new(FaultClass::Permission, "bot_busy", "the bot talks to somebody else, or leaves");
            let _ = answer.send(Err(busy));
            return None;
        }
        self.begin(conversation, answer);
        None
    }

    /// Talks there from now on.
    fn begin(&mut self, conversation: String, came: oneshot::Sender<Result<(), Fault>>) {
        self.talk_leave = watch::channel(self.leaving()).0;
        let start = TalkStart {
            around: self.bot.around.clone(),
            me: self.bot.me.clone(),
            conversation: conversation.clone(),
            leave: self.talk_leave.subscribe(),
            came,
        };
        self.parts.spawn(async { Ended::Talk(talk(start).await) });
        self.conversation = Some(conversation);
        self.enter(BotState::Talking);
    }

    fn part_ended(&mut self, ended: Result<Ended, tokio::task::JoinError>) -> Option<Fault> {
        match ended {
            Ok(Ended::Talk(end)) => {
                let conversation = self.conversation.take().unwrap_or_default();
                if let Some(wish) = &mut self.wish {
                    wish.ticket().talked();
                }
                match end {
                    TalkEnd::Over(why) => {
                        tracing::debug!(bot = %self.id, conversation, why, "a talk is over");
                        if self.leaving().is_none() {
                            self.enter(BotState::Idle);
                            let _ = self.bot.notes.try_send(Note::Idle { bot: self.id.clone() });
                        }
                        None
                    }
                    TalkEnd::BrainFailed(fault) => Some(fault),
                }
            }
            Ok(Ended::World(WorldEnd::Left)) => None,
            Ok(Ended::World(WorldEnd::BrainFailed(fault))) => Some(fault),
            Err(error) => Some(Fault::new(FaultClass::Protocol, "bot_panicked", error.to_string())),
        }
    }

    fn in_lobby(&mut self, event: Option<ChannelEvent>) -> Option<Fault> {
        let fault = match event {
            Some(ChannelEvent::Joined { .. }) => {
                self.came();
                return None;
            }
            Some(ChannelEvent::Ended { fault }) => fault,
            Some(_) => return None,
            None => {
                Fault::new(FaultClass::Network, "channel_ended", "the lobby's channel ended without a reason")
            }
        };
        self.lobby = None;
        if fault.class.next_step() != NextStep::Stop {
            return Some(fault);
        }
        // Another bot would be refused as well, so this one stays and does what it can without the lobby.
        tracing::warn!(bot = %self.id, %fault, "the lobby is closed to the bot: it goes on without");
        self.lobby_at =
            Some(Instant::now() + self.bot.around.settings.lobby_retry.mul_f64(1.0 + fastrand::f64() / 2.0));
        if self.state == BotState::Starting {
            self.enter(BotState::Idle);
        }
        None
    }

    /// It is in the lobby, for the first time or again.
    fn came(&mut self) {
        if self.state == BotState::Starting {
            self.enter(BotState::Idle);
            let note = Note::Active { bot: self.id.clone(), took: self.began.elapsed() };
            let _ = self.bot.notes.try_send(note);
        }
    }

    fn try_lobby(&mut self) -> Option<Fault> {
        self.lobby_at = None;
        self.shown = self.shows();
        let place = place(&self.bot.around, &self.bot.me, self.state);
        self.lobby = Some((self.bot.around.open)(&self.bot.me.id, place));
        None
    }

    /// Is in another state, and shows it.
    fn enter(&mut self, state: BotState) {
        self.state = state;
        self.bot.around.monitor.bot_is(&self.id, state, self.conversation.as_deref());
        self.show();
    }

    fn shows(&self) -> (&'static str, BrainKind) {
        (word(self.state), brain(&self.bot.around, &self.bot.me))
    }

    /// Shows its state in the lobby, if that is news there: each showing is a message to everybody.
    fn show(&mut self) -> Option<Fault> {
        self.show_at = None;
        let Some(lobby) = &self.lobby else { return None };
        let shows = self.shows();
        if self.shown == shows {
            return None;
        }
        if lobby.track(shown(&self.bot.around, &self.bot.me, self.state)) {
            self.shown = shows;
        } else {
            self.show_at = Some(Instant::now() + SHOW_AGAIN);
        }
        None
    }

    /// Leaves what is left, with a goodbye where it still talks. What is not done in time is dropped.
    async fn end(mut self) {
        if self.leaving().is_none() {
            self.parts_leave.send_replace(Some(Leave::now(LEAVING)));
            self.talk_leave.send_replace(Some(Leave::now(LEAVING)));
        }
        let left = self.leaving().map_or(LEAVING, |leave| leave.by.saturating_duration_since(Instant::now()));
        let worlds = async { while self.parts.join_next().await.is_some() {} };
        let lobby = async {
            if let Some(lobby) = self.lobby.take() {
                lobby.leave(left.min(LEAVING)).await;
            }
        };
        let ticket = async {
            if let Some(wish) = self.wish.take() {
                wish.end(left.min(LEAVING)).await;
            }
        };
        let ends = async { tokio::join!(worlds, lobby, ticket) };
        let _ = tokio::time::timeout(left.min(LEAVING), ends).await;
    }
}

fn next_look() -> Instant {
    Instant::now() + LOOK_AT_MODEL.mul_f64(1.0 + fastrand::f64())
}

/// What happens in the lobby; never, where the bot is not in it.
async fn next(lobby: &mut Option<Channel>) -> Option<ChannelEvent> {
    match lobby {
        Some(lobby) => lobby.next().await,
        None => std::future::pending().await,
    }
}
