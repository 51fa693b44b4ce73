//! What a follow tells: its lines, their order against the state before them, and its losses.

use std::time::Duration;

use bytes::Bytes;
use shared::response::{News, decode_news};

use crate::app::App;
use crate::app::server::feed::FeedEvent;
use crate::app::table::Table;
use crate::app::watch::tell_alerts;
use crate::event::FollowNews;
use crate::request::pending::Purpose;
use crate::wire_log::entry::Tone;

/// Told lines that are taken in one event, in bytes: more than an event brings, so that what is held
/// is caught up with, and little enough for a key that comes meanwhile.
const MAX_AT_ONCE: usize = 128 * 1024;

/// Wait before lines are taken that are more than one event takes.
const HELD_RETRY: Duration = Duration::from_millis(1);

/// The least time between two arrangements of all rows because of told points.
const MIN_REARRANGE: Duration = Duration::from_millis(100);

/// This time more for each row, in microseconds: some forty times what it takes.
const REARRANGE_MICROS: u64 = 4;

impl App {
    pub(in crate::app) fn on_follow(&mut self, id: u64, news: FollowNews) {
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
                self.sources.renew();
                self.tell_away();
                self.complete_past();
                let pattern = self.feed.pattern().unwrap_or_default();
                if let Some(reason) = self.cut_off.take() {
                    let why = if self.sources.is_one_server() {
                        format!("following again: {reason}")
                    } else {
                        "following all again: a server came or went".to_owned()
                    };
                    self.log.note(now, Tone::Quiet, &why);
                }
                self.log.log_follow(id, pattern, Ok(()), now);
                if !self.polling.is_paused() {
                    self.watch.refresh_chart();
                    self.ask_state(Some(id));
                    self.compare_as_saved();
                }
            }
            FeedEvent::Lines(lines) => self.on_lines(lines),
            FeedEvent::Lost(reason) => self.cut_off = Some(reason),
            FeedEvent::Polled => self.begin_to_poll(),
        }
    }

    /// Takes lines of the follow; they wait while the state before them is under way.
    pub(in crate::app) fn on_lines(&mut self, lines: Bytes) {
        let now = self.cx.now();
        self.polling.count_moved(0, lines.len() as u64, now.elapsed);
        self.log.log_news(&lines, now);
        self.feed.hold(lines, now.elapsed);
    }

    pub(in crate::app) fn lose_follow(&mut self, reason: &str) {
        self.cut_off = Some(reason.to_owned());
        if let FeedEvent::Polled = self.feed.on_lost(reason.to_owned(), self.cx.now().elapsed) {
            self.begin_to_poll();
        }
    }

    /// The server tells nothing: it is polled from now on.
    pub(in crate::app) fn begin_to_poll(&mut self) {
        if let Some(reason) = self.cut_off.take() {
            self.log.note(self.cx.now(), Tone::Quiet, &format!("not followed: {reason}"));
        }
        self.polling.restart(self.cx.now().elapsed);
        self.watch.reset();
        self.log.restart();
        if self.feed.has_selectors() == Some(false) {
            self.open_without_past();
        }
    }

    /// Takes the held lines, as many as an event has time for, and arranges the rows that they
    /// have changed.
    pub(in crate::app) fn work_off(&mut self) {
        let rows = self.layout().table_rows();
        self.table.show_renewed(rows);
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
        self.table.show_moved();
        self.table.age(now.unix());
        if self.table.is_outdated() && self.rearrange_at <= now.elapsed {
            self.rearrange(rows);
        }
        self.table.tidy(rows, now.unix());
        self.work_off_past(rows);
    }

    /// Arranges all rows of the table anew; no sooner than after a while again.
    fn rearrange(&mut self, rows: usize) {
        let now = self.cx.now();
        let all = self.table.answer().series.len() as u64;
        let pace = Duration::from_micros(all * REARRANGE_MICROS);
        self.rearrange_at = now.elapsed + MIN_REARRANGE + pace;
        let job = self.table.rearrange(rows, now.unix());
        self.sort(job);
    }

    /// Brings a table that is arranged at once into order for the frame that is drawn next. Told
    /// points come in several events, of which only the first would be in order otherwise; an order
    /// for each event would cost more than the frames.
    pub fn prepare_frame(&mut self) {
        if self.table.is_outdated() && self.table.is_small() {
            self.rearrange(self.layout().table_rows());
        }
    }

    /// Arranges the rows of the table as of a time by the numbers that have come.
    fn work_off_past(&mut self, rows: usize) {
        let (now, time) = (self.cx.now().elapsed, self.table_time());
        let job = self.place.table_mut().and_then(|past| {
            past.show_numbers(now);
            past.show_moved();
            let job = past.is_outdated().then(|| past.rearrange(rows, time)).flatten();
            past.tidy(rows, time);
            job
        });
        self.sort(job);
        let garbage = self.place.table_mut().map(Table::take_garbage);
        self.free(garbage.unwrap_or_default());
    }

    /// When the work on told lines goes on.
    pub(in crate::app) fn next_work(&self) -> Option<Duration> {
        let now = self.cx.now().elapsed;
        let holds = self.feed.holds() && !self.feed.is_loading();
        let outdated = self.table.is_outdated();
        // The end of a job that needs the rows as they are is an event of its own.
        let lines = (holds && self.table.is_free()).then(|| now + HELD_RETRY);
        let live = self.live_rows().filter(|_| !self.polling.is_paused());
        let numbers = live.and_then(|(rows, room)| self.table().next_numbers(rows, room));
        // How things stood does not change.
        let numbers = numbers.filter(|&at| at < Duration::MAX);
        let ages = self.table.ages().then(|| self.cx.now().next_multiple(1000));
        let arranged = outdated.then_some(self.rearrange_at);
        [lines, numbers, ages, arranged, self.next_renewal()].into_iter().flatten().min()
    }

    /// Takes told lines.
    pub(in crate::app) fn tell(&mut self, lines: &[u8]) {
        let now = self.cx.now();
        let has_table = self.table.is_live() && self.feed.follows_all();
        let mut malformed = 0;
        let are_marks_apart = self.sources.are_marks_apart();
        let is_apart = |app: &Self, key: &str| {
            let is_mark = are_marks_apart && app.marks.name_of(key).is_some();
            is_mark && app.sources.of_key(key).is_none()
        };
        for news in decode_news(lines) {
            match news {
                Ok(News::Point(key, point)) => {
                    self.marks.tell(key.as_str(), point.timestamp);
                    if is_apart(self, key.as_str()) {
                        continue;
                    }
                    self.place.tell(point.timestamp);
                    let is_known = has_table && self.table.tell(key, point, now.unix());
                    let may_be_new = !is_known;
                    let told = (key, point);
                    if let Some(series) = self.watch.tell(told, may_be_new, now) {
                        let events = self.alerts.evaluate_point(series, point, now.unix());
                        if !events.is_empty() {
                            let (alerts, log) = (&mut self.alerts, &mut self.log);
                            tell_alerts(&events, alerts, log, &mut self.cx);
                            self.watch.set_alarm(key.as_str(), self.alerts.fires(key.as_str()));
                        }
                    }
                }
                Ok(News::TakenBack(key, timestamp)) => {
                    self.marks.take_back(key.as_str(), timestamp);
                    if is_apart(self, key.as_str()) {
                        continue;
                    }
                    self.place.tell(timestamp);
                    let is_shown = has_table && self.table.ends_at(key, timestamp);
                    self.watch.take_back(key.as_str(), timestamp);
                    if is_shown || self.watch.has(key.as_str()) {
                        self.feed.take_back(key.as_str(), now.elapsed);
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
    pub(in crate::app) fn on_data_lost(&mut self, ids: &[u64], reason: &str) {
        let now = self.cx.now();
        let mut is_held = false;
        for pending in self.link.on_lost(ids) {
            is_held |= self.feed.answered(pending.id);
            let next = now.elapsed + self.polling.interval();
            match pending.purpose {
                Purpose::Watch(_) => self.watch.done(next),
                Purpose::Query(tag) => self.on_points(tag, None),
                Purpose::Refresh
                | Purpose::Snapshot(_)
                | Purpose::Renewal(_)
                | Purpose::Keys
                | Purpose::Typed(_) => {}
                Purpose::AsOf => self.place.fail(),
                Purpose::Base(_) => self.cx.say(Tone::Bad, format!("not compared: {reason}")),
            }
        }
        self.log.log_lost(reason, now);
        self.table.drop_first();
        self.feed.on_data_lost();
        // A server that is gone without a word tells nothing either.
        if is_held || self.feed.is_live() {
            self.lose_follow(reason);
        }
    }
}
