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

    /// Number of chunks that are unpacked.
    #[cfg(test)]
    pub fn unpacked(&self) -> usize {
        self.entries.len()
    }

    /// The series of the next chunk; `None` at the end.
    #[inline]
    pub fn next_series(&self, table: &ChunkTable) -> Option<SeriesId> {
        self.series(table, self.at)
    }

    /// Moves behind the chunks of a series, which no chunk before belongs to. Answers their places.
    pub fn move_behind(&mut self, table: &ChunkTable, series: SeriesId) -> Range<usize> {
        let next = self.next_series(table);
        if next == Some(series) {
            // Those that are asked for one after the other are worth a block.
            self.unpack(table);
        }
        let is_before = next.is_some_and(|next| next < series);
        let first = if is_before { self.search(table, |id| id < series) } else { self.at };
        self.at = first;
        if self.next_series(table) == Some(series) {
            self.at = self.search(table, |id| id == series);
        }
        first..self.at
    }

    /// The first place from the next one on for which `is_before` is false, as it is for all behind it: cheap when
    /// it is near.
    fn search(&self, table: &ChunkTable, is_before: impl Fn(SeriesId) -> bool) -> usize {
        let (start, len) = (self.at, table.len());
        let is_before = |at| self.series(table, at).is_some_and(&is_before);
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

    #[inline]
    fn series(&self, table: &ChunkTable, at: usize) -> Option<SeriesId> {
        self.known(at).map_or_else(|| table.series(at), |entry| Some(entry.series))
    }

    /// Unpacks the block of the next chunk.
    fn unpack(&mut self, table: &ChunkTable) {
        if self.known(self.at).is_none()
            && let Some(block) = table.block(self.at / block::LEN)
        {
            self.entries.clear();
            self.start = self.at - self.at % block::LEN;
            block.unpack(&mut self.entries);
        }
    }
}
