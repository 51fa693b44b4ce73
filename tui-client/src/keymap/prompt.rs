//! The keys of the command line, of the search for an entered line, and of pasted lines.

use super::{Binding, bind, keys};
use crate::app::action::Action;
use crate::app::editor::Edit;
use crate::app::mode::Mode::{Confirm, Prompt, Recall};
use crate::app::prompt::action::PromptAction as Does;
use crate::event::{KeyCode, KeyPress};

const fn edit(keys: &'static [KeyPress], edit: Edit, help: &'static str) -> Binding {
    bind(&[Prompt], keys, Action::Prompt(Does::Edit(edit)), help)
}

const fn line(keys: &'static [KeyPress], does: Does, help: &'static str) -> Binding {
    bind(&[Prompt], keys, Action::Prompt(does), help)
}

const fn recall(keys: &'static [KeyPress], does: Does, help: &'static str) -> Binding {
    bind(&[Recall], keys, Action::Prompt(does), help)
}

pub(super) static BINDINGS: &[Binding] = &[
    bind(&[Prompt], keys![KeyPress::plain(KeyCode::Enter)], Action::Submit, "send the line"),
    bind(
        &[Prompt],
        keys![KeyPress::char('?')],
        Action::HelpOrType,
        "open this list (on an empty line)",
    ),
    line(
        keys![KeyPress::plain(KeyCode::Tab)],
        Does::Complete { forward: true },
        "completion: complete the word; empty line: next pane",
    ),
    line(
        keys![KeyPress::plain(KeyCode::BackTab)],
        Does::Complete { forward: false },
        "to the pane before; in a completion: the one before",
    ),
    line(
        keys![KeyPress::ctrl('r')],
        Does::Recall { older: true },
        "search the history: the lines entered before",
    ),
    line(
        keys![KeyPress::plain(KeyCode::Up), KeyPress::ctrl('p')],
        Does::Older,
        "history: an older line that begins like this one",
    ),
    line(
        keys![KeyPress::plain(KeyCode::Down), KeyPress::ctrl('n')],
        Does::Newer,
        "history: a newer one, in the end what was typed here",
    ),
    edit(
        keys![KeyPress::plain(KeyCode::Left), KeyPress::ctrl('b')],
        Edit::Left,
        "a character left",
    ),
    edit(
        keys![KeyPress::plain(KeyCode::Right), KeyPress::ctrl('f')],
        Edit::Right,
        "a character right; at the end: take the suggestion",
    ),
    edit(
        keys![
            KeyPress::alt(KeyCode::Char('b')),
            KeyPress::alt(KeyCode::Left),
            KeyPress::with_ctrl(KeyCode::Left)
        ],
        Edit::WordLeft,
        "a word left",
    ),
    edit(
        keys![
            KeyPress::alt(KeyCode::Char('f')),
            KeyPress::alt(KeyCode::Right),
            KeyPress::with_ctrl(KeyCode::Right)
        ],
        Edit::WordRight,
        "a word right; at the end: take a word of it",
    ),
    edit(
        keys![KeyPress::plain(KeyCode::Home), KeyPress::ctrl('a')],
        Edit::Start,
        "to the beginning of the line",
    ),
    edit(
        keys![KeyPress::plain(KeyCode::End), KeyPress::ctrl('e')],
        Edit::End,
        "to the end of the line; there: take the suggestion",
    ),
    edit(
        keys![KeyPress::plain(KeyCode::Backspace), KeyPress::ctrl('h')],
        Edit::DeleteLeft,
        "delete the character before the cursor",
    ),
    edit(
        keys![KeyPress::plain(KeyCode::Delete)],
        Edit::DeleteRight,
        "delete the character at the cursor",
    ),
    edit(keys![KeyPress::ctrl('w')], Edit::KillBlankWordLeft, "delete back to the blank before"),
    edit(
        keys![KeyPress::alt(KeyCode::Backspace)],
        Edit::KillWordLeft,
        "delete the word before the cursor",
    ),
    edit(
        keys![KeyPress::alt(KeyCode::Char('d'))],
        Edit::KillWordRight,
        "delete the word behind the cursor",
    ),
    edit(keys![KeyPress::ctrl('u')], Edit::KillToStart, "delete to the beginning of the line"),
    edit(keys![KeyPress::ctrl('k')], Edit::KillToEnd, "delete to the end of the line"),
    edit(keys![KeyPress::ctrl('y')], Edit::Yank, "put back what was deleted"),
    edit(keys![KeyPress::ctrl('_')], Edit::Undo, "undo"),
    line(
        keys![KeyPress::plain(KeyCode::Esc)],
        Does::Clear,
        "close the completions; clear the line; stop a paste",
    ),
    bind(
        &[Prompt],
        keys![KeyPress::plain(KeyCode::PageUp)],
        Action::Pages(-1),
        "scroll the log up",
    ),
    bind(
        &[Prompt],
        keys![KeyPress::plain(KeyCode::PageDown)],
        Action::Pages(1),
        "scroll the log down",
    ),
    bind(
        &[Prompt],
        keys![KeyPress::ctrl('d')],
        Action::QuitOrDelete,
        "delete the character; on an empty line: quit",
    ),
    bind(
        &[Prompt],
        keys![KeyPress::ctrl('c')],
        Action::QuitOrClear,
        "clear the line; on an empty line: quit",
    ),
    recall(keys![KeyPress::plain(KeyCode::Enter)], Does::RecallSubmit, "send the line found"),
    recall(
        keys![
            KeyPress::plain(KeyCode::Tab),
            KeyPress::plain(KeyCode::Right),
            KeyPress::ctrl('e'),
            KeyPress::plain(KeyCode::End)
        ],
        Does::RecallAccept,
        "take the line found, to edit it",
    ),
    recall(
        keys![KeyPress::ctrl('r'), KeyPress::plain(KeyCode::Up)],
        Does::Recall { older: true },
        "an older line",
    ),
    recall(
        keys![KeyPress::ctrl('s'), KeyPress::plain(KeyCode::Down)],
        Does::Recall { older: false },
        "a newer line",
    ),
    recall(
        keys![KeyPress::plain(KeyCode::Esc), KeyPress::ctrl('g'), KeyPress::ctrl('c')],
        Does::RecallCancel,
        "cancel: back to the line as it was",
    ),
    recall(
        keys![KeyPress::plain(KeyCode::Backspace), KeyPress::ctrl('h')],
        Does::RecallEdit(Edit::DeleteLeft),
        "delete the character before the cursor",
    ),
    recall(
        keys![KeyPress::ctrl('w')],
        Does::RecallEdit(Edit::KillBlankWordLeft),
        "delete back to the blank before",
    ),
    recall(
        keys![KeyPress::alt(KeyCode::Backspace)],
        Does::RecallEdit(Edit::KillWordLeft),
        "delete the word before the cursor",
    ),
    recall(
        keys![KeyPress::ctrl('u')],
        Does::RecallEdit(Edit::KillAll),
        "search for something else",
    ),
    bind(
        &[Confirm],
        keys![KeyPress::plain(KeyCode::Enter), KeyPress::char('y')],
        Action::Prompt(Does::SendPaste),
        "send the pasted lines",
    ),
    bind(
        &[Confirm],
        keys![KeyPress::plain(KeyCode::Esc), KeyPress::char('n'), KeyPress::ctrl('c')],
        Action::Prompt(Does::DiscardPaste),
        "don't send them",
    ),
];
