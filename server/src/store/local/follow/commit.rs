//! What a commit changed, for followers.

use std::mem::size_of;
use std::ops::ControlFlow;

use super::hits::{Hits, HitsBySeries};
use crate::store::Change;
use crate::store::local::series::series_index::SeriesId;
use crate::store::local::series::series_point::SeriesPoint;

/// The number of a commit: each group of batches that became durable together has the next one.
pub type CommitId = u64;

/// A part of a commit.
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// Points that were put, in the order of their puts.
    Points(Vec<SeriesPoint>),
    /// Points that were taken back, in the order in which followers are told.
    Deleted(Vec<(SeriesId, i64)>),
    /// Points of these series were taken back that can't be told. The followers of one are cut off.
    Untold(Vec<SeriesId>),
}

impl Op {
    fn len(&self) -> usize {
        match self {
            Self::Points(points) => points.len(),
            Self::Deleted(points) => points.len(),
            Self::Untold(series) => series.len(),
        }
    }

    fn bytes(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Points(points) => points.capacity() * size_of::<SeriesPoint>(),
                Self::Deleted(points) => points.capacity() * size_of::<(SeriesId, i64)>(),
                Self::Untold(series) => series.capacity() * size_of::<SeriesId>(),
            }
    }

    /// Calls `each` with the changes from a place on: their place, series and what they are. A break
    /// ends it.
    pub fn for_each(
        &self,
        from: usize,
        mut each: impl FnMut(usize, SeriesId, Change) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        match self {
            Self::Points(points) => points
                .iter()
                .enumerate()
                .skip(from)
                .try_for_each(|(place, one)| each(place, one.series, Change::Put(one.point))),
            Self::Deleted(points) => points.iter().enumerate().skip(from).try_for_each(
                |(place, &(series, timestamp))| each(place, series, Change::Deleted(timestamp)),
            ),
            Self::Untold(series) => (series.iter().enumerate().skip(from))
                .try_for_each(|(place, &series)| each(place, series, Change::Deleted(0))),
        }
    }

    fn get(&self, place: usize) -> Option<(SeriesId, Change)> {
        match self {
            Self::Points(points) => {
                points.get(place).map(|point| (point.series, Change::Put(point.point)))
            }
            Self::Deleted(points) => {
                points.get(place).map(|&(series, timestamp)| (series, Change::Deleted(timestamp)))
            }
            Self::Untold(_) => None,
        }
    }
}

/// A commit. The changes in it are counted through all its parts, from 0 on.
#[derive(Debug)]
pub struct Commit {
    ops: Vec<Op>,
    /// The place of the first change of each part.
    starts: Vec<usize>,
    len: usize,
    /// All its series are below this id.
    series_end: SeriesId,
    /// Where changes of the watched series are; `None` when that was not looked for.
    hits: Option<HitsBySeries>,
}

impl Commit {
    /// A commit of these parts.
    pub fn new(ops: Vec<Op>, hits: Option<Hits>) -> Self {
        let mut starts = Vec::with_capacity(ops.len());
        let mut len = 0;
        for op in &ops {
            starts.push(len);
            len += op.len();
        }
        let series_end = match &hits {
            Some(hits) => hits.series_end(),
            None => series_end(&ops),
        };
        Self { ops, starts, len, series_end, hits: hits.map(Hits::by_series) }
    }

    /// Number of changes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// All its series are below this id.
    pub fn series_end(&self) -> SeriesId {
        self.series_end
    }

    /// Where changes of the watched series are; `None` when that was not looked for.
    pub fn hits(&self) -> Option<&HitsBySeries> {
        self.hits.as_ref()
    }

    /// Whether all its changes can be told.
    pub fn is_complete(&self) -> bool {
        !self.ops.iter().any(|op| matches!(op, Op::Untold(_)))
    }

    /// Bytes that the commit takes in memory.
    pub fn bytes(&self) -> usize {
        let ops: usize = self.ops.iter().map(Op::bytes).sum();
        let starts = self.starts.capacity() * size_of::<usize>();
        size_of::<Self>() + ops + starts + self.hits.as_ref().map_or(0, HitsBySeries::bytes)
    }

    /// The change at a place.
    pub fn get(&self, place: usize) -> Option<(SeriesId, Change)> {
        let part = self.starts.partition_point(|&start| start <= place).checked_sub(1)?;
        self.ops[part].get(place - self.starts[part])
    }

    /// Calls `each` with the changes from the place `from` on: their place, series and what they
    /// are. A break ends it.
    pub fn for_each(
        &self,
        from: usize,
        mut each: impl FnMut(usize, SeriesId, Change) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let first = self.starts.partition_point(|&start| start <= from).saturating_sub(1);
        for (op, &start) in self.ops.iter().zip(&self.starts).skip(first) {
            let skipped = from.saturating_sub(start);
            op.for_each(skipped, |place, series, change| each(start + place, series, change))?;
        }
        ControlFlow::Continue(())
    }
}

/// The first id that is above those of all series in `ops`.
pub fn series_end(ops: &[Op]) -> SeriesId {
    let mut end = 0;
    for op in ops {
        let _ = op.for_each(0, |_, series, _| {
            end = end.max(series.saturating_add(1));
            ControlFlow::Continue(())
        });
    }
    end
}
