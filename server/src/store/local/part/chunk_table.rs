//! Which chunks a part has, packed as its index has them: what is asked for is unpacked, and nothing else. A
//! part with a chunk of few points for each of a million series is no rare one, and a start should take no more
//! of it than its bytes.
//!
//! Each field of 128 neighbouring chunks is a column of differences to the least one, with as many bits
//! each as the greatest takes (frame of reference: Goldstein, Ramakrishnan, Shaft, "Compressing relations and
//! indexes", ICDE 1998).

mod bits;
mod block;
mod builder;
mod cursor;

use std::iter;
use std::ops::Range;

use super::header::{ChunkEntry, FileHeader};
use crate::store::local::series::loss::Extent;
use crate::store::local::series::series_index::SeriesId;
use crate::store::local::series::summary::Summary;
use crate::store::query::Window;
use block::Block;

pub use builder::ChunkTableBuilder;
pub use cursor::Cursor;

/// Most chunks of a block.
#[cfg(test)]
pub const BLOCK_LENGTH: usize = block::LEN;

/// The chunks of a part, by series, then by time.
#[derive(Debug, Default)]
pub struct ChunkTable {
    len: usize,
    points: u64,
    /// The blocks are in it from `start` to `end`.
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// Where each block begins in `bytes`.
    blocks: Vec<usize>,
    /// Of each chunk that may have one, by place: [`ChunkEntry::is_large`].
    summaries: Vec<(usize, Option<Summary>)>,
}

impl ChunkTable {
    /// Takes over `bytes`, in which `count` chunks stand from `start` on. Answers the series that have chunks, too, by rising id; `None` when they are not
    /// there. What is behind the chunks can be read; see [`ChunkTable::behind`].
    pub fn read(bytes: Vec<u8>, start: usize, count: usize) -> Option<(Self, Vec<SeriesId>)> {
        let mut table = Self { len: count, bytes, start, end: start, ..Self::default() };
        let header = FileHeader::LENGTH as u64;
        let mut before = ChunkEntry { offset: header, ..ChunkEntry::NONE };
        let mut series: Vec<SeriesId> = Vec::new();
        let mut columns = block::NOT_SURVEYED;
        for place in (0..count).step_by(block::LEN) {
            let len = block::LEN.min(count - place);
            let (block, length) = Block::take(table.bytes.get(table.end..)?, len)?;
            let mut at = place;
            block.survey(&mut columns, |entry| {
                if entry.is_large() {
                    table.summaries.push((at, None));
                }
                if series.last() != Some(&entry.series) {
                    series.push(entry.series);
                }
                table.points += u64::from(entry.count);
                at += 1;
                let can_follow = entry.can_follow(&before);
                before = *entry;
                can_follow.then_some(())
            })?;
            table.blocks.push(table.end);
            table.end += length;
        }
        Some((table, series))
    }

    /// What stands behind the chunks in the bytes that were taken over.
    pub fn behind(&self) -> &[u8] {
        self.bytes.get(self.end..).unwrap_or_default()
    }

    /// The chunks that may have a summary.
    pub fn large(&self) -> impl Iterator<Item = ChunkEntry> {
        self.summaries.iter().filter_map(|(at, _)| self.get(*at))
    }

    /// Gives the chunks that may have one their summaries, and forgets what stands before and behind the chunks; `None` when
    /// there are more or fewer summaries.
    pub fn complete(mut self, summaries: Vec<Option<Summary>>) -> Option<Self> {
        if summaries.len() != self.summaries.len() {
            return None;
        }
        for ((_, known), summary) in self.summaries.iter_mut().zip(summaries) {
            *known = summary;
        }
        self.bytes.truncate(self.end);
        self.bytes.drain(..self.start);
        self.bytes.shrink_to_fit();
        self.blocks.iter_mut().for_each(|block| *block -= self.start);
        (self.start, self.end) = (0, self.end - self.start);
        Some(self)
    }

