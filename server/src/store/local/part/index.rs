//! The index of a part: its chunks, the keys of their series, and what is deleted in older parts.

mod blocks;
mod column;
mod columns;
mod keys;
mod rows;
#[cfg(test)]
mod samples;
mod summaries;

use std::io;

use memchr::memmem;
use shared::Key;
use zerocopy::IntoBytes;

use super::chunk_table::ChunkTable;
use super::deletes::{self, Block};
use super::header::{
    CHUNK_MAGIC, ChunkEntry, ChunkHeader, FileHeader, FileKind, Footer, IndexPlace,
    MAX_CHUNK_LENGTH,
};
use crate::store::local::disk::DiskFile;
use crate::store::local::disk::window::{self, Window};
use crate::store::local::salt::Salt;
use crate::store::local::series::chunk::{self, BadChunk, Effort};
use crate::store::local::series::loss::{Extent, Loss, Losses};
use crate::store::local::series::series_index::SeriesId;

pub use keys::PartKeys;

/// What a part holds.
#[derive(Debug)]
pub struct PartIndex {
    /// That of the part.
    pub salt: Salt,
    /// The chunks.
    pub chunks: ChunkTable,
    /// The keys of the series, by rising id.
    pub keys: PartKeys,
    /// What is deleted in older parts, and what was lost before.
    pub block: Block,
    /// What is gone of this part, as far as it is known without reading its chunks.
    pub gone: Losses,
    /// The block could not be read; the index says the same.
    pub block_damaged: bool,
    /// What the block says is not known.
    pub block_unknown: bool,
    /// The header of the part is damaged, and its footer says the same.
    pub header_damaged: bool,
}

impl PartIndex {
    /// That of a part with this salt and without chunks.
    pub fn new(salt: Salt) -> Self {
        Self {
            salt,
            chunks: ChunkTable::default(),
            keys: PartKeys::default(),
            block: Block::default(),
            gone: Losses::default(),
            block_damaged: false,
            block_unknown: false,
            header_damaged: false,
        }
    }

    /// That of a part of which nothing can be read.
    pub fn unreadable() -> Self {
        let gone = [Loss::with_names(Extent::ALL)].into_iter().collect();
        Self { gone, block_unknown: true, ..Self::new(Salt::NONE) }
    }

    /// Appends the block of deletes, the index and the footer, in a file where they begin at `offset`.
    ///
    /// # Errors
    /// When a column can't be packed.
    pub fn encode(&self, offset: u64, effort: Effort, out: &mut Vec<u8>) -> Result<(), BadChunk> {
        let start = out.len();
        self.block.encode(self.salt, out);
        let index = out.len();
        self.block.encode_copy(out);
        blocks::encode(self, effort, out)?;
        let index_offset = offset + (index - start) as u64;
        let footer = Footer::new(offset, index_offset, &out[index..], self.salt);
        out.extend_from_slice(footer.as_bytes());
        Ok(())
    }

