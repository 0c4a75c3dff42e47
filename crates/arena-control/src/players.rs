//! Players: seats for people and remote bots, and the bodies they have in the worlds.
//!
//! A seat is reserved (through the committer, as every change of a channel's load is), then held by a session, then
//! kept for a while when the session has left. A body enters the world at once, on the player's way in; everything
//! after that (a new world, a freed seat) is up to sync, which knows players as it knows bots.

use crate::error::ServiceError;
use crate::runtime::Shared;
use arena_core::admission::{Op, Want};
use arena_core::channel::ChannelName;
use arena_core::fault::HostFault;
use arena_core::player::{NewPlayer, Player};
use arena_core::{BotId, PlayerId, Timestamp, WorldId};
use arena_store::{Actor, Page, PageRequest, PlayerFilter, Seating, now};
use arena_worlds::{Body, BodyKind, last_positions};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast;

/// How long seats are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlayerSettings {
    /// How long a reserved seat waits for its player to enter.
    pub reserve_for: Duration,
    /// How long a seat, and the body with it, waits for another session when its own has left.
    pub grace: Duration,
    /// How often seats are looked for that have expired: how late they may be freed.
    pub free_every: Duration,
}

impl Default for PlayerSettings {
    fn default() -> Self {
        PlayerSettings {
            reserve_for: Duration::from_secs(30),
            grace: Duration::from_secs(20),
            free_every: Duration::from_secs(1),
        }
    }
}

/// A seat that somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReserveRequest {
    /// Where.
    pub want: Want,
    /// Who: the subject of its token.
    pub user: String,
    /// What the body will be called.
    pub name: String,
}

/// A seat that was reserved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// Whose.
    pub player: PlayerId,
    /// Where.
    pub channel: ChannelName,
    /// Who asked for it.
    pub user: String,
    /// When it lapses unless its player enters.
    pub expires_at: Timestamp,
}

/// A player who has entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entered {
    /// The seat.
    pub player: PlayerId,
    /// Where it is.
    pub channel: ChannelName,
    /// The world that its body is in now.
    pub world: WorldId,
    /// The body.
    pub body: BotId,
    /// The older session that held the seat until now.
    pub took_over: Option<u64>,
}

/// What happens to seats that whoever holds them did not ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlayerEvent {
    /// A seat was freed under the session that held it. A seat that lapses is held by none, so there is no event.
    Lost {
        /// Whose seat.
        player: PlayerId,
        /// The session.
        holder: u64,
    },
}

/// Events that may wait for a listener. One that is slower misses the oldest, and is told how many: those sessions stay
/// where they are, without a body.
pub(crate) const EVENTS: usize = 4_096;

/// The service for players.
#[derive(Debug, Clone)]
pub struct Players {
    pub(crate) shared: Arc<Shared>,
}

/// Worlds of a channel that are tried before it is given up: each of them ended meanwhile.
const WORLDS_TRIED: u32 = 3;

impl Players {
    /// What happens to seats from now on.
    pub fn events(&self) -> broadcast::Receiver<PlayerEvent> {
        self.shared.player_events.subscribe()
    }

    /// A page of players by id, oldest reservation first.
    pub async fn list(&self, filter: PlayerFilter, page: PageRequest) -> Result<Page<Player>, ServiceError> {
        Ok(self.shared.store.players(&filter, &page).await?)
    }

    /// Reserves a seat.
    pub async fn reserve(&self, actor: &Actor, request: ReserveRequest) -> Result<Reservation, ServiceError> {
        let ReserveRequest { want, user, name } = request;
        let expires_at = now().after(self.shared.settings.players.reserve_for);
        let player = NewPlayer { id: PlayerId(uuid::Uuid::now_v7()), user, name, expires_at };
        player.check()?;
        let (id, user) = (player.id, player.user.clone());
        let applied = self.shared.carry_out(actor, Op::Reserve { player, want }).await?;
        let (_, channel) = applied.reserved.expect("invariant: an applied Reserve has reserved a seat");
        Ok(Reservation { player: id, channel, user, expires_at })
    }

