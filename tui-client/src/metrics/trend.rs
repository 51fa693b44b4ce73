//! The course of a series in steps of time, as wide as a sparkline.

use std::collections::VecDeque;

use shared::Point;

/// The greatest values by buckets of time, oldest first; buckets without points are left out. A point
/// that is taken twice changes nothing, so it does not matter whether an answer has it already.
#[derive(Debug, Clone, PartialEq)]
pub struct Trend {
    /// Seconds in a bucket, at least 1.
    step: i64,
    /// The bucket and the greatest of its values.
    buckets: VecDeque<Point>,
    /// Buckets that are kept, at least 1.
    limit: usize,
}

impl Trend {
    /// The answer of a server with selectors, in buckets of so many seconds.
    pub fn new(step: i64, limit: usize, buckets: &[Point]) -> Self {
        let kept = buckets.len().saturating_sub(limit);
        let buckets = buckets[kept..].iter().copied().collect();
        Self { step: step.max(1), buckets, limit: limit.max(1) }
    }

    /// Takes a point; one between the buckets is left out.
    pub fn push(&mut self, point: Point) {
        let start = point.timestamp.div_euclid(self.step).saturating_mul(self.step);
        match self.buckets.back() {
            Some(last) if last.timestamp >= start => {
                let place = self.buckets.binary_search_by_key(&start, |bucket| bucket.timestamp);
                if let Some(bucket) = place.ok().and_then(|place| self.buckets.get_mut(place)) {
                    bucket.value = bucket.value.max(point.value);
                }
            }
            _ => {
                self.buckets.push_back(Point { timestamp: start, value: point.value });
                let kept = self.step.saturating_mul(i64::try_from(self.limit).unwrap_or(i64::MAX));
                let oldest = start.saturating_sub(kept);
                while self.buckets.len() > self.limit
                    || self.buckets.front().is_some_and(|first| first.timestamp < oldest)
                {
                    self.buckets.pop_front();
                }
            }
        }
    }

    /// The greatest values of as many buckets as there are columns, wider ones where there are more.
    pub fn columns(&self, columns: usize) -> Vec<f64> {
        let (Some(first), Some(last)) = (self.buckets.front(), self.buckets.back()) else {
            return Vec::new();
        };
        let span = last.timestamp.saturating_sub(first.timestamp) / self.step + 1;
        let columns = i64::try_from(columns.max(1)).unwrap_or(i64::MAX);
        // A column has whole buckets, and the same ones until it leaves.
        let together = span.saturating_add(columns - 1) / columns;
        let wide = self.step.saturating_mul(together.max(1));
        let mut tops: Vec<(i64, f64)> = Vec::new();
        for bucket in &self.buckets {
            let column = bucket.timestamp.div_euclid(wide);
            match tops.last_mut() {
                Some((at, top)) if *at == column => *top = top.max(bucket.value),
                _ => tops.push((column, bucket.value)),
            }
        }
        let surplus = tops.len().saturating_sub(usize::try_from(columns).unwrap_or(usize::MAX));
        tops.into_iter().skip(surplus).map(|(_, top)| top).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(timestamp: i64, value: f64) -> Point {
        Point { timestamp, value }
    }

    #[test]
    fn told_points_go_on_with_the_buckets_of_the_answer() {
        let mut trend = Trend::new(20, 3, &[point(0, 1.0), point(20, 3.0)]);
        trend.push(point(25, 5.0));
        trend.push(point(26, 2.0));
        trend.push(point(26, 2.0));
        assert_eq!(trend.columns(8), [1.0, 5.0], "the greatest, however often they are told");
        trend.push(point(41, 7.0));
        trend.push(point(60, 9.0));
        assert_eq!(trend.columns(8), [5.0, 7.0, 9.0], "the oldest is gone");
        assert_eq!(trend.columns(2), [5.0, 9.0], "together, from multiples on");
        trend.push(point(5, 100.0));
        assert_eq!(trend.columns(8), [5.0, 7.0, 9.0], "what comes late is not the newest");
        trend.push(point(45, 8.0));
        assert_eq!(trend.columns(8), [5.0, 8.0, 9.0], "it counts in its own bucket");
        trend.push(point(6000, 2.0));
        assert_eq!(trend.columns(8), [2.0]);
    }
}
