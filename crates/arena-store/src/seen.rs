//! Which statements were made, for the tests that ask what the database would do with them.

use std::cell::RefCell;

thread_local! {
    static SEEN: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Takes note of a statement.
pub(crate) fn note(sql: &str) {
    SEEN.with_borrow_mut(|seen| seen.push(sql.to_owned()));
}

/// Those that this thread made since it was asked last.
pub(crate) fn take() -> Vec<String> {
    SEEN.take()
}
