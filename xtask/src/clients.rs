//! The published realtime clients that the gateway is tested with: installed below the target directory, in the
//! versions that the lock files pin, when they are missing or the pins have changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use arena_testing::ServerError;

use crate::run::{self, step, succeeds};

/// Names the directory with the installed clients to the tests, which else look below their target directory.
pub const ENV_CLIENTS: &str = "ARENA_TEST_CLIENTS";

/// What is installed, from the root of the workspace.
const PINS: &str = "crates/arena/tests/realtime/clients";

/// Where what was installed says from which pins, beside what was installed.
const STAMP: &str = "installed-from";

/// One package manager's part.
struct Part {
    /// The name of its directory.
    name: &'static str,
    /// The files that say what to install.
    pins: &'static [&'static str],
    /// Installs into a directory that holds the pins and nothing else.
    install: fn(&Path) -> anyhow::Result<()>,
}

const PARTS: [Part; 2] = [
    Part { name: "node", pins: &["package.json", "package-lock.json"], install: install_node },
    Part { name: "python", pins: &["requirements.txt"], install: install_python },
];

/// Node with npm, for the clients in JavaScript.
pub fn check_node() -> Result<(), ServerError> {
    require("Node.js", "install Node.js 18 or newer (Debian: apt-get install nodejs)", &["node", "--version"])
}

/// npm, which Debian has in a package of its own.
pub fn check_npm() -> Result<(), ServerError> {
    require("npm", "install npm (Debian: apt-get install npm)", &["npm", "--version"])
}

/// Python with what makes virtual environments, which Debian has in a package of its own.
pub fn check_python() -> Result<(), ServerError> {
    let hint = "install Python 3.11 or newer with venv (Debian: apt-get install python3-venv)";
    require("Python's venv", hint, &["python3", "-c", "import ensurepip, venv"])
}

fn require(program: &'static str, hint: &'static str, command: &[&str]) -> Result<(), ServerError> {
    let mut check = Command::new(command[0]);
    check.args(&command[1..]);
    if succeeds(check) { Ok(()) } else { Err(ServerError::NotInstalled { program, hint }) }
}

/// Makes sure that the clients are installed as the lock files say, and returns the directory they are in.
pub fn ensure() -> anyhow::Result<PathBuf> {
    let (pins, dir) = (run::workspace_root().join(PINS), target_dir()?.join("realtime-clients"));
    for part in PARTS {
        part.ensure(&pins, &dir.join(part.name))?;
    }
    Ok(dir)
}

impl Part {
    /// Installs anew unless what is there was installed from the same pins.
    fn ensure(&self, pins: &Path, place: &Path) -> anyhow::Result<()> {
        let wanted = self.wanted(pins)?;
        if fs::read_to_string(place.join(STAMP)).is_ok_and(|installed| installed == wanted) {
            return Ok(());
        }
        step(&format!("install the realtime clients for {}", self.name), || {
            self.install(pins, place, &wanted)
        })
    }

    /// What the stamp of an up-to-date installation reads.
    fn wanted(&self, pins: &Path) -> anyhow::Result<String> {
        let read = |file: &&str| {
            let path = pins.join(file);
            fs::read_to_string(&path).with_context(|| format!("could not read {}", path.display()))
        };
        self.pins.iter().map(read).collect()
    }

    /// The stamp is written last: an installation that was broken off is done again.
    fn install(&self, pins: &Path, place: &Path, wanted: &str) -> anyhow::Result<()> {
        if place.exists() {
            fs::remove_dir_all(place).with_context(|| format!("could not remove {}", place.display()))?;
        }
        fs::create_dir_all(place).with_context(|| format!("could not create {}", place.display()))?;
        for file in self.pins {
            fs::copy(pins.join(file), place.join(file))
                .with_context(|| format!("could not copy {file} to {}", place.display()))?;
        }
        (self.install)(place)?;
        fs::write(place.join(STAMP), wanted)
            .with_context(|| format!("could not write to {}", place.display()))
    }
}

fn install_node(place: &Path) -> anyhow::Result<()> {
    let mut npm = Command::new("npm");
    // None of the packages has anything to run when it is installed.
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(place);
    run::status(npm)
}

fn install_python(place: &Path) -> anyhow::Result<()> {
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv"]).arg(place);
    run::status(venv)?;
    let mut pip = Command::new(place.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    pip.arg(place.join("requirements.txt"));
    run::status(pip)
}

/// Where cargo builds: this program is in its `debug` directory.
fn target_dir() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe().context("could not find this program's place")?;
    let dir = program.parent().and_then(Path::parent).context("this program is not in a target directory")?;
    Ok(dir.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use arena_testing::TempDir;

    fn pins(file: &str) -> String {
        fs::read_to_string(run::workspace_root().join(PINS).join(file)).unwrap()
    }

    #[test]
    fn the_pins_are_exact_and_name_no_registry() {
        let lock = pins("package-lock.json");
        assert!(lock.contains("\"integrity\"") && !lock.contains("\"resolved\""), "{lock}");
        let package = pins("package.json");
        assert!(!package.contains(['^', '~', '*']), "{package}");
        let requirements = pins("requirements.txt");
        let mut lines = requirements.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        assert!(lines.all(|line| line.split_once("==").is_some()), "{requirements}");
    }

    /// Leaves a mark of every installation in the directory above it.
    fn mark(place: &Path) -> anyhow::Result<()> {
        let pins = fs::read_to_string(place.join("pins"))?;
        anyhow::ensure!(pins != "broken", "cannot install that");
        fs::write(place.with_file_name(pins), "")?;
        Ok(())
    }

    #[test]
    fn only_new_pins_and_broken_installations_are_installed_again() {
        let dir = TempDir::new("xtask-clients").unwrap();
        let (place, part) = (dir.path().join("place"), Part { name: "test", pins: &["pins"], install: mark });
        let installs = |pins: &str| {
            fs::write(dir.path().join("pins"), pins).unwrap();
            let outcome = part.ensure(dir.path(), &place).map_err(|error| error.to_string());
            outcome.map(|()| fs::remove_file(dir.path().join(pins)).is_ok())
        };
        assert_eq!(installs("one"), Ok(true));
        assert_eq!(installs("one"), Ok(false));
        assert_eq!(installs("two"), Ok(true));
        assert_eq!(installs("broken"), Err("cannot install that".to_owned()));
        assert_eq!(installs("two"), Ok(true));
    }
}
