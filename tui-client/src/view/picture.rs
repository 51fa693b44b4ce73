//! The screen as a picture: SVG, drawn from the cells. Text is text of a monospaced font, each
//! character at its place; lines, bars and dots are shapes, because the fonts of a browser have them
//! in other widths or not at all.

mod shapes;

use std::fmt::{self, Write};

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

use super::theme::Theme;
use shapes::{Layer, Shapes};

/// The size of a cell in tenths of a pixel: the advance of most monospaced fonts at 14 pixels.
const CELL: (u32, u32) = (84, 180);

/// How far the line that letters stand on is below the top of a cell, in tenths of a pixel.
const BASELINE: u32 = 135;

/// Pixels of empty space around the cells.
const MARGIN: u32 = 10;

const FONTS: &str =
    "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, 'Liberation Mono', monospace";

/// How faint text and lines look.
const FAINT: &str = " opacity=\"0.6\"";

/// The sixteen colours, of which the last eight are the bright ones.
type Palette = [&'static str; 16];

const ON_DARK: Palette = [
    "#2e3436", "#ef5350", "#7bc275", "#e5c07b", "#61a0e8", "#c678dd", "#4fc1cf", "#d0d4da",
    "#6b737c", "#ff7b76", "#98dd90", "#f5d896", "#85baff", "#dd97f0", "#74dbe8", "#ffffff",
];

const ON_LIGHT: Palette = [
    "#24292e", "#c62828", "#1b7f2a", "#8a6100", "#1556b0", "#8b2fa0", "#00707d", "#5c6370",
    "#6b737c", "#d84343", "#2b9a3b", "#a87800", "#2a6fd0", "#a548bb", "#008896", "#24292e",
];

/// The colours of text and background that the terminal would choose.
const DARK: (&str, &str) = ("#d8dce2", "#16191d");
const LIGHT: (&str, &str) = ("#24292e", "#ffffff");

/// Draws the cells as SVG, on the background of a theme; `title` tells what it shows.
pub fn svg(buffer: &Buffer, title: &str, theme: &Theme) -> String {
    let colours = Colours::new(theme);
    let lines = theme.lines.iter().filter_map(|&line| colours.colour(line));
    let mut shapes = Shapes::new((buffer.area.width, buffer.area.height), lines.collect());
    let mut texts = Texts::default();
    for row in 0..buffer.area.height {
        let mut column = 0;
        while column < buffer.area.width {
            let Some(cell) = buffer.cell((buffer.area.x + column, buffer.area.y + row)) else {
                break;
            };
            let width = cells_of(cell);
            let place = Place::new(column, row, width);
            let (ink, ground) = colours.of(cell);
            if let Some(ground) = ground {
                place.fill(shapes.of(Layer::Ground, ground), (0, 0), (8, 8));
            }
            if !place.draw(cell.symbol(), ink, &mut shapes) {
                texts.add(place, cell.symbol(), (ink, cell.modifier));
            }
            column += width;
        }
        texts.end_run();
    }
    let (width, height) = (
        u32::from(buffer.area.width) * CELL.0 / 10 + 2 * MARGIN,
        u32::from(buffer.area.height) * CELL.1 / 10 + 2 * MARGIN,
    );
    let ground = colours.usual.1;
    let mut out = String::new();
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\">\n<title>{}</title>\n<rect width=\"{width}\" height=\"{height}\" rx=\"6\" \
         fill=\"{ground}\"/>\n<g transform=\"translate({MARGIN} {MARGIN})\">",
        Escaped(title)
    );
    shapes.write(&mut out);
    let _ = writeln!(
        out,
        "<g font-family=\"{FONTS}\" font-size=\"14\">\n{}</g>\n</g>\n</svg>",
        texts.done
    );
    out
}

/// Columns of a cell; the cells behind a wide character are of no account.
fn cells_of(cell: &Cell) -> u16 {
    u16::try_from(crate::text::width::width(cell.symbol())).unwrap_or(1).max(1)
}

/// A colour, and whether it is faint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Ink {
    colour: Rgb,
    is_faint: bool,
}

/// A colour as SVG names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rgb {
    Known(&'static str),
    Mixed(u8, u8, u8),
}

impl fmt::Display for Rgb {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(name) => out.write_str(name),
            Self::Mixed(red, green, blue) => write!(out, "#{red:02x}{green:02x}{blue:02x}"),
        }
    }
}

