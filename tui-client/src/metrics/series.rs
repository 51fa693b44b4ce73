//! What is known of one series.

mod moved;
pub mod recent_points;
mod series_index;
mod stats;
pub mod summary;

use shared::selector::Aggregate;
use shared::{KeyBuf, Point};

use crate::metrics::series::recent_points::RecentPoints;
use crate::metrics::trend::Trend;
use crate::metrics::window::Window;
pub use moved::Moved;
pub use stats::Asked;
use stats::{Detail, Number, Stats};

/// A point is newer than the one that is known, or replaces it: it came later, or was put again with
/// another value.
pub fn is_news(point: Point, known: Point) -> bool {
    point.timestamp > known.timestamp
        || (point.timestamp == known.timestamp && point.value.to_bits() != known.value.to_bits())
}

/// Points further ahead of the clock, in seconds, do not hide the present of their key.
const MAX_AHEAD: i64 = 60;

/// Points may be put so late, in seconds, after newer ones of other keys. Counts are asked for up to
/// so long before the newest point: later ones are told, or are among the newest points.
pub const LATE: i64 = 5;

/// The last time that is not too far ahead.
pub fn present_until(now: i64) -> i64 {
    now.saturating_add(MAX_AHEAD)
}

/// The times of the points that count in a window, and of those that may be the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Points before this time are in none of the numbers.
    pub from: i64,
    /// Points after this time are too far ahead.
    pub present: i64,
}

impl Bounds {
    /// Of a window that ends now, in Unix seconds.
    pub fn of(window: Window, now: i64) -> Self {
        let seconds = window.seconds().unwrap_or(i64::MAX);
        Self { from: now.saturating_sub(seconds), ..Self::of_all(present_until(now)) }
    }

    /// All points count; those after the time `present` are too far ahead.
    pub const fn of_all(present: i64) -> Self {
        Self { from: i64::MIN, present }
    }

    /// A point of this time is in the numbers: of a window that ends now, none that is too far ahead.
    pub fn counts(self, timestamp: i64) -> bool {
        let is_all = self.from == i64::MIN;
        timestamp >= self.from && (is_all || !self.is_stray(timestamp))
    }

    /// A point of this time is too far ahead.
    pub fn is_stray(self, timestamp: i64) -> bool {
        timestamp > self.present
    }
}

/// The newest time of these series that is not too far ahead of `now`.
pub fn newest<'a>(all: impl Iterator<Item = &'a Series>, now: i64) -> Option<i64> {
    let times = all.map(|series| series.last.timestamp);
    times.filter(|&time| time <= present_until(now)).max()
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

/// What is known of one series: its newest points, and a summary of more of them where one was
/// asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its name.
    pub key: KeyBuf,
    /// The newest point; one too far ahead only when all are.
    pub last: Point,
    /// The newest point before the last one.
    pub before: Option<Point>,
    /// Not in the series itself, because a table of a million keys has few of them.
    stats: Option<Box<Stats>>,
}

impl Series {
    /// A series of one point; its summary keeps at most so many recent points, and there is none
    /// for 0.
    pub fn new(key: KeyBuf, point: Point, max_recent: usize) -> Self {
        let stats = (max_recent > 0).then(|| Box::new(Stats::new(point, max_recent)));
        Self { key, last: point, before: None, stats }
    }

    /// Takes a point.
    pub(super) fn add(&mut self, point: Point, bounds: Bounds) {
        let Bounds { present, .. } = bounds;
        let counts = bounds.counts(point.timestamp);
        let is_stray = point.timestamp > present && self.last.timestamp <= present;
        let is_first = point.timestamp <= present && self.last.timestamp > present;
        if is_first || point.timestamp >= self.last.timestamp && !is_stray {
            if let Some(stats) = &mut self.stats {
                stats.goes_on(point.timestamp.saturating_sub(self.last.timestamp));
            }
            self.before = Some(self.last);
            self.last = point;
        } else if !is_stray && self.before.is_none_or(|before| before.timestamp < point.timestamp) {
            self.before = Some(point);
        }
        let Some(stats) = &mut self.stats else { return };
        if counts {
            stats.count(point.value);
        }
        if let Some(detail) = stats.detail.as_mut().filter(|_| !is_stray) {
            detail.push(point, counts);
        }
    }

