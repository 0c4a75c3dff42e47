//! Who may do what where.

mod access;
mod anonymous;
mod identity;
mod pattern;
#[cfg(test)]
mod tests;

pub(crate) use access::attends;
pub use access::{Access, Denied, PolicySettings, TopicPolicy, is_residents};
pub use anonymous::{AnonymousAccess, Caller};
pub use identity::Identity;
pub use pattern::{BadPattern, Grants, TopicPattern};
