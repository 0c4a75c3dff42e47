//! Pages of lists, by key and not by offset: what is added meanwhile neither repeats nor hides a row.

/// Which part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// Most rows.
    pub limit: u32,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

impl PageRequest {
    /// Most rows a page may have.
    pub const MAX_LIMIT: u32 = 1_000;

    /// The first page of at most `limit` rows.
    pub fn first(limit: u32) -> PageRequest {
        PageRequest { limit, cursor: None }
    }

    /// Rows to fetch: one more than asked for, to see whether there is a next page.
    pub(crate) fn fetch(&self) -> i64 {
        i64::from(self.limit.clamp(1, Self::MAX_LIMIT)) + 1
    }
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Where the next page starts; `None` on the last one.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// Cuts what [`PageRequest::fetch`] fetched down to a page.
    pub(crate) fn cut(mut items: Vec<T>, request: &PageRequest, key: impl Fn(&T) -> String) -> Page<T> {
        let limit = usize::try_from(request.fetch() - 1).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = items.last().filter(|_| more).map(key);
        Page { items, next_cursor }
    }

    /// The same page of something else.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(f).collect(), next_cursor: self.next_cursor }
    }
}
