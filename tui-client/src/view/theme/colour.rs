//! Colours of themes: as they are written, in terminals of fewer colours, and from one to another.

use ratatui::style::Color;

/// The colours of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// Those that its palette of sixteen has.
    Sixteen,
    /// The palette of 256.
    Palette,
    /// All.
    True,
}

/// The sixteen colours by name, in the order of their numbers.
const NAMES: [(&str, Color); 16] = [
    ("black", Color::Black),
    ("red", Color::Red),
    ("green", Color::Green),
    ("yellow", Color::Yellow),
    ("blue", Color::Blue),
    ("magenta", Color::Magenta),
    ("cyan", Color::Cyan),
    ("white", Color::Gray),
    ("bright-black", Color::DarkGray),
    ("bright-red", Color::LightRed),
    ("bright-green", Color::LightGreen),
    ("bright-yellow", Color::LightYellow),
    ("bright-blue", Color::LightBlue),
    ("bright-magenta", Color::LightMagenta),
    ("bright-cyan", Color::LightCyan),
    ("bright-white", Color::White),
];

/// What the sixteen are in most terminals.
const USUAL: [[u8; 3]; 16] = [
    [0, 0, 0],
    [205, 49, 49],
    [13, 188, 121],
    [229, 229, 16],
    [36, 114, 200],
    [188, 63, 188],
    [17, 168, 205],
    [229, 229, 229],
    [102, 102, 102],
    [241, 76, 76],
    [35, 209, 139],
    [245, 245, 67],
    [59, 142, 234],
    [214, 112, 214],
    [41, 184, 219],
    [255, 255, 255],
];

/// Steps of a gradient: more than a chart has rows in most terminals.
const STEPS: usize = 64;

/// The difference between the strongest and the weakest primary below which a colour is a grey.
const GREY: u8 = 48;

/// The colour of a text: `#rrggbb`, a number of the palette of 256, or a name of the sixteen.
///
/// # Errors
/// The forms.
pub fn parse(text: &str) -> Result<Color, String> {
    let named = NAMES.iter().find(|(name, _)| *name == text).map(|&(_, colour)| colour);
    let hex = || {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let number = u32::from_str_radix(digits, 16).ok().filter(|_| is_hex)?;
        let [_, red, green, blue] = number.to_be_bytes();
        Some(Color::Rgb(red, green, blue))
    };
    named.or_else(hex).or_else(|| text.parse().ok().map(Color::Indexed)).ok_or_else(|| {
        let dark: Vec<_> = NAMES[..8].iter().map(|(name, _)| *name).collect();
        format!(
            "a colour is #rrggbb, 0 to 255, or {}, also with bright- before it",
            dark.join(", ")
        )
    })
}

/// Red, green and blue of a colour; those of the sixteen are the usual ones. None for that of the
/// terminal.
pub fn rgb(colour: Color) -> Option<[u8; 3]> {
    let number = match colour {
        Color::Reset => return None,
        Color::Rgb(red, green, blue) => return Some([red, green, blue]),
        Color::Indexed(number) => number,
        named => {
            let place = NAMES.iter().position(|&(_, colour)| colour == named)?;
            return USUAL.get(place).copied();
        }
    };
    Some(USUAL.get(usize::from(number)).copied().unwrap_or_else(|| of_palette(number)))
}

/// A colour of the 240 that terminals have beside the sixteen: a cube of 6 by 6 by 6, and greys.
fn of_palette(number: u8) -> [u8; 3] {
    let level = |step: u8| if step == 0 { 0 } else { step * 40 + 55 };
    if let Some(step) = number.checked_sub(232) {
        return [step * 10 + 8; 3];
    }
    let place = number.saturating_sub(16);
    [level(place / 36), level(place / 6 % 6), level(place % 6)]
}

/// The nearest colour that a terminal has. Of the sixteen none stands for a grey: which greys they
/// are, and on what ground, is the terminal's own.
pub fn fitting(colour: Color, depth: Depth) -> Option<Color> {
    let (Color::Rgb(..) | Color::Indexed(16..)) = colour else { return Some(colour) };
    let wanted = rgb(colour)?;
    match depth {
        Depth::True => Some(colour),
        Depth::Palette if matches!(colour, Color::Indexed(_)) => Some(colour),
        Depth::Palette => (16..=u8::MAX)
            .min_by_key(|&number| distance(of_palette(number), wanted))
            .map(Color::Indexed),
        Depth::Sixteen => {
            let [least, most] = [wanted.iter().min()?, wanted.iter().max()?];
            let hues = [1, 2, 3, 4, 5, 6, 9, 10, 11, 12, 13, 14];
            let nearest = hues.into_iter().min_by_key(|&at: &usize| {
                USUAL.get(at).map_or(u32::MAX, |&usual| distance(usual, wanted))
            });
            nearest.filter(|_| most - least >= GREY).and_then(|at| Some(NAMES.get(at)?.1))
        }
    }
}

