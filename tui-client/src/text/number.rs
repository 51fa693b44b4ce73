//! Numbers as text: compact with a prefix of SI, rounded, and exact.

use std::fmt::Write;

use shared::point::encode_value;

use super::width::width;

/// A value as it is stored: the shortest decimal that reads back to it.
pub fn exact(value: f64) -> String {
    let mut text = Vec::new();
    encode_value(value, &mut text);
    let text = String::from_utf8_lossy(&text);
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

/// A number for a screen: rounded to five significant digits, from 100,000 on and below 0.0001 with a
/// prefix of SI, such as `264.53 M`; with an exponent where there is no prefix. There is no prefix for
/// a thousandth: beside ages, `3.1 m` would be read as minutes.
pub fn short(number: f64) -> String {
    scaled(number, 5)
}

/// As [`short`], with a prefix from ten to the power of `prefixed` on.
pub(super) fn scaled(number: f64, prefixed: i32) -> String {
    match digits(number) {
        Some(digits) => match prefix_of(digits.exponent, prefixed) {
            Some((0, _)) => digits.shifted(0),
            Some((power, name)) => format!("{} {name}", digits.shifted(power)),
            None => digits.exponential(),
        },
        None if number == 0.0 => "0".to_owned(),
        None => rounded(number, 9),
    }
}

/// As [`short`] in at most `width` columns where that is possible: with fewer digits if need be.
pub fn short_within(number: f64, width: usize) -> String {
    let text = short(number);
    if self::width(&text) <= width {
        return text;
    }
    // Without a prefix only because it is not much smaller than others without one.
    let prefixed = digits(number).filter(|digits| digits.exponent == -4);
    let prefixed = prefixed.map(|digits| format!("{} µ", digits.shifted(-6)));
    match prefixed {
        Some(text) if self::width(&text) <= width => text,
        _ => value(number, width),
    }
}

/// The power of ten and the name of the prefix for a number of this exponent; none for a number that
/// is too great or too small. Numbers from 0.0001 to ten to the power of `prefixed` need no prefix.
pub(super) fn prefix_of(exponent: i32, prefixed: i32) -> Option<(i32, &'static str)> {
    const NAMES: [&str; 9] = ["n", "µ", "m", "", "k", "M", "G", "T", "P"];
    if (-4..prefixed).contains(&exponent) {
        return Some((0, ""));
    }
    let thousands = exponent.div_euclid(3);
    let name = NAMES.get(usize::try_from(thousands + 3).ok()?)?;
    Some((thousands * 3, name))
}

/// A power of ten, the same on every system, whose libraries compute powers differently.
pub(super) fn power_of_ten(power: i32) -> f64 {
    format!("1e{power}").parse().unwrap_or(1.0)
}

/// A number rounded to five significant digits, as far as floats reach.
pub(super) fn rounded_to_five(number: f64) -> f64 {
    let rounded = format!("{number:.4e}").parse().ok().filter(|rounded: &f64| rounded.is_finite());
    rounded.unwrap_or(number) + 0.0
}

/// The significant digits of a number on a screen.
struct Significant {
    is_negative: bool,
    /// At most five, the last one not zero but for the first.
    digits: String,
    /// The power of ten of the first digit.
    exponent: i32,
}

/// The digits of a finite number other than zero.
fn digits(number: f64) -> Option<Significant> {
    if !number.is_finite() || number == 0.0 {
        return None;
    }
    let text = format!("{:.4e}", number.abs());
    let (mantissa, exponent) = text.split_once('e')?;
    let digits = mantissa.replace('.', "").trim_end_matches('0').to_owned();
    Some(Significant { is_negative: number < 0.0, digits, exponent: exponent.parse().ok()? })
}

impl Significant {
    /// The number with an exponent, as stored numbers have it.
    fn exponential(&self) -> String {
        let (first, others) = self.digits.split_at(1);
        let point = if others.is_empty() { "" } else { "." };
        let sign = if self.is_negative { "-" } else { "" };
        format!("{sign}{first}{point}{others}e{:+03}", self.exponent)
    }

    /// The number divided by a power of ten, without an exponent.
    fn shifted(&self, power: i32) -> String {
        let mut out = if self.is_negative { "-".to_owned() } else { String::new() };
        match usize::try_from(self.exponent - power) {
            Err(_) => {
                let zeros = usize::try_from(power - self.exponent - 1).unwrap_or_default();
                let _ = write!(out, "0.{:0<zeros$}{}", "", self.digits);
            }
            Ok(before) if before + 1 >= self.digits.len() => {
                let _ = write!(out, "{:0<wide$}", self.digits, wide = before + 1);
            }
            Ok(before) => {
                let (whole, part) = self.digits.split_at(before + 1);
                let _ = write!(out, "{whole}.{part}");
            }
        }
        out
    }
}

/// Numbers in a column with their decimal points below each other, as far as `columns` allow; a
/// number with an exponent, which has its point elsewhere, stays at the right. Below a thousandth all have a
/// prefix where one has.
pub fn align<'a>(texts: impl IntoIterator<Item = &'a mut String>, columns: usize) {
    let mut texts: Vec<_> = texts.into_iter().filter(|text| !has_exponent(text)).collect();
    if texts.iter().any(|text| text.ends_with(MICRO)) {
        for text in &mut texts {
            let prefixed = in_millionths(text).filter(|text| width(text) <= columns);
            **text = prefixed.unwrap_or_else(|| std::mem::take(text));
        }
    }
    let behind_point = |text: &String| {
        let whole = text.find(|c: char| !matches!(c, '0'..='9' | '+' | '-')).unwrap_or(text.len());
        width(&text[whole..])
    };
    let is_number = |text: &String| text.contains(|c: char| c.is_ascii_digit());
    let numbers = texts.iter().filter(|text| is_number(text));
    let most = numbers.map(|text| behind_point(text)).max().unwrap_or_default();
    for text in &mut texts {
        let behind = if is_number(text) { behind_point(text) } else { 0 };
        let room = columns.saturating_sub(width(text));
        let blanks = most.saturating_sub(behind).min(room);
        text.extend(std::iter::repeat_n(' ', blanks));
    }
}

