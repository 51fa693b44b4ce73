//! Sets of timestamps, as ranges.

use std::ops::Deref;
use std::sync::Arc;

/// Most ranges that are inserted one by one.
const MAX_INSERTED: usize = 4;

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
        if ranges.len() <= MAX_INSERTED {
            for &(from, to) in ranges {
                self.insert(from, to);
            }
            return;
        }
        let mut all = std::mem::take(&mut self.0);
        all.extend_from_slice(ranges);
        // Two sorted stretches, mostly: one pass.
        all.sort_by_key(|&(from, _)| from);
        for (from, to) in all.into_iter().filter(|(from, to)| from <= to) {
            match self.0.last_mut() {
                Some(last) if from <= last.1.saturating_add(1) => last.1 = last.1.max(to),
                _ => self.0.push((from, to)),
            }
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

    /// What is left of a range without them.
    pub fn uncovered(&self, (first, last): (i64, i64)) -> Vec<(i64, i64)> {
        let mut left = Vec::new();
        let mut next = Some(first);
        let start = self.0.partition_point(|&(_, to)| to < first);
        for &(from, to) in self.0[start..].iter().take_while(|&&(from, _)| from <= last) {
            let Some(begin) = next else { break };
            if begin < from {
                left.push((begin, from - 1));
            }
            next = to.checked_add(1);
        }
        if let Some(begin) = next.filter(|&begin| begin <= last) {
            left.push((begin, last));
        }
        left
    }

    /// The first range that does not end before a timestamp.
    fn at_or_behind(&self, timestamp: i64) -> Option<(i64, i64)> {
        self.0.get(self.0.partition_point(|&(_, to)| to < timestamp)).copied()
    }
}

/// Ranges that clones share; those that are changed are copied first.
#[derive(Debug, Clone, Default)]
pub struct SharedRanges(Arc<TimeRanges>);

impl SharedRanges {
    /// Adds a range; none when `from` is the later end.
    pub fn insert(&mut self, from: i64, to: i64) {
        Arc::make_mut(&mut self.0).insert(from, to);
    }

    /// Adds ranges, which may touch or overlap.
    pub fn insert_all(&mut self, ranges: &[(i64, i64)]) {
        if !ranges.is_empty() {
            Arc::make_mut(&mut self.0).insert_all(ranges);
        }
    }

    /// Adds all ranges of another set; they are shared when there were none.
    pub fn extend(&mut self, other: &Self) {
        if self.is_empty() {
            self.clone_from(other);
        } else {
            self.insert_all(other.ranges());
        }
    }
}

impl Deref for SharedRanges {
    type Target = TimeRanges;

    fn deref(&self) -> &TimeRanges {
        &self.0
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
        assert_eq!(ranges.uncovered((i64::MIN, i64::MAX)), []);
        assert_eq!(TimeRanges::default().uncovered((i64::MIN, 3)), [(i64::MIN, 3)]);
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
            let left = set.uncovered((first, last));
            for at in first - 2..=last + 2 {
                let is_left = left.iter().any(|&(from, to)| (from..=to).contains(&at));
                prop_assert_eq!(is_left, (first..=last).contains(&at) && !is_in(at));
            }
        }
    }
}
