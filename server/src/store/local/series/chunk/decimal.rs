//! Values as whole numbers of a power of ten: what was measured to so many decimals. `pco` finds the
//! step of such values, too, but has to tell for each which neighbour of a multiple it is.

use pco::data_types::Number;

use super::column::{self, pack, unpack};
use super::{BadChunk, Effort};
use crate::store::local::varint;

/// The powers of ten by which a value may be scaled; doubles hold all of them exactly.
const POWERS: [f64; 16] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// A whole number below this is exact as a double.
const MAX_WHOLE: i64 = 1 << 53;

/// Marks columns of 32 and of 64 bits; those of 16 have none.
const BITS_32: u8 = 0x10;
const BITS_64: u8 = 0x20;

/// Whole numbers that stand for values when they are divided by a power of ten.
#[derive(Debug, PartialEq)]
pub struct Decimals {
    exponent: u8,
    wholes: Vec<i64>,
}

impl Decimals {
    /// The decimals from which every value comes back bit by bit; `None` when there are none.
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut exponent = 0;
        // A value of some decimals has more of them as well, so the exponent only rises.
        for &value in values {
            while scale(value, *POWERS.get(exponent)?).is_none() {
                exponent += 1;
            }
        }
        let power = *POWERS.get(exponent)?;
        let wholes = values.iter().map(|&value| scale(value, power)).collect::<Option<_>>()?;
        Some(Self { exponent: u8::try_from(exponent).ok()?, wholes })
    }

    /// The exponent of the power of ten, and the whole numbers.
    pub fn into_parts(self) -> (u8, Vec<i64>) {
        (self.exponent, self.wholes)
    }

    /// Appends a byte with exponent and width, and a column of the whole numbers.
    ///
    /// # Errors
    /// When `pco` refuses; no input is known that makes it.
    pub fn encode(&self, effort: Effort, out: &mut Vec<u8>) -> Result<(), BadChunk> {
        if let Some(wholes) = self.narrowed::<i16>() {
            out.push(self.exponent);
            pack(&wholes, effort, out)
        } else if let Some(wholes) = self.narrowed::<i32>() {
            out.push(self.exponent | BITS_32);
            pack(&wholes, effort, out)
        } else {
            out.push(self.exponent | BITS_64);
            pack(&self.wholes, effort, out)
        }
    }

    /// Appends a byte with the exponent, and signed varints: the first whole number, then the difference of
    /// each other one to the one before.
    pub fn encode_differences(&self, out: &mut Vec<u8>) {
        out.push(self.exponent);
        let mut before = 0;
        for &whole in &self.wholes {
            // Both are below 2^53.
            varint::encode_signed(whole - before, out);
            before = whole;
        }
    }

    fn narrowed<T: TryFrom<i64>>(&self) -> Option<Vec<T>> {
        self.wholes.iter().map(|&whole| T::try_from(whole).ok()).collect()
    }
}

/// The power of ten with an exponent; `None` when no values are scaled by it.
pub fn power(exponent: u8) -> Option<f64> {
    POWERS.get(usize::from(exponent)).copied()
}

/// The value that a whole number stands for.
#[expect(clippy::cast_precision_loss, reason = "the numbers that are written are below 2^53")]
pub fn value(whole: i64, power: f64) -> f64 {
    whole as f64 / power
}

/// Reads as many values as `values` has room for, from all of `bytes`.
///
/// # Errors
/// When the bytes are no decimals of that many.
pub fn decode(bytes: &[u8], values: &mut [f64]) -> Result<(), BadChunk> {
    let (&head, column) = bytes.split_first().ok_or(BadChunk)?;
    let power = power(head & 0x0f).ok_or(BadChunk)?;
    match head & 0xf0 {
        0 => fill(column, values, |whole: i16| f64::from(whole) / power),
        BITS_32 => fill(column, values, |whole: i32| f64::from(whole) / power),
        BITS_64 => fill(column, values, |whole| value(whole, power)),
        _ => Err(BadChunk),
    }
}

/// The value at a place; those far behind it are not read.
///
/// # Errors
/// When it can't be read.
pub fn get(bytes: &[u8], at: usize) -> Result<f64, BadChunk> {
    let (&head, column) = bytes.split_first().ok_or(BadChunk)?;
    let power = power(head & 0x0f).ok_or(BadChunk)?;
    match head & 0xf0 {
        0 => Ok(f64::from(column::get::<i16>(column, at)?) / power),
        BITS_32 => Ok(f64::from(column::get::<i32>(column, at)?) / power),
        BITS_64 => Ok(value(column::get(column, at)?, power)),
        _ => Err(BadChunk),
    }
}

/// Reads as many values as `values` has room for, from differences that are all of `bytes`.
///
/// # Errors
/// When the bytes are no differences of that many.
pub fn decode_differences(bytes: &[u8], values: &mut [f64]) -> Result<(), BadChunk> {
    let mut differences = Differences::new(bytes)?;
    for slot in values {
        *slot = differences.next_value()?;
    }
    if differences.bytes.is_empty() { Ok(()) } else { Err(BadChunk) }
}

