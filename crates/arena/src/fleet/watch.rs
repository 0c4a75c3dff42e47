//! Writes what matters about a fleet to the log, where no terminal shows it.

use super::news::Look;
use arena_fleet::Fleet;
use arena_fleet::http::Helm;
use std::time::Duration;

/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Does not end by itself.
pub(crate) async fn log(fleet: Fleet) {
    let mut before = Look::first(&Helm::stats(&fleet, false));
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let now = Look::at(&Helm::stats(&fleet, false));
        for news in now.since(&before) {
            if news.urgent {
                tracing::warn!(fleet = news.text, "the bot service needs a look");
            } else {
                tracing::info!(fleet = news.text, "the bot service");
            }
        }
        before = now;
    }
}
