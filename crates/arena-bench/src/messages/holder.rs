//! A process of its own that holds conversations, because what a process was given back it seldom gives to the system:
//! whoever measures memory begins with an empty one. Prints what it has seen as one line of JSON.

use super::rig::{self, Rig, Talk};
use crate::machine::{process_cpu, resident_bytes};
use anyhow::{Context, ensure};
use arena_control::{ConversationSettings, Conversations};
use arena_core::conversation::{ConversationId, ParticipantId, Setup, Turns};
use arena_store::{Actor, Store, StoreOptions};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use std::process::Command;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Arguments of the holder.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Its database
    #[arg(long)]
    database: String,
    /// What is done with the conversations
    #[arg(long, value_enum)]
    plan: Plan,
    /// How many there are
    #[arg(long)]
    conversations: usize,
    /// How many are spoken in
    #[arg(long)]
    active: usize,
}

/// What is done with the conversations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Plan {
    /// They are created, spoken in, listened to.
    Fill,
    /// They are created and spoken in, and leave memory again.
    Leave,
    /// They are in the store; some are spoken in.
    Wake,
}

impl Plan {
    fn as_str(self) -> &'static str {
        match self {
            Plan::Fill => "fill",
            Plan::Leave => "leave",
            Plan::Wake => "wake",
        }
    }
}

/// A moment in the life of the process.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Stage {
    /// What has just been done.
    pub what: String,
    /// How long it took, in milliseconds.
    pub ms: f64,
    /// Processor time that it took, in milliseconds.
    pub cpu_ms: f64,
    /// Memory of the process then, in bytes.
    pub bytes: u64,
}

/// In the roster of each conversation.
const PARTICIPANTS: usize = 4;
/// As long as in the other parts of the benchmark.
const TEXT_BYTES: usize = 164;
/// More than a stream keeps: then its history is full.
const MESSAGES: usize = 80;
/// Until conversations that nobody asks for anything leave memory, where they are to.
const IDLE: Duration = Duration::from_secs(2);
/// What has not left by then never will.
const PATIENCE: Duration = Duration::from_secs(60);
/// Conversations that are woken are spread over the store: every so many-th of those that were made.
const STRIDE: usize = 7_919;

/// Starts a holder and waits for its end.
pub fn hold(database: &str, plan: Plan, conversations: usize, active: usize) -> anyhow::Result<Vec<Stage>> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["messages-holder", "--database", database, "--plan", plan.as_str()]);
    command.args(["--conversations", &conversations.to_string(), "--active", &active.to_string()]);
    let output = command.output().context("start a process that holds conversations")?;
    ensure!(output.status.success(), "it failed: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).context("read what it has seen")
}

/// The holder itself.
pub async fn run(args: &Args) -> anyhow::Result<()> {
    let mut stages = Stages::default();
    let store = Store::open(&StoreOptions::new(args.database.as_str())).await?;
    let idle = if args.plan == Plan::Leave { IDLE } else { Duration::from_secs(3_600) };
    let settings =
        ConversationSettings { idle, max_active: usize::MAX / 2, ..ConversationSettings::default() };
    let rig = Rig::over(store, settings)?;
    stages.done("started")?;
    let participants = rig::participants(PARTICIPANTS)?;
    let setup = rig::never_spent(participants.clone(), Turns::default());
    match args.plan {
        Plan::Fill => fill(args, &rig.conversations, &setup, &participants, &mut stages).await?,
        Plan::Leave => leave(args, &rig.conversations, &setup, &participants, &mut stages).await?,
        Plan::Wake => wake(args, &rig.conversations, &participants, &mut stages).await?,
    }
    println!("{}", serde_json::to_string(&stages.all)?);
    rig.stop().await
}

async fn fill(
    args: &Args,
    conversations: &Conversations,
    setup: &Setup,
    participants: &[ParticipantId],
    stages: &mut Stages,
) -> anyhow::Result<()> {
    let ids = rig::create(conversations, "held", args.conversations, setup).await?;
    stages.done("created")?;
    speak(conversations, &ids, participants, 2).await?;
    stages.done("2 messages each")?;
    let talks: Vec<Talk> = rig::listen(conversations, &ids).await?;
    stages.done("listened to")?;
    speak(conversations, &ids, participants, MESSAGES).await?;
    stages.done("82 messages each")?;
    let gaps: u64 = talks.iter().map(|talk| talk.listener.gaps()).sum();
    ensure!(gaps == 0, "listeners have missed {gaps} messages");
    Ok(())
}

async fn leave(
    args: &Args,
    conversations: &Conversations,
    setup: &Setup,
    participants: &[ParticipantId],
    stages: &mut Stages,
) -> anyhow::Result<()> {
    let ids = rig::create(conversations, "held", args.conversations, setup).await?;
    speak(conversations, &ids, participants, 2).await?;
    stages.done("2 messages each")?;
    let since = Instant::now();
    while conversations.stats().active > 0 {
        ensure!(since.elapsed() < PATIENCE, "{} are in memory still", conversations.stats().active);
        sleep(Duration::from_millis(20)).await;
    }
    stages.done("all idle, none in memory")
}

async fn wake(
    args: &Args,
    conversations: &Conversations,
    participants: &[ParticipantId],
    stages: &mut Stages,
) -> anyhow::Result<()> {
    ensure!(!args.conversations.is_multiple_of(STRIDE), "every conversation would be the same one");
    let woken = (0..args.active).map(|n| super::bulk::id(n * STRIDE % args.conversations));
    let ids = woken.collect::<anyhow::Result<Vec<_>>>()?;
    speak(conversations, &ids[..1], participants, 1).await?;
    stages.done("first message")?;
    speak(conversations, &ids, participants, 1).await?;
    stages.done("1 message each")?;
    speak(conversations, &ids, participants, MESSAGES).await?;
    stages.done("81 messages each")
}

/// Says something in each, one after the other in each, in many at the same time.
async fn speak(
    conversations: &Conversations,
    ids: &[ConversationId],
    participants: &[ParticipantId],
    messages: usize,
) -> anyhow::Result<()> {
    let text = "x".repeat(TEXT_BYTES);
    rig::each(ids, |id| {
        let (conversations, participants, text) =
            (conversations.clone(), participants.to_vec(), text.clone());
        async move {
            for nth in 0..messages {
                let word = rig::say(&participants[nth % participants.len()], &text);
                conversations.submit(&Actor::system(), &id, word).await?;
            }
            Ok(())
        }
    })
    .await
}

/// What was done so far.
struct Stages {
    all: Vec<Stage>,
    since: Instant,
    cpu: Duration,
}

impl Default for Stages {
    fn default() -> Self {
        Stages { all: Vec::new(), since: Instant::now(), cpu: Duration::ZERO }
    }
}

impl Stages {
    fn done(&mut self, what: &str) -> anyhow::Result<()> {
        let cpu = process_cpu("self")?;
        self.all.push(Stage {
            what: what.to_owned(),
            ms: self.since.elapsed().as_secs_f64() * 1e3,
            cpu_ms: (cpu - self.cpu).as_secs_f64() * 1e3,
            bytes: resident_bytes("self")?,
        });
        (self.since, self.cpu) = (Instant::now(), cpu);
        Ok(())
    }
}
