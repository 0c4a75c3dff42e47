//! Many senders race for the last messages that a conversation has left.

use super::Args;
use super::rig::{self, Rig};
use crate::databases::Database;
use crate::progress;
use crate::report::Report;
use crate::table::{Cell, Table};
use anyhow::{Context, bail, ensure};
use arena_control::{ConversationSettings, Conversations, SubmitError};
use arena_core::conversation::{Caps, Code, ConversationId, Limits, ParticipantId, Setup};
use arena_store::Actor;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

/// Senders in a race, each of whom says one thing.
const SENDERS: usize = 64;
/// What is left when it begins.
const LEFT: u64 = 10;
/// What was said before.
const SAID: u64 = 2;
/// Lines of a log that are read at once; a race leaves fewer.
const PAGE: u32 = 500;

/// How the races ended.
#[derive(Debug, Default)]
struct Outcome {
    exact: u32,
    too_many: u32,
    too_few: u32,
    took: Duration,
    retries: u64,
}

/// Runs the races, through one service and through two over the same database.
pub async fn measure(args: &Args, database: &Database, report: &mut Report) -> anyhow::Result<()> {
    const COLUMNS: [&str; 7] =
        ["services", "races", "exactly_10", "more", "fewer", "races_per_s", "batches_begun_again"];
    let name = database.name();
    let title = format!("{name}: {SENDERS} senders race for the last {LEFT} messages");
    let mut table = Table::new(title, &COLUMNS);
    for services in [1, 2] {
        progress(&format!("{name}: {} races, {services} services", args.races));
        let outcome = races(args, database, services).await?;
        table.row([
            Cell::Number(services as f64, 0),
            Cell::Number(f64::from(args.races), 0),
            Cell::Number(f64::from(outcome.exact), 0),
            Cell::Number(f64::from(outcome.too_many), 0),
            Cell::Number(f64::from(outcome.too_few), 0),
            Cell::Number(f64::from(args.races) / outcome.took.as_secs_f64(), 0),
            Cell::Number(outcome.retries as f64, 0),
        ]);
        if outcome.exact != args.races {
            bail!("{name}, {services} services: not exactly at the limit\n\n{table}");
        }
    }
    report.table(table);
    report.at_most(format!("{name}: races in which not exactly {LEFT} messages were let through"), 0.0, 0.0);
    Ok(())
}

async fn races(args: &Args, database: &Database, services: usize) -> anyhow::Result<Outcome> {
    let own = database.create()?;
    let mut rigs = Vec::new();
    for _ in 0..services {
        rigs.push(Rig::start(&own, ConversationSettings::default()).await?);
    }
    let doors: Vec<Conversations> = rigs.iter().map(|rig| rig.conversations.clone()).collect();
    let participants = Arc::new(rig::participants(SENDERS)?);
    let total = Caps { messages: Some(SAID + LEFT), ..Caps::default() };
    let setup = Setup { limits: Limits { total, ..Limits::default() }, ..Setup::default() };
    let mut outcome = Outcome::default();
    let started = Instant::now();
    for nth in 0..args.races {
        let ids = rig::create(&doors[0], &format!("race-{nth}"), 1, &setup).await?;
        let id = ids.first().context("no conversation was created")?;
        for _ in 0..SAID {
            let before = rig::say(&participants[0], "before the race");
            doors[0].submit(&Actor::system(), id, before).await?;
        }
        let through = race(&doors, id, &participants).await?;
        match through.cmp(&LEFT) {
            std::cmp::Ordering::Equal => outcome.exact += 1,
            std::cmp::Ordering::Greater => outcome.too_many += 1,
            std::cmp::Ordering::Less => outcome.too_few += 1,
        }
        check(&doors[0], id, SAID + through).await?;
    }
    outcome.took = started.elapsed();
    outcome.retries = doors.iter().map(|door| door.stats().retries).sum();
    for rig in rigs {
        rig.stop().await?;
    }
    Ok(outcome)
}

/// Everybody says something at the same moment; returns how many were let through.
async fn race(
    doors: &[Conversations],
    id: &ConversationId,
    participants: &Arc<Vec<ParticipantId>>,
) -> anyhow::Result<u64> {
    let start = Arc::new(Barrier::new(SENDERS));
    let mut tasks = JoinSet::new();
    for sender in 0..SENDERS {
        let door = doors[sender % doors.len()].clone();
        let (id, participants, start) = (id.clone(), Arc::clone(participants), Arc::clone(&start));
        tasks.spawn(async move {
            start.wait().await;
            let word = rig::say(&participants[sender], "me!");
            match door.submit(&Actor::system(), &id, word).await {
                Ok(receipt) => {
                    ensure!(!receipt.repeated && receipt.dropped.is_none(), "not said: {receipt:?}");
                    Ok(1)
                }
                Err(SubmitError::Refused(refusal)) if refusal.code == Code::TotalLimit => Ok(0),
                Err(error) => Err(error).context("refused for another reason"),
            }
        });
    }
    let mut through = 0;
    while let Some(ended) = tasks.join_next().await {
        through += ended??;
    }
    Ok(through)
}

/// Whether the log says so too: every message once, one end, no gap.
async fn check(conversations: &Conversations, id: &ConversationId, messages: u64) -> anyhow::Result<()> {
    let page = conversations.messages(id, 0, PAGE).await?;
    ensure!(!page.more, "the log of {id} is longer than {PAGE} lines");
    let gap = page.lines.iter().zip(1..).find(|(line, expected)| line.position != *expected);
    ensure!(gap.is_none(), "a gap in the log of {id}: {gap:?}");
    let count = |event: &str| page.lines.iter().filter(|line| &*line.event == event).count() as u64;
    ensure!(
        count("message") == messages,
        "{} of {messages} messages of {id} are in the log",
        count("message")
    );
    ensure!(count("exhausted") == 1, "{id} came to its end {} times", count("exhausted"));
    let capacity = conversations.capacity(id).await?;
    let used = capacity.total.used.messages;
    ensure!(used == messages && capacity.exhausted, "{used} messages of {id} are charged, not {messages}");
    Ok(())
}
