//! `/api/conversations` and `/api/budgets`, and the words that REST and the socket share.

mod refused;
#[allow(dead_code, unused_imports, reason = "the doors that use it follow")]
pub(crate) mod wire;
