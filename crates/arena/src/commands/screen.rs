//! Standard output.

use super::CommandError;
use crate::cli::Output;
use crate::client::Answer;
use crate::render::Style;
use serde::de::DeserializeOwned;
use std::io::{self, Write};

/// Standard output: what it shows, and in which form it is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Screen {
    pub(super) output: Output,
    pub(super) style: Style,
}

impl Screen {
    pub(super) fn new(output: Output) -> Screen {
        Screen { output, style: Style::of_stdout() }
    }

    pub(super) fn is_json(&self) -> bool {
        self.output == Output::Json
    }

    /// Writes text as it is.
    pub(super) fn write(&self, text: &str) -> Result<(), CommandError> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(CommandError::Output)
    }

    /// Writes JSON, untouched but for a line feed at its end.
    pub(super) fn write_json(&self, json: &str) -> Result<(), CommandError> {
        self.write(&format!("{}\n", json.trim_end_matches('\n')))
    }

    /// Writes an answer: the server's JSON, or what `render` makes of it.
    pub(super) fn show<T: DeserializeOwned>(
        &self,
        answer: &Answer,
        render: impl FnOnce(&T, &Style) -> String,
    ) -> Result<(), CommandError> {
        // Parsed even where it is passed on, so that what is not Arena's is noticed.
        let parsed: T = answer.parse()?;
        if self.is_json() {
            self.write_json(answer.text())
        } else {
            self.write(&render(&parsed, &self.style))
        }
    }
}
