//! All input of text: the command line, pasted lines, and the overlay over the panes.

pub mod leaving;
pub mod overlay;
pub mod prompt;

use crate::app::context::Context;
use crate::app::input::leaving::{LeavingWord, Part};
use crate::app::input::overlay::Overlay;
use crate::app::input::overlay::help::Help;
use crate::app::input::prompt::Prompt;
use crate::app::input::prompt::paste::{Paste, Pasted};
use crate::app::line_input::editor::MAX_TEXT;
use crate::app::line_input::{Found, InputPurpose, LineInput};
use crate::app::log::Log;
use crate::app::message::Message;
use crate::app::server::link::Link;
use crate::effect::{Effect, Ending};
use crate::event::KeyPress;
use crate::import::source::pasted_lines;
use crate::keymap::{Edit, Mode, PromptAction};
use crate::metrics::column::Column;
use crate::metrics::patterns::Patterns;
use crate::text::number;
use crate::wire_log::entry::Tone;

/// The command line, the pasted lines being sent, and the overlay over the panes.
#[derive(Debug, Default)]
pub struct Input {
    /// The command line.
    pub prompt: Prompt,
    /// The pasted lines being sent.
    pub paste: Paste,
    overlay: Option<Overlay>,
    leaving: LeavingWord,
    /// The line that was pasted last had its end.
    pasted_end: bool,
    /// The line of the list of columns when it was open last.
    column_line: usize,
}

impl Input {
    /// The overlay over the panes.
    pub fn overlay(&self) -> Option<&Overlay> {
        self.overlay.as_ref()
    }

    /// The open line input, also while the list of keys covers it.
    pub fn line(&self) -> Option<&LineInput> {
        self.overlay.as_ref().and_then(Overlay::input)
    }

    /// The mode that gets the keys; `focus` is that of the panes.
    pub fn mode(&self, focus: Mode) -> Mode {
        self.overlay.as_ref().map_or(focus, Overlay::mode)
    }

    /// What a key press is to a word that ends the program, in this mode.
    pub fn leaving(&mut self, key: KeyPress, mode: Mode) -> Part {
        self.leaving.press(key, matches!(mode, Mode::Columns | Mode::Confirm))
    }

    /// Opens a line input that begins with a text.
    pub fn ask(&mut self, purpose: InputPurpose, text: &str) {
        self.overlay = Some(Overlay::Input(Box::new(LineInput::new(purpose, text))));
    }

    /// Opens the list of columns.
    pub fn open_columns(&mut self) {
        self.overlay = Some(Overlay::Columns(self.column_line));
    }

    /// The selected column in the list of columns.
    pub fn selected_column(&self) -> Option<Column> {
        match self.overlay {
            Some(Overlay::Columns(line)) => Column::ALL.get(line).copied(),
            _ => None,
        }
    }

    /// Opens the list of keys over any other overlay.
    pub fn open_help(&mut self, help: Help) {
        let below = self.overlay.take().map(Box::new);
        self.overlay = Some(Overlay::Help(help, below));
    }

    /// Closes the list of keys; what it covered is there again.
    pub fn close_help(&mut self) {
        self.overlay = match self.overlay.take() {
            Some(Overlay::Help(_, below)) => below.map(|below| *below),
            other => other,
        };
    }

    /// The open list of keys.
    pub fn help(&self) -> Option<&Help> {
        match &self.overlay {
            Some(Overlay::Help(help, _)) => Some(help),
            _ => None,
        }
    }

    /// The open list of keys, to be changed.
    pub fn help_mut(&mut self) -> Option<&mut Help> {
        match &mut self.overlay {
            Some(Overlay::Help(help, _)) => Some(help),
            _ => None,
        }
    }

    /// Rows of a page of the overlay, on a screen of this size; none if it is no list.
    pub fn page(&self, size: (u16, u16)) -> Option<usize> {
        match &self.overlay {
            Some(Overlay::Help(help, _)) => Some(help.shape(size).1),
            Some(Overlay::Columns(_)) => Some(Column::ALL.len()),
            Some(Overlay::Input(_) | Overlay::Confirm(_)) | None => None,
        }
    }

    /// Scrolls the overlay by lines, on a screen of this size.
    pub fn scroll(&mut self, lines: isize, size: (u16, u16)) {
        match &mut self.overlay {
            Some(Overlay::Help(help, _)) => help.scroll(lines, size),
            Some(Overlay::Columns(line)) => {
                *line = line.saturating_add_signed(lines).min(Column::ALL.len() - 1);
                self.column_line = *line;
            }
            Some(Overlay::Input(_) | Overlay::Confirm(_)) | None => {}
        }
    }

