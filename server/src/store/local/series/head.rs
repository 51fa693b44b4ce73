//! The points of one series that are in memory. No I/O, no locks, no clock.

use std::sync::Arc;

use shared::Point;

/// Points by strictly rising timestamp, shared with the readers of a snapshot.
pub type Run = Arc<[Point]>;

/// Points in a run; also the most that a snapshot of a head has to copy.
pub const RUN_POINTS: usize = 4096;

/// The newest points of a series: full runs, oldest first, and an unsorted tail in the order of
/// arrival. An append costs the same whatever the timestamp; order is made when a run is full or
/// somebody reads, and across runs by [`crate::store::local::series::merge`].
#[derive(Debug, Default)]
pub struct Head {
    runs: Vec<Run>,
    tail: Vec<Point>,
    /// The tail is not by strictly rising timestamp.
    unsorted: bool,
}

impl Head {
    /// Adds a point; it replaces an older one with the same timestamp. Answers by how many the
    /// points held have grown.
    pub fn append(&mut self, point: Point) -> usize {
        if let Some(last) = self.tail.last_mut() {
            if last.timestamp == point.timestamp {
                *last = point;
                return 0;
            }
            self.unsorted |= last.timestamp > point.timestamp;
        }
        self.tail.push(point);
        if self.tail.len() == RUN_POINTS {
            self.sort_tail();
            self.runs.push(self.tail.as_slice().into());
            self.tail.clear();
        }
        1
    }

    /// All runs, oldest first, the tail as the last one.
    pub fn snapshot(&mut self) -> Vec<Run> {
        self.sort_tail();
        let mut runs = Vec::with_capacity(self.runs.len() + 1);
        runs.extend(self.runs.iter().cloned());
        if !self.tail.is_empty() {
            runs.push(self.tail.as_slice().into());
        }
        runs
    }

    fn sort_tail(&mut self) {
        if std::mem::take(&mut self.unsorted) {
            // Stable, so that of equal timestamps the last put stays last.
            self.tail.sort_by_key(|point| point.timestamp);
            let mut kept = 0;
            for at in 1..self.tail.len() {
                if self.tail[at].timestamp != self.tail[kept].timestamp {
                    kept += 1;
                }
                self.tail[kept] = self.tail[at];
            }
            self.tail.truncate(kept + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::store::local::series::merge::Merge;

    proptest! {
        #[test]
        fn a_head_is_a_sorted_map(
            timestamps in prop::collection::vec(prop_oneof![-50..50i64, any::<i64>()], 0..300),
            rounds in 1..40usize,
            reads in prop::collection::vec(any::<bool>(), 40),
        ) {
            let mut head = Head::default();
            let mut model = BTreeMap::new();
            let mut value = 0.0;
            for (round, &read) in reads.iter().enumerate().take(rounds) {
                for &timestamp in &timestamps {
                    value += 1.0;
                    let timestamp = timestamp.wrapping_add(i64::try_from(round).unwrap());
                    head.append(Point { timestamp, value });
                    model.insert(timestamp, value);
                }
                if read {
                    head.snapshot();
                }
            }
            let mut merge = Merge::since(i64::MIN, head.snapshot());
            let mut read = Vec::new();
            while let Some(block) = merge.next_block().unwrap() {
                read.extend(block.into_iter().map(|point| (point.timestamp, point.value)));
            }
            prop_assert_eq!(read, model.into_iter().collect::<Vec<_>>());
        }
    }
}
