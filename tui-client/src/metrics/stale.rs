//! Whether a series is stale: its next point is late.

use crate::metrics::series::Series;

/// A series is stale when its next point is late by this many of its usual distances.
const STALE_STEPS: i64 = 5;

/// But not before this many seconds without a point.
const MIN_STALE: i64 = 30;

/// The distances of the newest points say what is usual; so many are enough.
const MAX_STEPS: usize = 15;

/// A series of one point has no usual distance; it is stale after this many seconds.
const STALE_ALONE: i64 = 300;

impl Series {
    /// The usual distance of its newest points in seconds, if there are two.
    pub fn step(&self) -> Option<i64> {
        if self.recent().len() < 2 {
            return Some(self.last.timestamp.saturating_sub(self.before?.timestamp));
        }
        let times = self.recent().iter().rev().map(|point| point.timestamp);
        let mut steps = [0; MAX_STEPS];
        let pairs = times.clone().skip(1).zip(times);
        let mut count = 0;
        for (step, (before, after)) in steps.iter_mut().zip(pairs) {
            *step = after.saturating_sub(before);
            count += 1;
        }
        // The median, which an outage does not move.
        let middle = steps.get_mut(..count).filter(|steps| !steps.is_empty())?;
        Some(*middle.select_nth_unstable(count / 2).1)
    }

    /// The age in seconds above which it is stale by its usual distance, if it has two points.
    pub fn stale_after(&self) -> Option<i64> {
        self.step().map(|step| step.saturating_mul(STALE_STEPS).max(MIN_STALE))
    }

    /// Its next point is late.
    pub fn is_stale(&self, now: i64) -> bool {
        let age = now.saturating_sub(self.last.timestamp);
        let limit = |step: i64| step.saturating_mul(STALE_STEPS).max(MIN_STALE);
        // The points are looked at only if they matter: that is slow for many series.
        age > MIN_STALE && age > self.step().map_or(STALE_ALONE, limit)
    }
}
