//! Moments and spans of time as text.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The seconds of a year of 365 days and a quarter.
pub const YEAR: u32 = 31_557_600;

/// Units of time in seconds, the greatest first.
const UNITS: [(u64, &str); 5] =
    [(YEAR as u64, "y"), (86_400, "d"), (3600, "h"), (60, "m"), (1, "s")];

/// A span of time, in its two greatest units: `0.4ms`, `12ms`, `2.5s`, `39m48s`, `20y`.
pub fn duration(time: Duration) -> String {
    let (seconds, micros) = (time.as_secs(), time.subsec_micros());
    match (seconds, micros) {
        (0, 1..10_000) => format!("{}.{}ms", micros / 1000, micros / 100 % 10),
        (0, 10_000..) => format!("{}ms", micros / 1000),
        (1..60, 100_000..) => format!("{seconds}.{}s", micros / 100_000),
        _ => {
            let mut parts = UNITS.iter().scan(seconds, |left, &(unit, name)| {
                let number = *left / unit;
                *left %= unit;
                Some((number, name))
            });
            let greatest = parts.find(|&(number, _)| number > 0).unwrap_or((0, "s"));
            let next = parts.next().filter(|&(number, _)| number > 0);
            let text = |(number, name)| format!("{number}{name}");
            text(greatest) + &next.map(text).unwrap_or_default()
        }
    }
}

/// A time between polls, exactly: as [`duration`] where that loses nothing, else in seconds.
pub fn interval(time: Duration) -> String {
    let seconds = time.as_secs();
    let is_whole = time.subsec_nanos() == 0
        && (seconds < 3600 || seconds.is_multiple_of(60))
        && (seconds < 86_400 || seconds.is_multiple_of(3600));
    if is_whole { duration(time) } else { format!("{}s", time.as_secs_f64()) }
}

/// The time since `timestamp`, in one unit; `in 10s` when it lies ahead.
pub fn age(timestamp: i64, now: i64) -> String {
    let sign = if timestamp > now { "in " } else { "" };
    let seconds = now.abs_diff(timestamp);
    let (unit, name) = UNITS.into_iter().find(|&(unit, _)| seconds >= unit).unwrap_or((1, "s"));
    format!("{sign}{}{name}", seconds / unit)
}

/// An age in at most six columns.
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

/// A date and time of day, without the date where that is today's.
pub fn short_moment(timestamp: i64, now: i64, zone: &TimeZone) -> String {
    let day = |at| formatted(at, zone, "%Y-%m-%d");
    let form = if day(timestamp) == day(now) { "%H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" };
    formatted(timestamp, zone, form)
}

/// As [`date`], in a form of `strftime`.
pub fn formatted(timestamp: i64, zone: &TimeZone, form: &str) -> String {
    match Timestamp::from_second(timestamp) {
        Ok(time) => time.to_zoned_datetime(zone.clone()).strftime(form).to_string(),
        Err(_) => timestamp.to_string(),
    }
}

/// The time of day, to the millisecond.
pub fn clock(unix_ms: i64, zone: &TimeZone) -> String {
    match Timestamp::from_millisecond(unix_ms) {
        Ok(time) => time.to_zoned_datetime(zone.clone()).strftime("%H:%M:%S%.3f").to_string(),
        Err(_) => unix_ms.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_one_form() {
        for (micros, text) in [
            (0, "0s"),
            (400, "0.4ms"),
            (1234, "1.2ms"),
            (250_000, "250ms"),
            (1_000_000, "1s"),
            (2_500_000, "2.5s"),
            (59_950_000, "59.9s"),
            (90_500_000, "1m30s"),
            (900_000_000, "15m"),
            (899_000_000, "14m59s"),
            (5_400_000_000, "1h30m"),
            (90_061_000_000, "1d1h"),
            (20 * 31_557_600_000_000, "20y"),
        ] {
            assert_eq!(duration(Duration::from_micros(micros)), text);
        }
        for (millis, text) in [
            (100, "0.1s"),
            (1050, "1.05s"),
            (2000, "2s"),
            (90_000, "1m30s"),
            (60_500, "60.5s"),
            (3_600_000, "1h"),
            (3_661_000, "3661s"),
        ] {
            assert_eq!(interval(Duration::from_millis(millis)), text);
        }
        assert_eq!(duration(Duration::from_secs(u64::MAX)), "584542046090y228d");
    }

    #[test]
    fn ages_and_dates_read_well() {
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
