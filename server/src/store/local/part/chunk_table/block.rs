//! Some neighbouring chunks, packed.

use std::mem::size_of;

use zerocopy::little_endian::U64;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::bits;
use crate::store::local::part::header::{ChunkEntry, LastValue};
use crate::store::local::series::chunk::decimal::{self, Decimals};
use crate::store::local::series::series_index::SeriesId;

/// Chunks in a block; the last one of a table may have fewer. What a block has apart from its columns is half a
/// byte for each then.
pub const LEN: usize = 128;

/// What stands in place of a power of ten where values are the bits of a double.
const AS_BITS: u8 = u8::MAX;

/// The columns, in the order of the file.
const COLUMNS: usize = 7;
const SERIES: usize = 0;
const OFFSET: usize = 1;
const LENGTH: usize = 2;
const COUNT: usize = 3;
const FIRST: usize = 4;
const SPAN: usize = 5;
const LAST_VALUE: usize = 6;

/// Room for the columns that a survey reads, from block to block.
pub type Surveyed = [[u64; LEN]; FIRST];

/// No numbers yet.
pub const NOT_SURVEYED: Surveyed = [[0; LEN]; FIRST];

/// The beginning of a block. The columns follow.
#[derive(Debug, Clone, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct BlockHeader {
    /// The least number of each column.
    bases: [U64; COLUMNS],
    /// How many bits the difference to it takes.
    widths: [u8; COLUMNS],
    /// The values are whole numbers divided by ten to this power, or [`AS_BITS`].
    exponent: u8,
}

impl BlockHeader {
    const LENGTH: usize = size_of::<Self>();

    /// Where a column begins behind the header of a block of `len` chunks.
    fn start(&self, column: usize, len: usize) -> usize {
        self.widths[..column].iter().map(|width| bits::length(len, u32::from(*width))).sum()
    }

    fn is_sound(&self) -> bool {
        let has_power = self.exponent == AS_BITS || decimal::power(self.exponent).is_some();
        has_power && self.widths.iter().all(|width| u32::from(*width) <= u64::BITS)
    }
}

/// A block that can be read.
#[derive(Debug)]
pub struct Block<'b> {
    header: &'b BlockHeader,
    /// The columns, and what stands behind them.
    columns: &'b [u8],
    len: usize,
}

impl<'b> Block<'b> {
    /// The block of `len` chunks at the front of `bytes`, with its length; `None` when it is none.
    pub fn take(bytes: &'b [u8], len: usize) -> Option<(Self, usize)> {
        let block = Self::new(bytes, len).filter(|block| block.header.is_sound())?;
        let length = block.header.start(COLUMNS, len);
        (length <= block.columns.len()).then_some((block, BlockHeader::LENGTH + length))
    }

    /// A block that was taken before.
    pub fn new(bytes: &'b [u8], len: usize) -> Option<Self> {
        let (header, columns) = BlockHeader::ref_from_prefix(bytes).ok()?;
        Some(Self { header, columns, len })
    }

    /// The number of chunks, at least one.
    pub fn len(&self) -> usize {
        self.len
    }

    /// The series of the chunk at a place.
    #[inline]
    pub fn series(&self, at: usize) -> SeriesId {
        let more = bits::get(self.columns, at, self.header.widths[SERIES].into());
        series_of(self.header.bases[SERIES].get().wrapping_add(more))
    }

    /// The chunk at a place.
    pub fn entry(&self, at: usize) -> ChunkEntry {
        let (mut fields, mut start) = ([0; COLUMNS], 0);
        for (column, field) in fields.iter_mut().enumerate() {
            let width = self.header.widths[column].into();
            let numbers = self.columns.get(start..).unwrap_or_default();
            *field = self.header.bases[column].get().wrapping_add(bits::get(numbers, at, width));
            start += bits::length(self.len, width);
        }
        self.entry_of(|column| fields[column])
    }

    /// The least first and the greatest last timestamp of the chunks.
    pub fn times(&self) -> (i64, i64) {
        let (mut firsts, mut spans) = ([0; LEN], [0; LEN]);
        self.unpack_column(FIRST, &mut firsts);
        self.unpack_column(SPAN, &mut spans);
        let chunks = firsts.into_iter().zip(spans).take(self.len);
        chunks.fold((i64::MAX, i64::MIN), |(from, to), (first, span)| {
            let first = first.cast_signed();
            (from.min(first), to.max(first.saturating_add_unsigned(span)))
        })
    }

