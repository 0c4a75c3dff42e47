//! What the store can fail with.

use arena_core::admission::AdmitError;

/// The database did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, is overloaded or restarting: nothing is known, try again.
    #[error("the database does not answer: {0}")]
    Unavailable(String),
    /// Two transactions got in each other's way and this one was rolled back.
    #[error("the transaction was rolled back by a concurrent one")]
    Contended,
    /// It refused to overfill a channel.
    #[error("the database refused to overfill a channel")]
    Overfull,
    /// A value that must be unique is taken.
    #[error("`{0}` is taken already")]
    Taken(String),
    /// A stored value that this version cannot read.
    #[error("the database holds something unreadable: {0}")]
    Corrupt(String),
    /// A cursor that no page of ours gave out.
    #[error("the cursor is not one that a page gave out")]
    BadCursor,
    /// It cannot be used as it is configured; what to do about it.
    #[error("{0}")]
    Unusable(String),
    /// Anything else that the database complained about.
    #[error("database: {0}")]
    Database(String),
}

impl StoreError {
    /// A value of the database that does not parse.
    pub(crate) fn corrupt(what: impl std::fmt::Display) -> StoreError {
        StoreError::Corrupt(what.to_string())
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> StoreError {
        match &error {
            sqlx::Error::Database(db) => sort(db.as_ref()),
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::RowNotFound => {
                StoreError::corrupt(error)
            }
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::BeginFailed
            | sqlx::Error::WorkerCrashed => StoreError::Unavailable(error.to_string()),
            sqlx::Error::Configuration(why) => {
                StoreError::Unusable(format!("the database URL is wrong: {why}"))
            }
            _ => StoreError::Database(error.to_string()),
        }
    }
}

fn sort(error: &dyn sqlx::error::DatabaseError) -> StoreError {
    let code = error.code().unwrap_or_default();
    let sorted = if code.len() == 5 {
        sort_sqlstate(&code, error.message())
    } else {
        code.parse().ok().and_then(|code| sort_sqlite(code, error.message()))
    };
    sorted.unwrap_or_else(|| sort_violation(error, &code))
}

/// PostgreSQL's.
fn sort_sqlstate(code: &str, message: &str) -> Option<StoreError> {
    match (code, &code[..2]) {
        // serialization_failure, deadlock_detected, lock_not_available
        ("40001" | "40P01" | "55P03", _) => Some(StoreError::Contended),
        // connection; resources; shutdown or start-up in progress
        (_, "08" | "53" | "57") => Some(StoreError::Unavailable(message.to_owned())),
        // authentication; no such database
        (_, "28" | "3D") => Some(StoreError::Unusable(format!(
            "the database refuses the connection: {message} (check its URL)"
        ))),
        _ => None,
    }
}

/// SQLite's result codes; the primary one is the lowest byte of an extended one.
fn sort_sqlite(code: i32, message: &str) -> Option<StoreError> {
    match code & 0xff {
        // BUSY, LOCKED, NOMEM, IOERR, FULL
        5 | 6 | 7 | 10 | 13 => Some(StoreError::Unavailable(message.to_owned())),
        // CORRUPT, NOTADB
        11 | 26 => Some(StoreError::corrupt(message)),
        _ => None,
    }
}

fn sort_violation(error: &dyn sqlx::error::DatabaseError, code: &str) -> StoreError {
    let message = error.message();
    // On SQLite only the message of a CHECK violation carries the constraint's name.
    // `channels_seats` bounds the bots, `channels_seats_of_all` bots and players.
    if error.is_check_violation() && message.contains("channels_seats") {
        return StoreError::Overfull;
    }
    if error.is_unique_violation() {
        let constraint = error.constraint().unwrap_or(message);
        return StoreError::Taken(if constraint.contains("name") { "name" } else { constraint }.to_owned());
    }
    StoreError::Database(format!("{message} (code {code})"))
}

/// Why one order was not carried out.
#[derive(Debug, Clone, thiserror::Error)]
pub enum OpError {
    /// The rules refused it.
    #[error(transparent)]
    Refused(#[from] AdmitError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