    /// The index of a part of `size` bytes; `None` when footer or index are damaged.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn read(file: &dyn DiskFile, size: u64) -> io::Result<Option<Self>> {
        let header = window::read(file, 0, size.min(FileHeader::LENGTH as u64))?;
        let tail = size.min(IndexPlace::FOOTER_LENGTH as u64);
        let tail = window::read(file, size - tail, tail)?;
        let kind = FileKind::of(&header);
        let Some(place) = IndexPlace::find(kind, &tail, size) else { return Ok(None) };
        let IndexPlace { index_offset, end, salt, .. } = place;
        let bytes = window::read(file, index_offset, end - index_offset)?;
        if salt.body_checksum(&bytes) != place.checksum {
            return Ok(None);
        }
        let mut copy = None;
        let read = match place.deletes_offset {
            None => rows::decode(&bytes),
            Some(_) if salt == Salt::NONE => columns::decode(&bytes, index_offset),
            Some(_) => {
                let mut columns = &bytes[..];
                copy = Block::take_copy(&mut columns);
                let start = bytes.len() - columns.len();
                copy.is_some().then(|| blocks::decode(bytes, start, index_offset)).flatten()
            }
        };
        let Some(mut read) = read else { return Ok(None) };
        read.salt = salt;
        read.header_damaged = !place.agrees_with(kind);
        if let Some(block) = place.deletes_offset {
            let block = window::read(file, block, index_offset - block).ok();
            let block = block.and_then(|block| Block::decode(&block, salt));
            read.take_block(block, copy, false);
        }
        Ok(Some(read))
    }

    /// Takes what the block says, or else what the copy in the index says. Without both there may have
    /// been losses, if the part `may_have_losses`.
    fn take_block(&mut self, block: Option<Block>, copy: Option<Block>, may_have_losses: bool) {
        self.block_damaged = block.is_none();
        let end = self.block.end;
        self.block_unknown = block.is_none() && copy.is_none();
        if self.block_unknown && may_have_losses {
            self.gone.add(Loss::with_names(Extent::ALL));
        }
        self.block = block.or(copy).unwrap_or_default();
        self.block.end = self.block.end.max(end);
    }

    /// The index of a part of `size` bytes whose own index is damaged, from its chunks; `None` when
    /// nothing says their salt any more: then a client could have written what would be found.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn rebuild(file: &dyn DiskFile, size: u64) -> io::Result<Option<Self>> {
        let tail = size.min(IndexPlace::FOOTER_LENGTH as u64);
        // What can't be read is damaged.
        let tail = window::read(file, size - tail, tail).unwrap_or_default();
        let mut window = Window::new(file, size);
        let header = window.get(0, FileHeader::LENGTH as u64)?;
        let (kind, may_have_losses) = (FileKind::of(header), FileHeader::may_have_losses(header));
        let place = IndexPlace::find(kind, &tail, size);
        let chunks_end = place.map(|place| place.deletes_offset.unwrap_or(place.index_offset));
        let (salt, has_deletes) = match (kind, place) {
            (FileKind::Salted(salt), _) => (salt, true),
            (FileKind::V1, _) => (Salt::NONE, false),
            (FileKind::V2, _) => (Salt::NONE, true),
            (FileKind::Unknown, Some(place)) => (place.salt, place.deletes_offset.is_some()),
            (FileKind::Unknown, None) => {
                let begin = FileHeader::LENGTH_V1 as u64;
                let first = window.get(begin, ChunkHeader::LENGTH as u64)?;
                // In format 3 random bytes stand there.
                let is_unsalted = ChunkHeader::decode(first, Salt::NONE).is_some()
                    || deletes::has_header(first, Salt::NONE);
                if !is_unsalted {
                    return Ok(None);
                }
                (Salt::NONE, true)
            }
        };
        let begin = if salt == Salt::NONE { FileHeader::LENGTH_V1 } else { FileHeader::LENGTH };
        let mut index = Self::new(salt);
        let mut found = index.find_chunks(&mut window, begin as u64)?;
        let mut chunks_end = chunks_end;
        if has_deletes {
            let block = deletes::find(&mut window, found.end, salt)?;
            chunks_end = block.as_ref().map(|(_, offset)| *offset).or(chunks_end);
            index.take_block(block.map(|(block, _)| block), None, may_have_losses);
            found.last_series = index.block.end.checked_sub(1).filter(|_| !index.block_unknown);
        }
        found.series_end = index.block.end;
        index.gone.extend(&found.gone(begin as u64, chunks_end));
        Ok(Some(index))
    }

    /// Finds the chunks of a file from `from` on.
    fn find_chunks(&mut self, window: &mut Window<'_>, mut from: u64) -> io::Result<FoundChunks> {
        let (salt, index) = (self.salt, self);
        let mut found = FoundChunks { end: from, ..FoundChunks::default() };
        let mut sound = Vec::new();
        let magic = memmem::Finder::new(&CHUNK_MAGIC);
        while let Some(offset) = window.find(from, &magic)? {
            from = offset + 1;
            let header = window.get(offset, ChunkHeader::LENGTH as u64)?;
            let Some(header) = ChunkHeader::decode(header, salt) else { continue };
            let mut entry = header.entry(offset);
            if entry.length > MAX_CHUNK_LENGTH {
                continue;
            }
            let whole = window.get(offset, entry.length.into())?.get(..entry.length as usize);
            let decoded = whole.and_then(|whole| ChunkHeader::decode_chunk(whole, salt));
            let decoded = decoded.and_then(|(_, key, points)| {
                let points = chunk::decode(points, entry.count as usize).ok()?;
                Some((Key::from_bytes(key).ok()?, points))
            });
            let Some((key, points)) = decoded else {
                // In formats 1 and 2 a client may have written the header.
                if salt != Salt::NONE {
                    found.add(&entry, false);
                }
                continue;
            };
            let summary = entry.summarize(&points);
            if index.keys.last_series().is_none_or(|last| last < entry.series) {
                index.keys.push(entry.series, key);
            }
            from = offset + u64::from(entry.length);
            found.add(&entry, true);
            sound.push((entry, summary));
        }
        sound.sort_by_key(|(entry, _)| (entry.series, entry.first));
        index.chunks = sound.into_iter().collect();
        index.block.end = end_of(&index.chunks);
        Ok(found)
    }
}

