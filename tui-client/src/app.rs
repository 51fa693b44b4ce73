//! The application: [`App::update`] takes an event and says what is to be done. Its parts decide,
//! this file routes events to them; nothing here does input or output, reads a clock, or knows how
//! it is drawn.

pub mod chart;
pub mod context;
pub mod copy_command;
pub mod editor;
pub mod layout;
pub mod line_input;
pub mod link;
pub mod log;
pub mod mouse;
pub mod overlay;
pub mod panes;
pub mod polling;
pub mod prompt;
pub mod table;
pub mod watch;

use std::time::Duration;

use jiff::tz::TimeZone;
use shared::client::LinkEvent;
use shared::request::BadRequestReason;
use shared::response::Status;
use shared::{Glob, Request};

use crate::effect::{ComputeJob, Effect, FileJob, NetworkOrder, Outgoing, TerminalOrder};
use crate::event::{Event, KeyCode, KeyPress, Moment, MouseEvent, MouseKind};
use crate::keymap;
use crate::keymap::{Action, Edit, LogAction, PromptAction, TableAction, WatchAction};
use crate::keymap::{Mode, Pane};
use crate::metrics::alerts::Alerts;
use crate::metrics::column::Column;
use crate::metrics::expression::{Alert, Filter};
use crate::metrics::reply::Reply;
use crate::metrics::sort::TableSpec;
use crate::metrics::watch_plan::with_alerted;
use crate::request::explain;
use crate::request::normalize::wire_line;
use crate::request::plausible::is_extended;
use crate::request::selector::selector_of;
use crate::text::escape::escape_untrusted;
use crate::text::format;
use crate::text::link::link_message;
use context::Context;
use editor::MAX_TEXT;
use layout::Layout;
use line_input::{Found, InputPurpose, LineInput};
use link::{Link, LinkState, Pending, Purpose};
use log::Log;
use log::entry::Tone;
use overlay::Overlay;
use overlay::help::Help;
use panes::Panes;
use polling::{ALL, CHEAP, Due, Polling};
use prompt::Prompt;
use prompt::paste::{Paste, Pasted};
use table::Table;
use watch::Watch;

/// A request that waits longer than this is shown as such.
pub const SLOW: Duration = Duration::from_secs(1);

/// What the application is started with.
#[derive(Debug, Clone)]
pub struct Config {
    /// `host:port`, to show.
    pub address: String,
    /// Between two polls.
    pub interval: Duration,
    /// The keys and globs to watch from the start.
    pub watch: Vec<Glob>,
    /// The alerts from the start.
    pub alerts: Vec<Alert>,
    /// Filter, order and columns of the table at the start.
    pub table: TableSpec,
    /// The zone for times of day.
    pub zone: TimeZone,
    /// Memory for the log, in bytes.
    pub log_memory: usize,
    /// The log gets every line that goes over the wire.
    pub raw_log: bool,
    /// Of the random waits before the client connects again.
    pub reconnect_seed: u64,
    /// The terminal is tmux, which passes on what is copied only when it is told to.
    pub in_tmux: bool,
}

/// The whole state.
#[derive(Debug)]
pub struct App {
    cx: Context,
    panes: Panes,
    overlay: Option<Overlay>,
    prompt: Prompt,
    paste: Paste,
    log: Log,
    table: Table,
    watch: Watch,
    alerts: Alerts,
    polling: Polling,
    link: Link,
}

impl App {
    /// The state at the start, on a screen of this size.
    pub fn new(config: Config, width: u16, height: u16, now: Moment) -> Self {
        let watch = Watch::new(with_alerted(&config.watch, &config.alerts));
        Self {
            cx: Context::new(now, config.zone, config.in_tmux),
            panes: Panes::new(width, height, !watch.is_empty()),
            overlay: None,
            prompt: Prompt::default(),
            paste: Paste::default(),
            log: Log::new(config.log_memory, config.raw_log),
            table: Table::new(ALL).arranged_as(config.table),
            watch,
            alerts: Alerts::new(&config.alerts),
            polling: Polling::new(config.interval),
            link: Link::new(config.address, config.reconnect_seed),
        }
    }

    /// What is to be done first.
    pub fn start(&self) -> Vec<Effect> {
        vec![NetworkOrder::Connect.into()]
    }

    /// Takes an event; what it returns is to be done in that order.
    pub fn update(&mut self, event: Event, now: Moment) -> Vec<Effect> {
        self.cx.begin(now);
        self.route(event, now);
        self.poll();
        for answer in self.table.take_garbage() {
            self.cx.push(ComputeJob::Free(answer));
        }
        self.cx.take_effects()
    }