/// The prefix of a millionth, set apart.
const MICRO: &str = " µ";

/// The text of a number below a thousandth that has no prefix, with one.
fn in_millionths(text: &str) -> Option<String> {
    let number = text.parse::<f64>().ok().filter(|number| number.abs() < 1e-3)?;
    let sign = if text.starts_with('+') { "+" } else { "" };
    Some(format!("{sign}{}{MICRO}", digits(number)?.shifted(-6)))
}

fn has_exponent(text: &str) -> bool {
    text.contains('e')
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

/// A difference as [`short_within`], always with its sign.
pub fn change(number: f64, width: usize) -> String {
    if number.is_nan() {
        return short(number);
    }
    let text = short_within(number.abs(), width.saturating_sub(1));
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

/// A percentage with its sign, as far as it is of interest, in at most `width` columns where that is
/// possible: `+0.5%`, `-32.4%`, `+300%`, `+12.5 k%`, `+650125%`, `+2.6e9%`.
pub fn percent(percent: f64, width: usize) -> String {
    match percent.abs() {
        0.0 => "0%".to_owned(),
        ..0.05 => format!("{}0%", if percent < 0.0 { "-" } else { "+" }),
        ..99.95 => format!("{percent:+.1}%"),
        ..9999.5 => format!("{percent:+.0}%"),
        _ => {
            let sign = if percent < 0.0 { "-" } else { "+" };
            format!("{sign}{}%", short_within(percent.abs(), width.saturating_sub(2)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_keep_their_sign_and_fit() {
        for (number, text) in [
            (0.0, "0%"),
            (-0.01, "-0%"),
            (0.52, "+0.5%"),
            (-32.4, "-32.4%"),
            (300.0, "+300%"),
            (12_500.0, "+12500%"),
            (650_125.0, "+650125%"),
            (-2.601e9, "-2.60e9%"),
        ] {
            assert_eq!(percent(number, 8), text);
        }
        assert_eq!(change(-6.1667e-4, 10), "-616.67 µ");
        assert_eq!(change(-6.1667e-4, 7), "-6.2e-4");
    }

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
        assert_eq!(change(f64::NAN, 9), "–");
        assert_eq!(change(-1.5, 8), "-1.5");
        assert_eq!(change(22_626.7, 9), "+22627");
        assert_eq!(change(-1.234_56e-12, 9), "-1.23e-12");
        assert_eq!(change(2.0, 8), "+2");
    }

    #[test]
    fn numbers_on_the_screen_have_five_digits_and_a_prefix() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (23.7, "23.7"),
            (0.1 + 0.2, "0.3"),
            (-1234.56, "-1234.6"),
            (99_999.0, "99999"),
            (99_999.7, "100 k"),
            (123_456.0, "123.46 k"),
            (264_532_404.0, "264.53 M"),
            (1_000_000.0, "1 M"),
            (-1.5e9, "-1.5 G"),
            (999.996e12, "1 P"),
            (1.234_567e17, "123.46 P"),
            (1.234_567e18, "1.2346e+18"),
            (1.0 / 60.0, "0.016667"),
            (0.009_999_96, "0.01"),
            (0.0031, "0.0031"),
            (0.000_99, "0.00099"),
            (-0.000_123_456, "-0.00012346"),
            (0.000_1, "0.0001"),
            (-0.000_098_765_4, "-98.765 µ"),
            (5e-9, "5 n"),
            (1.234_56e-10, "1.2346e-10"),
            (f64::NAN, "–"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(short(number), text, "{number}");
            assert!(width(text) <= 11);
        }
        assert_eq!(short_within(f64::MIN, 11), "-1.7977e308");
        assert_eq!(short_within(f64::MIN, 8), "-1.8e308");
        assert_eq!(short_within(-123.456e6, 9), "-123.46 M");
    }

    #[test]
    fn decimal_points_stand_below_each_other() {
        let aligned = |texts: &[&str], columns| {
            let mut texts: Vec<String> = texts.iter().map(ToString::to_string).collect();
            align(&mut texts, columns);
            texts.iter().map(|text| format!("{text:>columns$}")).collect::<Vec<_>>()
        };
        assert_eq!(
            aligned(&["23.75", "5", "-1.5 µ", "–", "1e+300"], 10),
            ["    23.75 ", "     5    ", "    -1.5 µ", "     –    ", "    1e+300"]
                .map(str::to_owned)
        );
        assert_eq!(aligned(&["99999", "0.016667"], 9), ["99999    ", " 0.016667"]);
        assert_eq!(aligned(&["+99999", "0.016667"], 9), ["+99999   ", " 0.016667"]);
        assert!(aligned(&[], 9).is_empty());
        let small = ["-19 µ", "-0.000184", "+0.0002", "0", "0.0031"];
        let shown = ["  -19 µ   ", " -184 µ   ", " +200 µ   ", "    0     ", "    0.0031"];
        assert_eq!(aligned(&small, 10), shown);
        assert_eq!(aligned(&["-0.000184", "5"], 10), [" -0.000184", "  5       "]);
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
