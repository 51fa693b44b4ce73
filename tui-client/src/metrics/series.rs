//! What is known of one series.

use shared::selector::Aggregate;
use shared::{KeyBuf, Point};

use crate::metrics::recent_points::RecentPoints;

/// A point is newer than the one that is known, or replaces it: it came later, or was put again with
/// another value.
pub fn is_news(point: Point, known: Point) -> bool {
    point.timestamp > known.timestamp
        || (point.timestamp == known.timestamp && point.value.to_bits() != known.value.to_bits())
}

/// Points further ahead of the clock, in seconds, do not hide the present of their key.
const MAX_AHEAD: i64 = 60;

/// The last time that is not too far ahead.
pub fn present_until(now: i64) -> i64 {
    now.saturating_add(MAX_AHEAD)
}

/// From one value to the next.
pub fn change(before: Point, point: Point) -> f64 {
    point.value - before.value
}

/// The change per second, if there is a second between the two points.
#[expect(clippy::cast_precision_loss, reason = "a rate needs no more")]
pub fn rate(before: Point, point: Point) -> Option<f64> {
    let seconds = i128::from(point.timestamp) - i128::from(before.timestamp);
    (seconds > 0).then(|| change(before, point) / seconds as f64)
}

/// A summary of one series.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its name.
    pub key: KeyBuf,
    /// Points in the answer.
    pub count: u64,
    /// The newest point; one too far ahead only when all are.
    pub last: Point,
    /// The least value.
    pub min: f64,
    /// The greatest value.
    pub max: f64,
    /// The mean of all values.
    pub mean: f64,
    /// The most recent points, oldest first; not all of them in a long series.
    pub recent: RecentPoints,
    /// The newest point before the last one.
    pub before: Option<Point>,
    /// At least 1.
    max_recent: usize,
    /// The sum of all values, and what rounding has taken from it.
    sum: (f64, f64),
}

impl Series {
    pub(super) fn new(key: KeyBuf, point: Point, max_recent: usize) -> Self {
        Self {
            key,
            count: 1,
            last: point,
            min: point.value,
            max: point.value,
            mean: point.value,
            recent: RecentPoints::from_iter([point]),
            before: None,
            max_recent,
            sum: (point.value, 0.0),
        }
    }

    /// Takes a point; those after the time `present` are too far ahead.
    pub(super) fn add(&mut self, point: Point, present: i64) {
        self.count += 1;
        let is_stray = point.timestamp > present && self.last.timestamp <= present;
        let is_first = point.timestamp <= present && self.last.timestamp > present;
        if is_first || point.timestamp >= self.last.timestamp && !is_stray {
            self.before = Some(self.last);
            self.last = point;
        } else if !is_stray && self.before.is_none_or(|before| before.timestamp < point.timestamp) {
            self.before = Some(point);
        }
        self.min = self.min.min(point.value);
        self.max = self.max.max(point.value);
        #[expect(clippy::cast_precision_loss, reason = "a mean needs no more")]
        let count = self.count as f64;
        let (before, lost) = self.sum;
        let sum = before + point.value;
        let (large, small) = if before.abs() > point.value.abs() {
            (before, point.value)
        } else {
            (point.value, before)
        };
        self.sum = (sum, lost + (large - sum + small));
        let mean = (self.sum.0 + self.sum.1) / count;
        // The sum of huge values may overflow where their mean does not.
        self.mean = if mean.is_finite() {
            mean
        } else {
            self.mean + (point.value / count - self.mean / count)
        };
        let is_older = |first: &Point| point.timestamp < first.timestamp;
        let is_full = self.recent.len() >= self.max_recent;
        if is_stray || is_full && self.recent.get(0).is_some_and(is_older) {
            return;
        }
        // Room first, so that its memory never grows beyond the limit.
        self.recent.keep(self.max_recent - 1);
        self.recent.add(point);
    }

    /// Brings the recent points into the order of their times.
    pub(super) fn sort(&mut self) {
        self.recent.sort();
    }

    /// Takes a number of all points, as a server with selectors has computed it of more points than
    /// have come.
    pub fn set(&mut self, of: Aggregate, value: f64) {
        match of {
            Aggregate::Min => self.min = value,
            Aggregate::Max => self.max = value,
            Aggregate::Avg => self.mean = value,
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
            Aggregate::Count => self.count = value as u64,
            _ => {}
        }
    }

    /// Keeps fewer points from now on.
    pub(super) fn keep(&mut self, limit: usize) {
        self.max_recent = limit;
        self.recent.keep(limit);
        self.recent.shrink_to_fit();
    }

    /// The newest value less the one before it, if there are two.
    pub fn change(&self) -> Option<f64> {
        Some(change(self.before?, self.last))
    }
}
