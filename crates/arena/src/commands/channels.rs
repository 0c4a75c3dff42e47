//! `arena channels …`

use super::confirm::{Plan, go_ahead};
use super::error::CommandError;
use super::lists::list;
use super::{Session, health};
use crate::cli::{BotRef, ChannelsCommand, ConfigureArgs, ConfirmArgs, CreateArgs};
use crate::client::ApiPath;
use crate::client::wire::{Applied, Channel, ChannelStats, Initialised, Reset};
use crate::progress::say;
use crate::render::{applied_words, channel_details, channels_table, counted, reset_table, reset_totals};
use arena_core::channel::ChannelName;
use serde_json::{Map, Value, json};
use std::process::ExitCode;

pub(super) fn run(session: &Session, command: ChannelsCommand) -> Result<ExitCode, CommandError> {
    if let ChannelsCommand::Health(args) = &command {
        return health::run(session, args);
    }
    act(session, command).map(|()| ExitCode::SUCCESS)
}

fn act(session: &Session, command: ChannelsCommand) -> Result<(), CommandError> {
    match command {
        ChannelsCommand::Init => init(session),
        ChannelsCommand::List { filter, paging } => {
            let path = channels()
                .query("kind", filter.kind)
                .query("status", filter.status)
                .query("region", filter.region)
                .query("group", filter.group);
            list::<Channel>(session, &path, &paging, "channels", channels_table)
        }
        ChannelsCommand::Show { channel } => show(session, &channel),
        ChannelsCommand::Create(args) => create(session, args),
        ChannelsCommand::Configure(args) => configure(session, args),
        ChannelsCommand::Drain { channel, confirm } => drain(session, &channel, &confirm),
        ChannelsCommand::Activate { channel } => {
            let answer = session.client.post_once(&of(&channel).segment("activate"), &json!({}))?;
            show_channel(session, &answer)
        }
        ChannelsCommand::Delete { channel, confirm } => delete(session, &channel, &confirm),
        ChannelsCommand::Rebalance { channel } => {
            let path = channel.as_ref().map_or_else(channels, of).segment("rebalance");
            show_applied(session, &session.client.post_once(&path, &json!({}))?)
        }
        ChannelsCommand::Migrate { channel, to, bots } => migrate(session, &channel, &to, &bots),
        ChannelsCommand::Reset { channel, confirm } => reset(session, channel.as_ref(), &confirm),
        ChannelsCommand::Health(args) => health::run(session, &args).map(drop),
    }
}

fn channels() -> ApiPath {
    ApiPath::new("channels")
}

fn of(channel: &ChannelName) -> ApiPath {
    channels().segment(channel)
}

fn init(session: &Session) -> Result<(), CommandError> {
    let answer = session.client.post_once(&channels().segment("init"), &json!({}))?;
    session.screen.show(&answer, |done: &Initialised, style| channels_table(&done.channels, style))?;
    let done: Initialised = answer.parse()?;
    say(&match done.opened.as_slice() {
        [] => "nothing was missing".to_owned(),
        opened => format!("opened {}", opened.join(", ")),
    });
    Ok(())
}

fn show(session: &Session, channel: &ChannelName) -> Result<(), CommandError> {
    let answer = session.client.get(&of(channel))?;
    let stats = session.client.get(&of(channel).segment("stats"))?;
    if session.screen.is_json() {
        let json = format!("{{\"channel\":{},\"stats\":{}}}", answer.text().trim(), stats.text().trim());
        return session.screen.write_json(&json);
    }
    let text =
        channel_details(&answer.parse::<Channel>()?, &stats.parse::<ChannelStats>()?, &session.screen.style);
    session.screen.write(&text)
}

fn create(session: &Session, args: CreateArgs) -> Result<(), CommandError> {
    let mut body = Map::from_iter([("kind".to_owned(), json!(args.kind))]);
    put(&mut body, "name", args.name.map(|name| json!(name)));
    put(&mut body, "region", args.region.map(|region| json!(region)));
    put(&mut body, "max_bots", args.max_bots.map(|max| json!(max)));
    put(&mut body, "metadata", args.metadata);
    show_channel(session, &session.client.post_once(&channels(), &Value::Object(body))?)
}

