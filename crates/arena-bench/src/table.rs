//! Tables for people and rows for machines.

use serde_json::{Map, Value};
use std::fmt;

/// One cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// A name.
    Text(String),
    /// A figure and how many decimals of it mean anything.
    Number(f64, usize),
    /// Nothing to say.
    Blank,
}

impl Cell {
    /// A name.
    pub fn text(text: impl Into<String>) -> Cell {
        Cell::Text(text.into())
    }

    fn json(&self) -> Value {
        match self {
            Cell::Text(text) => Value::from(text.as_str()),
            Cell::Number(value, _) => Value::from(*value),
            Cell::Blank => Value::Null,
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cell::Text(text) => f.write_str(text),
            Cell::Number(value, decimals) => f.write_str(&grouped(&format!("{value:.decimals$}"))),
            Cell::Blank => f.write_str("–"),
        }
    }
}

/// `-1234567.5` → `-1,234,567.5`.
fn grouped(number: &str) -> String {
    let (whole, fraction) = number.split_at(number.find('.').unwrap_or(number.len()));
    let (sign, digits) = whole.split_at(whole.find(|c: char| c.is_ascii_digit()).unwrap_or(0));
    let mut text = sign.to_owned();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + fraction
}

/// Figures under column names, which are the keys of the JSON.
#[derive(Debug, Clone)]
pub struct Table {
    title: String,
    columns: &'static [&'static str],
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// An empty table.
    pub fn new(title: impl Into<String>, columns: &'static [&'static str]) -> Table {
        Table { title: title.into(), columns, rows: Vec::new() }
    }

    /// Adds a row of as many cells as there are columns.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        let cells: Vec<Cell> = cells.into_iter().collect();
        assert_eq!(cells.len(), self.columns.len(), "invariant: a row fills its columns");
        self.rows.push(cells);
    }

    pub(crate) fn json(&self) -> Value {
        let row = |cells: &Vec<Cell>| {
            let entry = |(column, cell): (&&str, &Cell)| ((*column).to_owned(), cell.json());
            Value::Object(self.columns.iter().zip(cells).map(entry).collect::<Map<_, _>>())
        };
        serde_json::json!({ "title": self.title, "rows": self.rows.iter().map(row).collect::<Vec<_>>() })
    }
}

impl fmt::Display for Table {
    /// Markdown, aligned: it reads well in a terminal and can be pasted into docs/benchmarks.md.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<Vec<String>> =
            self.rows.iter().map(|row| row.iter().map(Cell::to_string).collect()).collect();
        let width = |column: usize| {
            let cells = texts.iter().map(|row| row[column].chars().count());
            cells.chain([self.columns[column].chars().count(), 3]).max().unwrap_or(3)
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        let right = |column: usize| !self.rows.iter().all(|row| matches!(row[column], Cell::Text(_)));
        let pad = |column: usize, text: &str| {
            let space = " ".repeat(widths[column] - text.chars().count());
            if right(column) { space + text } else { text.to_owned() + &space }
        };
        let rule = |column: usize| {
            let dashes = "-".repeat(widths[column] - 1);
            if right(column) { dashes + ":" } else { dashes + "-" }
        };
        let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
        let all = 0..self.columns.len();
        writeln!(f, "{}\n", self.title)?;
        writeln!(f, "{}", line(all.clone().map(|c| pad(c, self.columns[c])).collect()))?;
        writeln!(f, "{}", line(all.clone().map(rule).collect()))?;
        for row in &texts {
            writeln!(f, "{}", line(all.clone().map(|c| pad(c, &row[c])).collect()))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        for (value, decimals, text) in
            [(0.5, 2, "0.50"), (999.0, 0, "999"), (1234.5, 1, "1,234.5"), (-1_234_567.0, 0, "-1,234,567")]
        {
            assert_eq!(Cell::Number(value, decimals).to_string(), text);
        }
    }

    #[test]
    fn a_table_is_markdown_with_figures_to_the_right() {
        let mut table = Table::new("Speed", &["what", "per_s"]);
        table.row([Cell::text("floor"), Cell::Number(12_345.0, 0)]);
        table.row([Cell::text("ours"), Cell::Blank]);
        let expected =
            "Speed\n\n| what  |  per_s |\n| ----- | -----: |\n| floor | 12,345 |\n| ours  |      – |\n";
        assert_eq!(table.to_string(), expected);
    }

    #[test]
    fn a_row_for_machines_has_the_columns_as_keys() {
        let mut table = Table::new("Speed", &["what", "per_s"]);
        table.row([Cell::text("floor"), Cell::Number(2.0, 0)]);
        assert_eq!(table.json()["rows"][0], serde_json::json!({ "what": "floor", "per_s": 2.0 }));
    }
}
