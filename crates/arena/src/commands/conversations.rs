//! `arena conversations …`

use super::confirm::{Plan, go_ahead};
use super::error::CommandError;
use super::lists::list;
use super::{Session, log};
use crate::cli::{AllowArgs, ConfirmArgs, ConversationsCommand, CreateConversationArgs, SayArgs, TopUpArgs};
use crate::client::wire::{Capacity, Conversation, Receipt};
use crate::client::{Answer, ApiPath};
use crate::render::{capacity_view, conversation_details, conversations_table, receipt_words};
use arena_core::conversation::ConversationId;
use serde_json::{Map, Value, json};

pub(super) fn run(session: &Session, command: ConversationsCommand) -> Result<(), CommandError> {
    let act = |id: &ConversationId, verb: &str| {
        show_receipt(session, &session.client.post_once(&of(id).segment(verb), &json!({}))?)
    };
    match command {
        ConversationsCommand::List { filter, paging } => {
            let path = conversations()
                .query("owner", filter.owner)
                .query("root", filter.root)
                .query("exhausted", filter.exhausted);
            list::<Conversation>(session, &path, &paging, "conversations", conversations_table)
        }
        ConversationsCommand::Show { conversation } => {
            show(session, &session.client.get(&of(&conversation))?)
        }
        ConversationsCommand::Create(args) => create(session, *args),
        ConversationsCommand::Say(args) => say(session, args),
        ConversationsCommand::Messages(args) => log::run(session, &args),
        ConversationsCommand::Capacity { conversation } => {
            let answer = session.client.get(&of(&conversation).segment("capacity"))?;
            session.screen.show(&answer, |left: &Capacity, style| capacity_view(left, style))
        }
        ConversationsCommand::TopUp(args) => top_up(session, args),
        ConversationsCommand::Close { conversation } => act(&conversation, "close"),
        ConversationsCommand::Reopen { conversation } => act(&conversation, "reopen"),
        ConversationsCommand::Delete { conversation, confirm } => delete(session, &conversation, &confirm),
    }
}

fn conversations() -> ApiPath {
    ApiPath::new("conversations")
}

/// Where a conversation is.
pub(super) fn of(id: &ConversationId) -> ApiPath {
    conversations().segment(id)
}

fn show(session: &Session, answer: &Answer) -> Result<(), CommandError> {
    session
        .screen
        .show(answer, |conversation: &Conversation, style| conversation_details(conversation, style))
}

fn show_receipt(session: &Session, answer: &Answer) -> Result<(), CommandError> {
    session.screen.show(answer, |receipt: &Receipt, _| receipt_words(receipt))
}

/// Sets what is given, over what is there.
fn put(body: &mut Map<String, Value>, fields: impl IntoIterator<Item = (&'static str, Option<Value>)>) {
    body.extend(fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
}

/// The object of this name within another one; made where there is none.
fn within<'a>(body: &'a mut Map<String, Value>, name: &str) -> Option<&'a mut Map<String, Value>> {
    body.entry(name).or_insert_with(|| json!({})).as_object_mut()
}

fn create(session: &Session, args: CreateConversationArgs) -> Result<(), CommandError> {
    let mut body = match args.setup {
        Some(Value::Object(setup)) => setup,
        _ => Map::new(),
    };
    let AllowArgs { max_messages, max_tokens, max_cost_micros } = args.limits;
    let limits = [
        ("max_replies_per_participant", args.max_replies),
        ("max_total_messages", max_messages),
        ("max_total_tokens", max_tokens),
        ("max_total_cost_micros", max_cost_micros),
        ("max_duration_ms", args.duration),
        ("idle_timeout_ms", args.idle),
        ("refill_every_ms", args.refill_every),
    ];
    // Where the setup has something else in their place, the server says what is wrong with it.
    if limits.iter().any(|(_, limit)| limit.is_some())
        && let Some(inner) = within(&mut body, "limits")
    {
        put(inner, limits.map(|(name, limit)| (name, limit.map(Value::from))));
    }
    if let Some(policy) = args.turns
        && let Some(turns) = within(&mut body, "turns")
    {
        put(turns, [("policy", Some(json!(policy)))]);
    }
    let participants = Some(args.participants).filter(|names| !names.is_empty());
    put(
        &mut body,
        [
            ("id", args.id.map(|id| json!(id))),
            ("participants", participants.map(|names| json!(names))),
            ("owner", args.owner.map(|owner| json!(owner))),
            ("parent", args.parent.map(|parent| json!(parent))),
            ("metadata", args.metadata),
        ],
    );
    show(session, &session.client.post_once(&conversations(), &Value::Object(body))?)
}

fn say(session: &Session, args: SayArgs) -> Result<(), CommandError> {
    let mut body = Map::new();
    put(
        &mut body,
        [
            ("author", Some(json!(args.author))),
            ("text", Some(json!(args.text))),
            ("id", args.id.map(|id| json!(id))),
            ("data", args.data),
            ("tokens", args.tokens.map(Value::from)),
            ("cost_micros", args.cost_micros.map(Value::from)),
        ],
    );
    let path = of(&args.conversation).segment("messages");
    show_receipt(session, &session.client.post_once(&path, &Value::Object(body))?)
}

fn top_up(session: &Session, args: TopUpArgs) -> Result<(), CommandError> {
    let mut amounts = Map::new();
    put(
        &mut amounts,
        [
            ("messages", args.messages.map(Value::from)),
            ("tokens", args.tokens.map(Value::from)),
            ("cost_micros", args.cost_micros.map(Value::from)),
        ],
    );
    let mut body = Map::new();
    if !amounts.is_empty() {
        let amounts = Value::Object(amounts);
        if args.each {
            put(&mut body, [("per_participant", Some(amounts))]);
        } else if args.participants.is_empty() {
            put(&mut body, [("total", Some(amounts))]);
        } else {
            let shares = args.participants.into_iter().map(|name| (String::from(name), amounts.clone()));
            put(&mut body, [("participants", Some(Value::Object(shares.collect())))]);
        }
    }
    put(&mut body, [("duration_ms", args.duration.map(Value::from))]);
    let path = of(&args.conversation).segment("top-up");
    show_receipt(session, &session.client.post_once(&path, &Value::Object(body))?)
}

fn delete(session: &Session, id: &ConversationId, confirm: &ConfirmArgs) -> Result<(), CommandError> {
    let now: Conversation = session.client.get(&of(id))?.parse()?;
    let state = now.exhausted.as_deref().unwrap_or("open");
    let text = format!(
        "delete conversation {id} ({state}):\n  its log and what is left of its budgets are given up\n  whoever \
         follows it is sent away\n"
    );
    let json = json!({"action": "delete", "conversation": id, "exhausted": now.exhausted});
    if go_ahead(&session.screen, confirm, &Plan { text, json: json.clone() })? {
        session.client.delete(&of(id))?;
        if session.screen.is_json() {
            session.screen.write_json(&json.to_string())?;
        } else {
            session.screen.write(&format!("{id} deleted\n"))?;
        }
    }
    Ok(())
}