    /// Performs an action of the command line.
    pub fn update(&mut self, action: PromptAction, cx: &mut Context) {
        let is_empty = self.prompt.text().is_empty();
        match (action, &mut self.overlay) {
            (PromptAction::Clear, _) if is_empty => self.paste.stop_import(cx),
            (PromptAction::DeleteOrQuit | PromptAction::QuitOrClear, _) if is_empty => {
                cx.push(Effect::Quit(Ending::Complete));
            }
            (PromptAction::DeleteOrQuit, _) => self.edit(Edit::DeleteRight, cx),
            (PromptAction::QuitOrClear, _) => {
                self.edit(Edit::KillAll, cx);
                cx.say(Tone::Plain, "ctrl-c again leaves, ctrl-_ undoes");
            }
            (PromptAction::Search { older }, Some(Overlay::Input(line))) => {
                if let Some((found, part)) = line.history_search() {
                    self.prompt.search_on(found, part, older);
                }
            }
            (PromptAction::Search { .. }, _) => {
                self.ask(InputPurpose::HistorySearch(Found::default()), "");
            }
            (PromptAction::TakeFound, Some(Overlay::Input(line))) => {
                let found = line.history_search().and_then(|(found, _)| found.line.take());
                if let Some((_, line)) = found {
                    self.prompt.set(&line);
                }
                self.overlay = None;
            }
            (PromptAction::SendPaste, _) => cx.send(Message::SendPaste),
            (PromptAction::DiscardPaste, Some(Overlay::Confirm(pasted))) => {
                let lines = number::count(pasted.lines);
                cx.say(Tone::Plain, format!("{lines} lines not sent"));
                self.overlay = None;
            }
            _ => self.prompt.update(action, cx),
        }
    }

    /// Sends the pasted lines that wait for a confirmation; they wait for another one if they can't
    /// be sent now.
    pub fn send_paste(
        &mut self,
        link: &mut Link,
        watched: &Patterns,
        log: &mut Log,
        cx: &mut Context,
    ) {
        if let Some(Overlay::Confirm(pasted)) = self.overlay.take() {
            self.overlay = self.paste.send(pasted, link, watched, log, cx).map(Overlay::Confirm);
        }
    }

    /// Edits the line that is being typed.
    pub fn edit(&mut self, edit: Edit, cx: &mut Context) {
        match &mut self.overlay {
            None => self.prompt.edit(edit, cx.now().unix()),
            Some(Overlay::Input(line)) => {
                line.edit(edit);
                self.preview(cx);
            }
            Some(Overlay::Help(help, _)) => help.edit(edit),
            Some(Overlay::Columns(_) | Overlay::Confirm(_)) => {}
        }
    }

    /// Completes the word of the line input that begins at a byte by some names; false without any.
    pub fn complete_line(
        &mut self,
        start: usize,
        names: Vec<String>,
        forward: bool,
        cx: &mut Context,
    ) -> bool {
        let Some(Overlay::Input(line)) = &mut self.overlay else { return false };
        let is_completed = line.complete(start, names, forward);
        self.preview(cx);
        is_completed
    }

    /// Replaces the line of a filter by an earlier filter.
    pub fn recall(&mut self, filter: &str, cx: &mut Context) {
        if let Some(Overlay::Input(line)) = &mut self.overlay
            && matches!(line.purpose(), InputPurpose::Filter(_) | InputPurpose::LogFilter(_))
        {
            line.edit(Edit::KillAll);
            line.insert(filter);
            self.preview(cx);
        }
    }

    /// Inserts text into the line that is being typed; `focus` is that of the panes.
    pub fn insert(&mut self, text: &str, focus: Mode, cx: &mut Context) {
        let taken = match &mut self.overlay {
            None if focus == Mode::Prompt => self.prompt.insert(text),
            Some(Overlay::Input(line)) => line.insert(text),
            Some(Overlay::Help(help, _)) => help.insert(text),
            _ => true,
        };
        self.inserted(taken, cx);
    }

    /// Inserts pasted text into the open line input or the search in the list of keys, else into the
    /// command line; several lines wait for a confirmation.
    pub fn insert_pasted(&mut self, text: &str, cx: &mut Context) {
        // The first bytes of a file that some programs on Windows have saved.
        let text = text.trim_start_matches('\u{feff}');
        if let Some(Overlay::Input(line)) = &mut self.overlay {
            let taken = line.paste(text);
            return self.inserted(taken, cx);
        }
        if let Some(help) = self.help_mut()
            && pasted_lines(text).nth(1).is_none()
        {
            let taken = help.insert(text);
            return self.inserted(taken, cx);
        }
        cx.send(Message::Focus(Mode::Prompt));
        if pasted_lines(text).nth(1).is_some() {
            self.overlay = Some(Overlay::Confirm(Pasted::new(text, cx.now().unix())));
        } else {
            self.overlay = None;
            self.pasted_end = text.ends_with('\n');
            let taken = self.prompt.insert(text.trim_end_matches(['\n', '\r']));
            self.inserted(taken, cx);
        }
    }

