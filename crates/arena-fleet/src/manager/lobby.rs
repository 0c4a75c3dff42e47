//! The fleet's observer in the lobby: it sees who is there, and hears who wants a bot.

use super::Manager;
use super::talks::{Asker, TalkRequest};
use crate::channel::{Channel, ChannelEvent, ChannelSpec};
use arena_core::fleet::NextStep;
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;

/// When a lobby that was closed to the observer is tried again, and when one that asks to be left alone.
const AGAIN: Duration = Duration::from_secs(30);
const MUCH_LATER: Duration = Duration::from_secs(300);

impl Manager {
    /// Goes into the lobby, seeing and unseen.
    pub(super) fn observe(&mut self) {
        self.observe_at = None;
        let around = &self.start.around;
        let spec = ChannelSpec {
            topic: around.lobby.to_string(),
            private: false,
            token: self.start.observer.clone(),
            presence_key: None,
            presence: None,
            watches_presence: true,
        };
        self.observer = Some((around.open)(&format!("fleet-{}", around.instance), spec));
    }

    pub(super) fn in_lobby(&mut self, event: Option<ChannelEvent>) {
        let Some(event) = event else {
            // It has ended, and said so before.
            self.observer = None;
            self.observe_at.get_or_insert_with(|| Instant::now() + AGAIN);
            return;
        };
        let own_bots = self.own_bots();
        self.census.hear(&event, own_bots);
        let tells_who = matches!(event, ChannelEvent::Presence { .. } | ChannelEvent::Ended { .. });
        if tells_who {
            self.give_way();
        }
        if tells_who && !self.lobby_known {
            self.lobby_known = true;
            self.next_start = None;
            self.plan_start();
        }
        match event {
            ChannelEvent::Message { event, payload, .. } if event == "bot_wanted" => self.wanted(&payload),
            ChannelEvent::Ended { fault } => {
                tracing::warn!(%fault, "the lobby cannot be read: nobody is counted");
                let delay = if fault.class.next_step() == NextStep::Stop { MUCH_LATER } else { AGAIN };
                self.observer = None;
                self.observe_at = Some(Instant::now() + delay);
            }
            _ => {}
        }
    }

    /// Somebody in the lobby wants a bot for a conversation.
    fn wanted(&mut self, payload: &Value) {
        let text = |key: &str| payload.get(key).and_then(Value::as_str).map(str::to_owned);
        let (Some(conversation), Some(lobby)) = (text("conversation"), self.observer.as_ref()) else {
            return;
        };
        let bot = text("bot");
        // Where several fleets are in a lobby, the first of them answers for whoever is not asked for by name.
        let instance = &*self.start.around.instance;
        let other_first = self.census.other_fleets(instance).first().is_some_and(|other| *other < instance);
        let mine = match &bot {
            Some(bot) => self.running.get(bot).is_some() || !other_first,
            None => !other_first,
        };
        if mine {
            let asker = Asker::Lobby(lobby.pusher());
            self.talk(TalkRequest { conversation, bot, asker });
        }
    }
}

/// What happens in the lobby; never, while nobody is there to see it.
pub(super) async fn next(observer: &mut Option<Channel>) -> Option<ChannelEvent> {
    match observer {
        Some(observer) => observer.next().await,
        None => std::future::pending().await,
    }
}
