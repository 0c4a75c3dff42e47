use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::ServerError;

/// The oldest major version of PostgreSQL that Arena supports.
pub const MIN_POSTGRES_MAJOR: u32 = 15;

const POSTGRES_HINT: &str = "install the PostgreSQL 15+ server (Debian: apt-get install postgresql), \
     or set ARENA_TEST_POSTGRES to the URL of a server that runs already";
const PGBOUNCER_HINT: &str = "install PgBouncer (Debian: apt-get install pgbouncer)";
const PSQL_HINT: &str = "install PostgreSQL's client programs (Debian: apt-get install postgresql-client)";

/// Where one installed version of PostgreSQL keeps its programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresBinaries {
    /// Major version, such as 15.
    pub major: u32,
    /// The directory with `postgres`, `initdb` and `pg_isready`.
    pub dir: PathBuf,
}

/// Finds the newest installed PostgreSQL server, on the `PATH` and where Debian and Fedora keep it.
///
/// # Errors
/// [`ServerError::NotInstalled`] and [`ServerError::TooOld`], both saying what to install.
pub fn find_postgres() -> Result<PostgresBinaries, ServerError> {
    let newest = search_dirs()
        .into_iter()
        .filter(|dir| ["postgres", "initdb", "pg_isready"].iter().all(|program| dir.join(program).is_file()))
        .filter_map(|dir| Some(PostgresBinaries { major: major_version(&dir.join("postgres"))?, dir }))
        .max_by_key(|found| found.major)
        .ok_or(ServerError::NotInstalled { program: "PostgreSQL's server", hint: POSTGRES_HINT })?;
    if newest.major < MIN_POSTGRES_MAJOR {
        let (found, needed) = (newest.major, MIN_POSTGRES_MAJOR);
        return Err(ServerError::TooOld { found, needed, hint: POSTGRES_HINT });
    }
    Ok(newest)
}

/// Finds `pgbouncer`, which Debian puts where only root's `PATH` leads.
///
/// # Errors
/// [`ServerError::NotInstalled`], saying what to install.
pub fn find_pgbouncer() -> Result<PathBuf, ServerError> {
    find_on_path("pgbouncer").ok_or(ServerError::NotInstalled { program: "PgBouncer", hint: PGBOUNCER_HINT })
}

/// Finds `psql`: the newest server's own, else the one on the `PATH`.
///
/// # Errors
/// [`ServerError::NotInstalled`], saying what to install.
pub fn find_psql() -> Result<PathBuf, ServerError> {
    let beside_server =
        find_postgres().ok().map(|found| found.dir.join("psql")).filter(|psql| psql.is_file());
    beside_server
        .or_else(|| find_on_path("psql"))
        .ok_or(ServerError::NotInstalled { program: "psql", hint: PSQL_HINT })
}

/// Finds a program on the `PATH`, or in the directories for administrators that it may lack.
pub fn find_on_path(program: &str) -> Option<PathBuf> {
    path_dirs().into_iter().map(|dir| dir.join(program)).find(|candidate| candidate.is_file())
}

fn path_dirs() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut dirs: Vec<PathBuf> = std::env::split_paths(&path).filter(|dir| dir.is_absolute()).collect();
    dirs.extend(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from));
    dirs
}

fn search_dirs() -> Vec<PathBuf> {
    let mut dirs = path_dirs();
    // Debian: /usr/lib/postgresql/15/bin. Fedora's upstream packages: /usr/pgsql-15/bin.
    for (parent, prefix) in [("/usr/lib/postgresql", ""), ("/usr", "pgsql-")] {
        let entries = fs::read_dir(parent).into_iter().flatten().flatten();
        dirs.extend(
            entries
                .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
                .map(|entry| entry.path().join("bin"))
                .filter(|bin| bin.is_dir()),
        );
    }
    dirs
}

fn major_version(postgres: &Path) -> Option<u32> {
    let output = Command::new(postgres).arg("--version").output().ok()?;
    parse_major(&String::from_utf8_lossy(&output.stdout))
}

/// `postgres (PostgreSQL) 15.18 (Debian …)` → 15.
fn parse_major(version: &str) -> Option<u32> {
    let number = version.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    let digits = number.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn major_versions_are_read_from_what_postgres_prints() {
        for (printed, major) in [
            ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", Some(15)),
            ("postgres (PostgreSQL) 18beta2\n", Some(18)),
            ("postgres (PostgreSQL) 9.6.24\n", Some(9)),
            ("", None),
        ] {
            assert_eq!(parse_major(printed), major, "{printed:?}");
        }
    }
}
