//! The one table of keys: what is pressed, where, and what it means. The list of keys that `?`
//! shows and the hints on the bottom line are made from it.

mod log;
mod prompt;
mod views;

use crate::app::action::Action;
use crate::app::mode::Mode::{
    self, Ask, Chart, Columns, Confirm, Field, Help, HelpSearch, Log, Prompt, Recall, Table, Watch,
};
use crate::app::msg::{Code, Key};

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
    /// In one word for the bottom line, if it belongs there.
    pub hint: Option<Hint>,
}

/// A word for the bottom line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hint {
    /// The word.
    pub word: &'static str,
    /// Shown however little room there is: how to get away, or to know more.
    pub vital: bool,
}

const ALL: &[Mode] =
    &[Prompt, Table, Watch, Chart, Log, Help, HelpSearch, Recall, Confirm, Ask, Columns, Field];
const PANES: &[Mode] = &[Table, Watch, Log];
const READING: &[Mode] = &[Table, Watch, Chart, Log, Help, Columns];
const LISTS: &[Mode] = &[Table, Log, Help];

/// All keys. The first line that fits counts.
pub fn bindings() -> impl Iterator<Item = &'static Binding> {
    views::BINDINGS.iter().chain(BINDINGS).chain(prompt::BINDINGS).chain(log::BINDINGS)
}

const fn bind(
    modes: &'static [Mode],
    keys: &'static [Key],
    action: Action,
    help: &'static str,
) -> Binding {
    Binding { modes, keys, action, help, hint: None }
}

const fn hint(binding: Binding, word: &'static str) -> Binding {
    Binding { hint: Some(Hint { word, vital: false }), ..binding }
}

const fn vital(binding: Binding, word: &'static str) -> Binding {
    Binding { hint: Some(Hint { word, vital: true }), ..binding }
}

macro_rules! keys {
    ($($key:expr),+) => { &[$($key),+] };
}
use keys;

/// The keys of more than one place, of the table and of the watched keys.
static BINDINGS: &[Binding] = &[
    vital(bind(READING, keys![Key::char('?')], Action::Help, "show or hide the keys"), "help"),
    bind(ALL, keys![Key::plain(Code::F(1))], Action::Help, "show or hide the keys"),
    hint(
        bind(
            &[Table],
            keys![Key::plain(Code::Enter), Key::char('w')],
            Action::WatchSelected,
            "watch the selected key, with its chart",
        ),
        "watch",
    ),
    hint(
        bind(
            &[Watch],
            keys![Key::char('x'), Key::plain(Code::Delete)],
            Action::Unwatch,
            "stop watching the selected key",
        ),
        "unwatch",
    ),
    hint(bind(PANES, keys![Key::plain(Code::Tab)], Action::NextPane, "to the next pane"), "pane"),
    bind(PANES, keys![Key::plain(Code::BackTab)], Action::PreviousPane, "to the pane before"),
    hint(
        bind(PANES, keys![Key::char('i'), Key::char(':')], Action::ToPrompt, "to the command line"),
        "prompt",
    ),
    bind(&[Table], keys![Key::plain(Code::Esc)], Action::ToPrompt, "to the command line"),
    vital(
        bind(&[Help], keys![Key::plain(Code::Esc), Key::plain(Code::Enter)], Action::Help, "back"),
        "back",
    ),
    hint(bind(&[Help], keys![Key::char('/')], Action::SearchHelp, "search the keys"), "search"),
    hint(
        bind(
            &[HelpSearch],
            keys![Key::plain(Code::Enter)],
            Action::EndSearch { keep: true },
            "keep what was found",
        ),
        "keep",
    ),
    vital(
        bind(
            &[HelpSearch],
            keys![Key::plain(Code::Esc)],
            Action::EndSearch { keep: false },
            "back to all keys",
        ),
        "all",
    ),
    bind(
        &[HelpSearch],
        keys![Key::plain(Code::Backspace), Key::ctrl('h')],
        Action::ShortenSearch,
        "delete to the left",
    ),
    bind(&[HelpSearch], keys![Key::plain(Code::Up)], Action::Lines(-1), "up"),
    bind(&[HelpSearch], keys![Key::plain(Code::Down)], Action::Lines(1), "down"),
    hint(bind(&[Table], keys![Key::char('r')], Action::Refresh, "ask again now"), "refresh"),
    hint(
        bind(&[Table], keys![Key::char('a')], Action::ToggleAuto, "ask again by itself, or not"),
        "auto",
    ),
    hint(bind(&[Table], keys![Key::char('*')], Action::AllKeys, "back to all keys (get *)"), "all"),
    vital(bind(PANES, keys![Key::char('q')], Action::Quit, "leave"), "quit"),
    bind(&[Help], keys![Key::char('q')], Action::Help, "back"),
    bind(
        &[Prompt, Table, Watch, Log],
        keys![Key::plain(Code::F(5))],
        Action::Refresh,
        "ask again now",
    ),
    bind(
        &[Prompt, Table, Watch, Log],
        keys![Key::plain(Code::F(6))],
        Action::ToggleAuto,
        "ask again by itself, or not",
    ),
    hint(bind(&[Help], keys![Key::ctrl('c')], Action::Quit, "leave"), "quit"),
    bind(
        &[Table, Watch, Chart, Log, HelpSearch, Columns, Field],
        keys![Key::ctrl('c')],
        Action::Quit,
        "leave",
    ),
    bind(ALL, keys![Key::ctrl('z')], Action::Suspend, "to the shell; fg comes back"),
    bind(
        &[Table, Watch, Chart, Log],
        keys![Key::char('Y')],
        Action::CopyCommand,
        "copy the plain command that prints this view",
    ),
    bind(READING, keys![Key::plain(Code::Up), Key::char('k')], Action::Lines(-1), "up"),
    bind(READING, keys![Key::plain(Code::Down), Key::char('j')], Action::Lines(1), "down"),
    bind(LISTS, keys![Key::plain(Code::PageUp), Key::ctrl('b')], Action::Pages(-1), "a page up"),
    bind(
        LISTS,
        keys![Key::plain(Code::PageDown), Key::ctrl('f'), Key::char(' ')],
        Action::Pages(1),
        "a page down",
    ),
    bind(READING, keys![Key::plain(Code::Home), Key::char('g')], Action::Top, "to the first"),
    bind(READING, keys![Key::plain(Code::End), Key::char('G')], Action::Bottom, "to the last"),
];