    fn route(&mut self, event: Event, now: Moment) {
        match event {
            Event::Key(key) => self.on_key(key),
            Event::Mouse(mouse) => self.on_mouse(mouse),
            Event::Paste(text) => self.on_paste(&text),
            Event::Resize { width, height } => {
                self.panes.resize(width, height);
                self.table.move_by(0, self.layout().table_rows());
            }
            Event::Tick => self.on_tick(),
            Event::Connected => {
                let news = self.link.connected();
                self.tell_connected(news);
                self.polling.restart(now.elapsed);
                self.watch.reset();
            }
            Event::Disconnected(reason) => self.on_disconnected(&reason),
            Event::NotSent { id } => self.on_not_sent(id),
            Event::Progress { id, points } => self.link.progress(id, points),
            Event::ReplyBegins { id, status } if self.link.is_pending(id) => {
                self.log.log_status(id, status, now);
            }
            Event::ReplyBegins { .. } => {}
            Event::Lines { id, status, lines } => self.log.log_lines(id, status, &lines, now),
            Event::Reply(reply) => self.on_reply(*reply),
            Event::Import(news) => {
                if self.paste.on_news(&news, &mut self.log, &mut self.cx) {
                    self.polling.refresh_at(now.elapsed);
                }
            }
            Event::History(lines) => self.prompt.load(lines),
            Event::Saved { path, lines } => {
                let lines = format::plural(lines, "line", "lines");
                self.cx.say(Tone::Good, format!("{lines} saved in {path}"));
            }
            Event::NotSaved { path, reason } => self.on_not_saved(&path, &reason),
            Event::FileFailed(reason) => {
                self.log.note(now, Tone::Bad, &reason);
                self.cx.say(Tone::Bad, reason);
            }
            Event::Sorted(sorted) => {
                let job = self.table.arranged(sorted, self.layout().table_rows(), now.unix());
                self.sort(job);
            }
            Event::Terminate => self.cx.push(Effect::Quit),
        }
    }

    fn on_tick(&mut self) {
        let now = self.cx.now();
        self.log.work(self.layout().log_rows(), &mut self.cx);
        // While polling is paused, nothing is known of what has come.
        if self.alerts.counts_time() && !self.polling.is_paused() {
            self.evaluate_alerts();
        }
        if self.link.try_now(now.elapsed) {
            self.cx.push(NetworkOrder::Connect);
        }
    }

    fn on_key(&mut self, key: KeyPress) {
        let listed = self.cx.take_notice().is_some_and(|notice| notice.completions);
        let mode = self.mode();
        match keymap::lookup(mode, key) {
            // The list of completions was above the line, and is gone by now.
            Some(Action::Prompt(PromptAction::Clear)) if listed => {}
            Some(action) => self.perform(action),
            None if mode.is_for_reading() => self.say_unbound(key),
            None => {
                if let (KeyCode::Char(c), false, false) = (key.code, key.ctrl, key.alt) {
                    self.type_text(c.encode_utf8(&mut [0; 4]));
                }
            }
        }
    }

    fn say_unbound(&mut self, key: KeyPress) {
        let mut help = [KeyPress::char('?'), KeyPress::plain(KeyCode::F(1))].into_iter();
        let help = help.find(|&key| keymap::lookup(self.mode(), key) == Some(Action::Help));
        if let Some(help) = help.map(keymap::name) {
            let name = escape_untrusted(keymap::name(key).as_bytes());
            self.cx.say(Tone::Quiet, format!("{name} does nothing here; {help} lists what does"));
        }
    }

    fn perform(&mut self, action: Action) {
        let (now, rows) = (self.cx.now(), self.layout().table_rows());
        match action {
            Action::Quit => self.cx.push(Effect::Quit),
            Action::QuitOrClear | Action::Prompt(PromptAction::DeleteOrQuit)
                if self.prompt.text().is_empty() =>
            {
                self.cx.push(Effect::Quit);
            }
            Action::QuitOrClear => {
                self.edit(Edit::KillAll);
                self.cx.say(Tone::Plain, "ctrl-c again leaves, ctrl-_ undoes");
            }
            Action::HelpOrType if !self.prompt.text().is_empty() => self.type_text("?"),
            Action::Help | Action::HelpOrType => self.toggle_help(),
            Action::Suspend => self.cx.push(TerminalOrder::Suspend),
            Action::CopyCommand => {
                let command = copy_command::command(self);
                let copied = self.cx.copy(command.clone());
                self.cx.say(Tone::Good, format!("{copied}: {command}"));
            }
            Action::NextPane => self.panes.cycle(1, !self.watch.is_empty()),
            Action::PreviousPane => self.panes.cycle(-1, !self.watch.is_empty()),
            Action::FocusPrompt => self.panes.focus_on(Mode::Prompt),
            Action::Edit(edit) => self.edit(edit),
            Action::Accept => self.accept(),
            Action::Cancel => self.cancel(),
            Action::Submit => self.submit(),
            Action::Lines(lines) => self.scroll(self.mode(), lines.into()),
            Action::Pages(pages) => {
                let rows = self.page().max(2).cast_signed() - 1;
                self.scroll(self.mode(), isize::from(pages) * rows);
            }
            Action::Top => self.scroll(self.mode(), isize::MIN),
            Action::Bottom => self.scroll(self.mode(), isize::MAX),
            Action::Refresh => self.refresh(),
            Action::TogglePause => self.polling.toggle_pause(&mut self.watch, &mut self.cx),
            Action::Interval(step) => {
                self.polling.change_interval(step, &mut self.watch, &mut self.cx);
            }
            Action::AllKeys => {
                self.polling.set_table_request(ALL);
                self.polling.refresh_at(now.elapsed);
                self.polling.refresh_once();
            }
            Action::SearchHelp => {
                if let Some(Overlay::Help(help)) = &mut self.overlay {
                    help.search();
                }
            }
            Action::Prompt(action) => self.perform_prompt(action),
            Action::Log(action) => self.perform_log(action),
            Action::Table(action) => self.perform_table(action, rows),
            Action::Watch(action) => self.perform_watch(action),
            Action::Chart(action) => {
                let layout = self.layout();
                self.watch.update_chart(action, &layout, &self.alerts, &mut self.cx);
            }
            Action::AddWatch => self.ask(InputPurpose::Watch, ""),
            Action::AddAlert => {
                let text = self.selected_key().map_or(String::new(), |key| format!("{key} > "));
                self.ask(InputPurpose::Alert, &text);
            }
            Action::DropAlerts => self.drop_alerts(),
        }
    }

