//! The width of text in columns, wide characters measured as the terminal does, and characters that
//! can't be seen as their escapes.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::escape::{escape, escape_width};

/// Columns that a text takes.
pub fn width(text: &str) -> usize {
    simple(text).unwrap_or_else(|| escape(text).width())
}

/// Columns of a character.
fn char_width(c: char) -> usize {
    escape_width(c).or_else(|| c.width()).unwrap_or(0)
}

/// Columns of a text of which each character takes exactly one, as in almost all that is drawn; to
/// measure any other text costs half of the time of a frame.
pub fn simple(text: &str) -> Option<usize> {
    let mut columns = 0;
    for c in text.chars() {
        // ASCII, frames and blocks, dots of braille, and the other characters of the screen.
        if !matches!(c, ' '..='~' | '─'..='▟' | '\u{2801}'..='⣿' | '·' | '…' | 'µ' | '←'..='↓')
        {
            return None;
        }
        columns += 1;
    }
    Some(columns)
}

/// The text, escaped, if it fits, else its beginning and an ellipsis. Blanks at its end are no loss.
pub fn cut(text: &str, columns: usize) -> Cow<'_, str> {
    let text = match simple(text) {
        Some(all) if all <= columns => return text.into(),
        Some(_) => text.into(),
        None => escape(text),
    };
    match text {
        Cow::Borrowed(text) => cut_visible(text, columns),
        Cow::Owned(text) => cut_visible(&text, columns).into_owned().into(),
    }
}

fn cut_visible(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return text.into();
    }
    let text = text.trim_end_matches(' ');
    if width(text) <= columns {
        return text.into();
    }
    let mut left = columns.saturating_sub(1);
    let fits = text.chars().take_while(|c| {
        let wide = char_width(*c);
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

/// The text, escaped, if it fits, else its beginning and its end with an ellipsis between them: the
/// names of keys often differ at their ends.
pub fn cut_in_the_middle(text: &str, columns: usize) -> Cow<'_, str> {
    let text = escape(text);
    if width(&text) <= columns {
        return text;
    }
    let Some(room) = columns.checked_sub(1) else { return Cow::Borrowed("") };
    let fitting = |wide: &mut usize, c: char| {
        *wide = wide.checked_sub(char_width(c))?;
        Some(c)
    };
    let mut tail: Vec<char> = text.chars().rev().scan(room / 2, fitting).collect();
    tail.reverse();
    let head = text.chars().scan(room - room / 2, fitting);
    head.chain(['…']).chain(tail).collect::<String>().into()
}

/// The text with long words, such as keys and paths, cut in the middle as far as the rest of it needs
/// their room; as it is where that is not enough and none of them would fill all the columns.
pub fn with_short_words(text: &str, columns: usize) -> Cow<'_, str> {
    /// Columns that make a word recognizable.
    const MIN_WORD: usize = 24;
    let mut excess = width(text).saturating_sub(columns);
    if excess == 0 {
        return text.into();
    }
    let mut words: Vec<Cow<'_, str>> = text.split(' ').map(Cow::Borrowed).collect();
    while excess > 0
        && let Some(longest) = words.iter_mut().max_by_key(|word| width(word))
        && let wide = width(longest)
        && wide > MIN_WORD
    {
        let short = wide.saturating_sub(excess).max(MIN_WORD);
        *longest = cut_in_the_middle(longest, short).into_owned().into();
        // A wide character may leave a column.
        excess = excess.saturating_sub(wide - width(longest));
    }
    let is_filled = text.split(' ').any(|word| width(word) >= columns);
    if excess > 0 && !is_filled { text.into() } else { words.join(" ").into() }
}

/// The text, if it fits, else an ellipsis and its end.
pub fn end_of(text: &str, columns: usize) -> Cow<'_, str> {
    let all = width(text);
    if all <= columns {
        return text.into();
    }
    format!("…{}", behind(text, (all + 1).saturating_sub(columns)).0).into()
}

/// The first columns of a text that are out of view, so that at most `columns` are left up to its end;
/// whole characters.
pub fn scrolled(text: &str, columns: usize) -> usize {
    let out = width(text).saturating_sub(columns);
    let mut scrolled = 0;
    let mut chars = text.chars();
    while scrolled < out
        && let Some(c) = chars.next()
    {
        scrolled += char_width(c);
    }
    scrolled
}

/// The text from a column on, and how many of the columns lie behind its end.
pub fn behind(text: &str, columns: usize) -> (&str, usize) {
    let mut left = columns;
    let mut rest = text.chars();
    while left > 0
        && let Some(c) = rest.next()
    {
        left = left.saturating_sub(char_width(c));
    }
    (rest.as_str(), left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_words_give_their_room_to_the_rest() {
        let key = format!("rack12.{}.load", "x".repeat(200));
        let text = format!("error in put {key}: a value is missing");
        assert_eq!(
            with_short_words(&text, 60),
            "error in put rack12.xxxxxxx…xxxxxxx.load: a value is missing"
        );
        let both = format!("{} and {}", "a".repeat(41), "b".repeat(31));
        let shown = "aaaaaaaaaaaa…aaaaaaaaaaa and bbbbbbbbbbbb…bbbbbbbbbbb";
        assert_eq!(with_short_words(&both, 40), shown, "no shorter");
        let options = "copied: tui-client --columns=key,last,rate,age --filter=last>5";
        assert_eq!(with_short_words(options, 40), options, "the end is cut");
        assert_eq!(with_short_words(&text, 999), text);
        let short = "many short words are never cut in the middle";
        assert_eq!(with_short_words(short, 10), short);
    }

    #[test]
    fn a_name_is_cut_in_the_middle_only_where_there_is_no_room() {
        for (name, columns, shown) in [
            ("host12.cpu.user", 15, "host12.cpu.user"),
            ("host12.cpu.user", 14, "host12.…u.user"),
            ("host12.cpu.user", 6, "hos…er"),
            ("host12.cpu.user", 1, "…"),
            ("host12.cpu.user", 0, ""),
            ("火火火火.cpu", 9, "火火….cpu"),
            ("火火火火火火", 9, "火火…火火"),
            ("火火火火火火", 8, "火火…火"),
            ("a\u{200b}bcdef", 7, "a\\u…def"),
        ] {
            let cut = cut_in_the_middle(name, columns);
            assert_eq!(cut, shown, "{name} in {columns}");
            assert!(width(&cut) <= columns, "{name} in {columns}");
        }
    }
}
