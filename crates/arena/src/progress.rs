//! How far something long is, on standard error: a bar where there is a terminal, plain lines elsewhere.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

/// Something that takes a while. Dropped before it is finished, its bar vanishes.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    terminal: bool,
}

impl Progress {
    /// Something of unknown length.
    pub fn spinner(what: impl Into<String>) -> Progress {
        let progress = Progress::start(None, "{spinner} {msg} {elapsed:.dim}", what.into());
        progress.bar.enable_steady_tick(Duration::from_millis(100));
        progress
    }

    /// Something with an end.
    pub fn bar(length: u64, what: impl Into<String>) -> Progress {
        Progress::start(Some(length), "{msg} {bar:30} {human_pos}/{human_len} {elapsed:.dim}", what.into())
    }

    fn start(length: Option<u64>, template: &str, what: String) -> Progress {
        let terminal = io::stderr().is_terminal();
        // Indicatif would draw nothing without a terminal either; the lines are written by `finish`.
        let target = if terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let style = ProgressStyle::with_template(template).expect("invariant: the templates are constants");
        let bar = ProgressBar::with_draw_target(length, target).with_style(style).with_message(what);
        Progress { bar, terminal }
    }

    /// Sets how much is done.
    pub fn set(&self, position: u64) {
        self.bar.set_position(position);
    }

    /// Says something above it.
    pub fn above(&self, message: &str) {
        self.bar.suspend(|| say(message));
    }

    /// Ends it and says so in one line.
    pub fn finish(self, message: &str) {
        self.bar.finish_and_clear();
        say(message);
    }

    /// Whether people see it move.
    pub fn is_drawn(&self) -> bool {
        self.terminal
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// One line for people, on standard error. If nobody can read it, nothing is lost.
pub fn say(message: &str) {
    let _ = writeln!(io::stderr(), "{message}");
}
