//! Sessions: one is saved, and one that was saved is shown as it was.

use std::sync::Arc;

use shared::Glob;

use crate::app::App;
use crate::app::line_input::InputPurpose;
use crate::app::saving::{Saving, Scope};
use crate::app::table::compared::COLUMNS;
use crate::app::watch::Watch;
use crate::effect::{Effect, FileJob};
use crate::keymap::{Mode, Pane};
use crate::metrics::reply::PointLists;
use crate::metrics::sort::{Sort, TableSpec};
use crate::request::pending::{Purpose, SessionQuery};
use crate::session::{Base, ChartView, Focus, LeftOut, Session, SessionFile, View};
use crate::text::{number, time};
use crate::wire_log::entry::Tone;
use crate::wire_log::store::Snapshot;

/// The least time of the table that is saved, in seconds: what happened before it was thought of.
const MIN_TIME: i64 = 900;

/// The most of it where the window of the table has no beginning.
const MAX_TIME: i64 = 86_400;

/// Of more keys only those in sight are saved.
const MAX_KEYS: u64 = 20_000;

/// A saved session that is shown, and what of its view waits for the first answers.
#[derive(Debug)]
pub struct Replayed {
    /// Unix seconds at which it was saved.
    pub saved_at: i64,
    base: Option<Base>,
    sort: Option<Sort>,
    chart: Option<ChartView>,
    /// The key of the selected row; none for the first row, whatever its key.
    row: Option<String>,
    /// The row is still to be selected.
    row_is_due: bool,
}

impl App {
    /// Saves the session at a path as typed: asks for what is in it, if the server can be asked.
    pub(in crate::app) fn save_session(&mut self, path: String) {
        if self.saving.is_some() {
            return self.cx.say(Tone::Plain, "the session is being saved");
        }
        let (view, log) = (self.session_view(), self.log.snapshot());
        let log = Snapshot { filter: None, ..log };
        let number = self.link.next_id();
        let mut saving = Saving::new(number, path, view, log, self.session_scope());
        if self.feed.has_selectors() == Some(true) && self.link.is_connected() {
            self.cx.say(Tone::Plain, "saving the session");
            for query in saving.begin() {
                self.feed.ask(query);
            }
            self.saving = Some(saving);
            return;
        }
        let known = self.table.answer().series.iter();
        let watched = self.watch.keys().iter().filter_map(|key| key.series.as_ref());
        for series in watched.chain(known) {
            let points = series.recent().iter().copied().chain([series.last]);
            saving.add_points(series.key.as_str(), points);
        }
        self.write_session(saving);
    }

    /// Takes the answer to a query for the session.
    pub(in crate::app) fn on_session_points(
        &mut self,
        query: SessionQuery,
        points: Option<&PointLists>,
    ) {
        let Some(saving) = &mut self.saving else { return };
        let queries = saving.take(query, points);
        for query in queries {
            self.feed.ask(query);
        }
        if let Some(saving) = self.saving.take_if(|saving| saving.is_complete()) {
            self.write_session(saving);
        }
    }

    /// The connection is lost: what has come is saved.
    pub(in crate::app) fn end_saving(&mut self) {
        if let Some(saving) = self.saving.take() {
            self.write_session(saving);
        }
    }

    fn write_session(&mut self, saving: Saving) {
        let (path, session, left_out) = saving.into_parts();
        let session = Arc::new(session);
        self.cx.push(Effect::File(FileJob::SaveSession { path, session, left_out }));
    }

