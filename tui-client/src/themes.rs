//! The themes that come with the program, as the files that they could be.

use std::path::{Path, is_separator};

/// A theme that the program has.
#[derive(Debug)]
pub struct BuiltIn {
    /// Its name.
    pub name: &'static str,
    /// What it looks like.
    pub about: &'static str,
    /// Its file.
    pub text: &'static str,
}

/// The themes that the program has besides the terminal's own colours.
pub const BUILT_IN: [BuiltIn; 3] = [
    BuiltIn {
        name: "midnight",
        about: "A deep blue night; values rise from sea to sunrise",
        text: include_str!("themes/midnight.toml"),
    },
    BuiltIn {
        name: "ember",
        about: "Warm greys; values rise from green to red heat",
        text: include_str!("themes/ember.toml"),
    },
    BuiltIn {
        name: "paper",
        about: "Ink on warm paper, for bright rooms",
        text: include_str!("themes/paper.toml"),
    },
];

/// What is said for a theme is the path of its file: it ends with `.toml` or has a separator.
pub fn is_path(theme: &str) -> bool {
    let is_toml = Path::new(theme).extension().is_some_and(|it| it.eq_ignore_ascii_case("toml"));
    is_toml || theme.contains(is_separator)
}
