//! Keys: the actions that they stand for, and what each does to the parts.

use crate::app::input::leaving::Part;
use crate::app::input::overlay::help::Help;
use crate::app::line_input::{InputPurpose, LineInput};
use crate::app::{App, copy_command};
use crate::effect::{Effect, Ending, NetworkOrder, TerminalOrder};
use crate::event::{KeyCode, KeyPress};
use crate::keymap::{self, Action, Edit, LogAction, Mode, PromptAction};
use crate::request::command::Command;
use crate::text::escape::escape_untrusted;
use crate::wire_log::entry::Tone;

/// The answer to the key that suspends where nothing could continue the program.
const NO_JOB_CONTROL: &str = "this system can't suspend a program; ctrl-c leaves";

impl App {
    /// Takes a key press: the action that the key has in the mode of the keyboard, else a character
    /// of the line that is typed. Where nothing is typed, a key without an action is answered with
    /// the panes that it is for. Any notice on the bottom line goes.
    pub(in crate::app) fn on_key(&mut self, key: KeyPress) {
        let listed = self.cx.take_notice().is_some_and(|notice| notice.completions);
        let mode = self.mode();
        match self.input.leaving(key, mode) {
            Part::Own => {}
            Part::Letter => return,
            Part::Last => return self.cx.push(Effect::Quit(Ending::FirstLetter)),
        }
        match keymap::lookup(mode, key) {
            // The key has only closed the list of completions.
            Some(Action::Prompt(PromptAction::Clear)) if listed => {}
            Some(action) => self.perform(action, key),
            None if mode.is_for_reading() => {
                let name = escape_untrusted(keymap::name(key).as_bytes());
                let text = match &keymap::panes_of(key, !self.watch.is_empty())[..] {
                    panes @ [_, ..] if mode.pane().is_some() && mode != Mode::Columns => {
                        let way = self.way_to(key);
                        format!("{name} is for {}; {way}", panes.join(" and "))
                    }
                    _ => {
                        let help = keymap::key_of(mode, Action::Help);
                        format!("{name} does nothing here; {help} lists what does")
                    }
                };
                self.cx.say(Tone::Quiet, text);
            }
            None => {
                if let (KeyCode::Char(c), false, false) = (key.code, key.ctrl, key.alt) {
                    self.insert(c.encode_utf8(&mut [0; 4]));
                }
            }
        }
    }

