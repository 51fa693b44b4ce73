//! One measurement, and the exact round trip between its numbers and their text.

use std::fmt;

use crate::limits::{MAX_TIMESTAMP_TEXT, MAX_VALUE_TEXT};

/// A value at a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Unix time in seconds.
    pub timestamp: i64,
    /// Always finite when it came from [`parse_value`].
    pub value: f64,
}

impl Point {
    /// Reads `<value> <timestamp>` where both are plain; `None` for all that needs a second look.
    pub(crate) fn decode_fast(text: &[u8]) -> Option<Self> {
        let (value, rest) = parse_value_fast(text)?;
        let (timestamp, rest) = parse_timestamp_fast(rest.strip_prefix(b" ")?)?;
        rest.is_empty().then_some(Self { timestamp, value })
    }

    /// Appends `<value> <timestamp>`, as it stands in a request and in a reply.
    pub fn encode(self, out: &mut Vec<u8>) {
        encode_value(self.value, out);
        out.push(b' ');
        encode_timestamp(self.timestamp, out);
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(MAX_VALUE_TEXT + 1 + MAX_TIMESTAMP_TEXT);
        self.encode(&mut text);
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

/// Why a word is no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Not a decimal number with an optional point and exponent.
    #[error("a value is a decimal number such as 23.7, -5 or 1e-3")]
    NotDecimal,
    /// Beyond the largest 64-bit float.
    #[error("a value must be finite")]
    NotFinite,
    /// Not a decimal integer.
    #[error("a timestamp is a whole number of Unix seconds")]
    NotInteger,
    /// Does not fit 64 bits.
    #[error("a timestamp fits 64 bits")]
    OutOfRange,
}

/// Reads a value: optional sign, digits with an optional point, optional exponent.
///
/// # Errors
/// [`NumberError::NotDecimal`] for any other shape (`nan`, `0x10`, `1_000`, `1,5`),
/// [`NumberError::NotFinite`] for what overflows.
pub fn parse_value(text: &[u8]) -> Result<f64, NumberError> {
    if let Some((value, [])) = parse_value_fast(text) {
        return Ok(value);
    }
    if !is_decimal(text) {
        return Err(NumberError::NotDecimal);
    }
    let value: f64 = fast_float2::parse(text).map_err(|_| NumberError::NotDecimal)?;
    if value.is_finite() { Ok(value) } else { Err(NumberError::NotFinite) }
}

/// Digits that a float holds without error.
const MAX_EXACT_DIGITS: usize = 15;

/// Powers of ten, all of them floats without error.
const POWERS: [f64; MAX_EXACT_DIGITS + 1] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// Reads a plain value off the front of `text`, with what follows it: up to 15 digits with an
/// optional minus and point. Rounds as it should: digits and power are exact, and the division
/// rounds once. `None` for any other number; what follows may still make it one.
fn parse_value_fast(text: &[u8]) -> Option<(f64, &[u8])> {
    let (negative, unsigned) = match text {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let (whole, mut rest) = leading_digits(0, unsigned);
    let (mut number, mut digits, mut decimals) = (whole, unsigned.len() - rest.len(), 0);
    if let [b'.', fraction @ ..] = rest {
        (number, rest) = leading_digits(whole, fraction);
        decimals = fraction.len() - rest.len();
        digits += decimals;
    }
    if digits == 0 || digits > MAX_EXACT_DIGITS {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "15 digits are below 2^53")]
    let value = number as f64 / POWERS[decimals];
    Some((if negative { -value } else { value }, rest))
}

/// Appends the digits at the front of `text` to `number`; wraps when there are more than 19.
fn leading_digits(mut number: u64, mut text: &[u8]) -> (u64, &[u8]) {
    while let [digit @ b'0'..=b'9', rest @ ..] = text {
        number = number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
        text = rest;
    }
    (number, text)
}

/// The shape is checked here because float parsers also take `inf`, `nan` and the like.
fn is_decimal(text: &[u8]) -> bool {
    let digits = |mut rest: &'_ [u8]| {
        let before = rest.len();
        while let [b'0'..=b'9', tail @ ..] = rest {
            rest = tail;
        }
        before - rest.len()
    };
    let mut rest = match text {
        [b'+' | b'-', rest @ ..] | rest => rest,
    };
    let whole = digits(rest);
    rest = &rest[whole..];
    let mut fraction = 0;
    if let [b'.', tail @ ..] = rest {
        fraction = digits(tail);
        rest = &tail[fraction..];
    }
    if whole + fraction == 0 {
        return false;
    }
    match rest {
        [] => true,
        [b'e' | b'E', b'+' | b'-', exponent @ ..] | [b'e' | b'E', exponent @ ..] => {
            !exponent.is_empty() && digits(exponent) == exponent.len()
        }
        _ => false,
    }
}

