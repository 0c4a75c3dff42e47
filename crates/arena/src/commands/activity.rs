//! `arena activity …`

use super::Session;
use super::error::CommandError;
use super::lists::list;
use crate::cli::ActivityCommand;
use crate::client::ApiPath;
use crate::client::wire::Activity;
use crate::render::activity_table;

pub(super) fn run(session: &Session, command: ActivityCommand) -> Result<(), CommandError> {
    let ActivityCommand::List { filter, paging } = command;
    let bot = filter.bot.as_ref().map(|bot| session.bot_id(bot)).transpose()?;
    let path = ApiPath::new("activity")
        .query("bot", bot)
        .query("channel", filter.channel)
        .query("action", filter.action);
    list::<Activity>(session, &path, &paging, "activity", activity_table)
}
