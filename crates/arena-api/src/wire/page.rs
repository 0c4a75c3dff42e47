//! One page of a list.

use arena_control::Page;
use serde::Serialize;

/// Items, and where the next ones begin.
#[derive(Debug, Serialize)]
pub(crate) struct PageBody<T> {
    items: Vec<T>,
    next_cursor: Option<String>,
}

impl<T> PageBody<T> {
    /// A page of what was found, as `show` puts it.
    pub(crate) fn of<D>(page: Page<D>, show: impl FnMut(D) -> T) -> Self {
        PageBody { items: page.items.into_iter().map(show).collect(), next_cursor: page.next_cursor }
    }

    /// A list that is one page.
    pub(crate) fn whole(items: Vec<T>) -> Self {
        PageBody { items, next_cursor: None }
    }
}

impl<D, T: From<D>> From<Page<D>> for PageBody<T> {
    fn from(page: Page<D>) -> Self {
        PageBody::of(page, T::from)
    }
}
