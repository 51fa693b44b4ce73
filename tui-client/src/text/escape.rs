//! Untrusted bytes as text that is safe to show: a server must not steer the terminal.

use std::fmt::Write;

/// The line without its end; control characters and what is not UTF-8 become visible escapes.
pub fn escape_untrusted(line: &[u8]) -> Box<str> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let mut out = String::with_capacity(line.len());
    for chunk in line.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_control() || is_invisible(c) {
                out.extend(c.escape_default());
            } else {
                out.push(c);
            }
        }
        for byte in chunk.invalid() {
            // Writing to a string can't fail.
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out.into()
}

/// Lines, each with its end, escaped as in [`escape_untrusted`].
pub fn escape_untrusted_lines(lines: &[u8]) -> String {
    let harmless = |&byte: &u8| byte == b'\n' || (b' '..=b'~').contains(&byte);
    if lines.iter().all(harmless) {
        return String::from_utf8_lossy(lines).into_owned();
    }
    let mut text = String::with_capacity(lines.len());
    for line in lines.split_inclusive(|&byte| byte == b'\n') {
        text.push_str(&escape_untrusted(line));
        text.push('\n');
    }
    text
}

/// Characters that reorder the text around them or hide in it.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stay_lines() {
        for text in ["a 1.0 2\nb 1.0 2\n", "a\x1b\n\nb\n", "a\r\n\u{202e}\n"] {
            let lines: Vec<_> = text.lines().map(|_| ()).collect();
            let shown = escape_untrusted_lines(text.as_bytes());
            assert_eq!(shown.split_terminator('\n').count(), lines.len(), "{text:?}");
            assert!(shown.chars().all(|c| c == '\n' || !(c.is_control() || is_invisible(c))));
        }
    }

    #[test]
    fn nothing_shown_can_steer_the_terminal() {
        assert_eq!(&*escape_untrusted(b"a\x1b[2J\xff 1.0 2\n"), "a\\u{1b}[2J\\xff 1.0 2");
        assert_eq!(&*escape_untrusted("ключ 😀\n".as_bytes()), "ключ 😀");
        assert_eq!(&*escape_untrusted("a\u{202e}b".as_bytes()), "a\\u{202e}b");
    }
}
