//! Tables: aligned columns, two spaces apart, one line a row, and notes under a row.

use super::style::{Color, Style};
use super::text::{clean, cut, width, wrap};

/// The side that a column's text keeps to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    head: &'static str,
    align: Align,
    elastic: bool,
}

impl Column {
    /// A column of words.
    pub const fn text(head: &'static str) -> Column {
        Column { head, align: Align::Left, elastic: false }
    }

    /// A column of numbers.
    pub const fn number(head: &'static str) -> Column {
        Column { head, align: Align::Right, elastic: false }
    }

    /// A column of words that gives way where the terminal is too narrow.
    pub const fn elastic(head: &'static str) -> Column {
        Column { head, align: Align::Left, elastic: true }
    }
}

/// A cell: one line of text, perhaps in a colour.
#[derive(Debug, Clone)]
pub struct Cell {
    text: String,
    color: Option<Color>,
}

impl Cell {
    /// The text in a colour.
    pub fn colored(text: impl AsRef<str>, color: Color) -> Cell {
        Cell { text: clean(text.as_ref()), color: Some(color) }
    }
}

impl<T: AsRef<str>> From<T> for Cell {
    fn from(text: T) -> Cell {
        Cell { text: clean(text.as_ref()), color: None }
    }
}

struct Row {
    cells: Vec<Cell>,
    notes: Vec<String>,
}

/// A table.
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Row>,
}

const GAP: &str = "  ";
/// What an elastic column keeps, in columns of the terminal.
const LEAST: usize = 8;
/// How far notes are set in.
const NOTE_INDENT: &str = "  ";

impl Table {
    /// A table with these columns and no rows.
    pub fn new(columns: impl Into<Vec<Column>>) -> Table {
        Table { columns: columns.into(), rows: Vec::new() }
    }

    /// Adds a row; it has a cell for each column.
    pub fn row(&mut self, cells: impl Into<Vec<Cell>>) {
        self.rows.push(Row { cells: cells.into(), notes: Vec::new() });
    }

    /// Adds a line under the last row.
    pub fn note(&mut self, note: &str) {
        if let Some(row) = self.rows.last_mut() {
            row.notes.push(clean(note));
        }
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as text, its lines no wider than the style allows if that can be done.
    pub fn render(&self, style: &Style) -> String {
        let widths = self.widths(style);
        let heads: Vec<Cell> =
            self.columns.iter().map(|column| Cell::colored(column.head, Color::Dim)).collect();
        let mut text = self.line(&heads, &widths, style);
        for row in &self.rows {
            text.push_str(&self.line(&row.cells, &widths, style));
            for note in &row.notes {
                text.push_str(&note_lines(note, style));
            }
        }
        text
    }

    fn widths(&self, style: &Style) -> Vec<usize> {
        let mut widths: Vec<usize> = self.columns.iter().map(|column| width(column.head)).collect();
        for row in &self.rows {
            for (widest, cell) in widths.iter_mut().zip(&row.cells) {
                *widest = (*widest).max(width(&cell.text));
            }
        }
        let gaps = GAP.len() * self.columns.len().saturating_sub(1);
        let total = widths.iter().sum::<usize>() + gaps;
        self.shrink(&mut widths, total.saturating_sub(style.width().unwrap_or(total)));
        widths
    }

    /// Takes `excess` columns away from what is elastic, from the widest first.
    fn shrink(&self, widths: &mut [usize], mut excess: usize) {
        while excess > 0 {
            let elastic = self.columns.iter().zip(widths.iter_mut()).filter(|(column, _)| column.elastic);
            let Some(widest) = elastic.map(|(_, width)| width).filter(|w| **w > LEAST).max_by_key(|w| **w)
            else {
                return;
            };
            *widest -= 1;
            excess -= 1;
        }
    }

    fn line(&self, cells: &[Cell], widths: &[usize], style: &Style) -> String {
        let mut line = String::new();
        // Spaces are owed until something follows them, so that no line ends in any.
        let mut owed = 0;
        for ((column, cell), &room) in self.columns.iter().zip(cells).zip(widths) {
            let text =
                if column.elastic { cut(&cell.text, room, style.ellipsis()) } else { cell.text.clone() };
            let padding = room.saturating_sub(width(&text));
            let (before, after) = if column.align == Align::Right { (padding, 0) } else { (0, padding) };
            if !text.is_empty() {
                line.push_str(&" ".repeat(owed + before));
                line.push_str(&cell.color.map_or_else(|| text.clone(), |color| style.paint(&text, color)));
                owed = 0;
            } else {
                owed += before;
            }
            owed += after + GAP.len();
        }
        line.push('\n');
        line
    }
}

fn note_lines(note: &str, style: &Style) -> String {
    let branch = style.branch();
    let indent = NOTE_INDENT.len() + width(branch);
    let room = style.width().map_or(usize::MAX, |width| width.saturating_sub(indent).max(LEAST));
    let mut text = String::new();
    for (index, line) in wrap(note, room).iter().enumerate() {
        let lead = if index == 0 { format!("{NOTE_INDENT}{branch}") } else { " ".repeat(indent) };
        text.push_str(&lead);
        text.push_str(&style.paint(line, Color::Dim));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new([Column::text("NAME"), Column::number("BOTS"), Column::elastic("WHY")]);
        table.row(["main".into(), "1".into(), "a rather long explanation".into()]);
        table.note("and more about it");
        table.row(["卡".into(), "30".into(), Cell::from("")]);
        table
    }

    #[test]
    fn columns_are_aligned_and_lines_end_in_no_spaces() {
        let expected = "NAME  BOTS  WHY\n\
                        main     1  a rather long explanation\n  - and more about it\n\
                        卡      30\n";
        assert_eq!(table().render(&Style::PLAIN), expected);
    }

    #[test]
    fn a_narrow_terminal_cuts_what_is_elastic_and_wraps_notes() {
        let narrow = Style { size: Some((20, 24)), unicode: true, color: false };
        let text = table().render(&narrow);
        assert_eq!(text, "NAME  BOTS  WHY\nmain     1  a rathe…\n  └ and more about\n    it\n卡      30\n");
    }
}
