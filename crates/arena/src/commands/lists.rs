//! Lists: pages as tables.

use super::{CommandError, Session};
use crate::cli::PagingArgs;
use crate::client::ApiPath;
use crate::progress::{Progress, say};
use crate::render::{Style, clean};
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
        say(&format!("there are more: --cursor {}, or --all", quoted(cursor)));
    }
    Ok(())
}

/// As a shell takes it: cursors may hold names.
fn quoted(cursor: &str) -> String {
    let plain = cursor.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:/+=".contains(&b));
    if plain { cursor.to_owned() } else { format!("'{}'", clean(cursor).replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_cursor_can_be_pasted() {
        assert_eq!(quoted("01a1fc1a-6107"), "01a1fc1a-6107");
        assert_eq!(quoted("Aoife O'Quinn"), r"'Aoife O'\''Quinn'");
    }
}
