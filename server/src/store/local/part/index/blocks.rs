//! The index of format 3: blocks of chunks as they stay in memory, the keys, and the summaries of the chunks
//! that have one.

use super::column::{ColumnReader, ColumnWriter};
use super::keys::PackedKeys;
use super::summaries::{self, SummaryColumns};
use super::{PartIndex, end_of};
use crate::store::local::part::chunk_table::ChunkTable;
use crate::store::local::part::deletes::Block;
use crate::store::local::part::header::ChunkHeader;
use crate::store::local::salt::Salt;
use crate::store::local::series::chunk::{BadChunk, Effort};
use crate::store::local::varint;

/// Appends an index.
///
/// # Errors
/// When a column can't be packed.
pub fn encode(index: &PartIndex, effort: Effort, out: &mut Vec<u8>) -> Result<(), BadChunk> {
    varint::encode(index.chunks.len() as u64, out);
    out.extend_from_slice(index.chunks.packed());
    index.keys.encode(out);
    summaries::encode(index.chunks.summaries(), &mut ColumnWriter::new(effort, out))
}

/// Reads what stands in `bytes` from `start` on: the index of a file in which it begins at `offset`. `None` when
/// that is none.
pub fn decode(bytes: Vec<u8>, start: usize, offset: u64) -> Option<PartIndex> {
    let mut input = bytes.get(start..)?;
    let count = varint::decode(&mut input)?;
    // Each chunk takes at least its header.
    if count > offset / ChunkHeader::LENGTH as u64 {
        return None;
    }
    let (count, start) = (usize::try_from(count).ok()?, bytes.len() - input.len());
    let (chunks, series) = ChunkTable::read(bytes, start, count)?;
    let mut input = chunks.behind();
    let keys = PackedKeys::take(&mut input)?.of(series)?;
    let mut reader = ColumnReader::new(input);
    let mut columns = SummaryColumns::take(&mut reader, chunks.summaries().len())?;
    let summaries: Result<Vec<_>, _> =
        chunks.large().map(|entry| columns.next_summary(&entry)).collect();
    if !columns.end() || !reader.rest().is_empty() {
        return None;
    }
    let chunks = chunks.complete(summaries.ok()?)?;
    let block = Block { end: end_of(&chunks), ..Block::default() };
    Some(PartIndex { chunks, keys, block, ..PartIndex::new(Salt::NONE) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::samples::{damage, damaged, index, is_same, keys_below};
    use super::*;
    use crate::store::local::part::header::ChunkEntry;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]
        #[test]
        fn an_index_reads_back(
            index in index(),
            effort in prop_oneof![Just(Effort::Quick), Just(Effort::Thorough)],
            before in prop::collection::vec(any::<u8>(), 0..9),
        ) {
            let mut bytes = before.clone();
            encode(&index, effort, &mut bytes).unwrap();
            let read = decode(bytes.clone(), before.len(), u64::MAX).unwrap();
            prop_assert!(is_same(&read, &index));
            for cut in [0, bytes.len() / 2, bytes.len() - 1] {
                let cut = bytes[..cut].to_vec();
                prop_assert!(decode(cut, before.len(), u64::MAX).is_none());
            }
            bytes.push(0);
            prop_assert!(decode(bytes, before.len(), u64::MAX).is_none(), "a byte too many");
        }

        /// With a checksum that is right.
        #[test]
        fn damaged_indexes_never_panic(
            index in index(),
            damage in damage(),
        ) {
            let mut bytes = Vec::new();
            encode(&index, Effort::Quick, &mut bytes).unwrap();
            let _ = decode(damaged(bytes, damage), 0, 1 << 20);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = decode(bytes, 0, 1 << 20);
        }
    }

    /// An index of chunks with summaries, of which one column has a number too many.
    fn with_longer_column(longer: Option<usize>) -> Vec<u8> {
        const COUNT: usize = 300;
        let mut index = PartIndex::new(Salt::NONE);
        let chunk = |series| ChunkEntry {
            series,
            count: 300,
            offset: 20 + u64::from(series) * 100,
            length: 100,
            last_value: 0.5.into(),
            ..ChunkEntry::NONE
        };
        index.chunks = (0..300).map(|series| (chunk(series), None)).collect();
        index.keys = keys_below(300);
        let mut out = Vec::new();
        varint::encode(COUNT as u64, &mut out);
        out.extend_from_slice(index.chunks.packed());
        index.keys.encode(&mut out);
        let mut writer = ColumnWriter::new(Effort::Quick, &mut out);
        let count = |column| COUNT + usize::from(longer == Some(column));
        for column in [0, 1, 2, 3] {
            writer.add(std::iter::repeat_n(0.5_f64, count(column))).unwrap();
        }
        writer.add(std::iter::repeat_n(0_u16, count(4))).unwrap();
        writer.add(std::iter::repeat_n(0.5_f64, count(5))).unwrap();
        out
    }

    #[test]
    fn a_summary_too_many_is_damage() {
        let sound = decode(with_longer_column(None), 0, u64::MAX).unwrap();
        assert_eq!(sound.chunks.summaries().flatten().count(), 300);
        for column in 0..6 {
            let bytes = with_longer_column(Some(column));
            assert!(decode(bytes, 0, u64::MAX).is_none(), "column {column}");
        }
    }
}
