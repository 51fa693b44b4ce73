//! A request as an example in the log.

use std::fmt;

use shared::frame::Line;
use shared::limits::MAX_LINE;

/// Characters that are shown.
const MAX_SHOWN: usize = 60;

/// The beginning of a line, in quotes and escaped, so that no line of the log holds what a client
/// chose and a terminal obeys.
#[derive(Debug, Clone, Copy)]
pub struct Excerpt<'a>(pub Line<'a>);

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Line::Text(line) = self.0 else {
            return write!(f, "more than {MAX_LINE} bytes");
        };
        // A character has at most four bytes.
        let start = &line[..line.len().min(4 * MAX_SHOWN)];
        let text = String::from_utf8_lossy(start);
        let shown: String = text.chars().take(MAX_SHOWN).collect();
        let is_cut = start.len() < line.len() || shown.len() < text.len();
        write!(f, "\"{}{}\"", shown.escape_debug(), if is_cut { "…" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_chose_is_short_and_escaped() {
        for (line, shown) in [
            (&b"got *"[..], "\"got *\"".to_owned()),
            (b"\x1b[2J\tbell\x07", r#""\u{1b}[2J\tbell\u{7}""#.to_owned()),
            ("né\u{202e}".as_bytes(), "\"né\\u{202e}\"".to_owned()),
            (b"\xff", "\"\u{fffd}\"".to_owned()),
            (&[b'x'; 60], format!("\"{}\"", "x".repeat(60))),
            (&[b'x'; 61], format!("\"{}…\"", "x".repeat(60))),
            ("\u{10000}".repeat(1000).as_bytes(), format!("\"{}…\"", "\u{10000}".repeat(60))),
        ] {
            assert_eq!(Excerpt(Line::Text(line)).to_string(), shown);
        }
        assert_eq!(Excerpt(Line::TooLong).to_string(), "more than 4096 bytes");
    }
}
