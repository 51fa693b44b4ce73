//! The index of format 2 and later: a column of each field of the chunks, and the summaries of those that
//! have one.

use pco::data_types::Number;

use super::keys::PackedKeys;
use super::{PartIndex, end_of};
use crate::store::local::part::deletes::Block;
use crate::store::local::part::header::{
    ChunkEntry, ChunkHeader, FileHeader, MAX_CHUNK_LENGTH, MIN_SUMMARY_POINTS,
};
use crate::store::local::salt::Salt;
use crate::store::local::series::chunk::{BadChunk, Batches, Effort, pack_column};
use crate::store::local::series::summary::{Sum, Summary};
use crate::store::local::varint;

/// Bits of the compensation of a sum that are not on the disk.
const LOW_BITS: u32 = 48;

/// Appends an index.
///
/// # Errors
/// When a column can't be packed.
pub fn encode(index: &PartIndex, effort: Effort, out: &mut Vec<u8>) -> Result<(), BadChunk> {
    let entries = &index.entries;
    varint::encode(entries.len() as u64, out);
    index.keys.encode(out);
    let mut writer = ColumnWriter { effort, out };
    let mut series = 0;
    writer.add(
        entries.iter().map(|entry| entry.series - std::mem::replace(&mut series, entry.series)),
    )?;
    let mut end = FileHeader::LENGTH as u64;
    writer.add(entries.iter().map(|entry| {
        entry.offset - std::mem::replace(&mut end, entry.offset + u64::from(entry.length))
    }))?;
    writer.add(entries.iter().map(|entry| entry.length))?;
    writer.add(entries.iter().map(|entry| entry.count))?;
    writer.add(entries.iter().map(|entry| entry.first))?;
    writer.add(entries.iter().map(|entry| entry.last.wrapping_sub(entry.first).cast_unsigned()))?;
    // A value that is not known is no number on the disk, too.
    writer.add(entries.iter().map(|entry| entry.last_value.get().unwrap_or(f64::NAN)))?;

    let large = entries.iter().filter(|entry| is_large(entry.count));
    let summaries: Vec<_> = large.map(|entry| Packed::of(entry.summary.as_deref())).collect();
    writer.add(summaries.iter().map(|summary| summary.first))?;
    writer.add(summaries.iter().map(|summary| summary.min))?;
    writer.add(summaries.iter().map(|summary| summary.max))?;
    writer.add(summaries.iter().map(|summary| summary.high))?;
    writer.add(summaries.iter().map(|summary| summary.low))?;
    writer.add(summaries.iter().map(|summary| summary.increase))
}