    /// Brings the recent points into the order of their times.
    pub(super) fn sort(&mut self) {
        if let Some(detail) = self.detail_mut() {
            detail.recent.sort();
        }
    }

    fn detail(&self) -> Option<&Detail> {
        self.stats.as_ref()?.detail.as_deref()
    }

    fn detail_mut(&mut self) -> Option<&mut Detail> {
        self.stats.as_mut()?.detail.as_deref_mut()
    }

    /// Takes a point that was put just now, in whatever order of times, and maybe again; says
    /// whether anything has changed. Numbers and course are of the points within the bounds.
    pub fn tell(&mut self, point: Point, bounds: Bounds) -> bool {
        let Point { timestamp, value } = point;
        let Bounds { present, .. } = bounds;
        let counts = bounds.counts(timestamp);
        let is_stray = timestamp > present && self.last.timestamp <= present;
        let is_first = timestamp <= present && self.last.timestamp > present;
        if is_first || timestamp > self.last.timestamp && !is_stray {
            self.add(point, bounds);
            return true;
        }
        let is_same = |known: Point| known.value.to_bits() == value.to_bits();
        let mut changed = false;
        if timestamp == self.last.timestamp {
            changed = !is_same(self.last);
            self.last = point;
        } else if !is_stray {
            match self.before {
                Some(before) if before.timestamp > timestamp => {}
                Some(before) if before.timestamp == timestamp && is_same(before) => {}
                _ => (self.before, changed) = (Some(point), true),
            }
        }
        let Some(stats) = &mut self.stats else { return changed };
        let Some(detail) = &mut stats.detail else {
            match () {
                () if !counts => {}
                () if timestamp == self.last.timestamp => stats.widen(value),
                () => stats.count(value),
            }
            return true;
        };
        if let Some(trend) = detail.trend.as_mut().filter(|_| !is_stray && counts) {
            trend.push(point);
        }
        match detail.recent.replace(point) {
            // A point with another value, or with the one that is known.
            Some(known) if is_same(known) => return changed,
            // What was the minimum or the maximum may be so no longer; the next answer tells.
            Some(_) if counts => stats.widen(value),
            Some(_) => {}
            None if is_stray && counts => stats.count(value),
            None if is_stray => {}
            // It may replace a point that is not kept: the next answer tells.
            None => {
                let oldest = detail.recent.get(0).map(|oldest| oldest.timestamp);
                let kept = detail.recent.len() as u64;
                if counts {
                    stats.count(value);
                }
                let all_kept = counts && Some(kept + 1) == self.count();
                if let Some(detail) = self.detail_mut()
                    && (all_kept || oldest.is_some_and(|oldest| oldest < timestamp))
                {
                    detail.recent.add(point);
                    detail.recent.sort();
                    detail.recent.keep(detail.max_recent);
                }
            }
        }
        true
    }

    /// Takes a count, or a mean after it, as [`Series::set`] does; so many newer values of this sum
    /// are not in the answer. No more is kept than the numbers.
    pub fn set_with_sum(&mut self, of: Aggregate, value: Option<f64>, newer: u32, sum: f64) {
        self.stats.get_or_insert_default().set_with_sum(of, value, f64::from(newer), sum);
    }

    /// No point counts in the numbers so far.
    pub fn forget_counted(&mut self) {
        for of in [Aggregate::Count, Aggregate::Min, Aggregate::Max, Aggregate::Avg] {
            self.set(of, None, &[]);
        }
    }

    /// Takes another value of a point that it has, which may be the newest: minimum and maximum are
    /// at least as wide then. What the numbers were of before is not known.
    pub fn correct(&mut self, point: Point) {
        if point.timestamp == self.last.timestamp {
            self.last = point;
        }
        if let Some(stats) = &mut self.stats {
            stats.widen(point.value);
        }
    }

