//! Tokens: who somebody is, signed. JSON Web Tokens (RFC 7519) as Supabase makes them, with two claims of our own.

mod claims;
mod error;
mod issuer;
mod keys;
pub mod secret;
mod verifier;

#[cfg(test)]
mod tests;

pub use claims::{Claims, Role, SeatClaim, UnknownRole};
pub use error::TokenError;
pub use issuer::Issuer;
pub use keys::{BadKeys, KeySet};
pub use secret::{Secret, WeakSecret};
pub use verifier::Verifier;

/// Whether this is no token at all but the name of an API key, which clients send where they have no token: then the
/// key that the connection was opened with goes on counting.
pub fn is_key_name(token: &str) -> bool {
    token.starts_with("sb_")
}

/// Seconds since 1970, as `exp` counts them; 0 for a clock before that.
pub fn unix_now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}
