//! Paths of the API, with what users typed encoded.

use std::fmt;

/// A path and its query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiPath(String);

impl ApiPath {
    /// `/api/` and what follows, which is ours and needs no encoding.
    pub fn new(rest: &str) -> ApiPath {
        ApiPath(format!("/api/{rest}"))
    }

    /// Adds a segment, encoded.
    pub fn segment(mut self, text: impl fmt::Display) -> ApiPath {
        self.0.push('/');
        self.0.push_str(&encode(&text.to_string()));
        self
    }

    /// Adds a query parameter where there is a value.
    pub fn query(mut self, name: &str, value: Option<impl fmt::Display>) -> ApiPath {
        if let Some(value) = value {
            self.0.push(if self.0.contains('?') { '&' } else { '?' });
            self.0.push_str(&format!("{name}={}", encode(&value.to_string())));
        }
        self
    }
}

impl fmt::Display for ApiPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Percent-encodes all but RFC 3986's unreserved characters, and the colon of `name:…`, which a path may hold.
fn encode(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_users_type_cannot_leave_its_place() {
        let path = ApiPath::new("bots").segment("name:Zoë / ../x?").query("limit", Some(5));
        assert_eq!(path.to_string(), "/api/bots/name:Zo%C3%AB%20%2F%20..%2Fx%3F?limit=5");
        let path =
            ApiPath::new("bots").query("name", None::<&str>).query("a", Some("1&2")).query("b", Some("="));
        assert_eq!(path.to_string(), "/api/bots?a=1%262&b=%3D");
    }
}
