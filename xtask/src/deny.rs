//! `cargo xtask deny`.

use crate::run::{self, cargo, step};

const NO_ADVISORIES: &str = "\
WARNING: the advisory database could not be fetched, so nothing is known about vulnerable dependencies.
WARNING: only licences, bans and sources were checked. Run `cargo xtask deny` again with network access.";

/// Checks all dependencies by the rules in deny.toml. Without the network, checks what it can and says
/// what it could not.
pub fn run() -> anyhow::Result<()> {
    if !run::succeeds(cargo(["deny", "--version"])) {
        step("install cargo-deny", || run::status(cargo(["install", "cargo-deny", "--locked"])))?;
    }
    let fetched = step("fetch the advisory database", || run::status(cargo(["deny", "fetch", "db"])));
    if fetched.is_ok() {
        return step("advisories, licences, bans, sources", || {
            run::status(cargo(["deny", "check", "--hide-inclusion-graph", "--disable-fetch"]))
        });
    }
    eprintln!("{NO_ADVISORIES}");
    let checked = step("licences, bans, sources", || {
        run::status(cargo(["deny", "check", "--hide-inclusion-graph", "licenses", "bans", "sources"]))
    });
    eprintln!("{NO_ADVISORIES}");
    checked
}