/// The chunks of a file whose index is damaged, in the order of the file.
#[derive(Debug, Default)]
struct FoundChunks {
    /// Where each begins and ends, what it is about, and whether it is sound.
    chunks: Vec<(u64, u64, Extent, bool)>,
    /// Where the last sound one ends.
    end: u64,
    /// The greatest id that the part may have, if it is known.
    last_series: Option<SeriesId>,
    /// The ids below this were given before the part was written.
    series_end: SeriesId,
}

impl FoundChunks {
    fn add(&mut self, entry: &ChunkEntry, is_sound: bool) {
        let end = entry.offset + u64::from(entry.length);
        let extent = Extent::of(entry.series, (entry.first, entry.last));
        self.chunks.push((entry.offset, end, extent, is_sound));
        if is_sound {
            self.end = end;
        }
    }

    /// What is gone of the chunks that stood from `begin` to `end`, as far as that is known: between two
    /// chunks those of the series between theirs, because they come by series and time.
    fn gone(&self, begin: u64, end: Option<u64>) -> Losses {
        let mut gone = Losses::default();
        let mut at = begin;
        let mut before: Option<Extent> = None;
        for &(offset, chunk_end, extent, is_sound) in &self.chunks {
            if offset > at {
                self.lose_between(before, Some(extent), &mut gone);
            }
            if !is_sound {
                gone.add(Loss { extent, unnamed: Some(self.series_end) });
            }
            at = at.max(chunk_end);
            before = Some(extent);
        }
        if end.is_none_or(|end| at < end) {
            self.lose_between(before, None, &mut gone);
        }
        gone
    }

    /// Adds what may have stood between two chunks.
    fn lose_between(&self, before: Option<Extent>, behind: Option<Extent>, gone: &mut Losses) {
        let last = self.last_series.unwrap_or(SeriesId::MAX);
        let mut between = Extent { last_series: last, ..Extent::ALL };
        let mut ends = [before, behind];
        if let [Some(before), Some(behind)] = ends
            && before.first_series == behind.first_series
        {
            let (from, to) = (before.to.saturating_add(1), behind.from.saturating_sub(1));
            gone.add(Loss { extent: Extent { from, to, ..before }, unnamed: None });
            return;
        }
        if let Some(before) = &mut ends[0] {
            (before.from, before.to) = (before.to.saturating_add(1), i64::MAX);
            between.first_series = before.last_series.saturating_add(1);
        }
        if let Some(behind) = &mut ends[1] {
            (behind.from, behind.to) = (i64::MIN, behind.from.saturating_sub(1));
            match behind.first_series.checked_sub(1) {
                Some(last) => between.last_series = last,
                None => between = Extent::EMPTY,
            }
        }
        for extent in ends.into_iter().flatten() {
            gone.add(Loss { extent, unnamed: None });
        }
        gone.add(Loss { extent: between, unnamed: Some(self.series_end) });
    }
}