    /// The keys that lead to a pane in which a key has an action. In the full-screen chart, from
    /// which tab leads on, the panes are out of sight.
    fn way_to(&self, key: KeyPress) -> &'static str {
        match self.mode() {
            Mode::Chart if keymap::lookup(self.panes.before_chart(), key).is_some() => {
                "f leads there"
            }
            Mode::Chart => "f, then tab leads there",
            _ => "tab leads there",
        }
    }

    /// Moves to the command line with the beginning of a request. What it had is one undo away.
    pub(in crate::app) fn begin_request(&mut self, beginning: &str) {
        self.panes.visit_prompt();
        if !self.input.prompt.text().is_empty() {
            self.input.edit(Edit::KillAll, &mut self.cx);
            self.cx.say(Tone::Plain, "ctrl-y brings back what was typed here before");
        }
        self.insert(beginning);
    }

    /// What is typed in the list of keys, or in the command line.
    fn typed(&self) -> &str {
        self.input.help().map_or_else(|| self.input.prompt.text(), Help::query)
    }

    fn insert(&mut self, text: &str) {
        self.input.insert(text, self.panes.focus(), &mut self.cx);
    }

    /// Copies the command that prints the view, and says what that is not seen to print.
    fn copy_command(&mut self) {
        if self.replayed.is_some() {
            return self.cx.say(Tone::Plain, "not copied: a recording has no command");
        }
        match copy_command::command(self) {
            Ok(command) => {
                let is_new = copy_command::prints_new_points(self);
                let what = match &copy_command::left_out(self)[..] {
                    _ if is_new => ", prints each new point".to_owned(),
                    [] => String::new(),
                    parts => {
                        let is_past = self.table().as_of().is_some();
                        let at = if is_past { "at a place " } else { "" };
                        format!(", {at}plain mode has no {}", parts.join(" or "))
                    }
                };
                let copied = self.cx.copy(command.clone());
                self.cx.say_name(Tone::Good, &format!("{copied}{what}: "), &command);
            }
            Err(why) => self.cx.say(Tone::Plain, format!("not copied: {why}")),
        }
    }

    /// Says why an action is not possible now, and whether it is left. A line is typed behind the keys of
    /// some, which would act as keys itself: Enter refuses that line.
    fn refuse(&mut self, action: Action) -> bool {
        let Some(why) = self.refusal(action) else { return false };
        self.cx.say(Tone::Plain, why);
        !matches!(action, Action::AddMark | Action::Compare)
    }

    /// Performs the action of a key.
    pub(in crate::app) fn perform(&mut self, action: Action, key: KeyPress) {
        if self.refuse(action) {
            return;
        }
        match action {
            Action::Quit => {
                let is_letter = matches!(key.code, KeyCode::Char(_)) && !key.ctrl;
                let ending = if is_letter { Ending::FirstLetter } else { Ending::Complete };
                self.cx.push(Effect::Quit(ending));
            }
            Action::HelpOrType if !self.typed().is_empty() => self.insert("?"),
            Action::Help | Action::HelpOrType => self.toggle_help(),
            Action::Suspend if self.cx.abilities().suspend => {
                self.cx.push(Effect::Terminal(TerminalOrder::Suspend));
            }
            Action::Suspend => self.cx.say(Tone::Plain, NO_JOB_CONTROL),
            Action::SavePicture => {
                let path = self.cx.file_name("svg");
                self.cx.push(Effect::Picture(path));
            }
            Action::SaveSession => self.save_session_of_now(),
            Action::NextTheme => self.next_theme(),
            Action::SaveView => self.ask_for_view_file(),
            Action::CopyCommand => self.copy_command(),
            Action::CyclePane(step) => self.panes.cycle(step.into(), !self.watch.is_empty()),
            Action::FocusPrompt if self.panes.focus() == Mode::Prompt => {}
            Action::FocusPrompt => self.panes.visit_prompt(),
            Action::BeginRequest => {
                if let KeyCode::Char(letter) = key.code {
                    self.begin_request(letter.encode_utf8(&mut [0; 4]));
                }
            }
            Action::Edit(edit) => self.input.edit(edit, &mut self.cx),
            Action::Accept if self.input.help().is_some() => self.perform_chosen(),
            Action::Accept => self.input.accept(&mut self.cx),
            Action::RecallFilter => self.recall_filter(),
            Action::CompleteLine { forward } => self.complete_line(forward),
            Action::Log(LogAction::Match { older: true }) if self.types_log_filter() => {
                self.recall_filter();
            }
            Action::Cancel => self.input.cancel(&mut self.cx),
            Action::Submit => self.submit(),
            Action::Lines(lines) if self.mode() == Mode::Help => self.choose_next(lines > 0),
            Action::Lines(lines) => self.scroll(self.mode(), lines.into()),
            Action::Pages(pages) => self.page(pages),
            Action::Top => self.scroll(self.mode(), isize::MIN),
            Action::Bottom => self.scroll(self.mode(), isize::MAX),
            Action::Refresh => {
                let (link, feed, watch) = (&self.link, &mut self.feed, &mut self.watch);
                self.polling.refresh(link, feed, watch, &mut self.cx);
                self.place.refresh();
            }
            Action::TogglePause => self.toggle_pause(key),
            Action::Interval(step) => {
                self.polling.change_interval(step, &self.feed, &mut self.watch, &mut self.cx);
            }
            Action::Prompt(action) => self.perform_in_prompt(action),
            Action::Log(action) => {
                let layout = self.layout();
                self.log.update(action, &mut self.panes, &layout, &mut self.cx);
                if matches!(action, LogAction::Zoom | LogAction::Leave) {
                    self.after_layout_change();
                }
            }
            Action::Table(action) => {
                let layout = self.layout();
                let size = (layout.table_rows(), layout.table_room());
                let table = self.place.table_or(&mut self.table);
                let job = table.update(action, size, &mut self.cx);
                self.sort(job);
            }
            Action::Watch(action) => {
                let cursor = self.watch.viewport().cursor();
                self.watch.update(action, &mut self.panes, &mut self.alerts, &mut self.cx);
                self.follow_cursor(cursor);
            }
            Action::Chart(action) => {
                let cursor = self.watch.viewport().cursor();
                self.watch.update_chart(action, &self.layout(), &self.alerts, &mut self.cx);
                self.follow_cursor(cursor);
            }
            Action::GoToTime => self.input.ask(InputPurpose::Time, ""),
            Action::AddMark => self.ask_for_mark(InputPurpose::Mark(self.pointed_at())),
            Action::Compare => self.ask_for_mark(InputPurpose::Compare),
            Action::Live => self.go_live(),
            Action::AddWatch => self.input.ask(InputPurpose::Watch, ""),
            Action::AddAlert => {
                let text = self.selected_key().map_or(String::new(), |key| format!("{key} > "));
                self.input.ask(InputPurpose::Alert, &text);
            }
            Action::DropAlerts => self.drop_alerts(),
            Action::SilenceAlerts => self.silence_alerts(),
            Action::NextAlarm => self.select_next_alarm(),
            Action::Columns => self.input.open_columns(),
            Action::ToggleColumn => {
                if let Some(column) = self.input.selected_column() {
                    self.place.table_or(&mut self.table).toggle_column(column);
                }
            }
        }
    }

    /// A filter of the log is typed.
    pub(in crate::app) fn types_log_filter(&self) -> bool {
        let purpose = self.input.line().map(LineInput::purpose);
        matches!(purpose, Some(InputPurpose::LogFilter(_)))
    }

    /// Puts the filter that was dropped last into the line in which one is typed.
    fn recall_filter(&mut self) {
        let filter = if self.types_log_filter() {
            self.log.dropped_filter().map(|filter| filter.text().to_owned())
        } else {
            self.table().dropped_filter().map(|filter| filter.as_str().to_owned())
        };
        if let Some(filter) = filter {
            self.input.recall(&filter, &mut self.cx);
        }
    }

    /// Pauses or resumes polling, and says the keys for that: a letter is answered with letters, a key
    /// that works everywhere with such keys.
    fn toggle_pause(&mut self, key: KeyPress) {
        let is_letter = matches!(key.code, KeyCode::Char(_));
        let mode = if is_letter { self.mode() } else { Mode::Prompt };
        let (resume, refresh) = (keymap::name(key), keymap::key_of(mode, Action::Refresh));
        let keys = (resume.as_str(), refresh);
        self.polling.toggle_pause(keys, &self.feed, &mut self.watch, &mut self.cx);
    }

    /// Performs an action of the command line. The key that clears it ends a follow, then an import,
    /// then the answer where it is empty, and leads back to the pane.
    fn perform_in_prompt(&mut self, action: PromptAction) {
        let clears_nothing = action == PromptAction::Clear && self.input.prompt.text().is_empty();
        if clears_nothing && self.link.is_following() {
            self.cx.push(Effect::Network(NetworkOrder::EndFollow));
        } else if clears_nothing
            && self.input.paste.import().is_none()
            && self.layout().answer.is_some()
        {
            self.typed_answer = None;
            self.after_layout_change();
        } else if action == PromptAction::Clear && self.leaves_prompt() {
            self.input.edit(Edit::KillAll, &mut self.cx);
            self.panes.leave_prompt(!self.watch.is_empty());
        } else {
            self.input.update(action, &mut self.cx);
        }
    }

    /// Scrolls by pages, down if positive: of what is in focus, or of the answer above the prompt.
    fn page(&mut self, pages: i8) {
        let overlay = self.input.page(self.panes.size());
        let keys = self.watch.keys().len();
        let answer = self.layout().answer_rows().filter(|_| self.mode() == Mode::Prompt);
        let rows = overlay.or(answer);
        let rows = rows.unwrap_or_else(|| self.layout().page(self.mode(), keys));
        self.scroll(self.mode(), isize::from(pages) * (rows.max(2).cast_signed() - 1));
    }

    /// Scrolls the answer to the last typed `get`.
    pub(in crate::app) fn scroll_answer(&mut self, lines: isize) {
        let rows = self.layout().answer_rows();
        if let (Some(answer), Some(rows)) = (&mut self.typed_answer, rows) {
            answer.scroll(lines, rows);
        }
    }

    /// Scrolls the part of a mode by lines.
    pub(in crate::app) fn scroll(&mut self, mode: Mode, lines: isize) {
        let layout = self.layout();
        match mode {
            Mode::Help | Mode::Columns => {
                self.input.scroll(lines, self.panes.size());
            }
            Mode::Table => {
                self.place.table_or(&mut self.table).move_by(lines, layout.table_rows());
            }
            Mode::Watch | Mode::Chart => self.watch.move_by(lines),
            Mode::SeriesInput => {}
            Mode::Prompt if layout.answer.is_some() => self.scroll_answer(lines),
            Mode::Log if lines.unsigned_abs() == 1 => {
                self.log.move_by(lines as i64, layout.log_rows());
            }
            _ => self.log.scroll(lines as i64, layout.log_rows()),
        }
    }

    /// The selected key of the table or the watched keys.
    pub(in crate::app) fn selected_key(&self) -> Option<String> {
        match self.mode() {
            Mode::Table => self.table().selected_key().map(ToString::to_string),
            _ => self.watch.selected_key().map(|key| key.key.clone()),
        }
    }

    /// A key leads from the command line back to the pane: where nothing is typed, or where a letter
    /// typed in the pane has begun a request.
    fn leaves_prompt(&self) -> bool {
        let most = usize::from(self.panes.is_visiting_prompt());
        self.input.prompt.text().len() <= most && self.input.paste.import().is_none()
    }

    /// Sends the command line, at most [`MAX_LINE`](shared::limits::MAX_LINE) bytes of it, or does what its
    /// word asks of the client itself. What can't be sent now stays in the line, and why is said.
    pub(in crate::app) fn submit(&mut self) {
        match Command::parse(self.input.prompt.text()) {
            Some(Command::Quit) => return self.cx.push(Effect::Quit(Ending::Complete)),
            Some(Command::Help) => {
                self.input.edit(Edit::KillAll, &mut self.cx);
                return self.open_help();
            }
            Some(Command::Live) => {
                self.input.edit(Edit::KillAll, &mut self.cx);
                return self.go_live();
            }
            Some(Command::GoToTime) => {
                let text = self.input.prompt.text().to_owned();
                if self.go_to_moment(&text) {
                    self.input.edit(Edit::KillAll, &mut self.cx);
                }
                return;
            }
            None => {}
        }
        let counts = self.feed.has_selectors() == Some(true);
        let (link, log, cx) = (&mut self.link, &mut self.log, &mut self.cx);
        self.input.prompt.submit(counts, link, self.watch.patterns(), log, cx);
    }
}
