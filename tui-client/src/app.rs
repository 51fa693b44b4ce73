//! The application: [`App::update`] takes an event and returns effects. The parts decide; this file
//! routes events, actions and messages to them. The application does no input or output, reads no
//! clock and does not draw.

pub mod answer;
pub mod chart;
mod config;
pub mod context;
pub mod copy_command;
pub mod feed;
pub mod input;
pub mod line_input;
pub mod link;
pub mod log;
pub mod message;
pub mod polling;
pub mod screen;
pub mod table;
pub mod watch;

use std::time::Duration;

use bytes::Bytes;
use jiff::tz::TimeZone;
use shared::Request;
use shared::response::{News, Status, decode_news};

use crate::effect::{ComputeJob, Effect, NetworkOrder, TerminalOrder};
use crate::event::{Event, FollowNews, KeyCode, KeyPress, Moment, MouseEvent, MouseKind};
use crate::keymap::{self, Action, Edit, LogAction, Mode, Pane, PromptAction};
use crate::metrics::alerts::{Alert, Alerts};
use crate::metrics::reply::{Reply, SeriesPoints};
use crate::metrics::series::present_until;
use crate::metrics::sort::SortJob;
use crate::metrics::watch_plan::{Extension, covering_pattern, with_alerted};
use crate::request::deletion::selector_to_delete;
use crate::request::pending::{Due, Pending, Purpose, QueryTag};
use crate::request::selector::{is_follow, selector_of};
use crate::text::escape::escape_untrusted;
use crate::text::number;
use crate::wire_log::entry::Tone;
use answer::TypedAnswer;
pub use config::AppConfig;
use context::Context;
use feed::{Feed, FeedEvent};
use input::Input;
use input::overlay::Overlay;
use input::prompt::command::Command;
use line_input::InputPurpose;
use link::Link;
use log::Log;
use log::recorder::explained;
use message::Message;
use polling::{ALL, CHEAP, Polling};
use screen::layout::Layout;
use screen::mouse;
use screen::panes::Panes;
use table::Table;
use watch::{Watch, tell_alerts};

/// The answer to the key that suspends where nothing could continue the program.
const NO_JOB_CONTROL: &str = "this system can't suspend a program; ctrl-c leaves";

/// The request for the newest point of each key.
const SNAPSHOT: &str = "get *[last]";

/// All keys are followed for so long after the table was in sight.
const TABLE_KEPT: Duration = Duration::from_secs(60);

/// Told lines that are taken in one event, in bytes.
const MAX_AT_ONCE: usize = 1 << 20;

/// Wait before lines are taken that could not be taken in one event.
const HELD_RETRY: Duration = Duration::from_millis(10);

/// The least time between two arrangements of the rows because of told points.
const MIN_REARRANGE: Duration = Duration::from_secs(1);

/// This time more for each row, in microseconds: some hundred times what it takes.
const REARRANGE_MICROS: u64 = 10;

/// A follow is begun anew so long after a point on the screen was taken back.
const RENEW_AFTER_DELETION: Duration = Duration::from_secs(1);

/// The state of the application.
#[derive(Debug)]
pub struct App {
    cx: Context,
    panes: Panes,
    input: Input,
    log: Log,
    table: Table,
    watch: Watch,
    alerts: Alerts,
    /// The answer to the last typed `get`.
    typed_answer: Option<TypedAnswer>,
    polling: Polling,
    link: Link,
    feed: Feed,
    /// When the table was last in sight.
    table_seen: Option<Duration>,
    /// When the rows of the table may be arranged again because of told points.
    rearrange_at: Duration,
    /// Why the follow was cut off, until it is begun anew. When the server is gone, that is said of
    /// the connection of the prompt alone.
    cut_off: Option<String>,
    /// Keys are asked for, so that they can be completed.
    wants_keys: bool,
    /// Every key has been told or asked for since the connection was made.
    has_keys: bool,
}

impl App {
    /// The application at the start, on a screen of this size.
    pub fn new(config: AppConfig, width: u16, height: u16, now: Moment) -> Self {
        let watch = Watch::new(with_alerted(&config.watch, &config.alerts));
        Self {
            cx: Context::new(now, config.zone, config.abilities),
            panes: Panes::new(width, height, !watch.is_empty()),
            input: Input::default(),
            log: Log::new(config.log_memory, config.raw_log),
            table: Table::new(ALL).arranged_as(config.table),
            watch,
            alerts: Alerts::new(&config.alerts),
            typed_answer: None,
            polling: Polling::new(config.interval),
            link: Link::new(config.address, config.reconnect_seed),
            feed: Feed::default(),
            table_seen: None,
            rearrange_at: Duration::ZERO,
            cut_off: None,
            wants_keys: false,
            has_keys: false,
        }
    }

    /// The effects at the start.
    pub fn start(&self) -> Vec<Effect> {
        vec![Effect::Network(NetworkOrder::Connect)]
    }

    /// Takes an event and returns its effects in order.
    pub fn update(&mut self, event: Event, now: Moment) -> Vec<Effect> {
        self.cx.begin(now);
        self.route(event, now);
        while let Some(message) = self.cx.take_message() {
            self.carry_out(message);
        }
        self.work_off();
        self.poll();
        for answer in self.table.take_garbage() {
            self.cx.push(Effect::Compute(ComputeJob::Free(answer)));
        }
        self.cx.take_effects()
    }