/// Reads the index of a file in which it begins at `offset`, and the chunks behind a header of
/// `header_length` bytes; `None` when the bytes are none.
pub fn decode(mut input: &[u8], header_length: u64, offset: u64) -> Option<PartIndex> {
    let count = varint::decode(&mut input)?;
    // Each chunk takes at least its header.
    if count > offset / ChunkHeader::LENGTH as u64 {
        return None;
    }
    let count = usize::try_from(count).ok()?;
    let keys = PackedKeys::take(&mut input)?;
    let mut reader = ColumnReader { input };
    let mut series = reader.take::<u32>(count)?;
    let mut gaps = reader.take::<u64>(count)?;
    let mut lengths = reader.take::<u32>(count)?;
    let before_counts = reader.input;
    let mut counts = reader.take::<u32>(count)?;
    let mut firsts = reader.take::<i64>(count)?;
    let mut spans = reader.take::<u64>(count)?;
    let mut last_values = reader.take::<f64>(count)?;
    let large = ColumnReader { input: before_counts }.take(count)?.count(count, is_large)?;
    let mut summaries = PackedColumns::take(&mut reader, large)?;
    if !reader.input.is_empty() {
        return None;
    }

    let mut entries = Vec::with_capacity(count);
    let mut with_keys = Vec::with_capacity(keys.len().min(count));
    let (mut id, mut end) = (0_u32, header_length);
    for at in 0..count {
        let more = series.next()?;
        id = id.checked_add(more)?;
        if at == 0 || more > 0 {
            with_keys.push(id);
        }
        let (length, count) = (lengths.next()?, counts.next()?);
        if length > MAX_CHUNK_LENGTH {
            return None;
        }
        let offset = end.checked_add(gaps.next()?)?;
        end = offset.checked_add(length.into())?;
        let first = firsts.next()?;
        let last = first.checked_add_unsigned(spans.next()?)?;
        let last_value = last_values.next()?;
        let packed = if is_large(count) { Some(summaries.next()?) } else { None };
        let summary = packed.and_then(|packed| packed.summary(count, last_value)).map(Box::new);
        let last_value = last_value.into();
        entries.push(ChunkEntry {
            series: id,
            count,
            first,
            last,
            offset,
            length,
            last_value,
            summary,
        });
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
    let block = Block { end: end_of(&entries), ..Block::default() };
    let keys = keys.of(with_keys)?;
    Some(PartIndex { entries, keys, block, ..PartIndex::new(Salt::NONE) })
}

/// Whether a chunk of so many points may have a summary.
fn is_large(count: u32) -> bool {
    count as usize >= MIN_SUMMARY_POINTS
}

/// A summary as it is on the disk.
#[derive(Debug, Clone, Copy, Default)]
struct Packed {
    first: f64,
    min: f64,
    max: f64,
    high: f64,
    low: u16,
    increase: f64,
}

impl Packed {
    fn of(summary: Option<&Summary>) -> Self {
        let parts = summary.and_then(|summary| Some((summary, summary.sum.parts()?)));
        let Some((summary, (high, low))) = parts else {
            return Self { high: f64::NAN, ..Self::default() };
        };
        let &Summary { first, min, max, increase, .. } = summary;
        let low = u16::try_from(low.to_bits() >> LOW_BITS).unwrap_or(0);
        Self { first, min, max, high, low, increase }
    }

    /// The summary of a chunk; `None` when it has none.
    fn summary(self, count: u32, last: f64) -> Option<Summary> {
        let Self { first, min, max, high, low, increase } = self;
        let sum = Sum::from_parts(high, f64::from_bits(u64::from(low) << LOW_BITS))?;
        let are_finite = [first, last, min, max, increase].into_iter().all(f64::is_finite);
        are_finite.then_some(Summary { count: count.into(), first, last, min, max, sum, increase })
    }
}

/// The columns of the summaries.
struct PackedColumns<'i> {
    /// The first, the least, the greatest of the values, and the sum.
    values: [Column<'i, f64>; 4],
    lows: Column<'i, u16>,
    increases: Column<'i, f64>,
}

impl<'i> PackedColumns<'i> {
    fn take(reader: &mut ColumnReader<'i>, count: usize) -> Option<Self> {
        let values =
            [reader.take(count)?, reader.take(count)?, reader.take(count)?, reader.take(count)?];
        Some(Self { values, lows: reader.take(count)?, increases: reader.take(count)? })
    }

    fn next(&mut self) -> Option<Packed> {
        let [first, min, max, high] = &mut self.values;
        Some(Packed {
            first: first.next()?,
            min: min.next()?,
            max: max.next()?,
            high: high.next()?,
            low: self.lows.next()?,
            increase: self.increases.next()?,
        })
    }

    /// Whether there are no more.
    fn end(self) -> bool {
        let Self { values, lows, increases } = self;
        values.into_iter().all(Column::end) && lows.end() && increases.end()
    }
}

/// A number of a column as it is in memory.
trait Field: Number + Default {
    fn append(self, out: &mut Vec<u8>);

    /// Takes one off the front of `input`; `None` when it is cut off.
    fn take(input: &mut &[u8]) -> Option<Self>;
}

macro_rules! fields {
    ($($kind:ty)*) => {$(
        impl Field for $kind {
            fn append(self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }

            fn take(input: &mut &[u8]) -> Option<Self> {
                let (bytes, rest) = input.split_first_chunk()?;
                *input = rest;
                Some(Self::from_le_bytes(*bytes))
            }
        }
    )*};
}

fields!(u16 u32 u64 i64 f64);

/// Appends columns: the length in bytes and what `pco` makes of the numbers; or a length of 0 and the
/// numbers as they are, when that is shorter. Without numbers there is nothing.
struct ColumnWriter<'o> {
    effort: Effort,
    out: &'o mut Vec<u8>,
}

impl ColumnWriter<'_> {
    fn add<T: Field>(&mut self, numbers: impl Iterator<Item = T>) -> Result<(), BadChunk> {
        let numbers: Vec<T> = numbers.collect();
        if numbers.is_empty() {
            return Ok(());
        }
        let mut column = Vec::new();
        pack_column(&numbers, self.effort, &mut column)?;
        if column.len() < size_of_val(numbers.as_slice()) {
            varint::encode(column.len() as u64, self.out);
            self.out.extend_from_slice(&column);
        } else {
            varint::encode(0, self.out);
            for number in numbers {
                number.append(self.out);
            }
        }
        Ok(())
    }
}

struct ColumnReader<'i> {
    input: &'i [u8],
}

impl<'i> ColumnReader<'i> {
    /// Takes a column of `count` numbers off the front.
    fn take<T: Field>(&mut self, count: usize) -> Option<Column<'i, T>> {
        if count == 0 {
            return Some(Column::Plain(&[]));
        }
        let length = usize::try_from(varint::decode(&mut self.input)?).ok()?;
        let is_plain = length == 0;
        let length = if is_plain { count.checked_mul(size_of::<T>())? } else { length };
        let (column, rest) = self.input.split_at_checked(length)?;
        self.input = rest;
        if is_plain {
            return Some(Column::Plain(column));
        }
        Some(Column::Packed(Box::new(Batches::new(column).ok()?)))
    }
}

