//! The key map: one table of keys, modes and actions, from which the list of keys and the hints of
//! the bottom line are made.

mod abilities;
mod action;
mod bindings;
mod help;
mod hints;
mod mode;
mod palette;

use crate::event::{KeyCode, KeyPress};
use bindings::{BINDINGS, Binding};

pub use abilities::{Abilities, Multiplexer, Shell};
pub use action::{Action, ChartAction, Edit, LogAction, PromptAction, TableAction, WatchAction};
pub use help::{HelpLine, help_lines};
pub use hints::{Hint, hints};
pub use mode::{Mode, Pane};
pub use palette::{PaletteLine, PaletteRow, Place, palette_lines};

/// The action of a key in a mode.
pub fn lookup(mode: Mode, key: KeyPress) -> Option<Action> {
    // A typed arrow has the name of the arrow key, and no character beyond ASCII is bound.
    let is_bindable = !matches!(key.code, KeyCode::Char(c) if !c.is_ascii());
    if is_bindable { row(mode, &name(key)).map(|row| row.action) } else { None }
}

fn row(mode: Mode, name: &str) -> Option<&'static Binding> {
    BINDINGS.iter().find(|row| row.modes.contains(&mode) && row.key_names().any(|key| key == name))
}

/// The name of the first key with an action in a mode; empty without one.
pub fn key_of(mode: Mode, action: Action) -> &'static str {
    let bound = |row: &&Binding| row.modes.contains(&mode) && row.action == action;
    BINDINGS.iter().find(bound).map_or("", Binding::first_key)
}

/// The panes in which a key has an action, in words; `watching`: there are watched keys.
pub fn panes_of(key: KeyPress, watching: bool) -> Vec<&'static str> {
    const PANES: [(Mode, &str); 4] = [
        (Mode::Table, "the table"),
        (Mode::Watch, "the watched keys"),
        (Mode::Chart, "the full-screen chart"),
        (Mode::Log, "the log"),
    ];
    let is_there = |mode: Mode| watching || mode.pane() != Some(Pane::Watch);
    let with_key =
        PANES.into_iter().filter(|&(mode, _)| is_there(mode) && lookup(mode, key).is_some());
    with_key.map(|(_, name)| name).collect()
}

/// The name of a key, as in the table of keys.
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