/// What colours stand for.
struct Colours {
    palette: Palette,
    /// Text and background without a colour of their own.
    usual: (Rgb, Rgb),
}

impl Colours {
    fn new(theme: &Theme) -> Self {
        let (palette, (text, ground)) =
            if theme.is_light() { (ON_LIGHT, LIGHT) } else { (ON_DARK, DARK) };
        let mut colours = Self { palette, usual: (Rgb::Known(text), Rgb::Known(ground)) };
        let own = |colour: Option<Color>| colour.and_then(|colour| colours.colour(colour));
        let (text, ground) = (own(theme.text.fg), own(theme.background));
        colours.usual = (text.unwrap_or(colours.usual.0), ground.unwrap_or(colours.usual.1));
        colours
    }

    /// The ink of a cell and its background, unless it is the usual one.
    fn of(&self, cell: &Cell) -> (Ink, Option<Ink>) {
        let mut ink = self.colour(cell.fg).unwrap_or(self.usual.0);
        let mut ground = self.colour(cell.bg).filter(|&ground| ground != self.usual.1);
        if cell.modifier.contains(Modifier::REVERSED) {
            let behind = ground.unwrap_or(self.usual.1);
            (ink, ground) = (behind, Some(ink));
        }
        let is_faint = cell.modifier.contains(Modifier::DIM);
        let ground = ground.map(|colour| Ink { colour, is_faint: false });
        (Ink { colour: ink, is_faint }, ground)
    }

    /// A colour; none for that of the terminal.
    fn colour(&self, colour: Color) -> Option<Rgb> {
        let number = match colour {
            Color::Reset => return None,
            Color::Rgb(red, green, blue) => return Some(Rgb::Mixed(red, green, blue)),
            Color::Indexed(number) => number,
            Color::Black => 0,
            Color::Red => 1,
            Color::Green => 2,
            Color::Yellow => 3,
            Color::Blue => 4,
            Color::Magenta => 5,
            Color::Cyan => 6,
            Color::Gray => 7,
            Color::DarkGray => 8,
            Color::LightRed => 9,
            Color::LightGreen => 10,
            Color::LightYellow => 11,
            Color::LightBlue => 12,
            Color::LightMagenta => 13,
            Color::LightCyan => 14,
            Color::White => 15,
        };
        Some(match self.palette.get(usize::from(number)) {
            Some(name) => Rgb::Known(name),
            None => indexed(number),
        })
    }
}

/// A colour of the 240 that terminals have beside the sixteen: a cube of 6 by 6 by 6, and greys.
fn indexed(number: u8) -> Rgb {
    let level = |step: u8| if step == 0 { 0 } else { step * 40 + 55 };
    if let Some(step) = number.checked_sub(232) {
        let grey = step * 10 + 8;
        return Rgb::Mixed(grey, grey, grey);
    }
    let place = number.saturating_sub(16);
    Rgb::Mixed(level(place / 36), level(place / 6 % 6), level(place % 6))
}

/// Where a cell is, in tenths of a pixel.
#[derive(Debug, Clone, Copy)]
struct Place {
    x: u32,
    y: u32,
    width: u32,
}

/// Tenths, as a decimal number.
struct Tenths(u32);

impl fmt::Display for Tenths {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 % 10 {
            0 => write!(out, "{}", self.0 / 10),
            rest => write!(out, "{}.{rest}", self.0 / 10),
        }
    }
}

impl Place {
    fn new(column: u16, row: u16, columns: u16) -> Self {
        let (x, y) = (u32::from(column) * CELL.0, u32::from(row) * CELL.1);
        Self { x, y, width: u32::from(columns) * CELL.0 }
    }

    /// A point in the cell, in eighths of it.
    fn at(self, (x, y): (u32, u32)) -> (Tenths, Tenths) {
        (Tenths(self.x + self.width * x / 8), Tenths(self.y + CELL.1 * y / 8))
    }

    /// Adds the rectangle between two corners, in eighths of the cell.
    fn fill(self, path: &mut String, from: (u32, u32), to: (u32, u32)) {
        let ((left, top), (right, bottom)) = (self.at(from), self.at(to));
        let _ = write!(path, "M{left} {top}H{right}V{bottom}H{left}z");
    }

