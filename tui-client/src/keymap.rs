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
use crate::event::{KeyCode, KeyPress};

pub use help::{HelpLine, help_lines};
pub use hints::{Hint, hints};

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    /// Where it counts.
    pub modes: &'static [Mode],
    /// What is pressed; each of these.
    pub keys: &'static [KeyPress],
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
    keys: &'static [KeyPress],
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
        keys![KeyPress::plain(KeyCode::Esc), KeyPress::plain(KeyCode::Enter), KeyPress::char('q')],
        Action::Help,
        "close this list",
    ),
    bind(&[Help], keys![KeyPress::char('/')], Action::SearchHelp, "search this list"),
    bind(
        &[HelpSearch],
        keys![KeyPress::plain(KeyCode::Enter)],
        Action::EndSearch { keep: true },
        "end the search, keep what was found",
    ),
    bind(
        &[HelpSearch],
        keys![KeyPress::plain(KeyCode::Esc), KeyPress::ctrl('c')],
        Action::EndSearch { keep: false },
        "end the search, back to the whole list",
    ),
    bind(
        &[HelpSearch],
        keys![KeyPress::plain(KeyCode::Backspace), KeyPress::ctrl('h')],
        Action::ShortenSearch,
        "delete the last character",
    ),
    bind(
        &[HelpSearch],
        keys![KeyPress::plain(KeyCode::Up)],
        Action::Lines(-1),
        "while searching: up",
    ),
    bind(
        &[HelpSearch],
        keys![KeyPress::plain(KeyCode::Down)],
        Action::Lines(1),
        "while searching: down",
    ),
    bind(PANES, keys![KeyPress::plain(KeyCode::Tab)], Action::NextPane, "to the next pane"),
    bind(
        PANES,
        keys![KeyPress::plain(KeyCode::BackTab)],
        Action::PreviousPane,
        "to the pane before",
    ),
    bind(
        PANES,
        keys![KeyPress::char('i'), KeyPress::char(':')],
        Action::ToPrompt,
        "to the command line",
    ),
    bind(
        PANES,
        keys![KeyPress::char('p')],
        Action::TogglePause,
        "pause: ask the server no more; again: go on asking",
    ),
    bind(
        PANES,
        keys![KeyPress::char('Y')],
        Action::CopyCommand,
        "copy the shell command that prints this view",
    ),
    bind(
        &[Table, Watch, Log],
        keys![KeyPress::char('q')],
        Action::Quit,
        "quit the program (in the full-screen chart: back)",
    ),
    bind(
        READING,
        keys![KeyPress::plain(KeyCode::Up), KeyPress::char('k')],
        Action::Lines(-1),
        "up a line, or a key",
    ),
    bind(
        READING,
        keys![KeyPress::plain(KeyCode::Down), KeyPress::char('j')],
        Action::Lines(1),
        "down a line, or a key",
    ),
    bind(
        READING,
        keys![KeyPress::plain(KeyCode::PageUp), KeyPress::ctrl('b')],
        Action::Pages(-1),
        "a page up",
    ),
    bind(
        READING,
        keys![KeyPress::plain(KeyCode::PageDown), KeyPress::ctrl('f')],
        Action::Pages(1),
        "a page down",
    ),
    bind(
        &[Table, Log, Help],
        keys![KeyPress::char(' ')],
        Action::Pages(1),
        "a page down in the table, the log, this list",
    ),
    bind(
        READING,
        keys![KeyPress::plain(KeyCode::Home), KeyPress::char('g')],
        Action::Top,
        "to the first line",
    ),
    bind(
        READING,
        keys![KeyPress::plain(KeyCode::End), KeyPress::char('G')],
        Action::Bottom,
        "to the last line",
    ),
    bind(READING, keys![KeyPress::char('?')], Action::Help, "open or close this list"),
    bind(READING, keys![KeyPress::ctrl('c')], Action::Quit, "quit the program"),
    bind(ALL, keys![KeyPress::plain(KeyCode::F(1))], Action::Help, "open or close this list"),
    bind(
        ALL,
        keys![KeyPress::plain(KeyCode::F(5))],
        Action::Refresh,
        "ask the server now, once, even while paused",
    ),
    bind(
        ALL,
        keys![KeyPress::plain(KeyCode::F(6))],
        Action::TogglePause,
        "pause: ask the server no more; again: go on asking",
    ),
    bind(
        ALL,
        keys![KeyPress::ctrl('z')],
        Action::Suspend,
        "to the shell that started this; fg comes back",
    ),
];

/// What a key means in a mode.
pub fn lookup(mode: Mode, key: KeyPress) -> Option<Action> {
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
pub fn name(key: KeyPress) -> String {
    let code = match key.code {
        KeyCode::Char(' ') => "space".to_owned(),
        KeyCode::Char(c) => c.to_string(),
        KeyCode::Up => "↑".to_owned(),
        KeyCode::Down => "↓".to_owned(),
        KeyCode::Left => "←".to_owned(),
        KeyCode::Right => "→".to_owned(),
        KeyCode::PageUp => "pgup".to_owned(),
        KeyCode::PageDown => "pgdn".to_owned(),
        KeyCode::BackTab => "shift-tab".to_owned(),
        KeyCode::F(n) => format!("F{n}"),
        other => format!("{other:?}").to_lowercase(),
    };
    let ctrl = if key.ctrl { "ctrl-" } else { "" };
    let alt = if key.alt { "alt-" } else { "" };
    format!("{ctrl}{alt}{code}")
}

/// The names of some keys.
fn names(keys: &[KeyPress]) -> String {
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
