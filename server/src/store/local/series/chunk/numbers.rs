//! Values without a dictionary, by the smallest of three encodings.

use super::column::{self, pack, unpack};
use super::decimal::{self, Decimals};
use super::{BadChunk, Effort};

/// How the values of a chunk, or the distinct ones among them, are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// A column of the values.
    Packed,
    /// See [`super::dictionary`].
    Dictionary,
    /// 8 bytes each, for a few points: a column takes 30 bytes and more.
    Plain,
    /// See [`Decimals`].
    Decimal,
}

impl Encoding {
    /// The byte that says so.
    pub fn mark(self) -> u8 {
        match self {
            Self::Packed => 0,
            Self::Dictionary => 1,
            Self::Plain => 2,
            Self::Decimal => 3,
        }
    }
}

/// Values that are smaller as they are than in any column.
const MAX_PLAIN: usize = 3;

/// Values that are left as they are by [`Effort::Quick`]: a column of so few saves some 30 bytes beside
/// a header and a key of 50 and more, and packing a million of them would take longer than putting
/// them.
const MAX_PLAIN_QUICK: usize = 8;

/// Bits of a value from which on more is tried than what mostly is the smallest: a dictionary by
/// [`Effort::Quick`], which costs it as much again, and a column of the values that are decimals
/// by [`Effort::Thorough`].
pub const MANY_BITS: usize = 12;

/// Appends values, at least one.
pub fn encode(values: &[f64], effort: Effort, out: &mut Vec<u8>) -> Result<Encoding, BadChunk> {
    let start = out.len();
    let mut encoding = Encoding::Packed;
    let max_plain = if effort == Effort::Quick { MAX_PLAIN_QUICK } else { MAX_PLAIN };
    if values.len() <= max_plain {
        encoding = Encoding::Plain;
    } else if let Some(decimals) = Decimals::of(values) {
        encoding = Encoding::Decimal;
        decimals.encode(effort, out)?;
        let length = out.len() - start;
        if effort == Effort::Thorough && length * 8 >= values.len() * MANY_BITS {
            // Large numbers of few digits, perhaps.
            let mut packed = Vec::with_capacity(length);
            pack(values, effort, &mut packed)?;
            if packed.len() < length {
                encoding = Encoding::Packed;
                out.truncate(start);
                out.extend_from_slice(&packed);
            }
        }
    } else {
        pack(values, effort, out)?;
    }
    if encoding == Encoding::Plain || out.len() - start >= size_of_val(values) {
        encoding = Encoding::Plain;
        out.truncate(start);
        out.extend(values.iter().flat_map(|value| value.to_bits().to_le_bytes()));
    }
    Ok(encoding)
}

/// Reads as many values as `values` has room for, from all of `bytes`.
pub fn decode(mark: u8, bytes: &[u8], values: &mut [f64]) -> Result<(), BadChunk> {
    match mark {
        _ if mark == Encoding::Packed.mark() => unpack(bytes, values),
        _ if mark == Encoding::Decimal.mark() => decimal::decode(bytes, values),
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