/// A column that is being read, number by number: all of them at once would take as much memory as the entries
/// do which they become.
enum Column<'i, T: Field> {
    Packed(Box<Batches<'i, T>>),
    /// As they are.
    Plain(&'i [u8]),
}

impl<T: Field> Column<'_, T> {
    #[inline]
    fn next(&mut self) -> Option<T> {
        match self {
            Self::Packed(batches) => batches.next_number().ok()?,
            Self::Plain(bytes) => T::take(bytes),
        }
    }

    /// How many of its first `length` numbers are as asked; `None` when it has fewer, or can't be read.
    fn count(mut self, length: usize, is_one: impl Fn(T) -> bool) -> Option<usize> {
        let mut count = 0;
        for _ in 0..length {
            count += usize::from(is_one(self.next()?));
        }
        Some(count)
    }

    /// Whether there are no more numbers.
    fn end(self) -> bool {
        match self {
            Self::Packed(mut batches) => matches!(batches.next_number(), Ok(None)),
            Self::Plain(bytes) => bytes.is_empty(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use shared::{KeyBuf, Point};

    use super::*;

    const HEADER: u64 = FileHeader::LENGTH as u64;

    /// Series with chunks of a few points and of many, some of whose sums are too large.
    fn index() -> impl Strategy<Value = PartIndex> {
        let value = prop_oneof![
            (-1000..1000i32).prop_map(|cents| f64::from(cents) / 100.0),
            any::<f64>().prop_filter("finite", |value| value.is_finite()),
        ];
        let points = prop_oneof![1..4usize, 250..260usize, 8192..8193usize];
        let chunk = (points, value.clone(), value, 0..1000u64, 1..MAX_CHUNK_LENGTH);
        let series = (0..1000u32, prop::collection::vec(chunk, 1..4));
        prop::collection::vec(series, 0..8).prop_map(|series| {
            let mut index = PartIndex::new(Salt::NONE);
            let (mut id, mut offset) = (0, FileHeader::LENGTH as u64);
            for (more, chunks) in series {
                id += more;
                if index.keys.last_series().is_some_and(|before| before == id) {
                    id += 1;
                }
                index.keys.push(id, format!("host{id}.cpu").parse::<KeyBuf>().unwrap().as_key());
                let mut timestamp = -5000;
                for (count, value, other, gap, length) in chunks {
                    let points: Vec<_> = (timestamp..)
                        .take(count)
                        .map(|timestamp| {
                            let value = if timestamp % 3 == 0 { other } else { value };
                            Point { timestamp, value }
                        })
                        .collect();
                    let mut entry = ChunkEntry {
                        series: id,
                        count: u32::try_from(count).unwrap(),
                        first: timestamp,
                        last: points[count - 1].timestamp,
                        offset: offset + gap,
                        length,
                        last_value: 0.0.into(),
                        summary: None,
                    };
                    entry.summarize(&points);
                    (timestamp, offset) = (entry.last + 1, entry.offset + u64::from(length));
                    index.entries.push(entry);
                }
            }
            index.block.end = end_of(&index.entries);
            index
        })
    }

    /// An index of chunks of a point each, of which one column has a number too many.
    fn with_longer_column(longer: Option<usize>) -> Vec<u8> {
        const COUNT: usize = 300;
        let (mut out, mut keys) = (Vec::new(), PartIndex::new(Salt::NONE).keys);
        for id in 1..=300 {
            keys.push(id, format!("host{id}.cpu").parse::<KeyBuf>().unwrap().as_key());
        }
        varint::encode(COUNT as u64, &mut out);
        keys.encode(&mut out);
        let mut writer = ColumnWriter { effort: Effort::Quick, out: &mut out };
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
        let sound = decode(&with_longer_column(None), HEADER, u64::MAX).unwrap();
        assert_eq!(sound.entries.len(), 300);
        for column in 0..7 {
            let bytes = with_longer_column(Some(column));
            assert!(decode(&bytes, HEADER, u64::MAX).is_none(), "column {column}");
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
            let read = decode(&bytes, HEADER, u64::MAX).unwrap();
            prop_assert_eq!(&read.entries, &index.entries);
            prop_assert!(read.keys.is_same(&index.keys));
            prop_assert_eq!(read.block.end, index.block.end);
            for cut in [0, bytes.len() / 2, bytes.len() - 1] {
                prop_assert!(decode(&bytes[..cut], HEADER, u64::MAX).is_none());
            }
        }

        /// With a checksum that is right.
        #[test]
        fn damaged_indexes_never_panic(
            index in index(),
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        ) {
            let mut bytes = Vec::new();
            encode(&index, Effort::Quick, &mut bytes).unwrap();
            for (at, byte) in damage {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            let _ = decode(&bytes, HEADER, 1 << 20);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&bytes, HEADER, 1 << 20);
        }
    }
}
