//! One alert: a condition on the keys of a pattern.

use std::fmt;
use std::str::FromStr;

use shared::{Glob, KeyBuf, Point};

use crate::metrics::column::{Column, ColumnKind};
use crate::metrics::condition::Condition;
use crate::metrics::filter::{BadExpr, parse_alert};
use crate::metrics::needs::Needs;
use crate::metrics::series::{Series, is_news};
use crate::text::{number, time};

/// A condition on the keys of a pattern: `palm.cpu > 90`, `*.temp rate > 2`, `palm.cpu age > 1m`.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    text: String,
    pattern: Glob,
    condition: Condition,
}

impl Alert {
    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The keys that it is about.
    pub fn pattern(&self) -> &Glob {
        &self.pattern
    }

    /// The points from which its number is computed.
    pub fn needs(&self) -> Needs {
        self.condition.column.needs()
    }

    /// Whether the alert is about a key.
    pub fn concerns(&self, key: &str) -> bool {
        self.pattern.matches(key)
    }

    /// Its number is computed of all points of a series: minimum, maximum, mean or count.
    pub fn is_of_all(&self) -> bool {
        !self.needs().is_recent()
    }

    /// The series with the number to compare; none while that is not known.
    pub(super) fn series_of<'a>(&self, evaluated: Evaluated<'a>, now: i64) -> Option<&'a Series> {
        if self.is_of_all() {
            return evaluated.of_all.filter(|series| self.has_data(series, now));
        }
        Some(evaluated.series)
    }

    /// It concerns this series, and its condition holds.
    pub fn fires(&self, series: &Series, now: i64) -> bool {
        self.condition.holds(series, now) && self.concerns(series.key.as_str())
    }

    /// The series has the number to compare: with one point it has no rate.
    pub fn has_data(&self, series: &Series, now: i64) -> bool {
        self.condition.column.number(series, now).is_some()
    }

    /// The newest point but the last for which it would have fired, of those that came after the
    /// one that was `seen`, or of all: a value that came and went between two answers. Text such
    /// as `palm.cpu was 95 (age 7s)`, and the value with its time.
    pub(super) fn missed(
        &self,
        series: &Series,
        seen: Option<Point>,
        now: i64,
    ) -> Option<(String, Option<f64>, i64)> {
        let Condition { column, compare, limit } = self.condition;
        let points = |skipped| series.recent().iter().rev().skip(skipped);
        let before = points(2).map(Some).chain([None]);
        let mut new = points(1)
            .zip(before)
            .take_while(|(point, _)| seen.is_none_or(|seen| is_news(**point, seen)));
        new.find_map(|(point, before)| {
            let value = match column.kind() {
                _ if column == Column::Last => point.value,
                ColumnKind::Difference(of) => of(*before?, *point)?,
                // Nearly the same in the next answer, or not a property of one point.
                _ => return None,
            };
            compare.holds(value, limit).then(|| self.was(series, value, point.timestamp, now))
        })
    }

    /// It would have fired for the value of a point older than the newest one. A change or a rate
    /// is not a property of that point alone.
    pub(super) fn missed_late(
        &self,
        series: &Series,
        Point { timestamp, value }: Point,
        now: i64,
    ) -> Option<(String, Option<f64>, i64)> {
        let Condition { column, compare, limit } = self.condition;
        let fires = column == Column::Last
            && timestamp < series.last.timestamp
            && compare.holds(value, limit);
        fires.then(|| self.was(series, value, timestamp, now))
    }

    pub(super) fn was(
        &self,
        series: &Series,
        value: f64,
        timestamp: i64,
        now: i64,
    ) -> (String, Option<f64>, i64) {
        let age = time::age(timestamp, now);
        let text = format!("{} was {} (age {age})", self.subject(&series.key), self.number(value));
        (text, Some(value), timestamp)
    }

    /// It may fire by the passing of time alone.
    pub fn is_about_age(&self) -> bool {
        self.condition.column == Column::Age
    }

    /// The number that it compares: `palm.cpu is 95`, `the rate of palm.cpu is 2.5`; the number
    /// itself with the time of the last point.
    pub(super) fn found(&self, series: &Series, now: i64) -> (String, Option<f64>, i64) {
        let number = self.condition.column.number(series, now);
        let value = match self.condition.column {
            Column::Age => Some(time::age(series.last.timestamp, now)),
            _ => number.map(|number| self.number(number)),
        };
        let text = format!("{} is {}", self.subject(&series.key), value.unwrap_or_default());
        (text, number, series.last.timestamp)
    }

    pub(super) fn subject(&self, key: &KeyBuf) -> String {
        match self.condition.column {
            Column::Last => key.to_string(),
            column => format!("the {} of {key}", column.word()),
        }
    }

    /// Stored values are exact, computed ones rounded.
    pub(super) fn number(&self, value: f64) -> String {
        const MAX_WIDTH: usize = 24;
        match self.condition.column.kind() {
            ColumnKind::Difference(_) => number::rounded(value, MAX_WIDTH),
            ColumnKind::Mean => number::mean(value, MAX_WIDTH),
            _ => number::exact(value),
        }
    }

    /// The value that the last one is compared with: a line in the chart.
    pub fn threshold(&self) -> Option<f64> {
        let is_stored = matches!(self.condition.column.kind(), ColumnKind::Stored(_));
        is_stored.then_some(self.condition.limit)
    }
}

/// A series for which alerts are evaluated.
#[derive(Debug, Clone, Copy)]
pub struct Evaluated<'a> {
    /// The series, which may have numbers of a window.
    pub series: &'a Series,
    /// The series with its numbers of all points, once they are known.
    pub of_all: Option<&'a Series>,
}

/// Its numbers are of all points.
impl<'a> From<&'a Series> for Evaluated<'a> {
    fn from(series: &'a Series) -> Self {
        Self { series, of_all: Some(series) }
    }
}

impl fmt::Display for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Alert {
    type Err = BadExpr;

    fn from_str(text: &str) -> Result<Self, BadExpr> {
        let (pattern, condition) = parse_alert(text)?;
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        Ok(Self { text, pattern, condition })
    }
}

// Its limit is finite, so it equals itself.
impl Eq for Alert {}