    /// Says what a file has that is written.
    pub(in crate::app) fn on_session_saved(&mut self, file: &SessionFile) {
        let &SessionFile { keys, points, lines, bytes, left_out, .. } = file;
        let keys = number::plural(keys, "key", "keys");
        let points = number::plural(points, "point", "points");
        let lines = number::plural(lines, "log line", "log lines");
        let count = |keys| number::plural(keys, "key", "keys");
        let without = match left_out {
            LeftOut { keys: 0, points_of: 0 } => String::new(),
            LeftOut { keys: 0, points_of } => {
                format!(", of {} only the newest points", count(points_of))
            }
            LeftOut { keys, .. } => format!(", without {} that are out of sight", count(keys)),
        };
        let bytes = number::bytes(bytes);
        let text = format!("{keys}, {points}, {lines}{without}: {bytes} in ");
        self.cx.say_name(Tone::Good, &text, &file.path);
    }

    /// Says why a file is not written, and asks for another name.
    pub(in crate::app) fn on_session_not_saved(&mut self, path: &str, reason: &str) {
        if self.mode().pane().is_some() {
            self.input.ask(InputPurpose::SaveSession, path);
        }
        self.log.report(format!("{path}: not saved, {reason}"), &mut self.cx);
    }

    fn session_view(&self) -> View {
        let table = &self.table;
        let compares = self.base.is_some();
        let columns =
            table.chosen().shown().filter(|column| !(compares && COLUMNS.contains(column)));
        View {
            address: self.link.address().to_owned(),
            sources: self.sources.iter().map(|source| source.label.clone()).collect(),
            saved_at: self.cx.now().unix(),
            watch: self.watch.shown_patterns(),
            alerts: self.alerts.alerts().cloned().collect(),
            table: TableSpec {
                filter: self.table().filter().cloned(),
                sort: self.table().sort_apart(),
                columns: columns.collect(),
                window: table.window(),
            },
            raw_log: self.log.is_raw(),
            place: self.place.at(),
            compared: self.base.clone(),
            compared_sort: self.base.as_ref().map(|_| self.table().sort()),
            chart: ChartView {
                window: self.watch.viewport().window(),
                log: self.watch.viewport().log,
                cursor: self.watch.viewport().cursor(),
                selected: self.watch.selected_key().map(|key| key.key.clone()),
                marked: {
                    let kept = self.watch.keys().iter().filter(|key| key.kept);
                    kept.map(|key| key.key.clone()).collect()
                },
            },
            pane: focus_of(pane_mode(self.last_pane())),
            focus: focus_of(self.panes.focus()),
            selected_row: self.table().held_key().map(ToString::to_string),
        }
    }

    /// What the session is of: the window of the table, and what is in sight.
    fn session_scope(&self) -> Scope {
        let now = self.cx.now().unix();
        let window = self.table.window().seconds().unwrap_or(MAX_TIME).max(MIN_TIME);
        let newest = self.place.at().map_or(now, |at| at.min(now));
        let from = newest.saturating_sub(window);
        let glob = |key: &str| key.parse::<Glob>().ok();
        let bounds = self.watch.chart_bounds();
        let chart = bounds.map(|bounds| {
            let (begin, _) = self.watch.viewport().range(bounds);
            (begin, self.watch.in_chart().filter_map(|key| glob(&key.key)).collect())
        });
        let mut in_sight: Vec<Glob> = Vec::new();
        let rows = self.table().visible(self.layout().table_rows());
        let watched = self.watch.keys().iter().map(|key| key.key.as_str());
        for key in watched.chain(rows.map(|row| row.key.as_str())).filter_map(glob) {
            if !in_sight.contains(&key) {
                in_sight.push(key);
            }
        }
        let history = Watch::history(self.watch.patterns());
        let history = history.into_iter().map(|(_, selector)| selector).collect();
        let keys = self.table.answer().series.len() as u64;
        let out_of_sight = keys.saturating_sub(in_sight.len() as u64);
        let keys_left_out = if keys > MAX_KEYS { out_of_sight } else { 0 };
        let earlier = from.saturating_sub(window);
        let marks = self.marks.selector();
        Scope { from, earlier, chart, in_sight, marks, history, keys_left_out }
    }

