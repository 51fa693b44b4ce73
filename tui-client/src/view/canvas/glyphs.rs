//! The characters of charts and sparklines. A chart is computed in dots, two across and four down a
//! cell; these are the characters that show them.

use ratatui::symbols::pixel::{OCTANTS, QUADRANTS};

use super::ascii;
use crate::view::theme::Glyphs;

impl Glyphs {
    /// The character of a cell with these dots, the bits of a braille pattern.
    pub fn cell(self, dots: u8) -> char {
        match self {
            Self::Octant => OCTANTS[usize::from(by_rows(dots))],
            Self::Braille => char::from_u32(0x2800 + u32::from(dots)).unwrap_or(' '),
            Self::Block => {
                // Two rows of dots are one of blocks.
                let rows = by_rows(dots);
                let (upper, lower) = (rows | rows >> 2, (rows | rows >> 2) >> 4);
                QUADRANTS[usize::from(upper & 0b11 | (lower & 0b11) << 2)]
            }
            Self::Ascii => ascii::dots(dots),
        }
    }

    /// A sparkline in these glyphs: bars but for ASCII.
    pub fn sparkline(self, bars: String) -> String {
        match self {
            Self::Ascii => bars.chars().map(|c| ascii::replacement(c).unwrap_or(c)).collect(),
            _ => bars,
        }
    }
}

/// The bits of a braille pattern, which has them by columns, row by row from the top.
fn by_rows(dots: u8) -> u8 {
    /// The bit of each dot in a braille pattern.
    const BITS: [u8; 8] = [0, 3, 1, 4, 2, 5, 6, 7];
    (0..).zip(BITS).fold(0, |rows, (to, bit)| rows | (dots >> bit & 1) << to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_where_they_were_in_each_kind_of_glyph() {
        for (braille, octant, block, ascii) in [
            ('⠀', ' ', ' ', ' '),
            // The upper left one, the upper right one, the lower left one.
            ('⠁', '\u{1cea8}', '▘', '\''),
            ('⠈', '\u{1ceab}', '▝', '\''),
            ('⡀', '\u{1cea3}', '▖', '_'),
            // The third row.
            ('⠄', '\u{1cd09}', '▖', '-'),
            ('⠠', '\u{1cd18}', '▗', '-'),
            // A slope, and all.
            ('⣀', '▂', '▄', '_'),
            ('⢣', '▚', '▚', '\\'),
            ('⣿', '█', '█', '|'),
        ] {
            let dots = u8::try_from(u32::from(braille) - 0x2800).unwrap();
            assert_eq!(Glyphs::Braille.cell(dots), braille);
            assert_eq!(Glyphs::Octant.cell(dots), octant, "{braille}");
            assert_eq!(Glyphs::Block.cell(dots), block, "{braille}");
            assert_eq!(Glyphs::Ascii.cell(dots), ascii, "{braille}");
        }
        assert_eq!(Glyphs::Ascii.sparkline("▁▄▇─ ".to_owned()), "_-=- ");
        assert_eq!(Glyphs::Braille.sparkline("▁▄▇".to_owned()), "▁▄▇");
    }
}
