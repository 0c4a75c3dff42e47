//! The `Idempotency-Key` of a request and the fingerprint of what it was used for.

use crate::problem::Problem;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use sha2::{Digest, Sha256};
use std::fmt::Write;

const HEADER: &str = "idempotency-key";
const MAX_LEN: usize = 128;

/// 1 to 128 visible ASCII characters.
pub(super) struct Key(pub(super) String);

impl Key {
    /// The request's key, if it has one.
    pub(super) fn of(headers: &HeaderMap) -> Result<Option<Key>, Problem> {
        let mut values = headers.get_all(HEADER).iter();
        let Some(value) = values.next() else { return Ok(None) };
        let bytes = value.as_bytes();
        let fits = (1..=MAX_LEN).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
        match std::str::from_utf8(bytes) {
            Ok(text) if fits && values.next().is_none() => Ok(Some(Key(text.to_owned()))),
            _ => {
                let detail =
                    format!("Idempotency-Key takes one value of 1 to {MAX_LEN} visible ASCII characters");
                Err(Problem::new(StatusCode::BAD_REQUEST, "invalid_header", detail))
            }
        }
    }
}

/// What makes two requests the same: method, path with query, media type and body.
pub(super) fn fingerprint(head: &Parts, body_hash: &[u8; 32]) -> String {
    let mut hash = Sha256::new();
    let target = head.uri.path_and_query().map_or("", |target| target.as_str());
    for part in [head.method.as_str(), target, &crate::extract::media_type(&head.headers)] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.update(body_hash);
    let mut text = String::with_capacity(64);
    for byte in hash.finalize() {
        write!(text, "{byte:02x}").expect("invariant: writing to a string cannot fail");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn of(method: &str, uri: &str, media_type: &str, body: u8) -> String {
        let request = Request::builder().method(method).uri(uri).header("content-type", media_type);
        fingerprint(&request.body(()).unwrap().into_parts().0, &[body; 32])
    }

    #[test]
    fn a_fingerprint_differs_with_whatever_differs() {
        let same = of("POST", "/a?b", "text/csv", 1);
        assert_eq!(same, of("POST", "/a?b", "text/csv; charset=utf-8", 1));
        for other in [
            of("PUT", "/a?b", "text/csv", 1),
            of("POST", "/a?c", "text/csv", 1),
            of("POST", "/a", "text/csv", 1),
            of("POST", "/a?b", "application/json", 1),
            of("POST", "/a?b", "text/csv", 2),
        ] {
            assert_ne!(same, other);
        }
    }

    #[test]
    fn a_key_is_one_short_visible_word() {
        let key = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            values.iter().for_each(|value| {
                headers.append(HEADER, value.parse().unwrap());
            });
            Key::of(&headers).map(|key| key.map(|key| key.0)).map_err(|_| ())
        };
        assert_eq!(key(&[]), Ok(None));
        assert_eq!(key(&["k-1"]), Ok(Some("k-1".to_owned())));
        let long = "x".repeat(129);
        for bad in [&["" as &str][..], &["a b"], &["ü"], &[&long], &["a", "b"]] {
            assert_eq!(key(bad), Err(()), "{bad:?}");
        }
    }
}
