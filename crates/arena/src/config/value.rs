//! What a key's value may be.

use super::redact::{redact_secret, redact_url};
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
    /// A list of texts, each of which a function accepts. From the environment: with commas between them.
    List {
        /// What each may be, in words that go after "must be a list of".
        allowed: &'static str,
        /// Whether the text is one of those.
        accepts: fn(&str) -> bool,
    },
    /// A database URL: text that is shown without its password.
    DatabaseUrl,
    /// Text that is never shown, and that a function accepts.
    Secret {
        /// What is allowed, in words that go after "must be".
        allowed: &'static str,
        /// Whether the text is one of those.
        accepts: fn(&str) -> bool,
    },
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
            Rule::Text { allowed, .. } | Rule::Secret { allowed, .. } => (*allowed).to_owned(),
            Rule::List { allowed, .. } => format!("a list of {allowed}"),
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
            (Rule::Text { accepts, .. } | Rule::Secret { accepts, .. }, Value::String(text)) => accepts(text),
            (Rule::List { accepts, .. }, Value::Array(items)) => {
                items.iter().all(|item| item.as_str().is_some_and(accepts))
            }
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
            Rule::List { .. } => Some(items(text)),
            Rule::OneOf(_) | Rule::Text { .. } | Rule::DatabaseUrl | Rule::Secret { .. } => None,
        };
        typed.unwrap_or_else(|| Value::String(text.to_owned()))
    }

    /// The value as it may be shown.
    pub(super) fn shown(&self, value: &Value) -> Value {
        match (self, value) {
            (Rule::DatabaseUrl, Value::String(url)) => Value::String(redact_url(url)),
            // Whatever its type: one who forgets the quotes has still written a secret.
            (Rule::Secret { .. }, value) => {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                Value::String(redact_secret(&text))
            }
            _ => value.clone(),
        }
    }
}

/// What stands between commas; nothing is an empty list.
fn items(text: &str) -> Value {
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    Value::Array(items.map(|item| Value::String(item.to_owned())).collect())
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
