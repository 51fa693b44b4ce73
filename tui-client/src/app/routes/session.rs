//! Sessions: one is saved, and one that was saved is shown as it was.

use std::sync::Arc;

use shared::{Glob, Point};

use crate::app::App;
use crate::app::replayed::Replayed;
use crate::app::saving::{Saving, Scope};
use crate::app::watch::Watch;
use crate::effect::{Effect, FileJob};
use crate::metrics::reply::PointLists;
use crate::metrics::rollups::Sample;
use crate::request::pending::SessionQuery;
use crate::session::{LeftOut, Session, SessionFile};
use crate::text::number;
use crate::wire_log::entry::Tone;
use crate::wire_log::store::Snapshot;

/// The least time of the table that is saved, in seconds: what happened before it was thought of.
const MIN_TIME: i64 = 900;

/// The most of it where the window of the table has no beginning.
const MAX_TIME: i64 = 86_400;

/// Of more keys only those in sight are saved.
const MAX_KEYS: u64 = 20_000;

impl App {
    /// Saves the session under a name of the time.
    pub(in crate::app) fn save_session_of_now(&mut self) {
        let path = self.cx.file_name("session");
        self.save_session(path);
    }

    /// Saves the session at a path as typed: asks for what is in it, if the server can be asked.
    pub(in crate::app) fn save_session(&mut self, path: String) {
        if self.saving.is_some() {
            return self.cx.say(Tone::Plain, "the session is being saved");
        }
        if self.table.is_partial() {
            let wait = "not saved: the keys are still coming, save again when they are there";
            return self.cx.say(Tone::Bad, wait);
        }
        let (view, log) = (self.present_view(), self.log.snapshot());
        let log = Snapshot { filter: None, ..log };
        let number = self.link.next_id();
        if let Some(replayed) = &self.replayed {
            // It has all that there is, and says what that is.
            let recording = replayed.recording().clone();
            let around_place = replayed.is_around_place();
            let left_out = LeftOut { keys: 0, points_of: replayed.newest_only(), around_place };
            let session = Arc::new(Session { view, recording, log });
            return self.cx.push(Effect::File(FileJob::SaveSession { path, session, left_out }));
        }
        let mut saving = Saving::new(number, path, view, log, self.session_scope());
        if self.feed.has_selectors() == Some(true) && self.link.is_connected() {
            self.cx.say(Tone::Plain, "saving the session");
            for query in saving.begin() {
                self.feed.ask(query);
            }
            self.saving = Some(saving);
            return;
        }
        for (key, points) in self.known_points() {
            saving.add_points(key, points.into_iter());
        }
        saving.has_newest_only();
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
        if let Some(mut saving) = self.saving.take_if(|saving| saving.is_complete()) {
            let away = self.sources.kept();
            let known = self.known_points().chain(self.charted_points());
            saving.add_away(known.filter(|(key, _)| away.has(key)));
            if saving.lacks_answers() {
                self.say_incomplete();
                saving.has_newest_only();
            }
            self.write_session(saving);
        }
    }

    /// The newest points of keys that the screen has, without a gap, watched ones first; a key may come twice.
    fn known_points(&self) -> impl Iterator<Item = (&str, Vec<Point>)> {
        let watched = self.watch.keys().iter().filter_map(|key| key.series.as_ref());
        watched.chain(self.table.answer().series.iter()).map(|series| {
            let points = series.recent().iter().copied().chain([series.last]);
            (series.key.as_str(), points.collect())
        })
    }

    /// The points of lines in the chart.
    fn charted_points(&self) -> impl Iterator<Item = (&str, Vec<Point>)> {
        let lines = self.watch.lines_of_points(&self.layout());
        lines.into_iter().map(|(key, line)| {
            let point = |it: Sample| Point { timestamp: it.timestamp, value: it.min };
            (key, line.iter().map(point).collect())
        })
    }

    /// The connection is lost: what has come is saved.
    pub(in crate::app) fn end_saving(&mut self) {
        if let Some(mut saving) = self.saving.take() {
            for (key, points) in self.known_points() {
                saving.add_points(key, points.into_iter());
            }
            self.say_incomplete();
            saving.has_newest_only();
            self.write_session(saving);
        }
    }

    fn say_incomplete(&mut self) {
        let text = "not all was answered while the session was saved: it is called one of the newest points";
        self.log.note(self.cx.now(), Tone::Bad, text);
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
            LeftOut { keys: 0, points_of: 0, .. } => String::new(),
            LeftOut { keys: 0, points_of, around_place } => {
                let which = if around_place { "points around the place" } else { "newest points" };
                format!(", of {} only the {which}", count(points_of))
            }
            LeftOut { keys, .. } => format!(", without {} that are out of sight", count(keys)),
        };
        let bytes = number::bytes(bytes);
        let text = format!("{keys}, {points}, {lines}{without}: {bytes} in ");
        self.cx.say_name(Tone::Good, &text, &file.path);
        if without.is_empty() {
            self.cx.say_before_name("saved in ");
        }
    }

    /// What the session is of: the window of the table, and what is in sight.
    fn session_scope(&self) -> Scope {
        let now = self.cx.now().unix();
        let window = self.table.window().seconds().unwrap_or(MAX_TIME).max(MIN_TIME);
        let newest = self.place.at().map_or(now, |at| at.min(now));
        let from = newest.saturating_sub(window);
        // What no server is there to be asked for is added as far as the screen has it.
        let absent = self.sources.absent();
        let glob = |key: &str| key.parse::<Glob>().ok().filter(|_| !absent.has(key));
        let bounds = self.watch.chart_bounds();
        let chart = bounds.map(|bounds| {
            let (begin, _) = self.watch.viewport().range(bounds);
            (begin, self.watch.in_chart().filter_map(|key| glob(&key.key)).collect())
        });
        let mut in_sight: Vec<Glob> = Vec::new();
        let rows = self.table().visible(self.layout().table_rows());
        let in_chart = self.watch.in_chart().map(|key| key.key.as_str());
        let watched = self.watch.keys().iter().map(|key| key.key.as_str());
        let watched = in_chart.chain(watched);
        for key in watched.chain(rows.map(|row| row.key.as_str())).filter_map(glob) {
            if !in_sight.contains(&key) {
                in_sight.push(key);
            }
        }
        let patterns = self.watch.patterns().iter();
        let patterns = patterns.filter(|pattern| !absent.has(pattern.as_str())).cloned();
        let history = Watch::history(&patterns.collect::<Vec<_>>());
        let history = history.into_iter().map(|(_, selector)| selector).collect();
        let keys = self.table.answer().series.len() as u64;
        let out_of_sight = keys.saturating_sub(in_sight.len() as u64);
        let keys_left_out = if keys > MAX_KEYS { out_of_sight } else { 0 };
        let earlier = from.saturating_sub(window);
        let marks = self.marks.selector();
        Scope { from, earlier, chart, in_sight, marks, history, keys_left_out }
    }

    /// Shows a saved session as it was; its points come as those of a server.
    pub(in crate::app) fn replay(&mut self, session: Arc<Session>) {
        self.cx.set_recording();
        self.log.replay(&session.log);
        let ids = session.log.entries().filter_map(|line| line.exchange);
        self.link.skip_ids(ids.max().unwrap_or(0));
        self.sources.replay(&session.view.shifts);
        self.open_view(&session.view);
        self.replayed = Some(Replayed::of(session));
    }

    /// The saved session that is shown.
    pub fn replayed(&self) -> Option<&Replayed> {
        self.replayed.as_ref()
    }
}
