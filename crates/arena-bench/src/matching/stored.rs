//! A whole look at a queue of the store's: who waits, who is not to meet, the rules, and the transactions that make the
//! matches; beside the bare database that writes the same rows.

use super::crowd::{NOW, humans};
use super::{Args, bare};
use crate::databases::open;
use crate::machine::process_cpu;
use crate::progress;
use crate::report::Report;
use crate::table::{Cell, Table};
use anyhow::{Context, ensure};
use arena_core::Timestamp;
use arena_core::admission::AdmissionRules;
use arena_core::matching::{Formed, MatchId, QueueName, Rules, Waiting, form};
use arena_store::{ConversationRow, LogRow, MatchDraft, NewTicket, Store};
use arena_testing::TestDatabase;
use std::time::{Duration, Instant};
use uuid::Uuid;

const COLUMNS: [&str; 6] = ["what", "pairs", "ms", "pairs_per_s", "ratio_to_floor", "own_cpu_us_each"];
/// Matches in one transaction, as many as the service makes in one.
pub(super) const BATCH: usize = 500;
/// What is remembered of a conversation of two, and of its first line, is about as long.
const STATE_LENGTH: usize = 500;
const LINE_LENGTH: usize = 300;
/// Keys of conversations are made from the time; these are as long.
const FIRST_KEY: i64 = 1 << 60;

/// How long something took, and how much of the processor.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Took {
    pub(super) time: Duration,
    pub(super) cpu: Duration,
}

/// The parts of a look.
#[derive(Debug, Default)]
struct Look {
    waiting: Took,
    avoided: Took,
    form: Took,
    make: Took,
    pairs: usize,
}

/// Measures one look at so many tickets, all of which wait, in a SQLite file.
pub async fn measure(args: &Args, report: &mut Report) -> anyhow::Result<()> {
    let (mut looks, mut floors) = (Vec::new(), Vec::new());
    for run in 1..=args.runs {
        progress(&format!("{} stored tickets, run {run} of {}", args.stored, args.runs));
        floors.push(bare::floor(args.stored).await?);
        looks.push(look(args.stored).await?);
    }
    let (table, rate) = table(args, looks, floors);
    report.table(table);
    report.at_least("pairs a second of a whole look at a SQLite file", 5_000.0, rate);
    report.note(
        "checked after each look: every pair that the rules formed was made, and twice as many tickets are proposed; \
         floor: the same rows by plain statements of the bare database in the same tables, nothing looked up or checked",
    );
    Ok(())
}

/// Medians by the time of the whole look; and the pairs a second.
fn table(args: &Args, mut looks: Vec<Look>, mut floors: Vec<(usize, Took)>) -> (Table, f64) {
    looks.sort_by_key(|look| look.whole().time);
    floors.sort_by_key(|(_, took)| took.time);
    let (look, floor) = (&looks[looks.len() / 2], floors[floors.len() / 2]);
    let rate = |pairs: usize, took: Took| pairs as f64 / took.time.as_secs_f64();
    let floor_rate = rate(floor.0, floor.1);
    let mut table =
        Table::new(format!("A look at {} stored tickets, in batches of {BATCH}", args.stored), &COLUMNS);
    for (what, pairs, took) in [
        ("floor: the same rows, bare", floor.0, floor.1),
        ("who waits", look.pairs, look.waiting),
        ("who is not to meet", look.pairs, look.avoided),
        ("rules", look.pairs, look.form),
        ("matches made", look.pairs, look.make),
        ("the whole look", look.pairs, look.whole()),
    ] {
        table.row([
            Cell::text(what),
            Cell::Number(pairs as f64, 0),
            Cell::Number(took.time.as_secs_f64() * 1e3, 1),
            Cell::Number(rate(pairs, took), 0),
            Cell::Number(rate(pairs, took) / floor_rate, 2),
            Cell::Number(took.cpu.as_secs_f64() * 1e6 / pairs as f64, 0),
        ]);
    }
    (table, rate(look.pairs, look.whole()))
}

impl Look {
    fn whole(&self) -> Took {
        let parts = [self.waiting, self.avoided, self.form, self.make];
        Took { time: parts.iter().map(|took| took.time).sum(), cpu: parts.iter().map(|took| took.cpu).sum() }
    }
}

