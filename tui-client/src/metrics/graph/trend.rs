//! The course of a series in steps of time, as wide as a sparkline.

use std::collections::VecDeque;

use shared::Point;

use super::gaps::Gaps;

/// The greatest values by buckets of time, oldest first; buckets without points are left out. A point
/// that is taken twice changes nothing, so it does not matter whether an answer has it already.
#[derive(Debug, Clone, PartialEq)]
pub struct Trend {
    /// Seconds in a bucket, at least 1.
    step: i64,
    /// Seconds in a bucket once the points fill the window; they double until then.
    full_step: i64,
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
        let step = step.max(1);
        Self { step, full_step: step, buckets, limit: limit.max(1) }
    }

    /// The same of a window whose buckets have so many seconds once the points fill it.
    #[must_use]
    pub fn within(self, full_step: i64) -> Self {
        Self { full_step: full_step.max(self.step), ..self }
    }

    /// All points of the window, oldest first, in the shortest buckets that are not too many.
    pub fn of_points<'a>(
        full_step: i64,
        limit: usize,
        points: impl IntoIterator<Item = &'a Point>,
    ) -> Self {
        let full_step = full_step.max(1);
        let mut trend = Self { step: 1, full_step, buckets: VecDeque::new(), limit: limit.max(1) };
        points.into_iter().for_each(|&point| trend.push(point));
        trend
    }

    /// Seconds in a bucket of its window.
    pub fn full_step(&self) -> i64 {
        self.full_step
    }

    /// The buckets are shorter than those of a full window.
    pub fn is_fine(&self) -> bool {
        self.step < self.full_step
    }

    /// How many buckets after the first one a window has at most; none unless it is about full.
    fn full_buckets(&self) -> Option<i64> {
        /// Buckets of a full window that come and go with the place of its ends in them.
        const LOOSE: i64 = 4;
        let (first, last) = (self.buckets.front()?, self.buckets.back()?);
        let most = i64::try_from(self.limit - 1).ok()?;
        let buckets = last.timestamp.saturating_sub(first.timestamp) / self.step;
        (!self.is_fine() && buckets.saturating_add(LOOSE) > most).then_some(most)
    }

    /// The time of the first bucket.
    pub fn first(&self) -> Option<i64> {
        self.buckets.front().map(|first| first.timestamp)
    }

    /// The buckets are shorter than those of another trend, and reach as far back.
    pub fn refines(&self, other: &Self) -> bool {
        let reaches = |first: i64| {
            self.first()
                .is_some_and(|mine| mine.div_euclid(other.step) <= first.div_euclid(other.step))
        };
        self.full_step == other.full_step
            && self.step < other.step
            && other.first().is_some_and(reaches)
    }

    /// Takes a point; one between the buckets is left out.
    pub fn push(&mut self, point: Point) {
        let start = start_of(point.timestamp, self.step);
        match self.buckets.back() {
            Some(last) if last.timestamp >= start => {
                let place = self.buckets.binary_search_by_key(&start, |bucket| bucket.timestamp);
                if let Some(bucket) = place.ok().and_then(|place| self.buckets.get_mut(place)) {
                    bucket.value = bucket.value.max(point.value);
                }
            }
            _ => self.buckets.push_back(Point { timestamp: start, value: point.value }),
        }
        while self.step < self.full_step && self.is_too_long() {
            self.coarsen();
        }
        while self.is_too_long() {
            self.buckets.pop_front();
        }
    }

    /// The buckets are of a longer time than that of the window.
    fn is_too_long(&self) -> bool {
        let (Some(first), Some(last)) = (self.buckets.front(), self.buckets.back()) else {
            return false;
        };
        let kept = self.step.saturating_mul(i64::try_from(self.limit).unwrap_or(i64::MAX));
        self.buckets.len() > self.limit || last.timestamp.saturating_sub(kept) > first.timestamp
    }

    /// Makes the buckets twice as long, at most as long as those of the window.
    fn coarsen(&mut self) {
        self.step = self.step.saturating_mul(2).min(self.full_step);
        let mut merged: VecDeque<Point> = VecDeque::new();
        for bucket in &self.buckets {
            let timestamp = start_of(bucket.timestamp, self.step);
            match merged.back_mut().filter(|last| last.timestamp == timestamp) {
                Some(last) => last.value = last.value.max(bucket.value),
                None => merged.push_back(Point { timestamp, ..*bucket }),
            }
        }
        self.buckets = merged;
    }

    /// The greatest values of as many buckets as there are columns, wider ones where there are more.
    /// A column between joined points has the value before it; none where points are missing.
    pub fn columns(&self, columns: usize) -> Vec<Option<f64>> {
        let axis = TrendAxis::of([self], columns);
        let tops = axis.map(|axis| self.columns_on(axis)).unwrap_or_default();
        // What is beyond the left end may have been the beginning of a gap.
        tops.into_iter().skip_while(Option::is_none).collect()
    }

    /// The same on an axis, from its first column to the last one that has a value.
    pub fn columns_on(&self, axis: TrendAxis) -> Vec<Option<f64>> {
        let TrendAxis { wide, first, columns } = axis;
        let times = self.buckets.iter().map(|bucket| bucket.timestamp);
        let gaps = Gaps::of(times, Some(self.step.unsigned_abs()));
        let place = |column: i64| usize::try_from(column.saturating_sub(first));
        let mut tops: Vec<Option<f64>> = Vec::new();
        let mut before: Option<f64> = None;
        for (at, bucket) in self.buckets.iter().enumerate() {
            let is_gap = at.checked_sub(1).and_then(|at| gaps.is_joined(at)) == Some(false);
            let between = before.filter(|_| !is_gap);
            before = Some(bucket.value);
            let Ok(place) = place(bucket.timestamp.div_euclid(wide)) else { continue };
            if place >= columns {
                break;
            }
            match tops.get_mut(place) {
                Some(Some(top)) => *top = top.max(bucket.value),
                Some(top) => *top = Some(bucket.value),
                None => {
                    tops.resize(place, between);
                    tops.push(Some(bucket.value));
                }
            }
        }
        tops
    }
}

