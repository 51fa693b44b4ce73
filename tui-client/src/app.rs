//! The application: [`App::update`] takes an event and returns effects. The parts decide; this file
//! routes events, actions and messages to them. The application does no input or output, reads no
//! clock and does not draw.

pub mod answer;
pub mod chart;
mod config;
pub mod context;
pub mod copy_command;
pub mod input;
pub mod line_input;
pub mod log;
pub mod message;
pub mod place;
pub mod replayed;
mod routes;
mod saving;
pub mod screen;
pub mod server;
pub mod table;
mod unopened;
pub mod watch;

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use shared::Glob;

use crate::effect::{ComputeJob, Effect, Ending, NetworkOrder};
use crate::event::{Event, Moment};
use crate::keymap::{Action, Hint, LogAction, Mode, Pane, PromptAction, WatchAction};
use crate::metrics::alerts::{Alert, Alerts};
use crate::metrics::marks::{Mark, Marks};
use crate::metrics::series::summary::Answer;
use crate::metrics::sort::SortJob;
use crate::metrics::watch_plan::with_alerted;
use crate::session::{Base, Look};
use crate::wire_log::entry::Tone;
use answer::TypedAnswer;
pub use config::AppConfig;
use context::Context;
use input::Input;
use line_input::{InputPurpose, LineInput};
use log::Log;
use message::Message;
use place::Place;
use replayed::Replayed;
use saving::Saving;
use screen::layout::Layout;
use screen::panes::Panes;
use server::feed::Feed;
use server::halves::Halves;
use server::link::Link;
use server::polling::{ALL, Polling};
use server::sources::Sources;
use table::Table;
use unopened::Unopened;
use watch::Watch;

/// The state of the application.
#[derive(Debug)]
pub struct App {
    cx: Context,
    panes: Panes,
    input: Input,
    log: Log,
    table: Table,
    place: Place,
    marks: Marks,
    sources: Sources,
    watch: Watch,
    alerts: Alerts,
    /// The alerts that were dropped last.
    dropped_alerts: Vec<Alert>,
    /// It was said that alerts are not on all keys.
    is_cut_said: bool,
    /// The answer to the last typed `get`.
    typed_answer: Option<TypedAnswer>,
    polling: Polling,
    link: Link,
    feed: Feed,
    /// Queries that lost points made the server refuse.
    halves: Halves,
    /// When the table was last in sight.
    table_seen: Option<Duration>,
    /// When the rows of the table may be arranged again because of told points.
    rearrange_at: Duration,
    /// Why the follow was cut off, until it is begun anew. When the server is gone, that is said of
    /// the connection of the prompt alone.
    cut_off: Option<String>,
    /// The glob that was watched, or the pattern of the alert that was set last, until it is known
    /// whether a key matches.
    unmatched: Option<Glob>,
    /// Keys are asked for, so that they can be completed.
    wants_keys: bool,
    /// Every key has been told or asked for since the connection was made.
    has_keys: bool,
    /// What the table is compared with.
    base: Option<Base>,
    /// The session that is being saved.
    saving: Option<Saving>,
    /// The saved session that is shown.
    replayed: Option<Replayed>,
    /// What of the view waits for the first answers.
    unopened: Unopened,
    /// How the screen is drawn, where that was asked for.
    look: Look,
    /// The built-in theme that was chosen since the start.
    chosen_theme: Option<&'static str>,
    /// The options of TLS.
    tls: Vec<String>,
    /// The file that the view was opened from.
    view_file: Option<String>,
    /// The file in whose place the view goes if its name is entered again.
    replaced_view: Option<String>,
}

impl App {
    /// The application at the start, on a screen of this size.
    pub fn new(config: AppConfig, width: u16, height: u16, now: Moment) -> Self {
        let sources = Sources::new(config.sources);
        let patterns = with_alerted(&config.watch, &config.alerts);
        let mut watch = Watch::of_runs(patterns, sources.runs());
        watch.set_covered(|pattern, _| !config.watch.contains(pattern));
        let mut app = Self {
            cx: Context::new(now, config.zone, config.abilities),
            panes: Panes::new(width, height, !watch.is_empty()),
            input: Input::default(),
            log: Log::new(config.log_memory, config.raw_log),
            table: Table::new(ALL).arranged_as(config.table).of_runs(sources.runs()),
            place: Place::default(),
            marks: sources.marks(),
            sources,
            watch,
            alerts: Alerts::new(&config.alerts),
            dropped_alerts: Vec::new(),
            is_cut_said: false,
            typed_answer: None,
            polling: Polling::new(config.interval),
            link: Link::new(config.address, config.reconnect_seed),
            feed: Feed::default(),
            halves: Halves::default(),
            table_seen: None,
            rearrange_at: Duration::ZERO,
            cut_off: None,
            unmatched: None,
            wants_keys: false,
            has_keys: false,
            base: None,
            saving: None,
            replayed: None,
            unopened: Unopened::default(),
            look: config.view.look.clone(),
            chosen_theme: None,
            tls: config.tls,
            view_file: config.view_file,
            replaced_view: None,
        };
        if app.sources.are_marks_apart() {
            app.feed.follow_beside(app.marks.own().collect());
        }
        match config.replayed {
            Some(session) => app.replay(session),
            None => app.open_view(&config.view),
        }
        app
    }

