//! Nothing is destroyed before its plan was shown and somebody said yes.

use super::CommandError;
use super::screen::Screen;
use crate::cli::ConfirmArgs;
use crate::progress::say;
use serde_json::Value;
use std::io::{self, BufRead, IsTerminal, Write};

/// What is about to be done.
pub(super) struct Plan {
    /// For people; ends in a line feed.
    pub(super) text: String,
    /// For programs.
    pub(super) json: Value,
}

/// Shows the plan and asks. `Ok(false)` after a dry run; an error where the answer is no or nobody can be asked.
pub(super) fn go_ahead(screen: &Screen, confirm: &ConfirmArgs, plan: &Plan) -> Result<bool, CommandError> {
    if confirm.dry_run {
        // Then the plan is what was asked for, so it goes to standard output.
        if screen.is_json() {
            screen.write_json(&plan.json.to_string())?;
        } else {
            screen.write(&plan.text)?;
        }
        return Ok(false);
    }
    say(plan.text.trim_end());
    if confirm.yes {
        return Ok(true);
    }
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return Err(CommandError::NeedsYes);
    }
    if ask() { Ok(true) } else { Err(CommandError::Declined) }
}

fn ask() -> bool {
    let mut answer = String::new();
    let _ = write!(io::stderr(), "Do it? [y/N] ");
    let read = io::stdin().lock().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}
