//! The choice of a theme: by option, else by environment, else by the background that the terminal
//! reports.

use std::env;

use terminal_colorsaurus::{QueryOptions, ThemeMode, theme_mode};

use crate::cli::{Colours, ScreenOptions, When};
use crate::system::os;
use crate::view::theme::Theme;

/// The theme for these options. May query the terminal, which must not be in use yet.
pub fn theme(options: ScreenOptions) -> Theme {
    let variable = |name: &str| env::var(name).unwrap_or_default();
    let background = || match os::terminal::background().and_then(of_background) {
        Some(known) => known,
        None => match theme_mode(QueryOptions::default()) {
            Ok(ThemeMode::Light) => Colours::Light,
            // Dark is more usual, and its colours are legible on most backgrounds.
            Ok(ThemeMode::Dark) | Err(_) => Colours::Dark,
        },
    };
    let chosen = choose(options.theme, &variable("NO_COLOR"), &variable("COLORFGBG"), background);
    let theme = match chosen {
        Colours::None => Theme::plain(),
        Colours::Light => Theme::light(),
        Colours::Dark | Colours::Auto => Theme::colour(),
    };
    // The library reads NO_COLOR as well, but the option comes first. Without colours it must not
    // write any colour command, not even the one for the default.
    crossterm::style::force_color_output(chosen != Colours::None);
    Theme { ascii: draws_ascii(options.ascii, os::terminal::has_all_glyphs()), ..theme }
}

/// Whether the screen is drawn in ASCII. `has_glyphs`: the terminal is known to have all glyphs.
fn draws_ascii(asked: When, has_glyphs: bool) -> bool {
    match asked {
        When::Auto => !has_glyphs,
        When::Always => true,
        When::Never => false,
    }
}

fn choose(
    asked: Colours,
    no_color: &str,
    color_fg_bg: &str,
    background: impl FnOnce() -> Colours,
) -> Colours {
    if asked != Colours::Auto {
        return asked;
    }
    if !no_color.is_empty() {
        return Colours::None;
    }
    // Foreground and background in the palette of sixteen, sometimes with something in between.
    let number = color_fg_bg.rsplit(';').next().and_then(|number| number.parse().ok());
    number.and_then(of_background).unwrap_or_else(background)
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
    fn the_option_decides_about_ascii_before_the_terminal() {
        for (asked, has_glyphs, ascii) in [
            (When::Auto, true, false),
            (When::Auto, false, true),
            (When::Always, true, true),
            (When::Never, false, false),
        ] {
            assert_eq!(draws_ascii(asked, has_glyphs), ascii, "{asked:?} {has_glyphs}");
        }
    }

    #[test]
    fn what_was_asked_for_comes_first_and_the_terminal_last() {
        let light = || Colours::Light;
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
            assert_eq!(found, chosen, "{asked:?} {no_color:?} {color_fg_bg:?}");
        }
    }
}
