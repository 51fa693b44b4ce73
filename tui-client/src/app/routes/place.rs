//! The place in time: it moves with the cursor of the chart or to a time that is typed, and with it
//! the table, the chart and the log.

use std::time::Duration;

use shared::Key;
use shared::response::Status;

use crate::app::App;
use crate::app::server::sources::Standing;
use crate::app::table::Table;
use crate::app::table::let_go::MAX_KEYS;
use crate::app::watch::Watched;
use crate::keymap::{Mode, Pane};
use crate::metrics::reply::Reply;
use crate::metrics::series::Series;
use crate::request::pending::Purpose;
use crate::sources::Away;
use crate::text::{moment, number, time};
use crate::wire_log::entry::Tone;

impl App {
    /// Goes to a time that is typed with table, chart and log; says whether it is one, or else why not.
    pub(in crate::app) fn go_to_moment(&mut self, text: &str) -> bool {
        match moment::parse(text, self.counted_from(text, &['+']), self.cx.zone()) {
            Ok(at) => self.go_to_time(at),
            Err(why) => {
                self.cx.say(Tone::Bad, why);
                return false;
            }
        }
        true
    }

    /// The Unix time from which a text counts: the place in time, if there is one and the text begins with
    /// one of these signs.
    pub(in crate::app) fn counted_from(&self, text: &str, signs: &[char]) -> i64 {
        let text = text.trim_start().trim_start_matches('@').trim_start();
        let place = self.place.pointed_at().filter(|_| text.starts_with(signs));
        place.unwrap_or(self.cx.now().unix())
    }

    /// Goes to a Unix time with table, chart and log.
    pub(in crate::app) fn go_to_time(&mut self, at: i64) {
        let now = self.cx.now().unix();
        if at > now {
            let date = time::date(at, self.cx.zone());
            return self.cx.say(Tone::Plain, format!("{date} is still to come"));
        }
        if let Some(begin) = self.replayed.as_ref().and_then(|it| it.begins_after(at)) {
            let begin = time::short_moment(begin, now, self.cx.zone());
            return self.cx.say(Tone::Plain, format!("this session begins {begin}"));
        }
        self.watch.point_to(at);
        self.move_place(at);
        if self.feed.has_selectors() == Some(false) {
            let text = "this server can't say how things stood: the table is of now";
            return self.cx.say(Tone::Plain, text);
        }
        let is_shown = self.layout().watch.is_some();
        let bounds = self.watch.chart_bounds().filter(|_| is_shown);
        let first = bounds.map(|bounds| bounds.first);
        // None of its points is in sight.
        let is_over =
            |last: &i64| bounds.is_some_and(|it| self.watch.viewport().range(it).0 > *last);
        let last = bounds.map(|bounds| bounds.last).filter(is_over);
        if !self.link.is_connected() {
            let text = "the table goes there once the server is back; 0 is live again";
            self.cx.say(Tone::Plain, text);
        } else if let Some(first) = first.filter(|&first| at < first) {
            let date = time::date(first, self.cx.zone());
            let text = format!("the chart begins later: its first point is of {date}");
            self.cx.say(Tone::Plain, text);
        } else if let Some(last) = last {
            let date = time::date(last, self.cx.zone());
            let text = format!("the chart ends before: its last point is of {date}");
            self.cx.say(Tone::Plain, text);
        } else if self.mode() == Mode::Prompt {
            self.cx.say(Tone::Plain, "0 and Enter go back to what is live, or tab and 0");
        }
        if self.table.is_large() {
            let most = number::count(MAX_KEYS as u64);
            self.cx.say(
                Tone::Plain,
                format!("with more than {most} keys the table stays that of now"),
            );
        }
    }

    /// Points the chart to the place in time, when it has opened or has its first points since.
    pub(in crate::app) fn join_chart(&mut self) {
        if let Some(at) = self.place.pointed_at().filter(|_| !self.watch.has_cursor()) {
            self.watch.point_to(at);
        }
        self.watch.reach();
        // Chart and table are of one time, whatever the steps are that have come.
        if let Some((cursor, step)) = self.place.step()
            && self.watch.viewport().cursor() == Some(cursor)
            && self.watch.selected_step(&self.layout()).is_some_and(|now| now != step)
        {
            self.go_to_end_of_step(cursor);
        }
    }

    /// Moves table and log along with the cursor of the chart, which was at another time before.
    pub(in crate::app) fn follow_cursor(&mut self, before: Option<i64>) {
        let cursor = self.watch.viewport().cursor();
        match cursor {
            _ if cursor == before => {}
            Some(at) => self.go_to_end_of_step(at),
            None => self.end_place(),
        }
    }

    /// Moves table and log to the end of the step at the cursor of the chart, which tells of all of it.
    fn go_to_end_of_step(&mut self, cursor: i64) {
        let step = self.watch.selected_step(&self.layout()).unwrap_or(1);
        let end = cursor.saturating_add_unsigned(step.saturating_sub(1));
        self.move_place(end.min(self.cx.now().unix()).max(cursor));
        self.place.set_step(cursor, step);
    }

    /// Moves table and log to a Unix time; the log alone where the table is always of now, because the
    /// server has no selectors.
    pub(in crate::app) fn move_place(&mut self, at: i64) {
        if self.feed.has_selectors() == Some(false) {
            self.place.point_to(at);
        } else {
            self.place.go(at);
        }
        let rows = self.layout().log_rows();
        self.log.go_to(at.saturating_mul(1000), rows);
    }