fn configure(session: &Session, args: ConfigureArgs) -> Result<(), CommandError> {
    let mut body = Map::new();
    put(&mut body, "max_bots", args.max_bots.map(|max| json!(max)));
    put(&mut body, "metadata", args.metadata);
    put(&mut body, "status", args.status.map(|status| json!(status.as_str())));
    show_channel(session, &session.client.put(&of(&args.channel), &Value::Object(body))?)
}

fn put(body: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        body.insert(name.to_owned(), value);
    }
}

fn drain(session: &Session, channel: &ChannelName, confirm: &ConfirmArgs) -> Result<(), CommandError> {
    let now: Channel = session.client.get(&of(channel))?.parse()?;
    let text = format!(
        "drain {channel}:\n  it takes nobody in until it is activated\n  its {} to other channels of group {}\n",
        counted_move(now.bots),
        now.group
    );
    let plan = Plan { text, json: json!({"action": "drain", "channel": channel, "bots": now.bots}) };
    if go_ahead(&session.screen, confirm, &plan)? {
        let answer = session.client.post_once(&of(channel).segment("drain"), &json!({}))?;
        show_applied(session, &answer)?;
    }
    Ok(())
}

fn delete(session: &Session, channel: &ChannelName, confirm: &ConfirmArgs) -> Result<(), CommandError> {
    let now: Channel = session.client.get(&of(channel))?.parse()?;
    let text = format!(
        "delete {channel}:\n  its {} to other channels of group {}, else to main\n  its world, metadata and name \
         are given up\n",
        counted_move(now.bots),
        now.group
    );
    let plan = Plan { text, json: json!({"action": "delete", "channel": channel, "bots": now.bots}) };
    if go_ahead(&session.screen, confirm, &plan)? {
        show_applied(session, &session.client.delete(&of(channel))?)?;
    }
    Ok(())
}

/// `1 bot moves`, `30 bots move`.
fn counted_move(bots: u32) -> String {
    format!("{} move{}", counted(bots.into(), "bot"), if bots == 1 { "s" } else { "" })
}

fn migrate(
    session: &Session,
    from: &ChannelName,
    to: &ChannelName,
    bots: &[BotRef],
) -> Result<(), CommandError> {
    let mut body = Map::from_iter([("to".to_owned(), json!(to))]);
    let ids = bots.iter().map(|bot| session.bot_id(bot)).collect::<Result<Vec<String>, _>>()?;
    put(&mut body, "bot_ids", (!ids.is_empty()).then(|| json!(ids)));
    show_applied(session, &session.client.post_once(&of(from).segment("migrate"), &Value::Object(body))?)
}

fn reset(
    session: &Session,
    channel: Option<&ChannelName>,
    confirm: &ConfirmArgs,
) -> Result<(), CommandError> {
    let path = channels().segment("reset");
    let mut body = Map::new();
    put(&mut body, "channel", channel.map(|channel| json!(channel)));
    let mut dry = body.clone();
    put(&mut dry, "dry_run", Some(json!(true)));
    let answer = session.client.post(&path, &Value::Object(dry))?;
    let reset: Reset = answer.parse()?;
    let lead = "reset: world references and failed syncs are cleared, and bots are deployed again\n";
    let text = format!("{lead}{}{}\n", reset_table(&reset, &session.screen.style), reset_totals(&reset));
    if go_ahead(&session.screen, confirm, &Plan { text, json: answer.parse()? })? {
        let answer = session.client.post_once(&path, &Value::Object(body))?;
        session.screen.show(&answer, |reset: &Reset, _| format!("reset {}\n", reset_totals(reset)))?;
    }
    Ok(())
}

fn show_channel(session: &Session, answer: &crate::client::Answer) -> Result<(), CommandError> {
    session
        .screen
        .show(answer, |channel: &Channel, style| channels_table(std::slice::from_ref(channel), style))
}

fn show_applied(session: &Session, answer: &crate::client::Answer) -> Result<(), CommandError> {
    session
        .screen
        .show(answer, |applied: &Applied, _| format!("{}\n", applied_words(applied.moved, &applied.opened)))
}
