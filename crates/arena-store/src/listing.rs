//! One page of a list: only the conditions that are asked for stand in the text, so that each can use its index.

use crate::db::{Statement, Tx};
use crate::error::StoreError;
use crate::page::PageRequest;
use crate::text::storable;
use arena_core::Timestamp;
use std::fmt::{self, Write};
use uuid::Uuid;

/// A SELECT whose conditions are added one by one.
pub(crate) struct Listing {
    sql: String,
    values: Vec<Value>,
}

/// What a condition compares with.
enum Value {
    Text(String),
    Number(i64),
}

/// A place in a list by age, and of one age by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place(pub(crate) Timestamp, pub(crate) Uuid);

impl Place {
    /// Where a page begins.
    pub(crate) fn parse(page: &PageRequest) -> Result<Option<Place>, StoreError> {
        let parse = |cursor: &String| {
            let (at, id) = cursor.split_once('_')?;
            Some(Place(Timestamp(at.parse().ok()?), id.parse().ok()?))
        };
        page.cursor.as_ref().map(|cursor| parse(cursor).ok_or(StoreError::BadCursor)).transpose()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.0.0, self.1)
    }
}

impl Listing {
    /// Starts from `SELECT … FROM …` without a WHERE.
    pub(crate) fn new(select: impl Into<String>) -> Listing {
        Listing { sql: select.into() + " WHERE 1 = 1", values: Vec::new() }
    }

    /// Adds a condition without a value.
    pub(crate) fn when(mut self, asked: bool, condition: &'static str) -> Listing {
        if asked {
            self.push(condition);
        }
        self
    }

    /// Adds `comparison $n`, such as `name >= $2`, if there is a value.
    pub(crate) fn compare(mut self, comparison: &'static str, value: Option<&str>) -> Listing {
        if let Some(value) = value {
            self.push_value(comparison, Value::Text(storable(value)));
        }
        self
    }

    /// The same with a number.
    pub(crate) fn compare_number(mut self, comparison: &'static str, value: Option<i64>) -> Listing {
        if let Some(value) = value {
            self.push_value(comparison, Value::Number(value));
        }
        self
    }

    /// Adds `comparison ($n, $n + 1)`, such as `(created_at, id) > ($2, $3)`, if there is a place.
    pub(crate) fn place(mut self, comparison: &'static str, place: Option<Place>) -> Listing {
        if let Some(Place(at, id)) = place {
            self.values.extend([Value::Number(at.0), Value::Text(id.to_string())]);
            let last = self.values.len();
            self.push(&format!("{comparison} (${}, ${last})", last - 1));
        }
        self
    }

    /// The statement that fetches a page.
    pub(crate) fn page(mut self, tx: &Tx, order: &'static str, page: &PageRequest) -> Statement {
        let limit = self.values.len() + 1;
        write!(self.sql, " ORDER BY {order} LIMIT ${limit}")
            .expect("invariant: writing to a String cannot fail");
        let query = self.values.into_iter().fold(tx.built(self.sql), |query, value| match value {
            Value::Text(text) => query.bind(text),
            Value::Number(number) => query.bind(number),
        });
        query.bind(page.fetch())
    }

    fn push_value(&mut self, comparison: &'static str, value: Value) {
        self.values.push(value);
        let number = self.values.len();
        self.push(&format!("{comparison} ${number}"));
    }

    fn push(&mut self, condition: &str) {
        self.sql.push_str(" AND ");
        self.sql.push_str(condition);
    }
}
