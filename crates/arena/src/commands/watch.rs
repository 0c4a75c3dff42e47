//! `arena watch`

use super::Session;
use super::error::CommandError;
use crate::cli::WatchArgs;
use crate::watch::Watch;

pub(super) fn run(session: &Session, args: WatchArgs) -> Result<(), CommandError> {
    let WatchArgs { topic, token, private, count } = args;
    let topic = topic.strip_prefix("realtime:").map(str::to_owned).unwrap_or(topic);
    let server = session.client.server().to_string();
    let watch = Watch { server, topic, private, token, count, json: session.screen.is_json() };
    crate::watch::run(&watch, session.screen.style, |text| session.screen.write(text))
}