/// All series of chunks are below this id.
fn end_of(chunks: &ChunkTable) -> SeriesId {
    chunks.last().map_or(0, |last| last.series.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use shared::{KeyBuf, Point};

    use super::*;
    use crate::store::local::disk::window::SparseFile;
    use crate::store::local::part::header::LastValue;
    use crate::store::local::series::chunk::MAX_CHUNK_POINTS;

    const HEADER: u64 = FileHeader::LENGTH as u64;

    fn key(number: u64) -> KeyBuf {
        format!("host{number:06}.cpu").parse().unwrap()
    }

    fn entry(
        series: SeriesId,
        count: u32,
        first: i64,
        last: i64,
        offset: u64,
        length: u32,
    ) -> ChunkEntry {
        ChunkEntry { series, count, first, last, offset, length, last_value: LastValue::UNKNOWN }
    }

    /// A chunk of one point, as it stands at `offset`.
    fn chunk(series: SeriesId, offset: u64) -> (ChunkEntry, Vec<u8>) {
        let (key, timestamp) = (key(series.into()), i64::from(series));
        let mut body = key.as_str().as_bytes().to_vec();
        let points = [Point { timestamp, value: 0.5 }];
        chunk::encode(&points, Effort::Quick, &mut body).unwrap();
        let length = u32::try_from(ChunkHeader::LENGTH + body.len()).unwrap();
        let mut entry = entry(series, 1, timestamp, timestamp, offset, length);
        entry.summarize(&points);
        let header = ChunkHeader::new(&entry, key.as_str().len(), &body, Salt::NONE);
        (entry, [header.as_bytes(), &body].concat())
    }

    #[test]
    fn chunks_beyond_4_gib_are_found_without_an_index() {
        let begin = 5 << 30;
        let (mut entries, mut stretches, mut end) = (Vec::new(), Vec::new(), begin);
        for series in 0..20 {
            let (entry, bytes) = chunk(series, end + 7);
            end = entry.offset + u64::from(entry.length);
            stretches.push((entry.offset, bytes));
            entries.push(entry);
        }
        let file = SparseFile { stretches, length: end + 100 };
        let mut window = Window::new(&file, file.length);
        let mut index = PartIndex::new(Salt::NONE);
        let found = index.find_chunks(&mut window, begin).unwrap();
        assert_eq!(found.end, end);
        assert!(found.gone(begin, Some(end)).has_series(3), "bytes between the chunks");
        assert!(index.chunks.iter().eq(entries));
        let mut keys = PartKeys::default();
        (0..20).for_each(|series| keys.push(series, key(series.into()).as_key()));
        assert_eq!(index.keys, keys);
    }

    #[test]
    fn what_stood_between_two_chunks_is_of_the_series_between_them() {
        let chunk = |offset, series, times, is_sound| {
            (offset, offset + 100, Extent::of(series, times), is_sound)
        };
        let gone = |chunks: &[(u64, u64, Extent, bool)], end, last_series| {
            let chunks = chunks.to_vec();
            let found = FoundChunks { chunks, end: 0, last_series, series_end: 9 }.gone(20, end);
            let loss = |loss: &Loss| (loss.extent, loss.unnamed.is_none());
            found.iter().map(loss).collect::<Vec<_>>()
        };
        let all = |first_series, last_series| Extent { first_series, last_series, ..Extent::ALL };
        let (a, b) = (chunk(20, 3, (5, 9), true), chunk(120, 3, (20, 30), true));
        assert_eq!(gone(&[a, b], Some(220), None), []);
        let bad = chunk(120, 3, (20, 30), false);
        assert_eq!(gone(&[a, bad], Some(220), None), [(Extent::of(3, (20, 30)), false)]);
        let later = chunk(150, 3, (20, 30), true);
        assert_eq!(gone(&[a, later], Some(250), None), [(Extent::of(3, (10, 19)), true)]);
        let other = chunk(150, 7, (20, 30), true);
        assert_eq!(
            gone(&[a, other], Some(250), None),
            [
                (Extent::of(3, (10, i64::MAX)), true),
                (Extent::of(7, (i64::MIN, 19)), true),
                (all(4, 6), false)
            ]
        );
        let first = chunk(30, 0, (20, 30), true);
        assert_eq!(gone(&[first], Some(130), None), [(Extent::of(0, (i64::MIN, 19)), true)]);
        let behind = [(Extent::of(3, (10, i64::MAX)), true), (all(4, 8), false)];
        assert_eq!(gone(&[a], None, Some(8)), behind);
        assert_eq!(gone(&[], Some(20), Some(8)), []);
        assert_eq!(gone(&[], None, None), [(Extent::ALL, false)]);
    }

    /// As many chunks as 5 G points take, and their places beyond 4 GiB.
    #[test]
    fn an_index_counts_more_points_than_32_bits_do() {
        let count = u32::try_from(MAX_CHUNK_POINTS).unwrap();
        let chunks = 5_000_000_000_u64.div_ceil(count.into());
        let (mut index, mut entries) = (PartIndex::new(Salt::NONE), Vec::new());
        let mut offset = FileHeader::LENGTH as u64;
        for (number, first) in (0..chunks).zip((0..).step_by(8192)) {
            let series = SeriesId::try_from(number / 1000).unwrap();
            if number % 1000 == 0 {
                index.keys.push(series, key(number).as_key());
            }
            let (last, length) = (first + 8191, 16_000);
            entries.push((entry(series, count, first, last, offset, length), None));
            offset += u64::from(length);
        }
        let mut bytes = Vec::new();
        index.chunks = entries.iter().copied().collect();
        blocks::encode(&index, Effort::Quick, &mut bytes).unwrap();
        let read = blocks::decode(bytes, 0, offset).unwrap();
        assert!(read.keys.is_same(&index.keys));
        assert!(read.chunks.iter().eq(entries.into_iter().map(|(entry, _)| entry)));
        assert_eq!(read.chunks.points(), 5_000_003_584);
        assert_eq!(read.chunks.last().unwrap().offset, HEADER + (chunks - 1) * 16_000);
    }

    #[test]
    fn an_index_asks_for_no_more_memory_than_a_chunk_takes() {
        let (entry, _) = chunk(0, FileHeader::LENGTH as u64);
        let encoded = |length| {
            let chunks = [(ChunkEntry { length, ..entry }, None)].into_iter().collect();
            let mut index = PartIndex { chunks, ..PartIndex::new(Salt::NONE) };
            index.keys.push(0, key(0).as_key());
            let mut bytes = Vec::new();
            blocks::encode(&index, Effort::Quick, &mut bytes).unwrap();
            bytes
        };
        for (length, is_read) in [(MAX_CHUNK_LENGTH, true), (MAX_CHUNK_LENGTH + 1, false)] {
            let read = blocks::decode(encoded(length), 0, u64::from(length) + HEADER);
            assert_eq!(read.is_some(), is_read, "{length}");
        }
        // A chunk that does not fit into the file before the index.
        assert!(blocks::decode(encoded(100), 0, ChunkHeader::LENGTH as u64 - 1).is_none());
    }
}