/// The value at a place; those behind it are not read.
///
/// # Errors
/// When it can't be read.
pub fn get_of_differences(bytes: &[u8], at: usize) -> Result<f64, BadChunk> {
    let mut differences = Differences::new(bytes)?;
    for _ in 0..at {
        differences.next_value()?;
    }
    differences.next_value()
}

/// Values of differences, one by one.
struct Differences<'b> {
    power: f64,
    bytes: &'b [u8],
    before: i64,
}

impl<'b> Differences<'b> {
    fn new(bytes: &'b [u8]) -> Result<Self, BadChunk> {
        let (&exponent, bytes) = bytes.split_first().ok_or(BadChunk)?;
        Ok(Self { power: power(exponent).ok_or(BadChunk)?, bytes, before: 0 })
    }

    fn next_value(&mut self) -> Result<f64, BadChunk> {
        let difference = varint::decode_signed(&mut self.bytes).ok_or(BadChunk)?;
        self.before = self.before.wrapping_add(difference);
        Ok(value(self.before, self.power))
    }
}

fn fill<T: Number + Default>(
    column: &[u8],
    values: &mut [f64],
    value: impl Fn(T) -> f64,
) -> Result<(), BadChunk> {
    let mut wholes = vec![T::default(); values.len()];
    unpack(column, &mut wholes)?;
    for (slot, whole) in values.iter_mut().zip(wholes) {
        *slot = value(whole);
    }
    Ok(())
}

/// The whole number that is the value when it is divided by `power`.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "it is checked")]
fn scale(value: f64, power: f64) -> Option<i64> {
    let scaled = value * power;
    let whole = (scaled + 0.5_f64.copysign(scaled)) as i64;
    let is_same = (whole as f64 / power).to_bits() == value.to_bits();
    (is_same && -MAX_WHOLE < whole && whole < MAX_WHOLE).then_some(whole)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn values_of_a_few_decimals_are_whole_numbers(
            wholes in prop::collection::vec(-1_000_000..1_000_000i64, 1..50),
            exponent in 0..10_usize,
            large in any::<bool>(),
        ) {
            let wholes: Vec<_> =
                wholes.into_iter().map(|whole| if large { whole << 20 } else { whole }).collect();
            #[expect(clippy::cast_precision_loss, reason = "they are below 2^53")]
            let values: Vec<_> =
                wholes.iter().map(|&whole| whole as f64 / POWERS[exponent]).collect();
            let decimals = Decimals::of(&values).unwrap();
            prop_assert!(usize::from(decimals.exponent) <= exponent);
            let mut bytes = Vec::new();
            decimals.encode(Effort::Quick, &mut bytes).unwrap();
            let mut read = vec![0.0; values.len()];
            decode(&bytes, &mut read).unwrap();
            let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(&read), bits(&values));
            bytes.clear();
            decimals.encode_differences(&mut bytes);
            decode_differences(&bytes, &mut read).unwrap();
            prop_assert_eq!(bits(&read), bits(&values));
            for (at, value) in values.iter().enumerate() {
                prop_assert_eq!(get_of_differences(&bytes, at).unwrap().to_bits(), value.to_bits());
            }
            prop_assert_eq!(get_of_differences(&bytes, values.len()), Err(BadChunk));
            prop_assert_eq!(decode_differences(&bytes, &mut read[1..]), Err(BadChunk));
        }
    }

    #[test]
    fn differences_of_any_size_are_finite_values() {
        let mut bytes = vec![3];
        varint::encode_signed(i64::MAX, &mut bytes);
        varint::encode_signed(i64::MAX, &mut bytes);
        let mut read = [0.0; 2];
        decode_differences(&bytes, &mut read).unwrap();
        assert_eq!(read.map(f64::is_finite), [true; 2]);
        for exponent in 0..=u8::MAX {
            bytes[0] = exponent;
            let is_power = usize::from(exponent) < POWERS.len();
            assert_eq!(decode_differences(&bytes, &mut read).is_ok(), is_power, "{exponent}");
            assert_eq!(get_of_differences(&bytes, 1).is_ok(), is_power, "{exponent}");
        }
    }

    #[test]
    fn what_no_power_of_ten_makes_whole_is_none() {
        for value in
            [-0.0, 1.0 / 3.0, f64::MAX, f64::MIN_POSITIVE, 1e16, 1e-16, 9_007_199_254_740_992.0]
        {
            assert_eq!(Decimals::of(&[1.0, value]), None, "{value}");
        }
        let found = Decimals::of(&[1.0, -0.25, 90_071_992_547_409.0]);
        assert_eq!(
            found,
            Some(Decimals { exponent: 2, wholes: vec![100, -25, 9_007_199_254_740_900] })
        );
        assert_eq!(Decimals::of(&[9_007_199_254_740_991.0, 0.5]), None);
    }
}