    /// Draws a blank, a line, a bar or dots. Answers whether the symbol is one of these.
    fn draw(self, symbol: &str, ink: Ink, shapes: &mut Shapes) -> bool {
        let mut chars = symbol.chars();
        let (Some(c), None) = (chars.next(), chars.next()) else { return symbol.is_empty() };
        if matches!(c, ' ' | '\u{2800}') {
            return true;
        }
        if let Some(blocks) = blocks(c) {
            let path = shapes.of(Layer::Filled, ink);
            for (from, to) in blocks {
                self.fill(path, from, to);
            }
            return true;
        }
        if let Some(arms) = arms(c) {
            self.draw_arms(arms, is_arc(c), shapes.of(Layer::Stroked, ink));
            return true;
        }
        if let '\u{2800}'..='\u{28ff}' = c {
            self.add_dots(u32::from(c) - 0x2800, ink, shapes);
            return true;
        }
        false
    }

    /// Adds lines from the middle of the cell to its sides; an arc where two of them meet.
    fn draw_arms(self, [left, right, up, down]: [bool; 4], is_arc: bool, path: &mut String) {
        let (middle_x, middle_y) = self.at((4, 4));
        let ((west, north), (east, south)) = (self.at((0, 0)), self.at((8, 8)));
        let _ = if is_arc {
            let side = if left { &west } else { &east };
            let end = if up { &north } else { &south };
            write!(path, "M{side} {middle_y}Q{middle_x} {middle_y} {middle_x} {end}")
        } else {
            let (from_x, to_x) =
                (if left { &west } else { &middle_x }, if right { &east } else { &middle_x });
            let (from_y, to_y) =
                (if up { &north } else { &middle_y }, if down { &south } else { &middle_y });
            let across =
                if left || right { format!("M{from_x} {middle_y}H{to_x}") } else { String::new() };
            let along =
                if up || down { format!("M{middle_x} {from_y}V{to_y}") } else { String::new() };
            write!(path, "{across}{along}")
        };
    }

    /// Adds the dots of braille: eight bits, two columns of four rows.
    fn add_dots(self, pattern: u32, ink: Ink, shapes: &mut Shapes) {
        /// The bits of the rows, on the left and on the right.
        const BITS: [[u32; 2]; 4] = [[0, 3], [1, 4], [2, 5], [6, 7]];
        let (first_column, first_row) = (self.x / CELL.0 * 2, self.y / CELL.1 * 4);
        for (row, bits) in (first_row..).zip(BITS) {
            let set = (first_column..).zip(bits).filter(|&(_, bit)| pattern >> bit & 1 == 1);
            set.for_each(|(column, _)| shapes.add_dot(row, column, ink));
        }
    }
}

/// A rectangle between two corners, in eighths of a cell.
type Rectangle = ((u32, u32), (u32, u32));

/// The filled parts of a block element.
fn blocks(c: char) -> Option<Vec<Rectangle>> {
    let of = u32::from(c);
    Some(match c {
        '▀' => vec![((0, 0), (8, 4))],
        '\u{2581}'..='\u{2588}' => vec![((0, 8 - (of - 0x2580)), (8, 8))],
        '\u{2589}'..='\u{258f}' => vec![((0, 0), (8 - (of - 0x2588), 8))],
        '▐' => vec![((4, 0), (8, 8))],
        '▔' => vec![((0, 0), (8, 1))],
        '▕' => vec![((7, 0), (8, 8))],
        '\u{2596}'..='\u{259f}' => {
            /// Lower left, lower right, upper left, upper right, from U+2596 on.
            const QUADRANTS: [u32; 10] =
                [0b0001, 0b0010, 0b0100, 0b0111, 0b0110, 0b1101, 0b1110, 0b1000, 0b1001, 0b1011];
            let set = *QUADRANTS.get((of - 0x2596) as usize)?;
            let corners = [(0, 4), (4, 4), (0, 0), (4, 0)];
            let set = (0..).zip(corners).filter(|&(bit, _)| set >> bit & 1 == 1);
            set.map(|(_, (x, y))| ((x, y), (x + 4, y + 4))).collect()
        }
        '■' => vec![((1, 2), (7, 6))],
        _ => return None,
    })
}

/// The sides to which a line goes from the middle: left, right, up, down.
fn arms(c: char) -> Option<[bool; 4]> {
    let sides = match c {
        '─' | '━' | '╌' | '┄' | '┈' => "lr",
        '│' | '┃' | '╎' | '┆' | '┊' => "ud",
        '┌' | '╭' => "rd",
        '┐' | '╮' => "ld",
        '└' | '╰' => "ru",
        '┘' | '╯' => "lu",
        '├' => "rud",
        '┤' => "lud",
        '┬' => "lrd",
        '┴' => "lru",
        '┼' => "lrud",
        '╴' => "l",
        '╶' => "r",
        '╵' => "u",
        '╷' => "d",
        _ => return None,
    };
    Some(['l', 'r', 'u', 'd'].map(|side| sides.contains(side)))
}

