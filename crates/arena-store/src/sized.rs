//! Statements over many rows whose text is always one of a few, so that they stay prepared: parsing 500 rows of
//! placeholders takes longer than storing 500 rows.

use crate::batch;
use crate::db::{Dialect, Statement, Tx};
use std::sync::OnceLock;

/// The largest number of rows in one of these statements.
const LARGEST: usize = 512;

/// A statement with a list of rows in its middle.
pub(crate) struct Sized {
    head: &'static str,
    columns: usize,
    tail: &'static str,
    sqlite: OnceLock<Vec<String>>,
    postgres: OnceLock<Vec<String>>,
}

impl Sized {
    /// `head`, then rows of so many columns, then `tail`.
    pub(crate) const fn new(head: &'static str, columns: usize, tail: &'static str) -> Sized {
        Sized { head, columns, tail, sqlite: OnceLock::new(), postgres: OnceLock::new() }
    }

    /// The statement for as many rows as a part of [`parts`] or of [`padded`] has.
    pub(crate) fn of(&'static self, tx: &Tx, rows: usize) -> Statement {
        let texts = match tx.dialect() {
            Dialect::Sqlite => self.sqlite.get_or_init(|| self.texts(batch::for_sqlite)),
            Dialect::Postgres => self.postgres.get_or_init(|| self.texts(str::to_owned)),
        };
        tx.sql(&texts[rows.ilog2() as usize])
    }

    /// One text a power of two.
    fn texts(&self, dialect: impl Fn(&str) -> String) -> Vec<String> {
        let text = |power| {
            let rows = batch::tuples(1_usize << power, self.columns, 0);
            dialect(&format!("{}{rows}{}", self.head, self.tail))
        };
        (0..=LARGEST.ilog2()).map(text).collect()
    }
}

/// Cuts rows into parts whose lengths are powers of two, the larger ones first.
pub(crate) fn parts<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let length = 1 << rows.len().checked_ilog2()?;
        let (part, rest) = rows.split_at(length.min(LARGEST));
        rows = rest;
        Some(part)
    })
}

/// Cuts rows into as few parts as possible. Each is as long as a power of two: a row stands at its end several times.
pub(crate) fn padded<T: Copy>(rows: &[T]) -> impl Iterator<Item = Vec<T>> {
    rows.chunks(LARGEST).map(|part| {
        let length = part.len().next_power_of_two();
        part.iter().chain(part.last().into_iter().cycle()).copied().take(length).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_powers_of_two_and_leave_nothing_out() {
        for length in [0, 1, 2, 3, 300, 511, 512, 513, 1_700] {
            let rows: Vec<_> = (0..length).collect();
            let parts: Vec<_> = parts(&rows).collect();
            assert!(parts.iter().all(|part| part.len().is_power_of_two() && part.len() <= LARGEST));
            assert_eq!(parts.concat(), rows);
        }
    }

    #[test]
    fn padded_rows_stand_there_again() {
        let rows: Vec<_> = (0..515).collect();
        let parts: Vec<_> = padded(&rows).collect();
        assert_eq!(parts, [&rows[..512], &[512, 513, 514, 514]]);
        assert_eq!(padded::<i64>(&[]).count(), 0);
    }

    #[test]
    fn each_size_has_its_text() {
        let texts = Sized::new("SELECT ", 2, " END").texts(str::to_owned);
        assert_eq!(texts[1], "SELECT ($1,$2),($3,$4) END");
        assert_eq!(texts.len(), 10);
    }
}