    /// Gives a seat to a session and puts the player's body into the channel's world. Numbers of sessions rise, and are
    /// below 2^63: one takes the seat from an older one, and never the other way round. Whoever was let in calls
    /// [`Players::exit`] in the end, and whoever drops this call half-way does so too.
    pub async fn enter(
        &self,
        player: PlayerId,
        channel: &ChannelName,
        session: u64,
    ) -> Result<Entered, ServiceError> {
        self.shared.leave_lost_seats().await?;
        let (seated, took_over) = match self.shared.store.seat_player(player, channel, session, now()).await?
        {
            Seating::Held(seated, took_over) => (seated, took_over),
            Seating::Outdated => return Err(ServiceError::SeatLost(player)),
            Seating::Lapsed => return Err(ServiceError::ReservationLapsed(player)),
        };
        match self.embody(&seated, session).await {
            Ok(world) => {
                let (channel, body) = (seated.channel, player.body());
                Ok(Entered { player, channel, world, body, took_over })
            }
            Err(error) => {
                // The seat stays the player's for a while: it may try again.
                self.exit(player, session).await?;
                Err(error)
            }
        }
    }

    /// Notes that a session has left. The seat and the body are kept for a while; if nobody comes back, they go. A
    /// session that no longer holds the seat changes nothing. Returns whether it did.
    pub async fn exit(&self, player: PlayerId, session: u64) -> Result<bool, ServiceError> {
        let until = now().after(self.shared.settings.players.grace);
        Ok(self.shared.store.leave_seat(player, session, until).await?)
    }

    /// Frees a seat at once; the body leaves at the channel's next sync, which is woken.
    pub async fn vacate(&self, actor: &Actor, player: PlayerId) -> Result<(), ServiceError> {
        self.shared.carry_out(actor, Op::Vacate { player }).await.map(drop)
    }

    /// Puts the body of a seated player into its channel's world.
    async fn embody(&self, player: &Player, session: u64) -> Result<WorldId, ServiceError> {
        let world = self.join(player).await?;
        // The seat may have been freed before the body was there for a sync to find.
        match self.shared.store.player(player.id).await? {
            Some(now) if now.state.session() == Some(session) => Ok(world),
            Some(_) => Err(ServiceError::SeatLost(player.id)),
            None => {
                self.shared.nudges.nudge([&player.channel]);
                Err(ServiceError::ReservationLapsed(player.id))
            }
        }
    }

    async fn join(&self, player: &Player) -> Result<WorldId, ServiceError> {
        for _ in 0..WORLDS_TRIED {
            let world = self.shared.discovery.discover(&player.channel).await?.world;
            let positions = last_positions(&self.shared.store, &player.channel).await?;
            let body = body(player, positions.get(&player.id.body()).copied());
            match self.put_into(&world, body).await {
                Ok(()) => return Ok(world),
                Err(HostFault::WorldGone) => self.forget(&player.channel, &world).await?,
                Err(HostFault::Refused { code: "stale_assignment", .. }) => {
                    return Err(ServiceError::SeatLost(player.id));
                }
                Err(fault) => return Err(ServiceError::Host(fault)),
            }
        }
        Err(ends_at_once())
    }

    async fn put_into(&self, world: &WorldId, body: Body) -> Result<(), HostFault> {
        let outcomes = self.shared.host.join(world, vec![body]).await?;
        let silence = || HostFault::transient("the world host did not say what became of the body");
        outcomes.into_iter().next().ok_or_else(silence)?.1
    }

    /// Forgets a world that is gone; its channel's sync, which is woken by its end, puts the others into the next one.
    async fn forget(&self, channel: &ChannelName, world: &WorldId) -> Result<(), ServiceError> {
        self.shared.discovery.invalidate(channel, world);
        self.shared.store.clear_world(world).await?;
        Ok(())
    }
}

fn ends_at_once() -> ServiceError {
    ServiceError::Host(HostFault::transient("one world of the channel ends after the other; try again"))
}

/// A player's body, about to enter a world.
pub(crate) fn body(player: &Player, position: Option<(u16, u16)>) -> Body {
    Body {
        bot: player.id.body(),
        kind: BodyKind::Player,
        epoch: player.epoch,
        name: player.name.clone(),
        home_zone: None,
        traits: Vec::new(),
        position,
    }
}
