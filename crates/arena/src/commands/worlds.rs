//! `arena worlds …`

use super::Session;
use super::confirm::{Plan, go_ahead};
use super::error::CommandError;
use super::lists::list;
use crate::cli::{ConfirmArgs, WorldsCommand};
use crate::client::wire::{Discovery, Wiped, World};
use crate::client::{ApiPath, Pages};
use crate::render::{counted, discoveries_table, world_details, worlds_table};
use arena_core::WorldId;
use arena_core::channel::ChannelName;
use serde_json::json;

pub(super) fn run(session: &Session, command: WorldsCommand) -> Result<(), CommandError> {
    match command {
        WorldsCommand::Discover(args) => discover(session, &args.channel),
        WorldsCommand::List { paging } => list::<World>(session, &worlds(), &paging, "worlds", worlds_table),
        WorldsCommand::Show { world } => {
            session.screen.show(&session.client.get(&worlds().segment(world))?, world_details)
        }
        WorldsCommand::Wipe { world: Some(world), all: _, confirm } => wipe_one(session, &world, &confirm),
        WorldsCommand::Wipe { world: None, all: _, confirm } => wipe_all(session, &confirm),
    }
}

fn worlds() -> ApiPath {
    ApiPath::new("worlds")
}

/// Asks three times: as things are, then from what is now cached, then with the cache cleared.
fn discover(session: &Session, channel: &ChannelName) -> Result<(), CommandError> {
    let path = ApiPath::new("channels").segment(channel).segment("discover");
    let mut steps = Vec::new();
    for (step, body) in [("first", json!({})), ("cached", json!({})), ("after_clear", json!({"clear": true}))]
    {
        steps.push((step, session.client.post(&path, &body)?));
    }
    if session.screen.is_json() {
        let parts: Vec<String> =
            steps.iter().map(|(step, answer)| format!("\"{step}\":{}", answer.text().trim())).collect();
        return session.screen.write_json(&format!("{{{}}}", parts.join(",")));
    }
    let mut parsed = Vec::new();
    for (step, answer) in &steps {
        let step = if *step == "after_clear" { "after clear" } else { step };
        parsed.push((step, answer.parse::<Discovery>()?));
    }
    session.screen.write(&discoveries_table(&parsed, &session.screen.style))
}

fn wipe_one(session: &Session, world: &WorldId, confirm: &ConfirmArgs) -> Result<(), CommandError> {
    let path = worlds().segment(world);
    let now: World = session.client.get(&path)?.parse()?;
    let channel = now.channel.as_deref().unwrap_or("no channel");
    let text = format!(
        "wipe world {world}:\n  it vanishes as in a crash, with {}\n  {channel} finds or creates another one, and \
         its bots are deployed again\n",
        counted(now.residents, "resident")
    );
    let json = json!({"action": "wipe", "worlds": 1, "residents": now.residents});
    if go_ahead(&session.screen, confirm, &Plan { text, json })? {
        show_wiped(session, &path.segment("wipe"))?;
    }
    Ok(())
}

fn wipe_all(session: &Session, confirm: &ConfirmArgs) -> Result<(), CommandError> {
    let everything = Pages { all: true, ..Pages::default() };
    let now: Vec<World> = session.client.pages(&worlds(), &everything)?.parse(&session.client)?;
    let residents: u64 = now.iter().map(|world| world.residents).sum();
    let text = format!(
        "wipe {}:\n  they vanish as in a crash, with {}\n  their channels find or create others, and the bots are \
         deployed again\n",
        counted(now.len() as u64, "world"),
        counted(residents, "resident")
    );
    let json = json!({"action": "wipe", "worlds": now.len(), "residents": residents});
    if go_ahead(&session.screen, confirm, &Plan { text, json })? {
        show_wiped(session, &worlds().segment("wipe"))?;
    }
    Ok(())
}

fn show_wiped(session: &Session, path: &ApiPath) -> Result<(), CommandError> {
    let answer = session.client.post_once(path, &json!({}))?;
    session.screen.show(&answer, |wiped: &Wiped, _| {
        format!(
            "{} wiped; watch them heal with `arena channels health --watch`\n",
            counted(wiped.wiped, "world")
        )
    })
}
