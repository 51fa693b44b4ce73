//! The width of text in columns, wide characters measured as the terminal does.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns that a text takes.
pub fn width(text: &str) -> usize {
    simple(text).unwrap_or_else(|| text.width())
}

/// Columns of a text of which each character takes exactly one, as in almost all that is drawn; to
/// measure any other text costs half of the time of a frame.
pub fn simple(text: &str) -> Option<usize> {
    let mut columns = 0;
    for c in text.chars() {
        // ASCII, frames and blocks, dots of braille, and the other characters of the screen.
        if !matches!(c, ' '..='~' | '─'..='▟' | '\u{2800}'..='⣿' | '·' | '…' | '←'..='↓')
        {
            return None;
        }
        columns += 1;
    }
    Some(columns)
}

/// The text if it fits, else its beginning and an ellipsis. Blanks at its end are no loss.
pub fn cut(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return text.into();
    }
    let text = text.trim_end_matches(' ');
    if width(text) <= columns {
        return text.into();
    }
    let mut left = columns.saturating_sub(1);
    let fits = text.chars().take_while(|c| {
        let wide = c.width().unwrap_or(0);
        let fits = wide <= left;
        left = left.saturating_sub(wide);
        fits
    });
    let mut out: String = fits.collect();
    if columns > 0 {
        out.push('…');
    }
    out.into()
}

/// The text from a column on, and how many of the columns lie behind its end.
pub fn behind(text: &str, columns: usize) -> (&str, usize) {
    let mut left = columns;
    let mut rest = text.chars();
    while left > 0
        && let Some(c) = rest.next()
    {
        left = left.saturating_sub(c.width().unwrap_or(0));
    }
    (rest.as_str(), left)
}