    /// Takes a number of all points, or of those of a window, as a server with selectors has computed
    /// it of more points than have come; none of no points. Newer values are counted in: for a count
    /// and a mean, those that are not in the answer. The count comes before the mean.
    pub fn set(&mut self, of: Aggregate, value: Option<f64>, newer: &[f64]) {
        self.stats.get_or_insert_default().set(of, value, newer);
    }

    /// Takes the newest points, oldest first, and keeps at most so many from now on. Those that were
    /// told meanwhile stay.
    pub fn set_recent(&mut self, points: &[Point], max_recent: usize) {
        self.set_before(points);
        let last = self.last;
        let earlier = points.iter().filter(|point| point.timestamp < last.timestamp);
        let detail = self.stats.get_or_insert_default().detail();
        detail.max_recent = max_recent;
        detail.recent = earlier.copied().chain([last]).collect();
        detail.recent.keep(max_recent);
    }

    /// Takes the newest points, oldest first, to know the one before the last.
    pub fn set_before(&mut self, points: &[Point]) {
        let mut earlier = points.iter().rev().filter(|point| point.timestamp < self.last.timestamp);
        if let Some(&new) = earlier.next()
            && self.before.is_none_or(|old| old.timestamp <= new.timestamp)
        {
            self.before = Some(new);
        }
    }

    /// Takes the course over a window; the newest point may have been told meanwhile.
    pub fn set_trend(&mut self, trend: Trend) {
        self.stats.get_or_insert_default().detail().trend = Some(trend);
    }

    /// The course over a window, if it was asked for.
    pub fn trend(&self) -> Option<&Trend> {
        self.detail()?.trend.as_ref()
    }

    /// What was asked for.
    pub fn asked(&self) -> Option<Asked> {
        self.detail()?.asked
    }

    /// Numbers of it are refused, because the server has lost points of it.
    pub fn has_lost_points(&self) -> bool {
        self.asked().is_some_and(|asked| asked.is_refused)
    }

    /// Records what was asked for; numbers of another window are forgotten.
    pub fn set_asked(&mut self, asked: Asked) {
        let detail = self.stats.get_or_insert_default().detail();
        detail.asked = Some(match detail.asked.filter(|before| before.window == asked.window) {
            Some(before) => Asked { parts: before.parts | asked.parts, ..asked },
            None => asked,
        });
    }

    /// Takes a number of an earlier state.
    pub fn keep_number(&mut self, of: Aggregate, before: &Self) {
        let Some(before) = &before.stats else { return };
        let number = match of {
            Aggregate::Count => before.count,
            Aggregate::Min => before.min,
            Aggregate::Max => before.max,
            Aggregate::Avg => before.mean,
            _ => return,
        };
        self.set(of, number.get(), &[]);
    }

    /// Takes the numbers of an earlier state, unless it has some.
    pub fn keep_numbers(&mut self, before: &Self) {
        let numbers = before.stats.as_ref().map(|stats| {
            let Stats { count, min, max, mean, .. } = **stats;
            Box::new(Stats { count, min, max, mean, ..Stats::default() })
        });
        self.stats = self.stats.take().or(numbers);
    }

    /// Takes all that was known of an earlier state; it is to be asked for anew.
    pub fn keep_stats(&mut self, before: &Self) {
        self.stats.clone_from(&before.stats);
        if let Some(detail) = self.detail_mut() {
            detail.asked = None;
        }
    }

    /// Compares the newest value with that of a Unix second; none where there was none. Its points had a
    /// usual distance then if it is known after how many seconds without one it has stopped.
    pub fn compare(&mut self, before: Option<f64>, stale_after: Option<i64>, at: i64) {
        let age = at.saturating_sub(self.last.timestamp);
        let stats = self.stats.get_or_insert_default();
        stats.base = before.map_or(Number::EMPTY, Number);
        let seconds = |it: i64| u32::try_from(it.max(0)).unwrap_or(u32::MAX);
        stats.had_stopped_for = stale_after.map_or(0, |it| seconds(age.saturating_sub(it)));
        stats.stale_after = stale_after.map_or(0, seconds);
    }

