//! What the bottom line says about keys: for each mode the most useful ones, in the order of
//! their worth there.

use super::{keys, lookup, names};
use crate::app::action::Action;
use crate::app::mode::Mode;
use crate::event::{KeyCode, KeyPress};

/// A word for the bottom line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hint {
    keys: &'static [KeyPress],
    /// The word.
    pub word: &'static str,
    /// Shown however little room there is: how to get away, or to know more.
    pub vital: bool,
}

impl Hint {
    /// What it does in a mode.
    pub fn action(&self, mode: Mode) -> Option<Action> {
        self.keys.first().and_then(|&key| lookup(mode, key))
    }

    /// What is pressed: one key, or two that belong together.
    pub fn keys(&self) -> String {
        names(self.keys)
    }
}

const fn hint(keys: &'static [KeyPress], word: &'static str) -> Hint {
    Hint { keys, word, vital: false }
}

const fn vital(keys: &'static [KeyPress], word: &'static str) -> Hint {
    Hint { keys, word, vital: true }
}

const ENTER: &[KeyPress] = keys![KeyPress::plain(KeyCode::Enter)];
const TAB: &[KeyPress] = keys![KeyPress::plain(KeyCode::Tab)];
const ESC: &[KeyPress] = keys![KeyPress::plain(KeyCode::Esc)];
const ARROWS: &[KeyPress] = keys![KeyPress::plain(KeyCode::Left), KeyPress::plain(KeyCode::Right)];
const F1: &[KeyPress] = keys![KeyPress::plain(KeyCode::F(1))];
const F6: &[KeyPress] = keys![KeyPress::plain(KeyCode::F(6))];

const HELP: Hint = vital(keys![KeyPress::char('?')], "help");
const QUIT: Hint = vital(keys![KeyPress::char('q')], "quit");
const PANE: Hint = hint(TAB, "pane");
const PROMPT: Hint = hint(keys![KeyPress::char('i')], "prompt");
const PAUSE: Hint = hint(keys![KeyPress::char('p')], "pause");
const ALERT: Hint = hint(keys![KeyPress::char('!')], "alert");
const SLOWER: Hint = hint(keys![KeyPress::char('+')], "slower");
const FASTER: Hint = hint(keys![KeyPress::char('-')], "faster");
const CURSOR: Hint = hint(ARROWS, "cursor");
const MOVE: Hint = hint(keys![KeyPress::char('['), KeyPress::char(']')], "move");
const LIVE: Hint = hint(keys![KeyPress::char('0')], "live");
const ZOOM: Hint = hint(keys![KeyPress::char('z'), KeyPress::char('Z')], "zoom");
const SCALE: Hint = hint(keys![KeyPress::char('y')], "log axis");
const MARK: Hint = hint(keys![KeyPress::char(' ')], "mark");

const EMPTY_LINE: &[Hint] = &[
    hint(ENTER, "send"),
    PANE,
    hint(keys![KeyPress::ctrl('r')], "search"),
    hint(F6, "pause"),
    vital(keys![KeyPress::ctrl('c')], "quit"),
    HELP,
];

const LINE: &[Hint] = &[
    hint(ENTER, "send"),
    hint(TAB, "complete"),
    hint(keys![KeyPress::ctrl('r')], "search"),
    vital(ESC, "clear"),
    vital(F1, "help"),
];

const TABLE: &[Hint] = &[
    hint(keys![KeyPress::char('*')], "all keys"),
    hint(ENTER, "watch"),
    hint(keys![KeyPress::char('f')], "chart"),
    hint(keys![KeyPress::char('/')], "filter"),
    hint(keys![KeyPress::char('<'), KeyPress::char('>')], "sort"),
    hint(keys![KeyPress::char('c')], "columns"),
    PANE,
    PROMPT,
    PAUSE,
    ALERT,
    hint(keys![KeyPress::char('o')], "reverse"),
    hint(keys![KeyPress::char('r')], "ask now"),
    SLOWER,
    FASTER,
    QUIT,
    HELP,
];

