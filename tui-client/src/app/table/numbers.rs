//! The numbers of rows whose newest points are told: of the rows in sight, and of all rows where
//! order or filter need them. Each is asked for once, kept up to date by the told points, and asked
//! for again when its window has moved on.

mod batch;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::time::Duration;

use shared::selector::Aggregate;
use shared::{KeyBuf, Point};

use crate::metrics::needs::Parts;
use crate::metrics::reply::PointLists;
use crate::metrics::series::summary::Answer;
use crate::metrics::series::{Asked, Bounds, LATE, Series, newest};
use crate::metrics::trend::Trend;
use crate::metrics::window::{Window, trend_step};
use crate::request::pending::{Query, RowPart, RowQuery};
use crate::sources::Away;
use batch::Batch;

/// Rows that have numbers, unless order or filter need those of all. When there are more, all are
/// forgotten and asked for again as they come into sight.
const MAX_ROWS: usize = 8192;

/// Jobs and queries of a table as of a time have numbers from here on, which the live one never comes
/// to.
pub(super) const APART: u64 = 1 << 62;

/// Wait after a query that was refused or lost.
const RETRY: Duration = Duration::from_secs(30);

/// Counts and means of all rows leave out this many newest seconds at first, and then as many as the
/// newest two points of a row are known for by themselves.
const LATE_OF_ALL: [i64; 2] = [1, 2];

/// How much sooner the numbers of all rows are asked for again where not all that was told was counted.
const SOONER: u64 = 4;

/// Up to so many rows the numbers of all are asked for again as those of the rows in sight; the wait
/// grows with the rows beyond.
const MANY_ROWS: u64 = 20_000;

/// The numbers of the rows.
#[derive(Debug, Default)]
pub struct Numbers {
    window: Window,
    /// The Unix time at which the window ends; none if that is now.
    as_of: Option<i64>,
    /// The window of the numbers that the rows have, if it is another one.
    outdated: Option<Window>,
    next_number: u64,
    /// Queries for rows in sight, and for all rows; at most one batch of each.
    batches: Vec<Batch>,
    /// Keys whose numbers were of points that were taken back.
    renewed: Vec<KeyBuf>,
    /// Rows with numbers.
    rows: usize,
    /// What is known of all rows, and until when.
    all: Option<(Parts, Duration)>,
    retry_at: Duration,
    /// Keys that an answer may lack although they have points.
    away: Away,
}

/// The columns of a row in sight, and the numbers that they need.
#[derive(Debug, Clone, Copy, Default)]
pub struct RowNeeds {
    /// Of the rows in sight.
    pub in_sight: Parts,
    /// Of all rows.
    pub of_all: Parts,
}

impl Numbers {
    /// Those of a table as of a time, whose queries are numbered from another number on.
    pub fn beside(window: Window, first: u64) -> Self {
        Self { window, next_number: first, ..Self::default() }
    }

    /// Sets the keys that an answer may lack although they have points.
    pub fn set_away(&mut self, away: Away) {
        self.away = away;
    }

    /// The Unix time at which the window ends; none if that is now.
    pub fn as_of(&self) -> Option<i64> {
        self.as_of
    }

    /// Ends the window at a Unix time.
    pub fn set_as_of(&mut self, at: i64) {
        self.as_of = Some(at);
    }

    /// The window that is chosen.
    pub fn window(&self) -> Window {
        self.window
    }

    /// The window of the numbers that the rows have.
    pub fn shown_window(&self) -> Window {
        self.outdated.unwrap_or(self.window)
    }

    /// Chooses another window; what is under way is of no use then.
    pub fn set_window(&mut self, window: Window) {
        self.outdated = Some(self.shown_window());
        self.window = window;
        self.reset();
    }

    /// The numbers of the rows are to be forgotten, because they are those of another window.
    pub fn is_outdated(&self) -> bool {
        self.outdated.is_some()
    }

    /// Records that the rows have no numbers of another window.
    pub fn set_forgotten(&mut self) {
        self.outdated = None;
    }

    /// Takes a point that was put just now, for the answers that are under way; one too far ahead
    /// `is_stray`.
    pub fn tell(&mut self, key: &str, point: Point, is_stray: bool) {
        for batch in self.batches.iter_mut().filter(|batch| !batch.keys.is_empty()) {
            let counts = batch.from <= point.timestamp && !is_stray;
            batch.told.tell(key, point, is_stray, counts);
        }
    }

