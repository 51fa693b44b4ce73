//! The newest points of each series, in memory.

use shared::Point;

use super::run::{MAX_RUN_POINTS, Run, sort_points};
use super::series_index::SeriesId;
use super::series_point::SeriesPoint;

/// The newest points of a series: full runs, oldest first, and an unsorted tail in the order of
/// arrival. An append costs the same whatever the timestamp: the tail is sorted when it is full or
/// read, and points of different runs are put in order by [`super::merge`].
#[derive(Debug, Default)]
pub struct Head {
    runs: Vec<Run>,
    tail: Vec<Point>,
    /// The tail is not by strictly rising timestamp.
    unsorted: bool,
}

impl Head {
    /// Adds a point; it replaces an older one with the same timestamp.
    pub fn append(&mut self, point: Point) {
        if let Some(last) = self.tail.last_mut() {
            if last.timestamp == point.timestamp {
                *last = point;
                return;
            }
            self.unsorted |= last.timestamp > point.timestamp;
        }
        self.tail.push(point);
        if self.tail.len() == MAX_RUN_POINTS {
            self.sort_tail();
            self.runs.push(self.tail.as_slice().into());
            self.tail.clear();
        }
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
            sort_points(&mut self.tail);
        }
    }
}

/// The heads of all series, by series id.
#[derive(Debug, Default)]
pub struct Heads(Vec<Head>);

impl Heads {
    /// Adds points, in the order of their puts.
    pub fn append(&mut self, points: impl IntoIterator<Item = SeriesPoint>) {
        for SeriesPoint { series, point } in points {
            let place = series as usize;
            if place >= self.0.len() {
                self.0.resize_with(place + 1, Head::default);
            }
            self.0[place].append(point);
        }
    }

    /// The runs of a series, oldest first.
    pub fn snapshot(&mut self, series: SeriesId) -> Vec<Run> {
        self.0.get_mut(series as usize).map(Head::snapshot).unwrap_or_default()
    }

    /// All series with points are below this id.
    pub fn end(&self) -> SeriesId {
        SeriesId::try_from(self.0.len()).unwrap_or(SeriesId::MAX)
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