/// The time that the columns of one or several trends show, so that a column is of the same time in
/// each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrendAxis {
    /// Seconds in a column: whole buckets, and the same ones until the column leaves.
    wide: i64,
    /// The number of the first column since 1970.
    first: i64,
    /// At least 1.
    columns: usize,
}

impl TrendAxis {
    /// That of some trends in at most so many columns; none without any bucket.
    pub fn of<'a>(trends: impl IntoIterator<Item = &'a Trend>, columns: usize) -> Option<Self> {
        /// Columns of which one may be missing for the oldest buckets, rather than that all are
        /// half as many: a window has a bucket or two more than it has room.
        const SPARE: i64 = 8;
        let trends: Vec<&Trend> = trends.into_iter().collect();
        let span =
            |trend: &&Trend| Some((trend.step, trend.first()?, trend.buckets.back()?.timestamp));
        let spans = trends.iter().filter_map(span);
        let (step, first, last) =
            spans.reduce(|a, b| (a.0.max(b.0), a.1.min(b.1), a.2.max(b.2)))?;
        let columns = columns.max(1);
        let room = i64::try_from(columns).unwrap_or(i64::MAX);
        let buckets = last.div_euclid(step).saturating_sub(first.div_euclid(step));
        // A bucket that comes or goes does not change how wide the columns are.
        let full = trends.iter().filter(|trend| trend.step == step);
        let full = full.filter_map(|trend| trend.full_buckets()).max();
        let buckets = buckets.max(full.unwrap_or(0));
        let wide = step.saturating_mul(buckets.saturating_sub(room / SPARE) / room + 1);
        let end = last.div_euclid(wide).saturating_sub(room - 1);
        Some(Self { wide, first: first.div_euclid(wide).max(end), columns })
    }
}

