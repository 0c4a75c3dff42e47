use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::error::ServerError;
use crate::random::random_suffix;

/// Waits on its standard input. A line means that the directory was removed in good order; the end of
/// input without a line means that our process died, and then the directory is removed from here.
const JANITOR: &str = r#"
trap '' INT TERM HUP
read -r line && exit 0
for attempt in 1 2 3 4 5 6 7 8 9 10; do
    sleep 1
    rm -rf -- "$1" && exit 0
done
"#;

/// A new directory that is removed with everything in it when this value is dropped, or a second or more
/// after the process has died without dropping it.
#[derive(Debug)]
pub struct TempDir {
    path: PathBuf,
    janitor: Child,
    janitor_stdin: Option<ChildStdin>,
}

impl TempDir {
    /// Creates `arena-<purpose>-<random>` in the system's directory for temporary files.
    ///
    /// # Errors
    /// When the directory cannot be made, or there is no `sh` to look after it.
    pub fn new(purpose: &str) -> Result<TempDir, ServerError> {
        let path = std::env::temp_dir().join(format!("arena-{purpose}-{}", random_suffix()));
        fs::create_dir(&path).map_err(ServerError::io(format!("create {}", path.display())))?;
        let mut janitor = start_janitor(&path)?;
        let janitor_stdin = janitor.stdin.take();
        Ok(TempDir { path, janitor, janitor_stdin })
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        // A directory that is still written to gets left to the janitor, who tries more than once.
        let removed = fs::remove_dir_all(&self.path).is_ok();
        if let Some(mut stdin) = self.janitor_stdin.take()
            && removed
        {
            let _ = stdin.write_all(b"removed\n");
        }
        let _ = self.janitor.wait();
    }
}

fn start_janitor(path: &Path) -> Result<Child, ServerError> {
    Command::new("sh")
        .args(["-c", JANITOR, "arena-janitor"])
        .arg(path)
        .current_dir("/")
        // Out of reach of a Ctrl-C in the terminal and of a test runner that kills a test's whole group.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(ServerError::io("start sh"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_directory_is_gone_with_its_content() {
        let dir = TempDir::new("test").unwrap();
        let path = dir.path().to_owned();
        fs::create_dir(path.join("inner")).unwrap();
        fs::write(path.join("inner/file"), "content").unwrap();
        drop(dir);
        assert!(!path.exists());
    }
}
