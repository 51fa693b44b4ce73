//! The numbers of a series in little room, and what else is known of a row in sight.

use std::fmt;
use std::time::Duration;

use shared::Point;
use shared::selector::Aggregate;

use crate::metrics::needs::Parts;
use crate::metrics::series::recent_points::RecentPoints;
use crate::metrics::trend::Trend;
use crate::metrics::window::Window;

/// What was asked for of a series in a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Asked {
    /// The window.
    pub window: Window,
    /// The numbers that have come.
    pub parts: Parts,
    /// Until when they need not be asked for again, since the program started.
    pub until: Duration,
    /// Some are refused: the server has lost points of the key.
    pub is_refused: bool,
}

/// A number in as little room as possible, because a table of a million keys may have some of each:
/// not a number where it is not known, or there is none.
#[derive(Clone, Copy)]
pub(super) struct Number(pub(super) f64);

impl Number {
    /// It was asked for when there were no points.
    pub(super) const EMPTY: Self = Self(-f64::NAN);

    pub(super) fn get(self) -> Option<f64> {
        (!self.0.is_nan()).then_some(self.0)
    }

    pub(super) fn is_empty(self) -> bool {
        self.0.is_nan() && self.0.is_sign_negative()
    }

    /// The number of points to which another is added; the first if there were none.
    pub(super) fn with(self, value: f64, both: impl FnOnce(f64, f64) -> f64) -> Self {
        match self.get() {
            Some(known) => Self(both(known, value)),
            None if self.is_empty() => Self(value),
            None => self,
        }
    }
}

impl From<Option<f64>> for Number {
    fn from(number: Option<f64>) -> Self {
        // The sign of a computed one is not certain.
        Self(number.unwrap_or(f64::NAN.copysign(1.0)))
    }
}

impl Default for Number {
    fn default() -> Self {
        None.into()
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get() && self.is_empty() == other.is_empty()
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

/// A summary of points, and of those told since; a number is unknown until it was asked for.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Stats {
    /// The value that the series is compared with: not known while it is not compared, empty where
    /// there was none.
    pub(super) base: Number,
    /// The age in seconds above which a series that is compared has stopped; 0 where that is not known.
    pub(super) stale_after: u32,
    /// For how many seconds it had stopped at the time that it is compared with; 0 where it had not.
    pub(super) had_stopped_for: u32,
    pub(super) count: Number,
    pub(super) min: Number,
    pub(super) max: Number,
    pub(super) mean: Number,
    /// Of a row that is or was in sight.
    pub(super) detail: Option<Box<Detail>>,
}

/// What is known of a series besides its numbers.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Detail {
    /// The most recent points, oldest first; not all of them in a long series.
    pub(super) recent: RecentPoints,
    /// The most of them.
    pub(super) max_recent: usize,
    /// The sum of all values, and what rounding has taken from it, if it is not that of the mean.
    pub(super) sum: Option<(f64, f64)>,
    pub(super) trend: Option<Trend>,
    pub(super) asked: Option<Asked>,
    /// The number of points that the server has computed a mean of.
    pub(super) answered: Option<u64>,
}

impl Detail {
    /// Keeps a point as the most recent one, which may count.
    pub(super) fn push(&mut self, point: Point, counts: bool) {
        if let Some(trend) = self.trend.as_mut().filter(|_| counts) {
            trend.push(point);
        }
        let is_older = |first: &Point| point.timestamp < first.timestamp;
        let is_full = self.recent.len() >= self.max_recent;
        if is_full && self.recent.get(0).is_none_or(is_older) {
            return;
        }
        // Room first, so that its memory never grows beyond the limit.
        self.recent.keep(self.max_recent - 1);
        self.recent.add(point);
    }
}

impl Stats {
    pub(super) fn new(point: Point, max_recent: usize) -> Self {
        let value = Number(point.value);
        let recent = RecentPoints::from_iter([point]);
        let sum = Some((point.value, 0.0));
        let detail = Detail { recent, max_recent, sum, ..Detail::default() };
        Self {
            base: Number::default(),
            stale_after: 0,
            had_stopped_for: 0,
            count: Number(1.0),
            min: value,
            max: value,
            mean: value,
            detail: Some(Box::new(detail)),
        }
    }

    /// In a place of its own, if it says anything.
    pub(super) fn boxed(self) -> Option<Box<Self>> {
        (self != Self::default()).then(|| Box::new(self))
    }

    pub(super) fn detail(&mut self) -> &mut Detail {
        self.detail.get_or_insert_default()
    }

