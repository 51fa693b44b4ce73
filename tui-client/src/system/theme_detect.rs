//! The choice of a theme: by option, from a file where it names one, else by environment, else by the
//! background that the terminal reports.

use std::env;

use crate::cli::{GlyphSet, ScreenOptions, ThemeName, When};
use crate::session::view_file::ViewFile;
use crate::settings::Settings;
use crate::system::files::{expand_home, read_settings};
use crate::system::os;
use crate::text::escape::escape_untrusted;
use crate::themes::{BUILT_IN, is_path};
use crate::view::theme::colour::Depth;
use crate::view::theme::terminals::may_draw_octants;
use crate::view::theme::{Glyphs, Theme, ThemeChoice};

/// The theme of a name: the user's, else one that is built in; none for the terminal's own colours.
///
/// # Errors
/// A sentence: there is none, or what is wrong with its file.
pub fn named(theme: &ThemeName) -> Result<Option<Theme>, String> {
    let ThemeName::Named(name) = theme else { return Ok(None) };
    let users = os::files::config_directory();
    let path = if is_path(name) {
        Some(expand_home(name))
    } else {
        let path = users.map(|directory| directory.join("themes").join(format!("{name}.toml")));
        path.filter(|path| path.exists())
    };
    if let Some(path) = path {
        let text = read_settings(&path)?;
        let settings = Settings::parse(&path.to_string_lossy(), &text);
        let theme = settings.and_then(|settings| Theme::of_file(&settings, depth()));
        return theme.map(Some).map_err(|why| why.to_string());
    }
    match Theme::built_in(name, depth()) {
        Some(theme) => theme.map(Some).map_err(|why| why.to_string()),
        None => Err(unknown(name)),
    }
}

/// The screen has colours with this theme.
pub fn has_colours(theme: &ThemeName) -> bool {
    let no_color = env::var("NO_COLOR").unwrap_or_default();
    choose(theme, &no_color, "", || Some(ThemeName::Dark)) != Some(ThemeName::None)
}

/// Checks the theme that a view file names.
///
/// # Errors
/// As [`named`], with the place in the view file.
pub fn check(file: &ViewFile) -> Result<(), String> {
    let mut options = file.options().iter().filter(|option| option.name == "theme");
    options.try_for_each(|option| {
        let theme = option.value.as_deref().map_or(ThemeName::Auto, ThemeName::of);
        named(&theme).map(drop).map_err(|why| file.mistake(Some(option.at), &why).to_string())
    })
}

/// There is no theme of this name.
fn unknown(name: &str) -> String {
    let own = ThemeName::OWN.iter().map(|(name, ..)| *name);
    let names: Vec<&str> = own.chain(BUILT_IN.iter().map(|theme| theme.name)).collect();
    let there_are = names.join(", ");
    let directory = os::files::config_directory().map(|directory| directory.join("themes"));
    let place = directory.map(|directory| format!(", nor {name}.toml in {}", directory.display()));
    let text =
        format!("no theme is called {name}{}; there are {there_are}", place.unwrap_or_default());
    escape_untrusted(text.as_bytes()).into()
}

/// The colours of the terminal.
fn depth() -> Depth {
    match crossterm::style::available_color_count() {
        u16::MAX => Depth::True,
        256.. => Depth::Palette,
        _ => Depth::Sixteen,
    }
}

/// The theme for these options, perhaps still to be decided by the terminal; `named` is the one that
/// they name.
pub fn theme(options: &ScreenOptions, named: Option<Theme>) -> ThemeChoice {
    let variable = |name: &str| env::var(name).unwrap_or_default();
    let background = || os::terminal::background().and_then(of_background);
    let no_color = variable("NO_COLOR");
    let chosen = choose(&options.theme, &no_color, &variable("COLORFGBG"), background);
    // The library reads NO_COLOR as well, but the option comes first. Without colours it must not
    // write any colour command, not even the one for the default.
    crossterm::style::force_color_output(chosen != Some(ThemeName::None));
    let (ascii, glyphs) = drawn_with(options.ascii, options.glyphs, os::terminal::has_all_glyphs());
    let drawn = |theme: Theme| Theme { ascii, glyphs, ..theme };
    let fitting = |theme: Theme| {
        let theme = drawn(theme);
        if depth() >= Depth::Palette { theme.with_greys() } else { theme }
    };
    let choice = match chosen {
        Some(ThemeName::None) => ThemeChoice::known(fitting(Theme::plain())),
        Some(ThemeName::Light) => ThemeChoice::known(fitting(Theme::light())),
        Some(ThemeName::Dark | ThemeName::Auto) => ThemeChoice::known(fitting(Theme::colour())),
        Some(ThemeName::Named(_)) => ThemeChoice::known(named.map_or_else(Theme::colour, drawn)),
        None => ThemeChoice::by_background(fitting(Theme::colour()), fitting(Theme::light())),
    };
    let choice = choice.in_depth(depth());
    let is_auto = options.glyphs == GlyphSet::Auto && !ascii;
    // Not every system has terminals that answer.
    if !is_auto || os::input::ASK_COLOURS.is_empty() {
        return choice;
    }
    let [term, program, vte] = ["TERM", "TERM_PROGRAM", "VTE_VERSION"].map(variable);
    choice.with_glyphs_by_version(may_draw_octants(&term, &program, &vte))
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
    asked: &ThemeName,
    no_color: &str,
    color_fg_bg: &str,
    background: impl FnOnce() -> Option<ThemeName>,
) -> Option<ThemeName> {
    // The words dark and light are there to have colours after all; a theme may be that of a file.
    let is_plain = !no_color.is_empty() && matches!(asked, ThemeName::Auto | ThemeName::Named(_));
    if is_plain {
        return Some(ThemeName::None);
    }
    if *asked != ThemeName::Auto {
        return Some(asked.clone());
    }
    // Foreground and background in the palette of sixteen, sometimes with something in between.
    let number = color_fg_bg.rsplit(';').next().and_then(|number| number.parse().ok());
    number.and_then(of_background).or_else(background)
}

/// The colours for a background in the palette of sixteen.
fn of_background(number: u8) -> Option<ThemeName> {
    match number {
        7 | 9..=15 => Some(ThemeName::Light),
        0..=8 => Some(ThemeName::Dark),
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
        let light = || Some(ThemeName::Light);
        let theme = || ThemeName::Named("midnight".to_owned());
        for (asked, no_color, color_fg_bg, chosen) in [
            (ThemeName::Dark, "1", "0;15", ThemeName::Dark),
            (ThemeName::None, "", "0;15", ThemeName::None),
            (ThemeName::Auto, "1", "0;15", ThemeName::None),
            (theme(), "1", "0;15", ThemeName::None),
            (theme(), "", "0;15", theme()),
            (ThemeName::Auto, "", "0;15", ThemeName::Light),
            (ThemeName::Auto, "", "12;default;7", ThemeName::Light),
            (ThemeName::Auto, "", "15;0", ThemeName::Dark),
            (ThemeName::Auto, "", "0;8", ThemeName::Dark),
            (ThemeName::Auto, "", "15;default", ThemeName::Light),
            (ThemeName::Auto, "", "", ThemeName::Light),
        ] {
            let found = choose(&asked, no_color, color_fg_bg, light);
            assert_eq!(found, Some(chosen), "{asked:?} {no_color:?} {color_fg_bg:?}");
        }
        assert_eq!(choose(&ThemeName::Auto, "", "", || None), None, "the terminal is asked");
    }
}
