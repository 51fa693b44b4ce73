//! The values of a chunk, by the smallest of three encodings.

use super::column::{pack, unpack};
use super::{BadChunk, Effort};
use crate::store::local::series::summary::{from_order, order};
use crate::store::local::varint;

/// How the values of a chunk are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// A column of the values.
    Packed,
    /// A column of the distinct values, and one of each value's place among them. For values that
    /// come again without being multiples of anything: measured in one unit and told in another.
    Dictionary,
    /// 8 bytes each, for a few points: a column takes 30 bytes and more.
    Plain,
}

/// Values that are smaller as they are than in any column.
const MAX_PLAIN: usize = 3;

/// Bits of a packed value from which on [`Effort::Quick`] tries a dictionary, which costs it as much
/// again.
const QUICK_BITS: usize = 12;

/// Appends values, at least one.
pub fn encode(values: &[f64], effort: Effort, out: &mut Vec<u8>) -> Result<Encoding, BadChunk> {
    let start = out.len();
    if values.len() > MAX_PLAIN {
        pack(values, effort, out)?;
    }
    let packed = out.len() - start;
    if packed == 0 || packed >= size_of_val(values) {
        out.truncate(start);
        out.extend(values.iter().flat_map(|value| value.to_bits().to_le_bytes()));
        return Ok(Encoding::Plain);
    }
    if effort == Effort::Quick && packed * 8 < values.len() * QUICK_BITS {
        return Ok(Encoding::Packed);
    }
    if let Some(dictionary) = Dictionary::of(values, effort, packed) {
        let mut encoded = Vec::with_capacity(packed);
        dictionary.encode(effort, &mut encoded)?;
        if encoded.len() < packed {
            out.truncate(start);
            out.extend_from_slice(&encoded);
            return Ok(Encoding::Dictionary);
        }
    }
    Ok(Encoding::Packed)
}

/// Reads as many values as `values` has room for, from all of `bytes`.
pub fn decode(encoding: Encoding, bytes: &[u8], values: &mut [f64]) -> Result<(), BadChunk> {
    match encoding {
        Encoding::Packed => unpack(bytes, values),
        Encoding::Dictionary => Dictionary::decode(bytes, values),
        Encoding::Plain => {
            let (plain, rest) = bytes.as_chunks();
            if plain.len() != values.len() || !rest.is_empty() {
                return Err(BadChunk);
            }
            for (value, &bytes) in values.iter_mut().zip(plain) {
                *value = f64::from_bits(u64::from_le_bytes(bytes));
            }
            Ok(())
        }
    }
}

/// Distinct values, and the place of each value among them.
#[derive(Debug)]
struct Dictionary {
    /// By [`f64::total_cmp`]; two zeros of different sign are two.
    distinct: Vec<f64>,
    places: Vec<u16>,
}

impl Dictionary {
    /// The dictionary of values that take `packed` bytes in one column; `None` when it can hardly be
    /// smaller.
    fn of(values: &[f64], effort: Effort, packed: usize) -> Option<Self> {
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
        // What a quick look tries, a thorough one tries as well, so that it never comes off worse.
        let (repeated, is_even) = (values.len() - distinct.len(), are_even(&distinct));
        let is_worth_it = match effort {
            Effort::Quick => repeated >= values.len() / 4 && !is_even,
            Effort::Thorough => {
                let bits = packed * 8 / values.len();
                let has_step = is_even && bits <= distinct.len().ilog2() as usize + 1;
                repeated >= values.len() / 32 && !has_step
            }
        };
        (is_worth_it && distinct.len() > 1 && repeated > 0).then_some(Self { distinct, places })
    }

    /// Appends the number of distinct values, the length of their column, and both columns.
    fn encode(&self, effort: Effort, out: &mut Vec<u8>) -> Result<(), BadChunk> {
        let mut column = Vec::new();
        pack(&self.distinct, effort, &mut column)?;
        varint::encode(self.distinct.len() as u64, out);
        varint::encode(column.len() as u64, out);
        out.extend_from_slice(&column);
        pack(&self.places, effort, out)
    }

    fn decode(mut bytes: &[u8], values: &mut [f64]) -> Result<(), BadChunk> {
        let mut number = || {
            let number = varint::decode(&mut bytes)?;
            usize::try_from(number).ok()
        };
        let count = number().filter(|&count| count <= values.len()).ok_or(BadChunk)?;
        let length = number().ok_or(BadChunk)?;
        let (column, rest) = bytes.split_at_checked(length).ok_or(BadChunk)?;
        let mut distinct = vec![0.0; count];
        unpack(column, &mut distinct)?;
        let mut places = vec![0_u16; values.len()];
        unpack(rest, &mut places)?;
        for (value, place) in values.iter_mut().zip(places) {
            *value = *distinct.get(usize::from(place)).ok_or(BadChunk)?;
        }
        Ok(())
    }
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
