//! Untrusted text as text that is safe to show, and shows all that is in it: a server must not steer
//! the terminal, and two keys must not look the same.

use std::borrow::Cow;
use std::fmt::Write;

/// The line without its end; control characters, characters that can't be seen and what is not UTF-8
/// become visible escapes.
pub fn escape_untrusted(line: &[u8]) -> Box<str> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let mut out = String::with_capacity(line.len());
    for chunk in line.utf8_chunks() {
        push_escaped(chunk.valid(), &mut out);
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

/// The text with escapes as in [`escape_untrusted`]; escapes in it stay as they are.
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(is_escaped) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + 16);
    push_escaped(text, &mut out);
    out.into()
}

/// The text with escapes for what can't be seen; control characters stay, as in a text of several
/// lines and colours.
pub fn escape_invisible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_with_escapes(text, is_invisible, &mut out);
    out
}

fn push_escaped(text: &str, out: &mut String) {
    push_with_escapes(text, is_escaped, out);
}

fn push_with_escapes(text: &str, is_escaped: impl Fn(char) -> bool, out: &mut String) {
    for c in text.chars() {
        if is_escaped(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
}

/// The columns of the escape of a character; none if it is shown as it is.
pub fn escape_width(c: char) -> Option<usize> {
    is_escaped(c).then(|| c.escape_default().count())
}

/// The first character of a text that can't be seen, in words with an article: `a soft hyphen
/// (U+00AD)`.
pub fn name_invisible(text: &str) -> Option<String> {
    let c = text.chars().find(|&c| is_invisible(c))?;
    Some(format!("{} (U+{:04X})", name(c), u32::from(c)))
}

/// The text escaped, with the name of the first character in it that can't be seen.
pub fn named(text: &str) -> Cow<'_, str> {
    match name_invisible(text) {
        Some(name) => format!("{}, which holds {name}", escape(text)).into(),
        None => escape(text),
    }
}

fn is_escaped(c: char) -> bool {
    !(' '..='~').contains(&c) && (c.is_control() || is_invisible(c))
}

/// Whether a character can't be told from a blank or from nothing, or reorders the text around it:
/// white space but for the blank, what Unicode calls default ignorable, non-characters, and the like.
pub fn is_invisible(c: char) -> bool {
    match c {
        ' '..='~' => false,
        _ if c.is_control() => false,
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{2800}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{fdd0}'..='\u{fdef}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}' => true,
        // The last two of each plane.
        _ if u32::from(c) & 0xfffe == 0xfffe => true,
        _ => c.is_whitespace(),
    }
}

/// The name of a character that can't be seen, with an article.
fn name(c: char) -> &'static str {
    match c {
        '\u{a0}' => "a no-break space",
        '\u{202f}' => "a narrow no-break space",
        '\u{ad}' => "a soft hyphen",
        '\u{200b}' => "a zero width space",
        '\u{200c}' => "a zero width non-joiner",
        '\u{200d}' => "a zero width joiner",
        '\u{2060}' => "a word joiner",
        '\u{feff}' => "a byte order mark",
        '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            "a control of the writing direction"
        }
        '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' => "a variation selector",
        '\u{e0000}'..='\u{e007f}' => "a tag character",
        _ if c.is_whitespace() => "a white space character",
        _ => "an invisible character",
    }
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
            assert!(shown.chars().all(|c| c == '\n' || !is_escaped(c)));
        }
    }

    #[test]
    fn nothing_shown_can_steer_the_terminal() {
        assert_eq!(&*escape_untrusted(b"a\x1b[2J\xff 1.0 2\n"), "a\\u{1b}[2J\\xff 1.0 2");
        assert_eq!(&*escape_untrusted("ключ 😀\n".as_bytes()), "ключ 😀");
        assert_eq!(&*escape_untrusted("a\u{202e}b".as_bytes()), "a\\u{202e}b");
    }

    #[test]
    fn what_can_not_be_seen_is_escaped_and_named() {
        for (c, name) in [
            ('\u{a0}', "a no-break space (U+00A0)"),
            ('\u{ad}', "a soft hyphen (U+00AD)"),
            ('\u{61c}', "a control of the writing direction (U+061C)"),
            ('\u{200b}', "a zero width space (U+200B)"),
            ('\u{200d}', "a zero width joiner (U+200D)"),
            ('\u{2028}', "a white space character (U+2028)"),
            ('\u{202e}', "a control of the writing direction (U+202E)"),
            ('\u{2069}', "a control of the writing direction (U+2069)"),
            ('\u{2800}', "an invisible character (U+2800)"),
            ('\u{3000}', "a white space character (U+3000)"),
            ('\u{3164}', "an invisible character (U+3164)"),
            ('\u{fe0f}', "a variation selector (U+FE0F)"),
            ('\u{feff}', "a byte order mark (U+FEFF)"),
            ('\u{fdd0}', "an invisible character (U+FDD0)"),
            ('\u{ffff}', "an invisible character (U+FFFF)"),
            ('\u{1fffe}', "an invisible character (U+1FFFE)"),
            ('\u{e0041}', "a tag character (U+E0041)"),
        ] {
            let text = format!("a{c}b");
            let shown = format!("a\\u{{{:x}}}b", u32::from(c));
            assert_eq!(escape(&text), shown);
            assert_eq!(&*escape_untrusted(text.as_bytes()), shown);
            assert_eq!(escape(&shown), shown, "an escape is not escaped");
            assert_eq!(escape_width(c), Some(shown.len() - 2));
            assert_eq!(name_invisible(&text).as_deref(), Some(name));
        }
        for visible in ["palm.cpu ~", "ключ", "火😀é", "e\u{301}", "▁█⣿·…", "\u{e000}"]
        {
            assert_eq!((escape(visible), name_invisible(visible)), (visible.into(), None));
        }
        assert_eq!((&*escape("\x1b\u{85}\t"), name_invisible("\x1b")), ("\\u{1b}\\u{85}\\t", None));
    }
}
