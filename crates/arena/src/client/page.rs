//! Lists, page by page.

use super::{Answer, ApiPath, Client, ClientError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A page of a list, its items as the server wrote them.
#[derive(Debug, Deserialize, Serialize)]
pub struct Page {
    /// The items.
    pub items: Vec<Box<RawValue>>,
    /// Where the next page begins, if there is one.
    pub next_cursor: Option<String>,
}

impl Page {
    /// The items, parsed.
    pub fn parse<T: DeserializeOwned>(&self, client: &Client) -> Result<Vec<T>, ClientError> {
        let parsed: Result<Vec<T>, _> =
            self.items.iter().map(|item| serde_json::from_str(item.get())).collect();
        parsed.map_err(|error| ClientError::NotArena {
            server: client.server().clone(),
            why: error.to_string(),
        })
    }
}

/// How much of a list is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pages {
    /// Items on a page.
    pub limit: Option<u32>,
    /// Where to begin.
    pub cursor: Option<String>,
    /// Whether all pages from there on.
    pub all: bool,
}

/// The largest page that the server gives.
const LARGEST: u32 = 1_000;

impl Client {
    /// One page, or all pages as one.
    pub fn pages(&self, path: &ApiPath, wanted: &Pages) -> Result<Page, ClientError> {
        let limit = wanted.limit.or(wanted.all.then_some(LARGEST));
        let path = path.clone().query("limit", limit);
        let (mut page, mut answer) = self.page(&path, wanted.cursor.as_deref())?;
        while wanted.all
            && let Some(cursor) = page.next_cursor.take()
        {
            let (next, next_answer) = self.page(&path, Some(&cursor))?;
            if next.next_cursor.as_ref() == Some(&cursor) {
                return Err(answer.refuse("a page that names itself as the next one"));
            }
            page.items.extend(next.items);
            page.next_cursor = next.next_cursor;
            answer = next_answer;
        }
        Ok(page)
    }

    fn page(&self, path: &ApiPath, cursor: Option<&str>) -> Result<(Page, Answer), ClientError> {
        let answer = self.get(&path.clone().query("cursor", cursor))?;
        Ok((answer.parse()?, answer))
    }
}
