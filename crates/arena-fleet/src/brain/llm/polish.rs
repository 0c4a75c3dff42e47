//! Makes a line of chat out of what a model wrote.

/// The longest line, in bytes. A conversation takes 16,384 (`conversations.max_text_bytes`), a reader far less.
const MAX_BYTES: usize = 2_000;

/// The line; `None` if nothing is left.
pub(super) fn polish(text: &str, name: &str) -> Option<String> {
    let text = without_thoughts(text).trim();
    let text = text.strip_prefix(name).and_then(|rest| rest.strip_prefix(':')).unwrap_or(text).trim();
    let quoted = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let text = quoted.filter(|inner| !inner.contains('"')).unwrap_or(text).trim();
    let text: String = text.chars().filter(|c| !c.is_control() || *c == '\n').collect();
    let text = cut(&without_mentions(&text), MAX_BYTES);
    (!text.is_empty()).then_some(text)
}

/// Some models think aloud first, between `<think>` and `</think>`.
fn without_thoughts(text: &str) -> &str {
    let trimmed = text.trim_start();
    match trimmed.strip_prefix("<think>") {
        Some(thoughts) => thoughts.split_once("</think>").map_or("", |(_, rest)| rest),
        None => trimmed,
    }
}

/// Names nobody with an `@`: bots answer bots that do so, and two of them, talked into it, would go on for ever.
fn without_mentions(text: &str) -> String {
    let mut rest = text.chars().peekable();
    let mut kept = String::with_capacity(text.len());
    while let Some(c) = rest.next() {
        let mentions = c == '@' && rest.peek().is_some_and(|next| !next.is_whitespace());
        if !mentions {
            kept.push(c);
        }
    }
    kept
}

/// At most so many bytes: up to the end of a sentence where there is one in the second half, else of a word.
fn cut(text: &str, max: usize) -> String {
    if text.len() <= max {
        return text.trim_end().to_owned();
    }
    let end = (0..=max - '…'.len_utf8()).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let head = &text[..end];
    let sentence = head.rfind(['.', '!', '?', '\n']).filter(|at| *at >= end / 2);
    match sentence {
        Some(at) => head[..=at].trim_end().to_owned(),
        None => {
            let word = head.rfind(char::is_whitespace).filter(|at| *at >= end / 2).unwrap_or(end);
            format!("{}…", head[..word].trim_end())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_around_the_line_goes() {
        for text in [
            "Hello there.",
            "  Hello there.\n",
            "Ada: Hello there.",
            "\"Hello there.\"",
            "<think>hm\n</think>\nHello there.",
            "Hello\u{0} there.",
        ] {
            assert_eq!(polish(text, "Ada").as_deref(), Some("Hello there."), "{text}");
        }
        for text in ["", " \n", "<think>never ends", "Ada:", "\"\""] {
            assert_eq!(polish(text, "Ada"), None, "{text}");
        }
        assert_eq!(polish("\"Yes\" and \"no\"", "Ada").as_deref(), Some("\"Yes\" and \"no\""));
    }

    #[test]
    fn nobody_is_called_by_a_model() {
        for (text, said) in [
            ("Ask @bot-rosa about it.", "Ask bot-rosa about it."),
            ("@kofi, say `@@bot-ada`!", "kofi, say `bot-ada`!"),
            ("Three @ noon @", "Three @ noon @"),
        ] {
            assert_eq!(polish(text, "Ada").as_deref(), Some(said));
        }
    }

    #[test]
    fn long_lines_end_with_a_sentence_or_a_word_and_never_in_a_character() {
        let sentences = "All is well. ".repeat(500);
        let line = polish(&sentences, "Ada").unwrap();
        assert!(line.len() <= MAX_BYTES && line.ends_with("well."));
        let words = "ünder ".repeat(1_000);
        let line = polish(&words, "Ada").unwrap();
        assert!(line.len() <= MAX_BYTES && line.ends_with("ünder…"), "{line}");
        let one = "ü".repeat(3_000);
        let line = polish(&one, "Ada").unwrap();
        assert!(line.len() <= MAX_BYTES && line.len() > MAX_BYTES - 4 && line.ends_with('…'));
    }
}
