//! The all-in-one server: store, world host, control and API in one process.

use crate::auth::{Auth, AuthError};
use crate::config::{Config, Talk};
use crate::fleet::FleetError;
use arena_api::{ApiLimits, Drained, JoinTokens, Stage};
use arena_bus::Bus;
use arena_control::{
    Control, ControlSettings, ConversationSettings, PlayerSettings, Residents, Services, TalkLimits,
};
use arena_core::admission::AdmissionRules;
use arena_fleet::Fleet;
use arena_realtime::token::Verifier;
use arena_realtime::{Drain, Gateway, GatewaySettings, PresenceSettings};
use arena_sim::{MapError, SettingsError, TownMap, WorldSettings};
use arena_store::{Claim, Store, StoreError, StoreOptions};
use arena_worlds::native::{NativeHost, NativeSettings};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long open requests get to finish at the end, and then the loops.
const DRAIN: Duration = Duration::from_secs(5);

/// How long the start waits for the queues to be there.
const BEGINNING: Duration = Duration::from_secs(5);

/// Why the server did not start. Nothing is left running.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}; name another address with --listen")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keys of tokens cannot be used.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The map's file cannot be read.
    #[error("the map {path} cannot be read: {source}")]
    MapFile {
        /// Which.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// The map is not acceptable.
    #[error("the map {path}: {source}")]
    Map {
        /// Which.
        path: String,
        /// What is wrong with it.
        source: MapError,
    },
    /// The bot service cannot be started.
    #[error("the bot service: {0}")]
    Fleet(#[from] FleetError),
    /// The worlds' settings are not acceptable.
    #[error("worlds: {0}")]
    Worlds(#[from] SettingsError),
    /// The threads could not be started.
    #[error("cannot start: {0}")]
    Runtime(io::Error),
}

/// A server that runs.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// The doors to everything.
    pub services: Services,
    /// The worlds, to be looked at directly.
    pub host: NativeHost,
    /// The realtime sessions.
    pub gateway: Gateway,
    /// The bot service, where one runs.
    pub fleet: Option<Fleet>,
    fleet_deadline: Duration,
    drain: Drain,
    control: Control,
    store: Store,
    stop: CancellationToken,
    /// Cancelled when seats are no longer tried to be left.
    leaving: CancellationToken,
    api: JoinSet<Drained>,
    /// Ends with the server.
    _watching: JoinSet<()>,
    _claim: Claim,
}

impl Server {
    /// Starts everything. The address is taken first, so that a second server finds out before it touches anything.
    pub async fn start(config: &Config) -> Result<Server, StartError> {
        crate::files::allow(config.realtime.max_connections.into());
        let address = config.server.listen;
        let listener =
            TcpListener::bind(address).await.map_err(|source| StartError::Listen { address, source })?;
        let address = listener.local_addr().unwrap_or(address);
        let options = store_options(config);
        let claim = Claim::take(&options).await?;
        let store = Store::open(&options).await?;
        let auth = Auth::open(config)?;
        let bus = Bus::new(config.realtime.bus());
        let residents = residents(config);
        let host = NativeHost::new(native_settings(config, bus.clone(), residents.as_ref())?)?;
        let control =
            Control::start(store.clone(), Arc::new(host.clone()), bus.clone(), control_settings(config));
        let services = control.services();
        // Whoever comes as soon as the server listens finds the queue of strangers. A store that is away by now is no
        // reason to wait for long.
        let _ = tokio::time::timeout(BEGINNING, services.matchmaking.begun()).await;
        if let Some(residents) = &residents {
            residents.attach(services.conversations.clone());
        }
        let limits = ApiLimits {
            max_in_flight: config.server.max_in_flight,
            body_limit_bytes: config.server.body_limit_bytes,
            import_limit_bytes: config.server.import_limit_bytes,
            max_text_bytes: config.conversations.max_text_bytes,
            max_streams: config.conversations.max_streams,
            max_polls: config.matchmaking.max_polls,
            ..ApiLimits::default()
        };
        let (stop, leaving) = (CancellationToken::new(), CancellationToken::new());
        let verifier = Arc::new(Verifier::new(auth.keys));
        let stage = Arc::new(Stage::new(&services, &limits, leaving.clone()));
        let gateway = Gateway::start(gateway_settings(config), bus, verifier, stage);
        let join_tokens =
            JoinTokens { issuer: auth.issuer, ttl: Duration::from_secs(config.realtime.join_token_ttl_secs) };
        let joining = join_tokens.joining(gateway.clone(), &endpoint(config, address));
        let realtime = arena_api::realtime_router(gateway.clone(), &limits);
        let fleet = fleet(config, address)?;
        let router = arena_api::router(services.clone(), limits, joining).merge(realtime);
        let router = router.merge(match &fleet {
            Some(fleet) => arena_fleet::http::router(Arc::new(fleet.clone())),
            None => arena_fleet::http::absent(),
        });
        let names = arena_api::HostNames::of(address.ip(), &config.server.hosts);
        let router = arena_api::by_known_names(router, names);
        let mut watching = JoinSet::new();
        watching.spawn(crate::seats::end_lost_seats(gateway.clone(), services.players.events()));
        if let Some(fleet) = &fleet {
            watching.spawn(crate::fleet::watch::log(fleet.clone()));
        }
        let mut api = JoinSet::new();
        api.spawn(arena_api::serve(listener, router, stop.clone().cancelled_owned(), DRAIN));
        tracing::info!(%address, "listening");
        let drain = config.realtime.drain();
        Ok(Server {
            address,
            services,
            host,
            gateway,
            fleet,
            fleet_deadline: config.fleet.settings().manager.shutdown_deadline,
            drain,
            control,
            store,
            stop,
            leaving,
            api,
            _watching: watching,
            _claim: claim,
        })
    }

    /// Where realtime clients connect.
    pub fn endpoint(&self) -> String {
        format!("ws://{}/socket", self.address)
    }

    /// Has the bots leave, stops accepting, sends the sessions away, lets open requests finish, stops the loops, saves positions, ends the worlds. Returns
    /// whether all of it was in time.
    pub async fn stop(mut self) -> bool {
        // Bots say goodbye while there is somebody to hear it.
        let left = match &self.fleet {
            Some(fleet) => fleet.shutdown(self.fleet_deadline).await,
            None => true,
        };
        // Sessions first, while the server still answers: those that are sent away find out that it is about to end.
        let parted = self.part().await;
        self.stop.cancel();
        let drained = self.api.join_next().await;
        let in_time = self.control.shutdown(DRAIN).await;
        self.host.shutdown().await;
        self.store.close().await;
        tracing::info!("stopped");
        left && parted && in_time && matches!(drained, Some(Ok(Drained::Whole)))
    }

    /// Sends the sessions away. Seats that the store does not let them leave are not waited for beyond the deadline.
    async fn part(&self) -> bool {
        let mut parting = pin!(self.gateway.drain(self.drain));
        let in_time = tokio::time::timeout(self.drain.deadline, parting.as_mut()).await;
        self.leaving.cancel();
        match in_time {
            Ok(parted) => parted,
            Err(_) => parting.await,
        }
    }
}

/// The bot service, where the settings want one. Its bots come over the socket as any others do: the address is taken
/// already, so that their connects wait until it answers.
fn fleet(config: &Config, address: SocketAddr) -> Result<Option<Fleet>, FleetError> {
    if !config.fleet.enabled {
        return Ok(None);
    }
    Ok(Some(crate::fleet::open(config, address, false)?.fleet))
}

/// The database that the config names.
pub fn store_options(config: &Config) -> StoreOptions {
    StoreOptions {
        url: config.database.url_in(&config.server.data_dir).expose().to_owned(),
        max_connections: config.database.max_connections,
        pooled: config.database.pgbouncer,
        rules: AdmissionRules {
            max_seats_per_user: config.realtime.max_seats_per_user,
            ..config.channels.rules()
        },
    }
}

fn control_settings(config: &Config) -> ControlSettings {
    ControlSettings {
        sync_every: Duration::from_secs(config.sync.every_secs),
        sync_concurrency: config.sync.concurrency,
        max_deploys_per_run: config.sync.max_deploys_per_run,
        retry: config.sync.retry(),
        host_timeout: Duration::from_millis(config.worlds.host_timeout_ms),
        cache_ttl: Duration::from_secs(config.worlds.cache_ttl_secs),
        snapshot_every: Duration::from_millis(config.worlds.snapshot_every_ms),
        activity_retention: Duration::from_secs(u64::from(config.database.activity_retention_days) * 86_400),
        idempotency_ttl: Duration::from_secs(u64::from(config.server.idempotency_ttl_hours) * 3_600),
        max_queue: config.database.max_queue,
        matchmaking: config.matchmaking.settings(),
        conversations: ConversationSettings {
            max_queue: config.conversations.max_queue,
            max_active: config.conversations.max_active,
            idle: config.conversations.idle(),
            retention: config.conversations.retention(),
            moderation_hosts: config.conversations.moderation_hosts.clone(),
            ..ConversationSettings::default()
        },
        health: config.health.rules(),
        players: PlayerSettings {
            reserve_for: Duration::from_secs(config.realtime.reserve_secs),
            grace: Duration::from_secs(config.realtime.seat_grace_secs),
            ..PlayerSettings::default()
        },
    }
}

fn gateway_settings(config: &Config) -> GatewaySettings {
    let realtime = &config.realtime;
    GatewaySettings {
        limits: realtime.limits(),
        anonymous: realtime.anonymous(),
        policy: realtime.policy(),
        presence: PresenceSettings {
            occupancy_above: realtime.presence_occupancy_above as usize,
            ..PresenceSettings::default()
        },
        token_warning: Duration::from_secs(realtime.token_warning_secs),
        token_grace: Duration::from_secs(realtime.token_grace_secs),
    }
}

/// Where players are told to connect: what the settings say, else the address itself.
fn endpoint(config: &Config, address: SocketAddr) -> String {
    match config.realtime.public_url.as_str() {
        "" => format!("ws://{address}/socket"),
        url => url.to_owned(),
    }
}

/// Where residents' talk goes; `None` where it is not kept.
fn residents(config: &Config) -> Option<Residents> {
    let limits = TalkLimits {
        max_messages: Some(config.worlds.talk_max_messages),
        max_replies_per_participant: config.worlds.talk_max_replies(),
    };
    (config.worlds.talk == Talk::Stored).then(|| Residents::new(limits))
}

fn native_settings(
    config: &Config,
    bus: Bus,
    residents: Option<&Residents>,
) -> Result<NativeSettings, StartError> {
    let worlds = &config.worlds;
    let seed = if worlds.seed == 0 { uuid::Uuid::new_v4().as_u64_pair().0 } else { worlds.seed };
    Ok(NativeSettings {
        map: map(&worlds.map)?,
        world: WorldSettings {
            tick_ms: u32::try_from(worlds.tick_ms).unwrap_or(u32::MAX),
            max_residents: worlds.max_residents,
            ..WorldSettings::default()
        },
        mailbox: worlds.mailbox,
        seed,
        bus,
        talk: residents.map(|residents| Arc::new(residents.clone()) as _),
    })
}

/// A built-in map by its name, or one from a file.
fn map(name: &str) -> Result<Arc<TownMap>, StartError> {
    if name == "town" {
        return Ok(TownMap::town());
    }
    let path = name.to_owned();
    let text =
        std::fs::read_to_string(name).map_err(|source| StartError::MapFile { path: path.clone(), source })?;
    Ok(Arc::new(TownMap::from_tiled_json(&text).map_err(|source| StartError::Map { path, source })?))
}
