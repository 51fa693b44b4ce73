//! Sets of timestamps, as ranges.

/// Disjoint ranges of timestamps, both ends included, by rising time, none next to another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TimeRanges(Vec<(i64, i64)>);

impl TimeRanges {
    /// Adds a range; none when `from` is the later end.
    pub fn insert(&mut self, from: i64, to: i64) {
        if from > to {
            return;
        }
        let start = self.0.partition_point(|&(_, end)| end.saturating_add(1) < from);
        let count = self.0[start..].partition_point(|&(begin, _)| begin <= to.saturating_add(1));
        let mut merged = (from, to);
        for &(begin, end) in &self.0[start..start + count] {
            merged = (merged.0.min(begin), merged.1.max(end));
        }
        self.0.splice(start..start + count, [merged]);
    }

    /// Adds ranges, which may touch or overlap.
    pub fn insert_all(&mut self, ranges: &[(i64, i64)]) {
        for &(from, to) in ranges {
            self.insert(from, to);
        }
    }

    /// The ranges.
    pub fn ranges(&self) -> &[(i64, i64)] {
        &self.0
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a timestamp is in it.
    pub fn contains(&self, timestamp: i64) -> bool {
        self.covers((timestamp, timestamp))
    }

    /// Whether all timestamps from `first` to `last` are in it.
    pub fn covers(&self, (first, last): (i64, i64)) -> bool {
        self.at_or_behind(first).is_some_and(|(from, to)| from <= first && last <= to)
    }

    /// Whether any timestamp from `first` to `last` is in it.
    pub fn intersects(&self, (first, last): (i64, i64)) -> bool {
        self.at_or_behind(first).is_some_and(|(from, _)| from <= last)
    }

    /// The first range that does not end before a timestamp.
    fn at_or_behind(&self, timestamp: i64) -> Option<(i64, i64)> {
        self.0.get(self.0.partition_point(|&(_, to)| to < timestamp)).copied()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_ends_of_time_are_timestamps() {
        let mut ranges = TimeRanges::default();
        ranges.insert(i64::MAX, i64::MAX);
        ranges.insert(i64::MIN, i64::MIN);
        assert_eq!(ranges.ranges(), [(i64::MIN, i64::MIN), (i64::MAX, i64::MAX)]);
        ranges.insert(i64::MIN + 1, i64::MAX - 1);
        assert_eq!(ranges.ranges(), [(i64::MIN, i64::MAX)]);
        ranges.insert(3, 2);
        assert!(ranges.covers((i64::MIN, i64::MAX)));
    }

    proptest! {
        #[test]
        fn it_is_a_set(
            ranges in prop::collection::vec((0..60i64, 0..8i64), 0..12),
            (first, length) in (0..70i64, 0..8i64),
        ) {
            let ranges: Vec<_> = ranges.into_iter().map(|(from, len)| (from, from + len)).collect();
            let mut set = TimeRanges::default();
            set.insert_all(&ranges);
            let is_in = |at: i64| ranges.iter().any(|&(from, to)| (from..=to).contains(&at));
            let last = first + length;
            prop_assert_eq!(set.contains(first), is_in(first));
            prop_assert_eq!(set.covers((first, last)), (first..=last).all(is_in));
            prop_assert_eq!(set.intersects((first, last)), (first..=last).any(is_in));
            prop_assert!(set.ranges().windows(2).all(|pair| pair[0].1 + 1 < pair[1].0));
        }
    }
}