    fn route(&mut self, event: Event, now: Moment) {
        match event {
            Event::Key(key) => self.on_key(key),
            Event::Mouse(mouse) => self.on_mouse(mouse),
            Event::Paste(text) => {
                self.cx.take_notice();
                self.input.insert_pasted(&text, &mut self.cx);
            }
            Event::PasteGoesOn(text) => {
                self.cx.take_notice();
                self.input.insert_rest(&text, &mut self.cx);
            }
            Event::PasteDropped => {
                self.cx.say(Tone::Bad, "not taken: too long to paste; tui-client < FILE sends it");
            }
            Event::Resize { width, height } => {
                self.panes.resize(width, height);
                self.table.move_by(0, self.layout().table_rows());
            }
            Event::Tick => {
                self.log.work(self.layout().log_rows(), &mut self.cx);
                // While polling is paused, nothing is known of new points.
                if self.alerts.counts_time() && !self.polling.is_paused() {
                    self.evaluate_alerts();
                }
                self.link.retry(&mut self.cx);
                if self.feed.on_tick(&mut self.cx) {
                    self.begin_to_poll();
                }
            }
            Event::Connected => {
                self.feed.reset();
                self.cut_off = None;
                (self.has_keys, self.wants_keys) = (false, false);
                self.link.on_connected(&mut self.log, &mut self.cx);
                self.polling.restart(now.elapsed);
                self.watch.reset();
            }
            Event::Disconnected(reason) => {
                self.link.on_disconnected(&reason, &mut self.log, &mut self.cx);
                self.watch.reset();
                self.input.paste.lose(&mut self.log, &mut self.cx);
                for tag in self.feed.on_disconnected(&mut self.cx) {
                    self.on_points(tag, None);
                }
            }
            Event::DataLost { ids, reason } => self.on_data_lost(&ids, &reason),
            Event::Follow { id, news } => self.on_follow(id, news),
            Event::NotSent { id } => self.on_not_sent(id),
            Event::Progress { id, points, bytes } => {
                let more = self.link.progress(id, points, bytes);
                self.polling.count_moved(0, more, now.elapsed);
            }
            Event::ReplyBegins { id, status } if self.link.is_pending(id) => {
                self.log.log_status(id, status, now);
            }
            Event::ReplyBegins { .. } => {}
            Event::Lines { id, status, lines } => self.log.log_lines(id, status, &lines, now),
            Event::Reply(reply) => self.on_reply(*reply),
            Event::Import(news) => {
                let (requests, bytes) = self.input.paste.moved(&news);
                self.polling.count_moved(requests, bytes, now.elapsed);
                self.input.paste.on_news(&news, &mut self.log, &mut self.cx);
            }
            Event::History(lines) => self.input.prompt.load(lines),
            Event::Saved { path, lines } => {
                let lines = number::plural(lines, "line", "lines");
                self.cx.say(Tone::Good, format!("{lines} saved in {path}"));
            }
            Event::NotSaved { path, reason } => {
                // The path can be corrected, unless the log has lost the keys meanwhile.
                if self.mode() == Mode::Log {
                    self.input.ask(InputPurpose::SaveLog, &path);
                }
                self.log.report(format!("{path}: not saved, {reason}"), &mut self.cx);
            }
            Event::NotCopied(reason) => self.cx.say(Tone::Bad, format!("not copied: {reason}")),
            Event::FileFailed(reason) => self.log.report(reason, &mut self.cx),
            Event::Sorted(sorted) => {
                let job = self.table.arranged(sorted, self.layout().table_rows(), now.unix());
                self.sort(job);
            }
            Event::Terminate => self.cx.push(Effect::Quit),
        }
    }

    fn on_key(&mut self, key: KeyPress) {
        let listed = self.cx.take_notice().is_some_and(|notice| notice.completions);
        let mode = self.mode();
        match keymap::lookup(mode, key) {
            // The key has only closed the list of completions.
            Some(Action::Prompt(PromptAction::Clear)) if listed => {}
            Some(Action::BeginRequest) => {
                if let KeyCode::Char(letter) = key.code {
                    self.begin_request(letter);
                }
            }
            Some(action) => self.perform(action),
            None if mode.is_for_reading() => {
                let name = escape_untrusted(keymap::name(key).as_bytes());
                let help = keymap::key_of(mode, Action::Help);
                self.cx
                    .say(Tone::Quiet, format!("{name} does nothing here; {help} lists what does"));
            }
            None => {
                if let (KeyCode::Char(c), false, false) = (key.code, key.ctrl, key.alt) {
                    self.insert(c.encode_utf8(&mut [0; 4]));
                }
            }
        }
    }

    /// Moves to the command line with the first letter of a request. What it had is one undo away.
    fn begin_request(&mut self, letter: char) {
        self.panes.visit_prompt();
        if !self.input.prompt.text().is_empty() {
            self.input.edit(Edit::KillAll, &mut self.cx);
            self.cx.say(Tone::Plain, "ctrl-y brings back what was typed here before");
        }
        self.insert(letter.encode_utf8(&mut [0; 4]));
    }

