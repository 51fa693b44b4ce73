//! The keys of the log, and of what is asked for about it.

use super::{Binding, bind, keys};
use crate::app::action::Action;
use crate::app::ask::{LogAction as Does, Question};
use crate::app::editor::Edit;
use crate::app::mode::Mode::{Ask, Log};
use crate::event::{Code, Key};

const fn log(keys: &'static [Key], does: Does, help: &'static str) -> Binding {
    bind(&[Log], keys, Action::Log(does), help)
}

const fn ask(keys: &'static [Key], does: Does, help: &'static str) -> Binding {
    bind(&[Ask], keys, Action::Log(does), help)
}

pub(super) static BINDINGS: &[Binding] = &[
    bind(
        &[Log],
        keys![Key::char('f')],
        Action::ToggleFollow,
        "follow new lines; again: stay where it is",
    ),
    log(
        keys![Key::char('/')],
        Does::Ask(Question::Search),
        "search upwards from the selected line",
    ),
    log(keys![Key::char('n')], Does::Match { older: true }, "to the match above (older)"),
    log(keys![Key::char('N')], Does::Match { older: false }, "to the match below (newer)"),
    log(
        keys![Key::char('&')],
        Does::Ask(Question::Filter),
        "filter: show only lines with a text (!text: without it)",
    ),
    log(
        keys![Key::plain(Code::Esc)],
        Does::Leave,
        "drop search and filter; end the zoom; to the command line",
    ),
    log(
        keys![Key::char('z')],
        Does::Enlarge,
        "zoom: the log in the room of all panes; again: back",
    ),
    log(keys![Key::char('r')], Does::ToggleRaw, "keep every line of replies; again: only excerpts"),
    log(
        keys![Key::plain(Code::Right), Key::char('l')],
        Does::Shift { right: true },
        "see more of the right of long lines",
    ),
    log(
        keys![Key::plain(Code::Left), Key::char('h')],
        Does::Shift { right: false },
        "back to the left",
    ),
    log(keys![Key::char('y')], Does::CopyLine, "copy the selected line"),
    log(keys![Key::char('e')], Does::CopyExchange, "copy the exchange: request and reply"),
    log(
        keys![Key::char('s')],
        Does::Ask(Question::Save),
        "save the log, as it is filtered, in a file",
    ),
    ask(keys![Key::plain(Code::Enter)], Does::Answer, "done"),
    ask(
        keys![Key::plain(Code::Esc), Key::ctrl('g'), Key::ctrl('c')],
        Does::Cancel,
        "cancel: back to how it was",
    ),
    ask(
        keys![Key::plain(Code::Up), Key::ctrl('p')],
        Does::Match { older: true },
        "to the match above (older)",
    ),
    ask(
        keys![Key::plain(Code::Down), Key::ctrl('n')],
        Does::Match { older: false },
        "to the match below (newer)",
    ),
    ask(keys![Key::plain(Code::Left), Key::ctrl('b')], Does::Edit(Edit::Left), "a character left"),
    ask(
        keys![Key::plain(Code::Right), Key::ctrl('f')],
        Does::Edit(Edit::Right),
        "a character right",
    ),
    ask(
        keys![Key::alt(Code::Char('b')), Key::alt(Code::Left), Key::with_ctrl(Code::Left)],
        Does::Edit(Edit::WordLeft),
        "a word left",
    ),
    ask(
        keys![Key::alt(Code::Char('f')), Key::alt(Code::Right), Key::with_ctrl(Code::Right)],
        Does::Edit(Edit::WordRight),
        "a word right",
    ),
    ask(
        keys![Key::plain(Code::Home), Key::ctrl('a')],
        Does::Edit(Edit::Start),
        "to the beginning of the line",
    ),
    ask(
        keys![Key::plain(Code::End), Key::ctrl('e')],
        Does::Edit(Edit::End),
        "to the end of the line",
    ),
    ask(
        keys![Key::plain(Code::Backspace), Key::ctrl('h')],
        Does::Edit(Edit::DeleteLeft),
        "delete the character before the cursor",
    ),
    ask(
        keys![Key::plain(Code::Delete), Key::ctrl('d')],
        Does::Edit(Edit::DeleteRight),
        "delete the character at the cursor",
    ),
    ask(
        keys![Key::ctrl('w'), Key::alt(Code::Backspace)],
        Does::Edit(Edit::KillBlankWordLeft),
        "delete back to the blank before",
    ),
    ask(
        keys![Key::ctrl('u')],
        Does::Edit(Edit::KillToStart),
        "delete to the beginning of the line",
    ),
    ask(keys![Key::ctrl('k')], Does::Edit(Edit::KillToEnd), "delete to the end of the line"),
    ask(keys![Key::ctrl('y')], Does::Edit(Edit::Yank), "put back what was deleted"),
    ask(keys![Key::ctrl('_')], Does::Edit(Edit::Undo), "undo"),
];
