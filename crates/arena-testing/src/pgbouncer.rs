use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::time::Duration;

use crate::binaries::find_pgbouncer;
use crate::database::ServerUrl;
use crate::error::ServerError;
use crate::port::free_port;
use crate::postgres::PostgresServer;
use crate::process::{Process, RunAs, Signal, log_tail};
use crate::temp_dir::TempDir;
use crate::wait::poll;

const READY_TIMEOUT: Duration = Duration::from_secs(20);

/// Server connections per database: few, so that clients really share them.
const POOL_SIZE: u32 = 4;

/// PgBouncer in transaction mode before a PostgreSQL server: consecutive transactions of one client run on
/// different server connections, which breaks whatever relies on session state.
///
/// It trusts every connection. Dropping it stops it; it also stops when our process dies.
#[derive(Debug)]
pub struct PgBouncer {
    // Before `dir`: the process must end before its files are removed.
    _process: Process,
    _dir: TempDir,
    port: u16,
}

impl PgBouncer {
    /// Starts the installed PgBouncer before a server of ours and waits until it listens.
    ///
    /// # Errors
    /// When PgBouncer is not installed or does not start.
    pub fn start(server: &PostgresServer) -> Result<PgBouncer, ServerError> {
        PgBouncer::in_front_of(&server.url())
    }

    /// The same before the server that a URL names, such as a [`TestDatabase`](crate::TestDatabase)'s.
    ///
    /// # Errors
    /// When the URL is not one of PostgreSQL, PgBouncer is not installed, or it does not start.
    pub fn in_front_of(url: &str) -> Result<PgBouncer, ServerError> {
        let server = ServerUrl::parse(url)?;
        let program = find_pgbouncer()?;
        let dir = TempDir::new("pgbouncer")?;
        let run_as = RunAs::unprivileged(dir.path())?;
        let config = dir.path().join("pgbouncer.ini");
        let log = dir.path().join("pgbouncer.log");
        let port = free_port();
        fs::write(&config, configuration(&server, port)).map_err(ServerError::io("write pgbouncer.ini"))?;
        run_as.give(&config)?;
        run_as.give(dir.path())?;

        let mut command = run_as.command(&program, Signal::Quit)?;
        command.current_dir(dir.path()).arg(&config);
        let mut process = Process::start(command, &log)?;
        wait_ready(&mut process, port, &log)?;
        Ok(PgBouncer { _process: process, _dir: dir, port })
    }

    /// The URL of a database, through the pool.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }
}

fn configuration(server: &ServerUrl<'_>, port: u16) -> String {
    let ServerUrl { host, port: server_port, user, password, .. } = server;
    let password = password.map(|word| format!(" password='{word}'")).unwrap_or_default();
    // Authentication "any" ignores the client's user name; the user here is the one it logs in as.
    format!(
        "[databases]\n\
         * = host={host} port={server_port} user={user}{password}\n\
         [pgbouncer]\n\
         listen_addr = 127.0.0.1\n\
         listen_port = {port}\n\
         unix_socket_dir =\n\
         auth_type = any\n\
         pool_mode = transaction\n\
         default_pool_size = {POOL_SIZE}\n\
         max_client_conn = 500\n\
         ignore_startup_parameters = extra_float_digits\n"
    )
}

fn wait_ready(process: &mut Process, port: u16, log: &Path) -> Result<(), ServerError> {
    let outcome = poll(READY_TIMEOUT, || match process.ended() {
        Some(_) => Some(Err(log_tail(log))),
        None => TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok().then_some(Ok(())),
    });
    match outcome {
        Some(Ok(())) => Ok(()),
        Some(Err(output)) => Err(ServerError::Failed { program: "pgbouncer".into(), output }),
        None => Err(ServerError::NotReady { server: "PgBouncer", waited: READY_TIMEOUT, log: log_tail(log) }),
    }
}
