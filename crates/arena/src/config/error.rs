//! What is wrong with a configuration: all of it, each with its key, value, place and remedy.

use super::layers::Source;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigProblem {
    /// The key at fault, `section.name`, if it is about one.
    pub key: Option<String>,
    /// Its value, without secrets, as TOML.
    pub value: Option<String>,
    /// Where it comes from.
    pub source: Source,
    /// What is wrong, and what is allowed.
    pub problem: String,
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.key, &self.value) {
            (Some(key), Some(value)) => write!(f, "{key} = {value} ({}): ", self.source)?,
            (Some(key), None) => write!(f, "{key} ({}): ", self.source)?,
            (None, _) => write!(f, "{}: ", self.source)?,
        }
        f.write_str(&self.problem)
    }
}

/// A configuration that nothing can be started with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// Everything that is wrong, at least one.
    pub problems: Vec<ConfigProblem>,
}

impl ConfigError {
    pub(super) fn unreadable(path: PathBuf, error: &io::Error) -> ConfigError {
        let problem = format!("cannot be read: {error}");
        let source = Source::File { path, line: None };
        ConfigError { problems: vec![ConfigProblem { key: None, value: None, source, problem }] }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.len() {
            1 => f.write_str("the configuration has a problem")?,
            n => write!(f, "the configuration has {n} problems")?,
        }
        self.problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}