    fn insert(&mut self, text: &str) {
        self.input.insert(text, self.panes.focus(), &mut self.cx);
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::Quit => self.cx.push(Effect::Quit),
            Action::HelpOrType if !self.input.prompt.text().is_empty() => self.insert("?"),
            Action::Help | Action::HelpOrType => {
                self.input.toggle_help(self.panes.focus(), self.cx.abilities());
            }
            Action::Suspend if self.cx.abilities().suspend => {
                self.cx.push(Effect::Terminal(TerminalOrder::Suspend));
            }
            Action::Suspend => self.cx.say(Tone::Plain, NO_JOB_CONTROL),
            Action::CopyCommand => match copy_command::command(self) {
                Ok(command) => {
                    let copied = self.cx.copy(command.clone());
                    self.cx.say(Tone::Good, format!("{copied}: {command}"));
                }
                Err(why) => self.cx.say(Tone::Plain, format!("not copied: {why}")),
            },
            Action::CyclePane(step) => self.panes.cycle(step.into(), !self.watch.is_empty()),
            Action::FocusPrompt => self.panes.visit_prompt(),
            Action::BeginRequest => {}
            Action::Edit(edit) => self.input.edit(edit, &mut self.cx),
            Action::Accept => self.input.accept(&mut self.cx),
            Action::Cancel => self.input.cancel(&mut self.cx),
            Action::Submit => self.submit(),
            Action::Lines(lines) => self.scroll(self.mode(), lines.into()),
            Action::Pages(pages) => {
                let overlay = self.input.page(self.panes.size());
                let keys = self.watch.keys().len();
                let rows = overlay.unwrap_or_else(|| self.layout().page(self.mode(), keys));
                self.scroll(self.mode(), isize::from(pages) * (rows.max(2).cast_signed() - 1));
            }
            Action::Top => self.scroll(self.mode(), isize::MIN),
            Action::Bottom => self.scroll(self.mode(), isize::MAX),
            Action::Refresh => {
                let (link, feed, watch) = (&self.link, &mut self.feed, &mut self.watch);
                self.polling.refresh(link, feed, watch, &mut self.cx);
            }
            Action::TogglePause => {
                self.polling.toggle_pause(&self.feed, &mut self.watch, &mut self.cx);
            }
            Action::Interval(step) => {
                self.polling.change_interval(step, &self.feed, &mut self.watch, &mut self.cx);
            }
            Action::SearchHelp => self.input.search_help(),
            Action::Prompt(PromptAction::Clear)
                if self.input.prompt.text().is_empty() && self.link.is_following() =>
            {
                self.cx.push(Effect::Network(NetworkOrder::EndFollow));
            }
            Action::Prompt(PromptAction::Clear)
                if self.input.prompt.text().is_empty()
                    && self.input.paste.import().is_none()
                    && self.layout().answer.is_some() =>
            {
                self.typed_answer = None;
                self.after_layout_change();
            }
            Action::Prompt(PromptAction::Clear) if self.leaves_prompt() => {
                self.input.edit(Edit::KillAll, &mut self.cx);
                self.panes.leave_prompt();
            }
            Action::Prompt(action) => self.input.update(action, &mut self.cx),
            Action::Log(action) => {
                let layout = self.layout();
                self.log.update(action, &mut self.panes, &layout, &mut self.cx);
                if matches!(action, LogAction::Zoom | LogAction::Leave) {
                    self.after_layout_change();
                }
            }
            Action::Table(action) => {
                let job = self.table.update(action, self.layout().table_rows(), &mut self.cx);
                self.sort(job);
            }
            Action::Watch(action) => {
                self.watch.update(action, &mut self.panes, &mut self.alerts, &mut self.cx);
            }
            Action::Chart(action) => {
                self.watch.update_chart(action, &self.layout(), &self.alerts, &mut self.cx);
            }
            Action::AddWatch => self.input.ask(InputPurpose::Watch, ""),
            Action::AddAlert => {
                let text = self.selected_key().map_or(String::new(), |key| format!("{key} > "));
                self.input.ask(InputPurpose::Alert, &text);
            }
            Action::DropAlerts => self.drop_alerts(),
            Action::Columns => self.input.open_columns(),
            Action::ToggleColumn => {
                if let Some(column) = self.input.selected_column() {
                    self.table.toggle_column(column);
                }
            }
        }
    }

    /// Carries out a message of one part to the others.
    fn carry_out(&mut self, message: Message) {
        let rows = self.layout().log_rows();
        match message {
            Message::Focus(mode) => self.panes.focus_on(mode),
            Message::Ask(purpose, text) => self.input.ask(purpose, &text),
            Message::Refresh => self.polling.refresh_at(self.cx.now().elapsed),
            Message::Submit => self.submit(),
            Message::SendPaste => {
                let (link, log, cx) = (&mut self.link, &mut self.log, &mut self.cx);
                self.input.send_paste(link, self.watch.patterns(), log, cx);
            }
            Message::Cycle(step) => self.panes.cycle(step, !self.watch.is_empty()),
            Message::FilterTable(filter) => {
                if self.table.filter() != filter.as_ref() {
                    let rows = self.layout().table_rows();
                    let job = self.table.set_filter(filter, rows, self.cx.now().unix());
                    self.sort(job);
                }
            }
            Message::Query(query) => self.feed.ask(query),
            Message::Alert(alert) => {
                self.watch.cover(alert.pattern());
                self.cx.say(Tone::Good, format!("alert on {alert}"));
                self.alerts.add(alert);
                self.evaluate_alerts();
            }
            Message::Watch(pattern) => {
                self.watch.add(pattern);
                self.polling.refresh_at(self.cx.now().elapsed);
                // The alerts know nothing of the new keys yet.
                self.evaluate_alerts();
            }
            Message::SearchLog(text) => self.log.search_typed(&text, rows, &mut self.cx),
            Message::FilterLog(text) => self.log.filter_typed(&text, rows, &mut self.cx),
            Message::EndLogSearch => self.log.accept_search(rows, &mut self.cx),
            Message::RestoreLog(before) => {
                self.log.back_to(before);
                self.log.work(rows, &mut self.cx);
            }
            Message::SaveLog(path) => self.log.save(path, &mut self.cx),
        }
    }

    /// Scrolls the part of a mode by lines.
    fn scroll(&mut self, mode: Mode, lines: isize) {
        let layout = self.layout();
        match mode {
            Mode::Help | Mode::HelpSearch | Mode::Columns => {
                self.input.scroll(lines, self.panes.size());
            }
            Mode::Table => self.table.move_by(lines, layout.table_rows()),
            Mode::Watch | Mode::Chart => self.watch.move_by(lines),
            Mode::SeriesInput => {}
            Mode::Log if lines.unsigned_abs() == 1 => {
                self.log.move_by(lines as i64, layout.log_rows());
            }
            _ => self.log.scroll(lines as i64, layout.log_rows()),
        }
    }

    fn on_mouse(&mut self, mouse: MouseEvent) {
        let under = mouse::pane_under(mouse, &self.layout());
        let turn = match mouse.kind {
            MouseKind::Click => return self.on_click(mouse, under),
            MouseKind::WheelUp => -mouse::TURN,
            MouseKind::WheelDown => mouse::TURN,
        };
        match (self.mode(), under) {
            (Mode::Help | Mode::HelpSearch, _) => self.scroll(Mode::Help, turn),
            // Watched keys are few, so they move by one.
            (_, Some(Mode::Watch)) => self.scroll(Mode::Watch, turn.signum()),
            (_, Some(mode)) => self.scroll(mode, turn),
            (_, None) => {}
        }
    }

    fn on_click(&mut self, mouse: MouseEvent, under: Option<Mode>) {
        self.cx.take_notice();
        match (self.input.overlay(), under) {
            (Some(Overlay::Help(..)), _) => {
                return self.input.toggle_help(self.panes.focus(), self.cx.abilities());
            }
            // Other overlays stay until they are answered.
            (Some(_), _) | (None, None) => return,
            (None, Some(_)) if self.panes.focus() == Mode::Chart => {}
            (None, Some(mode)) => self.panes.focus_on(mode),
        }
        let layout = self.layout();
        match under {
            Some(Mode::Table) => self.table.click(mouse, &layout),
            Some(Mode::Watch) => self.watch.click(mouse, &layout, &self.alerts, &mut self.cx),
            _ => {}
        }
    }

    /// The selected key of the table or the watched keys.
    fn selected_key(&self) -> Option<String> {
        match self.mode() {
            Mode::Table => self.table.selected_key().map(ToString::to_string),
            _ => self.watch.selected_key().map(|key| key.key.clone()),
        }
    }

    fn sort(&mut self, job: Option<SortJob>) {
        if let Some(job) = job {
            self.cx.push(Effect::Compute(ComputeJob::Sort(job)));
        }
    }

    fn drop_alerts(&mut self) {
        let Some(key) = self.selected_key() else { return };
        let gone: Vec<_> = self.alerts.drop_alerts_on(&key).iter().map(Alert::to_string).collect();
        // One on a pattern is gone for its other keys, too.
        let text = match &gone[..] {
            [] => format!("no alert on {key}"),
            [alert] => format!("alert gone: {alert}"),
            alerts => format!("{} alerts gone: {}", alerts.len(), alerts.join(", ")),
        };
        self.cx.say(Tone::Plain, text);
        self.evaluate_alerts();
    }

    fn evaluate_alerts(&mut self) {
        self.watch.evaluate(&mut self.alerts, &mut self.log, &mut self.cx);
    }

    /// A key clears the command line, or what its first letter has begun, and leads back to the pane.
    fn leaves_prompt(&self) -> bool {
        self.panes.is_visiting_prompt()
            && self.input.prompt.text().len() <= 1
            && self.input.paste.import().is_none()
    }

    fn submit(&mut self) {
        match Command::parse(self.input.prompt.text()) {
            Some(Command::Quit) => return self.cx.push(Effect::Quit),
            Some(Command::Help) => {
                self.input.edit(Edit::KillAll, &mut self.cx);
                return self.input.toggle_help(self.panes.focus(), self.cx.abilities());
            }
            None => {}
        }
        let (link, log, cx) = (&mut self.link, &mut self.log, &mut self.cx);
        self.input.prompt.submit(link, self.watch.patterns(), log, cx);
    }

    /// Sends a request for data.
    fn send(&mut self, due: Due) -> u64 {
        let (route, log, cx) = (self.feed.route(), &mut self.log, &mut self.cx);
        self.link.send_over(route, due, false, self.watch.patterns(), log, cx)
    }

    /// Sends the requests that are due.
    fn poll(&mut self) {
        let now = self.cx.now().elapsed;
        let in_sight = self.shows_table();
        if in_sight {
            self.table_seen = Some(now);
        }
        if self.link.is_connected() {
            self.steer_feed();
        }
        let ways = (&self.link, &self.feed);
        for due in self.polling.take_due(in_sight, &mut self.watch, ways, now) {
            self.send(due);
        }
        self.ask_chart();
        self.ask_numbers();
        // Rows, columns and window may have changed since they were asked for.
        let table = &self.table;
        let unwanted = |tag| matches!(tag, QueryTag::Rows(query) if !table.awaits(query));
        self.feed.drop_queries(unwanted);
        while self.link.is_connected()
            && let Some(query) = self.feed.take_query(self.link.data_in_flight())
        {
            self.send((format!("get {}", query.selector), Purpose::Query(query.tag)));
        }
    }

    /// The chart may ask: what is put since then is told, or is not to be shown.
    fn chart_may_ask(&self) -> bool {
        self.link.is_connected() && (self.feed.is_live() || self.polling.is_paused())
    }

    /// Asks for what the chart needs.
    fn ask_chart(&mut self) {
        // After a lost connection, what is known stays until the server has shown what it can.
        if let Some(has_selectors) = self.feed.has_selectors() {
            self.watch.set_chart_asks(has_selectors);
        }
        if self.chart_may_ask() {
            let window = self.feed.is_live().then(|| self.table.window());
            for query in self.watch.ask(&self.layout(), window, self.cx.now()) {
                self.feed.ask(query);
            }
        }
    }

    /// Asks for what the rows in sight lack.
    fn ask_numbers(&mut self) {
        let Some((rows, room)) = self.live_rows() else { return };
        let now = self.cx.now();
        for query in self.table.ask_numbers(rows, room, (now.elapsed, now.unix())) {
            self.feed.ask(query);
        }
    }

    /// The rows and the cells of a row of the table, if it is in sight and live.
    fn live_rows(&self) -> Option<(usize, usize)> {
        let layout = self.layout();
        let area = layout.table.filter(|_| self.is_live() && self.feed.follows_all())?;
        // Within the border, right of the column for marks.
        Some((layout.table_rows(), usize::from(area.width).saturating_sub(3)))
    }

    /// The table, or the log in its place, is visible.
    fn shows_table(&self) -> bool {
        self.panes.shows_table(!self.watch.is_empty())
    }

    /// Follows the keys on the screen, and those of alerts.
    fn steer_feed(&mut self) {
        let wanted = self.wanted_keys();
        self.has_keys |= self.feed.follows_all();
        if !self.has_keys && !self.input.prompt.text().is_empty() {
            (self.has_keys, self.wants_keys) = (true, true);
        }
        let link = &mut self.link;
        self.feed.steer(wanted.as_deref(), || link.next_id(), &mut self.cx);
        if let Some(follow) = self.feed.live_follow()
            && self.watch.is_wanted()
            && self.watch.next_due().is_some()
        {
            self.ask_history(Some(follow));
        }
        // Where nothing is followed, the state is asked for once.
        let knows = self.feed.has_selectors() == Some(true);
        if knows && self.wants_keys {
            self.wants_keys = false;
            self.send((SNAPSHOT.to_owned(), Purpose::Snapshot(0)));
        }
        if knows && self.polling.take_refresh_once() | self.watch.is_wanted() {
            // Where something is followed, it is begun anew.
            if self.polling.is_paused() {
                self.watch.refresh_chart();
                self.ask_state(None);
            }
        }
    }

    /// The pattern of the keys that are to be followed.
    fn wanted_keys(&self) -> Option<String> {
        // What the server can do is found out while paused too: typed requests need it.
        if self.polling.is_paused() && self.feed.extension() != Extension::Unknown {
            return None;
        }
        let now = self.cx.now().elapsed;
        let is_recent = |seen: Duration| now < seen + TABLE_KEPT;
        let shows_all = self.table_seen.is_some_and(is_recent);
        if shows_all || self.watch.is_empty() {
            return Some("*".to_owned());
        }
        Some(covering_pattern(self.watch.patterns()))
    }

    /// When the keys that are followed become fewer.
    fn narrows_at(&self) -> Option<Duration> {
        let is_wide = self.feed.follows_all() && !self.watch.is_empty() && !self.shows_table();
        let at = self.table_seen.filter(|_| is_wide)? + TABLE_KEPT;
        Some(at).filter(|&at| at > self.cx.now().elapsed)
    }

    /// Asks for the state of the keys on the screen; lines of the follow are held until it has come.
    fn ask_state(&mut self, follow: Option<u64>) {
        if self.feed.follows_all() || follow.is_none() {
            let id = self.send((SNAPSHOT.to_owned(), Purpose::Snapshot(follow.unwrap_or(0))));
            self.hold_for(id, follow);
        }
        self.ask_history(follow);
    }

    /// Asks for the newest points of the watched keys.
    fn ask_history(&mut self, follow: Option<u64>) {
        self.feed.drop_queries(|tag| matches!(tag, QueryTag::Watch(_)));
        let history = self.watch.history();
        self.watch.asked(history.len(), self.cx.now().elapsed);
        for (pattern, selector) in history {
            let id = self.send((format!("get {selector}"), Purpose::Watch(pattern)));
            self.hold_for(id, follow);
        }
    }

    fn hold_for(&mut self, id: u64, follow: Option<u64>) {
        if follow.is_some() {
            self.feed.hold_for(id);
        }
    }

    fn on_follow(&mut self, id: u64, news: FollowNews) {
        if let FollowNews::Refused(reason) = &news {
            let pattern = self.feed.pattern().unwrap_or_default();
            self.log.log_follow(id, pattern, Err(reason), self.cx.now());
        }
        let was_polled = self.feed.has_selectors() == Some(false);
        match self.feed.on_follow(id, news, &mut self.cx) {
            FeedEvent::Nothing => {}
            FeedEvent::Begun(id) => {
                let now = self.cx.now();
                if was_polled {
                    self.polling.restart(now.elapsed);
                    self.watch.reset();
                }
                let pattern = self.feed.pattern().unwrap_or_default();
                if let Some(reason) = self.cut_off.take() {
                    self.log.note(now, Tone::Quiet, &format!("following again: {reason}"));
                }
                self.log.log_follow(id, pattern, Ok(()), now);
                if !self.polling.is_paused() {
                    self.watch.refresh_chart();
                    self.ask_state(Some(id));
                }
            }
            FeedEvent::Lines(lines) => self.on_lines(lines),
            FeedEvent::Lost(reason) => self.cut_off = Some(reason),
            FeedEvent::Polled => self.begin_to_poll(),
        }
    }

    /// Takes lines of the follow; they wait while the state before them is under way.
    fn on_lines(&mut self, lines: Bytes) {
        let now = self.cx.now();
        self.polling.count_moved(0, lines.len() as u64, now.elapsed);
        self.log.log_news(&lines, now);
        if !self.feed.hold(lines) {
            self.lose_follow("too much was told before the first answer");
        }
    }

    fn lose_follow(&mut self, reason: &str) {
        self.cut_off = Some(reason.to_owned());
        if let FeedEvent::Polled = self.feed.on_lost(reason.to_owned(), self.cx.now().elapsed) {
            self.begin_to_poll();
        }
    }

    /// The server tells nothing: it is polled from now on.
    fn begin_to_poll(&mut self) {
        if let Some(reason) = self.cut_off.take() {
            self.log.note(self.cx.now(), Tone::Quiet, &format!("not followed: {reason}"));
        }
        self.polling.restart(self.cx.now().elapsed);
        self.watch.reset();
        self.log.restart();
    }

    /// Takes the held lines, as many as an event has time for, and arranges the rows that they
    /// have changed.
    fn work_off(&mut self) {
        let mut taken = 0;
        while taken < MAX_AT_ONCE
            && !self.feed.is_loading()
            && self.table.is_free()
            && let Some(lines) = self.feed.take_held()
        {
            taken += lines.len();
            self.tell(&lines);
        }
        let now = self.cx.now();
        self.table.show_numbers(now.elapsed);
        if self.table.is_outdated() && self.rearrange_at <= now.elapsed {
            let rows = self.table.answer().series.len() as u64;
            let pace = Duration::from_micros(rows * REARRANGE_MICROS);
            self.rearrange_at = now.elapsed + pace.max(MIN_REARRANGE);
            let job = self.table.rearrange(self.layout().table_rows(), now.unix());
            self.sort(job);
        }
    }

    /// When the work on told lines goes on.
    fn next_work(&self) -> Option<Duration> {
        let now = self.cx.now().elapsed;
        let holds = self.feed.holds() && !self.feed.is_loading();
        let outdated = self.table.is_outdated();
        let lines = holds.then(|| now + HELD_RETRY);
        let numbers = self.live_rows().and_then(|(rows, room)| self.table.next_numbers(rows, room));
        lines.into_iter().chain(numbers).chain(outdated.then_some(self.rearrange_at)).min()
    }

    /// Takes told lines.
    fn tell(&mut self, lines: &[u8]) {
        let now = self.cx.now();
        let present = present_until(now.unix());
        let has_table = self.table.is_live() && self.feed.follows_all();
        let mut malformed = 0;
        for news in decode_news(lines) {
            match news {
                Ok(News::Point(key, point)) => {
                    let is_known = has_table && self.table.tell(key, point, present);
                    let may_be_new = !is_known;
                    let told = (key, point);
                    if let Some(series) = self.watch.tell(told, present, may_be_new, now.elapsed) {
                        let events = self.alerts.evaluate_point(series, point, now.unix());
                        if !events.is_empty() {
                            tell_alerts(&events, &mut self.log, &mut self.cx);
                            self.watch.set_alarm(key.as_str(), self.alerts.fires(key.as_str()));
                        }
                    }
                }
                Ok(News::TakenBack(key, timestamp)) => {
                    let is_shown = has_table && self.table.ends_at(key, timestamp);
                    self.watch.take_back(key.as_str(), timestamp);
                    if is_shown || self.watch.has(key.as_str()) {
                        self.feed.renew_at(now.elapsed + RENEW_AFTER_DELETION);
                    }
                }
                Err(_) => malformed += 1,
            }
        }
        if has_table {
            self.table.show_told(malformed);
            self.input.prompt.learn_told(&self.table.answer().series);
        }
    }

    /// Requests for data get no reply.
    fn on_data_lost(&mut self, ids: &[u64], reason: &str) {
        let now = self.cx.now();
        let mut is_held = false;
        for pending in self.link.on_lost(ids) {
            is_held |= self.feed.answered(pending.id);
            let next = now.elapsed + self.polling.interval();
            match pending.purpose {
                Purpose::Watch(_) => self.watch.done(next),
                Purpose::Query(tag) => self.on_points(tag, None),
                Purpose::Refresh | Purpose::Snapshot(_) | Purpose::Typed(_) => {}
            }
        }
        self.log.note(now, Tone::Bad, &format!("no data: {reason}"));
        self.feed.on_data_lost();
        // A server that is gone without a word tells nothing either.
        if is_held || self.feed.is_live() {
            self.lose_follow(reason);
        }
    }

    /// Hands the answer to a query to the part that has asked; `None` if it was refused or lost.
    fn on_points(&mut self, tag: QueryTag, points: Option<Vec<SeriesPoints>>) {
        match tag {
            QueryTag::Chart(number) => self.watch.on_points(number, points, self.cx.now()),
            QueryTag::Watch(query) => {
                self.watch.set_numbers(query, &points.unwrap_or_default());
                self.evaluate_alerts();
            }
            QueryTag::Rows(query) => {
                let now = self.cx.now();
                let now = (now.elapsed, now.unix());
                for query in self.table.on_points(query, points, now) {
                    self.feed.ask(query);
                }
            }
        }
    }

    fn on_reply(&mut self, reply: Reply) {
        let now = self.cx.now();
        let Some(pending) = self.link.on_reply(&reply, &mut self.log, &mut self.cx) else { return };
        self.input.prompt.learn(&reply.answer.series);
        let (watch, log) = (&self.watch, &mut self.log);
        let not_before = self.polling.answered(&pending, &reply, watch, log, now);
        self.log.log_reply(&pending, &reply, now);
        let is_held = self.feed.answered(pending.id);
        self.feed.on_data(pending.channel);
        match &pending.purpose {
            Purpose::Typed(entered) => {
                self.input.prompt.answered(entered, reply.status);
                let refused = (reply.status == Status::Error).then(|| explained(&pending, &reply));
                match &refused {
                    Some(text) => self.cx.say(Tone::Bad, text.clone()),
                    None => self.on_accepted(&pending, reply),
                }
                self.input.paste.answered(pending.id, refused, &mut self.cx);
            }
            // The reply to a poll from before the follow: what is told since then is newer.
            Purpose::Refresh if self.feed.is_live() => self.table.discard(reply.answer),
            Purpose::Watch(_) if self.feed.is_live() && !is_held => {
                self.table.discard(reply.answer);
            }
            Purpose::Refresh => {
                self.take_watched("*", &reply);
                self.show_answer(&pending.line, reply);
            }
            Purpose::Watch(selector) => {
                self.watch.done(not_before);
                self.take_watched(selector, &reply);
                let is_last = self.watch.next_due().is_some();
                if is_held && is_last {
                    self.watch.heard_of_all();
                    self.evaluate_alerts();
                }
                if is_last && self.feed.has_selectors() == Some(true) {
                    for query in self.watch.numbers(self.cx.now()) {
                        self.feed.ask(query);
                    }
                }
                self.table.discard(reply.answer);
            }
            Purpose::Snapshot(_) if is_held || self.polling.is_paused() => {
                self.show_live(reply);
            }
            Purpose::Snapshot(_) => self.table.discard(reply.answer),
            Purpose::Query(tag) => {
                if reply.points_left_out > 0 {
                    self.report_left_out(*tag, &pending.line, reply.points_left_out);
                }
                let points = (reply.status == Status::Ok).then_some(reply.points);
                self.on_points(*tag, points);
            }
        }
    }

    /// Says that a part of the screen does not know all that it has asked for.
    fn report_left_out(&mut self, tag: QueryTag, line: &str, points: u64) {
        let points = number::plural(points, "point", "points");
        let what = match tag {
            QueryTag::Rows(_) => "order and filter are of some keys only",
            QueryTag::Chart(_) => "the chart is of some points only",
            QueryTag::Watch(_) => "numbers are of some watched keys only",
        };
        self.log.report(format!("{what}: {points} left out of {line}"), &mut self.cx);
    }

    /// Takes the reply to a typed request that was accepted.
    fn on_accepted(&mut self, pending: &Pending, reply: Reply) {
        if let Some(selector) = selector_to_delete(&pending.line) {
            self.cx.say(Tone::Good, format!("deleted {selector}"));
            self.polling.refresh_at(self.cx.now().elapsed);
        } else if is_follow(&pending.line) && !reply.answer.series.is_empty() {
            self.cx.say(Tone::Plain, "the follow has ended");
            self.table.discard(reply.answer);
        } else if let Some(selector) = selector_of(pending.line.as_bytes()) {
            if reply.answer.series.is_empty() {
                let extension = self.feed.extension();
                self.cx.say(Tone::Plain, Polling::why_nothing(extension, selector));
            }
            if is_follow(&pending.line) {
                return;
            }
            self.typed_answer = TypedAnswer::new(&pending.line, &reply.answer);
            self.table.discard(reply.answer);
            self.after_layout_change();
            if let (Some(answer), None) = (&self.typed_answer, self.layout().answer) {
                self.cx.say(Tone::Good, answer.summary());
            }
        } else if let Ok(Request::Put(key, point)) = Request::decode(pending.line.as_bytes()) {
            self.cx.say(Tone::Good, format!("stored {key} {point}"));
            if reply.took < CHEAP {
                self.polling.refresh_at(self.cx.now().elapsed);
            }
        }
    }

    /// Takes the watched series of a reply.
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

    /// Shows the state of all keys.
    fn show_live(&mut self, reply: Reply) {
        if reply.status == Status::Ok {
            let (rows, now) = (self.layout().table_rows(), self.cx.now());
            let job = self.table.show_live(ALL, reply.answer, rows, now.unix());
            self.sort(job);
        } else {
            self.table.discard(reply.answer);
        }
    }

    fn on_not_sent(&mut self, id: u64) {
        if self.feed.answered(id) {
            self.lose_follow("too much is waiting");
        }
        match self.link.on_not_sent(id, &mut self.log, &mut self.cx) {
            Some(Purpose::Watch(_)) => {
                self.watch.done(self.cx.now().elapsed + self.polling.interval());
            }
            Some(Purpose::Query(tag)) => self.on_points(tag, None),
            Some(Purpose::Typed(_) | Purpose::Refresh | Purpose::Snapshot(_)) | None => {}
        }
    }

    /// The time of the next [`Event::Tick`], unless another event comes before.
    pub fn next_wake(&self) -> Option<Duration> {
        let now = self.now().elapsed;
        let notice = self.notice().map(|notice| notice.until);
        let busy = self.log.is_busy().then_some(now);
        let poll = self.polling.next(self.shows_table(), &self.watch, (&self.link, &self.feed));
        let feed = self.feed.next_wake().into_iter().chain(self.narrows_at()).min();
        let (link, fresh) = (self.link.next_wake(now), self.watch.fresh_until(now));
        let chart = self
            .chart_may_ask()
            .then(|| self.watch.next_request(&self.layout(), self.feed.is_live()));
        let chart = chart.flatten();
        [busy, link, fresh, notice, poll, feed, chart, self.next_work(), self.next_age()]
            .into_iter()
            .flatten()
            .min()
    }

    /// When an age on the screen changes: every second while one is in seconds, else every minute;
    /// none without any age.
    fn next_age(&self) -> Option<Duration> {
        let layout = self.layout();
        let rows = self.table.visible(layout.table_rows());
        let watched = self.watch.keys().iter().filter_map(|key| key.series.as_ref());
        let shown = watched.filter(|_| layout.watch.is_some());
        let answer = self.typed_answer.iter().filter(|_| layout.answer.is_some());
        let answered = answer.flat_map(TypedAnswer::lines).map(|line| line.point.timestamp);
        let newest = rows.chain(shown).map(|series| series.last.timestamp).chain(answered).max()?;
        let is_young = self.now().unix().saturating_sub(newest) < 60;
        let by_second = is_young || self.alerts.counts_time();
        Some(self.now().next_multiple(if by_second { 1000 } else { 60_000 }))
    }

    /// The mode that gets the keys.
    pub fn mode(&self) -> Mode {
        self.input.mode(self.panes.focus())
    }

    /// The layout of the screen.
    pub fn layout(&self) -> Layout {
        let mut layout = self.panes.layout(!self.watch.is_empty());
        if let Some(answer) = &self.typed_answer {
            layout.show_answer(answer.lines().len());
        }
        layout
    }

    /// The answer to the last typed `get`, until it is closed.
    pub fn typed_answer(&self) -> Option<&TypedAnswer> {
        self.typed_answer.as_ref()
    }

    /// Keeps the selections in sight.
    fn after_layout_change(&mut self) {
        let layout = self.layout();
        self.log.reveal(layout.log_rows());
        self.table.move_by(0, layout.table_rows());
    }

    /// The action has something to act on, so its key is worth a hint.
    pub fn offers(&self, action: Action) -> bool {
        match action {
            Action::Log(action) => self.log.offers(action, self.input.line()),
            Action::Prompt(PromptAction::Clear) if self.input.prompt.text().is_empty() => {
                self.panes.is_visiting_prompt()
            }
            _ => true,
        }
    }

    /// The pane that was last in focus.
    pub fn last_pane(&self) -> Pane {
        self.panes.pane()
    }

    /// The command line, the overlay and the pasted lines.
    pub fn input(&self) -> &Input {
        &self.input
    }

    /// The zone for times of day.
    pub fn zone(&self) -> &TimeZone {
        self.cx.zone()
    }

    /// The time of the last event.
    pub fn now(&self) -> Moment {
        self.cx.now()
    }

    /// The notice on the bottom line.
    pub fn notice(&self) -> Option<&context::Notice> {
        self.cx.notice()
    }

    /// The verdict on the command line.
    pub fn verdict(&self) -> input::prompt::check::Verdict {
        self.input.prompt.verdict(self.now(), self.zone(), self.feed.extension())
    }

    /// The wire log.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The table of the last answer.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The watched keys.
    pub fn watch(&self) -> &Watch {
        &self.watch
    }

    /// The chart of the watched keys in this many columns and rows, with legend and axes.
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

    /// Every put of what is on the screen is told.
    pub fn is_live(&self) -> bool {
        self.feed.is_live() && !self.polling.is_paused()
    }

    /// The feed of the screen.
    pub fn feed(&self) -> &Feed {
        &self.feed
    }

    /// The connection.
    pub fn link(&self) -> &Link {
        &self.link
    }
}
