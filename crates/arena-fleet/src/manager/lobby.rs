//! The fleet's observer in the lobby: it sees who is there, and hears who wants a bot.

use super::Manager;
use super::others::{self, FLEET_HERE};
use super::talks::{Asker, TalkRequest};
use crate::channel::{Channel, ChannelEvent, ChannelSpec};
use arena_core::fleet::NextStep;
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;

/// What stands before the lobby's name in the topic where fleets announce themselves.
const FELLOWS: &str = "fleets:";
/// When a lobby that was closed to the observer is tried again, and when one that asks to be left alone.
const AGAIN: Duration = Duration::from_secs(30);
const MUCH_LATER: Duration = Duration::from_secs(300);

impl Manager {
    /// Goes into the lobby, seeing and unseen.
    pub(super) fn observe(&mut self) {
        self.observe_at = None;
        self.observer = Some(self.look_at(self.start.around.lobby.to_string(), true));
    }

    /// A channel of the fleet itself, which nobody sees there.
    fn look_at(&self, topic: String, watches_presence: bool) -> Channel {
        let around = &self.start.around;
        let spec = ChannelSpec {
            topic,
            private: false,
            token: self.start.observer.clone(),
            presence_key: None,
            presence: None,
            watches_presence,
        };
        (around.open)(&format!("fleet-{}", around.instance), spec)
    }

    pub(super) fn in_lobby(&mut self, event: Option<ChannelEvent>) {
        let Some(event) = event else {
            // It has ended, and said so before.
            self.observer = None;
            self.observe_at.get_or_insert_with(|| Instant::now() + AGAIN);
            return;
        };
        // Only what is lost has to be remembered as it was; counting all bots for each event would cost much in a crowd.
        let lost = matches!(event, ChannelEvent::Down { .. } | ChannelEvent::Ended { .. });
        let own_bots = if lost { self.own_bots() } else { 0 };
        self.census.hear(&event, own_bots);
        let tells_who = matches!(event, ChannelEvent::Presence { .. } | ChannelEvent::Ended { .. });
        if tells_who {
            self.give_way();
        }
        if self.census.is_crowd() && self.announce_at.is_none() {
            self.announce_within(Duration::ZERO);
        }
        // A crowd does not tell which bots are there: the other fleets do, if there are any.
        if tells_who && !self.lobby_known && !self.census.is_crowd() {
            self.now_known();
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

    fn now_known(&mut self) {
        self.lobby_known = true;
        self.next_start = None;
        self.plan_start();
    }

    /// Goes where fleets tell each other of themselves, beside a lobby that is a crowd: all who are in the lobby would
    /// hear it there.
    fn meet_fellows(&mut self) {
        if self.fellows.is_some() || self.is_alone || !self.census.is_crowd() {
            return;
        }
        self.fellows = Some(self.look_at(format!("{FELLOWS}{}", self.start.around.lobby), false));
    }

    pub(super) fn hear_fellows(&mut self, event: Option<ChannelEvent>) {
        match event {
            Some(ChannelEvent::Joined { .. }) => self.announce_within(Duration::ZERO),
            Some(ChannelEvent::Message { event, payload, .. }) if event == FLEET_HERE => {
                self.fleet_here(&payload);
            }
            Some(ChannelEvent::Ended { fault }) => {
                tracing::warn!(%fault, "other fleets cannot be heard: their bots are counted as humans");
                (self.fellows, self.is_alone) = (None, true);
            }
            Some(_) => {}
            None => self.fellows = None,
        }
    }

    /// Another fleet tells what it has here.
    fn fleet_here(&mut self, payload: &Value) {
        let is_new = self.census.hear_fleet(payload, &self.start.around.instance);
        if !self.census.is_crowd() {
            return;
        }
        self.give_way();
        if is_new {
            // It knows as little of this one.
            self.announce_within(others::GREETINGS);
            if !self.lobby_known {
                self.now_known();
            }
        }
    }

    /// Sees to it that this fleet announces itself, with so much time at least after the last time. Only a crowd needs
    /// it: elsewhere everybody is seen.
    pub(super) fn announce_within(&mut self, apart: Duration) {
        if self.census.is_crowd() {
            let now = Instant::now();
            let due = self.announced_at.map_or(now, |last| (last + apart).max(now));
            self.announce_at = Some(self.announce_at.map_or(due, |planned| planned.min(due)));
        }
    }

    /// Tells other fleets what there is of this one.
    pub(super) fn announce(&mut self) {
        self.announce_at = None;
        self.meet_fellows();
        let Some(fellows) = self.fellows.as_ref().filter(|_| self.census.is_crowd()) else { return };
        let instance = &self.start.around.instance;
        let runs = self.running.iter().map(|(id, _)| id);
        let announcement = others::announcement(instance, self.own_bots(), runs);
        let fellows = fellows.pusher();
        // There are as many of these under way as fit into the time that an answer may take: a few. One that comes too
        // early is followed by another as soon as the topic is joined.
        self.pending.spawn(async move {
            if let Err(error) = fellows.push(FLEET_HERE, announcement).await {
                tracing::debug!(%error, "other fleets could not be told about this one");
            }
        });
        let now = Instant::now();
        self.announced_at = Some(now);
        self.announce_at = Some(now + others::EVERY.mul_f64(1.0 - fastrand::f64() / 5.0));
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
        if mine && self.requests.take(self.began.elapsed()).is_ok() {
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
