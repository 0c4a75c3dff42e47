//! A server with a realtime gateway, and what its clients need of it.

use super::client::{Client, Kind};
use super::support::{Arena, PATIENCE, arena};
use arena_testing::{TestDatabase, wait_until};
use serde_json::Value;
use std::ops::{Deref, DerefMut};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// The roles that a token can carry.
pub const USER: &str = "authenticated";
pub const SERVICE: &str = "service_role";

/// A server of one test.
pub struct Gateway {
    arena: Arena,
    service: OnceLock<String>,
}

impl Gateway {
    /// A server with the default settings.
    pub fn start() -> Gateway {
        Gateway::with(&[])
    }

    /// A server over this database.
    pub fn over(database: TestDatabase) -> Gateway {
        Gateway { arena: Arena::start(database), service: OnceLock::new() }
    }

    /// A server with settings by the names that the environment knows them by, such as `ARENA_REALTIME__ANONYMOUS`.
    pub fn with(settings: &[(&str, &str)]) -> Gateway {
        let arena = Arena::start_with(TestDatabase::sqlite(), settings);
        Gateway { arena, service: OnceLock::new() }
    }

    /// Where clients connect to.
    pub fn endpoint(&self) -> String {
        format!("ws://{}/socket", self.address())
    }

    /// A token for a user, as the operator makes it.
    pub fn token(&self, user: &str, role: &str, ttl: &str) -> String {
        self.token_with(&["--user", user, "--role", role, "--ttl", ttl])
    }

    /// A token as these arguments of `arena token create` say.
    pub fn token_with(&self, args: &[&str]) -> String {
        let mut command = arena();
        command.args(["token", "create"]).args(args);
        command.env("ARENA_DATA_DIR", self.data_dir());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// The token of a service, which speaks for everybody.
    pub fn service(&self) -> &str {
        self.service.get_or_init(|| self.token("runner", SERVICE, "1h"))
    }

    /// A token that has ended.
    pub fn ended_token(&self, user: &str) -> String {
        let token = self.token(user, USER, "1s");
        let made = Instant::now();
        wait_until(PATIENCE, "the token ends", || made.elapsed() > Duration::from_millis(2_500));
        token
    }

    /// A POST in the name of a token's user: the status and the answer.
    pub fn post_as(&self, token: &str, path: &str, body: &Value) -> (u16, Value) {
        let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build();
        let request = ureq::Agent::from(config).post(format!("http://{}{path}", self.address()));
        let request = request.header("authorization", format!("Bearer {token}"));
        let mut answer = request.header("content-type", "application/json").send(body.to_string()).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// A tile of the world of `main` on which somebody stands, some steps away from this body.
    pub fn somewhere_else(&self, body: &str) -> (i64, i64) {
        let worlds = self.all("/api/worlds");
        let world = worlds.iter().find(|world| world["channel"] == "main").unwrap();
        let view = self.get(&format!("/api/worlds/{}", world["id"].as_str().unwrap()));
        let residents = view["resident_list"].as_array().unwrap();
        let tile = |resident: &Value| {
            let axis = |name: &str| resident[name].as_f64().unwrap().floor() as i64;
            (axis("x"), axis("y"))
        };
        let (x, y) = tile(residents.iter().find(|resident| resident["bot"] == body).unwrap());
        let far = |tile: &(i64, i64)| (tile.0 - x).abs() + (tile.1 - y).abs() > 3;
        residents.iter().map(tile).find(far).unwrap()
    }

    /// One client of each kind in a topic, each of a user of its own.
    pub fn one_of_each(&self, topic: &str, config: &Value) -> Vec<Client> {
        let mut clients: Vec<Client> = Kind::ALL.map(|kind| self.client(kind, &format!("{kind:?}"))).into();
        clients.iter_mut().for_each(|client| client.join(topic, config.clone()));
        clients
    }

    /// A client of a user who may do what users may.
    pub fn client(&self, kind: Kind, user: &str) -> Client {
        Client::start(kind, &self.endpoint(), Some(&self.token(user, USER, "1h")))
    }
}

impl Deref for Gateway {
    type Target = Arena;
    fn deref(&self) -> &Arena {
        &self.arena
    }
}

impl DerefMut for Gateway {
    fn deref_mut(&mut self) -> &mut Arena {
        &mut self.arena
    }
}
