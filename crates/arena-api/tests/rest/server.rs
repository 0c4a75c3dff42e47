//! A whole server for one test, and what tests often ask of it.

use crate::client::Call;
use arena_api::{ApiLimits, JoinToken, Joiner, Joining, Speaker, Unidentified, router, serve};
use arena_bus::Bus;
use arena_control::{Control, ControlSettings, Reservation, Services};
use arena_core::Timestamp;
use arena_sim::{TownMap, WorldSettings};
use arena_store::{Store, StoreOptions};
use arena_testing::TestDatabase;
use arena_worlds::native::{NativeHost, NativeSettings};
use axum::http::request::Parts;
use serde_json::json;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Declares a test that runs on both databases.
macro_rules! on_both {
    ($name:ident, $check:expr) => {
        mod $name {
            use super::*;
            use arena_testing::TestDatabase;

            #[tokio::test]
            async fn sqlite() {
                ($check)(Server::start(TestDatabase::sqlite()).await).await
            }

            #[tokio::test]
            async fn postgres() {
                ($check)(Server::start(TestDatabase::postgres()).await).await
            }
        }
    };
}
pub(crate) use on_both;

/// A listening server. Dropping it ends it.
pub struct Server {
    addr: SocketAddr,
    _serving: JoinSet<arena_api::Drained>,
    services: Services,
    _control: Option<Control>,
    _database: Option<TestDatabase>,
}

/// Takes a bearer token for the user itself, and nobody's for `anon-1`.
fn joining() -> Joining {
    let identify = |head: &Parts| {
        let token =
            head.headers.get("authorization").map_or("Bearer anon-1", |value| value.to_str().unwrap());
        let user = token.strip_prefix("Bearer ").map(str::to_owned);
        let user = user.ok_or_else(|| Unidentified { detail: "send a bearer token".to_owned() })?;
        let whose = user.clone();
        let issue = Box::new(move |seat: &Reservation| JoinToken {
            token: format!("{whose}'s token for {}", seat.player),
            expires_at: Timestamp(4_102_444_800_000),
        });
        Ok(Joiner { user, issue })
    };
    Joining {
        identify: Arc::new(identify),
        speaks: Arc::new(speaks),
        watched: Arc::new(|channel| channel != "vault"),
        endpoint: "ws://arena.test/socket".into(),
    }
}

/// A bearer token speaks for the user that it names, and where a time stands behind an `@` until then; `service` for
/// everybody, and no token too.
fn speaks(head: &Parts) -> Result<Speaker, Unidentified> {
    let token = head.headers.get("authorization").map(|value| value.to_str().unwrap());
    match token.map(|token| token.strip_prefix("Bearer ")) {
        None | Some(Some("service")) => Ok(Speaker::service()),
        Some(Some("anon")) => Ok(Speaker::nobody()),
        Some(Some(user)) => match user.split_once('@') {
            Some((user, ends)) => {
                let token_ends = Some(ends.parse().unwrap());
                Ok(Speaker { token_ends, ..Speaker::user(user.parse().unwrap()) })
            }
            None => Ok(Speaker::user(user.parse().unwrap())),
        },
        Some(None) => Err(Unidentified { detail: "send a bearer token".to_owned() }),
    }
}

/// Long enough for a busy machine; nothing waits that long when all is well.
const PATIENCE: Duration = Duration::from_secs(30);

impl Server {
    pub async fn start(database: TestDatabase) -> Server {
        let options = StoreOptions { max_connections: 4, ..StoreOptions::new(database.url()) };
        let store = Store::open(&options).await.unwrap();
        let (map, world) = (TownMap::town(), WorldSettings::default());
        let settings = NativeSettings { map, world, mailbox: 256, seed: 7, bus: Bus::default(), talk: None };
        let host = NativeHost::new(settings).unwrap();
        let control = Control::start(store, Arc::new(host), Bus::default(), ControlSettings::default());
        let services = control.services();
        let limits =
            ApiLimits { stream_keep_alive: crate::conversations::KEEP_ALIVE, ..ApiLimits::default() };
        let server = Server::listen(services, limits).await;
        Server { _control: Some(control), _database: Some(database), ..server }
    }

    /// Another door to the same services.
    pub async fn limited(&self, limits: ApiLimits) -> Server {
        Server::listen(self.services.clone(), limits).await
    }

    async fn listen(services: Services, limits: ApiLimits) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let mut serving = JoinSet::new();
        let router = router(services.clone(), limits, joining());
        serving.spawn(serve(listener, router, pending(), Duration::ZERO));
        Server { addr, _serving: serving, services, _control: None, _database: None }
    }

    pub fn services(&self) -> &Services {
        &self.services
    }

    pub fn get(&self, path: &str) -> Call {
        Call::new(self.addr, "GET", path)
    }

    pub fn post(&self, path: &str) -> Call {
        Call::new(self.addr, "POST", path)
    }

    pub fn put(&self, path: &str) -> Call {
        Call::new(self.addr, "PUT", path)
    }

    pub fn delete(&self, path: &str) -> Call {
        Call::new(self.addr, "DELETE", path)
    }

    /// Sends these bytes and reads until the server closes the connection.
    pub async fn raw(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.addr).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    /// One field of every item of a list, over all its pages.
    pub async fn all(&self, list: &str, field: &str) -> Vec<String> {
        let mut found = Vec::new();
        let mut next = list.to_owned();
        loop {
            let page = self.get(&next).send().await.ok(200);
            let items = page["items"].as_array().unwrap();
            found.extend(items.iter().map(|item| item[field].as_str().unwrap().to_owned()));
            let Some(cursor) = page["next_cursor"].as_str() else { return found };
            let cursor: String = cursor.bytes().map(|byte| format!("%{byte:02x}")).collect();
            next = format!("{list}&cursor={cursor}");
        }
    }

    /// Creates bots; they go to `main`. Returns their ids.
    pub async fn bots(&self, count: usize) -> Vec<String> {
        let mut ids = Vec::new();
        for number in 0..count {
            let bot =
                self.post("/api/bots").json(json!({"name": format!("Bot {number}")})).send().await.ok(201);
            ids.push(bot["id"].as_str().unwrap().to_owned());
        }
        ids
    }

    /// Waits until this many bots are live.
    pub async fn until_live(&self, count: usize) {
        self.until("bots to be live", async || self.all("/api/bots?state=live", "id").await.len() == count)
            .await;
    }

    /// Waits until one world, another than this one, has all `count` bots.
    pub async fn until_healed_from(&self, world: &str, count: usize) {
        self.until("another world", async || {
            let worlds = self.all("/api/worlds?limit=10", "id").await;
            worlds.len() == 1 && worlds[0] != world
        })
        .await;
        self.until_live(count).await;
    }

    pub async fn until(&self, what: &str, condition: impl AsyncFn() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !condition().await {
            assert!(Instant::now() < deadline, "waited {PATIENCE:?} in vain for {what}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