    /// Numbers of any row are under way.
    pub fn is_asking(&self) -> bool {
        !self.batches.is_empty()
    }

    /// Numbers of all rows are under way.
    pub fn asks_for_all(&self) -> bool {
        self.batches.iter().any(|batch| batch.keys.is_empty())
    }

    /// Takes a point of the row at this place, which does not have it yet; none for a new row.
    pub fn tell_of_all(&mut self, place: usize, row: Option<&Series>, point: Point) {
        for batch in self.batches.iter_mut().filter(|batch| batch.keys.is_empty()) {
            let span = batch.span();
            batch.told_of_all.tell(place, row, point, span);
        }
    }

    /// Begins with rows of which nothing is known.
    pub fn reset(&mut self) {
        self.batches.clear();
        (self.rows, self.all, self.retry_at) = (0, None, Duration::ZERO);
    }

    /// The numbers of these keys are of points that were taken back, and so are answers under way.
    pub fn renew(&mut self, keys: impl Iterator<Item = KeyBuf>) {
        self.batches.clear();
        self.renewed.extend(keys);
    }

    /// The keys whose numbers were of points that were taken back.
    pub fn renewed(&self) -> &[KeyBuf] {
        &self.renewed
    }

    /// The queries for what these rows in sight lack, and those whose points were taken back; `now`
    /// is on both clocks.
    pub fn plan<'a>(
        &mut self,
        in_sight: impl Iterator<Item = &'a Series>,
        renewed: impl Iterator<Item = &'a Series>,
        all_rows: &[Series],
        needs: RowNeeds,
        (now, unix): (Duration, i64),
    ) -> Vec<Query> {
        let mut queries = Vec::new();
        if now < self.retry_at {
            return queries;
        }
        let is_under_way =
            |all: bool| self.batches.iter().any(|batch| batch.keys.is_empty() == all);
        let (rows, all) = (is_under_way(false), is_under_way(true));
        if !rows {
            let in_sight: Vec<_> = in_sight.collect();
            let step = self.step_in_sight(&in_sight, now);
            let lacking = in_sight.into_iter().map(|series| (series, needs.in_sight));
            // Filter and order need the numbers of these, in sight or not.
            let lacking = lacking.chain(renewed.map(|series| (series, needs.of_all)));
            let lacking = lacking.filter_map(|(series, needed)| {
                let parts = self.lacking(series, needed, step, now);
                (!parts.is_empty()).then_some((series, parts))
            });
            let lacking: Vec<_> = lacking.collect();
            self.renewed.clear();
            let parts = lacking.iter().fold(Parts::default(), |all, (_, parts)| all | *parts);
            // What is known in shorter buckets goes on with what is told, but not at another time.
            let is_fine = |series: &Series| {
                self.as_of.is_none() && series.trend().is_some_and(Trend::is_fine)
            };
            let may_refine = lacking.iter().any(|(series, _)| !is_fine(series));
            let newest = newest(lacking.iter().map(|&(series, _)| series), unix);
            let keys: BTreeSet<_> = lacking.iter().map(|(series, _)| series.key.clone()).collect();
            let keys: Vec<_> = keys.into_iter().collect();
            if !keys.is_empty() {
                let from = self.window.seconds().map(|seconds| unix.saturating_sub(seconds));
                let until = newest.map(|newest| newest.saturating_sub(LATE));
                let until = until.filter(|&until| from.is_none_or(|from| until > from));
                queries.extend(self.ask(keys, parts, until, step, unix));
                if let Some(batch) = self.batches.last_mut() {
                    batch.may_refine = may_refine;
                }
            }
        }
        let known = self.all.filter(|&(_, until)| now < until).map(|(parts, _)| parts);
        let before = self.all.map_or(Parts::default(), |(parts, _)| parts);
        // Told points keep the newest ones up to date.
        let parts = needs.of_all.without(known.unwrap_or(before & Parts::RECENT));
        if !all && !parts.is_empty() {
            let late = LATE_OF_ALL[usize::from(self.all.is_some())];
            let until = newest(all_rows.iter(), unix).map(|newest| newest.saturating_sub(late));
            queries.extend(self.ask(Vec::new(), parts, until, None, unix));
        }
        queries
    }

    /// The needed parts that are to be asked for; `step` is that of the trends in sight.
    fn lacking(&self, series: &Series, needed: Parts, step: Option<i64>, now: Duration) -> Parts {
        match series.asked().filter(|asked| asked.window == self.window) {
            None => needed,
            Some(asked) if now < asked.until => {
                let is_finer = series.trend().is_some_and(|trend| Some(trend.full_step()) < step);
                let finer = if is_finer { needed & Parts::TREND } else { Parts::default() };
                needed.without(asked.parts) | finer
            }
            // Told points keep the newest ones up to date.
            Some(asked) => needed.without(asked.parts & Parts::RECENT),
        }
    }

    /// The longest step of the trends in sight, where steps depend on the first point.
    fn step_in_sight(&self, in_sight: &[&Series], now: Duration) -> Option<i64> {
        let is_known = |asked: Asked| asked.window == self.window && now < asked.until;
        let known = in_sight.iter().filter(|series| series.asked().is_some_and(is_known));
        let steps = known.filter_map(|series| Some(series.trend()?.full_step()));
        steps.filter(|_| self.window.trend_step().is_none()).max()
    }

    /// When some of these rows are to be asked for again.
    pub fn next_wake<'a>(
        &self,
        in_sight: impl Iterator<Item = &'a Series>,
        needs: RowNeeds,
    ) -> Option<Duration> {
        if !self.batches.is_empty() {
            return None;
        }
        let is_due =
            |needed: Parts, known: Parts| !needed.without(known & Parts::RECENT).is_empty();
        let rows = in_sight.filter_map(Series::asked);
        let rows = rows.filter(|asked| is_due(needs.in_sight, asked.parts));
        let all = self.all.filter(|&(parts, _)| is_due(needs.of_all, parts));
        let next = rows.map(|asked| asked.until).chain(all.map(|(_, until)| until)).min()?;
        Some(next.max(self.retry_at))
    }

    /// Queries for some rows, or for all where there are no keys.
    fn ask(
        &mut self,
        keys: Vec<KeyBuf>,
        parts: Parts,
        until: Option<i64>,
        step_in_sight: Option<i64>,
        unix: i64,
    ) -> Vec<Query> {
        self.next_number += 1;
        let trend = parts.contains(Parts::TREND);
        let needs_first = trend && self.window.trend_step().is_none();
        let bounds = Bounds::of(self.window, unix);
        let mut batch = Batch::new(self.next_number, keys, parts, bounds);
        (batch.until, batch.needs_first, batch.step_in_sight) = (until, needs_first, step_in_sight);
        let mut asked = Vec::new();
        if parts.contains(Parts::RECENT) {
            asked.push(RowPart::Recent);
        }
        // The count comes before the mean.
        let (means, others): (Vec<_>, _) = parts.numbers().partition(|&of| of == Aggregate::Avg);
        asked.extend([others, means].concat().into_iter().map(RowPart::Number));
        // The bucket of a whole history begins with its first point.
        if needs_first && !parts.contains(Parts::number(Aggregate::Count)) {
            asked.push(RowPart::Number(Aggregate::Count));
        }
        asked.extend(self.window.trend_step().filter(|_| trend).map(RowPart::Trend));
        batch.full_step = self.window.trend_step();
        let queries = batch.queries((self.window, self.as_of), &asked);
        self.batches.push(batch);
        queries
    }

    /// Takes the answer to a query, `None` if it was refused or lost; more queries may follow.
    pub fn on_points(
        &mut self,
        query: RowQuery,
        points: Option<PointLists>,
        now: (Duration, i64),
    ) -> Vec<Query> {
        let Some(batch) = self.batches.iter_mut().find(|batch| batch.number == query.batch) else {
            return Vec::new();
        };
        batch.left -= 1;
        match points {
            Some(points) => {
                batch.answers.push((query.part, points));
            }
            None => batch.has_failed = true,
        }
        if batch.left > 0 {
            return Vec::new();
        }
        if batch.has_failed {
            self.batches.retain(|batch| batch.number != query.batch);
            self.retry_at = now.0 + RETRY;
            return Vec::new();
        }
        if std::mem::take(&mut batch.needs_first) {
            let counts = batch.answers.iter();
            let counts = counts.filter(|(part, _)| *part == RowPart::Number(Aggregate::Count));
            let firsts = counts.flat_map(|(_, lists)| lists.iter());
            let firsts = firsts.flat_map(|(_, points)| points).map(|first| first.timestamp);
            let seconds = firsts.min().map_or(0, |first| now.1.saturating_sub(first));
            let step = batch.step_for(trend_step(seconds.max(0)));
            return batch.queries((self.window, self.as_of), &[RowPart::Trend(step)]);
        }
        let until = self.as_of.unwrap_or(now.1);
        if std::mem::take(&mut batch.may_refine)
            && let Some(step) = batch.finer_step(until)
        {
            return batch.queries((self.window, self.as_of), &[RowPart::Trend(step)]);
        }
        Vec::new()
    }

    /// Notes that the answer to a query lacks these keys although they have points: their rows stay as
    /// they are.
    pub fn lose_points(&mut self, query: RowQuery, keys: Vec<String>) {
        if let Some(batch) = self.batches.iter_mut().find(|batch| batch.number == query.batch) {
            batch.lost.extend(keys);
        }
    }

    /// The answer to this query is still of use.
    pub fn awaits(&self, query: RowQuery) -> bool {
        self.batches.iter().any(|batch| batch.number == query.batch)
    }

    /// What order or filter need of all rows is known.
    pub fn are_of_all(&self) -> bool {
        self.all.is_some()
    }

    /// Answers can be applied: all of some rows, or one of all rows. Of another window than the one
    /// shown, those of the rows in sight come first.
    pub fn is_ready(&self) -> bool {
        let lack = |batch: &Batch| !batch.keys.is_empty() && batch.left > 0;
        if self.is_outdated() && self.batches.iter().any(lack) {
            return false;
        }
        let is_part = |batch: &Batch| batch.keys.is_empty() && !batch.answers.is_empty();
        self.batches.iter().any(|batch| batch.left == 0 || is_part(batch))
    }

    /// Gives the rows their numbers; says whether any row was given some.
    pub fn apply(&mut self, answer: &mut Answer, now: Duration) -> bool {
        let mut has_changed = false;
        // One by one, so that no more than one answer for all rows is held.
        for batch in self.batches.iter_mut().filter(|batch| batch.keys.is_empty()) {
            for (part, lists) in std::mem::take(&mut batch.answers) {
                has_changed = true;
                batch.set_known(part, &lists, answer, &self.away);
            }
        }
        while let Some(at) = self.batches.iter().position(|batch| batch.left == 0) {
            let batch = self.batches.swap_remove(at);
            let mut wait = self.window.refresh();
            if batch.keys.is_empty() {
                let sooner = if batch.told_of_all.is_cut() { SOONER } else { 1 };
                wait *= 1 + answer.series.len() as u64 / (MANY_ROWS * sooner);
                let known = self.all.map_or(Parts::default(), |(parts, _)| parts);
                let until = self.as_of.map_or(now + Duration::from_secs(wait), |_| Duration::MAX);
                self.all = Some((known | batch.parts, until));
                continue;
            }
            // How things stood does not change.
            let until = self.as_of.map_or(now + Duration::from_secs(wait), |_| Duration::MAX);
            let asked = Asked { window: self.window, parts: batch.parts, until, is_refused: false };
            for key in &batch.keys {
                if let Some(series) = answer.find_in_order(key.as_key()) {
                    // What was not asked for anew is no newer than before.
                    let before = series.asked().filter(|before| before.window == self.window);
                    let before = before.filter(|before| {
                        now < before.until && !before.parts.without(asked.parts).is_empty()
                    });
                    let until = before.map_or(asked.until, |before| before.until);
                    let is_lost = batch.lost.iter().any(|lost| lost == key.as_str());
                    let is_refused = is_lost || before.is_some_and(|before| before.is_refused);
                    let asked = Asked { until, is_refused, ..asked };
                    has_changed = true;
                    self.rows += usize::from(series.asked().is_none());
                    if !is_lost && !self.away.has(key.as_str()) {
                        batch.set(series);
                    }
                    series.set_asked(asked);
                }
            }
        }
        has_changed
    }

    /// Rows have more numbers than there is memory for.
    pub fn is_full(&self) -> bool {
        self.rows > MAX_ROWS && self.all.is_none()
    }
}