    fn perform_prompt(&mut self, action: PromptAction) {
        match action {
            PromptAction::Clear if self.prompt.text().is_empty() => {
                self.paste.stop_import(&mut self.cx);
            }
            PromptAction::DeleteOrQuit => self.edit(Edit::DeleteRight),
            PromptAction::Search { older } => match self.input_mut() {
                Some(input) => {
                    let part = input.text().to_owned();
                    if let InputPurpose::HistorySearch(found) = input.purpose_mut() {
                        let mut next = std::mem::take(found);
                        self.prompt.search_on(&mut next, &part, older);
                        self.set_found(next);
                    }
                }
                None => self.ask(InputPurpose::HistorySearch(Found::default()), ""),
            },
            PromptAction::TakeFound => self.take_found(),
            PromptAction::SendPaste => self.send_paste(),
            PromptAction::DiscardPaste => {
                if let Some(Overlay::Confirm(pasted)) = self.overlay.take() {
                    let lines = format::count(pasted.lines);
                    self.cx.say(Tone::Plain, format!("{lines} lines not sent"));
                }
            }
            _ if self.prompt.update(action, &mut self.cx) => {}
            PromptAction::Complete { forward } => {
                self.panes.cycle(if forward { 1 } else { -1 }, !self.watch.is_empty());
            }
            _ => {}
        }
    }

    fn perform_log(&mut self, action: LogAction) {
        let layout = self.layout();
        let rows = layout.log_rows();
        match action {
            LogAction::Search => {
                let before = self.log.bookmark();
                self.log.begin_search();
                self.ask(InputPurpose::LogSearch(before), "");
            }
            LogAction::Filter => {
                let text = self.log.filter().map_or(String::new(), |filter| filter.text().into());
                self.ask(InputPurpose::LogFilter(self.log.bookmark()), &text);
            }
            LogAction::Save => {
                let now = self.cx.now().unix();
                let time = format::formatted(now, self.cx.zone(), "%Y%m%d-%H%M%S");
                self.ask(InputPurpose::SaveLog, &format!("tui-client-{time}.log"));
            }
            LogAction::Zoom => self.zoom_log(!self.panes.log_is_zoomed()),
            LogAction::Leave if self.log.leave(rows, &mut self.cx) => {}
            LogAction::Leave if self.panes.log_is_zoomed() => self.zoom_log(false),
            LogAction::Leave => self.panes.focus_on(Mode::Prompt),
            _ => {
                let (width, _) = self.panes.size();
                let size = layout.log.map_or((width, 0), |log| (log.width, log.height.into()));
                let size = if matches!(action, LogAction::Match { .. }) { (0, rows) } else { size };
                self.log.update(action, size, &mut self.cx);
            }
        }
    }

    fn zoom_log(&mut self, zoomed: bool) {
        self.panes.zoom_log(zoomed);
        let layout = self.layout();
        self.log.reveal(layout.log_rows());
        self.table.move_by(0, layout.table_rows());
    }

    fn perform_table(&mut self, action: TableAction, rows: usize) {
        match action {
            TableAction::Filter => {
                let before = self.table.filter().cloned();
                let text = before.as_ref().map_or(String::new(), |filter| filter.as_str().into());
                self.ask(InputPurpose::Filter(before), &text);
            }
            TableAction::Columns => self.overlay = Some(Overlay::Columns(0)),
            TableAction::ToggleColumn => {
                if let Some(Overlay::Columns(line)) = self.overlay {
                    self.table.toggle_column(Column::ALL[line]);
                }
            }
            TableAction::Watch | TableAction::Chart => {
                let Some(key) = self.table.selected_key().map(ToString::to_string) else {
                    return self.cx.say(Tone::Bad, "no key is selected");
                };
                if let Ok(pattern) = key.parse() {
                    self.watch_also(pattern);
                }
                let full = action == TableAction::Chart;
                self.panes.focus_on(if full { Mode::Chart } else { Mode::Watch });
            }
            TableAction::Leave if self.table.filter().is_some() => {
                self.filter_table(None);
                self.cx.say(Tone::Plain, "filter dropped");
            }
            TableAction::Leave => self.panes.focus_on(Mode::Prompt),
            TableAction::SortBeside(_) | TableAction::SortBy(_) | TableAction::Reverse => {
                let job = self.table.sort_otherwise(action, rows, self.cx.now().unix());
                self.sort(job);
            }
        }
    }