    /// Inserts what was pasted after a pause behind what was pasted before it.
    pub fn insert_rest(&mut self, text: &str, cx: &mut Context) {
        let whole = match &self.overlay {
            Some(Overlay::Confirm(pasted)) => format!("{}{text}", pasted.text),
            None => {
                let end = if self.pasted_end { "\n" } else { "" };
                format!("{}{end}{text}", self.prompt.text())
            }
            Some(_) => return self.insert_pasted(text, cx),
        };
        if pasted_lines(&whole).nth(1).is_none() {
            return self.insert_pasted(text, cx);
        }
        if self.overlay.is_none() {
            self.prompt.set("");
        }
        self.insert_pasted(&whole, cx);
    }

    fn inserted(&mut self, taken: bool, cx: &mut Context) {
        if taken {
            return self.preview(cx);
        }
        let most = number::bytes(MAX_TEXT as u64);
        cx.say(Tone::Bad, format!("not taken: the line would be longer than {most}"));
    }

    /// Shows the effect of a filter or a search while it is typed.
    fn preview(&mut self, cx: &mut Context) {
        let Some(Overlay::Input(line)) = &mut self.overlay else { return };
        if let Some((found, part)) = line.history_search() {
            self.prompt.search(found, part);
        }
        match line.purpose() {
            InputPurpose::LogSearch(_) => cx.send(Message::SearchLog(line.text().to_owned())),
            InputPurpose::LogFilter(_) => cx.send(Message::FilterLog(line.text().to_owned())),
            InputPurpose::Filter(_) => {
                if let Some(filter) = line.settled_filter() {
                    cx.send(Message::FilterTable(filter));
                }
            }
            _ => {}
        }
    }

    /// Accepts the line input, unless its text is invalid.
    pub fn accept(&mut self, cx: &mut Context) {
        let line = match self.overlay.take() {
            Some(Overlay::Input(line)) => line,
            other => {
                self.overlay = other;
                return;
            }
        };
        if let Some((at, reason)) = line.fault() {
            cx.say(Tone::Bad, format!("at character {}: {reason}", at + 1));
            if let InputPurpose::Filter(before) = line.purpose() {
                // What of it was shown while it was typed is none of a filter.
                cx.send(Message::FilterTable(before.clone()));
            }
            self.overlay = Some(Overlay::Input(line));
            return;
        }
        let (purpose, text) = line.into_parts();
        match purpose {
            InputPurpose::HistorySearch(found) => match found.line {
                Some((_, line)) => {
                    self.prompt.set(&line);
                    cx.send(Message::Submit);
                }
                None => cx.say(Tone::Plain, "no such line, nothing sent"),
            },
            InputPurpose::LogSearch(_) => cx.send(Message::EndLogSearch),
            InputPurpose::SaveLog
            | InputPurpose::SavePicture
            | InputPurpose::SaveSession
            | InputPurpose::SaveView
                if text.is_empty() =>
            {
                cx.say(Tone::Plain, "not saved: no name");
            }
            InputPurpose::SavePicture => cx.push(Effect::Picture(text)),
            InputPurpose::SaveSession => cx.send(Message::SaveSession(text)),
            InputPurpose::SaveView => cx.send(Message::SaveView(text)),
            InputPurpose::SaveLog => cx.send(Message::SaveLog(text)),
            // A word that could have become a name of the language is a part of a key now.
            InputPurpose::Filter(_) if !text.is_empty() => {
                cx.send(Message::FilterTable(text.parse().ok()));
            }
            InputPurpose::Alert => {
                if let Ok(alert) = text.parse() {
                    cx.send(Message::Alert(alert));
                }
            }
            InputPurpose::Watch => {
                if let Ok(pattern) = text.parse() {
                    cx.send(Message::Watch(pattern));
                    cx.send(Message::Focus(Mode::Watch));
                }
            }
            InputPurpose::Mark(at) if !text.is_empty() => {
                cx.send(Message::Mark(text, at.unwrap_or(cx.now().unix())));
            }
            InputPurpose::Compare => cx.send(Message::CompareWith(text)),
            InputPurpose::Time => cx.send(Message::GoToTime(text)),
            // The filter is in force already.
            InputPurpose::Filter(_) | InputPurpose::LogFilter(_) | InputPurpose::Mark(_) => {}
        }
    }

    /// Closes the overlay opened last and undoes its preview; what is typed in the list of keys is
    /// cleared first.
    pub fn cancel(&mut self, cx: &mut Context) {
        match self.overlay.take() {
            Some(Overlay::Help(mut help, below)) => {
                self.overlay = if help.clear() {
                    Some(Overlay::Help(help, below))
                } else {
                    below.map(|below| *below)
                };
            }
            Some(Overlay::Input(line)) => match line.into_parts().0 {
                InputPurpose::Filter(before) => cx.send(Message::FilterTable(before)),
                InputPurpose::LogSearch(before) | InputPurpose::LogFilter(before) => {
                    cx.send(Message::RestoreLog(before));
                }
                _ => {}
            },
            Some(Overlay::Columns(_) | Overlay::Confirm(_)) | None => {}
        }
    }
}
