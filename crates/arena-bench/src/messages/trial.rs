//! One measurement: so many messages in flight, each acknowledged before its sender says the next.

use super::rig::{self, Rig, Talk};
use crate::databases::Database;
use crate::latency::Latencies;
use crate::machine::process_cpu;
use anyhow::{Context, ensure};
use arena_control::Conversations;
use arena_core::conversation::{Command, ParticipantId, Say, TurnPolicy, Turns};
use arena_store::Actor;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Statements are prepared and memory is found before anything is measured.
const WARM_UP: Duration = Duration::from_secs(1);
/// What was acknowledged is delivered by then, or never.
const PATIENCE: Duration = Duration::from_secs(10);
/// In the roster of each conversation.
const PARTICIPANTS: usize = 8;
/// Makes a body of 200 bytes together with the author's name.
const TEXT_BYTES: usize = 164;

/// What is said.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Conversations, which are spoken in in turns.
    pub conversations: usize,
    /// Messages under way at the same time.
    pub in_flight: usize,
    /// Whether senders choose ids.
    pub ids: bool,
    /// Whether participants take turns; then no more messages than conversations can be under way.
    pub turns: bool,
    /// How long.
    pub lasting: Duration,
}

/// What came of it.
#[derive(Debug)]
pub struct Trial {
    /// Messages charged, stored, acknowledged and delivered, a second.
    pub rate: f64,
    /// From the call to the acknowledgement.
    pub acks: Latencies,
    /// Entries in a transaction, on average.
    pub batch: f64,
    /// Cores that this process has used, senders and listeners included.
    pub own_cores: f64,
    /// Cores that the database's server has used, if there is one.
    pub server_cores: f64,
    /// What the disk had to write for each message, in KiB.
    pub written_kib: f64,
    /// A body as it was stored.
    pub body: String,
}

/// Measures on a database of its own, and checks everything that was said.
pub async fn run(database: &Database, load: Load) -> anyhow::Result<Trial> {
    let (_own, rig) = rig::fresh(database).await?;
    let participants = rig::participants(PARTICIPANTS)?;
    let turns = if load.turns { TurnPolicy::RoundRobin } else { TurnPolicy::Free };
    let setup = rig::never_spent(participants.clone(), Turns { policy: turns, timeout_ms: None });
    let ids = rig::create(&rig.conversations, "talk", load.conversations, &setup).await?;
    let talks = Arc::new(rig::listen(&rig.conversations, &ids).await?);

    let (participants, ids) = (Arc::new(participants), Arc::default());
    let senders = Senders { talks: Arc::clone(&talks), participants, ids, load };
    let warm = senders.talk(&rig.conversations, WARM_UP).await?;
    let (server, written) = (database.server_cpu()?, database.written_bytes()?);
    let (before, cpu, started) = (rig.conversations.stats(), process_cpu("self")?, Instant::now());
    let said = senders.talk(&rig.conversations, load.lasting).await?;
    let (took, cpu) = (started.elapsed().as_secs_f64(), process_cpu("self")? - cpu);
    let (server, written) = (database.server_cpu()? - server, database.written_bytes()? - written);
    let after = rig.conversations.stats();

    let all = (warm.len() + said.len()) as u64;
    check(&rig, &talks, all).await?;
    let line = rig.conversations.messages(&talks[0].id, 1, 1).await?.lines.pop();
    let body = line.context("nothing was said in the first conversation")?.body;
    rig.stop().await?;
    Ok(Trial {
        rate: said.len() as f64 / took,
        written_kib: written as f64 / 1024.0 / said.len() as f64,
        acks: Latencies::new(said),
        batch: (after.entries - before.entries) as f64 / (after.batches - before.batches) as f64,
        own_cores: cpu.as_secs_f64() / took,
        server_cores: server.as_secs_f64() / took,
        body: String::from_utf8(body.to_vec())?,
    })
}

/// Whether everything that was acknowledged was charged once, stands in the log and was heard.
async fn check(rig: &Rig, talks: &[Talk], said: u64) -> anyhow::Result<()> {
    let heard = || talks.iter().map(|talk| talk.listener.messages()).sum::<u64>();
    let all_heard = async {
        while heard() < said {
            sleep(Duration::from_millis(1)).await;
        }
    };
    // The count below says what is wrong if they were not all heard.
    let _ = timeout(PATIENCE, all_heard).await;
    ensure!(heard() == said, "{said} messages were acknowledged, {} were delivered", heard());
    let gaps: u64 = talks.iter().map(|talk| talk.listener.gaps()).sum();
    ensure!(gaps == 0, "offsets that listeners have missed or heard twice: {gaps}");
    let (mut charged, mut stored) = (0, 0);
    for talk in talks {
        charged += rig.conversations.capacity(&talk.id).await?.total.used.messages;
        // The log's end, as the database has it: nothing stands behind it, everything before it was heard.
        let last = talk.listener.last();
        let end = rig.conversations.messages(&talk.id, last - 1, 2).await?;
        ensure!(end.lines.len() == 1 && end.position == last, "{} does not end at {last}", talk.id);
        stored += last - 1;
    }
    ensure!(charged == said, "{said} messages were acknowledged, {charged} were charged");
    ensure!(stored == said, "{said} messages were acknowledged, {stored} are in the log");
    Ok(())
}

/// What all senders share.
#[derive(Clone)]
struct Senders {
    talks: Arc<Vec<Talk>>,
    participants: Arc<Vec<ParticipantId>>,
    /// Ids given so far.
    ids: Arc<AtomicU64>,
    load: Load,
}

impl Senders {
    /// Talks for a while; returns how long each message took to be acknowledged.
    async fn talk(&self, conversations: &Conversations, lasting: Duration) -> anyhow::Result<Vec<Duration>> {
        let until = Instant::now() + lasting;
        let mut tasks = JoinSet::new();
        for nth in 0..self.load.in_flight {
            tasks.spawn(self.clone().one(nth, conversations.clone(), until));
        }
        let mut acks = Vec::new();
        while let Some(ended) = tasks.join_next().await {
            acks.extend(ended??);
        }
        Ok(acks)
    }

    /// The `nth` sender says something in one conversation after the other; in its own, where turns are taken.
    async fn one(
        self,
        nth: usize,
        conversations: Conversations,
        until: Instant,
    ) -> anyhow::Result<Vec<Duration>> {
        let (actor, mut acks) = (Actor::system(), Vec::new());
        let (mut talk, mut author) = (nth % self.talks.len(), nth);
        if self.load.turns {
            // The first line of the log is no message, every other one is.
            author = usize::try_from(self.talks[talk].listener.last() - 1)?;
        }
        while Instant::now() < until {
            let command = self.message(author)?;
            let begun = Instant::now();
            let receipt = conversations.submit(&actor, &self.talks[talk].id, command).await?;
            acks.push(begun.elapsed());
            ensure!(!receipt.repeated && receipt.dropped.is_none(), "not said: {receipt:?}");
            author += 1;
            if !self.load.turns {
                talk = (talk + self.load.in_flight) % self.talks.len();
            }
        }
        Ok(acks)
    }

    fn message(&self, author: usize) -> anyhow::Result<Command> {
        let id = self.load.ids.then(|| format!("m-{}", self.ids.fetch_add(1, Ordering::Relaxed)).parse());
        Ok(Command::Say(Say {
            author: self.participants[author % self.participants.len()].clone(),
            id: id.transpose()?,
            text: "x".repeat(TEXT_BYTES),
            data: None,
            tokens: 120,
            cost_micros: 35,
            reservation: None,
        }))
    }
}