/// Reads a timestamp: a decimal integer with an optional sign.
///
/// # Errors
/// [`NumberError::NotInteger`] or [`NumberError::OutOfRange`].
pub fn parse_timestamp(text: &[u8]) -> Result<i64, NumberError> {
    if let Some((timestamp, [])) = parse_timestamp_fast(text) {
        return Ok(timestamp);
    }
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] | rest => (false, rest),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(NumberError::NotInteger);
    }
    // Summed below zero, where there is room for i64::MIN.
    let mut sum: i64 = 0;
    for digit in digits {
        sum = sum
            .checked_mul(10)
            .and_then(|tens| tens.checked_sub(i64::from(digit - b'0')))
            .ok_or(NumberError::OutOfRange)?;
    }
    if negative { Ok(sum) } else { sum.checked_neg().ok_or(NumberError::OutOfRange) }
}

/// Reads a plain timestamp off the front of `text`, with what follows it: up to 18 digits
/// without a sign. `None` for any other number.
fn parse_timestamp_fast(text: &[u8]) -> Option<(i64, &[u8])> {
    let (number, rest) = leading_digits(0, text);
    match text.len() - rest.len() {
        1..=18 => Some((number.cast_signed(), rest)),
        _ => None,
    }
}

/// Appends the shortest decimal that reads back to the same float, in the form of Python's
/// `repr(float)`: `10.0`, `1e-05`, `1.2345678901234568e+17`.
pub fn encode_value(value: f64, out: &mut Vec<u8>) {
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format(value).as_bytes();
    let magnitude = value.abs();
    if (1e-4..1e16).contains(&magnitude) || magnitude == 0.0 || !magnitude.is_finite() {
        out.extend_from_slice(text);
    } else {
        encode_with_exponent(text, out);
    }
}

/// Rewrites the text of a very large or very small number as `d[.ddd]e±dd`.
#[cold]
fn encode_with_exponent(text: &[u8], out: &mut Vec<u8>) {
    let (sign, unsigned) = match text {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let (mantissa, exponent) = match memchr::memchr(b'e', unsigned) {
        Some(at) => {
            let exponent = parse_timestamp(&unsigned[at + 1..]).unwrap_or(0);
            (&unsigned[..at], exponent)
        }
        None => (unsigned, 0),
    };
    let point = memchr::memchr(b'.', mantissa).unwrap_or(mantissa.len());
    let digits: Vec<u8> = mantissa.iter().copied().filter(u8::is_ascii_digit).collect();
    let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
    let end = digits.iter().rposition(|&digit| digit != b'0').map_or(zeros, |last| last + 1);
    let significant = &digits[zeros..end];
    let shift = i64::try_from(point).unwrap_or(0) - i64::try_from(zeros).unwrap_or(0) - 1;
    let exponent = exponent + shift;

    if sign {
        out.push(b'-');
    }
    if let [first, rest @ ..] = significant {
        out.push(*first);
        if !rest.is_empty() {
            out.push(b'.');
            out.extend_from_slice(rest);
        }
    }
    out.extend_from_slice(if exponent < 0 { b"e-" } else { b"e+" });
    let exponent = exponent.unsigned_abs();
    if exponent < 10 {
        out.push(b'0');
    }
    out.extend_from_slice(itoa::Buffer::new().format(exponent).as_bytes());
}

/// Appends a timestamp.
pub fn encode_timestamp(timestamp: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(timestamp).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_one_decimal_shape() {
        for good in ["1", "+1", "-1", ".5", "5.", "1e5", "1E+05", "1.5e-3", "00.10", "-0", "1e-400"]
        {
            assert!(parse_value(good.as_bytes()).is_ok(), "{good}");
        }
        for bad in [
            "", "+", ".", "e5", "1e", "1e+", "nan", "inf", "-inf", "infinity", "0x10", "1_000",
            "1,5", "1.2.3", "--1", "1 ", "١", "1e5.0", "1f",
        ] {
            assert_eq!(parse_value(bad.as_bytes()), Err(NumberError::NotDecimal), "{bad}");
        }
        assert_eq!(parse_value(b"1e400"), Err(NumberError::NotFinite));
        assert_eq!(parse_value(b"-1e309"), Err(NumberError::NotFinite));
    }

    #[test]
    fn timestamps_are_whole_numbers_of_64_bits() {
        for (text, number) in [
            ("007", 7),
            ("-0", 0),
            ("+5", 5),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
            ("-00000000000000000000000000012", -12),
        ] {
            assert_eq!(parse_timestamp(text.as_bytes()), Ok(number), "{text}");
        }
        for bad in ["", "-", "1.5", "1e3", "1_000", "0x1", " 1", "١"] {
            assert_eq!(parse_timestamp(bad.as_bytes()), Err(NumberError::NotInteger), "{bad}");
        }
        for big in ["9223372036854775808", "-9223372036854775809", "99999999999999999999999"] {
            assert_eq!(parse_timestamp(big.as_bytes()), Err(NumberError::OutOfRange), "{big}");
        }
    }
}
