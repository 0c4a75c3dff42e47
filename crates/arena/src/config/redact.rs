//! Secrets, and database URLs, whose passwords are never shown.

use serde::{Deserialize, Serialize};
use std::fmt;

const HIDDEN: &str = "***";

/// A database URL. It prints without its password; only [`DatabaseUrl::expose`] gives all of it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// Wraps a URL.
    pub fn new(url: String) -> DatabaseUrl {
        DatabaseUrl(url)
    }

    /// The whole URL, to connect with.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether none is set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&redact_url(&self.0))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", redact_url(&self.0))
    }
}

/// A secret. It prints as stars; only [`HiddenText::expose`] gives it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HiddenText(String);

impl HiddenText {
    /// Wraps a secret.
    pub fn new(text: String) -> HiddenText {
        HiddenText(text)
    }

    /// The secret.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether none is set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for HiddenText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", redact_secret(&self.0))
    }
}

/// Hides all of it, but not whether there is one.
pub(super) fn redact_secret(text: &str) -> String {
    if text.is_empty() { String::new() } else { HIDDEN.to_owned() }
}

/// Hides the password before the last `@` and in parameters named like one. It takes no URL parser, so that what
/// is not quite a URL, and therefore about to be shown in an error, gives nothing away either.
pub(super) fn redact_url(url: &str) -> String {
    let start = url.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = url.split_at(start);
    let rest = match rest.rfind('@') {
        Some(at) => {
            let (user, host) = rest.split_at(at);
            match user.split_once(':') {
                Some((user, _)) => format!("{user}:{HIDDEN}{host}"),
                None => rest.to_owned(),
            }
        }
        None => rest.to_owned(),
    };
    format!("{scheme}{}", redact_parameters(&rest))
}

fn redact_parameters(rest: &str) -> String {
    let Some((path, query)) = rest.split_once('?') else { return rest.to_owned() };
    let shown: Vec<String> = query.split('&').map(redact_parameter).collect();
    format!("{path}?{}", shown.join("&"))
}

fn redact_parameter(pair: &str) -> String {
    match pair.split_once('=') {
        Some((name, _)) if name.to_ascii_lowercase().contains("password") => format!("{name}={HIDDEN}"),
        _ => pair.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_hidden_wherever_they_stand() {
        for (url, shown) in [
            ("", ""),
            ("sqlite:./data/arena.db", "sqlite:./data/arena.db"),
            ("postgres://arena@db/arena", "postgres://arena@db/arena"),
            ("postgres://arena:s3cret@db:5432/arena", "postgres://arena:***@db:5432/arena"),
            ("postgres://arena:a@b/c@db/arena", "postgres://arena:***@db/arena"),
            ("arena:s3cret@db/arena", "arena:***@db/arena"),
            ("postgres://db/arena?user=a&password=s3cret", "postgres://db/arena?user=a&password=***"),
        ] {
            assert_eq!(redact_url(url), shown);
            assert!(!format!("{:?}", DatabaseUrl::new(url.to_owned())).contains("s3cret"));
        }
    }
}
