//! Values without a dictionary, by the smallest of four encodings.

use super::column::{self, enough, pack, unpack};
use super::decimal::{self, Decimals};
use super::{BadChunk, Effort};

/// How the values of a chunk, or the distinct ones among them, are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// A column of the values.
    Packed,
    /// See [`super::dictionary`].
    Dictionary,
    /// 8 bytes each, for a few points.
    Plain,
    /// See [`Decimals`].
    Decimal,
    /// Decimals as varints, for a few points.
    Differences,
}

impl Encoding {
    /// The byte that says so.
    pub fn mark(self) -> u8 {
        match self {
            Self::Packed => 0,
            Self::Dictionary => 1,
            Self::Plain => 2,
            Self::Decimal => 3,
            Self::Differences => 4,
        }
    }
}

/// Values that are smaller as they are than in any column.
pub const MAX_PLAIN: usize = 3;

/// Values without decimals that are left as they are by [`Effort::Quick`]: a column of so few saves some
/// 30 bytes beside a header and a key of 50 and more, and packing a million of them would take longer
/// than putting them.
const MAX_PLAIN_QUICK: usize = 8;

/// Most values of which differences may be smaller than a column.
const MAX_DIFFERENCES: usize = 64;

/// Bits of a value from which on more is tried than what mostly is the smallest: a dictionary by
/// [`Effort::Quick`], which costs it as much again, and a column of the values that are decimals
/// by [`Effort::Thorough`].
pub const MANY_BITS: usize = 12;

/// Appends values, at least one.
pub fn encode(values: &[f64], effort: Effort, out: &mut Vec<u8>) -> Result<Encoding, BadChunk> {
    let start = out.len();
    let encoding = match Decimals::of(values) {
        Some(decimals) => encode_decimals(values, &decimals, effort, out)?,
        None if values.len() <= max_plain(effort) => Encoding::Plain,
        None => {
            pack(values, effort, out)?;
            Encoding::Packed
        }
    };
    if encoding == Encoding::Plain || out.len() - start >= size_of_val(values) {
        out.truncate(start);
        out.extend(values.iter().flat_map(|value| value.to_bits().to_le_bytes()));
        return Ok(Encoding::Plain);
    }
    Ok(encoding)
}

fn max_plain(effort: Effort) -> usize {
    if effort == Effort::Quick { MAX_PLAIN_QUICK } else { MAX_PLAIN }
}

/// Appends values that are decimals.
fn encode_decimals(
    values: &[f64],
    decimals: &Decimals,
    effort: Effort,
    out: &mut Vec<u8>,
) -> Result<Encoding, BadChunk> {
    let start = out.len();
    if values.len() <= MAX_DIFFERENCES {
        decimals.encode_differences(out);
        let is_enough = out.len() - start <= enough(effort);
        if is_enough || values.len() <= max_plain(effort) {
            return Ok(Encoding::Differences);
        }
    }
    let differences = out.len() - start;
    let (mut encoding, mut column) = (Encoding::Decimal, Vec::new());
    decimals.encode(effort, &mut column)?;
    if effort == Effort::Thorough && column.len() * 8 >= values.len() * MANY_BITS {
        // Large numbers of few digits, perhaps.
        let mut packed = Vec::with_capacity(column.len());
        pack(values, effort, &mut packed)?;
        if packed.len() < column.len() {
            (encoding, column) = (Encoding::Packed, packed);
        }
    }
    if differences > 0 && differences <= column.len() {
        return Ok(Encoding::Differences);
    }
    out.truncate(start);
    out.extend_from_slice(&column);
    Ok(encoding)
}

/// Reads as many values as `values` has room for, from all of `bytes`.
pub fn decode(mark: u8, bytes: &[u8], values: &mut [f64]) -> Result<(), BadChunk> {
    match mark {
        _ if mark == Encoding::Packed.mark() => unpack(bytes, values),
        _ if mark == Encoding::Decimal.mark() => decimal::decode(bytes, values),
        _ if mark == Encoding::Differences.mark() => decimal::decode_differences(bytes, values),
        _ if mark == Encoding::Plain.mark() => {
            let (plain, rest) = bytes.as_chunks();
            if plain.len() != values.len() || !rest.is_empty() {
                return Err(BadChunk);
            }
            for (value, &bytes) in values.iter_mut().zip(plain) {
                *value = f64::from_bits(u64::from_le_bytes(bytes));
            }
            Ok(())
        }
        _ => Err(BadChunk),
    }
}

/// The value at a place, of `count` in all of `bytes`; those far behind it are not read.
pub fn get(mark: u8, bytes: &[u8], count: usize, at: usize) -> Result<f64, BadChunk> {
    match mark {
        _ if mark == Encoding::Packed.mark() => column::get(bytes, at),
        _ if mark == Encoding::Decimal.mark() => decimal::get(bytes, at),
        _ if mark == Encoding::Differences.mark() && at < count => {
            decimal::get_of_differences(bytes, at)
        }
        _ if mark == Encoding::Plain.mark() => {
            let (plain, rest) = bytes.as_chunks();
            if plain.len() != count || !rest.is_empty() {
                return Err(BadChunk);
            }
            plain.get(at).map(|&bytes| f64::from_bits(u64::from_le_bytes(bytes))).ok_or(BadChunk)
        }
        _ => Err(BadChunk),
    }
}
