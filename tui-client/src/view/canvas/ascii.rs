//! Lines, bars, dots and arrows as ASCII characters, for terminals and fonts without them. Letters
//! of keys and requests stay.

use ratatui::buffer::Buffer;

use crate::view::theme::Theme;

/// Replaces the characters of borders, bars, dots and arrows, one column by one column.
pub fn redraw(buffer: &mut Buffer) {
    // The two characters before, because the prefix for a millionth is a letter of keys as well.
    let mut before = (' ', ' ');
    for cell in &mut buffer.content {
        let first = cell.symbol().chars().next().unwrap_or(' ');
        let is_prefix = first == 'µ' && before.0.is_ascii_digit() && before.1 == ' ';
        before = (before.1, first);
        if is_prefix {
            cell.set_char('u');
        }
        let mut symbol = cell.symbol().chars();
        if let (Some(c), None) = (symbol.next(), symbol.next())
            && !c.is_ascii()
            && let Some(plain) = replacement(c)
        {
            cell.set_char(plain);
        }
    }
}

/// The names of keys, in an ASCII theme with the arrows as words, because `<` is another key.
pub fn key_names(theme: &Theme, names: String) -> String {
    const WORDS: [(&str, &str); 4] = [("←", "left"), ("→", "right"), ("↑", "up"), ("↓", "down")];
    if !theme.ascii {
        return names;
    }
    WORDS.iter().fold(names, |names, (arrow, word)| names.replace(arrow, word))
}

/// What stands for a character of lines, bars, dots or arrows; none for any other.
pub fn replacement(c: char) -> Option<char> {
    Some(match c {
        '\u{2800}'..='\u{28ff}' => dots(u8::try_from(u32::from(c) - 0x2800).unwrap_or(0)),
        '▁' => '_',
        '▂' => '.',
        '▃' => ',',
        '▄' | '─' | '━' | '┄' | '┈' | '═' | '·' | '–' | '—' | '−' => '-',
        '▅' | '…' => '~',
        '▇' | '╌' => '=',
        // The line of a mark, beside axes, borders and steep data.
        '┆' | '┊' => ':',
        '│' | '┃' | '║' => '|',
        '▆' | '✓' | '\u{2500}'..='\u{257f}' => '+',
        '▲' | '△' | '↑' => '^',
        '▼' | '▽' | '↓' => 'v',
        '◂' | '◀' | '◄' | '←' | '‹' => '<',
        '▸' | '▶' | '►' | '›' | '⏎' | '\u{2190}'..='\u{21ff}' => '>',
        '○' | '◌' | '◇' | '□' => 'o',
        '×' | '✗' => 'x',
        '\u{2580}'..='\u{259f}' => '#',
        '•' | '\u{25a0}'..='\u{25ff}' => '*',
        _ => return None,
    })
}

/// The character nearest to a cell of braille dots: by their height in the cell and their slope.
pub fn dots(pattern: u8) -> char {
    /// The bits of the rows, from the top.
    const ROWS: [u8; 4] = [0x09, 0x12, 0x24, 0xc0];
    /// The bits of the left column.
    const LEFT: u8 = 0x47;
    let rows: Vec<usize> = (0..4).filter(|&row| pattern & ROWS[row] != 0).collect();
    let (Some(&top), Some(&bottom)) = (rows.first(), rows.last()) else { return ' ' };
    let highest = |side: u8| (0..4).find(|&row| pattern & side & ROWS[row] != 0);
    match (bottom - top, highest(LEFT), highest(!LEFT)) {
        (2.., Some(left), Some(right)) if left > right => '/',
        (2.., Some(left), Some(right)) if left < right => '\\',
        (2.., ..) => '|',
        _ => match top + bottom {
            0 | 1 => '\'',
            2..=4 => '-',
            5 => '.',
            _ => '_',
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_keep_their_height_and_slope() {
        for (braille, plain) in
            [('⠀', ' '), ('⠉', '\''), ('⠒', '-'), ('⣀', '_'), ('⡠', '.'), ('⢠', '.'), ('⡇', '|')]
        {
            assert_eq!(replacement(braille), Some(plain), "{braille}");
        }
        assert_eq!(replacement('⡜'), Some('/'));
        assert_eq!(replacement('⢣'), Some('\\'));
    }

    #[test]
    fn a_millionth_is_a_u_but_keys_stay() {
        use ratatui::layout::Rect;
        let mut buffer = Buffer::empty(Rect::new(0, 0, 16, 1));
        buffer.set_string(0, 0, "µ.lat 2.3 µB µ", ratatui::style::Style::new());
        redraw(&mut buffer);
        let text: String = buffer.content.iter().map(ratatui::buffer::Cell::symbol).collect();
        assert_eq!(text, "µ.lat 2.3 uB µ  ");
    }

    #[test]
    fn letters_stay() {
        for letter in ['a', 'é', 'ж', '火', '😀'] {
            assert_eq!(replacement(letter), None);
        }
    }
}
