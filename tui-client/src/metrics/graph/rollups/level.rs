//! What is known of a series in steps of one length.

use std::collections::BTreeMap;

use super::coverage::{Coverage, Span};

/// Points or buckets of one step.
#[derive(Debug, Clone, Default)]
pub(super) struct Level {
    /// The times of which all buckets are known; whole buckets.
    pub covered: Coverage,
    /// The least and the greatest value by the start of the bucket; without an entry a bucket that
    /// is covered is empty. An entry that is not covered was true once.
    pub buckets: BTreeMap<i64, (f64, f64)>,
    /// When a picture last needed it.
    pub used: u64,
}

/// The start of the bucket with a time; `level` is the step as a power of two.
pub(super) fn start_of(time: i64, level: u32) -> i64 {
    time >> level << level
}

/// The last time of the bucket.
pub(super) fn end_of(time: i64, level: u32) -> i64 {
    start_of(time, level) | ((1 << level) - 1)
}

/// The range of whole buckets that a range is in.
pub(super) fn aligned((from, to): Span, level: u32) -> Span {
    (start_of(from, level), end_of(to, level))
}

pub(super) fn merge(into: &mut BTreeMap<i64, (f64, f64)>, start: i64, (low, high): (f64, f64)) {
    into.entry(start)
        .and_modify(|(min, max)| (*min, *max) = (min.min(low), max.max(high)))
        .or_insert((low, high));
}

impl Level {
    /// The entries of a range that are known to be true.
    pub fn known(&self, (from, to): Span) -> impl Iterator<Item = (i64, (f64, f64))> {
        let parts = self.covered.ranges().map(move |(start, end)| (start.max(from), end.min(to)));
        parts
            .filter(|(start, end)| start <= end)
            .flat_map(|(start, end)| self.buckets.range(start..=end))
            .map(|(&start, &values)| (start, values))
    }

    pub fn clear(&mut self, (from, to): Span) {
        let gone: Vec<i64> = self.buckets.range(from..=to).map(|(&start, _)| start).collect();
        for start in gone {
            self.buckets.remove(&start);
        }
    }

    /// Keeps the entries of a range alone.
    pub fn keep(&mut self, (from, to): Span) {
        self.covered.keep((from, to));
        self.buckets.retain(|start, _| (from..=to).contains(start));
    }
}
