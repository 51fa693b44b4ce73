//! Numbers and times as text: compact, and exact where there is room for it.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
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

/// A value that was computed here, to six significant digits: more would be noise. But a digit
/// before the point is none, and a nought in its place would be wrong.
pub fn rounded(number: f64, width: usize) -> String {
    if !number.is_finite() {
        return "–".to_owned();
    }
    if number.abs() >= 1e5 {
        return value(number.round(), width);
    }
    let rounded = format!("{number:.5e}").parse().unwrap_or(number);
    value(rounded, width)
}

/// A mean: to six significant digits as well, but never less than the values themselves show.
pub fn mean(number: f64, width: usize) -> String {
    /// All that there are in a number.
    const DIGITS: usize = 17;
    if !number.is_finite() {
        return rounded(number, width);
    }
    let whole = format!("{:.0}", number.abs().trunc()).len();
    let behind_first = (whole + 1).clamp(5, DIGITS - 1);
    value(format!("{number:.behind_first$e}").parse().unwrap_or(number), width)
}

/// A difference, always with its sign.
pub fn change(number: f64, width: usize) -> String {
    let text = rounded(number.abs(), width.saturating_sub(1));
    let sign = if number < 0.0 { '-' } else { '+' };
    format!("{sign}{text}")
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

/// A number of things.
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

/// How long something took.
pub fn took(time: Duration) -> String {
    let micros = time.as_micros();
    match micros {
        0..10_000 => format!("{}.{} ms", micros / 1000, micros / 100 % 10),
        10_000..1_000_000 => format!("{} ms", micros / 1000),
        _ => format!("{}.{} s", micros / 1_000_000, micros / 100_000 % 10),
    }
}

/// A stretch of time, in the two greatest units.
pub fn span(seconds: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3600, "h"), (60, "m"), (1, "s")];
    let greatest = UNITS.iter().position(|&(unit, _)| seconds >= unit).unwrap_or(UNITS.len() - 1);
    let (unit, name) = UNITS[greatest];
    let whole = format!("{} {name}", count(seconds / unit));
    match UNITS.get(greatest + 1).map(|&(next, name)| (seconds % unit / next, name)) {
        Some((rest @ 1.., name)) => format!("{whole} {rest} {name}"),
        _ => whole,
    }
}

/// A time between polls.
pub fn interval(time: Duration) -> String {
    format!("{}s", time.as_secs_f64())
}

/// The time since `timestamp`, in one unit; what lies ahead is marked so.
pub fn age(timestamp: i64, now: i64) -> String {
    let seconds = i128::from(now) - i128::from(timestamp);
    let (sign, seconds) = if seconds < 0 { ("in ", -seconds) } else { ("", seconds) };
    let (number, unit) = match seconds {
        0..60 => (seconds, "s"),
        60..3600 => (seconds / 60, "m"),
        3600..86_400 => (seconds / 3600, "h"),
        86_400..31_557_600 => (seconds / 86_400, "d"),
        _ => (seconds / 31_557_600, "y"),
    };
    format!("{sign}{number}{unit}")
}

/// The same in at most six columns.
pub fn short_age(timestamp: i64, now: i64) -> String {
    const COLUMNS: usize = 6;
    let full = age(timestamp, now);
    let number = full.trim_start_matches("in ");
    let sign = &full[..full.len() - number.len()];
    let number = if number.ends_with('y') && number.len() > 3 { ">99y" } else { number };
    let text = format!("{sign}{number}");
    if text.len() <= COLUMNS { text } else { text.replace(' ', "") }
}

/// A date and time of day; the bare number when no calendar has it.
pub fn date(timestamp: i64, zone: &TimeZone) -> String {
    formatted(timestamp, zone, "%Y-%m-%d %H:%M:%S")
}

/// As [`date`], in another form.
pub fn formatted(timestamp: i64, zone: &TimeZone, form: &str) -> String {
    match Timestamp::from_second(timestamp) {
        Ok(time) => time.to_zoned(zone.clone()).strftime(form).to_string(),
        Err(_) => timestamp.to_string(),
    }
}

/// The time of day, to the millisecond.
pub fn clock(unix_ms: i64, zone: &TimeZone) -> String {
    match Timestamp::from_millisecond(unix_ms) {
        Ok(time) => time.to_zoned(zone.clone()).strftime("%H:%M:%S%.3f").to_string(),
        Err(_) => unix_ms.to_string(),
    }
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
        assert_eq!(rounded(f64::INFINITY, 12), "–");
        assert_eq!(mean(1.0 / 3.0, 12), "0.333333");
        assert_eq!(mean(264_532_404.0, 11), "264532404");
        assert_eq!(mean(177_405_912_345.6, 11), "1.774059e11");
        assert_eq!(change(-1.5, 8), "-1.5");
        assert_eq!(change(2.0, 8), "+2");
    }

    #[test]
    fn sizes_times_and_ages_read_well() {
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(999), "999");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(38_400), "38.4 kB");
        assert_eq!(took(Duration::from_micros(1234)), "1.2 ms");
        assert_eq!(took(Duration::from_millis(2500)), "2.5 s");
        let spans = [0, 11, 900, 899, 5400, 90_061, u64::MAX].map(span);
        let texts = [
            "0 s",
            "11 s",
            "15 m",
            "14 m 59 s",
            "1 h 30 m",
            "1 d 1 h",
            "213,503,982,334,601 d 7 h",
        ];
        assert_eq!(spans, texts);
        assert_eq!(age(0, 59), "59s");
        assert_eq!(age(0, 7200), "2h");
        assert_eq!(age(100, 90), "in 10s");
        assert_eq!(age(i64::MIN, i64::MAX), "584542046090y");
        for (timestamp, now, text) in [
            (0, 59, "59s"),
            (10, 0, "in 10s"),
            (0, 3_100_000_000, "98y"),
            (i64::MIN, i64::MAX, ">99y"),
            (i64::MAX, 0, "in>99y"),
            (364 * 86_400, 0, "in364d"),
        ] {
            assert_eq!(short_age(timestamp, now), text);
        }
        assert_eq!(date(1_150_864_247, &TimeZone::UTC), "2006-06-21 04:30:47");
        assert_eq!(date(i64::MAX, &TimeZone::UTC), "9223372036854775807");
        assert_eq!(clock(1_500, &TimeZone::UTC), "00:00:01.500");
    }
}
