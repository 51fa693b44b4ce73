//! The data of the chart: what a server with selectors is asked for, and the lines.

use std::time::Duration;

use crate::app::chart::line::Line;
use crate::app::chart::viewport::{OPENING, TimeBounds};
use crate::app::chart::{self, MAX_LINES};
use crate::app::screen::layout::Layout;
use crate::app::watch::opening::{CLOSE, KeyTimes, SEVERAL};
use crate::app::watch::{Watch, Watched};
use crate::event::Moment;
use crate::metrics::reply::SeriesPoints;
use crate::metrics::rollups::plan::Urgency;
use crate::metrics::rollups::{Rollups, View};
use crate::metrics::series::present_until;
use crate::metrics::window::Window;
use crate::request::pending::{Priority, Query, QueryTag};

/// The most keys of which the chart keeps what it has asked for.
const MAX_KEPT_KEYS: usize = 2 * MAX_LINES;

impl Watched {
    /// The key has points to be charted.
    pub fn is_chartable(&self) -> bool {
        self.series.is_some() || self.is_asked_for()
    }

    /// The chart knows the key from answers to its own requests.
    pub fn is_asked_for(&self) -> bool {
        self.rollups.is_known() && self.rollups.bounds().is_some()
    }

    /// What the chart knows of the key.
    pub fn rollups(&self) -> &Rollups {
        &self.rollups
    }

    /// The line in a view.
    pub(super) fn line(&self, view: &View) -> Line {
        if self.is_asked_for() {
            return Line::of_samples(self.rollups.line(view), view);
        }
        self.series.as_ref().map(|series| series.recent().clone().into()).unwrap_or_default()
    }

    /// The time of the nearest point before a time, as far as it is known.
    pub(super) fn nearest_before(&self, time: i64, view: &View) -> Option<i64> {
        if self.is_asked_for() {
            return self.rollups.before(time, view);
        }
        let points = self.series.iter().flat_map(|series| series.recent().iter().rev());
        points.map(|point| point.timestamp).find(|&at| at < time)
    }

    /// The time of the nearest point after a time, as far as it is known.
    pub(super) fn nearest_after(&self, time: i64) -> Option<i64> {
        if self.is_asked_for() {
            return self.rollups.after(time);
        }
        let points = self.series.iter().flat_map(|series| series.recent().iter());
        points.map(|point| point.timestamp).find(|&at| at > time)
    }

    /// The times of the points of the key.
    pub(super) fn times(&self) -> Option<KeyTimes> {
        let asked = self.rollups.bounds().filter(|_| self.is_asked_for());
        let (first, last) = asked.or(self.bounds)?;
        let of_series = || self.series.as_ref().map(|series| series.last.timestamp);
        let newest = if asked.is_some() { self.rollups.newest() } else { of_series() };
        let newest = newest.unwrap_or(last);
        let opening = (newest.saturating_sub(OPENING), newest);
        // The points of another quarter of an hour are as good as a beginning.
        let wide = (opening.0.saturating_sub(OPENING), newest);
        let recent = self.series.iter().flat_map(|series| series.recent().iter().rev());
        let recent = recent.map(|point| point.timestamp).skip_while(|&time| time > newest);
        let known = recent.clone().take(SEVERAL).count();
        let is_beyond = |nth, from| recent.clone().nth(nth) >= Some(from);
        let comes_often =
            is_beyond(SEVERAL - 1, opening.0) || is_beyond(1, newest.saturating_sub(CLOSE));
        let has_two = if asked.is_some() && known < 2 {
            // What is not known yet is asked for.
            self.rollups.has(2, opening).unwrap_or(true)
        } else {
            recent.clone().nth(1) >= Some(opening.0)
        };
        let begin = if asked.is_some() {
            self.rollups.first_in(wide)
        } else {
            recent.take_while(|&time| time >= wide.0).last()
        };
        let has_several = known >= SEVERAL;
        Some(KeyTimes { first, newest, last, begin, has_two, has_several, comes_often })
    }
}

impl Watch {
    /// The chart asks the server for what it shows, if that knows selectors.
    pub fn set_chart_asks(&mut self, asks: bool) {
        if self.asks != asks {
            self.asks = asks;
            self.keys.iter_mut().for_each(|key| key.rollups = Rollups::default());
        }
    }

    /// What the chart knows may have changed unnoticed: it is asked for again, and drawn meanwhile.
    pub fn refresh_chart(&mut self) {
        self.keys.iter_mut().for_each(|key| key.rollups.invalidate());
        self.asked_parts.clear();
    }

    /// Takes the queries for what the list on the screen and its chart need; the numbers of the
    /// list are those of a window, and have grown as old as they are at the time `aged`.
    pub fn ask(
        &mut self,
        layout: &Layout,
        window: Window,
        (now, aged): (Moment, Duration),
    ) -> Vec<Query> {
        let mut queries = match layout.watch {
            Some(_) => self.ask_numbers(window, (now, aged)),
            None => Vec::new(),
        };
        queries.extend(self.ask_chart(layout, now.elapsed));
        queries
    }

