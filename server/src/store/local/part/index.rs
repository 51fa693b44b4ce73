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
    CHUNK_MAGIC, ChunkEntry, ChunkHeader, FileHeader, FileKind, Footer, IndexPlace,
    MAX_CHUNK_LENGTH,
};
use crate::store::local::disk::DiskFile;
use crate::store::local::disk::window::{self, Window};
use crate::store::local::salt::Salt;
use crate::store::local::series::chunk::{self, BadChunk, Effort};
use crate::store::local::series::series_index::SeriesId;

pub use super::deletes::Deletes;
pub use keys::PartKeys;

/// What a part holds.
#[derive(Debug)]
pub struct PartIndex {
    /// That of the part.
    pub salt: Salt,
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
    /// The header of the part is damaged, and its footer says the same.
    pub header_damaged: bool,
}

impl PartIndex {
    /// That of a part with this salt and without chunks.
    pub fn new(salt: Salt) -> Self {
        let (entries, keys, deletes) = (Vec::new(), PartKeys::default(), Deletes::new());
        let (deletes_damaged, header_damaged) = (false, false);
        Self { salt, entries, keys, deletes, end: 0, deletes_damaged, header_damaged }
    }

    /// Number of points in all chunks.
    pub fn points(&self) -> u64 {
        count_points(&self.entries)
    }

    /// Appends the block of deletes, the index and the footer, in a file where they begin at `offset`.
    ///
    /// # Errors
    /// When a column can't be packed.
    pub fn encode(&self, offset: u64, effort: Effort, out: &mut Vec<u8>) -> Result<(), BadChunk> {
        let start = out.len();
        deletes::encode(&self.deletes, self.end, self.salt, out);
        let index = out.len();
        columns::encode(self, effort, out)?;
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
        let IndexPlace { index_offset, end, salt, header_length, .. } = place;
        let bytes = window::read(file, index_offset, end - index_offset)?;
        if salt.body_checksum(&bytes) != place.checksum {
            return Ok(None);
        }
        let read = match place.deletes_offset {
            Some(_) => columns::decode(&bytes, header_length, index_offset),
            None => rows::decode(&bytes),
        };
        let Some(mut read) = read else { return Ok(None) };
        read.salt = salt;
        read.header_damaged = !place.agrees_with(kind);
        if let Some(block) = place.deletes_offset {
            let block = window::read(file, block, index_offset - block)?;
            read.take_deletes(deletes::decode(&block, salt));
        }
        Ok(Some(read))
    }

    fn take_deletes(&mut self, found: Option<(Deletes, SeriesId)>) {
        self.deletes_damaged = found.is_none();
        if let Some((deletes, end)) = found {
            self.deletes = deletes;
            self.end = self.end.max(end);
        }
    }

    /// The index of a part of `size` bytes whose own index is damaged, from its chunks; `None` when
    /// nothing says their salt any more: then a client could have written what would be found.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn rebuild(file: &dyn DiskFile, size: u64) -> io::Result<Option<Self>> {
        let tail = size.min(IndexPlace::FOOTER_LENGTH as u64);
        let tail = window::read(file, size - tail, tail)?;
        let mut window = Window::new(file, size);
        let kind = FileKind::of(window.get(0, FileHeader::LENGTH as u64)?);
        let (salt, has_deletes) = match (kind, IndexPlace::find(kind, &tail, size)) {
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
        Self::rebuild_from(&mut window, 0, salt, has_deletes).map(Some)
    }

    /// Like [`PartIndex::rebuild`], with the chunks from `from` on.
    fn rebuild_from(
        window: &mut Window<'_>,
        mut from: u64,
        salt: Salt,
        has_deletes: bool,
    ) -> io::Result<Self> {
        let mut index = Self::new(salt);
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
            let Some((_, key, points)) = decoded else {
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
        let end = ends.max().unwrap_or(FileHeader::LENGTH_V1 as u64);
        if has_deletes {
            index.take_deletes(deletes::find(window, end, salt)?);
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
        let index = PartIndex::rebuild_from(&mut window, begin, Salt::NONE, false).unwrap();
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
        let mut index = PartIndex::new(Salt::NONE);
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
        let read = columns::decode(&bytes, HEADER, offset).unwrap();
        assert!(read.entries == index.entries && read.keys.is_same(&index.keys));
        assert_eq!(read.points(), 5_000_003_584);
        assert_eq!(read.entries.last().unwrap().offset, HEADER + (chunks - 1) * 16_000);
    }

    #[test]
    fn an_index_asks_for_no_more_memory_than_a_chunk_takes() {
        let (entry, _) = chunk(0, FileHeader::LENGTH as u64);
        let encoded = |length| {
            let entries = vec![ChunkEntry { length, ..entry.clone() }];
            let mut index = PartIndex { entries, ..PartIndex::new(Salt::NONE) };
            index.keys.push(0, key(0).as_key());
            let mut bytes = Vec::new();
            columns::encode(&index, Effort::Quick, &mut bytes).unwrap();
            bytes
        };
        for (length, is_read) in [(MAX_CHUNK_LENGTH, true), (MAX_CHUNK_LENGTH + 1, false)] {
            let read = columns::decode(&encoded(length), HEADER, u64::from(length) + HEADER);
            assert_eq!(read.is_some(), is_read, "{length}");
        }
        // A chunk that does not fit into the file before the index.
        assert!(columns::decode(&encoded(100), HEADER, ChunkHeader::LENGTH as u64 - 1).is_none());
    }
}
