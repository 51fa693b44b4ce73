//! The choice of a theme: by option, else by environment, else by the background that the terminal
//! reports.

use std::env;

use crate::cli::{Colours, GlyphSet, ScreenOptions, When};
use crate::system::os;
use crate::view::theme::{Glyphs, Theme, ThemeChoice};

/// The theme for these options, perhaps still to be decided by the terminal.
pub fn theme(options: ScreenOptions) -> ThemeChoice {
    let variable = |name: &str| env::var(name).unwrap_or_default();
    let background = || os::terminal::background().and_then(of_background);
    let chosen = choose(options.theme, &variable("NO_COLOR"), &variable("COLORFGBG"), background);
    // The library reads NO_COLOR as well, but the option comes first. Without colours it must not
    // write any colour command, not even the one for the default.
    crossterm::style::force_color_output(chosen != Some(Colours::None));
    let (ascii, glyphs) = drawn_with(options.ascii, options.glyphs, os::terminal::has_all_glyphs());
    let has_greys = crossterm::style::available_color_count() >= 256;
    let fitting = |theme: Theme| {
        let theme = Theme { ascii, glyphs, ..theme };
        if has_greys { theme.with_greys() } else { theme }
    };
    match chosen {
        Some(Colours::None) => ThemeChoice::known(fitting(Theme::plain())),
        Some(Colours::Light) => ThemeChoice::known(fitting(Theme::light())),
        Some(Colours::Dark | Colours::Auto) => ThemeChoice::known(fitting(Theme::colour())),
        None => ThemeChoice::by_background(fitting(Theme::colour()), fitting(Theme::light())),
    }
}

/// Whether the screen is drawn in ASCII, and the glyphs of charts. `has_glyphs`: the terminal is not
/// known to lack any.
fn drawn_with(ascii: When, glyphs: GlyphSet, has_glyphs: bool) -> (bool, Glyphs) {
    let glyphs = match glyphs {
        GlyphSet::Auto => None,
        GlyphSet::Octant => Some(Glyphs::Octant),
        GlyphSet::Braille => Some(Glyphs::Braille),
        GlyphSet::Block => Some(Glyphs::Block),
        GlyphSet::Ascii => Some(Glyphs::Ascii),
    };
    let ascii = match ascii {
        // Glyphs that are asked for by name are there.
        When::Auto => !has_glyphs && matches!(glyphs, None | Some(Glyphs::Ascii)),
        When::Always => true,
        When::Never => false,
    };
    let glyphs = if ascii { Glyphs::Ascii } else { glyphs.unwrap_or_default() };
    (ascii, glyphs)
}

/// The colours, unless the terminal has to be asked.
fn choose(
    asked: Colours,
    no_color: &str,
    color_fg_bg: &str,
    background: impl FnOnce() -> Option<Colours>,
) -> Option<Colours> {
    if asked != Colours::Auto {
        return Some(asked);
    }
    if !no_color.is_empty() {
        return Some(Colours::None);
    }
    // Foreground and background in the palette of sixteen, sometimes with something in between.
    let number = color_fg_bg.rsplit(';').next().and_then(|number| number.parse().ok());
    number.and_then(of_background).or_else(background)
}

/// The colours for a background in the palette of sixteen.
fn of_background(number: u8) -> Option<Colours> {
    match number {
        7 | 9..=15 => Some(Colours::Light),
        0..=8 => Some(Colours::Dark),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_decide_about_glyphs_before_the_terminal() {
        for (ascii, asked, has_glyphs, expected) in [
            (When::Auto, GlyphSet::Auto, true, (false, Glyphs::Braille)),
            (When::Auto, GlyphSet::Auto, false, (true, Glyphs::Ascii)),
            (When::Always, GlyphSet::Auto, true, (true, Glyphs::Ascii)),
            (When::Never, GlyphSet::Auto, false, (false, Glyphs::Braille)),
            (When::Auto, GlyphSet::Octant, true, (false, Glyphs::Octant)),
            (When::Auto, GlyphSet::Block, false, (false, Glyphs::Block)),
            (When::Always, GlyphSet::Octant, true, (true, Glyphs::Ascii)),
            (When::Auto, GlyphSet::Ascii, true, (false, Glyphs::Ascii)),
            (When::Auto, GlyphSet::Ascii, false, (true, Glyphs::Ascii)),
            (When::Never, GlyphSet::Ascii, false, (false, Glyphs::Ascii)),
        ] {
            let drawn = drawn_with(ascii, asked, has_glyphs);
            assert_eq!(drawn, expected, "{ascii:?} {asked:?} {has_glyphs}");
        }
    }

    #[test]
    fn what_was_asked_for_comes_first_and_the_terminal_last() {
        let light = || Some(Colours::Light);
        for (asked, no_color, color_fg_bg, chosen) in [
            (Colours::Dark, "1", "0;15", Colours::Dark),
            (Colours::None, "", "0;15", Colours::None),
            (Colours::Auto, "1", "0;15", Colours::None),
            (Colours::Auto, "", "0;15", Colours::Light),
            (Colours::Auto, "", "12;default;7", Colours::Light),
            (Colours::Auto, "", "15;0", Colours::Dark),
            (Colours::Auto, "", "0;8", Colours::Dark),
            (Colours::Auto, "", "15;default", Colours::Light),
            (Colours::Auto, "", "", Colours::Light),
        ] {
            let found = choose(asked, no_color, color_fg_bg, light);
            assert_eq!(found, Some(chosen), "{asked:?} {no_color:?} {color_fg_bg:?}");
        }
        assert_eq!(choose(Colours::Auto, "", "", || None), None, "the terminal is asked");
    }
}