    fn perform_watch(&mut self, action: WatchAction) {
        let full = self.panes.focus() == Mode::Chart;
        match action {
            WatchAction::Unwatch => {
                if let Some(key) = self.watch.remove_selected() {
                    self.alerts.forget(&key);
                    self.cx.say(Tone::Plain, format!("no longer watching {key}"));
                }
                if self.watch.is_empty() {
                    self.panes.focus_on(Mode::Table);
                }
            }
            WatchAction::Mark => self.watch.toggle_mark(),
            WatchAction::MarkAll => self.watch.toggle_all(),
            WatchAction::FullScreen => {
                self.panes.focus_on(if full { Mode::Watch } else { Mode::Chart });
            }
            WatchAction::Leave if self.watch.drop_cursor() => {}
            WatchAction::Leave => {
                self.panes.focus_on(if full { Mode::Watch } else { Mode::Prompt });
            }
        }
    }

    /// Opens a line that is asked for.
    fn ask(&mut self, purpose: InputPurpose, text: &str) {
        self.overlay = Some(Overlay::Input(Box::new(LineInput::new(purpose, text))));
        self.input_changed();
    }

    /// Takes the line that was asked for.
    fn accept(&mut self) {
        let overlay = self.overlay.take();
        let mut input = match overlay {
            Some(Overlay::Input(input)) => input,
            Some(Overlay::Help(mut help)) => {
                help.end_search(true);
                self.overlay = Some(Overlay::Help(help));
                return;
            }
            other => return self.overlay = other,
        };
        if let Some((at, reason)) = input.fault() {
            self.cx.say(Tone::Bad, format!("at character {}: {reason}", at + 1));
            self.overlay = Some(Overlay::Input(input));
            return;
        }
        let text = input.text().trim().to_owned();
        let rows = self.layout().log_rows();
        match std::mem::replace(input.purpose_mut(), InputPurpose::SaveLog) {
            InputPurpose::HistorySearch(found) => match found.line {
                Some((_, line)) => {
                    self.prompt.set(&line);
                    self.submit();
                }
                None => self.cx.say(Tone::Plain, "no such line, nothing sent"),
            },
            InputPurpose::LogSearch(_) => self.log.accept_search(rows, &mut self.cx),
            InputPurpose::SaveLog if text.is_empty() => {
                self.cx.say(Tone::Plain, "not saved: no name");
            }
            InputPurpose::SaveLog => {
                self.cx.push(FileJob::SaveLog { path: text, log: self.log.snapshot() });
            }
            // A filter of the log counts already; an empty line changes nothing.
            InputPurpose::LogFilter(_) => {}
            _ if text.is_empty() => {}
            // A word that could have become something else is a part of a key now.
            InputPurpose::Filter(_) => self.filter_table(text.parse().ok()),
            InputPurpose::Alert => {
                if let Ok(alert) = text.parse() {
                    self.add_alert(alert);
                }
            }
            InputPurpose::Watch => {
                if let Ok(pattern) = text.parse() {
                    self.watch_also(pattern);
                    self.panes.focus_on(Mode::Watch);
                }
            }
        }
    }

    /// Closes what was opened last, as if it had not been.
    fn cancel(&mut self) {
        match self.overlay.take() {
            Some(Overlay::Help(mut help)) if help.mode() == Mode::HelpSearch => {
                help.end_search(false);
                self.overlay = Some(Overlay::Help(help));
            }
            Some(Overlay::Help(help)) => self.overlay = help.close(),
            Some(Overlay::Input(mut input)) => {
                match std::mem::replace(input.purpose_mut(), InputPurpose::SaveLog) {
                    InputPurpose::Filter(before) => self.filter_table(before),
                    InputPurpose::LogSearch(before) | InputPurpose::LogFilter(before) => {
                        self.log.back_to(before);
                        self.log.work(self.layout().log_rows(), &mut self.cx);
                    }
                    _ => {}
                }
            }
            Some(Overlay::Columns(_) | Overlay::Confirm(_)) | None => {}
        }
    }

    /// Edits the line that is being typed.
    fn edit(&mut self, edit: Edit) {
        match &mut self.overlay {
            None => self.prompt.edit(edit, self.cx.now().unix()),
            Some(Overlay::Input(input)) => {
                input.edit(edit);
                self.input_changed();
            }
            Some(Overlay::Help(help)) if edit == Edit::DeleteLeft && help.query().is_empty() => {
                help.end_search(false);
            }
            Some(Overlay::Help(help)) => help.change(|query| query.edit(edit)),
            Some(Overlay::Columns(_) | Overlay::Confirm(_)) => {}
        }
    }

    /// Types text into the line that is being typed.
    fn type_text(&mut self, text: &str) {
        let taken = match &mut self.overlay {
            None if self.panes.focus() == Mode::Prompt => self.prompt.insert(text),
            Some(Overlay::Input(input)) => {
                let taken = input.insert(text);
                self.input_changed();
                taken
            }
            Some(Overlay::Help(help)) if help.mode() == Mode::HelpSearch => {
                help.change(|query| query.insert(text))
            }
            _ => true,
        };
        self.say_if_too_long(taken);
    }

    fn say_if_too_long(&mut self, taken: bool) {
        if !taken {
            let most = format::bytes(MAX_TEXT as u64);
            self.cx.say(Tone::Bad, format!("not taken: the line would be longer than {most}"));
        }
    }

