//! The store alone: batches of log rows handed to it by one caller, the most that the service over it can reach.

use super::append::{Appended, MOVE_WAL_EVERY, Meter, Shape};
use crate::databases::{Database, open};
use arena_core::admission::AdmissionRules;
use arena_core::conversation::ConversationId;
use arena_store::{Batch, ConversationRow, LogRow, Store, StoreError, now};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// Keys of conversations are made from the time; these are as long.
const FIRST_KEY: i64 = 1 << 60;

/// Hands over one batch after the other for a while, on a database of its own.
pub async fn store(database: &Database, shape: Shape<'_>, lasting: Duration) -> anyhow::Result<Appended> {
    let own = database.create()?;
    let store = open(&own, AdmissionRules::default()).await?;
    let conversations = i64::try_from(shape.conversations)?;
    let created = (0..conversations).map(conversation).collect::<anyhow::Result<Vec<_>>>()?;
    store.write_conversations(&Batch { created, ..Batch::default() }).await?;
    let (mut next, mut batches) = (0_i64, Vec::new());
    let moving = moving_wal(store.clone());
    let (started, meter) = (Instant::now(), Meter::start(database)?);
    while started.elapsed() < lasting {
        let log = (0..i64::try_from(shape.batch)?).map(|row| line(&shape, next + row, conversations));
        let batch = Batch { log: log.collect(), ..Batch::default() };
        let begun = Instant::now();
        store.write_conversations(&batch).await?;
        batches.push(begun.elapsed());
        next += i64::try_from(shape.batch)?;
    }
    let appended = meter.stop(database, next, batches)?;
    drop(moving);
    store.close().await;
    Ok(appended)
}

/// What the control plane does beside it. Ends when it is dropped.
fn moving_wal(store: Store) -> JoinSet<Result<(), StoreError>> {
    let mut task = JoinSet::new();
    task.spawn(async move {
        loop {
            sleep(MOVE_WAL_EVERY).await;
            store.move_wal().await?;
        }
    });
    task
}

fn conversation(nth: i64) -> anyhow::Result<ConversationRow> {
    let id: ConversationId = format!("talk-{nth}").parse()?;
    Ok(ConversationRow {
        key: FIRST_KEY + nth,
        root: Some(id.clone()),
        id,
        owner: None,
        state: "{}".to_owned(),
        position: 0,
        exhausted: false,
        created_at: now(),
        due_at: None,
    })
}

fn line(shape: &Shape<'_>, nth: i64, conversations: i64) -> LogRow {
    LogRow {
        key: FIRST_KEY + nth % conversations,
        position: 1 + nth / conversations,
        at: now(),
        event: "message".to_owned(),
        message_id: shape.ids.then(|| format!("m-{nth}")),
        body: shape.body.to_owned(),
    }
}
