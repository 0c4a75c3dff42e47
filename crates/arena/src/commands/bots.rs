//! `arena bots …`

use super::Session;
use super::confirm::{Plan, go_ahead};
use super::error::CommandError;
use super::lists::list;
use crate::cli::{BotFilter, BotRef, BotsCommand, ConfirmArgs, RosterFormat};
use crate::client::wire::{Bot, Imported};
use crate::client::{Answer, ApiPath};
use crate::progress::Progress;
use crate::render::{bot_details, bots_table, counted, thousands};
use serde_json::{Value, json};
use std::io::{self, Read};
use std::path::Path;

pub(super) fn run(session: &Session, command: BotsCommand) -> Result<(), CommandError> {
    match command {
        BotsCommand::Import { file, format } => import(session, &file, format),
        BotsCommand::List { filter, paging } => {
            list::<Bot>(session, &filtered(&filter), &paging, "bots", bots_table)
        }
        BotsCommand::Show { bot } => show(session, &session.client.get(&ApiPath::new("bots").segment(bot))?),
        BotsCommand::Assign { bot, channel } => {
            let body = channel.map_or_else(|| json!({}), |channel| json!({"channel": channel}));
            act(session, &bot, "assign", &body)
        }
        BotsCommand::Move { bot, to } => act(session, &bot, "move", &json!({"to": to})),
        BotsCommand::Retry { bot } => act(session, &bot, "retry", &json!({})),
        BotsCommand::Disable { bot } => act(session, &bot, "disable", &json!({})),
        BotsCommand::Enable { bot } => act(session, &bot, "enable", &json!({})),
        BotsCommand::Delete { bot, confirm } => delete(session, &bot, &confirm),
    }
}

fn filtered(filter: &BotFilter) -> ApiPath {
    ApiPath::new("bots")
        .query("channel", filter.channel.as_deref())
        .query("state", filter.state.as_deref())
        .query("kind", filter.kind)
        .query("region", filter.region.as_ref())
        .query("name", filter.name.as_deref())
}

fn act(session: &Session, bot: &BotRef, verb: &str, body: &Value) -> Result<(), CommandError> {
    let path = session.bot_path(bot)?.segment(verb);
    show(session, &session.client.post_once(&path, body)?)
}

fn show(session: &Session, answer: &Answer) -> Result<(), CommandError> {
    session.screen.show(answer, bot_details)
}

fn import(session: &Session, file: &Path, format: Option<RosterFormat>) -> Result<(), CommandError> {
    let media_type = match format.or_else(|| format_of(file)) {
        Some(RosterFormat::Csv) => "text/csv",
        Some(RosterFormat::Json) => "application/json",
        None => return Err(CommandError::UnknownFormat(file.to_path_buf())),
    };
    let roster =
        read(file).map_err(|source| CommandError::Unreadable { path: file.to_path_buf(), source })?;
    let waiting = Progress::spinner(format!("importing {}", file.display()));
    let answer = session.client.upload_once(&ApiPath::new("bots/import"), media_type, &roster)?;
    drop(waiting);
    session.screen.show(&answer, |done: &Imported, _| {
        let opened = match done.opened.as_slice() {
            [] => String::new(),
            opened => format!("; {} opened", counted(opened.len() as u64, "channel")),
        };
        let (created, existing) = (counted(done.created, "bot"), thousands(done.existing));
        format!("{created} imported, {existing} there already{opened}\n")
    })
}

fn format_of(file: &Path) -> Option<RosterFormat> {
    match file.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "csv" => Some(RosterFormat::Csv),
        "json" => Some(RosterFormat::Json),
        _ => None,
    }
}

fn read(file: &Path) -> io::Result<Vec<u8>> {
    if file == Path::new("-") {
        let mut roster = Vec::new();
        io::stdin().lock().read_to_end(&mut roster)?;
        return Ok(roster);
    }
    std::fs::read(file)
}

fn delete(session: &Session, bot: &BotRef, confirm: &ConfirmArgs) -> Result<(), CommandError> {
    let now: Bot = session.client.get(&ApiPath::new("bots").segment(bot))?.parse()?;
    let seat = now.channel.as_deref().map_or("no channel".to_owned(), |name| format!("a seat in {name}"));
    let text =
        format!("delete bot {} ({}):\n  it has {seat}; its state is {}\n", now.name, now.id, now.state);
    let json = json!({"action": "delete", "bot": now.id, "name": now.name, "channel": now.channel});
    if go_ahead(&session.screen, confirm, &Plan { text, json: json.clone() })? {
        session.client.delete(&ApiPath::new("bots").segment(&now.id))?;
        if session.screen.is_json() {
            session.screen.write_json(&json.to_string())?;
        } else {
            session.screen.write(&format!("{} deleted\n", now.name))?;
        }
    }
    Ok(())
}