    fn on_paste(&mut self, text: &str) {
        self.cx.take_notice();
        if let Some(input) = self.input_mut() {
            let taken = input.paste(text);
            self.input_changed();
            return self.say_if_too_long(taken);
        }
        self.overlay = None;
        self.panes.focus_on(Mode::Prompt);
        if Pasted::lines(text).nth(1).is_some() {
            self.overlay = Some(Overlay::Confirm(Pasted::new(text, self.cx.now().unix())));
        } else {
            self.type_text(text.trim_end_matches(['\n', '\r']));
        }
    }

    /// The table and the log show what a filter or a search does while it is typed.
    fn input_changed(&mut self) {
        let rows = self.layout().log_rows();
        let Some(Overlay::Input(input)) = &mut self.overlay else { return };
        let text = input.text().to_owned();
        match input.purpose_mut() {
            InputPurpose::LogSearch(_) => self.log.search_typed(&text, rows, &mut self.cx),
            InputPurpose::LogFilter(_) => self.log.filter_typed(&text, rows, &mut self.cx),
            InputPurpose::HistorySearch(found) => self.prompt.search(found, &text),
            InputPurpose::Filter(_) => {
                if let Some(filter) = input.settled_filter() {
                    self.filter_table(filter);
                }
            }
            InputPurpose::Alert | InputPurpose::Watch | InputPurpose::SaveLog => {}
        }
    }

    fn input_mut(&mut self) -> Option<&mut LineInput> {
        match &mut self.overlay {
            Some(Overlay::Input(input)) => Some(input),
            _ => None,
        }
    }

    fn set_found(&mut self, found: Found) {
        if let Some(input) = self.input_mut() {
            *input.purpose_mut() = InputPurpose::HistorySearch(found);
        }
    }

    /// Ends the search of the history; puts the line found into the prompt, if there is one.
    fn take_found(&mut self) {
        if let Some(Overlay::Input(input)) = self.overlay.take()
            && let InputPurpose::HistorySearch(Found { line: Some((_, line)), .. }) =
                input.purpose()
        {
            self.prompt.set(line);
        }
    }

    fn toggle_help(&mut self) {
        let mode = self.mode();
        self.overlay = match self.overlay.take() {
            Some(Overlay::Help(help)) => help.close(),
            below => Some(Overlay::Help(Help::over(below, mode))),
        };
    }

    fn page(&self) -> usize {
        let layout = self.layout();
        match self.mode() {
            Mode::Table => layout.table_rows(),
            Mode::Watch | Mode::Chart => layout.watch_rows(self.watch.keys().len()),
            Mode::Columns => Column::ALL.len(),
            Mode::Field => 0,
            Mode::Help | Mode::HelpSearch => Help::shape(self.panes.size()).1,
            Mode::Prompt | Mode::Log | Mode::Recall | Mode::Confirm | Mode::Ask => {
                layout.log_rows()
            }
        }
    }

    /// Moves by lines where a mode has its keys.
    fn scroll(&mut self, mode: Mode, lines: isize) {
        let layout = self.layout();
        let log_rows = layout.log_rows();
        match (mode, &mut self.overlay) {
            (Mode::Help | Mode::HelpSearch, Some(Overlay::Help(help))) => {
                help.scroll(lines, self.panes.size());
            }
            (Mode::Columns, Some(Overlay::Columns(line))) => {
                *line = Overlay::column_after(*line, lines);
            }
            (Mode::Table, _) => self.table.move_by(lines, layout.table_rows()),
            (Mode::Watch | Mode::Chart, _) => self.watch.move_by(lines),
            (Mode::Field | Mode::Help | Mode::HelpSearch | Mode::Columns, _) => {}
            (Mode::Log, _) if lines.unsigned_abs() == 1 => {
                self.log.move_by(lines as i64, log_rows);
            }
            _ => self.log.scroll(lines as i64, log_rows),
        }
    }

    fn on_mouse(&mut self, mouse: MouseEvent) {
        let under = mouse::pane_under(mouse, &self.layout());
        let direction = match mouse.kind {
            MouseKind::Click => return self.on_click(mouse, under),
            MouseKind::WheelUp => -1,
            MouseKind::WheelDown => 1,
        };
        match (&self.overlay, under) {
            (Some(Overlay::Help(_)), _) => self.scroll(Mode::Help, direction * mouse::TURN),
            // Few keys are watched, and each has its chart.
            (_, Some(Mode::Watch)) => self.scroll(Mode::Watch, direction),
            (_, Some(mode)) => self.scroll(mode, direction * mouse::TURN),
            (_, None) => {}
        }
    }

    fn on_click(&mut self, mouse: MouseEvent, under: Option<Mode>) {
        self.cx.take_notice();
        match (&self.overlay, under) {
            (Some(Overlay::Help(_)), _) => return self.toggle_help(),
            // A question waits for its answer.
            (Some(_), _) | (None, None) => return,
            (None, Some(_)) if self.panes.focus() == Mode::Chart => {}
            (None, Some(mode)) => self.panes.focus_on(mode),
        }
        let layout = self.layout();
        match under {
            Some(Mode::Table) => {
                let rows = layout.table_rows();
                // Below the border and the heading.
                if let Some(row) = mouse::row_in(layout.table, mouse, 2, rows) {
                    self.table.select_line(row, rows);
                }
            }
            Some(Mode::Watch) => {
                let rows = layout.watch_rows(self.watch.keys().len());
                if let Some(row) = mouse::row_in(layout.watch, mouse, 1, rows) {
                    self.watch.select_line(row, rows);
                }
                self.watch.point_in_chart(mouse, &layout, &self.alerts, &mut self.cx);
            }
            _ => {}
        }
    }