/// How different two colours look: green counts most, blue least.
fn distance(from: [u8; 3], to: [u8; 3]) -> u32 {
    const WEIGHTS: [u32; 3] = [3, 6, 1];
    let square = |at: usize| u32::from(from[at].abs_diff(to[at])).pow(2) * WEIGHTS[at];
    (0..3).map(square).sum()
}

/// Colours from low to high.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gradient(Vec<Color>);

impl Gradient {
    /// From the first colour through the others to the last, in a terminal.
    pub fn new(stops: &[Color], depth: Depth) -> Self {
        let known: Option<Vec<_>> = stops.iter().map(|&stop| rgb(stop)).collect();
        let (Some(known), [_, _, ..]) = (known, stops) else {
            return Self(stops.iter().filter_map(|&stop| fitting(stop, depth)).collect());
        };
        let parts = known.len() - 1;
        let mixed = (0..STEPS).filter_map(|step| {
            let (place, all) = (step * parts, STEPS - 1);
            let at = (place / all).min(parts - 1);
            let share = place - at * all;
            let part = |of: usize| {
                let [from, to] = [known[at][of], known[at + 1][of]].map(usize::from);
                u8::try_from((from * (all - share) + to * share) / all).ok()
            };
            fitting(Color::Rgb(part(0)?, part(1)?, part(2)?), depth)
        });
        Self(mixed.collect())
    }

    /// The colour of a place from 0 to one less than `of`, the lowest first; none without colours.
    pub fn at(&self, place: usize, of: usize) -> Option<Color> {
        let last = self.0.len().checked_sub(1)?;
        self.0.get(place.min(of) * last / of.saturating_sub(1).max(1)).or(self.0.last()).copied()
    }

    /// There are no colours.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The colours.
    pub fn colours(&self) -> &[Color] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_written_in_three_ways() {
        for (text, colour) in [
            ("#7aa2f7", Some(Color::Rgb(0x7a, 0xa2, 0xf7))),
            ("#FFFFFF", Some(Color::Rgb(255, 255, 255))),
            ("0", Some(Color::Indexed(0))),
            ("255", Some(Color::Indexed(255))),
            ("white", Some(Color::Gray)),
            ("bright-black", Some(Color::DarkGray)),
            ("#fff", None),
            ("#+12345", None),
            ("256", None),
            ("-1", None),
            ("grün", None),
            ("", None),
        ] {
            assert_eq!(parse(text).ok(), colour, "{text}");
        }
    }

    #[test]
    fn the_nearest_colour_stands_for_one_that_a_terminal_lacks() {
        for (colour, palette, sixteen) in [
            ("#ff5050", Color::Indexed(203), Some(Color::LightRed)),
            ("#d01010", Color::Indexed(160), Some(Color::Red)),
            ("#808080", Color::Indexed(244), None),
            ("#16181f", Color::Indexed(234), None),
            ("#00d7ff", Color::Indexed(45), Some(Color::LightCyan)),
            ("200", Color::Indexed(200), Some(Color::Magenta)),
            ("7", Color::Indexed(7), Some(Color::Indexed(7))),
            ("red", Color::Red, Some(Color::Red)),
        ] {
            let colour = parse(colour).unwrap();
            assert_eq!(fitting(colour, Depth::True), Some(colour));
            assert_eq!(fitting(colour, Depth::Palette), Some(palette), "{colour}");
            assert_eq!(fitting(colour, Depth::Sixteen), sixteen, "{colour}");
        }
        for number in 16..=u8::MAX {
            let [red, green, blue] = of_palette(number);
            let nearest = fitting(Color::Rgb(red, green, blue), Depth::Palette).unwrap();
            assert_eq!(rgb(nearest), Some([red, green, blue]), "{number}");
        }
    }

    #[test]
    fn a_gradient_begins_and_ends_with_its_colours() {
        let stops = ["#000000", "#ff0000", "#ffffff"].map(|text| parse(text).unwrap());
        let gradient = Gradient::new(&stops, Depth::True);
        for rows in [1, 2, 3, 7, 64, 200] {
            assert_eq!(gradient.at(0, rows), Some(stops[0]), "{rows}");
            if rows > 1 {
                assert_eq!(gradient.at(rows - 1, rows), Some(stops[2]), "{rows}");
            }
            assert!(gradient.at(rows + 5, rows).is_some());
        }
        let middle = gradient.at(1, 3).and_then(rgb).unwrap();
        assert!(middle[0] > 240 && middle[1] < 16, "{middle:?}");
        assert_eq!(Gradient::default().at(0, 5), None);
        let one = Gradient::new(&stops[1..2], Depth::True);
        assert_eq!(one.at(3, 5), Some(stops[1]));
        let few = Gradient::new(&stops, Depth::Sixteen);
        assert!(few.colours().iter().all(|colour| !matches!(colour, Color::Rgb(..))));
    }
}
