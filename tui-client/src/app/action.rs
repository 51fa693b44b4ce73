//! What a key can mean, and what it does.

use crate::app::ask::LogAction;
use crate::app::editor::Edit;
use crate::app::help::Help;
use crate::app::link::{Purpose, State};
use crate::app::log::Tone;
use crate::app::mode::{Mode, Pane};
use crate::app::prompt::action::PromptAction;
use crate::app::views::ViewAction;
use crate::app::{App, NOTICE, Notice};
use crate::effect::Effect;
use crate::event::Moment;
use crate::metrics::column::Column;
use crate::request::explain;
use crate::request::normalize::wire_line;
use crate::text::format;
use shared::Request;
use shared::request::BadRequestReason;

/// What a key can mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Leave.
    Quit,
    /// Leave if the command line is empty, else clear it.
    QuitOrClear,
    /// Leave if the command line is empty, else delete the character under the cursor.
    QuitOrDelete,
    /// Show or hide the list of keys.
    Help,
    /// The same when nothing is typed yet, else type the character.
    HelpOrType,
    /// Search the list of keys.
    SearchHelp,
    /// Delete the last character of what is searched for.
    ShortenSearch,
    /// End the search and keep what was found, or not.
    EndSearch {
        /// It stays.
        keep: bool,
    },
    /// Stop, as the shell's job control does.
    Suspend,
    /// Copy the plain command that prints the view.
    CopyCommand,
    /// To the next pane.
    NextPane,
    /// To the pane before.
    PreviousPane,
    /// To the command line.
    ToPrompt,
    /// Send the line.
    Submit,
    /// Something with the command line.
    Prompt(PromptAction),
    /// Something with the log.
    Log(LogAction),
    /// Move by lines.
    Lines(i8),
    /// Move by pages.
    Pages(i8),
    /// To the first line.
    Top,
    /// To the last line.
    Bottom,
    /// Let new log lines come into view, or not.
    ToggleFollow,
    /// Ask again now.
    Refresh,
    /// Ask nothing by itself any more, or go on.
    TogglePause,
    /// Back to the table of all keys.
    AllKeys,
    /// Watch the selected key of the table.
    WatchSelected,
    /// Stop watching the selected key.
    Unwatch,
    /// What the table, the watched keys and their chart can do besides.
    View(ViewAction),
}

impl App {
    pub(super) fn perform(&mut self, action: Action, now: Moment) -> Vec<Effect> {
        match action {
            Action::Quit => return vec![Effect::Quit],
            Action::QuitOrClear | Action::QuitOrDelete if self.prompt.text().is_empty() => {
                return vec![Effect::Quit];
            }
            Action::QuitOrClear => {
                self.prompt.edit(Edit::KillAll);
                self.say(Tone::Plain, "ctrl-c again leaves, ctrl-_ undoes");
            }
            Action::QuitOrDelete => self.prompt.edit(Edit::DeleteRight),
            Action::HelpOrType if !self.prompt.text().is_empty() => self.type_text("?"),
            Action::Help | Action::HelpOrType => self.toggle_help(),
            Action::SearchHelp => self.mode = Mode::HelpSearch,
            Action::ShortenSearch => self.shorten_help_search(),
            Action::EndSearch { keep } => self.end_help_search(keep),
            Action::Suspend => return vec![Effect::Suspend],
            Action::CopyCommand => return self.copy_command(),
            Action::NextPane => self.cycle(1),
            Action::PreviousPane => self.cycle(-1),
            Action::ToPrompt => self.mode = Mode::Prompt,
            Action::Submit => return self.submit(now),
            Action::Prompt(action) => return self.perform_prompt(action, now),
            Action::Log(action) => return self.perform_log(action, now),
            Action::Lines(lines) => self.scroll(isize::from(lines)),
            Action::Pages(pages) => {
                let rows = isize::try_from(self.page()).unwrap_or(1).max(2);
                self.scroll(isize::from(pages) * (rows - 1));
            }
            Action::Top => self.scroll(isize::MIN),
            Action::Bottom => self.scroll(isize::MAX),
            Action::ToggleFollow => self.log.toggle_follow(),
            Action::Refresh => self.refresh_at = now.elapsed,
            Action::TogglePause => self.toggle_pause(now),
            Action::AllKeys => self.ask_for("get *", now),
            Action::WatchSelected => self.watch_selected(),
            Action::Unwatch => self.unwatch(),
            Action::View(action) => self.perform_view(action, now),
        }
        if action == Action::Refresh {
            return self.refresh(now);
        }
        self.poll(now)
    }

    pub(super) fn cycle(&mut self, step: isize) {
        let mut stops = vec![Mode::Prompt, Mode::Table];
        if !self.watch.is_empty() {
            stops.push(Mode::Watch);
        }
        stops.push(Mode::Log);
        let here = if self.mode == Mode::Chart { Mode::Watch } else { self.mode };
        let at = stops.iter().position(|&stop| stop == here).unwrap_or(0);
        let count = stops.len().cast_signed();
        let next = (at.cast_signed() + step).rem_euclid(count).cast_unsigned();
        self.focus(stops[next]);
    }

