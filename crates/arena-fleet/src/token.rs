//! What bots show to be let in.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A token, or a key.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// As it is shown. A secret.
    pub text: Arc<str>,
    /// How long it is good for from now; `None` where it is not known to end.
    pub ttl: Option<Duration>,
}

/// Gives the token that is to be shown now. Joins, rejoins and refreshes ask it again each time, so that nothing is ever
/// rebuilt with a token that has ended.
#[derive(Clone)]
pub struct TokenSource(Arc<dyn Fn() -> Token + Send + Sync>);

impl TokenSource {
    /// Asks `current` each time.
    pub fn new(current: impl Fn() -> Token + Send + Sync + 'static) -> TokenSource {
        TokenSource(Arc::new(current))
    }

    /// Always this one.
    pub fn fixed(text: &str) -> TokenSource {
        let token = Token { text: text.into(), ttl: None };
        TokenSource::new(move || token.clone())
    }

    /// The token to show now.
    pub fn current(&self) -> Token {
        (self.0)()
    }
}

// Tokens are secrets.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("ttl", &self.ttl).finish_non_exhaustive()
    }
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenSource")
    }
}