/// What a key means in a mode.
pub fn lookup(mode: Mode, key: Key) -> Option<Action> {
    bindings()
        .find(|binding| binding.modes.contains(&mode) && binding.keys.contains(&key))
        .map(|binding| binding.action)
}

/// The hints for the bottom line: key and word, of what `offered` says yes to.
pub fn hints(mode: Mode, offered: impl Fn(Action) -> bool) -> impl Iterator<Item = (String, Hint)> {
    bindings()
        .filter(move |binding| binding.modes.contains(&mode) && offered(binding.action))
        .filter_map(|binding| Some((name(*binding.keys.first()?), binding.hint?)))
}

/// A line of the list of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HelpLine {
    /// Where the keys below count; empty between sections.
    Heading(&'static str),
    /// Keys and what they do.
    Keys(String, &'static str),
}

/// The list of keys, by the place where they count.
pub fn help_lines() -> impl Iterator<Item = HelpLine> {
    const SECTIONS: [(&str, Mode); 12] = [
        ("Command line", Prompt),
        ("Search for an entered line", Recall),
        ("Pasted lines", Confirm),
        ("Table", Table),
        ("Watched keys and their chart", Watch),
        ("Chart on the whole screen", Chart),
        ("Columns", Columns),
        ("Filter, alert, key to watch", Field),
        ("Log", Log),
        ("Search, filter and save the log", Ask),
        ("This list", Help),
        ("Searching this list", HelpSearch),
    ];
    SECTIONS.into_iter().enumerate().flat_map(|(at, (heading, mode))| {
        let gap = (at > 0).then_some(HelpLine::Heading(""));
        let keys = bindings().filter(move |binding| binding.modes.contains(&mode)).map(|binding| {
            let names: Vec<_> = binding.keys.iter().copied().map(name).collect();
            HelpLine::Keys(names.join(" "), binding.help)
        });
        gap.into_iter().chain([HelpLine::Heading(heading)]).chain(keys)
    })
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

    #[test]
    fn every_binding_can_be_reached_from_the_help() {
        let listed: Vec<_> = help_lines().collect();
        for binding in bindings() {
            let shown =
                |line: &HelpLine| matches!(line, HelpLine::Keys(_, help) if *help == binding.help);
            assert!(listed.iter().any(shown), "{}", binding.help);
        }
    }
}
