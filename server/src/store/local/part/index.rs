//! The index of a part: its chunks, the keys of their series, and what is deleted in older parts.

mod columns;
mod keys;
mod rows;

use std::io;

use memchr::memmem;
use shared::Key;
use zerocopy::IntoBytes;

use super::deletes;
use super::header::{
    CHUNK_MAGIC, ChunkEntry, ChunkHeader, FileHeader, Footer, FooterV1, MAX_CHUNK_LENGTH,
};
use crate::store::local::disk::DiskFile;
use crate::store::local::disk::window::{self, Window};
use crate::store::local::series::chunk::{self, BadChunk, Effort};
use crate::store::local::series::series_index::SeriesId;

pub use super::deletes::Deletes;
pub use keys::PartKeys;

/// What a part holds.
#[derive(Debug, Default)]
pub struct PartIndex {
    /// The chunks, by series, then by time.
    pub entries: Vec<ChunkEntry>,
    /// The keys of the series, by rising id.
    pub keys: PartKeys,
    /// What is deleted in parts of smaller segments.
    pub deletes: Deletes,
    /// All ids that were ever given when the part was written are below this.
    pub end: SeriesId,
    /// What is deleted in older parts, or the end of the ids, could not be read.
    pub deletes_damaged: bool,
}

impl PartIndex {
    /// Number of points in all chunks.
    pub fn points(&self) -> u64 {
        count_points(&self.entries)
    }

    /// Appends the block of deletes, the index and the footer of format 2, in a file where they begin
    /// at `offset`.
    ///
    /// # Errors
    /// When a column can't be packed.
    pub fn encode(&self, offset: u64, effort: Effort, out: &mut Vec<u8>) -> Result<(), BadChunk> {
        let start = out.len();
        deletes::encode(&self.deletes, self.end, out);
        let index = out.len();
        columns::encode(self, effort, out)?;
        let index_offset = offset + (index - start) as u64;
        let footer = Footer::new(offset, index_offset, &out[index..]);
        out.extend_from_slice(footer.as_bytes());
        Ok(())
    }

    /// The index of a part of `size` bytes; `None` when footer or index are damaged.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn read(file: &dyn DiskFile, size: u64) -> io::Result<Option<Self>> {
        let tail = size.min(Footer::LENGTH as u64);
        let tail = window::read(file, size - tail, tail)?;
        if let Some(footer) = Footer::decode(&tail) {
            let Some(end) = size.checked_sub(Footer::LENGTH as u64) else { return Ok(None) };
            return Self::read_columns(file, footer, end);
        }
        let Some(footer) = FooterV1::decode(&tail) else { return Ok(None) };
        let end = size - FooterV1::LENGTH as u64;
        let Some(length) = end.checked_sub(footer.index_offset()) else { return Ok(None) };
        let bytes = window::read(file, footer.index_offset(), length)?;
        Ok(if footer.matches(&bytes) { rows::decode(&bytes) } else { None })
    }

    fn read_columns(file: &dyn DiskFile, footer: &Footer, end: u64) -> io::Result<Option<Self>> {
        let (block, index) = (footer.deletes_offset(), footer.index_offset());
        let lengths = index.checked_sub(block).zip(end.checked_sub(index));
        let Some((block_length, index_length)) = lengths else { return Ok(None) };
        let bytes = window::read(file, index, index_length)?;
        if !footer.matches(&bytes) {
            return Ok(None);
        }
        let Some(mut read) = columns::decode(&bytes, index) else { return Ok(None) };
        read.take_deletes(deletes::decode(&window::read(file, block, block_length)?));
        Ok(Some(read))
    }

    fn take_deletes(&mut self, found: Option<(Deletes, SeriesId)>) {
        self.deletes_damaged = found.is_none();
        if let Some((deletes, end)) = found {
            self.deletes = deletes;
            self.end = self.end.max(end);
        }
    }

    /// The index of a part of `size` bytes whose own index is damaged, from its chunks.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn rebuild(file: &dyn DiskFile, size: u64) -> io::Result<Self> {
        Self::rebuild_from(file, size, 0)
    }

    /// Like [`PartIndex::rebuild`], with the chunks from `from` on.
    fn rebuild_from(file: &dyn DiskFile, size: u64, mut from: u64) -> io::Result<Self> {
        let mut index = Self::default();
        let magic = memmem::Finder::new(&CHUNK_MAGIC);
        let mut window = Window::new(file, size);
        while let Some(offset) = window.find(from, &magic)? {
            from = offset + 1;
            let header = window.get(offset, ChunkHeader::LENGTH as u64)?;
            let Some(header) = ChunkHeader::decode(header) else { continue };
            let mut entry = header.entry(offset);
            if entry.length > MAX_CHUNK_LENGTH {
                continue;
            }
            let whole = window.get(offset, entry.length.into())?.get(..entry.length as usize);
            let Some((_, key, points)) = whole.and_then(ChunkHeader::decode_chunk) else {
                continue;
            };
            let Ok(key) = Key::from_bytes(key) else { continue };
            let Ok(points) = chunk::decode(points, entry.count as usize) else { continue };
            entry.summarize(&points);
            if index.keys.last_series().is_none_or(|last| last < entry.series) {
                index.keys.push(entry.series, key);
            }
            from = offset + u64::from(entry.length);
            index.entries.push(entry);
        }
        index.entries.sort_by_key(|entry| (entry.series, entry.first));
        index.end = end_of(&index.entries);
        let ends = index.entries.iter().map(|entry| entry.offset + u64::from(entry.length));
        let end = ends.max().unwrap_or(FileHeader::LENGTH as u64);
        if !FileHeader::is_version_1(window.get(0, FileHeader::LENGTH as u64)?) {
            index.take_deletes(deletes::find(&mut window, end)?);
        }
        Ok(index)
    }
}

