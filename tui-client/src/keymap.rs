//! The one table of keys: what is pressed, where, and what it means. The list that `?` shows is
//! made from it, and the hints on the bottom line name keys that are in it.

mod help;
mod hints;
mod log;
mod prompt;
mod views;

use crate::app::action::Action;
use crate::app::mode::Mode::{
    self, Ask, Chart, Columns, Confirm, Field, Help, HelpSearch, Log, Prompt, Recall, Table, Watch,
};
use crate::event::{Code, Key};

pub use help::{HelpLine, help_lines};
pub use hints::{Hint, hints};

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    /// Where it counts.
    pub modes: &'static [Mode],
    /// What is pressed; each of these.
    pub keys: &'static [Key],
    /// What it means.
    pub action: Action,
    /// The same in words.
    pub help: &'static str,
}

const ALL: &[Mode] =
    &[Prompt, Table, Watch, Chart, Log, Help, HelpSearch, Recall, Confirm, Ask, Columns, Field];
const PANES: &[Mode] = &[Table, Watch, Chart, Log];
const READING: &[Mode] = &[Table, Watch, Chart, Log, Help, Columns];

/// All keys. The first line that fits counts.
pub fn bindings() -> impl Iterator<Item = &'static Binding> {
    views::BINDINGS.iter().chain(log::BINDINGS).chain(prompt::BINDINGS).chain(BINDINGS)
}

const fn bind(
    modes: &'static [Mode],
    keys: &'static [Key],
    action: Action,
    help: &'static str,
) -> Binding {
    Binding { modes, keys, action, help }
}

macro_rules! keys {
    ($($key:expr),+) => { &[$($key),+] };
}
use keys;

/// The keys of more than one place, and of the list of keys.
static BINDINGS: &[Binding] = &[
    bind(
        &[Help],
        keys![Key::plain(Code::Esc), Key::plain(Code::Enter), Key::char('q')],
        Action::Help,
        "close this list",
    ),
    bind(&[Help], keys![Key::char('/')], Action::SearchHelp, "search this list"),
    bind(
        &[HelpSearch],
        keys![Key::plain(Code::Enter)],
        Action::EndSearch { keep: true },
        "end the search, keep what was found",
    ),
    bind(
        &[HelpSearch],
        keys![Key::plain(Code::Esc), Key::ctrl('c')],
        Action::EndSearch { keep: false },
        "end the search, back to the whole list",
    ),
    bind(
        &[HelpSearch],
        keys![Key::plain(Code::Backspace), Key::ctrl('h')],
        Action::ShortenSearch,
        "delete the last character",
    ),
    bind(&[HelpSearch], keys![Key::plain(Code::Up)], Action::Lines(-1), "while searching: up"),
    bind(&[HelpSearch], keys![Key::plain(Code::Down)], Action::Lines(1), "while searching: down"),
    bind(PANES, keys![Key::plain(Code::Tab)], Action::NextPane, "to the next pane"),
    bind(PANES, keys![Key::plain(Code::BackTab)], Action::PreviousPane, "to the pane before"),
    bind(PANES, keys![Key::char('i'), Key::char(':')], Action::ToPrompt, "to the command line"),
    bind(
        PANES,
        keys![Key::char('p')],
        Action::TogglePause,
        "pause: ask the server no more; again: go on asking",
    ),
    bind(
        PANES,
        keys![Key::char('Y')],
        Action::CopyCommand,
        "copy the shell command that prints this view",
    ),
    bind(
        &[Table, Watch, Log],
        keys![Key::char('q')],
        Action::Quit,
        "quit the program (in the full-screen chart: back)",
    ),
    bind(
        READING,
        keys![Key::plain(Code::Up), Key::char('k')],
        Action::Lines(-1),
        "up a line, or a key",
    ),
    bind(
        READING,
        keys![Key::plain(Code::Down), Key::char('j')],
        Action::Lines(1),
        "down a line, or a key",
    ),
    bind(READING, keys![Key::plain(Code::PageUp), Key::ctrl('b')], Action::Pages(-1), "a page up"),
    bind(
        READING,
        keys![Key::plain(Code::PageDown), Key::ctrl('f')],
        Action::Pages(1),
        "a page down",
    ),
    bind(
        &[Table, Log, Help],
        keys![Key::char(' ')],
        Action::Pages(1),
        "a page down in the table, the log, this list",
    ),
    bind(READING, keys![Key::plain(Code::Home), Key::char('g')], Action::Top, "to the first line"),
    bind(READING, keys![Key::plain(Code::End), Key::char('G')], Action::Bottom, "to the last line"),
    bind(READING, keys![Key::char('?')], Action::Help, "open or close this list"),
    bind(READING, keys![Key::ctrl('c')], Action::Quit, "quit the program"),
    bind(ALL, keys![Key::plain(Code::F(1))], Action::Help, "open or close this list"),
    bind(
        ALL,
        keys![Key::plain(Code::F(5))],
        Action::Refresh,
        "ask the server now, once, even while paused",
    ),
    bind(
        ALL,
        keys![Key::plain(Code::F(6))],
        Action::TogglePause,
        "pause: ask the server no more; again: go on asking",
    ),
    bind(
        ALL,
        keys![Key::ctrl('z')],
        Action::Suspend,
        "to the shell that started this; fg comes back",
    ),
];

/// What a key means in a mode.
pub fn lookup(mode: Mode, key: Key) -> Option<Action> {
    bindings()
        .find(|binding| binding.modes.contains(&mode) && binding.keys.contains(&key))
        .map(|binding| binding.action)
}

/// The name of the first key that means this in a mode; nothing when there is none.
pub fn key_of(mode: Mode, action: Action) -> String {
    let mut keys = bindings().filter(|bound| bound.modes.contains(&mode) && bound.action == action);
    keys.find_map(|bound| bound.keys.first().copied()).map_or(String::new(), name)
}

/// The name of a key, as people write it.
pub fn name(key: Key) -> String {
    let code = match key.code {
        Code::Char(' ') => "space".to_owned(),
        Code::Char(c) => c.to_string(),
        Code::Up => "↑".to_owned(),
        Code::Down => "↓".to_owned(),
        Code::Left => "←".to_owned(),
        Code::Right => "→".to_owned(),
        Code::PageUp => "pgup".to_owned(),
        Code::PageDown => "pgdn".to_owned(),
        Code::BackTab => "shift-tab".to_owned(),
        Code::F(n) => format!("F{n}"),
        other => format!("{other:?}").to_lowercase(),
    };
    let ctrl = if key.ctrl { "ctrl-" } else { "" };
    let alt = if key.alt { "alt-" } else { "" };
    format!("{ctrl}{alt}{code}")
}

/// The names of some keys.
fn names(keys: &[Key]) -> String {
    keys.iter().copied().map(name).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_means_two_things_in_one_place() {
        for &mode in ALL {
            let mut seen = Vec::new();
            for binding in bindings().filter(|binding| binding.modes.contains(&mode)) {
                for key in binding.keys {
                    assert!(!seen.contains(key), "{} in {mode:?}", name(*key));
                    seen.push(*key);
                }
            }
        }
    }
}