/// What a part takes.
pub(super) async fn timed<T>(part: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<(T, Took)> {
    let (started, before) = (Instant::now(), process_cpu("self")?);
    let done = part.await?;
    Ok((done, Took { time: started.elapsed(), cpu: process_cpu("self")? - before }))
}

async fn look(many: usize) -> anyhow::Result<Look> {
    let own = TestDatabase::sqlite();
    let store = open(&own, AdmissionRules::default()).await?;
    let (queue, rules) = (QueueName::strangers(), Rules::strangers());
    enqueue(&store, many).await?;
    bare::part_neighbours(&own).await?;
    let mut look = Look::default();
    let (waiting, avoid, formed);
    (waiting, look.waiting) = timed(async { Ok(store.waiting(&queue).await?) }).await?;
    ensure!(waiting.len() == many, "{} of {many} tickets wait", waiting.len());
    (avoid, look.avoided) = timed(async { Ok(store.avoided(&queue, NOW).await?) }).await?;
    (formed, look.form) = timed(async { Ok(form(&rules, &waiting, &avoid, NOW, 0)) }).await?;
    (look.pairs, look.make) = timed(make(&store, &queue, &waiting, &formed)).await?;
    ensure!(look.pairs == formed.len() && look.pairs * 3 > many, "{} matches of {many}", look.pairs);
    let counts = store.queue_counts(&queue).await?;
    ensure!(counts.proposed == 2 * look.pairs as u64, "{counts:?} after {} matches", look.pairs);
    store.close().await;
    Ok(look)
}

/// Tickets of the same humans whose rules alone are measured, who have come within the last half minute.
pub(super) async fn enqueue(store: &Store, many: usize) -> anyhow::Result<()> {
    store.put_match_queue(&QueueName::strangers(), &Rules::strangers(), true).await?;
    let humans = humans(many);
    let parts = humans.chunks(many.div_ceil(20).max(1));
    for (part, before) in parts.zip((0..20).rev()) {
        let new = |ticket: &Waiting| NewTicket {
            id: ticket.id,
            queue: QueueName::strangers(),
            wish: ticket.wish.as_ref().clone(),
        };
        let new: Vec<_> = part.iter().map(new).collect();
        for outcome in store.create_tickets(&new, Timestamp(NOW.0 - 1_500 * before)).await? {
            outcome.context("make a ticket")?;
        }
    }
    Ok(())
}

async fn make(
    store: &Store,
    queue: &QueueName,
    waiting: &[Waiting],
    formed: &[Formed],
) -> anyhow::Result<usize> {
    let (mut made, mut key) = (0, FIRST_KEY);
    for part in formed.chunks(BATCH) {
        let mut drafts = Vec::with_capacity(part.len());
        for formed in part {
            key += 1;
            drafts.push(draft(waiting, formed, key)?);
        }
        made += store.make_matches(queue, &drafts, NOW).await?.len();
    }
    Ok(made)
}

fn draft(waiting: &[Waiting], formed: &Formed, key: i64) -> anyhow::Result<MatchDraft> {
    let id = MatchId(Uuid::now_v7());
    let team =
        |team: &Vec<usize>| team.iter().map(|place| (waiting[*place].id, waiting[*place].version)).collect();
    Ok(MatchDraft {
        id,
        teams: formed.teams.iter().map(team).collect(),
        quality: formed.quality,
        confirm_until: Timestamp(NOW.0 + 8_000),
        conversation: conversation(id, key)?,
        log: vec![line(key)],
    })
}

pub(super) fn conversation(id: MatchId, key: i64) -> anyhow::Result<ConversationRow> {
    Ok(ConversationRow {
        key,
        id: format!("match-{}", id.0.simple()).parse()?,
        owner: None,
        root: None,
        state: "s".repeat(STATE_LENGTH),
        position: 1,
        exhausted: false,
        created_at: NOW,
        due_at: None,
    })
}

pub(super) fn line(key: i64) -> LogRow {
    LogRow {
        key,
        position: 1,
        at: NOW,
        event: "created".to_owned(),
        message_id: None,
        body: "b".repeat(LINE_LENGTH),
    }
}
