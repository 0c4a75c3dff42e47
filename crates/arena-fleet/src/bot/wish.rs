//! A bot's ticket, on the bot's own topic `user:<id>`: what [`super::ticket`] says is said there.

use super::around::Around;
use super::leave::at;
use super::lobby::place;
use super::ticket::{Answer, News, Next, Ticket, Word};
use crate::channel::{Channel, ChannelEvent, ChannelSpec, PushError, Reply};
use crate::identity::Identity;
use crate::monitor::BotState;
use serde_json::{Value, json};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long taking a ticket back may take at the end; the matchmaker misses the bot soon anyway.
const TAKING_BACK: Duration = Duration::from_secs(2);

/// A word that was said, and its answer.
type Asking = Pin<Box<dyn Future<Output = (Word, Result<Reply, PushError>)> + Send>>;

/// The ticket of a bot, and where it is held.
pub(super) struct Wish {
    around: Arc<Around>,
    me: Arc<Identity>,
    ticket: Ticket,
    /// `None`: the endpoint does not let it in.
    channel: Option<Channel>,
    /// When it is tried again then.
    open_at: Option<Instant>,
    /// One word at a time: what is said next depends on the answer.
    asking: Option<Asking>,
}

impl Wish {
    /// Of a bot whose fleet has queues; `None` where it has none.
    pub(super) fn of(around: &Arc<Around>, me: &Arc<Identity>) -> Option<Wish> {
        if around.queues.is_empty() {
            return None;
        }
        let wish = json!({ "kind": "bot", "name": me.name, "attributes": { "persona": me.persona } });
        let mut wish = Wish {
            ticket: Ticket::new(wish, around.queues.clone(), Instant::now()),
            around: around.clone(),
            me: me.clone(),
            channel: None,
            open_at: None,
            asking: None,
        };
        wish.open();
        Some(wish)
    }

    fn open(&mut self) {
        self.open_at = None;
        let topic = format!("user:{}", self.me.id);
        let spec = ChannelSpec {
            topic,
            private: true,
            presence_key: None,
            presence: None,
            ..place(&self.around, &self.me, BotState::Idle)
        };
        self.channel = Some((self.around.open)(&self.me.id, spec));
    }

    /// What is known of the ticket.
    pub(super) fn ticket(&mut self) -> &mut Ticket {
        &mut self.ticket
    }

    /// Looks after the ticket until there is something that the bot has to know. May be dropped and called again.
    pub(super) async fn news(&mut self) -> News {
        loop {
            if let Some(news) = self.ticket.news() {
                return news;
            }
            let mut wake = None;
            if self.asking.is_none() {
                match self.ticket.next(Instant::now()) {
                    Next::Say(word) => self.say(word),
                    Next::Wait(until) => wake = until,
                }
            }
            tokio::select! {
                event = next(&mut self.channel) => self.hear(event),
                (word, reply) = answer(&mut self.asking) => {
                    self.asking = None;
                    self.answered(&word, reply);
                }
                () = at(self.open_at) => self.open(),
                () = at(wake) => {}
            }
        }
    }

    fn say(&mut self, word: Word) {
        let Some(channel) = &self.channel else { return };
        let pusher = channel.pusher();
        self.asking = Some(Box::pin(async move {
            let reply = pusher.push(word.event, word.payload.clone()).await;
            (word, reply)
        }));
    }

    fn answered(&mut self, word: &Word, reply: Result<Reply, PushError>) {
        let answer = match reply {
            Ok(reply) if reply.ok => Answer::Done(reply.response),
            Ok(reply) => {
                let code = reply.response.get("code").and_then(Value::as_str);
                Answer::Refused(code.unwrap_or("refused").to_owned())
            }
            Err(_) => Answer::Lost,
        };
        if let Some(code) = self.ticket.answered(word, answer, Instant::now()) {
            tracing::warn!(
                bot = self.me.id,
                code,
                said = word.event,
                "the matchmaker does not take the bot: it asks again now and then"
            );
        }
    }

    fn hear(&mut self, event: Option<ChannelEvent>) {
        match event {
            Some(ChannelEvent::Joined { .. }) => self.ticket.joined(),
            Some(ChannelEvent::Down { .. }) => self.ticket.down(),
            // Nobody but services writes there.
            Some(ChannelEvent::Message { event, payload, .. }) if event == "ticket" => {
                self.ticket.heard(payload);
            }
            Some(ChannelEvent::Ended { fault }) => {
                tracing::warn!(bot = self.me.id, %fault, "no matches for the bot: its own topic is closed to it");
                self.lost();
            }
            None => self.lost(),
            Some(_) => {}
        }
    }

    fn lost(&mut self) {
        self.channel = None;
        self.ticket.down();
        let again = self.around.settings.lobby_retry.mul_f64(1.0 + fastrand::f64() / 2.0);
        self.open_at = Some(Instant::now() + again);
    }

    /// Takes the ticket back, whatever has become of it, and leaves.
    pub(super) async fn end(mut self, deadline: Duration) {
        let Some(channel) = self.channel.take() else { return };
        let by = Instant::now() + deadline;
        self.asking = None;
        if self.ticket.is_live() {
            let cancel = channel.push("match_cancel", json!({}));
            let _ = tokio::time::timeout(TAKING_BACK.min(deadline / 2), cancel).await;
        }
        channel.leave(by.saturating_duration_since(Instant::now())).await;
    }
}

/// What the bot learns of its ticket; nothing, where it holds none.
pub(super) async fn news(wish: &mut Option<Wish>) -> News {
    match wish {
        Some(wish) => wish.news().await,
        None => std::future::pending().await,
    }
}

async fn next(channel: &mut Option<Channel>) -> Option<ChannelEvent> {
    match channel {
        Some(channel) => channel.next().await,
        None => std::future::pending().await,
    }
}

async fn answer(asking: &mut Option<Asking>) -> (Word, Result<Reply, PushError>) {
    match asking {
        Some(asking) => asking.await,
        None => std::future::pending().await,
    }
}