    /// The key that the selection is on.
    fn selected_key(&self) -> Option<String> {
        match self.mode() {
            Mode::Table => self.table.selected_key().map(ToString::to_string),
            _ => self.watch.selected_key().map(|key| key.key.clone()),
        }
    }

    fn sort(&mut self, job: Option<crate::metrics::sort::SortJob>) {
        if let Some(job) = job {
            self.cx.push(ComputeJob::Sort(job));
        }
    }

    fn filter_table(&mut self, filter: Option<Filter>) {
        if self.table.filter() != filter.as_ref() {
            let rows = self.layout().table_rows();
            let job = self.table.set_filter(filter, rows, self.cx.now().unix());
            self.sort(job);
        }
    }

    fn watch_also(&mut self, pattern: Glob) {
        self.watch.add(pattern);
        self.polling.refresh_at(self.cx.now().elapsed);
        // Of what it brings, the alerts know nothing yet.
        self.evaluate_alerts();
    }

    fn add_alert(&mut self, alert: Alert) {
        self.watch.cover(alert.pattern());
        self.cx.say(Tone::Good, format!("alert on {alert}"));
        self.alerts.add(alert);
        self.evaluate_alerts();
    }

    fn drop_alerts(&mut self) {
        let Some(key) = self.selected_key() else { return };
        let text = match self.alerts.drop_alerts_on(&key) as u64 {
            0 => format!("no alert on {key}"),
            gone => format!("{} on {key} gone", format::plural(gone, "alert", "alerts")),
        };
        self.cx.say(Tone::Plain, text);
        self.evaluate_alerts();
    }

    fn evaluate_alerts(&mut self) {
        self.watch.evaluate(&mut self.alerts, &mut self.log, &mut self.cx);
    }

    fn submit(&mut self) {
        let now = self.cx.now();
        let typed = self.prompt.text().to_owned();
        let wire = wire_line(typed.as_bytes(), now.unix());
        if wire.bytes.is_empty() {
            self.prompt.take();
            return;
        }
        // Else the server is the judge, but of such a line it would not even see the end.
        if let Some(bad) = explain::validate(&wire.bytes)
            && bad.reason == BadRequestReason::TooLong
        {
            let length = format::count(wire.bytes.len() as u64);
            return self.cx.say(Tone::Bad, format!("not sent: {bad}, this one has {length}"));
        }
        if !self.link.is_connected() {
            // The line stays where it is: Enter sends it once the server is back.
            let why = match self.link.state() {
                LinkState::Waiting { reason, .. } => format!("not sent, {reason}"),
                _ => "not sent, still connecting".to_owned(),
            };
            self.log.note(now, Tone::Bad, &format!("{typed}: {why}"));
            return self.cx.say(Tone::Bad, format!("{why}; Enter tries again"));
        }
        // What the line needs is to be known when its reply comes.
        self.probe();
        let line = String::from_utf8_lossy(&wire.bytes).into_owned();
        self.prompt.learn_from(&line);
        // The reply is to be seen.
        self.log.follow();
        let (typed, new) = self.prompt.take();
        self.send((line, Purpose::Typed(typed.clone())), wire.filled.is_some());
        if new {
            self.cx.push(FileJob::AppendHistory(typed));
        }
    }

    fn send_paste(&mut self) {
        if !self.link.is_connected() {
            let text = "not sent, no connection; Enter tries again, Esc discards";
            return self.cx.say(Tone::Bad, text);
        }
        if self.paste.import().is_some() {
            let text = "the lines pasted before are still on their way";
            return self.cx.say(Tone::Bad, text);
        }
        let Some(Overlay::Confirm(pasted)) = self.overlay.take() else { return };
        self.log.follow();
        if !Paste::is_short(&pasted) {
            let id = self.link.next_id();
            return self.paste.begin_import(id, pasted, &mut self.log, &mut self.cx);
        }
        let (mut first, mut sent) = (None, 0);
        for line in Pasted::lines(&pasted.text) {
            let wire = wire_line(line.as_bytes(), self.cx.now().unix());
            if !wire.bytes.is_empty() {
                let request = String::from_utf8_lossy(&wire.bytes).into_owned();
                let purpose = Purpose::Typed(line.to_owned());
                let id = self.send((request, purpose), wire.filled.is_some());
                first.get_or_insert(id);
                sent += 1;
            }
        }
        self.paste.begin_lines(first, sent, &mut self.cx);
    }

    /// Sends a request; returns its number.
    fn send(&mut self, (line, purpose): Due, filled: bool) -> u64 {
        let now = self.cx.now();
        let capture = self.log.capture(&purpose);
        let id = self.link.sent(&line, purpose, now.elapsed);
        self.log.log_request((id, &line), capture, filled, now);
        let watched = self.watch.patterns().clone();
        self.cx.push(NetworkOrder::Send(Outgoing { id, line, capture, watched }));
        id
    }