    /// Shows a saved session as it was; its points come as those of a server.
    pub(in crate::app) fn replay(&mut self, session: &Session) {
        let View { saved_at, place, compared, compared_sort, chart, pane, focus, .. } =
            &session.view;
        self.log.replay(&session.log);
        let ids = session.log.entries().filter_map(|line| line.exchange);
        self.link.skip_ids(ids.max().unwrap_or(0));
        for focus in [pane, focus] {
            match focus {
                Focus::Prompt => self.panes.visit_prompt(),
                Focus::Table => self.panes.focus_on(Mode::Table),
                Focus::Watch if !self.watch.is_empty() => self.panes.focus_on(Mode::Watch),
                Focus::Chart if !self.watch.is_empty() => self.panes.focus_on(Mode::Chart),
                Focus::Watch | Focus::Chart => {}
                Focus::Log => self.panes.focus_on(Mode::Log),
            }
        }
        self.watch.show_view(chart);
        if let Some(at) = *place {
            self.move_place(at);
        }
        self.replayed = Some(Replayed {
            saved_at: *saved_at,
            base: compared.clone(),
            sort: *compared_sort,
            chart: Some(chart.clone()),
            row: session.view.selected_row.clone(),
            row_is_due: true,
        });
    }

    /// The recording has begun to answer: asks for what the table was compared with.
    pub(in crate::app) fn compare_as_saved(&mut self) {
        let base = self.replayed.as_mut().and_then(|replayed| replayed.base.take());
        if let Some(base) = base {
            self.ask_base(base);
        }
    }

    /// Asks how things stood, to compare the table with that.
    pub(in crate::app) fn ask_base(&mut self, base: Base) {
        let name = match &*base.mark {
            "" => time::date(base.at, self.cx.zone()),
            mark => mark.to_owned(),
        };
        self.send((format!("get *[last@{}]", base.at), Purpose::Base(name)));
        self.base = Some(base);
    }

    /// The table is compared: its order is the one that was saved.
    pub(in crate::app) fn sort_as_saved(&mut self) {
        let sort = self.replayed.as_mut().and_then(|replayed| replayed.sort.take());
        if let Some(sort) = sort {
            let (rows, time) = (self.layout().table_rows(), self.table_time());
            let job = self.place.table_or(&mut self.table).set_sort(sort, rows, time);
            self.sort(job);
        }
        self.select_row_as_saved();
    }

    /// Selects the row that was, once the rows are known as they were.
    pub(in crate::app) fn select_row_as_saved(&mut self) {
        let is_there = self.place.at().is_none() || self.place.table().is_some();
        let is_due = |replayed: &&mut Replayed| replayed.row_is_due && replayed.sort.is_none();
        let Some(replayed) = self.replayed.as_mut().filter(is_due).filter(|_| is_there) else {
            return;
        };
        replayed.row_is_due = false;
        let key = replayed.row.take().and_then(|key| key.parse().ok());
        let rows = self.layout().table_rows();
        let table = self.place.table_or(&mut self.table);
        match key {
            Some(key) => table.select(&key, rows),
            None => table.move_by(isize::MIN, rows),
        }
    }

    /// The watched keys are known: selects and marks those that were.
    pub(in crate::app) fn chart_as_saved(&mut self) {
        let chart = self.replayed.as_mut().and_then(|replayed| replayed.chart.take());
        if let Some(chart) = chart {
            self.watch.select_and_mark(&chart);
        }
    }

    /// The saved session that is shown.
    pub fn replayed(&self) -> Option<&Replayed> {
        self.replayed.as_ref()
    }
}

fn pane_mode(pane: Pane) -> Mode {
    match pane {
        Pane::Table => Mode::Table,
        Pane::Watch => Mode::Watch,
        Pane::Log => Mode::Log,
    }
}

fn focus_of(mode: Mode) -> Focus {
    match mode {
        Mode::Table => Focus::Table,
        Mode::Watch => Focus::Watch,
        Mode::Chart => Focus::Chart,
        Mode::Log => Focus::Log,
        _ => Focus::Prompt,
    }
}
