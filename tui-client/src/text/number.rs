//! Numbers as text: compact, and exact where there is room.

use shared::point::encode_value;

/// A value as it is stored: the shortest decimal that reads back to it.
pub fn exact(value: f64) -> String {
    let mut text = Vec::new();
    encode_value(value, &mut text);
    let text = String::from_utf8_lossy(&text);
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

/// A value in at most `width` columns where that is possible: exact if it fits, else rounded.
pub fn value(value: f64, width: usize) -> String {
    let text = exact(value);
    if text.len() <= width {
        return text;
    }
    let whole = format!("{:.0}", value.trunc()).len();
    if whole <= width && value.abs() >= 1e-3 {
        let decimals = width.saturating_sub(whole + 1).min(17);
        let text = format!("{value:.decimals$}");
        if text.len() <= width {
            return text;
        }
    }
    let rounded = (0..16).rev().map(|digits| format!("{value:.digits$e}"));
    let mut short = format!("{value:.0e}");
    if let Some(fits) = rounded.into_iter().find(|text| text.len() <= width) {
        short = fits;
    }
    short
}

/// A computed value to six significant digits; the digits before the point are all kept.
pub fn rounded(number: f64, width: usize) -> String {
    if number.is_nan() {
        return "–".to_owned();
    }
    if number.is_infinite() {
        return exact(number);
    }
    if number.abs() >= 1e5 {
        return value(number.round(), width);
    }
    let rounded = format!("{number:.5e}").parse().unwrap_or(number);
    value(rounded, width)
}

/// A mean to six significant digits, and to one more than the whole part has.
pub fn mean(number: f64, width: usize) -> String {
    if !number.is_finite() {
        return rounded(number, width);
    }
    value(significant(number), width)
}

/// A computed number rounded to six significant digits, and to one more than the whole part has.
pub fn significant(number: f64) -> f64 {
    /// The digits of a double.
    const DIGITS: usize = 17;
    let whole = format!("{:.0}", number.abs().trunc()).len();
    let behind_first = (whole + 1).clamp(5, DIGITS - 1);
    format!("{number:.behind_first$e}").parse().unwrap_or(number)
}

/// A difference, always with its sign.
pub fn change(number: f64, width: usize) -> String {
    let text = rounded(number.abs(), width.saturating_sub(1));
    let sign = if number < 0.0 { '-' } else { '+' };
    format!("{sign}{text}")
}

/// Two values as a range; one where they are the same.
pub fn range(low: f64, high: f64, text: impl Fn(f64) -> String) -> String {
    if low < high { format!("{} to {}", text(low), text(high)) } else { text(low) }
}

/// A count, its thousands set apart.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A count in at most `width` columns where that is possible: rounded rather than cut.
pub fn count_within(number: u64, width: usize) -> String {
    let text = count(number);
    if text.len() <= width {
        return text;
    }
    #[expect(clippy::cast_precision_loss, reason = "there is no room for the digits")]
    let number = number as f64;
    value(number, width)
}

/// A count and its noun, in the singular or the plural.
pub fn plural(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// A size.
pub fn bytes(number: u64) -> String {
    match number {
        0..1_000 => format!("{number} B"),
        1_000..1_000_000 => tenths(number, 1_000, "kB"),
        1_000_000..1_000_000_000 => tenths(number, 1_000_000, "MB"),
        _ => tenths(number, 1_000_000_000, "GB"),
    }
}

fn tenths(number: u64, unit: u64, name: &str) -> String {
    let tenths = number / (unit / 10);
    format!("{}.{} {name}", count(tenths / 10), tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_exact_where_there_is_room() {
        for (number, width, text) in [
            (23.0, 10, "23"),
            (-0.5, 10, "-0.5"),
            (23.456_789_012_345, 8, "23.45679"),
            (1e300, 8, "1e+300"),
            (1.234_567_890_123e-9, 9, "1.2346e-9"),
            (123_456_789.123, 9, "123456789"),
            (-123_456_789.123, 9, "-1.2346e8"),
            (0.000_123_456_789, 8, "1.235e-4"),
            (f64::MIN, 3, "-2e308"),
        ] {
            assert_eq!(value(number, width), text, "{number} in {width}");
        }
        assert_eq!(rounded(1.0 / 3.0, 12), "0.333333");
        assert_eq!(rounded(f64::NAN, 12), "–");
        assert_eq!(rounded(f64::INFINITY, 12), "inf");
        assert_eq!(change(f64::INFINITY, 9), "+inf");
        assert_eq!(change(f64::NEG_INFINITY, 9), "-inf");
        assert_eq!(mean(1.0 / 3.0, 12), "0.333333");
        assert_eq!(mean(264_532_404.0, 11), "264532404");
        assert_eq!(mean(177_405_912_345.6, 11), "1.774059e11");
        assert_eq!(exact(significant(1.0 / 60.0)), "0.0166667");
        assert_eq!(exact(significant(-1_234_567.043)), "-1234567.04");
        assert_eq!(exact(significant(12.5)), "12.5");
        assert_eq!(change(-1.5, 8), "-1.5");
        assert_eq!(change(2.0, 8), "+2");
    }

    #[test]
    fn counts_and_sizes_read_well() {
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(999), "999");
        assert_eq!(count_within(1_234_567, 9), "1,234,567");
        assert_eq!(count_within(12_345_678, 9), "12345678");
        assert_eq!(count_within(12_345_678_901, 9), "1.2346e10");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(38_400), "38.4 kB");
    }
}
