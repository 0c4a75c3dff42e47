//! One server at a time: worlds live in the process of their server, and a second one would take them for gone.

use crate::connect::{connect_once, sqlite_path};
use crate::db::StoreOptions;
use crate::error::StoreError;
use sqlx::{AnyConnection, Row};
use std::fs::{File, TryLockError};
use std::time::Duration;

/// An advisory lock's number on PostgreSQL.
const SERVER_LOCK: i64 = 0x4152_454e_4103;
/// A server that was killed just now may be held for alive for a moment.
const TRIES: u32 = 10;
const BETWEEN_TRIES: Duration = Duration::from_millis(200);

/// The right to serve from a database; given back when it is dropped, and by the system when the process dies.
#[derive(Debug)]
pub struct Claim {
    _held: Held,
}

#[derive(Debug)]
#[allow(dead_code, reason = "held, not read")]
enum Held {
    /// A locked file beside the SQLite file.
    File(File),
    /// A connection whose session holds a lock. It is not taken again if PostgreSQL restarts.
    Connection(Box<AnyConnection>),
    /// Behind a pooler in transaction mode no session is ours to hold a lock in.
    Nothing,
}

impl Claim {
    /// Claims a database, or says that another server uses it.
    pub async fn take(options: &StoreOptions) -> Result<Claim, StoreError> {
        for _ in 0..TRIES {
            if let Some(held) = try_take(options).await? {
                return Ok(Claim { _held: held });
            }
            tokio::time::sleep(BETWEEN_TRIES).await;
        }
        let text =
            "another server uses this database; stop it, or name another with --data-dir or --database-url";
        Err(StoreError::Unusable(text.to_owned()))
    }
}

async fn try_take(options: &StoreOptions) -> Result<Option<Held>, StoreError> {
    if let Some(path) = options.url.strip_prefix("sqlite:") {
        return lock_beside(path);
    }
    if options.pooled {
        return Ok(Some(Held::Nothing));
    }
    let mut connection = connect_once(options).await?;
    let sql = "SELECT CASE WHEN pg_try_advisory_lock($1) THEN 1 ELSE 0 END";
    let row = sqlx::query(sql).bind(SERVER_LOCK).fetch_one(&mut connection).await?;
    let taken = row.try_get::<i32, _>(0)? == 1;
    Ok(taken.then(|| Held::Connection(Box::new(connection))))
}

fn lock_beside(url_path: &str) -> Result<Option<Held>, StoreError> {
    let mut path = sqlite_path(url_path)?.into_os_string();
    path.push(".lock");
    let failed = |e| StoreError::Unusable(format!("cannot lock {}: {e}", path.to_string_lossy()));
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Held::File(file))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}