    /// Sends the requests that are due.
    fn poll(&mut self) {
        let (in_sight, now) = (self.table_in_sight(), self.cx.now().elapsed);
        for due in self.polling.take_due(in_sight, &mut self.watch, &self.link, now) {
            self.send(due, false);
        }
        self.probe();
    }

    fn probe(&mut self) {
        let known = || self.table.answer().series.first().map(|series| series.key.to_string());
        let typed_needs_it = is_extended(self.prompt.text());
        let due = self.polling.probe(typed_needs_it, &self.watch, known, &self.link);
        if let Some(due) = due {
            self.send(due, false);
        }
    }

    fn refresh(&mut self) {
        if !self.link.is_connected() {
            return self.cx.say(Tone::Bad, "not refreshed: no connection");
        }
        self.polling.refresh_at(self.cx.now().elapsed);
        self.polling.refresh_once();
        self.watch.want();
    }

    fn on_reply(&mut self, reply: Reply) {
        let now = self.cx.now();
        let news = self.link.answered(reply.first);
        self.tell_connected(news);
        let Some(pending) = self.link.take(reply.id) else { return };
        self.prompt.learn(&reply.answer.series);
        let (watch, log) = (&self.watch, &mut self.log);
        let not_before = self.polling.answered(&pending, &reply, watch, log, now);
        self.log.log_reply(&pending, &reply, now);
        match &pending.purpose {
            Purpose::Typed(entered) => {
                self.prompt.answered(entered, reply.status);
                let refused = (reply.status == Status::Error)
                    .then(|| log::recorder::explained(&pending, &reply));
                match &refused {
                    Some(text) => self.cx.say(Tone::Bad, text.clone()),
                    None => self.on_accepted(&pending, reply),
                }
                self.paste.answered(pending.id, refused, &mut self.cx);
            }
            Purpose::Refresh => {
                if pending.line == ALL {
                    self.take_watched("*", &reply);
                }
                if pending.line == self.polling.table_request() {
                    self.show_answer(&pending.line, reply);
                } else {
                    self.table.discard(reply.answer);
                }
            }
            Purpose::Watch(selector) => {
                self.watch.done(not_before);
                self.take_watched(selector, &reply);
                self.table.discard(reply.answer);
            }
            Purpose::Probe(key) => self.polling.probed(key, Some(&reply)),
        }
    }

    /// A typed request was accepted.
    fn on_accepted(&mut self, pending: &Pending, reply: Reply) {
        if let Some(selector) = selector_of(pending.line.as_bytes()) {
            if reply.answer.series.is_empty() {
                let why = self.polling.why_nothing(selector);
                self.cx.say(Tone::Plain, why);
            }
            self.polling.set_table_request(&pending.line);
            self.show_answer(&pending.line, reply);
        } else if let Ok(Request::Put(key, point)) = Request::decode(pending.line.as_bytes()) {
            self.cx.say(Tone::Good, format!("stored {key} {point}"));
            if reply.took < CHEAP {
                self.polling.refresh_at(self.cx.now().elapsed);
            }
        }
    }

    /// Takes what a reply says of the watched keys.
    fn take_watched(&mut self, selector: &str, reply: &Reply) {
        if let (Ok(selector), Status::Ok) = (selector.parse(), reply.status) {
            self.watch.take(&selector, &reply.answer, self.cx.now().elapsed);
            self.evaluate_alerts();
        }
    }

    fn show_answer(&mut self, request: &str, reply: Reply) {
        if reply.status == Status::Ok {
            let rows = self.layout().table_rows();
            let job = self.table.show(request, reply.answer, rows, self.cx.now().unix());
            self.sort(job);
        }
    }

    fn tell_connected(&mut self, event: Option<LinkEvent>) {
        let Some(event) = event else { return };
        let again = event == LinkEvent::Reconnected;
        let what = if again { "connected again to" } else { "connected to" };
        let text = format!("{what} {}", self.link.address());
        self.log.note(self.cx.now(), Tone::Good, &text);
        if again {
            self.cx.say(Tone::Good, "connected again");
        }
    }

    fn on_disconnected(&mut self, reason: &str) {
        let now = self.cx.now();
        let (unanswered, event) = self.link.disconnected(reason.to_owned(), now.elapsed);
        self.log.restart();
        if let Some(event) = event {
            let text = link_message(event, reason);
            self.log.note(now, Tone::Bad, &text);
            if event == LinkEvent::Unsteady {
                // Not what was said of the connection a moment ago.
                self.cx.say(Tone::Bad, text);
            }
        }
        for pending in unanswered {
            if let Purpose::Typed(_) = pending.purpose {
                let text = format!("no reply to: {}", pending.line);
                self.log.note(now, Tone::Bad, &text);
                self.cx.say(Tone::Bad, text);
            }
        }
        self.watch.reset();
        if self.paste.lose(&mut self.log, &mut self.cx) {
            self.polling.refresh_at(now.elapsed);
        }
    }

