//! Distinct values once, and for each value its place among them. For values that come again in any
//! order, and for those that are no multiples of anything: measured in one unit, told in another.

use super::column::{self, pack, unpack};
use super::numbers;
use super::{BadChunk, Effort};
use crate::store::local::series::summary::{from_order, order};
use crate::store::local::varint;

/// Distinct values, and the place of each value among them.
#[derive(Debug)]
pub struct Dictionary {
    /// By [`f64::total_cmp`]; two zeros of different sign are two.
    distinct: Vec<f64>,
    places: Vec<u16>,
}

impl Dictionary {
    /// The dictionary of values that take `packed` bytes in one column; `None` when it can hardly be
    /// smaller.
    pub fn of(values: &[f64], effort: Effort, packed: usize) -> Option<Self> {
        // What a quick look tries, a thorough one tries as well, so that it never comes off worse.
        let enough = match effort {
            Effort::Quick => values.len() / 4,
            Effort::Thorough => values.len() / 32,
        };
        if max_repeated(values) < enough.max(1) {
            return None;
        }
        let mut sorted: Vec<(i64, u16)> =
            values.iter().map(|&value| order(value)).zip(0..).collect();
        sorted.sort_unstable();
        let mut distinct = Vec::new();
        let mut places = vec![0; values.len()];
        let mut before = None;
        for (number, at) in sorted {
            if before != Some(number) {
                before = Some(number);
                distinct.push(from_order(number));
            }
            *places.get_mut(usize::from(at))? = u16::try_from(distinct.len() - 1).ok()?;
        }
        let has_step = are_even(&distinct)
            && match effort {
                Effort::Quick => true,
                Effort::Thorough => {
                    packed * 8 / values.len() <= distinct.len().ilog2() as usize + 1
                }
            };
        let repeated = values.len() - distinct.len();
        let is_worth_it = repeated >= enough.max(1) && distinct.len() > 1 && !has_step;
        is_worth_it.then_some(Self { distinct, places })
    }

    /// Appends the number of distinct values, the length of their column with its mark, that mark, and
    /// both columns.
    pub fn encode(&self, effort: Effort, out: &mut Vec<u8>) -> Result<(), BadChunk> {
        let mut column = vec![0];
        column[0] = numbers::encode(&self.distinct, effort, &mut column)?.mark();
        varint::encode(self.distinct.len() as u64, out);
        varint::encode(column.len() as u64, out);
        out.extend_from_slice(&column);
        pack(&self.places, effort, out)
    }
}

/// The columns of a dictionary.
struct Columns<'b> {
    /// Number of distinct values.
    count: usize,
    /// The encoding of the distinct values.
    mark: u8,
    distinct: &'b [u8],
    places: &'b [u8],
}

impl<'b> Columns<'b> {
    /// Finds the columns in all of `bytes`, for so many values.
    fn split(mut bytes: &'b [u8], values: usize) -> Result<Self, BadChunk> {
        let mut number = || {
            let number = varint::decode(&mut bytes)?;
            usize::try_from(number).ok()
        };
        let count = number().filter(|&count| count <= values).ok_or(BadChunk)?;
        let length = number().ok_or(BadChunk)?;
        let (column, places) = bytes.split_at_checked(length).ok_or(BadChunk)?;
        let (&mark, distinct) = column.split_first().ok_or(BadChunk)?;
        Ok(Self { count, mark, distinct, places })
    }
}

/// Reads as many values as `values` has room for, from all of `bytes`.
pub fn decode(bytes: &[u8], values: &mut [f64]) -> Result<(), BadChunk> {
    let columns = Columns::split(bytes, values.len())?;
    let mut distinct = vec![0.0; columns.count];
    numbers::decode(columns.mark, columns.distinct, &mut distinct)?;
    let mut places = vec![0_u16; values.len()];
    unpack(columns.places, &mut places)?;
    for (value, place) in values.iter_mut().zip(places) {
        *value = *distinct.get(usize::from(place)).ok_or(BadChunk)?;
    }
    Ok(())
}

/// The value at a place, of `count` in all of `bytes`; those far behind it are not read.
pub fn get(bytes: &[u8], count: usize, at: usize) -> Result<f64, BadChunk> {
    let columns = Columns::split(bytes, count)?;
    let place = usize::from(column::get::<u16>(columns.places, at)?);
    numbers::get(columns.mark, columns.distinct, columns.count, place)
}

/// How many of the values come again, or a few more: those whose place in a table of bits is taken. It
/// costs a tenth of sorting them.
fn max_repeated(values: &[f64]) -> usize {
    /// Bits for each value, so that one in sixteen or fewer is counted by chance.
    const BITS: usize = 16;
    let bits = (values.len() * BITS).next_power_of_two().max(64);
    let mut taken = vec![0_u64; bits / 64];
    let shift = 64 - bits.ilog2();
    let mut repeated = 0;
    for value in values {
        // Multiplied by 2^64 over the golden ratio, the upper bits are well mixed.
        let place = value.to_bits().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> shift;
        let bit = 1_u64 << (place % 64);
        // The place is below the number of bits, which is in memory.
        let Some(word) = usize::try_from(place / 64).ok().and_then(|at| taken.get_mut(at)) else {
            continue;
        };
        repeated += usize::from(*word & bit != 0);
        *word |= bit;
    }
    repeated
}

/// Whether sorted values are hardly further apart than the closest two: places are multiples of a
/// step then, and no smaller than the values.
fn are_even(distinct: &[f64]) -> bool {
    let (Some(first), Some(last)) = (distinct.first(), distinct.last()) else { return true };
    let gaps = distinct.windows(2).map(|pair| pair[1] - pair[0]);
    let closest = gaps.fold(f64::INFINITY, f64::min);
    #[expect(clippy::cast_precision_loss, reason = "at most 8,192")]
    let gaps = (distinct.len() - 1) as f64;
    last - first <= closest * gaps * 1.05
}