const WATCH: &[Hint] = &[
    hint(keys![KeyPress::char('f')], "full screen"),
    PROMPT,
    PAUSE,
    ALERT,
    hint(keys![KeyPress::char('x')], "unwatch"),
    PANE,
    CURSOR,
    ZOOM,
    MOVE,
    LIVE,
    SCALE,
    MARK,
    SLOWER,
    FASTER,
    QUIT,
    HELP,
];

const CHART: &[Hint] = &[
    // How to come back from the past goes with the way there.
    MOVE,
    LIVE,
    ZOOM,
    CURSOR,
    SCALE,
    ALERT,
    PAUSE,
    MARK,
    SLOWER,
    FASTER,
    vital(ESC, "back"),
    HELP,
];

const LOG: &[Hint] = &[
    hint(ESC, "clear"),
    hint(keys![KeyPress::char('n')], "older"),
    hint(keys![KeyPress::char('N')], "newer"),
    hint(keys![KeyPress::char('f')], "follow"),
    hint(keys![KeyPress::char('/')], "search"),
    hint(keys![KeyPress::char('&')], "filter"),
    hint(keys![KeyPress::char('e')], "copy exchange"),
    hint(keys![KeyPress::char('y')], "copy"),
    hint(keys![KeyPress::char('s')], "save"),
    hint(keys![KeyPress::char('r')], "raw"),
    hint(keys![KeyPress::char('z')], "zoom"),
    PANE,
    PROMPT,
    PAUSE,
    QUIT,
    HELP,
];

const FIELD: &[Hint] = &[hint(ENTER, "done"), vital(ESC, "cancel")];

const QUESTION: &[Hint] = &[
    hint(ENTER, "done"),
    hint(keys![KeyPress::plain(KeyCode::Up)], "older"),
    hint(keys![KeyPress::plain(KeyCode::Down)], "newer"),
    vital(ESC, "cancel"),
];

const COLUMNS: &[Hint] =
    &[hint(keys![KeyPress::char(' ')], "show or hide"), vital(ESC, "back"), HELP];

const LIST: &[Hint] = &[vital(ESC, "back"), hint(keys![KeyPress::char('/')], "search")];

const LIST_SEARCH: &[Hint] = &[hint(ENTER, "keep"), vital(ESC, "all")];

const RECALL: &[Hint] = &[
    hint(ENTER, "send"),
    hint(TAB, "edit"),
    hint(keys![KeyPress::ctrl('r')], "older"),
    hint(keys![KeyPress::ctrl('s')], "newer"),
    vital(ESC, "back"),
];

const CONFIRM: &[Hint] = &[hint(ENTER, "send"), vital(ESC, "discard")];

/// The hints for the bottom line; `typed` says that the command line is not empty.
pub fn hints(mode: Mode, typed: bool) -> &'static [Hint] {
    match mode {
        Mode::Prompt if typed => LINE,
        Mode::Prompt => EMPTY_LINE,
        Mode::Table => TABLE,
        Mode::Watch => WATCH,
        Mode::Chart => CHART,
        Mode::Field => FIELD,
        Mode::Ask => QUESTION,
        Mode::Columns => COLUMNS,
        Mode::Log => LOG,
        Mode::Help => LIST,
        Mode::HelpSearch => LIST_SEARCH,
        Mode::Recall => RECALL,
        Mode::Confirm => CONFIRM,
    }
}

#[cfg(test)]
mod tests {
    use super::super::ALL;
    use super::*;

    #[test]
    fn every_hint_names_keys_that_mean_something_there() {
        for &mode in ALL {
            for typed in [false, true] {
                for hint in hints(mode, typed) {
                    let bound = hint.keys.iter().all(|&key| lookup(mode, key).is_some());
                    assert!(bound, "{} {} in {mode:?}", hint.keys(), hint.word);
                }
            }
        }
    }
}