fn is_arc(c: char) -> bool {
    matches!(c, '╭' | '╮' | '╰' | '╯')
}

/// How text looks.
type Look = (Ink, Modifier);

/// The text elements: one for each run of characters that look alike, with the place of each.
#[derive(Default)]
struct Texts {
    done: String,
    /// The places from left to right, the text and its look.
    run: Option<(Vec<Place>, String, Look)>,
}

impl Texts {
    fn add(&mut self, place: Place, symbol: &str, look: Look) {
        let is_next = self.run.as_ref().is_some_and(|(places, _, of_run)| {
            *of_run == look && places.last().is_some_and(|last| last.x + last.width == place.x)
        });
        // A symbol of several characters has one place.
        if !is_next || symbol.chars().nth(1).is_some() {
            self.end_run();
        }
        let (places, text, _) = self.run.get_or_insert_with(|| (Vec::new(), String::new(), look));
        places.push(place);
        text.push_str(symbol);
        if symbol.chars().nth(1).is_some() {
            self.end_run();
        }
    }

    fn end_run(&mut self) {
        let Some((places, text, look)) = self.run.take() else { return };
        // Writing to a string can't fail.
        let _ = write_text(&mut self.done, &places, &text, look);
    }
}

fn write_text(
    out: &mut String,
    places: &[Place],
    text: &str,
    (ink, modifier): Look,
) -> fmt::Result {
    let Some(first) = places.first() else { return Ok(()) };
    out.push_str("<text x=\"");
    for (n, place) in places.iter().enumerate() {
        write!(out, "{}{}", if n == 0 { "" } else { " " }, Tenths(place.x))?;
    }
    write!(out, "\" y=\"{}\" fill=\"{}\"", Tenths(first.y + BASELINE), ink.colour)?;
    if ink.is_faint {
        out.push_str(FAINT);
    }
    for (one, attribute) in [
        (Modifier::BOLD, " font-weight=\"bold\""),
        (Modifier::ITALIC, " font-style=\"italic\""),
        (Modifier::UNDERLINED, " text-decoration=\"underline\""),
    ] {
        if modifier.contains(one) {
            out.push_str(attribute);
        }
    }
    writeln!(out, ">{}</text>", Escaped(text))
}

