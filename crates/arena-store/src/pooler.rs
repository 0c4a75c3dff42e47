//! The start-up check that answers belong to their questions.
//!
//! Behind a pooler in transaction mode, a driver that prepares statements by name can be given another query's
//! result without any error. So the store asks questions with known answers before it is used.

use crate::db::{Store, Tx};
use crate::error::StoreError;
use sqlx::Row;

const CONNECTIONS: i64 = 8;
const QUESTIONS: i64 = 50;

/// Asks interleaved questions over several connections; any wrong answer makes the store unusable.
pub(crate) async fn check(store: &Store) -> Result<(), StoreError> {
    let mut askers = tokio::task::JoinSet::new();
    for asker in 0..CONNECTIONS {
        let store = store.clone();
        askers.spawn(async move { ask(&store, asker).await });
    }
    while let Some(outcome) = askers.join_next().await {
        outcome.map_err(|e| StoreError::Unusable(format!("the database self-check ended early: {e}")))??;
    }
    Ok(())
}

async fn ask(store: &Store, asker: i64) -> Result<(), StoreError> {
    for n in 0..QUESTIONS {
        let expected = asker * QUESTIONS + n;
        let got = ask_once(store, expected, n % 3).await.map_err(|error| match error {
            // An outage says nothing about the pooler.
            StoreError::Unavailable(_) => error,
            error => unusable(error),
        })?;
        if got != expected {
            return Err(unusable(format!("asked for {expected}, was told {got}")));
        }
    }
    Ok(())
}

async fn ask_once(store: &Store, question: i64, shape: i64) -> Result<i64, StoreError> {
    let mut tx = store.read().await?;
    let got = answer(&mut tx, question, shape).await?;
    tx.commit().await?;
    Ok(got)
}

/// Three texts, so that statements of different shape meet on one server connection.
async fn answer(tx: &mut Tx, question: i64, shape: i64) -> Result<i64, StoreError> {
    let statement = match shape {
        0 => tx.sql("SELECT CAST($1 AS BIGINT)"),
        1 => tx.sql("SELECT CAST($1 AS BIGINT) + 0"),
        _ => tx.sql("SELECT CAST($1 AS BIGINT) * 1"),
    };
    let row = tx.row(statement.bind(question)).await?;
    let row = row.ok_or_else(|| StoreError::Database("no row".to_owned()))?;
    Ok(row.try_get(0)?)
}

fn unusable(what: impl std::fmt::Display) -> StoreError {
    StoreError::Unusable(format!(
        "the database mixes up answers or errors under load ({what}). If a pooler in transaction mode stands in \
         front of it, set database.pgbouncer = true; otherwise check the server"
    ))
}
