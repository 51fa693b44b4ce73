//! Queries for numbers of rows that are asked for together, and what becomes of their answers.

use std::collections::BTreeMap;

use shared::selector::Aggregate;
use shared::{Glob, Key, KeyBuf, Point};

use crate::app::table::told::{Span, Told, ToldOfAll};
use crate::metrics::needs::Parts;
use crate::metrics::reply::PointLists;
use crate::metrics::series::summary::Answer;
use crate::metrics::series::{Bounds, Series};
use crate::metrics::trend::Trend;
use crate::metrics::watch_plan::merged;
use crate::metrics::window::{TREND_STEPS, Window, trend_step};
use crate::request::pending::{Priority, Query, QueryTag, RowPart, RowQuery};
use crate::sources::Away;

/// Recent points of a row in sight: as many as tell whether it is stale.
const RECENT: usize = 16;

/// Queries under way, for rows that are asked for together.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) number: u64,
    /// These rows; all where there are none.
    pub(super) keys: Vec<KeyBuf>,
    pub(super) parts: Parts,
    /// Queries without an answer.
    pub(super) left: usize,
    pub(super) has_failed: bool,
    /// The course is still to be asked for, once it is known how far back it goes.
    pub(super) needs_first: bool,
    /// The courses may be asked for in shorter buckets, once it is known how little of the window they
    /// fill.
    pub(super) may_refine: bool,
    /// Seconds in a bucket of a full window, where it has a beginning.
    pub(super) full_step: Option<i64>,
    /// Seconds in a bucket of the trends in sight, where they depend on the first point.
    pub(super) step_in_sight: Option<i64>,
    /// Counts and means are of the points up to this time: newer ones are known by themselves, so
    /// that each counts once whether it was put before the answer or after.
    pub(super) until: Option<i64>,
    /// The window begins at this time.
    pub(super) from: i64,
    /// Points after this time were too far ahead.
    pub(super) present: i64,
    /// The points that were told since the queries were made.
    pub(super) told: Told,
    /// The same, where the queries are for all rows.
    pub(super) told_of_all: ToldOfAll,
    pub(super) answers: Vec<(RowPart, PointLists)>,
    /// Keys that an answer lacks although they have points.
    pub(super) lost: Vec<String>,
}

impl Batch {
    /// Queries for these parts of some rows, or of all where there are no keys, of points within the
    /// bounds; none is made yet.
    pub(super) fn new(number: u64, keys: Vec<KeyBuf>, parts: Parts, bounds: Bounds) -> Self {
        let Bounds { from, present } = bounds;
        Self {
            number,
            told: Told::new(&keys),
            keys,
            until: None,
            from,
            present,
            told_of_all: ToldOfAll::default(),
            parts,
            left: 0,
            has_failed: false,
            needs_first: false,
            may_refine: false,
            full_step: None,
            step_in_sight: None,
            answers: Vec::new(),
            lost: Vec::new(),
        }
    }

    pub(super) fn span(&self) -> Span {
        Span { from: self.from, until: self.until, present: self.present }
    }

    /// Seconds in a bucket of its trends, where so many are needed: those of the trends in sight, if
    /// no more than a sixteenth of the time is beyond them, which is what the clock adds.
    pub(super) fn step_for(&self, needed: i64) -> i64 {
        let in_sight = self.step_in_sight.filter(|step| needed <= step + step / 16);
        in_sight.unwrap_or(needed)
    }

    /// Seconds in a bucket in which the courses fill what they have of the window, up to a Unix time;
    /// none where that is not much shorter than those of the answer.
    pub(super) fn finer_step(&self, until: i64) -> Option<i64> {
        /// How many times shorter.
        const MUCH: i64 = 3;
        let step = self.full_step?;
        let lists_of = |part: RowPart| {
            let lists = self.answers.iter().filter(move |(known, _)| *known == part);
            lists.flat_map(|(_, lists)| lists.iter())
        };
        // Of rows with fewer points the course is that of the points themselves.
        let is_long = |(_, points): (&str, &[Point])| points.len() >= RECENT;
        let has_recent = self.parts.contains(Parts::RECENT);
        if has_recent && !lists_of(RowPart::Recent).any(is_long) {
            return None;
        }
        let firsts = lists_of(RowPart::Trend(step));
        let first = firsts.filter_map(|(_, points)| Some(points.first()?.timestamp)).min()?;
        let finer = trend_step(until.saturating_sub(first));
        (finer.saturating_mul(MUCH) <= step).then_some(finer)
    }

    /// The queries for these parts, of a window that ends at a Unix time, or now.
    pub(super) fn queries(
        &mut self,
        (window, at): (Window, Option<i64>),
        parts: &[RowPart],
    ) -> Vec<Query> {
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
    pub(super) fn set(&self, series: &mut Series) {
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
            .filter(|point| point.timestamp <= self.present)
            .map(|point| (point.timestamp, point.value))
            .collect();
        let newer: Vec<f64> = newer.into_values().collect();
        self.set_numbers(series, &newer);
        for &(part, _) in &self.answers {
            if let (RowPart::Trend(step), Some(points)) = (part, self.answer(part, series)) {
                let limit = usize::try_from(TREND_STEPS + 1).unwrap_or(usize::MAX);
                let full_step = self.full_step.unwrap_or(step);
                let mut trend = Trend::new(step, limit, points).within(full_step);
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
                    trend = Trend::of_points(full_step, limit, recent);
                } else if points.is_empty() {
                    // What is told begins the window.
                    trend = Trend::of_points(full_step, limit, []);
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
    pub(super) fn set_known(
        &self,
        part: RowPart,
        lists: &PointLists,
        answer: &mut Answer,
        away: &Away,
    ) {
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
