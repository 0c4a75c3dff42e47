//! What handlers take from a request. Every refusal is a problem with a code of docs/rest.md.

mod actor;
mod body;
mod path;
mod query;

pub(crate) use actor::Acting;
pub(crate) use body::{BadJson, Json, JsonText, NoBody, OptionalJson, media_type, parse};
pub(crate) use path::{Id, Ids};
pub(crate) use query::{Limit, Query, page_request};
