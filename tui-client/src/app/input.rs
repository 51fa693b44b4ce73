//! Everything that is typed: the command line, what lies over the panes, pasted lines on their way.

use std::sync::Arc;

use shared::Glob;

use crate::app::context::Context;
use crate::app::editor::MAX_TEXT;
use crate::app::line_input::{InputPurpose, LineInput};
use crate::app::link::Link;
use crate::app::log::Log;
use crate::app::log::bookmark::Bookmark;
use crate::app::log::entry::Tone;
use crate::app::overlay::Overlay;
use crate::app::overlay::help::Help;
use crate::app::prompt::Prompt;
use crate::app::prompt::paste::{Paste, Pasted};
use crate::import::source::pasted_lines;
use crate::keymap::{Edit, Mode, PromptAction};
use crate::metrics::alerts::Alert;
use crate::metrics::column::Column;
use crate::metrics::filter::Filter;
use crate::text::number;

/// What typing asks of the other parts of the application.
#[derive(Debug)]
pub enum Outcome {
    /// Nothing.
    Nothing,
    /// Leave the program.
    Quit,
    /// Send the command line.
    Submit,
    /// Send pasted lines.
    SendPaste(Pasted),
    /// Give the keys to the command line.
    FocusPrompt,
    /// Give the keys to the pane this many further on.
    Cycle(isize),
    /// Show only these rows of the table.
    FilterTable(Option<Filter>),
    /// Add an alert.
    Alert(Alert),
    /// Watch a key or a glob.
    Watch(Glob),
    /// Search the log for a text while it is typed.
    SearchLog(String),
    /// Show only these lines of the log while a text is typed.
    FilterLog(String),
    /// The text that the log is searched for is complete.
    EndLogSearch,
    /// Show the log as it was.
    RestoreLog(Bookmark),
    /// Save the log to a file.
    SaveLog(String),
}

/// The command line, what lies over the panes, and pasted lines on their way.
#[derive(Debug, Default)]
pub struct Input {
    prompt: Prompt,
    paste: Paste,
    overlay: Option<Overlay>,
}

impl Input {
    /// The command line.
    pub fn prompt(&self) -> &Prompt {
        &self.prompt
    }

    /// The command line, to learn from what happens.
    pub fn prompt_mut(&mut self) -> &mut Prompt {
        &mut self.prompt
    }

    /// Pasted lines on their way.
    pub fn paste(&self) -> &Paste {
        &self.paste
    }

    /// Pasted lines on their way, to learn what became of them.
    pub fn paste_mut(&mut self) -> &mut Paste {
        &mut self.paste
    }

    /// What lies over the panes.
    pub fn overlay(&self) -> Option<&Overlay> {
        self.overlay.as_ref()
    }

    /// The line that is asked for, also while the list of keys lies over it.
    pub fn line(&self) -> Option<&LineInput> {
        self.overlay.as_ref().and_then(Overlay::input)
    }

    /// The mode where the keys go; `focus` is that of the panes.
    pub fn mode(&self, focus: Mode) -> Mode {
        self.overlay.as_ref().map_or(focus, Overlay::mode)
    }

    /// Asks for a line that begins with a text.
    pub fn ask(&mut self, purpose: InputPurpose, text: &str) {
        self.open(LineInput::new(purpose, text));
    }

    /// Asks for a line.
    pub fn open(&mut self, line: LineInput) {
        self.overlay = Some(Overlay::Input(Box::new(line)));
    }

    /// Opens the list of columns.
    pub fn open_columns(&mut self) {
        self.overlay = Some(Overlay::Columns(0));
    }

    /// The selected column in the list of columns.
    pub fn selected_column(&self) -> Option<Column> {
        match self.overlay {
            Some(Overlay::Columns(line)) => Column::ALL.get(line).copied(),
            _ => None,
        }
    }

    /// Opens the list of keys over what is open, or closes it.
    pub fn toggle_help(&mut self, focus: Mode) {
        let mode = self.mode(focus);
        self.overlay = match self.overlay.take() {
            Some(Overlay::Help(help)) => help.close(),
            below => Some(Overlay::Help(Help::over(below, mode))),
        };
    }

