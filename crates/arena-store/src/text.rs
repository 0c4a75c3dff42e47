//! Text as both databases take it, and comparisons that both decide alike.

/// PostgreSQL stores no NUL. What holds one (a host's error message, a hostile query string) keeps its place in the
/// text, but not its character.
pub(crate) fn storable(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}

/// The least text that is greater than every text which begins with `prefix`, in byte order; none if there is no
/// such text. A range is used because SQLite's LIKE ignores the case of ASCII and PostgreSQL's does not.
pub(crate) fn after_prefix(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        if let Some(next) = (last..=char::MAX).nth(1) {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_before_the_next_text() {
        for (prefix, after) in [
            ("", None),
            ("a", Some("b")),
            ("a%", Some("a&")),
            ("\u{D7FF}", Some("\u{E000}")),
            ("a\u{10FFFF}", Some("b")),
            ("\u{10FFFF}", None),
        ] {
            assert_eq!(after_prefix(prefix).as_deref(), after, "{prefix:?}");
        }
    }

    #[test]
    fn only_nul_is_replaced() {
        assert_eq!(storable("a\0b\u{1}"), "a\u{FFFD}b\u{1}");
    }
}
