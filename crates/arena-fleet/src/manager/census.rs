//! Who is in the lobby, as the fleet's observer sees it.

use super::others::Others;
use crate::channel::{ChannelEvent, Present, is_of_client};
use crate::stats::LobbyReport;
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;

/// How long after an outage those who have not come back yet still count: people come back one by one, and a bot that
/// left for their sake would be started again at once.
const SETTLES: Duration = Duration::from_secs(30);
/// How long those who were there before an outage count while it lasts.
const BELIEVED: Duration = Duration::from_secs(120);

/// What is known of the lobby.
#[derive(Debug, Default)]
pub(super) struct Census {
    present: Present,
    /// Appearances, where only their number is told.
    crowd: Option<usize>,
    /// How the endpoint told at the last join that it tells presence, if it did: `full` or `occupancy`.
    tells: Option<Box<str>>,
    /// Fleets that announced themselves; they are asked where names are not told.
    others: Others,
    /// Since when the lobby is joined; `None` while it is not.
    joined_at: Option<Instant>,
    /// When it was lost last.
    lost_at: Option<Instant>,
    /// Humans when it could be trusted last.
    settled: usize,
}

impl Census {
    /// Takes what happens in the lobby, as far as it is about who is there.
    pub(super) fn hear(&mut self, event: &ChannelEvent, own_bots: usize) {
        match event {
            ChannelEvent::Joined { response } => {
                self.joined_at = Some(Instant::now());
                self.tells = response.get("presence").and_then(Value::as_str).map(Box::from);
            }
            ChannelEvent::Down { .. } | ChannelEvent::Ended { .. } => self.lost(own_bots),
            ChannelEvent::Presence { event, payload } => {
                self.present.apply(event, payload);
                // Names are told again; a number follows at once where they are not.
                self.crowd = None;
            }
            // Anybody may broadcast under this name; what the endpoint says itself has no number among broadcasts. An
            // endpoint that does not tell how it tells presence says none.
            ChannelEvent::Message { event, payload, meta }
                if event == "occupancy" && self.tells.is_some() && !is_of_client(meta) =>
            {
                let count = payload.get("count").and_then(Value::as_u64);
                self.crowd = count.and_then(|count| usize::try_from(count).ok());
            }
            ChannelEvent::Message { .. } | ChannelEvent::System { .. } => {}
        }
    }

    fn lost(&mut self, own_bots: usize) {
        if self.joined_at.is_some() {
            self.settled = self.humans(own_bots);
            self.joined_at = None;
            self.lost_at = Some(Instant::now());
        }
    }

    /// Takes another fleet's announcement; returns whether that fleet was not known before.
    pub(super) fn hear_fleet(&mut self, payload: &Value, instance: &str) -> bool {
        self.others.hear(payload, instance)
    }

    /// Whether only a number is told of who is there.
    pub(super) fn is_crowd(&self) -> bool {
        self.crowd.is_some() || (self.is_joined() && self.tells.as_deref() == Some("occupancy"))
    }

    /// Humans that are there, as far as is known: `own_bots` of this fleet are there too.
    pub(super) fn humans(&self, own_bots: usize) -> usize {
        let after_an_outage = |joined: Instant| self.lost_at.is_some() && joined.elapsed() < SETTLES;
        match self.joined_at {
            Some(joined) if after_an_outage(joined) => self.counted(own_bots).max(self.settled),
            Some(_) => self.counted(own_bots),
            None if self.lost_at.is_some_and(|lost| lost.elapsed() < BELIEVED) => self.settled,
            None => 0,
        }
    }

    fn counted(&self, own_bots: usize) -> usize {
        match self.crowd {
            Some(count) => count.saturating_sub(own_bots).saturating_sub(self.others.bots()),
            None => self.present.iter().filter(|(_, all)| all.iter().any(|one| !one.bot)).count(),
        }
    }

    /// Identities that another run of the bot service has, each with that run's name.
    pub(super) fn of_others(&self, instance: &str) -> BTreeSet<(&str, &str)> {
        if self.crowd.is_some() {
            return self.others.ids();
        }
        let bots = self.present.iter().flat_map(|(key, all)| {
            let bots = all.iter().filter(|one| one.bot);
            bots.filter_map(move |one| Some((key, one.fleet.as_deref()?)))
        });
        bots.filter(|(_, fleet)| *fleet != instance).collect()
    }

    /// Other runs of the bot service that are there.
    pub(super) fn other_fleets(&self, instance: &str) -> BTreeSet<&str> {
        if self.crowd.is_some() {
            return self.others.fleets();
        }
        self.of_others(instance).into_iter().map(|(_, fleet)| fleet).collect()
    }

    /// Whether the lobby can be read.
    pub(super) fn is_joined(&self) -> bool {
        self.joined_at.is_some()
    }

