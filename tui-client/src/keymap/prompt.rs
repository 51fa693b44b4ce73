//! The keys of the command line, of the search for an entered line, and of pasted lines.

use super::{Binding, bind, hint, keys, vital};
use crate::app::action::Action;
use crate::app::editor::Edit;
use crate::app::mode::Mode::{Confirm, Prompt, Recall};
use crate::app::msg::{Code, Key};
use crate::app::prompting::PromptAction as Does;

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
    vital(
        bind(
            &[Prompt],
            keys![Key::char('?')],
            Action::HelpOrType,
            "show the keys (on an empty line)",
        ),
        "help",
    ),
    hint(bind(&[Prompt], keys![Key::plain(Code::Enter)], Action::Submit, "send the line"), "send"),
    hint(
        line(
            keys![Key::plain(Code::Tab)],
            Does::Complete { forward: true },
            "complete the word; on an empty line, next pane",
        ),
        "complete/pane",
    ),
    line(
        keys![Key::plain(Code::BackTab)],
        Does::Complete { forward: false },
        "to the pane before; among completions, the one before",
    ),
    hint(
        line(
            keys![Key::ctrl('r')],
            Does::Recall { older: true },
            "search the lines entered before",
        ),
        "search",
    ),
    line(
        keys![Key::plain(Code::Up), Key::ctrl('p')],
        Does::Older,
        "the line entered before that begins so",
    ),
    line(
        keys![Key::plain(Code::Down), Key::ctrl('n')],
        Does::Newer,
        "the line entered after, in the end the draft",
    ),
    edit(keys![Key::plain(Code::Left), Key::ctrl('b')], Edit::Left, "left"),
    edit(
        keys![Key::plain(Code::Right), Key::ctrl('f')],
        Edit::Right,
        "right; at the end, take the suggestion",
    ),
    edit(keys![Key::alt(Code::Char('b')), Key::alt(Code::Left)], Edit::WordLeft, "a word left"),
    edit(
        keys![Key::alt(Code::Char('f')), Key::alt(Code::Right)],
        Edit::WordRight,
        "a word right; at the end, of the suggestion",
    ),
    edit(
        keys![Key::plain(Code::Home), Key::ctrl('a')],
        Edit::Start,
        "to the beginning of the line",
    ),
    edit(
        keys![Key::plain(Code::End), Key::ctrl('e')],
        Edit::End,
        "to the end; at the end, take the suggestion",
    ),
    edit(
        keys![Key::plain(Code::Backspace), Key::ctrl('h')],
        Edit::DeleteLeft,
        "delete to the left",
    ),
    edit(keys![Key::plain(Code::Delete)], Edit::DeleteRight, "delete to the right"),
    edit(keys![Key::ctrl('w')], Edit::KillBlankWordLeft, "delete to the left up to a blank"),
    edit(keys![Key::alt(Code::Backspace)], Edit::KillWordLeft, "delete the word to the left"),
    edit(keys![Key::alt(Code::Char('d'))], Edit::KillWordRight, "delete the word to the right"),
    edit(keys![Key::ctrl('u')], Edit::KillToStart, "delete to the beginning of the line"),
    edit(keys![Key::ctrl('k')], Edit::KillToEnd, "delete to the end of the line"),
    edit(keys![Key::ctrl('y')], Edit::Yank, "put back what was deleted"),
    edit(keys![Key::ctrl('_')], Edit::Undo, "undo"),
    line(
        keys![Key::plain(Code::Esc)],
        Does::Clear,
        "delete the line; on an empty one, stop a paste",
    ),
    bind(&[Prompt], keys![Key::plain(Code::PageUp)], Action::Pages(-1), "the log a page up"),
    bind(&[Prompt], keys![Key::plain(Code::PageDown)], Action::Pages(1), "the log a page down"),
    bind(
        &[Prompt],
        keys![Key::ctrl('d')],
        Action::QuitOrDelete,
        "leave (on an empty line), or delete the character",
    ),
    vital(bind(&[Prompt], keys![Key::ctrl('c')], Action::Quit, "leave"), "quit"),
    hint(recall(keys![Key::plain(Code::Enter)], Does::RecallSubmit, "send the line"), "send"),
    hint(
        recall(
            keys![
                Key::plain(Code::Tab),
                Key::plain(Code::Right),
                Key::ctrl('e'),
                Key::plain(Code::End)
            ],
            Does::RecallAccept,
            "edit the line",
        ),
        "edit",
    ),
    hint(
        recall(
            keys![Key::ctrl('r'), Key::plain(Code::Up)],
            Does::Recall { older: true },
            "the match before",
        ),
        "older",
    ),
    hint(
        recall(
            keys![Key::ctrl('s'), Key::plain(Code::Down)],
            Does::Recall { older: false },
            "the match after",
        ),
        "newer",
    ),
    vital(
        recall(
            keys![Key::plain(Code::Esc), Key::ctrl('g'), Key::ctrl('c')],
            Does::RecallCancel,
            "back to the line as it was",
        ),
        "back",
    ),
    recall(
        keys![Key::plain(Code::Backspace), Key::ctrl('h')],
        Does::RecallEdit(Edit::DeleteLeft),
        "delete to the left",
    ),
    recall(keys![Key::ctrl('u')], Does::RecallEdit(Edit::KillAll), "search for something else"),
    hint(
        bind(
            &[Confirm],
            keys![Key::plain(Code::Enter), Key::char('y')],
            Action::Prompt(Does::SendPaste),
            "send the pasted lines",
        ),
        "send",
    ),
    vital(
        bind(
            &[Confirm],
            keys![Key::plain(Code::Esc), Key::char('n'), Key::ctrl('c')],
            Action::Prompt(Does::DiscardPaste),
            "forget them",
        ),
        "discard",
    ),
];
