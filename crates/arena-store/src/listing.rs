//! One page of a list: only the conditions that are asked for stand in the text, so that each can use its index.

use crate::db::{Statement, Tx};
use crate::page::PageRequest;
use crate::text::storable;
use std::fmt::Write;

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
