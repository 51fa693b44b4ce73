//! The values of a chunk, by the smallest of five encodings.

use super::column::enough;
use super::dictionary::{self, Dictionary};
use super::numbers::{self, Encoding, MANY_BITS};
use super::{BadChunk, Effort};

/// Appends values, at least one.
pub fn encode(values: &[f64], effort: Effort, out: &mut Vec<u8>) -> Result<Encoding, BadChunk> {
    let start = out.len();
    let encoding = numbers::encode(values, effort, out)?;
    let packed = out.len() - start;
    let is_hard = packed * 8 >= values.len() * MANY_BITS;
    // A dictionary has a column of places.
    let is_small = encoding == Encoding::Plain || packed <= enough(effort);
    if is_small || effort == Effort::Quick && !is_hard {
        return Ok(encoding);
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
    Ok(encoding)
}

/// Reads as many values as `values` has room for, from all of `bytes`.
pub fn decode(mark: u8, bytes: &[u8], values: &mut [f64]) -> Result<(), BadChunk> {
    if mark == Encoding::Dictionary.mark() {
        dictionary::decode(bytes, values)
    } else {
        numbers::decode(mark, bytes, values)
    }
}

/// The value at a place, of `count` in all of `bytes`; those far behind it are not read.
pub fn get(mark: u8, bytes: &[u8], count: usize, at: usize) -> Result<f64, BadChunk> {
    if mark == Encoding::Dictionary.mark() {
        dictionary::get(bytes, count, at)
    } else {
        numbers::get(mark, bytes, count, at)
    }
}
