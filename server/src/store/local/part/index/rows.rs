//! The index of format 1: one chunk after the other.

use shared::Key;

use super::{PartIndex, end_of};
use crate::store::local::part::chunk_table::ChunkTableBuilder;
use crate::store::local::part::header::{ChunkEntry, FileHeader, LastValue, MAX_CHUNK_LENGTH};
use crate::store::local::salt::Salt;
use crate::store::local::varint;

/// Reads an index; `None` when the bytes are none.
pub fn decode(mut bytes: &[u8]) -> Option<PartIndex> {
    let input = &mut bytes;
    let count = usize::try_from(varint::decode(input)?).ok()?;
    let (mut index, mut chunks) = (PartIndex::new(Salt::NONE), ChunkTableBuilder::default());
    let (mut series, mut end, mut time) = (0_u32, FileHeader::LENGTH_V1 as u64, 0_i64);
    let mut key: Vec<u8> = Vec::new();
    for _ in 0..count {
        series = series.checked_add(u32::try_from(varint::decode(input)?).ok()?)?;
        if let Some(same) = varint::decode(input)?.checked_sub(1) {
            let length = usize::try_from(varint::decode(input)?).ok()?;
            let (tail, rest) = input.split_at_checked(length)?;
            *input = rest;
            key.truncate(usize::try_from(same).ok()?);
            key.extend_from_slice(tail);
            index.keys.push(series, Key::from_bytes(&key).ok()?);
        }
        let offset = end.checked_add(varint::decode(input)?)?;
        let length = u32::try_from(varint::decode(input)?).ok()?;
        if length > MAX_CHUNK_LENGTH {
            return None;
        }
        let count = u32::try_from(varint::decode(input)?).ok()?;
        let first = time.wrapping_add(varint::decode_signed(input)?);
        let last = first.wrapping_add(varint::decode_signed(input)?);
        let last_value = LastValue::UNKNOWN;
        let entry = ChunkEntry { series, count, first, last, offset, length, last_value };
        chunks.push(entry, None);
        end = offset.checked_add(u64::from(length))?;
        time = first;
    }
    index.chunks = chunks.build();
    index.block.end = end_of(&index.chunks);
    input.is_empty().then_some(index)
}
