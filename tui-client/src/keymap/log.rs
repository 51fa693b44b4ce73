//! The keys of the log, and of what is asked for about it.

use super::{Binding, bind, keys};
use crate::app::action::Action;
use crate::app::ask::{LogAction as Does, Question};
use crate::app::editor::Edit;
use crate::app::mode::Mode::{Ask, Log};
use crate::event::{KeyCode, KeyPress};

const fn log(keys: &'static [KeyPress], does: Does, help: &'static str) -> Binding {
    bind(&[Log], keys, Action::Log(does), help)
}

const fn ask(keys: &'static [KeyPress], does: Does, help: &'static str) -> Binding {
    bind(&[Ask], keys, Action::Log(does), help)
}

pub(super) static BINDINGS: &[Binding] = &[
    bind(
        &[Log],
        keys![KeyPress::char('f')],
        Action::ToggleFollow,
        "follow new lines; again: stay where it is",
    ),
    log(
        keys![KeyPress::char('/')],
        Does::Ask(Question::Search),
        "search upwards from the selected line",
    ),
    log(keys![KeyPress::char('n')], Does::Match { older: true }, "to the match above (older)"),
    log(keys![KeyPress::char('N')], Does::Match { older: false }, "to the match below (newer)"),
    log(
        keys![KeyPress::char('&')],
        Does::Ask(Question::Filter),
        "filter: show only lines with a text (!text: without it)",
    ),
    log(
        keys![KeyPress::plain(KeyCode::Esc)],
        Does::Leave,
        "drop search and filter; end the zoom; to the command line",
    ),
    log(
        keys![KeyPress::char('z')],
        Does::Enlarge,
        "zoom: the log in the room of all panes; again: back",
    ),
    log(
        keys![KeyPress::char('r')],
        Does::ToggleRaw,
        "keep every line of replies; again: only excerpts",
    ),
    log(
        keys![KeyPress::plain(KeyCode::Right), KeyPress::char('l')],
        Does::Shift { right: true },
        "see more of the right of long lines",
    ),
    log(
        keys![KeyPress::plain(KeyCode::Left), KeyPress::char('h')],
        Does::Shift { right: false },
        "back to the left",
    ),
    log(keys![KeyPress::char('y')], Does::CopyLine, "copy the selected line"),
    log(keys![KeyPress::char('e')], Does::CopyExchange, "copy the exchange: request and reply"),
    log(
        keys![KeyPress::char('s')],
        Does::Ask(Question::Save),
        "save the log, as it is filtered, in a file",
    ),
    ask(keys![KeyPress::plain(KeyCode::Enter)], Does::Answer, "done"),
    ask(
        keys![KeyPress::plain(KeyCode::Esc), KeyPress::ctrl('g'), KeyPress::ctrl('c')],
        Does::Cancel,
        "cancel: back to how it was",
    ),
    ask(
        keys![KeyPress::plain(KeyCode::Up), KeyPress::ctrl('p')],
        Does::Match { older: true },
        "to the match above (older)",
    ),
    ask(
        keys![KeyPress::plain(KeyCode::Down), KeyPress::ctrl('n')],
        Does::Match { older: false },
        "to the match below (newer)",
    ),
    ask(
        keys![KeyPress::plain(KeyCode::Left), KeyPress::ctrl('b')],
        Does::Edit(Edit::Left),
        "a character left",
    ),
    ask(
        keys![KeyPress::plain(KeyCode::Right), KeyPress::ctrl('f')],
        Does::Edit(Edit::Right),
        "a character right",
    ),
    ask(
        keys![
            KeyPress::alt(KeyCode::Char('b')),
            KeyPress::alt(KeyCode::Left),
            KeyPress::with_ctrl(KeyCode::Left)
        ],
        Does::Edit(Edit::WordLeft),
        "a word left",
    ),
    ask(
        keys![
            KeyPress::alt(KeyCode::Char('f')),
            KeyPress::alt(KeyCode::Right),
            KeyPress::with_ctrl(KeyCode::Right)
        ],
        Does::Edit(Edit::WordRight),
        "a word right",
    ),
    ask(
        keys![KeyPress::plain(KeyCode::Home), KeyPress::ctrl('a')],
        Does::Edit(Edit::Start),
        "to the beginning of the line",
    ),
    ask(
        keys![KeyPress::plain(KeyCode::End), KeyPress::ctrl('e')],
        Does::Edit(Edit::End),
        "to the end of the line",
    ),
    ask(
        keys![KeyPress::plain(KeyCode::Backspace), KeyPress::ctrl('h')],
        Does::Edit(Edit::DeleteLeft),
        "delete the character before the cursor",
    ),
    ask(
        keys![KeyPress::plain(KeyCode::Delete), KeyPress::ctrl('d')],
        Does::Edit(Edit::DeleteRight),
        "delete the character at the cursor",
    ),
    ask(
        keys![KeyPress::ctrl('w'), KeyPress::alt(KeyCode::Backspace)],
        Does::Edit(Edit::KillBlankWordLeft),
        "delete back to the blank before",
    ),
    ask(
        keys![KeyPress::ctrl('u')],
        Does::Edit(Edit::KillToStart),
        "delete to the beginning of the line",
    ),
    ask(keys![KeyPress::ctrl('k')], Does::Edit(Edit::KillToEnd), "delete to the end of the line"),
    ask(keys![KeyPress::ctrl('y')], Does::Edit(Edit::Yank), "put back what was deleted"),
    ask(keys![KeyPress::ctrl('_')], Does::Edit(Edit::Undo), "undo"),
];
