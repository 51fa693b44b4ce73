//! Going through a table from its first chunk to the last.

use std::ops::Range;

use super::{ChunkTable, block, partition_point};
use crate::store::local::part::header::ChunkEntry;
use crate::store::local::series::series_index::SeriesId;

/// How far a table was looked through. A block is unpacked once, and kept.
#[derive(Debug, Default)]
pub struct Cursor {
    /// The place of the next chunk.
    at: usize,
    /// The chunks of a block, and the place of the first.
    entries: Vec<ChunkEntry>,
    start: usize,
}

impl Cursor {
    /// Keeps nothing but the place.
    pub fn forget(&mut self) {
        self.entries = Vec::new();
    }

    /// The series of the next chunk; `None` at the end.
    #[inline]
    pub fn next_series(&mut self, table: &ChunkTable) -> Option<SeriesId> {
        Some(self.unpack(table, self.at)?.series)
    }

    /// Moves behind the chunks of a series, which no chunk before belongs to. Answers their places.
    pub fn move_behind(&mut self, table: &ChunkTable, series: SeriesId) -> Range<usize> {
        // Mostly it is the next one.
        if self.next_series(table).is_some_and(|next| next < series) {
            self.at = self.search(table, series);
        }
        let first = self.at;
        while self.next_series(table) == Some(series) {
            self.at += 1;
        }
        first..self.at
    }

    /// The first place that is not before those of a series: cheap when it is near.
    fn search(&self, table: &ChunkTable, series: SeriesId) -> usize {
        let (start, len) = (self.at, table.len());
        let known = |at| self.known(at).map(|entry| entry.series);
        let is_before = |at| known(at).or_else(|| table.series(at)).is_some_and(|id| id < series);
        let mut size = 1;
        while start + size <= len && is_before(start + size - 1) {
            size *= 2;
        }
        partition_point(start + size / 2..len.min(start + size), is_before)
    }

    /// The chunk at a place; cheap when it is near what was asked for before.
    #[inline]
    pub fn get(&self, table: &ChunkTable, at: usize) -> Option<ChunkEntry> {
        match self.known(at) {
            None => table.get(at),
            entry => entry.copied(),
        }
    }

    #[inline]
    fn known(&self, at: usize) -> Option<&ChunkEntry> {
        self.entries.get(at.checked_sub(self.start)?)
    }

    /// The chunk at a place, whose block is unpacked then.
    fn unpack(&mut self, table: &ChunkTable, at: usize) -> Option<&ChunkEntry> {
        if self.known(at).is_none() {
            self.entries.clear();
            self.start = at - at % block::LEN;
            table.block(at / block::LEN)?.unpack(&mut self.entries);
        }
        self.known(at)
    }
}
