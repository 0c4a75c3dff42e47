//! The TOML file: its values, each with its line.

use super::error::ConfigProblem;
use super::keys::Key;
use super::layers::{Setting, Settings, Source};
use std::path::Path;
use toml::Value;
use toml::de::DeTable;

/// Adds the file's values to `settings` and what is wrong with it to `problems`.
pub(super) fn read(path: &Path, text: &str, settings: &mut Settings, problems: &mut Vec<ConfigProblem>) {
    let file = FileText { path, text };
    let values = match text.parse::<toml::Table>() {
        Ok(values) => values,
        Err(error) => {
            // Only the parser's sentence: the excerpt that its Display adds could hold a password.
            let source = file.source(error.span().map(|span| span.start));
            let problem = format!("is not TOML: {}", error.message());
            problems.push(ConfigProblem { key: None, value: None, source, problem });
            return;
        }
    };
    let spans = DeTable::parse(text).ok();
    for (section, keys) in &values {
        let header = spans.as_ref().and_then(|spans| spans.get_ref().get_key_value(section.as_str()));
        let section_at = header.map(|(key, _)| key.span().start);
        let Some(keys) = keys.as_table().filter(|_| Key::sections().contains(&section.as_str())) else {
            problems.push(unknown_section(section, file.source(section_at)));
            continue;
        };
        for (name, value) in keys {
            let entry = header
                .and_then(|(_, table)| table.get_ref().as_table())
                .and_then(|table| table.get_key_value(name.as_str()));
            let source = file.source(entry.map(|(key, _)| key.span().start).or(section_at));
            match Key::find(section, name) {
                Some(key) => settings.set(key, Setting { value: value.clone(), source }),
                None => problems.push(unknown_key(section, name, source)),
            }
        }
    }
}

struct FileText<'a> {
    path: &'a Path,
    text: &'a str,
}

impl FileText<'_> {
    fn source(&self, at: Option<usize>) -> Source {
        let line = at.and_then(|at| self.text.get(..at)).map(|before| before.matches('\n').count() + 1);
        Source::File { path: self.path.to_path_buf(), line }
    }
}

/// A key that no section has.
pub(super) fn unknown_key(section: &str, name: &str, source: Source) -> ConfigProblem {
    let known = Key::names_in(section).join(", ");
    let problem = format!("unknown key; [{section}] has {known}");
    ConfigProblem { key: Some(format!("{section}.{name}")), value: None, source, problem }
}

/// A section that does not exist, or a value where a section should be.
pub(super) fn unknown_section(section: &str, source: Source) -> ConfigProblem {
    let problem = format!("is not a section; there are {}", Key::sections().join(", "));
    ConfigProblem { key: Some(section.to_owned()), value: None, source, problem }
}

/// How a value is shown in a message.
pub(super) fn shown(key: &Key, value: &Value) -> String {
    key.rule.shown(value).to_string()
}
