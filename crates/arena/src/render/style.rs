//! What the place that text goes to can show.

use std::env;
use std::io::{self, IsTerminal};

/// What the place that text goes to can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Columns and rows of the terminal; `None` where it is none, and nothing is cut.
    pub size: Option<(usize, usize)>,
    /// Whether bars and arrows may be more than ASCII.
    pub unicode: bool,
    /// Whether it shows colours.
    pub color: bool,
}

/// A meaning that has a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Color {
    /// All is well.
    Green,
    /// Look at it.
    Yellow,
    /// Act on it.
    Red,
    /// Less important than the rest.
    Dim,
}

impl Style {
    /// For files and pipes: every column whole, ASCII, no colours.
    pub const PLAIN: Style = Style { size: None, unicode: false, color: false };

    /// What standard output can show.
    pub fn of_stdout() -> Style {
        if !io::stdout().is_terminal() {
            return Style::PLAIN;
        }
        let size = terminal_size::terminal_size().map(|(width, height)| (width.0.into(), height.0.into()));
        let plain = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = env::var_os("TERM").is_none_or(|term| term == "dumb");
        Style { size: Some(size.unwrap_or((80, 24))), unicode: locale_is_utf8(), color: !plain && !dumb }
    }

    /// Columns that a line may take; `None` for as many as it wants.
    pub fn width(&self) -> Option<usize> {
        self.size.map(|(width, _)| width)
    }

    /// The text in a colour, where there are colours.
    pub fn paint(&self, text: &str, color: Color) -> String {
        if !self.color {
            return text.to_owned();
        }
        let code = match color {
            Color::Green => "32",
            Color::Yellow => "33",
            Color::Red => "31",
            Color::Dim => "2",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// What stands for text that was cut off.
    pub fn ellipsis(&self) -> &'static str {
        if self.unicode { "…" } else { "..." }
    }

    /// What stands before a detail of the line above.
    pub fn branch(&self) -> &'static str {
        if self.unicode { "└ " } else { "- " }
    }

    /// What stands before something to do.
    pub fn arrow(&self) -> &'static str {
        if self.unicode { "→ " } else { "-> " }
    }

    /// A bar of ten cells for `share` of the whole, 0 to 1. It is full only when the whole is, and empty only when
    /// nothing is.
    pub fn bar(&self, share: f64) -> String {
        const CELLS: usize = 10;
        let (full, empty) = if self.unicode { ('█', '░') } else { ('#', '.') };
        // The share is clamped to 0..=1, so the product fits.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 10")]
        let rounded = (share.clamp(0.0, 1.0) * CELLS as f64).round() as usize;
        let filled = match rounded {
            0 if share > 0.0 => 1,
            CELLS if share < 1.0 => CELLS - 1,
            cells => cells,
        };
        (0..CELLS).map(|cell| if cell < filled { full } else { empty }).collect()
    }
}

/// The first of these variables that is set decides, as POSIX says.
fn locale_is_utf8() -> bool {
    let set =
        ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| env::var(name).ok().filter(|v| !v.is_empty()));
    let locale = set.unwrap_or_default().to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_full_or_empty_only_when_it_is() {
        let bar = |share| Style::PLAIN.bar(share);
        assert_eq!(bar(0.0), "..........");
        assert_eq!(bar(0.001), "#.........");
        assert_eq!(bar(0.8), "########..");
        assert_eq!(bar(0.99), "#########.");
        assert_eq!(bar(1.0), "##########");
        assert_eq!(bar(7.0), "##########");
        assert_eq!(bar(f64::NAN), "..........");
    }
}
