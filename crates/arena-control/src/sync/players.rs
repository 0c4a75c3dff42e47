//! The part of a sync that puts players' bodies into the world. Most are there already, put in on the player's way in:
//! this is for those whose world was lost.

use super::channel::{Done, SyncError, Syncer};
use crate::players::body;
use arena_core::channel::ChannelName;
use arena_core::fault::HostFault;
use arena_core::player::Player;
use arena_core::{BotId, WorldId};
use arena_worlds::last_positions;

impl Syncer {
    /// Puts these players into the world, as many as one sync may. Nothing is recorded of it: whoever is missing is
    /// found again by the next sync.
    pub(super) async fn seat(
        &self,
        channel: &ChannelName,
        world: &WorldId,
        players: &[&Player],
        done: &mut Done,
    ) -> Result<(), SyncError> {
        if players.is_empty() {
            return Ok(());
        }
        done.again |= players.len() > self.max_deploys;
        let positions = last_positions(&self.store, channel).await?;
        let entering = players.iter().take(self.max_deploys);
        let bodies = entering.map(|player| body(player, positions.get(&player.id.body()).copied()));
        for (body, outcome) in self.host.join(world, bodies.collect()).await? {
            note(body, outcome, done);
        }
        Ok(())
    }
}

fn note(body: BotId, outcome: Result<(), HostFault>, done: &mut Done) {
    match outcome {
        Ok(()) => done.deployed += 1,
        // The player has entered anew since it was read, and brought its body along.
        Err(HostFault::Refused { code: "stale_assignment", .. }) => {}
        Err(fault) => done.trouble = Some(format!("the body of player {body} cannot enter: {fault}")),
    }
}
