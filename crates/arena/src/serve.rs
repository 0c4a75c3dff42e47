//! `arena serve`.

use crate::config::Config;
use crate::interrupt::Interrupt;
use crate::progress::say;
use crate::server::{Server, StartError};
use std::process::ExitCode;
use tokio::runtime::Runtime;

/// Runs with settings that have been checked, until it is interrupted. The exit code is 0 if everything that ran was
/// brought to its end in time.
pub fn run(config: Config) -> Result<ExitCode, StartError> {
    crate::logging::start(&config.log);
    Runtime::new().map_err(StartError::Runtime)?.block_on(async {
        let mut interrupt = Interrupt::listen().map_err(StartError::Runtime)?;
        let server = tokio::select! {
            started = Server::start(&config) => started?,
            () = interrupt.wait() => return Ok(ExitCode::from(130)),
        };
        say(&format!("arena serves http://{} (Ctrl-C ends it)", server.address));
        interrupt.wait().await;
        say("ending: open requests finish, positions are saved (Ctrl-C again ends at once)");
        tokio::select! {
            in_time = server.stop() => Ok(if in_time { ExitCode::SUCCESS } else { ExitCode::FAILURE }),
            () = interrupt.wait() => Ok(ExitCode::from(130)),
        }
    })
}
