//! The shape of the workspace is what ARCHITECTURE.md says it is.

#![allow(clippy::unwrap_used, reason = "clippy takes only the bodies of #[test] functions for tests")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The packages that `package` is built from, itself left out.
fn tree(package: &str) -> BTreeSet<String> {
    let args = ["tree", "--offline", "-e", "normal", "--prefix", "none", "-f", "{p}", "-p", package];
    let output = Command::new(env!("CARGO")).args(args).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().skip(1).filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

/// The rows of ARCHITECTURE.md's map: crate, and which of ours it may import.
fn map() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        (cells[1].trim_matches('`').to_owned(), cells[3].to_owned())
    })
    .collect()
}

fn crates() -> BTreeSet<String> {
    let folders = std::fs::read_dir(root().join("crates")).unwrap();
    let mut names: BTreeSet<String> =
        folders.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.insert("xtask".to_owned());
    names
}

#[test]
fn the_map_names_every_crate_and_no_other() {
    let named: BTreeSet<String> = map().into_iter().map(|(name, _)| name).collect();
    assert_eq!(named, crates());
}

#[test]
fn a_crate_imports_only_what_the_map_allows() {
    for (name, allowed) in map().into_iter().filter(|(_, allowed)| allowed != "all") {
        let allowed: BTreeSet<String> = allowed
            .split(',')
            .map(|word| format!("arena-{}", word.trim()))
            .filter(|name| name != "arena-–")
            .collect();
        let ours: BTreeSet<String> =
            tree(&name).into_iter().filter(|name| name.starts_with("arena-")).collect();
        assert!(ours.is_subset(&transitive(&allowed)), "{name} imports {ours:?}, the map allows {allowed:?}");
    }
}

/// The allowed crates, and what they are built from.
fn transitive(allowed: &BTreeSet<String>) -> BTreeSet<String> {
    let below = allowed.iter().flat_map(|name| tree(name)).filter(|name| name.starts_with("arena-"));
    allowed.iter().cloned().chain(below).collect()
}

#[test]
fn the_core_and_the_simulation_are_pure() {
    for pure in ["arena-core", "arena-sim"] {
        let tree = tree(pure);
        for impure in ["tokio", "sqlx", "sqlx-core", "axum", "hyper", "rand", "getrandom", "tracing"] {
            assert!(!tree.contains(impure), "{pure} is built from {impure}");
        }
    }
}

#[test]
fn every_linked_page_exists() {
    for page in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "docs/operating.md"] {
        let text = std::fs::read_to_string(root().join(page)).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if !link.starts_with("http") && !link.starts_with('#') {
                let target = root().join(page).parent().unwrap().join(link.split('#').next().unwrap());
                assert!(target.exists(), "{page} links to {link}");
            }
        }
    }
}