/// Text as XML has it.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => out.write_str("&amp;")?,
                '<' => out.write_str("&lt;")?,
                '>' => out.write_str("&gt;")?,
                // What may not stand in XML.
                c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {
                    out.write_char('\u{fffd}')?;
                }
                c => out.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    fn picture(lines: &[(&str, Style)]) -> String {
        let height = u16::try_from(lines.len()).unwrap();
        let mut buffer = Buffer::empty(Rect::new(0, 0, 12, height));
        for (row, (text, style)) in (0..).zip(lines) {
            buffer.set_string(0, row, text, *style);
        }
        svg(&buffer, "palm & co", &Theme::colour())
    }

    /// The elements of a name.
    fn elements<'a>(svg: &'a str, name: &str) -> Vec<&'a str> {
        svg.lines().filter(|line| line.starts_with(&format!("<{name} "))).collect()
    }

    #[test]
    fn text_has_a_place_for_each_character_and_is_escaped() {
        let svg = picture(&[("a<b &c", Style::new()), ("火x", Style::new().bold())]);
        assert!(svg.contains("<title>palm &amp; co</title>"), "{svg}");
        assert_eq!(
            elements(&svg, "text"),
            [
                r##"<text x="0 8.4 16.8" y="13.5" fill="#d8dce2">a&lt;b</text>"##,
                r##"<text x="33.6 42" y="13.5" fill="#d8dce2">&amp;c</text>"##,
                r##"<text x="0 16.8" y="31.5" fill="#d8dce2" font-weight="bold">火x</text>"##,
            ]
        );
    }

    #[test]
    fn colours_and_reversed_cells_are_those_of_the_screen() {
        let red = Style::new().fg(Color::Red);
        let svg = picture(&[
            ("ab", red),
            ("c", Style::new().reversed()),
            ("d", red.dim().bg(Color::Indexed(196))),
        ]);
        let fills: Vec<_> =
            elements(&svg, "text").iter().filter_map(|text| text.split('"').nth(5)).collect();
        assert_eq!(fills, ["#ef5350", "#16191d", "#ef5350"]);
        assert_eq!(svg.matches(FAINT).count(), 1);
        let grounds = elements(&svg, "path");
        assert!(grounds.iter().any(|path| path.contains("fill=\"#d8dce2\"")), "{grounds:?}");
        assert!(grounds.iter().any(|path| path.contains("fill=\"#ff0000\"")), "{grounds:?}");
        assert_eq!(indexed(255), Rgb::Mixed(238, 238, 238));
    }

    #[test]
    fn lines_bars_and_dots_are_shapes() {
        let svg = picture(&[("╭─┼│▁▂█▌▟⣿⠁", Style::new())]);
        assert!(elements(&svg, "text").is_empty(), "{svg}");
        let [filled, stroked, dotted] = elements(&svg, "path")[..] else { panic!("{svg}") };
        // Four bars, one of three parts, and what lies between the rows of eight dots.
        assert_eq!(filled.matches('M').count(), 4 + 3 + 3, "{filled}");
        // Four rows with a dot beside them, in two columns.
        assert_eq!((dotted.matches('H').count(), dotted.matches('V').count()), (4, 2), "{dotted}");
        assert!(stroked.contains("M8.4 9Q4.2 9 4.2 18"), "{stroked}");
    }

    #[test]
    fn dots_beside_each_other_are_one_line_from_cell_to_cell() {
        let svg = picture(&[("⠤⠊", Style::new())]);
        let [line] = elements(&svg, "path")[..] else { panic!("{svg}") };
        // Two dots, across the border of the cells to a third one above, and on to a fourth one.
        for joint in ["M2.1 11.2H6.3", "M10.5 6.7L6.3 11.2", "M14.7 2.2L10.5 6.7"] {
            assert!(line.contains(joint), "{joint}: {line}");
        }
    }

    #[test]
    fn dots_of_two_lines_are_not_joined() {
        let theme = Theme::colour();
        let row = |dots, colour: Color| (dots, Style::new().fg(colour));
        let joints = |rows: &[(&str, Style)]| {
            let svg = picture(rows);
            let paths = elements(&svg, "path").concat();
            (paths.matches('V').count() + paths.matches('z').count(), paths.matches('H').count())
        };
        // One below the other at the border of two cells, both with a dot beside them.
        let [first, second, ..] = theme.lines;
        assert_eq!(joints(&[row("⣀⣀", first), row("⠉⠉", second)]), (0, 2));
        // Those of one line have other colours at its cursor and by their height.
        let (upright, across) = joints(&[row("⣀⣀", first), row("⠉⠉", Color::Rgb(1, 2, 3))]);
        assert!(upright > 0 && across > 0, "{upright} {across}");
    }

    #[test]
    fn a_filled_chart_is_a_picture_of_few_bytes() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 100, 30));
        for row in 0..30 {
            let colour = Color::Rgb(0, 8 * row, 0);
            buffer.set_string(0, row.into(), "⣿".repeat(100), Style::new().fg(colour));
        }
        let (bytes, dots) = (svg(&buffer, "", &Theme::colour()).len(), 100 * 30 * 8);
        assert!(bytes < 6 * dots, "{bytes}");
    }

    #[test]
    fn a_picture_is_well_formed_whatever_is_on_the_screen() {
        let chars: Vec<char> =
            ('\0'..='\u{fffff}').step_by(3).chain('\u{fff0}'..='\u{ffff}').collect();
        for part in chars.chunks(400) {
            let mut buffer = Buffer::empty(Rect::new(0, 0, 20, 20));
            for (cell, &c) in buffer.content.iter_mut().zip(part) {
                cell.set_char(c);
            }
            let svg = svg(&buffer, &part.iter().collect::<String>(), &Theme::colour());
            assert_eq!(svg.matches('<').count(), svg.matches('>').count(), "{part:?}");
            let stands_in_xml =
                |c| matches!(c, '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
            assert!(svg.chars().all(stands_in_xml), "{part:?}");
            let entities = svg.match_indices('&').all(|(at, _)| {
                ["&amp;", "&lt;", "&gt;"].iter().any(|one| svg[at..].starts_with(one))
            });
            assert!(entities, "{part:?}");
        }
    }
}
