//! Opening the pools of connections.

use crate::db::{StoreOptions, step_aside};
use crate::error::StoreError;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyConnection, AnyPool, Connection};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Once;
use std::time::Duration;

/// A pool of one writer and a pool of readers on a file, which is made if it is missing.
pub(crate) async fn open_sqlite(options: &StoreOptions) -> Result<(AnyPool, AnyPool), StoreError> {
    let file = sqlite_path(options.url.trim_start_matches("sqlite:"))?;
    let (url, path) = (sqlite_url(&file), file.display());
    let unusable = |e| StoreError::Unusable(format!("cannot open the SQLite file {path}: {e}"));
    // A pool would try a file that cannot be opened for half a minute, and then not say why.
    try_sqlite(&url).await.map_err(unusable)?;
    let writer = sqlite_pool(&url, 1, false).await.map_err(unusable)?;
    let reader = sqlite_pool(&url, options.max_connections.clamp(1, 8), true).await.map_err(unusable)?;
    Ok((writer, reader))
}

/// The absolute path of the file that the part of a URL behind `sqlite:` names. Its directory is made if it is
/// missing.
pub(crate) fn sqlite_path(url_path: &str) -> Result<PathBuf, StoreError> {
    let path = url_path.trim_start_matches("//");
    let path = Path::new(path.split('?').next().unwrap_or(path));
    if path.as_os_str().is_empty() || path.to_string_lossy().contains(":memory:") {
        let text = "SQLite needs a file: readers and the writer are different connections";
        return Err(StoreError::Unusable(text.to_owned()));
    }
    let no_directory =
        |e| StoreError::Unusable(format!("cannot create the directory of {}: {e}", path.display()));
    let absolute = std::path::absolute(path).map_err(no_directory)?;
    let (Some(parent), Some(file)) = (absolute.parent(), absolute.file_name()) else {
        return Err(StoreError::Unusable(format!("{} is not a file", path.display())));
    };
    std::fs::create_dir_all(parent).map_err(no_directory)?;
    Ok(std::fs::canonicalize(parent).map_err(no_directory)?.join(file))
}

/// The URL of a file; escaped, because a URL would read a part of the path as a host, a query or an escape.
fn sqlite_url(file: &Path) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    let mut url = "sqlite://".to_owned();
    for byte in file.to_string_lossy().bytes() {
        if plain(byte) {
            url.push(char::from(byte));
        } else {
            url.push_str(&format!("%{byte:02X}"));
        }
    }
    url + "?mode=rwc"
}

async fn sqlite_pool(url: &str, connections: u32, read_only: bool) -> Result<AnyPool, sqlx::Error> {
    let options = AnyConnectOptions::from_str(url)?;
    AnyPoolOptions::new()
        .max_connections(connections)
        .min_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .acquire_timeout(Duration::from_secs(30))
        .after_connect(move |connection, _| Box::pin(prepare_sqlite(connection, read_only)))
        .connect_with(options)
        .await
}

/// Opens the file once and closes it again.
async fn try_sqlite(url: &str) -> Result<(), sqlx::Error> {
    let mut connection = AnyConnection::connect_with(&AnyConnectOptions::from_str(url)?).await?;
    prepare_sqlite(&mut connection, false).await?;
    connection.close().await
}

/// Most times that a file is asked for which another process is just opening or closing: SQLite does not wait then, however
/// patient it is otherwise.
const OPENINGS: u32 = 20;

async fn prepare_sqlite(connection: &mut AnyConnection, read_only: bool) -> Result<(), sqlx::Error> {
    for attempt in 1..OPENINGS {
        match set_pragmas(connection, read_only).await {
            Err(sqlx::Error::Database(error)) if is_busy(&*error) => step_aside(attempt).await,
            outcome => return outcome,
        }
    }
    set_pragmas(connection, read_only).await
}

/// SQLITE_BUSY, or one of its kind: the primary code is the lowest byte.
fn is_busy(error: &dyn sqlx::error::DatabaseError) -> bool {
    error.code().and_then(|code| code.parse::<i32>().ok()).is_some_and(|code| code & 0xff == 5)
}

async fn set_pragmas(connection: &mut AnyConnection, read_only: bool) -> Result<(), sqlx::Error> {
    // wal_autocheckpoint: `move_wal` does it beside the writer; this is for when it cannot keep up, and for whoever has
    // no loop that calls it. 16,000 pages are 64 MB, read again at the next start after a crash.
    // temp_store: before a statement changes a page, the page is copied, so that the statement alone can be undone. In
    // files, that is a fifth of the time of a large INSERT.
    sqlx::raw_sql(
        "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; \
         PRAGMA foreign_keys = ON; PRAGMA wal_autocheckpoint = 16000; PRAGMA cache_size = -8000; PRAGMA temp_store = MEMORY;",
    )
    .execute(&mut *connection)
    .await?;
    if read_only {
        sqlx::raw_sql("PRAGMA query_only = ON;").execute(&mut *connection).await?;
    }
    Ok(())
}

/// A pool of connections to a server.
pub(crate) async fn open_postgres(options: &StoreOptions) -> Result<AnyPool, StoreError> {
    let separator = if options.url.contains('?') { '&' } else { '?' };
    let cache = if options.pooled { format!("{separator}statement-cache-capacity=0") } else { String::new() };
    let connect = AnyConnectOptions::from_str(&format!("{}{cache}", options.url))?;
    let pool = AnyPoolOptions::new()
        .max_connections(options.max_connections.max(2))
        .acquire_timeout(Duration::from_secs(10))
        // A BEGIN whose future is dropped leaves a transaction open on the connection, and the next user's
        // acknowledged writes would vanish with it.
        .after_release(|connection, _| {
            Box::pin(async move {
                // The BEGIN spares the usual case, where nothing is open, a warning in the server's log.
                sqlx::raw_sql("BEGIN; ROLLBACK").execute(&mut *connection).await?;
                Ok(true)
            })
        })
        .connect_with(connect.clone())
        .await;
    match pool {
        // The pool has tried for a while and does not say what it met.
        Err(sqlx::Error::PoolTimedOut) => match AnyConnection::connect_with(&connect).await {
            Err(reason) => Err(reason.into()),
            Ok(_) => Err(sqlx::Error::PoolTimedOut.into()),
        },
        pool => Ok(pool?),
    }
}

/// A connection of its own, outside of any pool.
pub(crate) async fn connect_once(options: &StoreOptions) -> Result<AnyConnection, StoreError> {
    install_drivers();
    Ok(AnyConnection::connect_with(&AnyConnectOptions::from_str(&options.url)?).await?)
}

/// Makes both drivers known to `Any`, once.
pub(crate) fn install_drivers() {
    static DRIVERS: Once = Once::new();
    DRIVERS.call_once(sqlx::any::install_default_drivers);
}
