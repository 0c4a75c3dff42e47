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
            | sqlx::Error::WorkerCrashed => StoreError::Unavailable(error.to_string()),
            _ => StoreError::Database(error.to_string()),
        }
    }
}

/// Sorts by SQLSTATE where there is one, by SQLite's result code otherwise.
fn sort(error: &dyn sqlx::error::DatabaseError) -> StoreError {
    let code = error.code().unwrap_or_default();
    let message = error.message();
    match code.as_ref() {
        // serialization_failure, deadlock_detected, lock_not_available
        "40001" | "40P01" | "55P03" => StoreError::Contended,
        // class 08: connection; 53: resources; 57: shutdown or start-up in progress; SQLITE_BUSY and its kin,
        // SQLITE_FULL, SQLITE_IOERR
        _ if code.len() == 5 && ["08", "53", "57"].contains(&&code[..2]) => {
            StoreError::Unavailable(message.to_owned())
        }
        "5" | "261" | "517" | "10" | "13" => StoreError::Unavailable(message.to_owned()),
        // On SQLite only the message of a CHECK violation carries the constraint's name.
        _ if error.is_check_violation() && message.contains("channels_seats") => StoreError::Overfull,
        _ if error.constraint() == Some("channels_seats") => StoreError::Overfull,
        _ if error.is_unique_violation() => {
            let constraint = error.constraint().unwrap_or(message);
            StoreError::Taken(if constraint.contains("name") { "name" } else { constraint }.to_owned())
        }
        _ => StoreError::Database(format!("{message} (code {code})")),
    }
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
