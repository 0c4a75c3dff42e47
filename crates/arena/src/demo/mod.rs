//! `arena demo`: the main job end to end, on real input, with real timings.

mod crowd;
mod debate;
mod fleet;
mod guest;
mod screen;
mod stages;
mod strangers;
mod visitor;

use crate::config::{Anonymous, Config, FleetStart, LogLevel};
use crate::interrupt::Interrupt;
use crate::progress::say;
use crate::server::{Server, StartError};
use arena_control::ServiceError;
use arena_control::roster::RosterError;
use stages::Timings;
use std::path::PathBuf;
use std::process::ExitCode;
use tokio::runtime::Runtime;

/// Bots of the fleet, beside the residents that live in the server.
const FLEET: usize = 12;

/// What the demo does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoOptions {
    /// Bots to import.
    pub bots: u32,
    /// Whether it ends after the report.
    pub exit: bool,
    /// The roster; `None` for the one that is built in.
    pub roster: Option<PathBuf>,
}

/// Why it ended.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The server did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The roster's file cannot be read.
    #[error("the roster {path} cannot be read: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The roster is not acceptable.
    #[error("the roster: {0}")]
    Roster(#[from] RosterError),
    /// The roster is empty.
    #[error("the roster has no bots; add some rows, or leave --roster out for the one that is built in")]
    NoBots,
    /// A service refused or failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// Bots did not come to life in time.
    #[error("only {live} of {wanted} bots were live after {secs} s; see `arena channels health` for why")]
    TooSlow {
        /// Live bots.
        live: u64,
        /// Bots there are.
        wanted: u64,
        /// How long it waited.
        secs: u64,
    },
}

/// Runs with settings that have been checked. The exit code is 0 only if every bot is live at the end.
pub fn run(mut config: Config, options: DemoOptions) -> Result<ExitCode, DemoError> {
    // Log lines between progress bars help nobody; warnings do.
    if config.log.level == LogLevel::Info {
        config.log.level = LogLevel::Warn;
    }
    // Whoever tries the demo on their own machine needs no token.
    if config.realtime.anonymous == Anonymous::Never {
        config.realtime.anonymous = Anonymous::Loopback;
    }
    // Some bots are clients, of this server; it bears more than one every few seconds.
    let fleet = &mut config.fleet;
    (fleet.enabled, fleet.start) = (true, FleetStart::Adaptive);
    (fleet.stagger_min_ms, fleet.stagger_max_ms) = (100, 200);
    (fleet.min, fleet.max) = (fleet.min.max(FLEET), fleet.max.max(FLEET));
    crate::logging::start(&config.log);
    let roster = crowd::roster(&options)?;
    Runtime::new().map_err(StartError::Runtime)?.block_on(async {
        let mut interrupt = Interrupt::listen().map_err(StartError::Runtime)?;
        let server = tokio::select! {
            started = Server::start(&config) => started?,
            () = interrupt.wait() => return Ok(ExitCode::from(130)),
        };
        screen::opening(&server, &config);
        let shown = tokio::select! {
            shown = stages::show(&server, &config, roster) => Some(shown),
            () = interrupt.wait() => None,
        };
        let code = match &shown {
            None => ExitCode::from(130),
            Some(Err(_)) => ExitCode::FAILURE,
            Some(Ok(timings)) => finish(&server, timings, &options, &mut interrupt).await,
        };
        tokio::select! {
            _ = server.stop() => {}
            () = interrupt.wait() => return Ok(ExitCode::from(130)),
        }
        shown.transpose()?;
        Ok(code)
    })
}

/// Prints the timings; then ends, or serves on until it is interrupted.
async fn finish(
    server: &Server,
    timings: &Timings,
    options: &DemoOptions,
    interrupt: &mut Interrupt,
) -> ExitCode {
    screen::timings(timings);
    screen::conversations(&timings.talk, timings.fleet.as_ref().and_then(|company| company.met.as_ref()));
    if let Some(company) = &timings.fleet {
        screen::fleet(company);
        screen::strangers(&company.evenings);
    }
    if !options.exit {
        screen::where_to_look(server);
        interrupt.wait().await;
        say("ending: positions are saved");
    }
    if timings.all_live { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