fn start_of(time: i64, step: i64) -> i64 {
    time.div_euclid(step).saturating_mul(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(timestamp: i64, value: f64) -> Point {
        Point { timestamp, value }
    }

    fn shown(trend: &Trend, columns: usize) -> String {
        let columns = trend.columns(columns).into_iter();
        let columns = columns.map(|top| top.map_or("-".to_owned(), |top| top.to_string()));
        columns.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn told_points_go_on_with_the_buckets_of_the_answer() {
        let mut trend = Trend::new(20, 3, &[point(0, 1.0), point(20, 3.0)]);
        trend.push(point(25, 5.0));
        trend.push(point(26, 2.0));
        trend.push(point(26, 2.0));
        assert_eq!(shown(&trend, 8), "1 5", "the greatest, however often they are told");
        trend.push(point(41, 7.0));
        trend.push(point(60, 9.0));
        assert_eq!(shown(&trend, 8), "5 7 9", "the oldest is gone");
        assert_eq!(shown(&trend, 2), "5 9", "together, from multiples on");
        trend.push(point(5, 100.0));
        assert_eq!(shown(&trend, 8), "5 7 9", "what comes late is not the newest");
        trend.push(point(45, 8.0));
        assert_eq!(shown(&trend, 8), "5 8 9", "it counts in its own bucket");
        trend.push(point(6000, 2.0));
        assert_eq!(shown(&trend, 8), "2");
    }

    #[test]
    fn columns_without_points_are_a_gap_after_four_usual_steps() {
        let trend = |times: &[i64]| {
            let points: Vec<Point> = times.iter().map(|&time| point(time * 20, 1.0)).collect();
            Trend::new(20, 48, &points)
        };
        assert_eq!(shown(&trend(&[0, 1, 2, 6, 7]), 48), "1 1 1 1 1 1 1 1");
        assert_eq!(shown(&trend(&[0, 1, 2, 7, 8]), 48), "1 1 1 - - - - 1 1");
        assert_eq!(shown(&trend(&[0, 1, 2, 8, 9]), 5), "1 1 - - 1", "two buckets a column");
        let slower: Vec<i64> = (0..7).map(|n| n * 6).chain(37..43).collect();
        assert!(!shown(&trend(&slower), 48).contains('-'), "their interval changes");
        let falling = [point(0, 3.0), point(20, 2.0), point(60, 1.0)];
        assert_eq!(shown(&Trend::new(20, 48, &falling), 48), "3 2 2 1", "the value before");
        let seldom: Vec<i64> = (0..14).map(|n| n * 10 / 3).collect();
        assert!(!shown(&trend(&seldom), 48).contains('-'), "points come every 3 or 4 buckets");
        let ends = [point(i64::MIN, 1.0), point(i64::MAX, 2.0)];
        assert_eq!(shown(&Trend::new(1, 48, &ends), 5), "2");
    }

    #[test]
    fn trends_on_one_axis_are_of_the_same_time() {
        let buckets = |of: std::ops::Range<i64>| of.map(|n| point(n * 19, 1.0)).collect::<Vec<_>>();
        // A bucket more than the other one, and one that began later.
        let all = [0..46, 0..45, 30..46].map(|of| Trend::new(19, 49, &buckets(of)));
        let axis = TrendAxis::of(&all, 45).unwrap();
        let lines = all.each_ref().map(|trend| trend.columns_on(axis));
        let counts = lines.each_ref().map(|line| line.iter().flatten().count());
        assert_eq!(counts, [45, 44, 16], "all at a bucket a column");
        assert_eq!(lines.map(|line| line.len()), [45, 44, 45]);
        let fresh: Vec<Point> = (0..40).map(|n| point(45 * 19 - n, 1.0)).rev().collect();
        let fresh = Trend::of_points(19, 49, &fresh);
        assert_eq!(fresh.step, 1);
        let axis = TrendAxis::of([&all[0], &fresh], 45).unwrap();
        let line = fresh.columns_on(axis);
        assert_eq!((line.len(), line.iter().flatten().count()), (45, 4), "in the wider buckets");
        for columns in 1..60 {
            let trend = Trend::new(19, 49, &buckets(3..52));
            let shown = trend.columns(columns).len();
            assert!(shown <= columns && shown * 2 >= columns.min(49), "{columns}: {shown}");
        }
    }

    /// A quarter of an hour that goes on by the second, and is asked for again each half a minute.
    #[test]
    fn the_columns_of_a_window_stay_as_wide_as_time_goes_on() {
        let buckets = |from: i64, to: i64| {
            let starts = from.div_euclid(19)..=to.div_euclid(19);
            starts.map(|n| point(n * 19, 1.0)).collect::<Vec<_>>()
        };
        for columns in 1..60 {
            let mut widths = std::collections::BTreeSet::new();
            let mut trend = Trend::new(19, 49, &buckets(0, 900));
            for now in 900..1200 {
                trend.push(point(now, 1.0));
                if now % 30 == 0 {
                    trend = Trend::new(19, 49, &buckets(now - 900, now));
                }
                widths.extend(TrendAxis::of([&trend], columns).map(|axis| axis.wide));
            }
            assert_eq!(widths.len(), 1, "{columns}: {widths:?}");
        }
    }

    #[test]
    fn the_points_of_a_fresh_key_have_columns_of_their_own() {
        let points: Vec<Point> = (0..10).map(|n| point(1000 + n, 1.0)).collect();
        let mut trend = Trend::of_points(19, 49, &points);
        assert_eq!(trend.columns(48).len(), 10);
        let mut most = 10;
        for n in 10..2000_i32 {
            trend.push(point(1000 + i64::from(n), 1.0));
            let columns = trend.columns(48);
            assert!(
                columns.iter().all(Option::is_some)
                    && columns.len() >= usize::try_from(n).unwrap().min(24),
                "{columns:?}"
            );
            most = most.max(columns.len());
        }
        assert_eq!((most, trend.step), (48, 19));
        let answer = Trend::new(19, 49, &[point(988, 1.0)]);
        let fresh = Trend::of_points(19, 49, &points);
        assert!(fresh.refines(&answer) && !answer.refines(&fresh));
        let older = Trend::new(19, 49, &[point(19, 1.0), point(988, 1.0)]);
        assert!(!fresh.refines(&older), "there are points before");
    }
}
