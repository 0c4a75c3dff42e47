//! Who is in the lobby, as the fleet's observer sees it.

use crate::channel::{ChannelEvent, Present};
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
            ChannelEvent::Joined { .. } => self.joined_at = Some(Instant::now()),
            ChannelEvent::Down { .. } | ChannelEvent::Ended { .. } => self.lost(own_bots),
            ChannelEvent::Presence { event, payload } => {
                self.present.apply(event, payload);
                // Names are told again; a number follows at once where they are not.
                self.crowd = None;
            }
            ChannelEvent::Message { event, payload, .. } if event == "occupancy" => {
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
            Some(count) => count.saturating_sub(own_bots),
            None => self.present.iter().filter(|(_, all)| all.iter().any(|one| !one.bot)).count(),
        }
    }

    /// Identities that another run of the bot service shows, by its name.
    pub(super) fn of_others<'a>(&'a self, instance: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.present.iter().flat_map(move |(key, all)| {
            let others = all.iter().filter(|one| one.bot).filter_map(|one| one.fleet.as_deref());
            others.filter(move |fleet| *fleet != instance).map(move |fleet| (key, fleet))
        })
    }

    /// Other runs of the bot service that are there.
    pub(super) fn other_fleets<'a>(&'a self, instance: &'a str) -> BTreeSet<&'a str> {
        self.of_others(instance).map(|(_, fleet)| fleet).collect()
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
            other_bots: bots(false),
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
        ChannelEvent::Joined { response: json!({}) }
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
        assert_eq!(census.of_others("me").collect::<Vec<_>>(), [("bot-bo", "you")]);
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
