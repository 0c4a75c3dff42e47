//! Puts a fleet together: roster, brains, pool.

use crate::bot::{Around, BotSettings, SeatLine, Seats, TokenFor};
use crate::brain::{Brains, BrainsError};
use crate::endpoint::{Dial, Endpoint};
use crate::fleet::{Fleet, Parts, Way};
use crate::monitor::Monitor;
use crate::pool::{Pool, PoolStats};
use crate::roster::{Roster, RosterError};
use crate::settings::FleetSettings;
use crate::stats::{Breaker, Halt, PoolReport};
use crate::token::TokenSource;
use arena_core::fleet::{BreakerState, Fault};
use std::sync::Arc;
use uuid::Uuid;

/// Where bots are, and what they show there.
pub struct Access {
    /// The endpoint, with the key of its connections.
    pub endpoint: Endpoint,
    /// How it is reached.
    pub dial: Arc<dyn Dial>,
    /// In whose name the lobby is looked at.
    pub observer: TokenSource,
    /// In whose name bots join.
    pub tokens: TokenFor,
    /// Where bots of worlds get their seats; without it nobody lives in one.
    pub seats: Option<Arc<dyn Seats>>,
}

/// Why a fleet cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The roster cannot be used.
    #[error("fleet.roster: {0}")]
    Roster(#[from] RosterError),
    /// The personas, or the settings of the model, cannot be used.
    #[error(transparent)]
    Brains(#[from] BrainsError),
}

impl Fleet {
    /// Starts a fleet at this endpoint. It returns at once; an endpoint that does not answer is tried until it does.
    ///
    /// # Errors
    /// The roster, the personas or the model's settings cannot be used. Nothing is left running then.
    pub fn start(settings: FleetSettings, access: Access) -> Result<Fleet, StartError> {
        let brains = Brains::open(&settings)?;
        let roster = match &settings.roster {
            Some(path) => Roster::read(path)?,
            None => Roster::built_in()?,
        };
        brains.check(roster.given().iter().map(|identity| &**identity))?;
        let Access { endpoint, dial, observer, tokens, seats } = access;
        let monitor = Monitor::default();
        let way = Way::of(&Pool::start(endpoint, dial, settings.pool, monitor.clone()));
        let around = Around {
            open: way.open.clone(),
            brains: {
                let brains = brains.clone();
                Arc::new(move |me, place| brains.of(me, place))
            },
            tokens,
            seats: seats.map(|seats| Arc::new(SeatLine::new(seats)) as Arc<dyn Seats>),
            monitor,
            instance: Uuid::new_v4().to_string().into(),
            lobby: settings.manager.lobby.as_str().into(),
            queues: settings.queues,
            settings: BotSettings::default(),
        };
        let (manager, alert) = (settings.manager, settings.alert);
        Ok(Fleet::of(Parts { around, way, brains: Some(brains), roster, observer, manager, alert }))
    }
}

impl Way {
    /// To the endpoint of this pool.
    pub fn of(pool: &Pool) -> Way {
        let each = || pool.clone();
        let (open, halted, resume, stats, shutdown) = (each(), each(), each(), each(), each());
        Way {
            open: Arc::new(move |bot, spec| open.open(bot, spec)),
            refusals: pool.refusals(),
            halted: Arc::new(move || halted.halted()),
            resume: Arc::new(move || resume.resume()),
            stats: Arc::new(move || report(stats.stats())),
            shutdown: Arc::new(move |deadline| {
                let pool = shutdown.clone();
                Box::pin(async move { pool.shutdown(deadline).await })
            }),
        }
    }
}

/// A pool's numbers as `/stats` tells them.
fn report(stats: PoolStats) -> PoolReport {
    let halted = |fault: Fault| Halt {
        class: fault.class.as_str().to_owned(),
        code: fault.code,
        detail: fault.detail,
    };
    PoolReport {
        connections: stats.connections,
        waiting: stats.waiting,
        connecting: stats.connecting,
        channels: stats.channels,
        without_place: stats.without_place,
        supervised: stats.supervised,
        breaker: match stats.breaker {
            BreakerState::Closed => Breaker::Closed,
            BreakerState::Open { .. } => Breaker::Open,
            BreakerState::Probing => Breaker::HalfOpen,
        },
        connects_per_sec: stats.connects_per_sec,
        joins_per_sec: stats.joins_per_sec,
        halted: stats.halted.map(halted),
    }
}