    /// Gives the keys to a mode; the pane that it names comes into view.
    pub(super) fn focus(&mut self, mode: Mode) {
        self.mode = mode;
        if let Some(pane) = mode.pane() {
            self.pane = pane;
            if pane != Pane::Log {
                self.upper = pane;
                self.log.enlarge(false);
            }
        }
    }

    fn page(&self) -> usize {
        let layout = self.layout();
        match self.mode {
            Mode::Table => layout.table_rows(),
            Mode::Watch | Mode::Chart => layout.watch_rows(self.watch.keys().len()),
            Mode::Columns => Column::ALL.len(),
            Mode::Field => 0,
            Mode::Prompt | Mode::Log | Mode::Recall | Mode::Confirm | Mode::Ask => {
                layout.log_rows()
            }
            Mode::Help | Mode::HelpSearch => Help::shape(self.width, self.height).1,
        }
    }

    fn scroll(&mut self, lines: isize) {
        self.scroll_in(self.mode, lines);
    }

    /// Moves by lines where a mode has its keys.
    pub(super) fn scroll_in(&mut self, mode: Mode, lines: isize) {
        let layout = self.layout();
        match mode {
            Mode::Table => self.table.move_by(lines, layout.table_rows()),
            Mode::Watch | Mode::Chart => self.watch.move_by(lines),
            Mode::Columns => self.table.chosen_mut().move_by(lines),
            Mode::Field => {}
            Mode::Log if lines.unsigned_abs() == 1 => {
                self.log.move_by(lines as i64, layout.log_rows());
            }
            Mode::Prompt | Mode::Log | Mode::Recall | Mode::Confirm | Mode::Ask => {
                self.log.scroll(lines as i64, layout.log_rows());
            }
            Mode::Help | Mode::HelpSearch => {
                let (columns, rows) = Help::shape(self.width, self.height);
                self.help.scroll(lines, columns * rows);
            }
        }
    }

    pub(super) fn watch_selected(&mut self) {
        let Some(series) = self.table.selected_series() else {
            return self.say(Tone::Bad, "no key is selected");
        };
        let key = series.key.to_string();
        if let Ok(pattern) = key.parse() {
            self.watch_also(pattern);
        }
        self.focus(Mode::Watch);
    }

    fn unwatch(&mut self) {
        if let Some(key) = self.watch.remove_selected() {
            self.alerts.forget(&key);
            self.say(Tone::Plain, format!("no longer watching {key}"));
        }
        if self.watch.is_empty() {
            self.focus(Mode::Table);
        }
    }

    pub(super) fn submit(&mut self, now: Moment) -> Vec<Effect> {
        let typed = self.prompt.text().to_owned();
        let wire = wire_line(typed.as_bytes(), now.unix());
        if wire.bytes.is_empty() {
            self.prompt.take();
            return Vec::new();
        }
        // Else the server is the judge, but of such a line it would not even see the end.
        if let Some(bad) = explain::validate(&wire.bytes)
            && bad.reason == BadRequestReason::TooLong
        {
            let length = format::count(wire.bytes.len() as u64);
            self.say(Tone::Bad, format!("not sent: {bad}, this one has {length}"));
            return Vec::new();
        }
        if !self.link.is_connected() {
            // The line stays where it is: Enter sends it once the server is back.
            let why = match self.link.state() {
                State::Waiting { reason, .. } => format!("not sent, {reason}"),
                _ => "not sent, still connecting".to_owned(),
            };
            self.note(now, Tone::Bad, &format!("{typed}: {why}"));
            self.say(Tone::Bad, format!("{why}; Enter tries again"));
            return Vec::new();
        }
        // What the line needs is to be known when its reply comes.
        let mut effects: Vec<Effect> = self.probe(now).into_iter().collect();
        let line = String::from_utf8_lossy(&wire.bytes).into_owned();
        self.learn_from(&line);
        // Whoever sends something wants to see its reply.
        self.log.follow();
        let (typed, new) = self.prompt.take();
        let purpose = Purpose::Typed(typed.clone());
        effects.push(self.send(line, purpose, wire.filled.is_some(), now));
        effects.extend(new.then_some(Effect::Remember(typed)));
        effects
    }

    fn learn_from(&mut self, line: &str) {
        let key = match Request::decode(line.as_bytes()) {
            Ok(Request::Put(key, _)) => Some(key),
            Ok(Request::Get(selector)) => selector.as_key(),
            Err(_) => None,
        };
        if let Some(key) = key {
            self.keys.add(key.as_str());
        }
    }

    /// Says something on the bottom line until the next key, or until it has been read.
    pub(super) fn say(&mut self, tone: Tone, text: impl Into<String>) {
        let until = self.now.elapsed + NOTICE;
        self.notice = Some(Notice { until, text: text.into(), tone, completions: false });
    }

    /// Shows what completes the word.
    pub(super) fn list_completions(&mut self, choices: &[String]) {
        let list: Vec<_> = choices.iter().map(|choice| choice.trim_end()).collect();
        self.say(Tone::Plain, list.join("  "));
        if let Some(notice) = &mut self.notice {
            notice.completions = true;
        }
    }
}