/// All series of chunks are below this id.
fn end_of(entries: &[ChunkEntry]) -> SeriesId {
    entries.last().map_or(0, |last| last.series.saturating_add(1))
}

/// Number of points in chunks.
pub fn count_points(entries: &[ChunkEntry]) -> u64 {
    entries.iter().map(|entry| u64::from(entry.count)).sum()
}

#[cfg(test)]
mod tests {
    use shared::{KeyBuf, Point};

    use super::*;
    use crate::store::local::disk::window::SparseFile;
    use crate::store::local::part::header::LastValue;
    use crate::store::local::series::chunk::MAX_CHUNK_POINTS;

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
        let (last_value, summary) = (LastValue::UNKNOWN, None);
        ChunkEntry { series, count, first, last, offset, length, last_value, summary }
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
        let header = ChunkHeader::new(&entry, key.as_str().len(), &body);
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
        let index = PartIndex::rebuild_from(&file, file.length, begin).unwrap();
        assert_eq!(index.entries, entries);
        let mut keys = PartKeys::default();
        (0..20).for_each(|series| keys.push(series, key(series.into()).as_key()));
        assert_eq!(index.keys, keys);
    }

    /// As many chunks as 5 G points take, and their places beyond 4 GiB.
    #[test]
    fn an_index_counts_more_points_than_32_bits_do() {
        let count = u32::try_from(MAX_CHUNK_POINTS).unwrap();
        let chunks = 5_000_000_000_u64.div_ceil(count.into());
        let mut index = PartIndex::default();
        let mut offset = FileHeader::LENGTH as u64;
        for (number, first) in (0..chunks).zip((0..).step_by(8192)) {
            let series = SeriesId::try_from(number / 1000).unwrap();
            if number % 1000 == 0 {
                index.keys.push(series, key(number).as_key());
            }
            let (last, length) = (first + 8191, 16_000);
            index.entries.push(entry(series, count, first, last, offset, length));
            offset += u64::from(length);
        }
        let mut bytes = Vec::new();
        columns::encode(&index, Effort::Quick, &mut bytes).unwrap();
        let read = columns::decode(&bytes, offset).unwrap();
        assert!(read.entries == index.entries && read.keys.is_same(&index.keys));
        assert_eq!(read.points(), 5_000_003_584);
        assert_eq!(read.entries.last().unwrap().offset, 8 + (chunks - 1) * 16_000);
    }

    #[test]
    fn an_index_asks_for_no_more_memory_than_a_chunk_takes() {
        let (entry, _) = chunk(0, FileHeader::LENGTH as u64);
        let encoded = |length| {
            let entries = vec![ChunkEntry { length, ..entry.clone() }];
            let mut index = PartIndex { entries, ..PartIndex::default() };
            index.keys.push(0, key(0).as_key());
            let mut bytes = Vec::new();
            columns::encode(&index, Effort::Quick, &mut bytes).unwrap();
            bytes
        };
        for (length, is_read) in [(MAX_CHUNK_LENGTH, true), (MAX_CHUNK_LENGTH + 1, false)] {
            let read = columns::decode(&encoded(length), u64::from(length) + 8);
            assert_eq!(read.is_some(), is_read, "{length}");
        }
        // A chunk that does not fit into the file before the index.
        assert!(columns::decode(&encoded(100), ChunkHeader::LENGTH as u64 - 1).is_none());
    }
}
