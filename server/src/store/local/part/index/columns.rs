//! The index of format 2: a column of each field of the chunks, and the summaries of those that have one.

use super::column::ColumnReader;
use super::keys::PackedKeys;
use super::summaries::SummaryColumns;
use super::{PartIndex, end_of};
use crate::store::local::part::chunk_table::ChunkTableBuilder;
use crate::store::local::part::deletes::Block;
use crate::store::local::part::header::{
    ChunkEntry, ChunkHeader, FileHeader, MAX_CHUNK_LENGTH, MIN_SUMMARY_POINTS,
};
use crate::store::local::salt::Salt;
use crate::store::local::varint;

/// Reads the index of a file in which it begins at `offset`; `None` when the bytes are none.
pub fn decode(mut input: &[u8], offset: u64) -> Option<PartIndex> {
    let count = varint::decode(&mut input)?;
    // Each chunk takes at least its header.
    if count > offset / ChunkHeader::LENGTH as u64 {
        return None;
    }
    let count = usize::try_from(count).ok()?;
    let keys = PackedKeys::take(&mut input)?;
    let mut reader = ColumnReader::new(input);
    let mut series = reader.take::<u32>(count)?;
    let mut gaps = reader.take::<u64>(count)?;
    let mut lengths = reader.take::<u32>(count)?;
    let before_counts = reader.rest();
    let mut counts = reader.take::<u32>(count)?;
    let mut firsts = reader.take::<i64>(count)?;
    let mut spans = reader.take::<u64>(count)?;
    let mut last_values = reader.take::<f64>(count)?;
    let large = ColumnReader::new(before_counts).take(count)?.count(count, is_large)?;
    let mut summaries = SummaryColumns::take(&mut reader, large)?;
    if !reader.rest().is_empty() {
        return None;
    }

    let mut chunks = ChunkTableBuilder::default();
    let mut with_keys = Vec::with_capacity(keys.len().min(count));
    let (mut id, mut end) = (0_u32, FileHeader::LENGTH_V1 as u64);
    for at in 0..count {
        let more = series.next_number()?;
        id = id.checked_add(more)?;
        if at == 0 || more > 0 {
            with_keys.push(id);
        }
        let (length, count) = (lengths.next_number()?, counts.next_number()?);
        if length > MAX_CHUNK_LENGTH {
            return None;
        }
        let offset = end.checked_add(gaps.next_number()?)?;
        end = offset.checked_add(length.into())?;
        let first = firsts.next_number()?;
        let last = first.checked_add_unsigned(spans.next_number()?)?;
        let last_value = last_values.next_number()?.into();
        let entry = ChunkEntry { series: id, count, first, last, offset, length, last_value };
        let summary = if entry.is_large() { summaries.next_summary(&entry).ok()? } else { None };
        chunks.push(entry, summary);
    }
    let are_read = series.end()
        && gaps.end()
        && lengths.end()
        && counts.end()
        && firsts.end()
        && spans.end()
        && last_values.end()
        && summaries.end();
    if !are_read {
        return None;
    }
    let chunks = chunks.build();
    let block = Block { end: end_of(&chunks), ..Block::default() };
    let keys = keys.of(with_keys)?;
    Some(PartIndex { chunks, keys, block, ..PartIndex::new(Salt::NONE) })
}

/// Whether a chunk of so many points may have a summary.
fn is_large(count: u32) -> bool {
    count as usize >= MIN_SUMMARY_POINTS
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::column::ColumnWriter;
    use super::super::samples::{damage, damaged, index, is_same, keys_below};
    use super::super::summaries;
    use super::*;
    use crate::store::local::series::chunk::{BadChunk, Effort};

    const HEADER: u64 = FileHeader::LENGTH_V1 as u64;

    /// Appends an index, as servers of format 2 did.
    fn encode(index: &PartIndex, effort: Effort, out: &mut Vec<u8>) -> Result<(), BadChunk> {
        let entries: Vec<_> = index.chunks.iter().collect();
        varint::encode(entries.len() as u64, out);
        index.keys.encode(out);
        let mut writer = ColumnWriter::new(effort, out);
        let mut series = 0;
        writer.add(
            entries.iter().map(|entry| entry.series - std::mem::replace(&mut series, entry.series)),
        )?;
        let mut end = HEADER;
        writer.add(entries.iter().map(|entry| {
            entry.offset - std::mem::replace(&mut end, entry.offset + u64::from(entry.length))
        }))?;
        writer.add(entries.iter().map(|entry| entry.length))?;
        writer.add(entries.iter().map(|entry| entry.count))?;
        writer.add(entries.iter().map(|entry| entry.first))?;
        writer.add(
            entries.iter().map(|entry| entry.last.wrapping_sub(entry.first).cast_unsigned()),
        )?;
        // A value that is not known is no number on the disk, too.
        writer.add(entries.iter().map(|entry| entry.last_value.get().unwrap_or(f64::NAN)))?;

        summaries::encode(index.chunks.summaries(), &mut writer)
    }

    /// An index of chunks of a point each, of which one column has a number too many.
    fn with_longer_column(longer: Option<usize>) -> Vec<u8> {
        const COUNT: usize = 300;
        let mut out = Vec::new();
        varint::encode(COUNT as u64, &mut out);
        keys_below(300).encode(&mut out);
        let mut writer = ColumnWriter::new(Effort::Quick, &mut out);
        let count = |column| COUNT + usize::from(longer == Some(column));
        writer.add(std::iter::repeat_n(1_u32, count(0))).unwrap();
        writer.add(std::iter::repeat_n(0_u64, count(1))).unwrap();
        writer.add(std::iter::repeat_n(100_u32, count(2))).unwrap();
        writer.add(std::iter::repeat_n(1_u32, count(3))).unwrap();
        writer.add(std::iter::repeat_n(7_i64, count(4))).unwrap();
        writer.add(std::iter::repeat_n(0_u64, count(5))).unwrap();
        writer.add(std::iter::repeat_n(0.5_f64, count(6))).unwrap();
        out
    }

    #[test]
    fn a_column_with_a_number_too_many_is_damage() {
        let sound = decode(&with_longer_column(None), u64::MAX).unwrap();
        assert_eq!(sound.chunks.len(), 300);
        for column in 0..7 {
            let bytes = with_longer_column(Some(column));
            assert!(decode(&bytes, u64::MAX).is_none(), "column {column}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]
        #[test]
        fn an_index_reads_back(
            index in index(),
            effort in prop_oneof![Just(Effort::Quick), Just(Effort::Thorough)],
        ) {
            let mut bytes = Vec::new();
            encode(&index, effort, &mut bytes).unwrap();
            let read = decode(&bytes, u64::MAX).unwrap();
            prop_assert!(is_same(&read, &index));
            for cut in [0, bytes.len() / 2, bytes.len() - 1] {
                prop_assert!(decode(&bytes[..cut], u64::MAX).is_none());
            }
        }

        /// With a checksum that is right.
        #[test]
        fn damaged_indexes_never_panic(
            index in index(),
            damage in damage(),
        ) {
            let mut bytes = Vec::new();
            encode(&index, Effort::Quick, &mut bytes).unwrap();
            let _ = decode(&damaged(bytes, damage), 1 << 20);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&bytes, 1 << 20);
        }
    }
}
