use std::process::Command;

use crate::binaries::find_psql;
use crate::error::ServerError;

/// Runs SQL through the installed `psql` and gives back what it printed: one line a row, columns parted
/// by `|`, no headings.
///
/// # Errors
/// When `psql` is not installed, the server cannot be reached, or it refuses a statement.
pub fn psql(url: &str, sql: &str) -> Result<String, ServerError> {
    let program = find_psql()?;
    let output = Command::new(&program)
        .args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--no-password"])
        .args(["--set", "ON_ERROR_STOP=1", "--dbname", url, "--command", sql])
        .env("PGCONNECT_TIMEOUT", "10")
        .output()
        .map_err(ServerError::io(format!("run {}", program.display())))?;
    if !output.status.success() {
        let output = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(ServerError::Failed { program: "psql".into(), output });
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}
