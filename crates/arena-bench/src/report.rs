//! What a benchmark found out: tables, aims, notes, and the machine it ran on.

use crate::machine::Machine;
use crate::table::Table;
use serde_json::Value;
use std::fmt;

/// A figure held against what it should be.
#[derive(Debug, Clone)]
struct Aim {
    what: String,
    aim: String,
    got: String,
    met: bool,
}

/// The outcome of one benchmark.
#[derive(Debug, Clone)]
pub struct Report {
    bench: &'static str,
    machine: Machine,
    tables: Vec<Table>,
    aims: Vec<Aim>,
    notes: Vec<String>,
}

impl Report {
    /// An empty report about this machine.
    pub fn new(bench: &'static str) -> Report {
        Report { bench, machine: Machine::here(), tables: Vec::new(), aims: Vec::new(), notes: Vec::new() }
    }

    /// Adds a table.
    pub fn table(&mut self, table: Table) {
        self.tables.push(table);
    }

    /// Adds a line about how to read the figures, or about what was checked.
    pub fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// `got` should be at least `aim`.
    pub fn at_least(&mut self, what: impl Into<String>, aim: f64, got: f64) {
        let aim_text = format!("at least {aim}");
        self.aims.push(Aim { what: what.into(), aim: aim_text, got: format!("{got:.2}"), met: got >= aim });
    }

    /// `got` should be at most `aim`.
    pub fn at_most(&mut self, what: impl Into<String>, aim: f64, got: f64) {
        let aim_text = format!("at most {aim}");
        self.aims.push(Aim { what: what.into(), aim: aim_text, got: format!("{got:.2}"), met: got <= aim });
    }

    /// One line of JSON.
    pub fn to_json(&self) -> String {
        let aim = |aim: &Aim| serde_json::json!({ "what": aim.what, "aim": aim.aim, "got": aim.got, "met": aim.met });
        serde_json::json!({
            "bench": self.bench,
            "machine": self.machine.json(),
            "tables": self.tables.iter().map(Table::json).collect::<Vec<Value>>(),
            "aims": self.aims.iter().map(aim).collect::<Vec<Value>>(),
            "notes": self.notes,
        })
        .to_string()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}, on {}\n", self.bench, self.machine)?;
        for table in &self.tables {
            writeln!(f, "{table}")?;
        }
        for aim in &self.aims {
            let verdict = if aim.met { "met" } else { "MISSED" };
            writeln!(f, "- {}: {}, aim {}: {verdict}", aim.what, aim.got, aim.aim)?;
        }
        for note in &self.notes {
            writeln!(f, "- {note}")?;
        }
        Ok(())
    }
}