    /// Begins to search the list of keys.
    pub fn search_help(&mut self) {
        if let Some(Overlay::Help(help)) = &mut self.overlay {
            help.search();
        }
    }

    /// Scrolls what lies over the panes by lines, on a screen of this size; says whether it can be.
    pub fn scroll(&mut self, lines: isize, size: (u16, u16)) -> bool {
        match &mut self.overlay {
            Some(Overlay::Help(help)) => help.scroll(lines, size),
            Some(Overlay::Columns(line)) => {
                *line = line.saturating_add_signed(lines).min(Column::ALL.len() - 1);
            }
            Some(Overlay::Input(_) | Overlay::Confirm(_)) | None => return false,
        }
        true
    }

    /// Performs an action of the command line.
    pub fn update(&mut self, action: PromptAction, cx: &mut Context) -> Outcome {
        match (action, &mut self.overlay) {
            (PromptAction::Clear, _) if self.prompt.text().is_empty() => self.paste.stop_import(cx),
            (PromptAction::DeleteOrQuit, _) if self.prompt.text().is_empty() => {
                return Outcome::Quit;
            }
            (PromptAction::DeleteOrQuit, _) => return self.edit(Edit::DeleteRight, cx),
            (PromptAction::Search { older }, Some(Overlay::Input(line))) => {
                if let Some((found, part)) = line.history_search() {
                    self.prompt.search_on(found, part, older);
                }
            }
            (PromptAction::Search { .. }, _) => self.ask(InputPurpose::history_search(), ""),
            (PromptAction::TakeFound, Some(Overlay::Input(line))) => {
                if let Some(found) = line.history_search().and_then(|(found, _)| found.line.take())
                {
                    self.prompt.set(&found.1);
                }
                self.overlay = None;
            }
            (PromptAction::SendPaste | PromptAction::DiscardPaste, _) => {
                if let Some(Overlay::Confirm(pasted)) = self.overlay.take() {
                    if action == PromptAction::SendPaste {
                        return Outcome::SendPaste(pasted);
                    }
                    let lines = number::count(pasted.lines);
                    cx.say(Tone::Plain, format!("{lines} lines not sent"));
                }
            }
            _ if self.prompt.update(action, cx) => {}
            (PromptAction::Complete { forward }, _) => {
                return Outcome::Cycle(if forward { 1 } else { -1 });
            }
            _ => {}
        }
        Outcome::Nothing
    }

    /// Sends pasted lines; they wait for another yes if they can't be sent now.
    pub fn send_paste(
        &mut self,
        pasted: Pasted,
        link: &mut Link,
        watched: &Arc<[Glob]>,
        log: &mut Log,
        cx: &mut Context,
    ) {
        let unsent = self.paste.send(pasted, link, watched, log, cx);
        self.overlay = unsent.map(Overlay::Confirm);
    }

    /// Edits the line that is being typed.
    pub fn edit(&mut self, edit: Edit, cx: &mut Context) -> Outcome {
        match &mut self.overlay {
            None => self.prompt.edit(edit, cx.now().unix()),
            Some(Overlay::Input(line)) => {
                line.edit(edit);
                return self.changed();
            }
            Some(Overlay::Help(help)) => help.edit(edit),
            Some(Overlay::Columns(_) | Overlay::Confirm(_)) => {}
        }
        Outcome::Nothing
    }

    /// Types text into the line that is being typed; `focus` is that of the panes.
    pub fn insert(&mut self, text: &str, focus: Mode, cx: &mut Context) -> Outcome {
        let taken = match &mut self.overlay {
            None if focus == Mode::Prompt => self.prompt.insert(text),
            Some(Overlay::Input(line)) => line.insert(text),
            Some(Overlay::Help(help)) if help.mode() == Mode::HelpSearch => help.insert(text),
            _ => true,
        };
        self.inserted(taken, cx)
    }

