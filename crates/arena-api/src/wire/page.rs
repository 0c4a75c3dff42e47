//! One page of a list.

use arena_control::Page;
use serde::Serialize;

/// Items, and where the next ones begin.
#[derive(Debug, Serialize)]
pub(crate) struct PageBody<T> {
    items: Vec<T>,
    next_cursor: Option<String>,
}

impl<D, T: From<D>> From<Page<D>> for PageBody<T> {
    fn from(page: Page<D>) -> Self {
        PageBody { items: page.items.into_iter().map(T::from).collect(), next_cursor: page.next_cursor }
    }
}