/// The key of a name, the inverse of [`name`].
fn pressed(text: &str) -> Option<KeyPress> {
    let strip = |text, modifier| match str::strip_prefix(text, modifier) {
        Some(rest) if !rest.is_empty() => (true, rest),
        _ => (false, text),
    };
    let (ctrl, rest) = strip(text, "ctrl-");
    let (alt, code) = strip(rest, "alt-");
    let mut chars = code.chars();
    let code = match (code, chars.next(), chars.as_str()) {
        ("↑", ..) => KeyCode::Up,
        ("↓", ..) => KeyCode::Down,
        ("←", ..) => KeyCode::Left,
        ("→", ..) => KeyCode::Right,
        ("space", ..) => KeyCode::Char(' '),
        ("pgup", ..) => KeyCode::PageUp,
        ("pgdn", ..) => KeyCode::PageDown,
        ("shift-tab", ..) => KeyCode::BackTab,
        ("enter", ..) => KeyCode::Enter,
        ("tab", ..) => KeyCode::Tab,
        ("esc", ..) => KeyCode::Esc,
        ("backspace", ..) => KeyCode::Backspace,
        ("delete", ..) => KeyCode::Delete,
        ("home", ..) => KeyCode::Home,
        ("end", ..) => KeyCode::End,
        (_, Some(c), "") => KeyCode::Char(c),
        (_, Some('F'), number) => KeyCode::F(number.parse().ok()?),
        _ => return None,
    };
    Some(KeyPress { code, ctrl, alt })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bindings::ALL;

    /// The names of all keys that can be pressed.
    fn all_names() -> Vec<String> {
        use KeyCode::{
            BackTab, Backspace, Char, Delete, Down, End, Enter, Esc, F, Home, Left, PageDown,
            PageUp, Right, Tab, Up,
        };
        let mut codes = vec![
            Enter, Tab, BackTab, Esc, Backspace, Delete, Up, Down, Left, Right, Home, End, PageUp,
            PageDown,
        ];
        codes.extend((' '..='~').map(Char));
        codes.extend((1..=12).map(F));
        let all = [(false, false), (true, false), (false, true), (true, true)];
        let keys = codes
            .into_iter()
            .flat_map(|code| all.map(|(ctrl, alt)| name(KeyPress { code, ctrl, alt })));
        keys.collect()
    }

    #[test]
    fn every_row_names_keys_that_exist() {
        let all = all_names();
        for row in BINDINGS {
            for key in row.key_names() {
                assert!(all.iter().any(|name| name == key), "{key:?}: {}", row.help);
            }
            assert!(!row.keys.is_empty() && !row.help.is_empty(), "{row:?}");
        }
    }

    #[test]
    fn a_key_is_found_by_its_name() {
        for text in all_names() {
            assert_eq!(pressed(&text).map(name), Some(text));
        }
        assert_eq!(pressed("ctrl-"), None);
        assert_eq!(pressed(""), None);
    }

    #[test]
    fn a_typed_arrow_is_no_arrow_key() {
        for &mode in ALL {
            for c in ['←', '→', '↑', '↓', 'é', '火'] {
                for (ctrl, alt) in [(false, false), (true, false), (false, true)] {
                    assert_eq!(lookup(mode, KeyPress { code: KeyCode::Char(c), ctrl, alt }), None);
                }
            }
        }
        for row in BINDINGS {
            let arrows = |key: &str| ["←", "→", "↑", "↓"].iter().any(|arrow| key.ends_with(arrow));
            assert!(row.key_names().all(|key| key.is_ascii() || arrows(key)), "{row:?}");
        }
    }

    #[test]
    fn no_two_keys_have_the_same_name() {
        let mut all = all_names();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    /// The exceptions have actions of their own in some panes: full screen, left and right with the
    /// same meaning.
    #[test]
    fn a_letter_has_one_meaning_in_all_panes() {
        const ALIKE: [char; 3] = ['f', 'h', 'l'];
        let panes = [Mode::Table, Mode::Watch, Mode::Chart, Mode::Log];
        for letter in ('a'..='z').chain('A'..='Z').filter(|letter| !ALIKE.contains(letter)) {
            let key = KeyPress::char(letter);
            let mut meanings: Vec<_> = panes.iter().filter_map(|&mode| lookup(mode, key)).collect();
            meanings.dedup();
            assert!(meanings.len() <= 1, "{letter}: {meanings:?}");
        }
    }

    /// Only a key of a line that is typed may have another meaning in one such line.
    #[test]
    fn no_key_means_two_things_in_one_place() {
        for &mode in ALL {
            let mut seen: Vec<(&str, &Binding)> = Vec::new();
            for row in BINDINGS.iter().filter(|row| row.modes.contains(&mode)) {
                for key in row.key_names() {
                    if let Some((_, first)) = seen.iter().find(|(name, _)| *name == key) {
                        let own = first.modes.len() == 1 && row.modes == bindings::TYPING;
                        assert!(own, "{key} in {mode:?}");
                    }
                    seen.push((key, row));
                }
            }
        }
    }

    #[test]
    fn a_key_with_its_own_meaning_in_one_line_goes_before_the_edit_keys() {
        for (mode, key, action) in [
            (Mode::SeriesInput, KeyPress::ctrl('d'), Action::Edit(Edit::DeleteRight)),
            (Mode::Prompt, KeyPress::ctrl('d'), Action::Prompt(PromptAction::DeleteOrQuit)),
            (Mode::LogInput, KeyPress::plain(KeyCode::Right), Action::Edit(Edit::Right)),
            (
                Mode::HistorySearch,
                KeyPress::plain(KeyCode::Right),
                Action::Prompt(PromptAction::TakeFound),
            ),
            (Mode::Help, KeyPress::ctrl('u'), Action::Edit(Edit::KillToStart)),
            (Mode::HistorySearch, KeyPress::ctrl('u'), Action::Edit(Edit::KillAll)),
        ] {
            assert_eq!(lookup(mode, key), Some(action), "{} in {mode:?}", name(key));
        }
    }
}