    /// Takes pasted text: into a line that is asked for, else into the command line, several lines
    /// after a yes.
    pub fn insert_pasted(&mut self, text: &str, cx: &mut Context) -> Outcome {
        if let Some(Overlay::Input(line)) = &mut self.overlay {
            let taken = line.paste(text);
            return self.inserted(taken, cx);
        }
        if pasted_lines(text).nth(1).is_some() {
            self.overlay = Some(Overlay::Confirm(Pasted::new(text, cx.now().unix())));
        } else {
            self.overlay = None;
            let taken = self.prompt.insert(text.trim_end_matches(['\n', '\r']));
            self.inserted(taken, cx);
        }
        Outcome::FocusPrompt
    }

    fn inserted(&mut self, taken: bool, cx: &mut Context) -> Outcome {
        if taken {
            return self.changed();
        }
        let most = number::bytes(MAX_TEXT as u64);
        cx.say(Tone::Bad, format!("not taken: the line would be longer than {most}"));
        Outcome::Nothing
    }

    /// Table, log and history show what a filter or a search does while it is typed.
    fn changed(&mut self) -> Outcome {
        let Some(Overlay::Input(line)) = &mut self.overlay else { return Outcome::Nothing };
        if let Some((found, part)) = line.history_search() {
            self.prompt.search(found, part);
        }
        match line.purpose() {
            InputPurpose::LogSearch(_) => Outcome::SearchLog(line.text().to_owned()),
            InputPurpose::LogFilter(_) => Outcome::FilterLog(line.text().to_owned()),
            InputPurpose::Filter(_) => {
                line.settled_filter().map_or(Outcome::Nothing, Outcome::FilterTable)
            }
            _ => Outcome::Nothing,
        }
    }

    /// Takes the line that was asked for, unless something is wrong with it.
    pub fn accept(&mut self, cx: &mut Context) -> Outcome {
        let line = match self.overlay.take() {
            Some(Overlay::Input(line)) => line,
            Some(Overlay::Help(mut help)) => {
                help.end_search(true);
                self.overlay = Some(Overlay::Help(help));
                return Outcome::Nothing;
            }
            _ => return Outcome::Nothing,
        };
        if let Some((at, reason)) = line.fault() {
            cx.say(Tone::Bad, format!("at character {}: {reason}", at + 1));
            self.overlay = Some(Overlay::Input(line));
            return Outcome::Nothing;
        }
        let (purpose, text) = line.into_parts();
        match purpose {
            InputPurpose::HistorySearch(found) => match found.line {
                Some((_, line)) => {
                    self.prompt.set(&line);
                    return Outcome::Submit;
                }
                None => cx.say(Tone::Plain, "no such line, nothing sent"),
            },
            InputPurpose::LogSearch(_) => return Outcome::EndLogSearch,
            InputPurpose::SaveLog if text.is_empty() => {
                cx.say(Tone::Plain, "not saved: no name");
            }
            InputPurpose::SaveLog => return Outcome::SaveLog(text),
            // A word that could have become something else is a part of a key now.
            InputPurpose::Filter(_) if !text.is_empty() => {
                return Outcome::FilterTable(text.parse().ok());
            }
            InputPurpose::Alert => {
                return text.parse().map_or(Outcome::Nothing, Outcome::Alert);
            }
            InputPurpose::Watch => {
                return text.parse().map_or(Outcome::Nothing, Outcome::Watch);
            }
            // The filter counts already.
            InputPurpose::Filter(_) | InputPurpose::LogFilter(_) => {}
        }
        Outcome::Nothing
    }

    /// Closes what was opened last, as if it had not been.
    pub fn cancel(&mut self) -> Outcome {
        match self.overlay.take() {
            Some(Overlay::Help(mut help)) if help.mode() == Mode::HelpSearch => {
                help.end_search(false);
                self.overlay = Some(Overlay::Help(help));
            }
            Some(Overlay::Help(help)) => self.overlay = help.close(),
            Some(Overlay::Input(line)) => match line.into_parts().0 {
                InputPurpose::Filter(before) => return Outcome::FilterTable(before),
                InputPurpose::LogSearch(before) | InputPurpose::LogFilter(before) => {
                    return Outcome::RestoreLog(before);
                }
                _ => {}
            },
            Some(Overlay::Columns(_) | Overlay::Confirm(_)) | None => {}
        }
        Outcome::Nothing
    }
}
