//! The summaries of the chunks with many points, as an index has them.

use super::column::{Column, ColumnReader, ColumnWriter};
use crate::store::local::part::header::ChunkEntry;
use crate::store::local::series::chunk::BadChunk;
use crate::store::local::series::summary::{Sum, Summary};

/// Bits of the compensation of a sum that are not on the disk.
const LOW_BITS: u32 = 48;

/// Appends the columns of the summaries of all chunks with many points, some of which have none.
///
/// # Errors
/// When a column can't be packed.
pub fn encode<'s>(
    summaries: impl Iterator<Item = Option<&'s Summary>>,
    writer: &mut ColumnWriter<'_>,
) -> Result<(), BadChunk> {
    let summaries: Vec<_> = summaries.map(Packed::of).collect();
    writer.add(summaries.iter().map(|summary| summary.first))?;
    writer.add(summaries.iter().map(|summary| summary.min))?;
    writer.add(summaries.iter().map(|summary| summary.max))?;
    writer.add(summaries.iter().map(|summary| summary.high))?;
    writer.add(summaries.iter().map(|summary| summary.low))?;
    writer.add(summaries.iter().map(|summary| summary.increase))
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
        let are_finite = [first, min, max, increase].into_iter().all(f64::is_finite);
        are_finite.then_some(Summary { count: count.into(), first, last, min, max, sum, increase })
    }
}

/// The columns, as they are read.
pub struct SummaryColumns<'i> {
    /// The first, the least, the greatest of the values, and the sum.
    values: [Column<'i, f64>; 4],
    lows: Column<'i, u16>,
    increases: Column<'i, f64>,
}

impl<'i> SummaryColumns<'i> {
    /// Takes those of so many chunks off the front of an index; `None` when they are not there.
    pub fn take(reader: &mut ColumnReader<'i>, count: usize) -> Option<Self> {
        let values =
            [reader.take(count)?, reader.take(count)?, reader.take(count)?, reader.take(count)?];
        Some(Self { values, lows: reader.take(count)?, increases: reader.take(count)? })
    }

    /// The summary of the next chunk, if it has one.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn next_summary(&mut self, entry: &ChunkEntry) -> Result<Option<Summary>, BadChunk> {
        let packed = self.next_packed().ok_or(BadChunk)?;
        Ok(entry.last_value.get().and_then(|last| packed.summary(entry.count, last)))
    }

    fn next_packed(&mut self) -> Option<Packed> {
        let [first, min, max, high] = &mut self.values;
        Some(Packed {
            first: first.next_number()?,
            min: min.next_number()?,
            max: max.next_number()?,
            high: high.next_number()?,
            low: self.lows.next_number()?,
            increase: self.increases.next_number()?,
        })
    }

    /// Whether there are no more.
    pub fn end(self) -> bool {
        let Self { values, lows, increases } = self;
        values.into_iter().all(Column::end) && lows.end() && increases.end()
    }
}