    /// As it is told.
    pub(super) fn report(&self, topic: &str, instance: &str, own_bots: usize) -> LobbyReport {
        let named = self.crowd.is_none() && self.is_joined();
        let own = |fleet: Option<&str>| fleet == Some(instance);
        let bots = |mine: bool| {
            let of_whom = |(_, all): &(&str, &[crate::channel::Appearance])| {
                all.iter().any(|one| one.bot && own(one.fleet.as_deref()) == mine)
            };
            named.then(|| self.present.iter().filter(of_whom).count())
        };
        LobbyReport {
            topic: topic.to_owned(),
            joined: self.is_joined(),
            humans: self.humans(own_bots),
            own_bots: bots(true),
            other_bots: self.crowd.map_or_else(|| bots(false), |_| Some(self.others.bots())),
            occupancy: self.crowd.is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arena_core::fleet::{Fault, FaultClass};
    use serde_json::json;

    fn joined() -> ChannelEvent {
        ChannelEvent::Joined { response: json!({ "presence": "full" }) }
    }

    fn state(payload: Value) -> ChannelEvent {
        ChannelEvent::Presence { event: "presence_state".to_owned(), payload }
    }

    fn count(count: usize) -> ChannelEvent {
        let payload = json!({ "count": count });
        ChannelEvent::Message { event: "occupancy".to_owned(), payload, meta: json!({}) }
    }

    fn down() -> ChannelEvent {
        ChannelEvent::Down { fault: Fault::new(FaultClass::Network, "reset", "reset"), after: Duration::ZERO }
    }

    fn humans(names: &[&str]) -> Value {
        names.iter().map(|name| ((*name).to_owned(), json!({ "metas": [{ "phx_ref": name }] }))).collect()
    }

    fn check(census: &Census, own_bots: usize, expected: usize) {
        assert_eq!(census.humans(own_bots), expected, "{census:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn humans_are_counted_by_key_and_bots_are_not() {
        let mut census = Census::default();
        census.hear(&joined(), 0);
        let everybody = json!({
            "ann": { "metas": [{ "phx_ref": "1" }, { "phx_ref": "2" }] },
            "ben": { "metas": [{ "phx_ref": "3", "bot": false }] },
            "bot-ada": { "metas": [{ "phx_ref": "4", "bot": true, "fleet": "me" }] },
            "bot-bo": { "metas": [{ "phx_ref": "5", "bot": true, "fleet": "you" }] },
            "bot-cy": { "metas": [{ "phx_ref": "6", "bot": true }] }
        });
        census.hear(&state(everybody), 0);
        check(&census, 1, 2);
        let report = census.report("lobby:main", "me", 1);
        assert_eq!((report.humans, report.own_bots, report.other_bots), (2, Some(1), Some(2)));
        assert_eq!(census.of_others("me"), BTreeSet::from([("bot-bo", "you")]));
        assert_eq!(census.other_fleets("me"), BTreeSet::from(["you"]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_is_a_number_without_our_own_until_names_are_told_again() {
        let mut census = Census::default();
        census.hear(&joined(), 0);
        census.hear(&state(json!({})), 0);
        census.hear(&count(250), 0);
        check(&census, 200, 50);
        check(&census, 300, 0);
        assert!(census.report("l", "me", 200).occupancy);
        census.hear(&state(humans(&["ann"])), 0);
        check(&census, 200, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_number_that_a_client_broadcasts_is_not_believed() {
        let mut census = Census::default();
        let of_client = ChannelEvent::Message {
            event: "occupancy".to_owned(),
            payload: json!({ "count": 1_000_000 }),
            meta: json!({ "id": "1", "offset": 7, "epoch": "e" }),
        };
        census.hear(&joined(), 0);
        census.hear(&state(humans(&["ann"])), 0);
        census.hear(&of_client, 0);
        check(&census, 0, 1);
        // Where presence is never a number, nobody says one.
        let mut census = Census::default();
        census.hear(&ChannelEvent::Joined { response: json!({}) }, 0);
        census.hear(&count(1_000_000), 0);
        check(&census, 0, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn in_a_crowd_fleets_are_those_that_announce_themselves() {
        let mut census = Census::default();
        census.hear(&joined(), 0);
        let you = json!({ "fleet": "you", "bots": 120, "ids": ["bot-ada"] });
        assert!(census.hear_fleet(&you, "me"));
        census.hear(&state(json!({})), 0);
        assert_eq!(census.of_others("me").len(), 0);
        census.hear(&count(250), 0);
        check(&census, 100, 30);
        assert_eq!(census.of_others("me"), BTreeSet::from([("bot-ada", "you")]));
        assert_eq!(census.report("l", "me", 100).other_bots, Some(120));
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_does_not_look_like_an_empty_lobby() {
        let mut census = Census::default();
        census.hear(&joined(), 0);
        census.hear(&state(humans(&["ann", "ben", "cat"])), 0);
        check(&census, 0, 3);
        census.hear(&down(), 0);
        census.hear(&down(), 0);
        check(&census, 0, 3);
        assert!(!census.is_joined());

        tokio::time::advance(Duration::from_secs(20)).await;
        census.hear(&joined(), 0);
        census.hear(&state(humans(&["ann"])), 0);
        check(&census, 0, 3);
        tokio::time::advance(SETTLES).await;
        check(&census, 0, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lobby_that_stays_unreadable_has_nobody_in_it() {
        let mut census = Census::default();
        check(&census, 0, 0);
        census.hear(&joined(), 0);
        census.hear(&state(humans(&["ann"])), 0);
        census.hear(&down(), 0);
        tokio::time::advance(BELIEVED).await;
        check(&census, 0, 0);
    }
}
