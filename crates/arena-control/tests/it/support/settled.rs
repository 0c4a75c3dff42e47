//! What must hold once everything has come to rest.

use super::{Arena, PATIENCE};
use arena_core::BotId;
use arena_core::bot::BotState;
use arena_core::channel::ChannelName;
use arena_worlds::WorldHost;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

impl Arena {
    /// Who is where, by what the engines say.
    pub(crate) async fn residents(&self) -> BTreeMap<BotId, Vec<ChannelName>> {
        let mut found: BTreeMap<BotId, Vec<ChannelName>> = BTreeMap::new();
        for world in self.host.native.list().await.unwrap() {
            let residents = self.host.native.residents(&world.hosted.world).await.unwrap_or_default();
            residents.into_iter().for_each(|bot| {
                found.entry(bot).or_default().push(world.hosted.channel.clone());
            });
        }
        found
    }

    /// Who is in the world of a channel, by what the engine says.
    pub(crate) async fn residents_of(&self, channel: &str) -> Vec<BotId> {
        let here = |channels: &Vec<ChannelName>| channels.iter().any(|c| c.as_str() == channel);
        self.residents().await.into_iter().filter(|(_, at)| here(at)).map(|(bot, _)| bot).collect()
    }

    /// Waits until every assigned and enabled bot is live and a resident of exactly its channel's world, every player
    /// who has entered is one too, nobody else is anywhere, each channel's world is the recorded one, and no channel is over its limit.
    pub(crate) async fn until_settled(&self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let Err(problem) = self.unsettled().await else { return };
            assert!(Instant::now() < deadline, "never came to rest: {problem}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn unsettled(&self) -> Result<(), String> {
        let mut residents = self.residents().await;
        let mut worlds = BTreeMap::new();
        for world in self.host.native.list().await.unwrap() {
            let before = worlds.insert(world.hosted.channel.clone(), world.hosted.world.clone());
            expect(before.is_none(), || format!("{} has two worlds", world.hosted.channel))?;
        }
        for bot in self.all_bots().await {
            let at = residents.remove(&bot.id).unwrap_or_default();
            let home = bot.channel.as_ref().filter(|_| bot.state != BotState::Disabled);
            let name = &bot.profile.name;
            expect(at.iter().eq(home), || format!("{name} of {home:?} ({:?}) is at {at:?}", bot.state))?;
            if let Some(home) = home {
                let world = worlds.get(home);
                expect(bot.state == BotState::Live, || format!("{name} is {:?}", bot.state))?;
                expect(bot.world.as_ref() == world, || format!("{name} is recorded in {:?}", bot.world))?;
            } else {
                expect(bot.world.is_none(), || format!("{name} is recorded in {:?}", bot.world))?;
            }
        }
        for player in self.all_players().await {
            let at = residents.remove(&player.id.body()).unwrap_or_default();
            let home = Some(&player.channel).filter(|_| player.state.has_body());
            let state = player.state;
            expect(at.iter().eq(home), || {
                format!("player {} of {home:?} ({state:?}) is at {at:?}", player.id)
            })?;
        }
        expect(residents.is_empty(), || format!("ghosts: {residents:?}"))?;
        for row in self.store.all_channels().await.unwrap() {
            let seats = row.channel.seats;
            let world = worlds.remove(&seats.name);
            expect(row.world == world, || format!("{} is recorded at {:?}", seats.name, row.world))?;
            expect(seats.taken() <= seats.max_bots, || format!("{} is overfull", seats.name))?;
        }
        expect(worlds.is_empty(), || format!("worlds of nobody: {worlds:?}"))?;
        let miscounted = self.store.miscounted_channels().await.unwrap();
        expect(miscounted.is_empty(), || format!("miscounted: {miscounted:?}"))
    }
}

fn expect(holds: bool, problem: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(problem()) }
}
