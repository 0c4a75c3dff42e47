//! `arena migrate`.

use crate::config::Config;
use crate::progress::say;
use crate::server::{StartError, store_options};
use arena_store::Store;
use std::process::ExitCode;
use tokio::runtime::Runtime;

/// Brings the database up to date and ends.
pub fn run(config: Config) -> Result<ExitCode, StartError> {
    crate::logging::start(&config.log);
    Runtime::new().map_err(StartError::Runtime)?.block_on(async {
        let store = Store::connect(&store_options(&config)).await?;
        let applied = store.migrate().await?;
        if applied.is_empty() {
            say("the database is up to date");
        }
        applied.iter().for_each(|name| say(&format!("applied {name}")));
        store.close().await;
        Ok(ExitCode::SUCCESS)
    })
}
