//! Many rows in one statement.

use std::fmt::Write;

/// Most parameters in one statement: SQLite's limit (PostgreSQL's is 65,535).
const MAX_PARAMETERS: usize = 32_766;

/// Most rows of `columns` parameters each in one statement that has `others` more.
pub(crate) fn rows_per_statement(columns: usize, others: usize) -> usize {
    ((MAX_PARAMETERS - others) / columns).min(1_000)
}

/// `($3,$4),($5,$6)` for two rows of two columns with 2 parameters before them.
pub(crate) fn tuples(rows: usize, columns: usize, before: usize) -> String {
    let mut sql = String::with_capacity(rows * columns * 7);
    let mut next = before;
    for row in 0..rows {
        sql.push_str(if row == 0 { "(" } else { ",(" });
        for column in 0..columns {
            next += 1;
            let comma = if column == 0 { "" } else { "," };
            write!(sql, "{comma}${next}").expect("invariant: writing to a String cannot fail");
        }
        sql.push(')');
    }
    sql
}

/// `($3,$4,$5)` for three values with 2 parameters before them.
pub(crate) fn list(values: usize, before: usize) -> String {
    tuples(1, values, before)
}

/// The same statement with parameters as SQLite takes them fastest. It looks a name ($1) up among all the others when
/// it reads the text, and sqlx asks for the name of each parameter, number (?1) or not, before it binds it; with
/// thousands of parameters either is most of the time. Those that just follow each other need neither.
pub(crate) fn for_sqlite(sql: &str) -> String {
    let mut parts = sql.split('$');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for (part, number) in parts.zip(1_usize..) {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
        if part[..part.len() - rest.len()].parse() != Ok(number) {
            return sql.replace('$', "?");
        }
        plain.push('?');
        plain.push_str(rest);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_without_a_number_are_those_in_their_order() {
        assert_eq!(for_sqlite("SELECT 1"), "SELECT 1");
        assert_eq!(for_sqlite("x = $1 AND y IN ($2,$3)"), "x = ? AND y IN (?,?)");
        assert_eq!(for_sqlite("x = $1 AND y IN ($2,$1)"), "x = ?1 AND y IN (?2,?1)");
        assert_eq!(for_sqlite("x = $2 AND y = $1"), "x = ?2 AND y = ?1");
        assert_eq!(for_sqlite(&tuples(6, 2, 0)), "(?,?),(?,?),(?,?),(?,?),(?,?),(?,?)");
    }

    #[test]
    fn parameters_are_numbered_on() {
        assert_eq!(tuples(2, 2, 2), "($3,$4),($5,$6)");
        assert_eq!(list(3, 0), "($1,$2,$3)");
    }

    #[test]
    fn no_statement_exceeds_the_parameter_limit() {
        for columns in 1..40 {
            assert!(rows_per_statement(columns, 5) * columns + 5 <= MAX_PARAMETERS);
        }
    }
}
