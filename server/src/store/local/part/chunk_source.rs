//! Chunks of parts as sources of merges.

use std::sync::Arc;

use shared::Point;

use super::Part;
use super::header::ChunkEntry;
use crate::store::ReadError;
use crate::store::local::series::merge::Source;
use crate::store::local::series::run::Run;
use crate::store::local::series::series_index::SeriesId;
use crate::store::local::series::summary::Summary;
use crate::store::query::Window;

/// A chunk as a source of a merge.
#[derive(Debug, Clone)]
pub struct ChunkSource {
    pub(super) part: Arc<Part>,
    pub(super) at: usize,
    entry: ChunkEntry,
}

impl ChunkSource {
    /// The chunks of a series in a part that may have points in a window, by time.
    pub fn within(
        part: &Arc<Part>,
        series: SeriesId,
        window: Window,
    ) -> impl DoubleEndedIterator<Item = Self> {
        part.chunks(series, window).filter_map(|at| Self::at(part, at))
    }

    /// The chunk at a place of a part; `None` when there is none.
    pub fn at(part: &Arc<Part>, at: usize) -> Option<Self> {
        Some(Self { part: Arc::clone(part), at, entry: part.table.get(at)? })
    }

    /// Whether it is a chunk of this part.
    pub fn is_in(&self, part: &Arc<Part>) -> bool {
        Arc::ptr_eq(&self.part, part)
    }

    /// Whether it could not be read when it was read last.
    pub fn is_failed(&self) -> bool {
        self.part.is_failed(self.at)
    }

    /// Reads its points again; when that succeeds, it is as good as any other.
    ///
    /// # Errors
    /// When it still can't be read.
    pub fn retry(&self) -> Result<(), ReadError> {
        self.open()?;
        self.part.failed().remove(&self.at);
        Ok(())
    }

    /// See [`ChunkEntry::known_last`].
    pub fn known_last(&self, to: i64) -> Option<Point> {
        self.entry.known_last(to)
    }

    pub(super) fn entry(&self) -> &ChunkEntry {
        &self.entry
    }

    /// Number of points.
    pub fn count(&self) -> u64 {
        self.entry.count.into()
    }

    /// The aggregates of all points; `None` when they have to be read.
    pub fn summary(&self) -> Option<Summary> {
        if self.entry.count == 1 {
            return self.entry.last_value.get().map(Summary::of_value);
        }
        if self.entry.is_large() { self.part.table.summary(self.at).copied() } else { None }
    }
}

impl Source for ChunkSource {
    fn range(&self) -> (i64, i64) {
        (self.entry.first, self.entry.last)
    }

    fn open(&self) -> Result<Run, ReadError> {
        self.part.read_chunk(self.at, &self.entry)
    }
}
