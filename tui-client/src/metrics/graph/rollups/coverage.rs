//! The times of which everything is known: ranges that neither overlap nor touch.

/// The most ranges; a set that falls into more pieces is forgotten.
const MAX_RANGES: usize = 256;

/// A range of times, both ends included.
pub type Span = (i64, i64);

/// A set of times, as ranges in rising order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    ranges: Vec<Span>,
}

impl Coverage {
    /// Adds a range; an empty one adds nothing.
    pub fn add(&mut self, (from, to): Span) {
        if from > to {
            return;
        }
        // Ranges that touch are one.
        let first = self.ranges.partition_point(|&(_, end)| end.saturating_add(1) < from);
        let behind = self.ranges.partition_point(|&(start, _)| start.saturating_sub(1) <= to);
        let merged = self.ranges[first..behind.max(first)]
            .iter()
            .fold((from, to), |(a, b), &(start, end)| (a.min(start), b.max(end)));
        self.ranges.splice(first..behind.max(first), [merged]);
        self.bound();
    }

    /// Removes a range.
    pub fn remove(&mut self, (from, to): Span) {
        if from > to {
            return;
        }
        let pieces = self.ranges.iter().flat_map(|&(start, end)| {
            let left = (from > start).then(|| (start, end.min(from.saturating_sub(1))));
            let right = (to < end).then(|| (start.max(to.saturating_add(1)), end));
            [left, right]
        });
        self.ranges = pieces.flatten().filter(|(start, end)| start <= end).collect();
        self.bound();
    }

    /// Keeps only the times of a range.
    pub fn keep(&mut self, (from, to): Span) {
        let pieces = self.ranges.iter().map(|&(start, end)| (start.max(from), end.min(to)));
        self.ranges = pieces.filter(|(start, end)| start <= end).collect();
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.ranges.clear();
    }

    /// The time is in the set.
    pub fn contains(&self, time: i64) -> bool {
        self.covers((time, time))
    }

    /// All times of the range are in the set.
    pub fn covers(&self, (from, to): Span) -> bool {
        let at = self.ranges.partition_point(|&(_, end)| end < from);
        self.ranges.get(at).is_some_and(|&(start, end)| start <= from && to <= end)
    }

    /// The range of the set that contains a time.
    pub fn around(&self, time: i64) -> Option<Span> {
        let at = self.ranges.partition_point(|&(_, end)| end < time);
        self.ranges.get(at).copied().filter(|&(start, _)| start <= time)
    }

    /// The parts of a range that are not in the set.
    pub fn gaps(&self, (from, to): Span) -> Vec<Span> {
        let mut missing = Self { ranges: vec![(from, to)] };
        missing.ranges.retain(|(from, to)| from <= to);
        let within = |&&(start, end): &&Span| start <= to && from <= end;
        for &range in self.ranges.iter().filter(within) {
            missing.remove(range);
        }
        missing.ranges
    }

    /// The ranges, in rising order.
    pub fn ranges(&self) -> impl Iterator<Item = Span> + '_ {
        self.ranges.iter().copied()
    }

    fn bound(&mut self) {
        if self.ranges.len() > MAX_RANGES {
            self.ranges.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_ends_of_time_are_times() {
        let mut all = Coverage::default();
        all.add((i64::MIN, -1));
        all.add((0, i64::MAX));
        assert!(all.covers((i64::MIN, i64::MAX)), "ranges that touch are one: {all:?}");
        assert_eq!(all.gaps((i64::MIN, i64::MAX)), []);
        all.remove((i64::MIN, i64::MIN));
        all.remove((i64::MAX, i64::MAX));
        let ends = [(i64::MIN, i64::MIN), (i64::MAX, i64::MAX)];
        assert_eq!(all.gaps((i64::MIN, i64::MAX)), ends);
        all.remove((i64::MIN, i64::MAX));
        assert_eq!(all, Coverage::default());
    }

    #[test]
    fn what_falls_into_many_pieces_is_forgotten() {
        let mut coverage = Coverage::default();
        coverage.add((0, 10_000));
        for at in 1..=i64::try_from(MAX_RANGES).unwrap() {
            coverage.remove((at * 3, at * 3));
        }
        assert_eq!(coverage, Coverage::default());
    }

    proptest! {
        #[test]
        fn it_is_a_set_of_times(
            steps in proptest::collection::vec((0..3_u8, 0..40_i64, 0..12_i64), 0..30),
        ) {
            let (mut coverage, mut model) = (Coverage::default(), [false; 60]);
            for (what, from, length) in steps {
                let range = (from, from + length - 1);
                let within = |time: usize| (range.0..=range.1).contains(&i64::try_from(time).unwrap());
                match what {
                    0 => coverage.add(range),
                    1 => coverage.remove(range),
                    _ => coverage.keep(range),
                }
                for (time, known) in model.iter_mut().enumerate() {
                    *known = match what {
                        0 => *known || within(time),
                        1 => *known && !within(time),
                        _ => *known && within(time),
                    };
                }
                let known = |time: i64| model[usize::try_from(time).unwrap()];
                prop_assert!((0..60).all(|time| coverage.contains(time) == known(time)));
                let missing: Vec<_> = coverage.gaps((5, 55));
                let is_missing = |time| missing.iter().any(|&(a, b)| (a..=b).contains(&time));
                prop_assert!((5..=55).all(|time| is_missing(time) != known(time)));
                prop_assert!(missing.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0));
                prop_assert_eq!(coverage.covers((5, 55)), missing.is_empty());
                let ranges: Vec<_> = coverage.ranges().collect();
                prop_assert!(ranges.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0));
                prop_assert_eq!(coverage.around(30).is_some(), known(30));
            }
        }
    }
}
