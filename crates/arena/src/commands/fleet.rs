//! `arena fleet …`

use super::Session;
use super::confirm::{Plan, go_ahead};
use super::error::CommandError;
use super::watching;
use crate::cli::{BotCount, ConfirmArgs, FleetCommand};
use crate::client::{Answer, ApiPath, Client};
use crate::render::{counted, fleet_bots_table, fleet_status, manager_words};
use arena_fleet::ManagerReport;
use arena_fleet::http::{Report, Talking};
use serde_json::{Value, json};
use std::process::ExitCode;

pub(super) fn run(session: &Session, command: FleetCommand) -> Result<ExitCode, CommandError> {
    match command {
        FleetCommand::Run(args) => {
            let loaded = crate::config::load(args.config.as_deref(), &args.flags())?;
            return Ok(crate::fleet::run::run(&loaded)?);
        }
        FleetCommand::Status { watch: false } => {
            session.screen.show(&session.client.get(&status_path())?, fleet_status)?;
        }
        FleetCommand::Status { watch: true } => watch(session)?,
        FleetCommand::Bots { state } => bots(session, state.as_deref())?,
        FleetCommand::Pause => order(session, "pause", &json!({}))?,
        FleetCommand::Resume => order(session, "resume", &json!({}))?,
        FleetCommand::Drain { confirm } => drain(session, &confirm)?,
        FleetCommand::Scale { count } => {
            let count = match count {
                BotCount::Auto => json!("auto"),
                BotCount::Bots(bots) => json!(bots),
            };
            order(session, "scale", &json!({ "count": count }))?;
        }
        FleetCommand::Talk { conversation, bot } => talk(session, &conversation, bot.as_deref())?,
    }
    Ok(ExitCode::SUCCESS)
}

fn fleet() -> ApiPath {
    ApiPath::new("fleet")
}

fn status_path() -> ApiPath {
    fleet().segment("stats").query("bots", Some(false))
}

fn watch(session: &Session) -> Result<(), CommandError> {
    let screen = &session.screen;
    watching::repeatedly(&session.client, ask, |answer| match answer {
        Ok((answer, _)) if screen.is_json() => screen.write_json(answer.text()),
        Ok((_, report)) => screen.write(&watching::frame(&fleet_status(&report, &screen.style), screen)),
        Err(error) => watching::show_error(screen, &error),
    })
}

fn ask(client: &Client) -> Result<(Answer, Report), CommandError> {
    let answer = client.get(&status_path())?;
    let report = answer.parse()?;
    Ok((answer, report))
}

fn bots(session: &Session, state: Option<&str>) -> Result<(), CommandError> {
    let answer = session.client.get(&fleet().segment("stats"))?;
    let mut report: Report = answer.parse()?;
    report.stats.monitor.bots.retain(|bot| state.is_none_or(|state| state == bot.state.as_str()));
    if session.screen.is_json() {
        let items = serde_json::to_string(&json!({ "items": report.stats.monitor.bots }));
        return session.screen.write_json(&items.expect("invariant: bots that were read can be written"));
    }
    session.screen.write(&fleet_bots_table(&report, &session.screen.style))
}

/// Orders say what is wanted, so that one that breaks off may be given again.
fn order(session: &Session, verb: &str, body: &Value) -> Result<(), CommandError> {
    let answer = session.client.post_once(&fleet().segment(verb), body)?;
    session.screen.show(&answer, |manager: &ManagerReport, _| format!("{}\n", manager_words(manager)))
}

fn drain(session: &Session, confirm: &ConfirmArgs) -> Result<(), CommandError> {
    let (_, report) = ask(&session.client)?;
    let (manager, totals) = (&report.stats.manager, &report.stats.monitor.totals);
    let text = format!(
        "drain the fleet:\n  its {} leave {}; those that talk may finish first\n  then it is paused until `arena fleet \
         resume`\n",
        counted(totals.total as u64, "bot"),
        manager.lobby.topic,
    );
    let json = json!({"action": "drain", "lobby": manager.lobby.topic, "bots": totals.total});
    if go_ahead(&session.screen, confirm, &Plan { text, json })? {
        order(session, "drain", &json!({}))?;
    }
    Ok(())
}

fn talk(session: &Session, conversation: &str, bot: Option<&str>) -> Result<(), CommandError> {
    let mut body = json!({ "conversation": conversation });
    if let Some(bot) = bot {
        body["bot"] = json!(bot);
    }
    // Not repeated by itself: the first one may have sent a bot, and the second would send another.
    let answer = session.client.post(&fleet().segment("talks"), &body)?;
    session.screen.show(&answer, |talking: &Talking, _| {
        format!("{} ({}) goes into {}\n", talking.name, talking.bot, talking.conversation)
    })
}
