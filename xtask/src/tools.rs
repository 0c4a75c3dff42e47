//! The programs that the tests need: found, or installed where we may.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};
use arena_testing::{ENV_POSTGRES, ServerError, find_on_path, find_pgbouncer, find_postgres};

use crate::clients;
use crate::run::{self, step};

/// Where Debian keeps what it does when a server package is installed.
const CREATE_CLUSTER: &str = "/etc/postgresql-common/createcluster.conf";

/// A Debian package, and whether what we need of it is there.
struct Tool {
    package: &'static str,
    check: fn() -> Result<(), ServerError>,
}

const TOOLS: [Tool; 5] = [
    Tool { package: "postgresql", check: check_postgres },
    Tool { package: "pgbouncer", check: || find_pgbouncer().map(drop) },
    Tool { package: "nodejs", check: clients::check_node },
    Tool { package: "npm", check: clients::check_npm },
    Tool { package: "python3-venv", check: clients::check_python },
];

/// A developer who names a server needs none of ours.
fn check_postgres() -> Result<(), ServerError> {
    if has_own_server() { Ok(()) } else { find_postgres().map(drop) }
}

/// Whether the environment names a PostgreSQL server for the tests.
pub fn has_own_server() -> bool {
    std::env::var_os(ENV_POSTGRES).is_some_and(|url| !url.is_empty())
}

/// Makes sure that everything the tests start is installed: on Debian as root by installing it, elsewhere
/// by saying what to install.
pub fn ensure() -> anyhow::Result<()> {
    let missing: Vec<&Tool> = TOOLS.iter().filter(|tool| (tool.check)().is_err()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|tool| tool.package).collect();
    if is_root() && find_on_path("apt-get").is_some() {
        step(&format!("install {}", packages.join(", ")), || install(&packages))?;
    }
    let problems: Vec<String> =
        missing.iter().filter_map(|tool| (tool.check)().err()).map(|error| format!("- {error}")).collect();
    if !problems.is_empty() {
        bail!("the tests need programs that are missing:\n{}", problems.join("\n"));
    }
    Ok(())
}

fn install(packages: &[&str]) -> anyhow::Result<()> {
    run::status(apt_get(&["update", "--quiet"]))?;
    if packages.contains(&"postgresql") && !Path::new(CREATE_CLUSTER).exists() {
        // Debian would create and start a server on port 5432, which nobody asked for.
        apt_install(&["postgresql-common"])?;
        prevent_default_server().with_context(|| format!("could not write {CREATE_CLUSTER}"))?;
    }
    apt_install(packages)
}

fn prevent_default_server() -> std::io::Result<()> {
    let mut config = File::options().append(true).create(true).open(CREATE_CLUSTER)?;
    config.write_all(b"\n# Added by Arena's `cargo xtask test`.\ncreate_main_cluster = false\n")
}

fn apt_install(packages: &[&str]) -> anyhow::Result<()> {
    run::status(apt_get(&[&["install", "--yes", "--quiet", "--no-install-recommends"], packages].concat()))
}

fn apt_get(args: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command.args(args).env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// The owner of our own entry in /proc is the user that we run as.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}
