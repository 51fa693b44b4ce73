//! The numbers of rows whose newest points are told: of the rows in sight, and of all rows where
//! order or filter need them. Each is asked for once, kept up to date by the told points, and asked
//! for again when its window has moved on.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::told::{Span, Told, ToldOfAll};

use shared::selector::Aggregate;
use shared::{Glob, Key, KeyBuf, Point};

use crate::metrics::needs::Parts;
use crate::metrics::reply::PointLists;
use crate::metrics::series::summary::Answer;
use crate::metrics::series::{Asked, Bounds, LATE, Series, newest};
use crate::metrics::trend::Trend;
use crate::metrics::watch_plan::merged;
use crate::metrics::window::{TREND_STEPS, Window, trend_step};
use crate::request::pending::{Priority, Query, QueryTag, RowPart, RowQuery};
use crate::sources::Away;

/// Recent points of a row in sight: as many as tell whether it is stale.
const RECENT: usize = 16;

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

/// Queries under way, for rows that are asked for together.
#[derive(Debug)]
struct Batch {
    number: u64,
    /// These rows; all where there are none.
    keys: Vec<KeyBuf>,
    parts: Parts,
    /// Queries without an answer.
    left: usize,
    has_failed: bool,
    /// The course is still to be asked for, once it is known how far back it goes.
    needs_first: bool,
    /// Seconds in a bucket of the trends in sight, where they depend on the first point.
    step_in_sight: Option<i64>,
    /// Counts and means are of the points up to this time: newer ones are known by themselves, so
    /// that each counts once whether it was put before the answer or after.
    until: Option<i64>,
    /// The window begins at this time.
    from: i64,
    /// Points after this time were too far ahead.
    present: i64,
    /// The points that were told since the queries were made.
    told: Told,
    /// The same, where the queries are for all rows.
    told_of_all: ToldOfAll,
    answers: Vec<(RowPart, PointLists)>,
}

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
            batch.told.tell(key, point, is_stray, batch.from <= point.timestamp);
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
            let newest = newest(lacking.iter().map(|&(series, _)| series), unix);
            let keys: BTreeSet<_> = lacking.iter().map(|(series, _)| series.key.clone()).collect();
            let keys: Vec<_> = keys.into_iter().collect();
            if !keys.is_empty() {
                let from = self.window.seconds().map(|seconds| unix.saturating_sub(seconds));
                let until = newest.map(|newest| newest.saturating_sub(LATE));
                let until = until.filter(|&until| from.is_none_or(|from| until > from));
                queries.extend(self.ask(keys, parts, until, step, unix));
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
        let Bounds { from, present } = Bounds::of(self.window, unix);
        let mut batch = Batch {
            number: self.next_number,
            told: Told::new(&keys),
            keys,
            until,
            from,
            present,
            told_of_all: ToldOfAll::default(),
            parts,
            left: 0,
            has_failed: false,
            needs_first,
            step_in_sight,
            answers: Vec::new(),
        };
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
        Vec::new()
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
            let asked = Asked { window: self.window, parts: batch.parts, until };
            for key in &batch.keys {
                if let Some(series) = answer.find_in_order(key.as_key()) {
                    // What was not asked for anew is no newer than before.
                    let before = series.asked().filter(|before| before.window == self.window);
                    let before = before.filter(|before| {
                        now < before.until && !before.parts.without(asked.parts).is_empty()
                    });
                    let until = before.map_or(asked.until, |before| before.until);
                    let asked = Asked { until, ..asked };
                    has_changed = true;
                    self.rows += usize::from(series.asked().is_none());
                    if !self.away.has(key.as_str()) {
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

impl Batch {
    fn span(&self) -> Span {
        Span { from: self.from, until: self.until, present: self.present }
    }

    /// Seconds in a bucket of its trends, where so many are needed: those of the trends in sight, if
    /// no more than a sixteenth of the time is beyond them, which is what the clock adds.
    fn step_for(&self, needed: i64) -> i64 {
        let in_sight = self.step_in_sight.filter(|step| needed <= step + step / 16);
        in_sight.unwrap_or(needed)
    }

    /// The queries for these parts, of a window that ends at a Unix time, or now.
    fn queries(&mut self, (window, at): (Window, Option<i64>), parts: &[RowPart]) -> Vec<Query> {
        let globs: Vec<Glob> =
            self.keys.iter().filter_map(|key| key.as_str().parse().ok()).collect();
        let (patterns, priority) = match &globs[..] {
            [] => (vec!["*".to_owned()], Priority::Background),
            globs => (merged(globs), Priority::Soon),
        };
        let recent = if self.keys.is_empty() { 2 } else { RECENT };
        let (range, end) = match (at, window.seconds()) {
            (None, _) => (window.range().to_owned(), window.end().to_owned()),
            (Some(at), None) => (":".to_owned(), at.to_string()),
            (Some(at), Some(seconds)) => {
                (format!("{}:", at.saturating_sub(seconds)), at.to_string())
            }
        };
        let recent_until = at.map_or(String::new(), |at| format!("@{at}"));
        let mut queries = Vec::new();
        for &part in parts {
            let clause = match part {
                RowPart::Recent => format!("last:{recent}{recent_until}"),
                RowPart::Number(of @ (Aggregate::Count | Aggregate::Avg)) => {
                    let until = self.until.map_or(end.clone(), |until| until.to_string());
                    format!("{range}{until}:all:{of}")
                }
                RowPart::Number(of) => format!("{range}{end}:all:{of}"),
                RowPart::Trend(step) => format!("{range}{end}:{step}:max"),
            };
            let tag = QueryTag::Rows(RowQuery { batch: self.number, part });
            queries.extend(patterns.iter().map(|pattern| Query {
                selector: format!("{pattern}[{clause}]"),
                tag,
                priority,
            }));
        }
        self.left += queries.len();
        queries
    }

    /// Gives a row what was asked for, and nothing where there are no points.
    fn set(&self, series: &mut Series) {
        let told = self.told.points(series.key.as_str());
        if let Some(points) = self.answer(RowPart::Recent, series) {
            let all = points.iter().chain(told).map(|&point| (point.timestamp, point));
            let all: Vec<_> = all.collect::<BTreeMap<_, _>>().into_values().collect();
            series.set_recent(&all, RECENT);
        }
        let newer: BTreeMap<i64, f64> = series
            .recent()
            .iter()
            .chain(told)
            .filter(|point| self.until.is_some_and(|until| until < point.timestamp))
            .map(|point| (point.timestamp, point.value))
            .collect();
        let newer: Vec<f64> = newer.into_values().collect();
        self.set_numbers(series, &newer);
        for &(part, _) in &self.answers {
            if let (RowPart::Trend(step), Some(points)) = (part, self.answer(part, series)) {
                let limit = usize::try_from(TREND_STEPS + 1).unwrap_or(usize::MAX);
                let mut trend = Trend::new(step, limit, points);
                let recent = self.answer(RowPart::Recent, series).unwrap_or_default();
                // The points themselves, where all of the window are known.
                let is_whole = recent.first().zip(trend.first()).is_some_and(|(oldest, first)| {
                    let are_all =
                        recent.len() < RECENT && oldest.timestamp.saturating_sub(first) < step;
                    are_all || oldest.timestamp < first
                });
                // That of an earlier state may lack points.
                let known = series.trend().filter(|_| series.asked().is_some());
                if let Some(known) = known.filter(|known| known.refines(&trend)) {
                    trend = known.clone();
                } else if is_whole && let Some(first) = trend.first() {
                    let recent = series.recent().iter();
                    let recent = recent.filter(|point| point.timestamp >= first);
                    trend = Trend::of_points(step, limit, recent);
                }
                for &point in told.iter().filter(|point| self.from <= point.timestamp) {
                    trend.push(point);
                }
                series.set_trend(trend);
            }
        }
    }

    /// The points of a row in the answers to a part, if it was asked for.
    fn answer(&self, part: RowPart, series: &Series) -> Option<&[Point]> {
        let answers = self.answers.iter().filter(|(known, _)| *known == part);
        let mut answers = answers.map(|(_, lists)| lists).peekable();
        answers.peek()?;
        let found = answers.flat_map(PointLists::iter).find(|(key, _)| *key == series.key.as_str());
        Some(found.map_or(&[][..], |(_, points)| points))
    }

    /// Gives a row its numbers; counts and means include these newer values.
    fn set_numbers(&self, series: &mut Series, newer: &[f64]) {
        for of in [Aggregate::Min, Aggregate::Max, Aggregate::Count, Aggregate::Avg] {
            if let Some(points) = self.answer(RowPart::Number(of), series) {
                self.set_number(of, points, series, newer);
            }
        }
    }

    fn set_number(&self, of: Aggregate, points: &[Point], series: &mut Series, newer: &[f64]) {
        let extremes = self.told.extremes(series.key.as_str());
        let newer = match of {
            Aggregate::Min | Aggregate::Max => extremes.as_ref().map_or(&[][..], |it| &it[..]),
            _ => newer,
        };
        series.set(of, points.first().map(|point| point.value), newer);
    }

    /// Gives all rows an answer, and nothing where there are no points.
    fn set_known(&self, part: RowPart, lists: &PointLists, answer: &mut Answer, away: &Away) {
        /// Of a row that is not in the answer.
        const NOTHING: u32 = u32::MAX;
        let mut lists_of = vec![NOTHING; answer.series.len()];
        let mut expected = 0;
        for (at, (key, _)) in (0..NOTHING).zip(lists.iter()) {
            // Mostly in the order of the rows, so that no key has to be looked up.
            let is_next = |series: &Series| series.key.as_str() == key;
            let place = match answer.series.get(expected) {
                Some(series) if is_next(series) => Some(expected),
                _ => Key::new(key).ok().and_then(|key| answer.find(key)),
            };
            if let Some(place) = place {
                lists_of[place] = at;
                expected = place + 1;
            }
        }
        let span = self.span();
        for (place, (series, at)) in answer.series.iter_mut().zip(lists_of).enumerate() {
            let list = usize::try_from(at).ok().and_then(|at| lists.get(at));
            if list.is_none() && away.has(series.key.as_str()) {
                continue;
            }
            let points = list.map_or(&[][..], |(_, points)| points);
            match part {
                RowPart::Number(of) => {
                    let newer = self.told_of_all.newer(place, series, span);
                    let number = points.first().map(|point| point.value);
                    match of {
                        Aggregate::Min | Aggregate::Max => {
                            let extremes = newer.extremes();
                            series.set(of, number, extremes.as_ref().map_or(&[][..], |it| &it[..]));
                        }
                        _ => series.set_with_sum(of, number, newer.count, newer.sum),
                    }
                }
                RowPart::Recent => series.set_before(points),
                RowPart::Trend(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
