//! Temporary: the actions of the key table in the groups that the application still has.

use crate::app::action::Action as Old;
use crate::app::ask::{LogAction as OldLog, Question};
use crate::app::mode::Mode;
use crate::app::prompt::action::PromptAction as OldPrompt;
use crate::app::views::ViewAction as View;
use crate::keymap::{Action, ChartAction, Edit, LogAction, PromptAction, TableAction, WatchAction};

/// The action of old; none for a key without effect.
pub fn translate(mode: Mode, action: Action) -> Option<Old> {
    Some(match action {
        Action::Quit => Old::Quit,
        Action::QuitOrClear => Old::QuitOrClear,
        Action::Help => Old::Help,
        Action::HelpOrType => Old::HelpOrType,
        Action::Suspend => Old::Suspend,
        Action::CopyCommand => Old::CopyCommand,
        Action::NextPane => Old::NextPane,
        Action::PreviousPane => Old::PreviousPane,
        Action::FocusPrompt => Old::ToPrompt,
        Action::Edit(edit) => match mode {
            Mode::Prompt => Old::Prompt(OldPrompt::Edit(edit)),
            Mode::Recall => Old::Prompt(OldPrompt::RecallEdit(edit)),
            Mode::Ask => Old::Log(OldLog::Edit(edit)),
            Mode::Field => Old::View(View::Edit(edit)),
            _ if edit == Edit::DeleteLeft => Old::ShortenSearch,
            _ => return None,
        },
        Action::Accept => match mode {
            Mode::Recall => Old::Prompt(OldPrompt::RecallSubmit),
            Mode::Ask => Old::Log(OldLog::Answer),
            Mode::Field => Old::View(View::Accept),
            _ => Old::EndSearch { keep: true },
        },
        Action::Cancel => match mode {
            Mode::Recall => Old::Prompt(OldPrompt::RecallCancel),
            Mode::Ask => Old::Log(OldLog::Cancel),
            Mode::HelpSearch => Old::EndSearch { keep: false },
            Mode::Help => Old::Help,
            _ => Old::View(View::Leave),
        },
        Action::Submit => Old::Submit,
        Action::Lines(lines) => Old::Lines(lines),
        Action::Pages(pages) => Old::Pages(pages),
        Action::Top => Old::Top,
        Action::Bottom => Old::Bottom,
        Action::Refresh => Old::Refresh,
        Action::TogglePause => Old::TogglePause,
        Action::Interval(step) => Old::View(View::Interval(step)),
        Action::AllKeys => Old::AllKeys,
        Action::SearchHelp => Old::SearchHelp,
        Action::Prompt(action) => match action {
            PromptAction::Older => Old::Prompt(OldPrompt::Older),
            PromptAction::Newer => Old::Prompt(OldPrompt::Newer),
            PromptAction::Complete { forward } => Old::Prompt(OldPrompt::Complete { forward }),
            PromptAction::Clear => Old::Prompt(OldPrompt::Clear),
            PromptAction::DeleteOrQuit => Old::QuitOrDelete,
            PromptAction::Search { older } => Old::Prompt(OldPrompt::Recall { older }),
            PromptAction::TakeFound => Old::Prompt(OldPrompt::RecallAccept),
            PromptAction::SendPaste => Old::Prompt(OldPrompt::SendPaste),
            PromptAction::DiscardPaste => Old::Prompt(OldPrompt::DiscardPaste),
        },
        Action::Log(action) => Old::Log(match action {
            LogAction::Search => OldLog::Ask(Question::Search),
            LogAction::Filter => OldLog::Ask(Question::Filter),
            LogAction::Save => OldLog::Ask(Question::Save),
            LogAction::Match { older } => OldLog::Match { older },
            LogAction::Shift { right } => OldLog::Shift { right },
            LogAction::Zoom => OldLog::Enlarge,
            LogAction::ToggleRaw => OldLog::ToggleRaw,
            LogAction::ToggleFollow => return Some(Old::ToggleFollow),
            LogAction::CopyLine => OldLog::CopyLine,
            LogAction::CopyExchange => OldLog::CopyExchange,
            LogAction::Leave => OldLog::Leave,
        }),
        Action::Table(action) => Old::View(match action {
            TableAction::SortBeside(step) => View::SortBeside(step),
            TableAction::SortBy(number) => View::SortBy(number),
            TableAction::Reverse => View::Reverse,
            TableAction::Filter => View::Filter,
            TableAction::Columns => View::Columns,
            TableAction::ToggleColumn => View::ToggleColumn,
            TableAction::Watch => return Some(Old::WatchSelected),
            TableAction::Chart => View::ChartSelected,
            TableAction::Leave => View::Leave,
        }),
        Action::Watch(action) => Old::View(match action {
            WatchAction::Unwatch => return Some(Old::Unwatch),
            WatchAction::Mark => View::Mark,
            WatchAction::MarkAll => View::MarkAll,
            WatchAction::FullScreen => View::Full,
            WatchAction::Leave => View::Leave,
        }),
        Action::Chart(action) => Old::View(match action {
            ChartAction::Zoom { closer } => View::Zoom(closer),
            ChartAction::Pan(step) => View::Pan(step),
            ChartAction::Cursor(step) => View::Cursor(step),
            ChartAction::Live => View::Whole,
            ChartAction::LogAxis => View::Log,
        }),
        Action::AddWatch => Old::View(View::AddWatch),
        Action::AddAlert => Old::View(View::AddAlert),
        Action::DropAlerts => Old::View(View::DropAlerts),
    })
}