    /// The effects at the start.
    pub fn start(&self) -> Vec<Effect> {
        vec![Effect::Network(NetworkOrder::Connect)]
    }

    /// Takes an event and returns its effects in order.
    pub fn update(&mut self, event: Event, now: Moment) -> Vec<Effect> {
        let before = self.layout();
        let is_input = matches!(event, Event::Key(_) | Event::Mouse(_) | Event::Paste(_));
        self.cx.begin(now, is_input);
        self.route(event, now);
        while let Some(message) = self.cx.take_message() {
            self.carry_out(message);
        }
        let layout = self.layout();
        if (layout.log, layout.table) != (before.log, before.table) {
            self.after_layout_change();
        }
        let (rows, room) = (layout.table_rows(), layout.table_room());
        self.place.table_or(&mut self.table).keep_key_widths(rows, room);
        self.join_chart();
        self.work_off();
        self.watch.number_lines();
        self.poll();
        let garbage = self.table.take_garbage();
        self.free(garbage);
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
                self.after_layout_change();
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
            Event::Connected => self.on_connected(),
            Event::Disconnected(reason) => {
                self.link.on_disconnected(&reason, &mut self.log, &mut self.cx);
                // The next one may be another server, or the same one started otherwise.
                self.input.prompt.deletion().forget_server();
                self.watch.reset();
                self.table.drop_first();
                self.input.paste.lose(&mut self.log, &mut self.cx);
                for tag in self.feed.on_disconnected(&mut self.cx) {
                    self.on_points(tag, None);
                }
                self.end_saving();
            }
            Event::Sources(states) => self.on_sources(states),
            Event::DataLost { ids, reason } => self.on_data_lost(&ids, &reason),
            Event::Follow { id, news } => self.on_follow(id, news),
            Event::NotSent { id } => self.on_not_sent(id),
            Event::Progress { id, points, bytes } => {
                let more = self.link.progress(id, points, bytes);
                self.polling.count_moved(0, more, now.elapsed);
            }
            Event::FirstSeries { id, answer } => self.show_first(id, *answer),
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
            event @ (Event::Saved { .. }
            | Event::NotSaved { .. }
            | Event::PictureSaved { .. }
            | Event::PictureNotSaved { .. }
            | Event::ViewSaved { .. }
            | Event::ViewNotSaved { .. }
            | Event::ViewExists { .. }
            | Event::SessionSaved(_)
            | Event::SessionNotSaved { .. }) => self.on_file(event),
            Event::NotCopied(reason) => self.cx.say(Tone::Bad, format!("not copied: {reason}")),
            Event::FileFailed(reason) => self.log.report(reason, &mut self.cx),
            Event::Sorted(sorted) => {
                let (rows, time) = (self.layout().table_rows(), self.table_time());
                let job = match self.place.table_of_job(sorted.id) {
                    Some(past) => past.arranged(sorted, rows, time),
                    None => self.table.arranged(sorted, rows, now.unix()),
                };
                self.sort(job);
            }
            Event::Terminate => self.cx.push(Effect::Quit(Ending::Complete)),
        }
    }

    /// There is a connection, of which nothing is known.
    fn on_connected(&mut self) {
        let now = self.cx.now();
        self.feed.reset();
        self.cut_off = None;
        (self.has_keys, self.wants_keys) = (false, false);
        self.link.on_connected(&mut self.log, &mut self.cx);
        self.polling.restart(now.elapsed);
        self.watch.reset();
        self.place.reset();
        self.marks.clear();
    }

    /// Carries out a message of one part to the others.
    fn carry_out(&mut self, message: Message) {
        let rows = self.layout().log_rows();
        match message {
            // The hints say how to go back.
            Message::Focus(Mode::Prompt) => self.panes.visit_prompt(),
            Message::Focus(mode) => self.panes.focus_on(mode),
            Message::Ask(purpose, text) => self.input.ask(purpose, &text),
            Message::Refresh => self.polling.refresh_at(self.cx.now().elapsed),
            Message::Submit => self.submit(),
            Message::SendPaste => {
                let (link, log, cx) = (&mut self.link, &mut self.log, &mut self.cx);
                self.input.send_paste(link, self.watch.patterns(), log, cx);
            }
            Message::Cycle(step) => self.panes.cycle(step, !self.watch.is_empty()),
            Message::FilterTable(filter) => self.filter_table(filter),
            Message::Query(query) => self.feed.ask(query),
            Message::Alert(alert) => {
                self.watch.cover(alert.pattern());
                self.unmatched = Some(alert.pattern().clone());
                self.cx.say(Tone::Good, format!("alert on {alert}"));
                self.alerts.add(alert);
                self.is_cut_said = false;
                self.evaluate_alerts();
                self.say_unmatched();
            }
            Message::Watch(pattern) => {
                self.unmatched = (!pattern.is_key()).then(|| pattern.clone());
                let glob = self.unmatched.clone();
                self.watch.add(pattern);
                if let Some(glob) = glob {
                    self.watch.select_first_of(glob);
                }
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
            Message::GoToTime(text) => {
                self.go_to_moment(&text);
            }
            Message::Mark(name, at) => self.mark(&name, at),
            Message::CompareWith(text) => self.compare_with(&text),
            Message::SaveLog(path) => self.log.save(path, &mut self.cx),
            Message::SaveSession(path) => self.save_session(path),
            Message::SaveView(path) => self.save_view(path),
        }
    }

    /// Has large answers dropped by a background thread.
    fn free(&mut self, answers: Vec<Arc<Answer>>) {
        for answer in answers {
            self.cx.push(Effect::Compute(ComputeJob::Free(answer)));
        }
    }

    fn sort(&mut self, job: Option<SortJob>) {
        if let Some(job) = job {
            self.cx.push(Effect::Compute(ComputeJob::Sort(job)));
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
        let totals = self.chart_may_ask().then(|| self.watch.next_totals(now));
        let chart = chart.flatten().into_iter().chain(totals.flatten()).min();
        let calm = self.alerts.next_calm(now);
        [busy, link, fresh, notice, poll, feed, chart, calm, self.next_work(), self.next_age()]
            .into_iter()
            .flatten()
            .min()
    }

    /// When an age on the screen changes: every second while one is in seconds, else every minute;
    /// none without any age.
    fn next_age(&self) -> Option<Duration> {
        // The clock of a saved session stands still.
        if self.replayed.is_some() {
            return None;
        }
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
        let is_calm = self.log.is_calm(self.now().elapsed);
        let mut layout = self.panes.layout(!self.watch.is_empty(), is_calm);
        if let Some(answer) = &self.typed_answer {
            layout.show_answer(answer.lines().len(), self.panes.focus() == Mode::Prompt);
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
        self.place.table_or(&mut self.table).move_by(0, layout.table_rows());
    }

    /// The action has something to act on, so its key is worth a hint.
    pub fn offers(&self, action: Action) -> bool {
        match action {
            Action::Log(action) => self.log.offers(action, self.input.line()),
            // A server with selectors tells every put.
            Action::Interval(_) => {
                self.link.is_connected() && self.feed.has_selectors() != Some(true)
            }
            Action::SilenceAlerts => {
                let now = self.now().elapsed;
                self.alerts.is_restless(now) && self.alerts.silenced(now) == 0
            }
            // From the watched keys to a table that is out of sight.
            Action::CyclePane(-1) => self.layout().table.is_none(),
            Action::RecallFilter => {
                let purpose = self.input.line().map(LineInput::purpose);
                matches!(purpose, Some(InputPurpose::Filter(_)))
                    && self.table().dropped_filter().is_some()
            }
            Action::CompleteLine { .. } => {
                let purpose = self.input.line().map(LineInput::purpose);
                matches!(
                    purpose,
                    Some(InputPurpose::Watch | InputPurpose::Compare | InputPurpose::Mark(_))
                )
            }
            Action::Refresh => self.link.is_connected(),
            Action::Live if self.mode() == Mode::Watch => {
                self.watch.is_chart_moved() || self.place.at().is_some()
            }
            Action::Watch(WatchAction::Leave) if self.mode() == Mode::Watch => {
                self.watch.has_cursor()
            }
            Action::Prompt(PromptAction::Clear) if self.input.prompt.text().is_empty() => {
                self.panes.is_visiting_prompt()
            }
            _ => true,
        }
    }

    /// The word of a hint, which for a key that turns something on and off is what it does next.
    pub fn hint_word(&self, hint: &Hint) -> &'static str {
        match hint.action {
            Action::TogglePause if self.polling.is_paused() => "resume",
            Action::Watch(WatchAction::Leave) if self.watch.has_cursor() => "live",
            Action::Log(LogAction::Match { .. }) if self.types_log_filter() => "dropped",
            _ => hint.word,
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

    /// The table: as of the place in time, else of the last answer.
    pub fn table(&self) -> &Table {
        self.place.table().unwrap_or(&self.table)
    }

    /// The marks.
    pub fn marks(&self) -> &Marks {
        &self.marks
    }

    /// The place in time.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The watched keys.
    pub fn watch(&self) -> &Watch {
        &self.watch
    }

    /// The chart of the watched keys in this many columns and rows, with legend and axes.
    pub fn chart(&self, width: u16, height: u16) -> chart::Chart {
        let marks = self.marks_in_chart();
        let events: Vec<i64> = marks.map(|mark| mark.at).collect();
        self.watch.chart((width, height), &events, &self.alerts, self.zone())
    }

    /// The marks that the chart shows.
    pub fn marks_in_chart(&self) -> impl Iterator<Item = &Mark> {
        let range = self.watch.chart_bounds().map(|bounds| self.watch.viewport().range(bounds));
        self.marks.within(range.unwrap_or((0, -1)))
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

    /// The sources of the view, where it is of several servers.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// The options of TLS, as they were typed; none without TLS.
    pub fn tls(&self) -> &[String] {
        &self.tls
    }

    /// The connection.
    pub fn link(&self) -> &Link {
        &self.link
    }
}
