//! A line that is asked for besides requests: what to search or to filter the log for, where to
//! save it.

use crate::app::App;
use crate::app::action::Action;
use crate::app::editor::{Edit, Editor};
use crate::app::log::{Bookmark, Pattern, Progress, Tone};
use crate::app::mode::Mode;
use crate::effect::Effect;
use crate::event::Moment;
use crate::text::format::formatted;

/// What is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Question {
    /// A text to go to in the log.
    #[default]
    Search,
    /// A text that the lines of the log must have.
    Filter,
    /// Where to save the log.
    Save,
}

/// The question and the answer so far.
#[derive(Debug, Default)]
pub struct Ask {
    /// What is asked for.
    pub question: Question,
    /// The answer.
    pub answer: Editor,
    /// The log when it was asked.
    before: Option<Bookmark>,
    /// What was searched for last.
    last: Option<Pattern>,
}

impl Ask {
    /// Examples for the empty line, and what it means.
    pub fn example(&self) -> String {
        const EXAMPLES: &str = "text  !without  > sent  < received  12:30";
        match (self.question, &self.last) {
            (Question::Search, Some(last)) => format!("{EXAMPLES}; enter: {} again", last.text()),
            (Question::Search | Question::Filter, _) => EXAMPLES.to_owned(),
            (Question::Save, _) => String::new(),
        }
    }
}

/// What the log can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogAction {
    /// Ask for something.
    Ask(Question),
    /// The answer is complete.
    Answer,
    /// No answer.
    Cancel,
    /// Drop search and filter, else make the log small again, else to the command line.
    Leave,
    /// Edit the answer.
    Edit(Edit),
    /// To the match before (older), or after.
    Match {
        /// Back in time.
        older: bool,
    },
    /// Move long lines by half the width of the pane.
    Shift {
        /// To see more of their right.
        right: bool,
    },
    /// Give the log the room of the other panes, or not.
    Enlarge,
    /// Log every line that goes over the wire, or excerpts.
    ToggleRaw,
    /// Copy the selected line.
    CopyLine,
    /// Copy the selected request with its whole reply.
    CopyExchange,
}

/// Terminals take no more than about 100 kB of base64 at once.
const COPY_LIMIT: usize = 72 * 1024;

impl App {
    pub(super) fn perform_log(&mut self, action: LogAction, now: Moment) -> Vec<Effect> {
        match action {
            LogAction::Ask(question) => self.ask(question, now),
            LogAction::Answer => return self.answer(),
            LogAction::Cancel => {
                if let Some(before) = self.ask.before.take() {
                    self.log.back_to(before);
                    self.work_on_log();
                }
                self.mode = Mode::Log;
            }
            LogAction::Leave => self.leave_log(),
            LogAction::Edit(edit) => {
                self.ask.answer.edit(edit);
                self.answer_changed();
            }
            LogAction::Match { .. } if self.log.search().is_none() => {
                self.say(Tone::Plain, "nothing is searched for: press / first");
            }
            LogAction::Match { older } => {
                self.log.search_on(older);
                self.work_on_log();
            }
            LogAction::Shift { right } => {
                let width = self.layout().log.map_or(self.width, |log| log.width);
                let rows = self.layout().log.map_or(0, |log| log.height);
                self.log.shift_by(usize::from(width / 2).max(1), right, rows.into());
            }
            LogAction::Enlarge => self.enlarge_log(!self.log.is_enlarged()),
            LogAction::ToggleRaw => self.toggle_raw(),
            LogAction::CopyLine => {
                let text = self.log.selected_entry().map(|entry| entry.text.to_owned());
                return self.copy(text, "line");
            }
            LogAction::CopyExchange => {
                let text = self.log.exchange_text();
                return self.copy(text, "exchange");
            }
        }
        Vec::new()
    }

    fn ask(&mut self, question: Question, now: Moment) {
        let before = Some(self.log.bookmark());
        let last = self.ask.last.take();
        self.ask = Ask { question, answer: Editor::default(), before, last };
        match question {
            Question::Search => self.log.begin_search(),
            Question::Filter => {
                let before = self.log.filter().map(|filter| filter.text().to_owned());
                self.ask.answer.insert(&before.unwrap_or_default());
            }
            Question::Save => {
                let time = formatted(now.unix(), &self.zone, "%Y%m%d-%H%M%S");
                self.ask.answer.insert(&format!("tui-client-{time}.log"));
            }
        }
        self.mode = Mode::Ask;
    }

    /// Says whether there was room for it.
    pub(super) fn type_into_ask(&mut self, text: &str) -> bool {
        let taken = self.ask.answer.insert(text);
        if taken {
            self.answer_changed();
        }
        taken
    }

