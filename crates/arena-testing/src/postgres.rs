use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::binaries::{PostgresBinaries, find_postgres};
use crate::error::ServerError;
use crate::port::free_port;
use crate::process::{Process, RunAs, Signal, log_tail};
use crate::temp_dir::TempDir;
use crate::wait::poll;

const READY_TIMEOUT: Duration = Duration::from_secs(60);

/// Somebody else may take the port between our look and the server's; so often is it tried again.
const PORT_ATTEMPTS: usize = 5;

/// Whether what was committed survives a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// `fsync`, `synchronous_commit` and `full_page_writes` are off: quick, and right for tests that do
    /// not crash the server. A [`PostgresServer::kill`] may lose the last commits.
    #[default]
    Off,
    /// PostgreSQL's defaults: for crash tests and for honest benchmarks.
    Default,
}

/// What a [`PostgresServer`] is started with.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// Whether commits survive a crash.
    pub durability: Durability,
    /// The server's `max_connections`.
    pub max_connections: u32,
}

impl Default for PostgresOptions {
    fn default() -> PostgresOptions {
        PostgresOptions { durability: Durability::Off, max_connections: 300 }
    }
}

/// A PostgreSQL server of our own, on a free loopback port, in a directory that goes away with it.
///
/// It trusts every connection. Dropping it stops it; it also stops when our process dies.
#[derive(Debug)]
pub struct PostgresServer {
    // Before `dir`: the server must end before its files are removed.
    process: Option<Process>,
    dir: TempDir,
    binaries: PostgresBinaries,
    run_as: RunAs,
    options: PostgresOptions,
    port: u16,
}

impl PostgresServer {
    /// Creates a database cluster, starts the newest installed server on it and waits until it answers.
    ///
    /// # Errors
    /// When no PostgreSQL of a supported version is installed, or it does not start; the error carries the
    /// end of the server's log.
    pub fn start(options: PostgresOptions) -> Result<PostgresServer, ServerError> {
        let binaries = find_postgres()?;
        let dir = TempDir::new("postgres")?;
        let run_as = RunAs::unprivileged(dir.path())?;
        run_as.give(dir.path())?;
        let mut server = PostgresServer { process: None, dir, binaries, run_as, options, port: 0 };
        server.init_cluster()?;
        for _ in 1..PORT_ATTEMPTS {
            server.port = free_port();
            match server.resume() {
                Err(ServerError::Failed { output, .. }) if output.contains("could not bind") => continue,
                result => return result.map(|()| server),
            }
        }
        server.port = free_port();
        server.resume().map(|()| server)
    }

    /// The URL of the maintenance database.
    pub fn url(&self) -> String {
        self.database_url("postgres")
    }

    /// The URL of a database of this server.
    pub fn database_url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// The loopback port; it stays the same over stops and starts.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server's major version.
    pub fn major_version(&self) -> u32 {
        self.binaries.major
    }

    /// Whether the server's process runs.
    pub fn is_running(&mut self) -> bool {
        self.process.as_mut().is_some_and(|process| process.ended().is_none())
    }

    /// Stops it in good order: open transactions are rolled back, connections closed, everything written.
    /// Does nothing if it is stopped.
    pub fn stop(&mut self) {
        self.end(Signal::Int);
    }

    /// Ends it as a crash would, without writing anything more. Does nothing if it is stopped.
    pub fn kill(&mut self) {
        self.end(Signal::Quit);
    }

    /// Starts it again on the same port and data, and waits until it answers. Does nothing if it runs.
    ///
    /// # Errors
    /// When it does not start.
    pub fn resume(&mut self) -> Result<(), ServerError> {
        if self.is_running() {
            return Ok(());
        }
        let mut process = Process::start(self.server_command()?, &self.log())?;
        self.wait_ready(&mut process)?;
        self.process = Some(process);
        Ok(())
    }

    /// [`stop`](Self::stop) and [`resume`](Self::resume).
    ///
    /// # Errors
    /// When it does not start again.
    pub fn restart(&mut self) -> Result<(), ServerError> {
        self.stop();
        self.resume()
    }

    fn end(&mut self, signal: Signal) {
        if let Some(mut process) = self.process.take() {
            process.stop(signal);
        }
    }

    fn init_cluster(&self) -> Result<(), ServerError> {
        let initdb = self.binaries.dir.join("initdb");
        let output = self
            .run_as
            .command(&initdb, Signal::Int)?
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale"])
            .args(["--no-sync", "--no-instructions", "--pgdata"])
            .arg(self.data_dir())
            .current_dir(self.dir.path())
            .output()
            .map_err(ServerError::io("run initdb"))?;
        if output.status.success() {
            return Ok(());
        }
        let printed = [output.stdout, output.stderr].concat();
        Err(ServerError::Failed {
            program: initdb.display().to_string(),
            output: String::from_utf8_lossy(&printed).trim().to_owned(),
        })
    }

    fn server_command(&self) -> Result<Command, ServerError> {
        let mut command = self.run_as.command(&self.binaries.dir.join("postgres"), Signal::Int)?;
        command.current_dir(self.dir.path()).arg("-D").arg(self.data_dir());
        for setting in self.settings() {
            command.args(["-c", &setting]);
        }
        Ok(command)
    }

    fn settings(&self) -> Vec<String> {
        let mut settings = vec![
            "listen_addresses=127.0.0.1".to_owned(),
            format!("port={}", self.port),
            format!("unix_socket_directories={}", self.dir.path().display()),
            format!("max_connections={}", self.options.max_connections),
        ];
        if self.options.durability == Durability::Off {
            let off = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"];
            settings.extend(off.map(str::to_owned));
        }
        settings
    }

    fn wait_ready(&self, process: &mut Process) -> Result<(), ServerError> {
        let outcome = poll(READY_TIMEOUT, || match process.ended() {
            Some(_) => Some(Err(self.log_tail())),
            None => self.answers().then_some(Ok(())),
        });
        match outcome {
            Some(Ok(())) => Ok(()),
            Some(Err(output)) => Err(ServerError::Failed { program: "postgres".into(), output }),
            None => Err(ServerError::NotReady {
                server: "PostgreSQL",
                waited: READY_TIMEOUT,
                log: self.log_tail(),
            }),
        }
    }

    fn answers(&self) -> bool {
        // Through the socket in our own directory: a stranger who took the port cannot answer for us.
        Command::new(self.binaries.dir.join("pg_isready"))
            .arg("--quiet")
            .arg("--host")
            .arg(self.dir.path())
            .args(["--port", &self.port.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }

    fn data_dir(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn log(&self) -> PathBuf {
        self.dir.path().join("postgres.log")
    }

    fn log_tail(&self) -> String {
        log_tail(&self.log())
    }

    /// The directory of everything that the server has; the server's log is `postgres.log` in it.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        // The data is thrown away: no reason to write it first.
        self.kill();
    }
}
