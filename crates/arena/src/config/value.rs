//! What a key's value may be.

use super::redact::redact_url;
use toml::Value;

/// The values that a key allows.
#[derive(Debug, Clone, Copy)]
pub enum Rule {
    /// A whole number in a range, both ends included.
    Integer {
        /// The smallest.
        min: i64,
        /// The largest.
        max: i64,
    },
    /// `true` or `false`.
    Bool,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Text that a function accepts.
    Text {
        /// What is allowed, in words that go after "must be".
        allowed: &'static str,
        /// Whether the text is one of those.
        accepts: fn(&str) -> bool,
    },
    /// A database URL: text that is shown without its password.
    DatabaseUrl,
}

const DATABASE_URLS: &str = "empty, or begin with sqlite:, postgres:// or postgresql://";

impl Rule {
    /// What is allowed, in words that go after "must be".
    pub fn allowed(&self) -> String {
        match self {
            Rule::Integer { min, max } if *max == i64::MAX => format!("a whole number, at least {min}"),
            Rule::Integer { min, max } => format!("a whole number from {min} to {max}"),
            Rule::Bool => "true or false".to_owned(),
            Rule::OneOf(words) => one_of(words),
            Rule::Text { allowed, .. } => (*allowed).to_owned(),
            Rule::DatabaseUrl => DATABASE_URLS.to_owned(),
        }
    }

    /// What is allowed, for those who know the type by looking at the default.
    pub(super) fn allowed_in_short(&self) -> String {
        match self {
            Rule::Integer { min, max } if *max == i64::MAX => format!("at least {min}"),
            Rule::Integer { min, max } => format!("{min} to {max}"),
            _ => self.allowed(),
        }
    }

    /// Whether a value, already of some TOML type, is allowed.
    pub(super) fn accepts(&self, value: &Value) -> bool {
        match (self, value) {
            (Rule::Integer { min, max }, Value::Integer(n)) => (min..=max).contains(&n),
            (Rule::Bool, Value::Boolean(_)) => true,
            (Rule::OneOf(words), Value::String(text)) => words.contains(&text.as_str()),
            (Rule::Text { accepts, .. }, Value::String(text)) => accepts(text),
            (Rule::DatabaseUrl, Value::String(text)) => is_database_url(text),
            _ => false,
        }
    }

    /// Gives text from the environment or a flag the type that the key has. What does not parse stays text, and
    /// is then refused with everything else.
    pub(super) fn parse(&self, text: &str) -> Value {
        let typed = match self {
            Rule::Integer { .. } => text.parse().ok().map(Value::Integer),
            Rule::Bool => text.parse().ok().map(Value::Boolean),
            Rule::OneOf(_) | Rule::Text { .. } | Rule::DatabaseUrl => None,
        };
        typed.unwrap_or_else(|| Value::String(text.to_owned()))
    }

    /// The value as it may be shown.
    pub(super) fn shown(&self, value: &Value) -> Value {
        match (self, value) {
            (Rule::DatabaseUrl, Value::String(url)) => Value::String(redact_url(url)),
            _ => value.clone(),
        }
    }
}

fn one_of(words: &[&str]) -> String {
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => words.concat(),
    }
}

fn is_database_url(url: &str) -> bool {
    let rest_of = |scheme: &str| url.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty());
    url.is_empty() || rest_of("sqlite:") || rest_of("postgres://") || rest_of("postgresql://")
}
