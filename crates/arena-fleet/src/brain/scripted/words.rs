//! Words of a text, and patterns of words.

use std::fmt;

/// The words of a text in lower case, without punctuation. Apostrophes go without a gap: `What's` is `whats`.
pub(crate) fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for c in text.chars() {
        if c.is_alphanumeric() || is_mark(c) {
            word.extend(c.to_lowercase());
        } else if !matches!(c, '\'' | '’') && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Whether it belongs to the letter before it: an accent that is written by itself.
fn is_mark(c: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&c)
}

/// A word, or several in a row. A `*` at the end of a word stands for any ending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Whole(String),
    Beginning(String),
}

/// Why a text is no pattern.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoPattern;

impl fmt::Display for NoPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a word or a phrase is needed, of letters and digits; `*` may end a word")
    }
}

impl Pattern {
    /// Reads a pattern.
    pub(crate) fn parse(text: &str) -> Result<Pattern, NoPattern> {
        let mut parts = Vec::new();
        for piece in text.split_whitespace() {
            let (piece, open) = piece.strip_suffix('*').map_or((piece, false), |stem| (stem, true));
            let mut found = words(piece);
            let last = found.pop().ok_or(NoPattern)?;
            parts.extend(found.into_iter().map(Part::Whole));
            parts.push(if open { Part::Beginning(last) } else { Part::Whole(last) });
        }
        if parts.is_empty() { Err(NoPattern) } else { Ok(Pattern(parts)) }
    }

    /// Whether it is somewhere in these words.
    pub(crate) fn is_in(&self, words: &[String]) -> bool {
        words
            .windows(self.0.len())
            .any(|window| window.iter().zip(&self.0).all(|(word, part)| part.fits(word)))
    }

    /// How many words it has: longer ones say more.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

impl Part {
    fn fits(&self, word: &str) -> bool {
        match self {
            Part::Whole(whole) => word == whole,
            Part::Beginning(stem) => word.starts_with(stem.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pattern: &str, text: &str) -> bool {
        Pattern::parse(pattern).unwrap().is_in(&words(text))
    }

    #[test]
    fn a_word_is_found_whole_and_whatever_its_case() {
        assert!(found("hi", "Well, HI there!"));
        assert!(!found("hi", "this is which?"));
        assert!(found("übung", "Gute ÜBUNG."));
        assert!(found("привет", "Привет, как дела?"));
    }

    #[test]
    fn a_phrase_is_found_in_a_row_and_over_punctuation() {
        assert!(found("how are you", "So: how… are you?"));
        assert!(!found("how are you", "how old are you"));
        assert!(found("what's up", "Whats up"));
        assert!(found("whats up", "what’s up"));
    }

    #[test]
    fn a_star_stands_for_an_ending() {
        assert!(found("thank*", "thanks a lot"));
        assert!(found("thank*", "I thank you"));
        assert!(!found("thank*", "hank"));
        assert!(found("good morn* all", "Good morning, all"));
    }

    #[test]
    fn what_has_no_word_is_no_pattern() {
        for text in ["", "  ", "*", "?!", "hello *"] {
            assert_eq!(Pattern::parse(text), Err(NoPattern), "{text}");
        }
    }
}