    fn on_not_sent(&mut self, id: u64) {
        let Some(pending) = self.link.take(id) else { return };
        let now = self.cx.now();
        let text = format!("not sent, too much is waiting: {}", pending.line);
        if !matches!(pending.purpose, Purpose::Probe(_)) {
            self.log.note(now, Tone::Bad, &text);
        }
        match &pending.purpose {
            Purpose::Typed(_) => self.cx.say(Tone::Bad, text),
            Purpose::Refresh => {}
            Purpose::Watch(_) => self.watch.done(now.elapsed + self.polling.interval()),
            Purpose::Probe(key) => self.polling.probed(key, None),
        }
    }

    /// Says why, and asks again with the path as it was typed; unless the keys are elsewhere by
    /// now.
    fn on_not_saved(&mut self, path: &str, reason: &str) {
        if self.mode() == Mode::Log {
            self.ask(InputPurpose::SaveLog, path);
        }
        let text = format!("{path}: not saved, {reason}");
        self.log.note(self.cx.now(), Tone::Bad, &text);
        self.cx.say(Tone::Bad, text);
    }

    /// When the application wants an [`Event::Tick`], if nothing else happens before.
    pub fn next_wake(&self) -> Option<Duration> {
        let now = self.now().elapsed;
        let slow = self.link.oldest().map(|oldest| {
            let waited = now.saturating_sub(oldest.since).as_secs();
            oldest.since + SLOW.max(Duration::from_secs(waited + 1))
        });
        let notice = self.notice().map(|notice| notice.until);
        let busy = self.log.is_busy().then_some(now);
        let poll = self.polling.next(self.table_in_sight(), &self.watch, &self.link);
        [
            busy,
            self.link.retry_at(),
            slow,
            self.watch.fresh_until(now),
            notice,
            poll,
            self.next_age(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// When an age on the screen grows: every second while one is counted in seconds, else every
    /// minute, and never when there is none.
    fn next_age(&self) -> Option<Duration> {
        let layout = self.layout();
        let rows = self.table.visible(layout.table_rows());
        let watched = self.watch.keys().iter().filter_map(|key| key.series.as_ref());
        let shown = watched.filter(|_| layout.watch.is_some());
        let newest = rows.chain(shown).map(|series| series.last.timestamp).max()?;
        let now = self.now();
        let young = now.unix().saturating_sub(newest) < 60;
        let period: i64 = if young || self.alerts.counts_time() { 1000 } else { 60_000 };
        let left = (period - now.unix_ms.rem_euclid(period)).unsigned_abs();
        Some(now.elapsed + Duration::from_millis(left))
    }

    /// The table is in sight, or a large log in its place.
    fn table_in_sight(&self) -> bool {
        self.layout().table.is_some() || self.panes.log_is_zoomed()
    }

    /// Where the keys go.
    pub fn mode(&self) -> Mode {
        self.overlay.as_ref().map_or(self.panes.focus(), Overlay::mode)
    }

    /// Where everything goes on the screen.
    pub fn layout(&self) -> Layout {
        self.panes.layout(!self.watch.is_empty())
    }

    /// Whether a key has anything to act on, so that it is worth a hint.
    pub fn offers(&self, action: Action) -> bool {
        let searched = self.log.search().is_some();
        match action {
            Action::Log(LogAction::Match { .. }) => match self.input().map(LineInput::purpose) {
                Some(purpose) => searched && matches!(purpose, InputPurpose::LogSearch(_)),
                None => searched,
            },
            Action::Log(LogAction::Leave) => searched || self.log.filter().is_some(),
            Action::AllKeys => self.table.narrowed().is_some(),
            _ => true,
        }
    }

    /// The pane that was last in focus.
    pub fn last_pane(&self) -> Pane {
        self.panes.pane()
    }

    /// What lies over the panes.
    pub fn overlay(&self) -> Option<&Overlay> {
        self.overlay.as_ref()
    }

    /// The line that is asked for, also while the list of keys lies over it.
    pub fn input(&self) -> Option<&LineInput> {
        self.overlay.as_ref().and_then(Overlay::input)
    }

    /// The zone for times of day.
    pub fn zone(&self) -> &TimeZone {
        self.cx.zone()
    }

    /// The moment of the last event.
    pub fn now(&self) -> Moment {
        self.cx.now()
    }

    /// The notice on the bottom line.
    pub fn notice(&self) -> Option<&context::Notice> {
        self.cx.notice()
    }

    /// The command line.
    pub fn prompt(&self) -> &Prompt {
        &self.prompt
    }

    /// Pasted lines on their way.
    pub fn paste(&self) -> &Paste {
        &self.paste
    }

    /// The verdict on the command line.
    pub fn verdict(&self) -> prompt::check::Verdict {
        self.prompt.verdict(self.now(), self.zone(), self.polling.extension())
    }

    /// The wire log.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The last answer.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The watched keys.
    pub fn watch(&self) -> &Watch {
        &self.watch
    }

    /// The chart of the watched keys in this many columns and rows, those of legend and axes
    /// counted.
    pub fn chart(&self, width: u16, height: u16) -> chart::Chart {
        self.watch.chart((width, height), &self.alerts, self.zone())
    }

    /// The alerts.
    pub fn alerts(&self) -> &Alerts {
        &self.alerts
    }

    /// The state of polling.
    pub fn polling(&self) -> &Polling {
        &self.polling
    }

    /// The connection.
    pub fn link(&self) -> &Link {
        &self.link
    }
}