    /// Search and filter follow what is typed.
    fn answer_changed(&mut self) {
        let pattern = Pattern::new(self.ask.answer.text(), &self.zone);
        match self.ask.question {
            Question::Search => {
                self.log.search_for(pattern);
                self.work_on_log();
            }
            Question::Filter => self.set_filter(pattern),
            Question::Save => {}
        }
    }

    fn set_filter(&mut self, pattern: Option<Pattern>) {
        let rows = self.layout().log_rows();
        self.log.set_filter(pattern, rows);
        self.work_on_log();
    }

    fn answer(&mut self) -> Vec<Effect> {
        self.mode = Mode::Log;
        match self.ask.question {
            Question::Search => {
                self.end_search();
                return Vec::new();
            }
            // It counts already.
            Question::Filter => return Vec::new(),
            Question::Save => {}
        }
        let path = self.ask.answer.text().trim().to_owned();
        if path.is_empty() {
            self.say(Tone::Plain, "not saved: no name");
            return Vec::new();
        }
        vec![Effect::SaveLog { path, log: self.log.snapshot() }]
    }

    /// What is searched for counts already; nothing means the same as last time.
    fn end_search(&mut self) {
        match (self.log.search(), self.ask.last.clone()) {
            (Some(pattern), _) => self.ask.last = Some(pattern.clone()),
            (None, Some(last)) => {
                self.log.search_again(last);
                return self.work_on_log();
            }
            (None, None) => self.say(Tone::Plain, "nothing was searched for before"),
        }
        // The key has taken it from the bottom line.
        if self.log.search_failed() {
            self.say_not_found();
        }
    }

    fn say_not_found(&mut self) {
        let Some(pattern) = self.log.search() else { return };
        let text = format!("no match for {}", pattern.text());
        self.say(Tone::Plain, text);
    }

    fn leave_log(&mut self) {
        let dropped = match (self.log.search().is_some(), self.log.filter().is_some()) {
            (true, true) => "search and filter dropped",
            (true, false) => "search dropped",
            (false, true) => "filter dropped",
            (false, false) if self.log.is_enlarged() => return self.enlarge_log(false),
            (false, false) => {
                self.mode = Mode::Prompt;
                return;
            }
        };
        self.log.drop_search();
        self.set_filter(None);
        self.say(Tone::Plain, dropped);
    }

    fn enlarge_log(&mut self, enlarged: bool) {
        self.log.enlarge(enlarged);
        let layout = self.layout();
        self.log.reveal(layout.log_rows());
        self.table.move_by(0, layout.table_rows());
    }

    /// Whether a key has anything to act on, so that it is worth a hint.
    pub fn offers(&self, action: Action) -> bool {
        let searched = self.log.search().is_some();
        match action {
            Action::Log(LogAction::Match { .. }) if self.mode == Mode::Ask => {
                searched && self.ask.question == Question::Search
            }
            Action::Log(LogAction::Match { .. }) => searched,
            Action::Log(LogAction::Leave) => searched || self.log.filter().is_some(),
            Action::AllKeys => self.narrowed().is_some(),
            _ => true,
        }
    }

    fn copy(&mut self, text: Option<String>, what: &str) -> Vec<Effect> {
        match text {
            None => self.say(Tone::Plain, "nothing to copy"),
            Some(text) if text.len() > COPY_LIMIT => {
                self.say(Tone::Bad, format!("the {what} is too long to copy; s saves the log"));
            }
            Some(text) => {
                self.say(Tone::Good, format!("{what} {}", self.copied()));
                return vec![Effect::Copy(text)];
            }
        }
        Vec::new()
    }

    /// Does one bounded step of what searches the log.
    pub(super) fn work_on_log(&mut self) {
        let rows = self.layout().log_rows();
        match self.log.work(rows) {
            Progress::NotFound => self.say_not_found(),
            Progress::Found { wrapped: true, older: true } => {
                self.say(Tone::Plain, "none above: gone on from the newest line");
            }
            Progress::Found { wrapped: true, older: false } => {
                self.say(Tone::Plain, "none below: gone on from the oldest line");
            }
            Progress::Found { .. } | Progress::Idle | Progress::More => {}
        }
    }

    /// What is asked for besides requests.
    pub fn asked(&self) -> &Ask {
        &self.ask
    }

    pub(super) fn on_saved(&mut self, path: &str, lines: u64) {
        let lines = crate::text::format::plural(lines, "line", "lines");
        self.say(Tone::Good, format!("{lines} saved in {path}"));
    }

    /// Says why, and asks again with the path as it was typed; unless the keys are elsewhere by
    /// now.
    pub(super) fn on_not_saved(&mut self, path: &str, reason: &str, now: Moment) {
        if self.mode == Mode::Log {
            self.ask(Question::Save, now);
            self.ask.answer.set(path);
        }
        let text = format!("{path}: not saved, {reason}");
        self.note(now, Tone::Bad, &text);
        self.say(Tone::Bad, text);
    }
}