    /// Back to what is live: the newest points in the chart, the table and the log.
    pub(in crate::app) fn go_live(&mut self) {
        let in_chart = self.mode().pane() == Some(Pane::Watch);
        if in_chart || self.watch.has_cursor() {
            self.watch.go_live();
        } else if self.place.pointed_at().is_none() {
            self.cx.say(Tone::Plain, "this is live; @ goes to a time");
        }
        self.end_place();
    }

    /// The table is that of now, and the log follows.
    pub(in crate::app) fn end_place(&mut self) {
        if self.place.pointed_at().is_none() {
            return;
        }
        self.log.follow();
        if let Some(mut past) = self.place.end() {
            let (rows, now) = (self.layout().table_rows(), self.cx.now().unix());
            let job = self.table.arrange_as(&past, rows, now);
            self.sort(job);
            past.clear();
            self.free(past.take_garbage());
        }
    }

    /// The Unix time that the screen points to: the place in time, or the cursor of the chart where the
    /// table is of now; none while all is live.
    pub(in crate::app) fn pointed_at(&self) -> Option<i64> {
        self.place.pointed_at().or(self.watch.viewport().cursor())
    }

    /// How things stood can be asked for, and would be shown.
    fn may_ask_as_of(&self) -> bool {
        let knows = self.feed.has_selectors() == Some(true) && self.link.is_connected();
        // A chart alone has what it shows.
        let layout = self.layout();
        let has_rows = !layout.full || layout.watch_rows(self.watch.keys().len()) > 0;
        knows && has_rows && !self.table.is_large()
    }

    /// When it is asked again how things stood.
    pub(in crate::app) fn next_renewal(&self) -> Option<Duration> {
        self.place.next_renewal().filter(|_| self.may_ask_as_of())
    }

    /// Asks how things stood, if that is to be known.
    pub(in crate::app) fn ask_as_of(&mut self) {
        let now = self.cx.now().elapsed;
        if let Some(at) = self.place.due(now).filter(|_| self.may_ask_as_of()) {
            let id = self.send((format!("get *[last@{at}]"), Purpose::AsOf));
            self.place.asked(id, at, now);
        }
    }

    /// Shows how things stood.
    pub(in crate::app) fn show_as_of(&mut self, reply: Reply) {
        if reply.status == Status::Error {
            let reason = reply.reason();
            self.cx.say(Tone::Bad, format!("the table stays as it was: {reason}"));
        }
        let unknown = self.unknown_at(self.place.asked_for().unwrap_or_default());
        let answer = (reply.status == Status::Ok).then_some((reply.answer, unknown));
        let rows = self.layout().table_rows();
        let job = self.place.take(reply.id, answer, &self.table, rows);
        self.sort(job);
        self.select_row_as_saved();
    }

    /// The keys of which an answer does not say how they stood at a Unix time.
    pub(in crate::app) fn unknown_at(&self, at: i64) -> Away {
        let unsaved = self.replayed.iter().flat_map(|replayed| replayed.unknown_at(at));
        self.sources.kept().with_keys(unsaved)
    }

    /// Numbers of the table of then are under way, which complete what it shows.
    pub fn is_completing(&self) -> bool {
        self.place.table().is_some_and(Table::is_asking)
    }

    /// Which sources these keys are of, and how they stand; none without such keys.
    pub fn sources_of(&self, unknown: &Away) -> Option<String> {
        let is_one = |source: &&Standing| unknown.has(&source.label.prefix());
        let sources: Vec<_> = self.sources.iter().filter(is_one).collect();
        let are_away = sources.iter().all(|source| !source.state.is_here());
        match &sources[..] {
            [] => None,
            [one] if are_away => Some(format!("{} is away", one.label.shown())),
            [one] => Some(format!("asking {} again …", one.label.shown())),
            [one, other] if are_away => {
                Some(format!("{} and {} are away", one.label.shown(), other.label.shown()))
            }
            more if are_away => Some(format!("{} servers are away", more.len())),
            more => Some(format!("asking {} servers again …", more.len())),
        }
    }

    /// Why a watched key has no point at the place in time.
    pub fn why_not_then(&self, key: &str) -> String {
        let unknown = self.place.table().map(Table::unknown).filter(|unknown| unknown.has(key));
        if unknown.is_some() && self.replayed.is_some() {
            return "not saved".to_owned();
        }
        let source = unknown.and_then(|_| self.sources.of_key(key));
        match source {
            None => "no points then".to_owned(),
            Some(source) if source.state.is_here() => "…".to_owned(),
            Some(source) => format!("not known, {} is away", source.label.shown()),
        }
    }

    /// The series of a watched key: as of [`App::table_time`].
    pub fn watched_series<'a>(&'a self, watched: &'a Watched) -> Option<&'a Series> {
        match self.place.table().map(Table::answer) {
            Some(answer) => {
                let key = Key::new(&watched.key).ok()?;
                answer.series.get(answer.find(key)?)
            }
            None => watched.series.as_ref(),
        }
    }

    /// Why the table is of now, or of another time, although the screen is at a place in time; none
    /// while the answer is still to come.
    pub fn why_not_as_of(&self) -> Option<&'static str> {
        let at = self.place.at()?;
        match self.place.table().and_then(Table::as_of) {
            Some(of) if of == at => None,
            _ if self.table.is_large() => Some("too many keys"),
            _ if self.place.has_failed() => Some("no answer"),
            _ if !self.link.is_connected() => Some("not connected"),
            _ => None,
        }
    }

    /// The Unix time that the table is of.
    pub fn table_time(&self) -> i64 {
        self.place.table().and_then(Table::as_of).unwrap_or(self.now().unix())
    }
}
