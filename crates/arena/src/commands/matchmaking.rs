//! `arena match …`

use super::Session;
use super::confirm::{Plan, go_ahead};
use super::error::CommandError;
use super::lists::list;
use crate::cli::{ConfirmArgs, MatchCommand, MatchFilter};
use crate::client::wire::{Match, Queue, Report, Ticket, Tournament};
use crate::client::{Answer, ApiPath};
use crate::render::{
    counted, match_details, matches_table, queue_details, queues_table, reports_table, ticket_details,
    tickets_table, tournament_view,
};
use arena_core::matching::{MatchId, QueueName};
use serde_json::{Value, json};
use std::io::{self, Read};
use std::path::Path;

pub(super) fn run(session: &Session, command: MatchCommand) -> Result<(), CommandError> {
    match command {
        MatchCommand::Queues => queues(session),
        MatchCommand::Queue { queue } => show_queue(session, &session.client.get(&of_queue(&queue))?),
        MatchCommand::Set { queue, file } => {
            show_queue(session, &session.client.put(&of_queue(&queue), &rules_in(&file)?)?)
        }
        MatchCommand::Delete { queue, confirm } => delete(session, &queue, &confirm),
        MatchCommand::Tickets { filter, paging } => {
            let path = of("tickets")
                .query("queue", filter.queue)
                .query("state", filter.state)
                .query("user", filter.user)
                .query("kind", filter.kind);
            list::<Ticket>(session, &path, &paging, "tickets", tickets_table)
        }
        MatchCommand::Ticket { ticket } => {
            let answer = session.client.get(&of("tickets").segment(ticket))?;
            session.screen.show(&answer, |ticket: &Ticket, style| ticket_details(ticket, style))
        }
        MatchCommand::Matches { filter, paging } => {
            list::<Match>(session, &filtered("matches", filter), &paging, "matches", matches_table)
        }
        MatchCommand::Match { id } => show(session, &session.client.get(&of("matches").segment(id))?),
        MatchCommand::Close { id, confirm } => close(session, id, &confirm),
        MatchCommand::Reports { paging } => {
            list::<Report>(session, &of("reports"), &paging, "reports", reports_table)
        }
        MatchCommand::Tournaments { filter, paging } => {
            list::<Match>(session, &filtered("tournaments", filter), &paging, "tournaments", matches_table)
        }
        MatchCommand::Simulate(args) => super::simulate::run(&session.screen, &args),
        MatchCommand::Tournament { id } => {
            let answer = session.client.get(&of("tournaments").segment(id))?;
            session.screen.show(&answer, |cup: &Tournament, style| tournament_view(cup, style))
        }
    }
}

fn of(what: &str) -> ApiPath {
    ApiPath::new("matchmaking").segment(what)
}

fn of_queue(queue: &QueueName) -> ApiPath {
    of("queues").segment(queue)
}

fn filtered(what: &str, filter: MatchFilter) -> ApiPath {
    of(what).query("queue", filter.queue).query("state", filter.state)
}

/// All of them: there are few.
fn queues(session: &Session) -> Result<(), CommandError> {
    #[derive(serde::Deserialize)]
    struct Queues {
        items: Vec<Queue>,
    }
    let answer = session.client.get(&of("queues"))?;
    session.screen.show(&answer, |queues: &Queues, style| queues_table(&queues.items, style))
}

fn show_queue(session: &Session, answer: &Answer) -> Result<(), CommandError> {
    session.screen.show(answer, |queue: &Queue, style| queue_details(queue, style))
}

fn show(session: &Session, answer: &Answer) -> Result<(), CommandError> {
    session.screen.show(answer, |met: &Match, style| match_details(met, style))
}

/// The text of a file, or of standard input.
pub(super) fn text_of(path: &Path) -> Result<String, CommandError> {
    let read = || {
        if path != Path::new("-") {
            return std::fs::read_to_string(path);
        }
        let mut text = String::new();
        io::stdin().lock().read_to_string(&mut text).map(|_| text)
    };
    read().map_err(|source| CommandError::Unreadable { path: path.to_path_buf(), source })
}

/// Rules as they stand there. What is wrong with their fields is said by the server, which may know more of them.
fn rules_in(path: &Path) -> Result<Value, CommandError> {
    let bad = |why: String| CommandError::BadRules { path: path.to_path_buf(), why };
    match serde_json::from_str(&text_of(path)?) {
        Ok(rules @ Value::Object(_)) => Ok(rules),
        Ok(_) => Err(bad("rules are a JSON object, such as {\"teams\": 2}".to_owned())),
        Err(error) => Err(bad(format!("is not JSON: {error}"))),
    }
}

fn delete(session: &Session, name: &QueueName, confirm: &ConfirmArgs) -> Result<(), CommandError> {
    let now: Queue = session.client.get(&of_queue(name))?.parse()?;
    let waiting = now.waiting.humans + now.waiting.bots;
    let text = format!(
        "delete queue {name}:\n  its rules are given up, and {} that wait{} in it end{} as queue_gone\n  matches \
         that were made go on\n",
        counted(waiting, "ticket"),
        if waiting == 1 { "s" } else { "" },
        if waiting == 1 { "s" } else { "" },
    );
    let json = json!({"action": "delete", "queue": name, "waiting": waiting});
    if go_ahead(&session.screen, confirm, &Plan { text, json: json.clone() })? {
        session.client.delete(&of_queue(name))?;
        if session.screen.is_json() {
            session.screen.write_json(&json.to_string())?;
        } else {
            session.screen.write(&format!("{name} deleted\n"))?;
        }
    }
    Ok(())
}

fn close(session: &Session, id: MatchId, confirm: &ConfirmArgs) -> Result<(), CommandError> {
    let path = of("matches").segment(id);
    let now: Match = session.client.get(&path)?.parse()?;
    let users: Vec<&str> = now.members.iter().map(|member| member.user.as_str()).collect();
    let text = format!(
        "end match {id} ({}):\n  {} are told, and their conversation is closed\n",
        now.state,
        users.join(", ")
    );
    let json = json!({"action": "close", "match": id, "state": now.state, "users": users});
    if go_ahead(&session.screen, confirm, &Plan { text, json })? {
        show(session, &session.client.post_once(&path.segment("close"), &json!({}))?)?;
    }
    Ok(())
}
