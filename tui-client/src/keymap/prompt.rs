//! The keys of the command line, of the search for an entered line, and of pasted lines.

use super::{Binding, bind, keys};
use crate::app::action::Action;
use crate::app::editor::Edit;
use crate::app::mode::Mode::{Confirm, Prompt, Recall};
use crate::app::prompt::action::PromptAction as Does;
use crate::event::{Code, Key};

const fn edit(keys: &'static [Key], edit: Edit, help: &'static str) -> Binding {
    bind(&[Prompt], keys, Action::Prompt(Does::Edit(edit)), help)
}

const fn line(keys: &'static [Key], does: Does, help: &'static str) -> Binding {
    bind(&[Prompt], keys, Action::Prompt(does), help)
}

const fn recall(keys: &'static [Key], does: Does, help: &'static str) -> Binding {
    bind(&[Recall], keys, Action::Prompt(does), help)
}

pub(super) static BINDINGS: &[Binding] = &[
    bind(&[Prompt], keys![Key::plain(Code::Enter)], Action::Submit, "send the line"),
    bind(&[Prompt], keys![Key::char('?')], Action::HelpOrType, "open this list (on an empty line)"),
    line(
        keys![Key::plain(Code::Tab)],
        Does::Complete { forward: true },
        "completion: complete the word; empty line: next pane",
    ),
    line(
        keys![Key::plain(Code::BackTab)],
        Does::Complete { forward: false },
        "to the pane before; in a completion: the one before",
    ),
    line(
        keys![Key::ctrl('r')],
        Does::Recall { older: true },
        "search the history: the lines entered before",
    ),
    line(
        keys![Key::plain(Code::Up), Key::ctrl('p')],
        Does::Older,
        "history: an older line that begins like this one",
    ),
    line(
        keys![Key::plain(Code::Down), Key::ctrl('n')],
        Does::Newer,
        "history: a newer one, in the end what was typed here",
    ),
    edit(keys![Key::plain(Code::Left), Key::ctrl('b')], Edit::Left, "a character left"),
    edit(
        keys![Key::plain(Code::Right), Key::ctrl('f')],
        Edit::Right,
        "a character right; at the end: take the suggestion",
    ),
    edit(
        keys![Key::alt(Code::Char('b')), Key::alt(Code::Left), Key::with_ctrl(Code::Left)],
        Edit::WordLeft,
        "a word left",
    ),
    edit(
        keys![Key::alt(Code::Char('f')), Key::alt(Code::Right), Key::with_ctrl(Code::Right)],
        Edit::WordRight,
        "a word right; at the end: take a word of it",
    ),
    edit(
        keys![Key::plain(Code::Home), Key::ctrl('a')],
        Edit::Start,
        "to the beginning of the line",
    ),
    edit(
        keys![Key::plain(Code::End), Key::ctrl('e')],
        Edit::End,
        "to the end of the line; there: take the suggestion",
    ),
    edit(
        keys![Key::plain(Code::Backspace), Key::ctrl('h')],
        Edit::DeleteLeft,
        "delete the character before the cursor",
    ),
    edit(keys![Key::plain(Code::Delete)], Edit::DeleteRight, "delete the character at the cursor"),
    edit(keys![Key::ctrl('w')], Edit::KillBlankWordLeft, "delete back to the blank before"),
    edit(keys![Key::alt(Code::Backspace)], Edit::KillWordLeft, "delete the word before the cursor"),
    edit(
        keys![Key::alt(Code::Char('d'))],
        Edit::KillWordRight,
        "delete the word behind the cursor",
    ),
    edit(keys![Key::ctrl('u')], Edit::KillToStart, "delete to the beginning of the line"),
    edit(keys![Key::ctrl('k')], Edit::KillToEnd, "delete to the end of the line"),
    edit(keys![Key::ctrl('y')], Edit::Yank, "put back what was deleted"),
    edit(keys![Key::ctrl('_')], Edit::Undo, "undo"),
    line(
        keys![Key::plain(Code::Esc)],
        Does::Clear,
        "close the completions; clear the line; stop a paste",
    ),
    bind(&[Prompt], keys![Key::plain(Code::PageUp)], Action::Pages(-1), "scroll the log up"),
    bind(&[Prompt], keys![Key::plain(Code::PageDown)], Action::Pages(1), "scroll the log down"),
    bind(
        &[Prompt],
        keys![Key::ctrl('d')],
        Action::QuitOrDelete,
        "delete the character; on an empty line: quit",
    ),
    bind(
        &[Prompt],
        keys![Key::ctrl('c')],
        Action::QuitOrClear,
        "clear the line; on an empty line: quit",
    ),
    recall(keys![Key::plain(Code::Enter)], Does::RecallSubmit, "send the line found"),
    recall(
        keys![
            Key::plain(Code::Tab),
            Key::plain(Code::Right),
            Key::ctrl('e'),
            Key::plain(Code::End)
        ],
        Does::RecallAccept,
        "take the line found, to edit it",
    ),
    recall(
        keys![Key::ctrl('r'), Key::plain(Code::Up)],
        Does::Recall { older: true },
        "an older line",
    ),
    recall(
        keys![Key::ctrl('s'), Key::plain(Code::Down)],
        Does::Recall { older: false },
        "a newer line",
    ),
    recall(
        keys![Key::plain(Code::Esc), Key::ctrl('g'), Key::ctrl('c')],
        Does::RecallCancel,
        "cancel: back to the line as it was",
    ),
    recall(
        keys![Key::plain(Code::Backspace), Key::ctrl('h')],
        Does::RecallEdit(Edit::DeleteLeft),
        "delete the character before the cursor",
    ),
    recall(
        keys![Key::ctrl('w')],
        Does::RecallEdit(Edit::KillBlankWordLeft),
        "delete back to the blank before",
    ),
    recall(
        keys![Key::alt(Code::Backspace)],
        Does::RecallEdit(Edit::KillWordLeft),
        "delete the word before the cursor",
    ),
    recall(keys![Key::ctrl('u')], Does::RecallEdit(Edit::KillAll), "search for something else"),
    bind(
        &[Confirm],
        keys![Key::plain(Code::Enter), Key::char('y')],
        Action::Prompt(Does::SendPaste),
        "send the pasted lines",
    ),
    bind(
        &[Confirm],
        keys![Key::plain(Code::Esc), Key::char('n'), Key::ctrl('c')],
        Action::Prompt(Does::DiscardPaste),
        "don't send them",
    ),
];