    /// Appends all chunks.
    pub fn unpack(&self, out: &mut Vec<ChunkEntry>) {
        let mut columns = [[0; LEN]; COLUMNS];
        for (column, numbers) in columns.iter_mut().enumerate() {
            self.unpack_column(column, numbers);
        }
        out.extend((0..self.len).map(|at| self.entry_of(|column| columns[column][at])));
    }

    /// Calls `each` with all chunks, of which only place, length, series and number of points are set; `None` when
    /// that does.
    pub fn survey(
        &self,
        columns: &mut Surveyed,
        mut each: impl FnMut(&ChunkEntry) -> Option<()>,
    ) -> Option<()> {
        for (column, numbers) in columns.iter_mut().enumerate() {
            self.unpack_column(column, numbers);
        }
        (0..self.len).try_for_each(|at| {
            each(&ChunkEntry {
                series: series_of(columns[SERIES][at]),
                offset: columns[OFFSET][at],
                length: u32_of(columns[LENGTH][at]),
                count: u32_of(columns[COUNT][at]),
                ..ChunkEntry::NONE
            })
        })
    }

    fn unpack_column(&self, column: usize, numbers: &mut [u64; LEN]) {
        let packed = self.columns.get(self.header.start(column, self.len)..).unwrap_or_default();
        let (width, base) = (self.header.widths[column].into(), self.header.bases[column].get());
        let Some(numbers) = numbers.get_mut(..self.len) else { return };
        bits::unpack(packed, width, numbers);
        for number in numbers {
            *number = number.wrapping_add(base);
        }
    }

    #[inline]
    fn entry_of(&self, field: impl Fn(usize) -> u64) -> ChunkEntry {
        let first = field(FIRST).cast_signed();
        ChunkEntry {
            series: series_of(field(SERIES)),
            count: u32_of(field(COUNT)),
            first,
            last: first.saturating_add_unsigned(field(SPAN)),
            offset: field(OFFSET),
            length: u32_of(field(LENGTH)),
            last_value: self.value_of(field(LAST_VALUE)),
        }
    }

    fn value_of(&self, field: u64) -> LastValue {
        let whole = field.cast_signed();
        match decimal::power(self.header.exponent) {
            Some(power) => decimal::value(whole, power).into(),
            None => f64::from_bits(field).into(),
        }
    }
}

fn series_of(field: u64) -> SeriesId {
    u32_of(field)
}

/// What is greater is in no sound table.
fn u32_of(field: u64) -> u32 {
    u32::try_from(field).unwrap_or(u32::MAX)
}

/// Appends a block of some chunks, at least one and at most [`LEN`].
pub fn encode(entries: &[ChunkEntry], out: &mut Vec<u8>) {
    // A value that is not known is no number on the disk, too.
    let values: Vec<f64> =
        entries.iter().map(|entry| entry.last_value.get().unwrap_or(f64::NAN)).collect();
    let (exponent, values) = match Decimals::of(&values).map(Decimals::into_parts) {
        Some((exponent, wholes)) => (exponent, signed(wholes)),
        None => (AS_BITS, unsigned(values.iter().map(|value| value.to_bits()))),
    };
    let columns = [
        unsigned(entries.iter().map(|entry| entry.series.into())),
        unsigned(entries.iter().map(|entry| entry.offset)),
        unsigned(entries.iter().map(|entry| entry.length.into())),
        unsigned(entries.iter().map(|entry| entry.count.into())),
        signed(entries.iter().map(|entry| entry.first)),
        unsigned(entries.iter().map(|entry| entry.last.wrapping_sub(entry.first).cast_unsigned())),
        values,
    ];
    let widths = columns.each_ref().map(|(_, differences)| bits::width(differences));
    let header = BlockHeader {
        bases: columns.each_ref().map(|(base, _)| (*base).into()),
        widths: widths.map(|width| u8::try_from(width).unwrap_or(u8::MAX)),
        exponent,
    };
    out.extend_from_slice(header.as_bytes());
    for ((_, differences), width) in columns.iter().zip(widths) {
        bits::append(differences, width, out);
    }
}

/// The least of some numbers, and the differences to it.
fn unsigned(numbers: impl Iterator<Item = u64> + Clone) -> (u64, Vec<u64>) {
    let base = numbers.clone().min().unwrap_or(0);
    (base, numbers.map(|number| number - base).collect())
}

/// The same of numbers with a sign.
fn signed(numbers: impl IntoIterator<Item = i64>) -> (u64, Vec<u64>) {
    let numbers: Vec<i64> = numbers.into_iter().collect();
    let base = numbers.iter().min().copied().unwrap_or(0);
    let differences = numbers.iter().map(|number| number.wrapping_sub(base).cast_unsigned());
    (base.cast_unsigned(), differences.collect())
}