    fn ask_chart(&mut self, layout: &Layout, now: Duration) -> Vec<Query> {
        let Some(view) = self.asked_view(layout) else { return Vec::new() };
        let mut queries = Vec::new();
        let charted = self.charted_places();
        self.charts += 1;
        for &at in &charted {
            let Some(watched) = self.keys.get_mut(at) else { continue };
            if self.absent.has(&watched.key) {
                continue;
            }
            watched.charted = self.charts;
            if let Some(series) = &watched.series {
                watched.rollups.expect(series.last.timestamp);
            }
            let Some(batch) = watched.rollups.plan(&view, now, self.charts) else { continue };
            let priority = match batch.urgency {
                Urgency::View => Priority::Now,
                Urgency::Beside => Priority::Soon,
                Urgency::Overview => Priority::Background,
            };
            for (part, what) in batch.parts {
                self.queries += 1;
                self.asked_parts.insert(self.queries, (watched.key.clone(), part));
                let selector = format!("{}{}", watched.key, what.clause());
                let tag = QueryTag::Chart(self.queries);
                queries.push(Query { selector, tag, priority });
            }
        }
        self.forget_old_charts();
        queries
    }

    /// When the list and the chart need requests that are not due yet.
    pub fn next_request(&self, layout: &Layout, is_live: bool) -> Option<Duration> {
        let numbers = self.next_numbers().filter(|_| is_live && layout.watch.is_some());
        let view = self.asked_view(layout);
        let chart = view.into_iter().flat_map(|view| {
            let charted = self.charted_places().into_iter().filter_map(|at| self.keys.get(at));
            let charted = charted.filter(|watched| !self.absent.has(&watched.key));
            charted.filter_map(move |watched| watched.rollups.next_due(&view))
        });
        chart.chain(numbers).min()
    }

    /// Takes the answer to a query of the chart with this number; `None` if it was refused or lost.
    pub fn on_points(&mut self, query: u64, points: Option<Vec<SeriesPoints>>, now: Moment) {
        let present = present_until(now.unix());
        let Some((key, part)) = self.asked_parts.remove(&query) else { return };
        let Some(watched) = self.keys.iter_mut().find(|watched| watched.key == key) else { return };
        match points {
            Some(all) => {
                let of_key = all.iter().find(|series| series.key.as_str() == key);
                let points = of_key.map_or(&[][..], |series| &series.points);
                watched.rollups.take(part, points, present, now.elapsed);
            }
            None => watched.rollups.refuse(part, now.elapsed),
        }
    }

    /// A point of a key is taken back.
    pub fn take_back(&mut self, key: &str, timestamp: i64) {
        if let Some(watched) = self.keys.iter_mut().find(|watched| watched.key == key) {
            watched.rollups.remove(timestamp);
        }
    }

    /// The view of the chart, if it asks for what it shows.
    fn asked_view(&self, layout: &Layout) -> Option<View> {
        let (width, height) = self.chart_size(layout);
        let is_visible = chart::rows(height, 1).1 > 0 && width > 0;
        let bounds = self.chart_bounds().filter(|_| self.asks && is_visible)?;
        Some(self.view(bounds, width))
    }

    /// The range of the chart, and the dots in which it is drawn.
    pub(super) fn view(&self, bounds: TimeBounds, width: u16) -> View {
        let (from, to) = self.viewport.range(bounds);
        View { from, to, dots: 2 * u32::from(chart::usual_columns(width)) }
    }

    /// The chart of this width has been asked for something that has not come yet.
    pub fn chart_waits(&self, width: u16) -> bool {
        let Some(bounds) = self.chart_bounds().filter(|_| self.asks) else { return false };
        let view = self.view(bounds, width);
        self.in_chart().any(|watched| watched.rollups.lacks(&view))
    }

    /// The lines of the chart in a view.
    pub(super) fn lines(&self, view: &View) -> Vec<Line> {
        self.in_chart().map(|watched| watched.line(view)).collect()
    }

    /// The keys in the chart with their lines, where these are of points and not of buckets.
    pub fn lines_of_points(&self, layout: &Layout) -> Vec<(&str, Line)> {
        let Some(view) = self.asked_view(layout) else { return Vec::new() };
        let lines = self.in_chart().map(|watched| (watched.key.as_str(), watched.line(&view)));
        lines.filter(|(_, line)| line.step().is_none()).collect()
    }

    fn charted_places(&self) -> Vec<usize> {
        let keys = self.in_chart();
        keys.filter_map(|key| self.keys.iter().position(|known| known.key == key.key)).collect()
    }

    fn forget_old_charts(&mut self) {
        let mut known: Vec<u64> =
            self.keys.iter().filter(|key| key.is_asked_for()).map(|key| key.charted).collect();
        if known.len() <= MAX_KEPT_KEYS {
            return;
        }
        known.sort_unstable();
        let oldest = known.get(known.len() - MAX_KEPT_KEYS).copied().unwrap_or_default();
        for key in self.keys.iter_mut().filter(|key| key.charted < oldest) {
            key.rollups = Rollups::default();
        }
    }
}
