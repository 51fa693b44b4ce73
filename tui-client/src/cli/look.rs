//! How the screen looks: the options about it, and their values.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Arg, ArgAction, Command, ValueEnum};

use crate::session::Look;
use crate::themes::{BUILT_IN, is_path};

/// The colours of the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ThemeName {
    /// As the terminal and the environment say.
    Auto,
    /// The terminal's own, for a dark background.
    Dark,
    /// The terminal's own, for a light background.
    Light,
    /// None at all.
    None,
    /// Those of a theme: one that is built in, one of the user's, or that of a file.
    Named(String),
}

impl ThemeName {
    /// Those that are no themes, with what is said of them.
    pub const OWN: [(&'static str, &'static str, Self); 4] = [
        ("auto", "As the terminal and the environment say", Self::Auto),
        ("dark", "The terminal's own, for a dark background", Self::Dark),
        ("light", "The terminal's own, for a light background", Self::Light),
        ("none", "None at all", Self::None),
    ];

    /// That of a word on the command line.
    pub fn of(word: &str) -> Self {
        let own = Self::OWN.into_iter().find(|(name, ..)| *name == word);
        own.map_or_else(|| Self::Named(word.to_owned()), |(.., name)| name)
    }

    /// As on the command line, wherever that is: with a whole path.
    fn lasting_word(&self) -> String {
        let path = Some(self.word()).filter(|word| is_path(word) && !word.starts_with('~'));
        let whole = path.and_then(|path| std::path::absolute(path).ok());
        let whole = whole.and_then(|path| path.into_os_string().into_string().ok());
        whole.unwrap_or_else(|| self.word().to_owned())
    }

    /// As on the command line.
    pub fn word(&self) -> &str {
        match self {
            Self::Named(name) => name,
            own => Self::OWN.iter().find(|(_, _, value)| value == own).map_or("", |own| own.0),
        }
    }
}

/// Takes the name of any theme, and knows those that are built in.
#[derive(Debug, Clone)]
struct ThemeParser;

impl TypedValueParser for ThemeParser {
    type Value = ThemeName;

    fn parse_ref(
        &self,
        _: &Command,
        _: Option<&Arg>,
        value: &OsStr,
    ) -> Result<ThemeName, clap::Error> {
        Ok(ThemeName::of(&value.to_string_lossy()))
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let own = ThemeName::OWN.iter().map(|(name, help, _)| (*name, *help));
        let all = own.chain(BUILT_IN.iter().map(|theme| (theme.name, theme.about)));
        Some(Box::new(all.map(|(name, help)| PossibleValue::new(name).help(help))))
    }
}

/// What charts and sparklines are drawn with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GlyphSet {
    /// As the terminal and the environment say
    Auto,
    /// Eight blocks a cell
    Octant,
    /// Eight dots a cell
    Braille,
    /// Four blocks a cell
    Block,
    /// A character of ASCII a cell
    Ascii,
}

/// Whether something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// As the terminal seems to need it
    Auto,
    /// In each terminal
    Always,
    /// In none
    Never,
}

/// How the screen looks and what it takes from the terminal.
// The comments of the fields are the texts of `--help`.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
pub struct ScreenOptions {
    /// The colours of the screen: the terminal's own, a theme, or that of a file: NAME is looked for as
    /// ~/.config/tui-client/themes/NAME.toml, and what ends with .toml or has a slash is a path
    #[arg(long, value_name = "THEME", default_value = "auto", value_parser = ThemeParser)]
    pub theme: ThemeName,

    /// Draw the screen with ASCII characters alone; keys stay as they are. Auto does so where the
    /// locale names another encoding than UTF-8, on the console of Linux, and on Windows where the
    /// console may be the old one; never is for Windows Terminal where it opens by itself
    #[arg(long, value_name = "WHEN", num_args = 0..=1, require_equals = true, default_value = "auto", default_missing_value = "always")]
    pub ascii: When,

    /// What charts and sparklines are drawn with. Auto is octant in terminals that are known to draw
    /// these characters of Unicode 16 (kitty 0.40, foot 1.20, Ghostty 1.2, VTE 0.78, and wezterm of July
    /// 2025), ascii with --ascii, else braille; block is for fonts without braille
    #[arg(long, value_name = "GLYPHS", default_value = "auto")]
    pub glyphs: GlyphSet,

    /// Leave the mouse to the terminal, to select text
    #[arg(long = "no-mouse", action = ArgAction::SetFalse)]
    pub mouse: bool,
}

impl ScreenOptions {
    /// What was asked for, in the words of the command line.
    pub(super) fn look(&self) -> Look {
        fn word<T: ValueEnum + PartialEq>(value: T, usual: &T) -> Option<String> {
            let asked = Some(value).filter(|value| value != usual)?;
            Some(asked.to_possible_value()?.get_name().to_owned())
        }
        let theme = Some(&self.theme).filter(|&theme| *theme != ThemeName::Auto);
        Look {
            theme: theme.map(ThemeName::lasting_word),
            glyphs: word(self.glyphs, &GlyphSet::Auto),
            ascii: word(self.ascii, &When::Auto),
        }
    }
}