    /// The blocks, as they stand in an index.
    pub fn packed(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    /// What stands there of the summaries: of each chunk with enough points.
    pub fn summaries(&self) -> impl ExactSizeIterator<Item = Option<&Summary>> {
        self.summaries.iter().map(|(_, summary)| summary.as_ref())
    }

    /// Number of chunks.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Number of points in all of them.
    pub fn points(&self) -> u64 {
        self.points
    }

    /// The chunk at a place.
    pub fn get(&self, at: usize) -> Option<ChunkEntry> {
        let block = self.block(at / block::LEN).filter(|_| at < self.len)?;
        Some(block.entry(at % block::LEN))
    }

    /// The series of the chunk at a place.
    pub fn series(&self, at: usize) -> Option<SeriesId> {
        let block = self.block(at / block::LEN).filter(|_| at < self.len)?;
        Some(block.series(at % block::LEN))
    }

    /// The last chunk.
    pub fn last(&self) -> Option<ChunkEntry> {
        self.get(self.len.checked_sub(1)?)
    }

    /// The summary of the chunk at a place, which has one if it has many points and these allow one.
    pub fn summary(&self, at: usize) -> Option<&Summary> {
        let found = self.summaries.binary_search_by_key(&at, |(at, _)| *at).ok()?;
        self.summaries.get(found)?.1.as_ref()
    }

    /// Which series and times the chunks are about.
    pub fn extent(&self) -> Extent {
        let mut extent = Extent::EMPTY;
        for block in (0..self.blocks.len()).map_while(|number| self.block(number)) {
            let times = block.times();
            // They come by rising series.
            extent.add(block.series(0), times);
            extent.add(block.series(block.len().saturating_sub(1)), times);
        }
        extent
    }

    /// All chunks.
    pub fn iter(&self) -> impl Iterator<Item = ChunkEntry> {
        let (mut number, mut at, mut entries) = (0, 0, Vec::with_capacity(block::LEN));
        iter::from_fn(move || {
            if at == entries.len() {
                entries.clear();
                self.block(number)?.unpack(&mut entries);
                (number, at) = (number + 1, 0);
            }
            at += 1;
            entries.get(at - 1).copied()
        })
    }

    /// The chunks of a series that may have points in a window.
    pub fn within(&self, series: SeriesId, window: Window) -> Range<usize> {
        let start = self.first_of(|id| id >= series);
        let end = self.first_of(|id| id > series);
        let is_before = |at| self.get(at).is_some_and(|entry| entry.last < window.from);
        let start = partition_point(start..end, is_before);
        let is_begun = |at| self.get(at).is_some_and(|entry| entry.first <= window.to);
        start..partition_point(start..end, is_begun)
    }

    /// The place of the first chunk whose series is behind a border, as `is_behind` says.
    fn first_of(&self, is_behind: impl Fn(SeriesId) -> bool) -> usize {
        let begins_before =
            |number| self.block(number).is_some_and(|block| !is_behind(block.series(0)));
        let behind = partition_point(0..self.blocks.len(), begins_before);
        // In the last block that begins before it.
        let from = behind.saturating_sub(1) * block::LEN;
        let is_before = |at| self.series(at).is_some_and(|id| !is_behind(id));
        partition_point(from..self.len.min(from + block::LEN), is_before)
    }

    /// A table without some of the chunks.
    #[must_use]
    pub fn without(&self, is_left_out: impl Fn(&ChunkEntry) -> bool) -> Self {
        let kept = self.iter().enumerate().filter(|(_, entry)| !is_left_out(entry));
        kept.map(|(at, entry)| (entry, self.summary(at).copied())).collect()
    }

    fn block(&self, number: usize) -> Option<Block<'_>> {
        let start = *self.blocks.get(number)?;
        let len = self.len.saturating_sub(number * block::LEN).min(block::LEN);
        Block::new(self.bytes.get(start..)?, len)
    }
}

/// The first place for which `is_before` is false, as it is for all behind it.
pub fn partition_point(places: Range<usize>, is_before: impl Fn(usize) -> bool) -> usize {
    let Range { mut start, mut end } = places;
    while start < end {
        let middle = start + (end - start) / 2;
        if is_before(middle) {
            start = middle + 1;
        } else {
            end = middle;
        }
    }
    start
}

#[cfg(test)]
mod tests;
