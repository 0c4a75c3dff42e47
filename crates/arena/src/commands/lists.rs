//! Lists: pages as tables.

use super::{CommandError, Session};
use crate::cli::PagingArgs;
use crate::client::ApiPath;
use crate::progress::{Progress, say};
use crate::render::Style;
use serde::de::DeserializeOwned;

/// Prints a list, and where it goes on.
pub(super) fn list<T: DeserializeOwned>(
    session: &Session,
    path: &ApiPath,
    paging: &PagingArgs,
    what: &str,
    render: impl FnOnce(&[T], &Style) -> String,
) -> Result<(), CommandError> {
    let pages = paging.pages();
    let waiting = pages.all.then(|| Progress::spinner(format!("reading {what}")));
    let page = session.client.pages(path, &pages)?;
    drop(waiting);
    let items: Vec<T> = page.parse(&session.client)?;
    if session.screen.is_json() {
        let json = serde_json::to_string(&page).expect("invariant: a page that was read can be written");
        return session.screen.write_json(&json);
    }
    if items.is_empty() {
        say(&format!("no {what}"));
    } else {
        session.screen.write(&render(&items, &session.screen.style))?;
    }
    if let Some(cursor) = &page.next_cursor {
        say(&format!("there are more: --cursor {cursor}, or --all"));
    }
    Ok(())
}
