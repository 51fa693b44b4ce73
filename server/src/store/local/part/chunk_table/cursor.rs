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
    pub fn next_series(&mut self, table: &ChunkTable) -> Option<SeriesId> {
        Some(self.unpack(table, self.at)?.series)
    }

    /// Moves behind the chunks of a series, which no chunk before belongs to. Answers their places.
    pub fn move_behind(&mut self, table: &ChunkTable, series: SeriesId) -> Range<usize> {
        let (start, len) = (self.at, table.len());
        // Like a search in what is left, but cheap when the place is near.
        let is_before = |at| self.known_series(table, at).is_some_and(|id| id < series);
        let mut size = 1;
        while start + size <= len && is_before(start + size - 1) {
            size *= 2;
        }
        let first = partition_point(start + size / 2..len.min(start + size), is_before);
        let mut end = first;
        while self.unpack(table, end).is_some_and(|entry| entry.series == series) {
            end += 1;
        }
        self.at = end;
        first..end
    }

    /// The chunk at a place; cheap when it is near what was asked for before.
    pub fn get(&self, table: &ChunkTable, at: usize) -> Option<ChunkEntry> {
        match self.known(at) {
            None => table.get(at),
            entry => entry.copied(),
        }
    }

    fn known(&self, at: usize) -> Option<&ChunkEntry> {
        self.entries.get(at.checked_sub(self.start)?)
    }

    fn known_series(&self, table: &ChunkTable, at: usize) -> Option<SeriesId> {
        self.known(at).map_or_else(|| table.series(at), |entry| Some(entry.series))
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
