//! The keys of the log, and of what is asked for about it.

use super::{Binding, bind, hint, keys, vital};
use crate::app::action::Action;
use crate::app::ask::{LogAction as Does, Question};
use crate::app::editor::Edit;
use crate::app::mode::Mode::{Ask, Log};
use crate::app::msg::{Code, Key};

const fn log(keys: &'static [Key], does: Does, help: &'static str) -> Binding {
    bind(&[Log], keys, Action::Log(does), help)
}

const fn ask(keys: &'static [Key], does: Does, help: &'static str) -> Binding {
    bind(&[Ask], keys, Action::Log(does), help)
}

pub(super) static BINDINGS: &[Binding] = &[
    hint(
        bind(&[Log], keys![Key::char('f')], Action::ToggleFollow, "follow new lines, or stay"),
        "follow",
    ),
    hint(
        log(
            keys![Key::char('/')],
            Does::Ask(Question::Search),
            "search, up from the selected line",
        ),
        "search",
    ),
    hint(
        log(keys![Key::char('n')], Does::Match { older: true }, "the match above (older)"),
        "older",
    ),
    hint(
        log(keys![Key::char('N')], Does::Match { older: false }, "the match below (newer)"),
        "newer",
    ),
    hint(
        log(
            keys![Key::char('&')],
            Does::Ask(Question::Filter),
            "only lines with a text (!text: without it)",
        ),
        "filter",
    ),
    hint(
        log(
            keys![Key::plain(Code::Esc)],
            Does::Leave,
            "search and filter off, or to the command line",
        ),
        "clear",
    ),
    log(keys![Key::plain(Code::Right), Key::char('l')], Does::Shift(8), "the end of long lines"),
    log(keys![Key::plain(Code::Left), Key::char('h')], Does::Shift(-8), "their beginning"),
    hint(
        log(keys![Key::char('e')], Does::CopyExchange, "copy the request with its reply"),
        "copy both",
    ),
    hint(log(keys![Key::char('y')], Does::CopyLine, "copy the selected line"), "copy"),
    hint(
        log(
            keys![Key::char('s')],
            Does::Ask(Question::Save),
            "save the log, as filtered, to a file",
        ),
        "save",
    ),
    hint(
        log(keys![Key::char('r')], Does::ToggleRaw, "every line over the wire, or excerpts"),
        "raw",
    ),
    hint(ask(keys![Key::plain(Code::Enter)], Does::Answer, "that is it"), "done"),
    vital(
        ask(
            keys![Key::plain(Code::Esc), Key::ctrl('g'), Key::ctrl('c')],
            Does::Cancel,
            "back to how it was",
        ),
        "cancel",
    ),
    hint(
        ask(
            keys![Key::plain(Code::Up), Key::ctrl('p')],
            Does::Match { older: true },
            "the match above (older)",
        ),
        "older",
    ),
    hint(
        ask(
            keys![Key::plain(Code::Down), Key::ctrl('n')],
            Does::Match { older: false },
            "the match below (newer)",
        ),
        "newer",
    ),
    ask(keys![Key::plain(Code::Left), Key::ctrl('b')], Does::Edit(Edit::Left), "left"),
    ask(keys![Key::plain(Code::Right), Key::ctrl('f')], Does::Edit(Edit::Right), "right"),
    ask(keys![Key::plain(Code::Home), Key::ctrl('a')], Does::Edit(Edit::Start), "to the beginning"),
    ask(keys![Key::plain(Code::End), Key::ctrl('e')], Does::Edit(Edit::End), "to the end"),
    ask(
        keys![Key::plain(Code::Backspace), Key::ctrl('h')],
        Does::Edit(Edit::DeleteLeft),
        "delete to the left",
    ),
    ask(
        keys![Key::plain(Code::Delete), Key::ctrl('d')],
        Does::Edit(Edit::DeleteRight),
        "delete to the right",
    ),
    ask(
        keys![Key::ctrl('w'), Key::alt(Code::Backspace)],
        Does::Edit(Edit::KillBlankWordLeft),
        "delete the word to the left",
    ),
    ask(keys![Key::ctrl('u')], Does::Edit(Edit::KillToStart), "delete to the beginning"),
    ask(keys![Key::ctrl('k')], Does::Edit(Edit::KillToEnd), "delete to the end"),
    ask(keys![Key::ctrl('y')], Does::Edit(Edit::Yank), "put back what was deleted"),
    ask(keys![Key::ctrl('_')], Does::Edit(Edit::Undo), "undo"),
];
