//! The index of a part: its chunks and the keys of their series.

use std::io;

use memchr::memmem;
use shared::{Key, KeyBuf};

use super::header::{
    CHUNK_MAGIC, ChunkEntry, ChunkHeader, FileHeader, Footer, LastValue, MAX_CHUNK_LENGTH,
};
use crate::store::local::disk::DiskFile;
use crate::store::local::disk::window::{self, Window};
use crate::store::local::series::chunk;
use crate::store::local::series::series_index::SeriesId;
use crate::store::local::varint;

/// Timestamps, first to last, both included.
pub type TimeRange = (i64, i64);

/// For series, by rising id, which points of older parts are deleted: ranges by rising timestamp,
/// without overlap, at least one a series.
pub type Deletes = Vec<(SeriesId, Vec<TimeRange>)>;

/// What a part holds.
#[derive(Debug, Default)]
pub struct PartIndex {
    /// The chunks, by series, then by time.
    pub entries: Vec<ChunkEntry>,
    /// The keys of the series, by rising id.
    pub keys: Vec<(SeriesId, KeyBuf)>,
    /// What is deleted in parts of smaller segments.
    pub deletes: Deletes,
    /// All ids that were ever given when the part was written are below this.
    pub end: SeriesId,
}

impl PartIndex {
    /// Number of points in all chunks.
    pub fn points(&self) -> u64 {
        count_points(&self.entries)
    }

    /// Appends the index: chunks in the order of the file, series by series; of a key only what
    /// differs from the key before.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let (mut series, mut end, mut time) = (0, FileHeader::LENGTH as u64, 0_i64);
        let mut key_before: &[u8] = b"";
        let mut keys = self.keys.iter().peekable();
        varint::encode(self.entries.len() as u64, out);
        for entry in &self.entries {
            varint::encode(u64::from(entry.series - series), out);
            if let Some((_, key)) = keys.next_if(|(id, _)| *id == entry.series) {
                let key = key.as_str().as_bytes();
                let same = key.iter().zip(key_before).take_while(|(a, b)| a == b).count();
                varint::encode(same as u64 + 1, out);
                varint::encode((key.len() - same) as u64, out);
                out.extend_from_slice(&key[same..]);
                key_before = key;
            } else {
                varint::encode(0, out);
            }
            varint::encode(entry.offset - end, out);
            varint::encode(u64::from(entry.length), out);
            varint::encode(u64::from(entry.count), out);
            varint::encode_signed(entry.first.wrapping_sub(time), out);
            varint::encode_signed(entry.last.wrapping_sub(entry.first), out);
            (series, end, time) =
                (entry.series, entry.offset + u64::from(entry.length), entry.first);
        }
    }

    /// Reads an index; `None` when the bytes are not as [`PartIndex::encode`] writes them.
    fn decode(mut bytes: &[u8]) -> Option<Self> {
        let input = &mut bytes;
        let count = usize::try_from(varint::decode(input)?).ok()?;
        let mut index = Self::default();
        let (mut series, mut end, mut time) = (0_u32, FileHeader::LENGTH as u64, 0_i64);
        let mut key: Vec<u8> = Vec::new();
        for _ in 0..count {
            series = series.checked_add(u32::try_from(varint::decode(input)?).ok()?)?;
            if let Some(same) = varint::decode(input)?.checked_sub(1) {
                let length = usize::try_from(varint::decode(input)?).ok()?;
                let (tail, rest) = input.split_at_checked(length)?;
                *input = rest;
                key.truncate(usize::try_from(same).ok()?);
                key.extend_from_slice(tail);
                index.keys.push((series, Key::from_bytes(&key).ok()?.to_owned()));
            }
            let offset = end.checked_add(varint::decode(input)?)?;
            let length = u32::try_from(varint::decode(input)?).ok()?;
            if length > MAX_CHUNK_LENGTH {
                return None;
            }
            let count = u32::try_from(varint::decode(input)?).ok()?;
            let first = time.wrapping_add(varint::decode_signed(input)?);
            let last = first.wrapping_add(varint::decode_signed(input)?);
            let (last_value, summary) = (LastValue::UNKNOWN, None);
            index.entries.push(ChunkEntry {
                series,
                count,
                first,
                last,
                offset,
                length,
                last_value,
                summary,
            });
            end = offset.checked_add(u64::from(length))?;
            time = first;
        }
        index.end = end_of(&index.entries);
        input.is_empty().then_some(index)
    }

    /// The index of a part of `size` bytes; `None` when footer or index are damaged.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn read(file: &dyn DiskFile, size: u64) -> io::Result<Option<Self>> {
        let Some(footer_offset) = size.checked_sub(Footer::LENGTH as u64) else { return Ok(None) };
        let mut footer = [0; Footer::LENGTH];
        file.read_exact_at(&mut footer, footer_offset)?;
        let Some(footer) = Footer::decode(&footer) else { return Ok(None) };
        let Some(length) = footer_offset.checked_sub(footer.index_offset()) else {
            return Ok(None);
        };
        let bytes = window::read(file, footer.index_offset(), length)?;
        Ok(if footer.matches(&bytes) { Self::decode(&bytes) } else { None })
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
            if index.keys.last().is_none_or(|(last, _)| *last < entry.series) {
                index.keys.push((entry.series, key.to_owned()));
            }
            index.entries.push(entry);
        }
        index.entries.sort_by_key(|entry| (entry.series, entry.first));
        index.end = end_of(&index.entries);
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
    use shared::Point;
    use zerocopy::IntoBytes;

    use super::*;
    use crate::store::local::disk::window::SparseFile;
    use crate::store::local::series::chunk::{Effort, MAX_CHUNK_POINTS};

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
        let keys: Vec<_> = (0..20).map(|series| (series, key(series.into()))).collect();
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
                index.keys.push((series, key(number)));
            }
            let (last, length) = (first + 8191, 16_000);
            index.entries.push(entry(series, count, first, last, offset, length));
            offset += u64::from(length);
        }
        let mut bytes = Vec::new();
        index.encode(&mut bytes);
        let read = PartIndex::decode(&bytes).unwrap();
        assert!(read.entries == index.entries && read.keys == index.keys);
        assert_eq!(read.points(), 5_000_003_584);
        assert_eq!(read.entries.last().unwrap().offset, 8 + (chunks - 1) * 16_000);
    }

    #[test]
    fn an_index_asks_for_no_more_memory_than_a_chunk_takes() {
        let (entry, _) = chunk(0, FileHeader::LENGTH as u64);
        for (length, is_read) in [(MAX_CHUNK_LENGTH, true), (MAX_CHUNK_LENGTH + 1, false)] {
            let entries = vec![ChunkEntry { length, ..entry.clone() }];
            let mut bytes = Vec::new();
            PartIndex { entries, keys: vec![(0, key(0))], ..PartIndex::default() }
                .encode(&mut bytes);
            assert_eq!(PartIndex::decode(&bytes).is_some(), is_read, "{length}");
        }
    }
}
