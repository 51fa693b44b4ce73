//! The index of a part: its chunks and the keys of their series.

use std::io;

use memchr::memmem;
use shared::{Key, KeyBuf};

use super::header::{CHUNK_MAGIC, ChunkEntry, ChunkHeader, FileHeader, Footer};
use crate::store::local::disk::DiskFile;
use crate::store::local::series::chunk;
use crate::store::local::series::series_index::SeriesId;
use crate::store::local::varint;

/// What a part holds.
#[derive(Debug, Default)]
pub struct PartIndex {
    /// The chunks, by series, then by time.
    pub entries: Vec<ChunkEntry>,
    /// The keys of the series, by rising id.
    pub keys: Vec<(SeriesId, KeyBuf)>,
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
            let count = u32::try_from(varint::decode(input)?).ok()?;
            let first = time.wrapping_add(varint::decode_signed(input)?);
            let last = first.wrapping_add(varint::decode_signed(input)?);
            index.entries.push(ChunkEntry { series, count, first, last, offset, length });
            end = offset.checked_add(u64::from(length))?;
            time = first;
        }
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
        let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        file.read_exact_at(&mut bytes, footer.index_offset())?;
        Ok(if footer.matches(&bytes) { Self::decode(&bytes) } else { None })
    }

    /// The index of a part whose own index is damaged, from the chunks in its bytes.
    pub fn rebuild(part: &[u8]) -> Self {
        let mut index = Self::default();
        for at in memmem::find_iter(part, &CHUNK_MAGIC) {
            let Some(header) = ChunkHeader::decode(&part[at..]) else { continue };
            let entry = header.entry(at as u64);
            let whole = part.get(at..at.saturating_add(entry.length as usize));
            let Some((_, key, points)) = whole.and_then(ChunkHeader::decode_chunk) else {
                continue;
            };
            let Ok(key) = Key::from_bytes(key) else { continue };
            if chunk::decode(points, entry.count as usize).is_err() {
                continue;
            }
            if index.keys.last().is_none_or(|(last, _)| *last < entry.series) {
                index.keys.push((entry.series, key.to_owned()));
            }
            index.entries.push(entry);
        }
        index.entries.sort_by_key(|entry| (entry.series, entry.first));
        index
    }
}

/// Number of points in chunks.
pub fn count_points(entries: &[ChunkEntry]) -> u64 {
    entries.iter().map(|entry| u64::from(entry.count)).sum()
}