    /// Is compared with what another one is compared with.
    pub fn compare_as(&mut self, other: &Self) {
        let Some(of) = other.stats.as_ref().filter(|of| of.base != Number::default()) else {
            return;
        };
        let later_by = self.last.timestamp.saturating_sub(other.last.timestamp);
        let stats = self.stats.get_or_insert_default();
        (stats.base, stats.stale_after) = (of.base, of.stale_after);
        stats.had_stopped_for = of.had_stopped_for;
        stats.goes_on(later_by);
    }

    /// Compares no longer.
    pub fn forget_comparison(&mut self) {
        if let Some(stats) = self.stats.take() {
            let base = Number::default();
            self.stats = Stats { base, stale_after: 0, had_stopped_for: 0, ..*stats }.boxed();
        }
    }

    /// How far the newest value has moved from the one that it is compared with, if it is compared; at a Unix
    /// second.
    pub fn moved(&self, at: i64) -> Option<Moved> {
        let stats = self.stats.as_ref()?;
        let base = stats.base;
        let age = at.saturating_sub(self.last.timestamp);
        if base.get().is_some() && stats.stale_after > 0 && age > stats.stale_after.into() {
            return Some(Moved::Stopped { before: stats.had_stopped_for > 0 });
        }
        let (before, now) = (base.get(), self.last.value);
        match before {
            Some(before) => Some(Moved::From { before, now }),
            None => base.is_empty().then_some(Moved::New),
        }
    }

    /// Forgets the numbers and the course; the newest points stay.
    pub fn forget_numbers(&mut self) {
        let Some(stats) = self.stats.take() else { return };
        let detail = stats.detail.map(|mut detail| {
            let Detail { recent, max_recent, .. } = std::mem::take(&mut *detail);
            *detail = Detail { recent, max_recent, ..Detail::default() };
            detail
        });
        let Stats { base, stale_after, had_stopped_for, .. } = *stats;
        self.stats =
            Stats { base, stale_after, had_stopped_for, detail, ..Stats::default() }.boxed();
    }

    /// Forgets everything but the newest points, and what they are compared with.
    pub fn forget_stats(&mut self) {
        let Some(stats) = self.stats.take() else { return };
        let Stats { base, stale_after, had_stopped_for, .. } = *stats;
        self.stats = Stats { base, stale_after, had_stopped_for, ..Stats::default() }.boxed();
    }

    /// Keeps fewer points from now on.
    pub(super) fn keep(&mut self, limit: usize) {
        let Some(detail) = self.detail_mut() else { return };
        detail.max_recent = limit;
        detail.recent.keep(limit);
        detail.recent.shrink_to_fit();
    }

    /// Forgets the recent points.
    pub fn forget_recent(&mut self) {
        if let Some(detail) = self.detail_mut() {
            detail.recent = RecentPoints::default();
        }
    }

    /// The number of points, if it is known.
    pub fn count(&self) -> Option<u64> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        let whole = |count| count as u64;
        self.stats.as_ref()?.count.get().map(whole)
    }

    /// The least value, if it is known.
    pub fn min(&self) -> Option<f64> {
        self.stats.as_ref()?.min.get()
    }

    /// The greatest value, if it is known.
    pub fn max(&self) -> Option<f64> {
        self.stats.as_ref()?.max.get()
    }

    /// The mean of the values, if it is known.
    pub fn mean(&self) -> Option<f64> {
        self.stats.as_ref()?.mean.get()
    }

    /// The most recent points, oldest first; not all of them in a long series.
    pub fn recent(&self) -> &RecentPoints {
        static NONE: RecentPoints = RecentPoints::new();
        self.detail().map_or(&NONE, |detail| &detail.recent)
    }

    /// The newest value less the one before it, if there are two.
    pub fn change(&self) -> Option<f64> {
        Some(change(self.before?, self.last))
    }
}

#[cfg(test)]
mod tests;
