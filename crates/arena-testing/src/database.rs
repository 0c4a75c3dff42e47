use std::sync::OnceLock;

use crate::error::ServerError;
use crate::postgres::{PostgresOptions, PostgresServer};
use crate::psql::psql;
use crate::random::random_suffix;
use crate::temp_dir::TempDir;

/// The environment variable with the URL of a running server's maintenance database. `cargo xtask test`
/// sets it to a server that it starts for the whole run; without it, every test process starts its own.
pub const ENV_POSTGRES: &str = "ARENA_TEST_POSTGRES";

/// An empty database for one test, gone when dropped.
#[derive(Debug)]
pub struct TestDatabase {
    url: String,
    home: Home,
}

#[derive(Debug)]
enum Home {
    Sqlite { _dir: TempDir },
    Postgres { maintenance_url: String, name: String },
}

impl TestDatabase {
    /// A database of its own on the server that [`ENV_POSTGRES`] names, else on one that is started once
    /// for this process.
    ///
    /// # Panics
    /// When there is no server or it refuses: a test without its database has failed, not been skipped.
    #[track_caller]
    pub fn postgres() -> TestDatabase {
        TestDatabase::try_postgres().unwrap_or_else(|error| panic!("no PostgreSQL for this test: {error}"))
    }

    /// A database of its own on a server of the test's own, for tests that stop it.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub fn on(server: &PostgresServer) -> Result<TestDatabase, ServerError> {
        TestDatabase::create(server.url())
    }

    /// A path for a SQLite database in a directory of its own: `sqlite:/…/arena.db`. The file does not
    /// exist yet.
    ///
    /// # Panics
    /// When the directory cannot be made.
    #[track_caller]
    pub fn sqlite() -> TestDatabase {
        let dir = TempDir::new("sqlite").unwrap_or_else(|error| panic!("no SQLite for this test: {error}"));
        let url = format!("sqlite:{}", dir.path().join("arena.db").display());
        TestDatabase { url, home: Home::Sqlite { _dir: dir } }
    }

    /// Where to connect.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The database's name on its PostgreSQL server; none for SQLite.
    pub fn name(&self) -> Option<&str> {
        match &self.home {
            Home::Postgres { name, .. } => Some(name),
            Home::Sqlite { .. } => None,
        }
    }

    fn try_postgres() -> Result<TestDatabase, ServerError> {
        match std::env::var(ENV_POSTGRES) {
            Ok(url) if !url.is_empty() => TestDatabase::create(url),
            _ => TestDatabase::create(own_server()?.url()),
        }
    }

    fn create(maintenance_url: String) -> Result<TestDatabase, ServerError> {
        let name = format!("arena_test_{}", random_suffix());
        let url = ServerUrl::parse(&maintenance_url)?.with_database(&name);
        // From template0, to which nobody can be connected: template1 in use would refuse to be copied.
        psql(&maintenance_url, &format!("CREATE DATABASE {name} TEMPLATE template0"))?;
        Ok(TestDatabase { url, home: Home::Postgres { maintenance_url, name } })
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Home::Postgres { maintenance_url, name } = &self.home
            && let Err(error) = psql(maintenance_url, &format!("DROP DATABASE {name} WITH (FORCE)"))
        {
            eprintln!("the database {name} stays behind: {error}");
        }
    }
}

/// The server of this process. A static is never dropped: the server ends with the process.
fn own_server() -> Result<&'static PostgresServer, ServerError> {
    static SERVER: OnceLock<Result<PostgresServer, String>> = OnceLock::new();
    let started = SERVER
        .get_or_init(|| PostgresServer::start(PostgresOptions::default()).map_err(|error| error.to_string()));
    started
        .as_ref()
        .map_err(|output| ServerError::Failed { program: "PostgreSQL".into(), output: output.clone() })
}

/// The parts of `postgres://user:password@host:port/database?parameters`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ServerUrl<'a> {
    pub(crate) host: &'a str,
    pub(crate) port: u16,
    pub(crate) user: &'a str,
    pub(crate) password: Option<&'a str>,
    before_database: &'a str,
    parameters: &'a str,
}

impl<'a> ServerUrl<'a> {
    pub(crate) fn parse(url: &'a str) -> Result<ServerUrl<'a>, ServerError> {
        ServerUrl::try_parse(url).ok_or_else(|| ServerError::BadUrl { url: url.to_owned() })
    }

    fn try_parse(url: &'a str) -> Option<ServerUrl<'a>> {
        let path_at = url.find('?').unwrap_or(url.len());
        let (location, parameters) = url.split_at(path_at);
        let rest = location.strip_prefix("postgres://").or_else(|| location.strip_prefix("postgresql://"))?;
        let (authority, _database) = rest.split_once('/')?;
        let (login, address) = authority.rsplit_once('@').unwrap_or(("postgres", authority));
        let (user, password) = match login.split_once(':') {
            Some((user, password)) => (user, Some(password)),
            None => (login, None),
        };
        let (host, port) = match address.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (address, 5432),
        };
        let before_database = &location[..location.rfind('/')?];
        (!host.is_empty()).then_some(ServerUrl { host, port, user, password, before_database, parameters })
    }

    fn with_database(&self, database: &str) -> String {
        format!("{}/{database}{}", self.before_database, self.parameters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_keeps_everything_but_its_database() {
        for (url, other) in [
            ("postgres://postgres@127.0.0.1:5433/postgres", "postgres://postgres@127.0.0.1:5433/other"),
            ("postgresql://u:p%40@db/main?sslmode=disable", "postgresql://u:p%40@db/other?sslmode=disable"),
        ] {
            assert_eq!(ServerUrl::parse(url).unwrap().with_database("other"), other);
        }
    }

    #[test]
    fn what_is_not_a_server_is_refused() {
        for url in ["", "sqlite:/tmp/arena.db", "postgres://host", "postgres:///db", "postgres://h:port/db"] {
            assert!(ServerUrl::parse(url).is_err(), "{url:?}");
        }
    }
}
