//! A gateway with its backstage, and the door to it.

use super::{Client, Stage};
use arena_bus::{Bus, BusSettings};
use arena_realtime::limits::{RateLimit, RealtimeLimits};
use arena_realtime::policy::{AnonymousAccess, Caller, PolicySettings};
use arena_realtime::token::{Claims, Issuer, KeySet, Role, SeatClaim, Secret, Verifier, unix_now};
use arena_realtime::{Admitted, Gateway, GatewaySettings, Handshake, HandshakeRefusal, PresenceSettings};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// How long anything is waited for before a test fails.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub struct House {
    pub gateway: Gateway,
    pub stage: Arc<Stage>,
    pub bus: Bus,
    issuer: Issuer,
}

impl House {
    /// One whose rates nobody reaches.
    pub fn new() -> House {
        House::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut GatewaySettings)) -> House {
        House::over(BusSettings::default(), change)
    }

    pub fn over(bus: BusSettings, change: impl FnOnce(&mut GatewaySettings)) -> House {
        let mut settings = GatewaySettings {
            limits: boundless(),
            anonymous: AnonymousAccess::Loopback,
            policy: PolicySettings::default(),
            presence: PresenceSettings { window: Duration::from_millis(50), occupancy_above: 200 },
            token_warning: Duration::from_secs(30),
            token_grace: Duration::ZERO,
        };
        change(&mut settings);
        let secret = Secret::generate().unwrap();
        let verifier = Arc::new(Verifier::new(KeySet::default().with_secret(&secret)));
        let bus = Bus::new(bus);
        let stage = Stage::new(bus.clone());
        let gateway = Gateway::start(settings, bus.clone(), verifier, Arc::clone(&stage) as _);
        House { gateway, stage, bus, issuer: Issuer::new(&secret) }
    }

    pub fn token(&self, user: &str, ttl_secs: i64, change: impl FnOnce(&mut Claims)) -> String {
        let mut claims = Claims::of(user, Role::Authenticated, unix_now(), ttl_secs);
        change(&mut claims);
        self.issuer.issue(&claims)
    }

    /// A token that is a ticket to a player's seat.
    pub fn ticket(&self, player: Uuid, channel: &str) -> String {
        self.token(&player.to_string(), 600, |claims| {
            claims.seat = Some(SeatClaim { player, channel: channel.to_owned() });
        })
    }

    pub fn admit(&self, vsn: &str, token: Option<&str>) -> Result<Admitted, HandshakeRefusal> {
        let caller = Caller { peer: [127, 0, 0, 1].into(), forwarded: false, origin: None };
        self.gateway.admit_session(&Handshake { vsn: Some(vsn), token, caller })
    }

    /// The socket of a client that has been let in, and nothing read from it.
    pub async fn socket(&self, vsn: &str, token: Option<&str>) -> TcpStream {
        let admitted = self.admit(vsn, token).unwrap();
        let (ours, theirs) = pair().await;
        self.gateway.start_session(admitted, theirs, Vec::new());
        ours
    }

    /// Somebody without a token.
    pub async fn guest(&self) -> Client {
        Client::new(self.socket("2.0.0", None).await)
    }

    pub async fn holder_of(&self, token: &str) -> Client {
        Client::new(self.socket("2.0.0", Some(token)).await)
    }

    /// Waits until nobody and nothing is left, and looks whether anything leaked.
    pub async fn is_left_empty(&self) {
        self.becomes("no session and no room is left", |house| {
            let stats = house.gateway.stats();
            stats.sessions == 0 && stats.rooms == 0
        })
        .await;
        self.becomes("every seat is exited once", |house| house.stage.every_seat_was_exited_once()).await;
        // Connections count until their tasks have ended.
        let all = self.gateway.limits().connections;
        self.becomes("no connection counts any more", |house| {
            let again: Vec<_> = (0..all).map_while(|_| house.admit("2.0.0", None).ok()).collect();
            again.len() == all as usize
        })
        .await;
    }

    /// Waits until something is so.
    pub async fn becomes(&self, what: &str, is_so: impl Fn(&House) -> bool) {
        let wait = async {
            while !is_so(self) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let done = tokio::time::timeout(PATIENCE, wait).await;
        assert!(done.is_ok(), "it never came to this: {what}: {:?} {:?}", self.gateway.stats(), self.stage);
    }
}

/// Does something meanwhile; the handle is waited for.
pub fn aside<T: Send + 'static>(task: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    TaskTracker::new().spawn(task)
}

/// Two ends of a connection.
pub async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let ours = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (theirs, _) = listener.accept().await.unwrap();
    theirs.set_nodelay(true).unwrap();
    ours.set_nodelay(true).unwrap();
    (ours, theirs)
}

fn boundless() -> RealtimeLimits {
    let no_limit = RateLimit { per_second: 0, burst: 0 };
    RealtimeLimits {
        connections: 300,
        connections_per_user: 0,
        session_joins: no_limit,
        node_joins: no_limit,
        session_messages: no_limit,
        user_messages: no_limit,
        topic_messages: no_limit,
        node_messages: no_limit,
        session_presence: no_limit,
        topic_presence: no_limit,
        node_presence: no_limit,
        session_frames: no_limit,
        ..RealtimeLimits::default()
    }
}