    /// The newest point is so many seconds later than the one before: at the time that it is compared with
    /// it had stopped for as much less.
    pub(super) fn goes_on(&mut self, seconds: i64) {
        let stopped_for = i64::from(self.had_stopped_for).saturating_sub(seconds).max(0);
        if self.had_stopped_for > 0 {
            self.had_stopped_for = u32::try_from(stopped_for).unwrap_or(u32::MAX);
        }
    }

    /// The sum of so many values with this mean, and what rounding has taken from it.
    pub(super) fn sum(&self, mean: f64, count: f64) -> (f64, f64) {
        let known = self.detail.as_ref().and_then(|detail| detail.sum);
        known.unwrap_or((mean * count, 0.0))
    }

    pub(super) fn set_sum(&mut self, sum: Option<(f64, f64)>) {
        if let Some(detail) = &mut self.detail {
            detail.sum = sum;
        }
    }

    /// Counts a value in the numbers that are known.
    pub(super) fn count(&mut self, value: f64) {
        self.widen(value);
        let Some(counted) = self.count.get() else { return };
        let count = counted + 1.0;
        self.count = Number(count);
        let Some(known) = self.mean.get() else {
            if self.mean.is_empty() {
                self.mean = Number(value);
                self.set_sum(Some((value, 0.0)));
            }
            return;
        };
        let (before, lost) = self.sum(known, counted);
        let sum = before + value;
        let (large, small) =
            if before.abs() > value.abs() { (before, value) } else { (value, before) };
        let lost = lost + (large - sum + small);
        self.set_sum(Some((sum, lost)));
        let mean = (sum + lost) / count;
        // The sum of huge values may overflow where their mean does not.
        let mean = if mean.is_finite() { mean } else { known + (value / count - known / count) };
        self.mean = Number(mean);
    }

    /// The value is not beyond the minimum and the maximum.
    pub(super) fn widen(&mut self, value: f64) {
        self.min = self.min.with(value, f64::min);
        self.max = self.max.with(value, f64::max);
    }

    pub(super) fn set(&mut self, of: Aggregate, value: Option<f64>, newer: &[f64]) {
        let all = || value.into_iter().chain(newer.iter().copied());
        match of {
            Aggregate::Min => self.min = all().reduce(f64::min).map_or(Number::EMPTY, Number),
            Aggregate::Max => self.max = all().reduce(f64::max).map_or(Number::EMPTY, Number),
            Aggregate::Avg => {
                self.mean = self.mean_with(value, newer).map_or(Number::EMPTY, Number);
            }
            Aggregate::Count => self.set_count(value.unwrap_or(0.0), newer.len()),
            _ => {}
        }
        // Points that are told later count, too.
        if self.mean.get().is_some() && self.count.get().is_some() {
            self.set_sum(None);
        }
    }

    pub(super) fn set_with_sum(&mut self, of: Aggregate, value: Option<f64>, newer: f64, sum: f64) {
        match of {
            Aggregate::Count => {
                self.set_count(value.unwrap_or(0.0), 0);
                self.count = Number(value.unwrap_or(0.0) + newer);
            }
            Aggregate::Avg => {
                // Without points of the answer there is no mean of them.
                let count = self.count.get().unwrap_or(newer).max(newer);
                let answered = value.map_or(0.0, |mean| mean * ((count - newer) / count.max(1.0)));
                let counted = if value.is_some() { count } else { newer };
                let has_any = value.is_some() || newer > 0.0;
                let newer = if newer > 0.0 { sum / counted } else { 0.0 };
                self.mean = if has_any { Number(answered + newer) } else { Number::EMPTY };
            }
            _ => {}
        }
        if self.mean.get().is_some() && self.count.get().is_some() {
            self.set_sum(None);
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a count"
    )]
    pub(super) fn set_count(&mut self, answered: f64, newer: usize) {
        if newer > 0 || self.detail.is_some() {
            self.detail().answered = Some(answered as u64);
        }
        self.count = Number(answered + newer as f64);
    }

    /// The mean of the points of an answer and of newer ones.
    #[expect(clippy::cast_precision_loss, reason = "a mean needs no more")]
    pub(super) fn mean_with(&self, answer: Option<f64>, newer: &[f64]) -> Option<f64> {
        let answered = self.detail.as_ref().and_then(|detail| detail.answered);
        let Some(answered) = answered.filter(|_| !newer.is_empty()) else { return answer };
        let mut count = if answer.is_some() { answered as f64 } else { 0.0 };
        let mut mean = answer.unwrap_or(0.0);
        for value in newer {
            count += 1.0;
            // Divided first, because a sum of huge values may overflow.
            mean += value / count - mean / count;
        }
        (count > 0.0).then_some(mean)
    }
}
