//! One object: its fields, one below the other.

use super::style::{Color, Style};
use super::text::{clean, width, wrap};

/// Names and values, one pair a line.
#[derive(Debug, Default)]
pub struct Fields(Vec<(&'static str, String)>);

impl Fields {
    /// Adds a field.
    pub fn add(&mut self, name: &'static str, value: impl AsRef<str>) -> &mut Fields {
        self.0.push((name, clean(value.as_ref())));
        self
    }

    /// Adds a field where there is a value.
    pub fn add_some(&mut self, name: &'static str, value: Option<impl AsRef<str>>) -> &mut Fields {
        if let Some(value) = value.filter(|value| !value.as_ref().is_empty()) {
            self.add(name, value);
        }
        self
    }

    /// The fields as text; long values go on below themselves.
    pub fn render(&self, style: &Style) -> String {
        let indent = self.0.iter().map(|(name, _)| width(name)).max().unwrap_or(0) + 2;
        let room = style.width().map_or(usize::MAX, |width| width.saturating_sub(indent).max(20));
        let mut text = String::new();
        for (name, value) in &self.0 {
            for (index, line) in wrap(value, room).iter().enumerate() {
                let name = if index == 0 { name } else { "" };
                let padding = " ".repeat(indent - width(name));
                text.push_str(format!("{}{padding}{line}", style.paint(name, Color::Dim)).trim_end());
                text.push('\n');
            }
        }
        text
    }
}
