//! Numbers on an axis, in a legend or alone: with prefixes of SI and the unit that a key's name
//! suggests. Prefixes of bytes are powers of 1,000 as well.

use crate::text::number;
use crate::text::width::width;

/// The unit of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unit {
    /// None that is known.
    #[default]
    Plain,
    /// Bytes.
    Bytes,
    /// Per cent.
    Percent,
    /// Seconds.
    Seconds,
    /// Thousandths of a second.
    Milliseconds,
    /// Millionths of a second.
    Microseconds,
    /// Billionths of a second.
    Nanoseconds,
}

/// What ends the name of a key of times, and their unit.
const TIMES: [(&[&str], Unit); 4] = [
    (&["seconds"], Unit::Seconds),
    (&["milliseconds", "millis", "msec", "msecs", "ms"], Unit::Milliseconds),
    (&["microseconds", "micros", "usec", "usecs"], Unit::Microseconds),
    (&["nanoseconds", "nanos", "nsec", "nsecs"], Unit::Nanoseconds),
];

impl Unit {
    /// What the name of a key suggests. Only words that nearly always mean it count: a wrong
    /// unit is worse than none.
    pub fn of(key: &str) -> Self {
        const BYTES: [&str; 5] = ["bytes", "byte", "memory", "rss", "heap"];
        const PERCENT: [&str; 3] = ["percent", "pct", "percentage"];
        const COUNTS: [&str; 9] =
            ["count", "total", "ratio", "usage", "util", "faults", "load", "rate", "ops"];
        let key = key.to_lowercase();
        let words = || key.split(|c: char| !c.is_alphanumeric());
        let any = |list: &[&str]| words().any(|word| list.contains(&word));
        let mut ends = words().rev().filter(|word| !word.is_empty());
        let (last, before) = (ends.next().unwrap_or_default(), ends.next().unwrap_or_default());
        // The room there is in all, and not a count.
        let is_size = last == "total" && BYTES.contains(&before);
        // Of a rate, a time is not the unit.
        let time = TIMES.iter().find(|(names, _)| names.contains(&last) && !any(&["per"]));
        if any(&PERCENT) {
            Self::Percent
        } else if let Some((_, unit)) = time {
            *unit
        } else if words().any(|word| word == "bytes") || (any(&BYTES) && !any(&COUNTS)) || is_size {
            Self::Bytes
        } else {
            Self::Plain
        }
    }

    /// The one that all of these share, else none that is known.
    pub fn common(mut units: impl Iterator<Item = Self>) -> Self {
        let first = units.next().unwrap_or_default();
        if units.all(|unit| unit == first) { first } else { Self::Plain }
    }

    /// The power of ten from which on there is a prefix; per cent have none, nor have times, whose unit
    /// has one.
    fn prefixed(self) -> Option<i32> {
        match self {
            Self::Plain => Some(5),
            Self::Bytes => Some(3),
            _ => None,
        }
    }

    /// The name behind a number, set apart as after a prefix.
    fn suffix(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Bytes => " B",
            Self::Percent => "%",
            Self::Seconds => " s",
            Self::Milliseconds => " ms",
            Self::Microseconds => " µs",
            Self::Nanoseconds => " ns",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Bytes => "B",
            other => other.suffix(),
        }
    }
}

/// The labels of an axis share one scale, so that they can be compared at a glance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    unit: Unit,
    divisor: f64,
    prefix: &'static str,
}

impl Scale {
    /// For values up to `greatest`.
    pub fn new(unit: Unit, greatest: f64) -> Self {
        let prefix = unit.prefixed().filter(|_| greatest.is_finite() && greatest != 0.0);
        let exponent = exponent(greatest);
        let prefix = prefix.and_then(|prefixed| number::prefix_of(exponent, prefixed));
        let (power, prefix) = prefix.unwrap_or_default();
        Self { unit, divisor: number::power_of_ten(power), prefix }
    }

    /// A label for a value on an axis whose labels are `step` apart: with so many digits that
    /// they differ.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 16")]
    pub fn label(self, value: f64, step: f64) -> String {
        /// More decimals than this are scaled only where that saves nothing.
        const MAX_DECIMALS: f64 = 4.0;
        /// All that there are in a number, but for the first.
        const DIGITS: f64 = 16.0;
        if value == 0.0 {
            return "0".to_owned();
        }
        let (scaled, step) = (value / self.divisor, step.abs() / self.divisor);
        let decimals = (-step.log10() - 1e-9).ceil().max(0.0);
        // A step of 2.5 has a digit more.
        let units = step * 10_f64.powf(decimals);
        let decimals = if (units - units.round()).abs() > 1e-3 { decimals + 1.0 } else { decimals };
        let magnitude = scaled.abs();
        let readable = magnitude >= 1.0 && decimals <= DIGITS - magnitude.log10();
        if magnitude < 1e6 && (readable || decimals <= MAX_DECIMALS) {
            let decimals = decimals as usize;
            return format!("{scaled:.decimals$}{}", self.suffix());
        }
        // As many digits as it takes to tell it from its neighbours.
        let behind_first = (magnitude.log10().floor() - step.log10().floor()).clamp(0.0, DIGITS);
        let behind_first = behind_first as usize;
        let rounded: f64 = format!("{value:.behind_first$e}").parse().unwrap_or(value);
        format!("{}{}", number::exact(rounded), self.unit.suffix())
    }

    fn suffix(self) -> String {
        match self.prefix {
            "" => self.unit.suffix().to_owned(),
            prefix => format!(" {prefix}{}", self.unit.name()),
        }
    }
}

/// The power of ten of the first digit of a finite number other than zero.
#[expect(clippy::cast_possible_truncation, reason = "a float has 633 decades")]
fn exponent(number: f64) -> i32 {
    number.abs().log10().floor() as i32
}

/// A value alone as it is stored; beside it what its size is, where there is a unit to say it in.
pub fn exact(value: f64, unit: Unit) -> String {
    let text = number::exact(value);
    match unit {
        Unit::Bytes => match short(value, unit) {
            short if short.strip_suffix(" B") == Some(&text) => short,
            short => format!("{text} ({short})"),
        },
        other => format!("{text}{}", other.suffix()),
    }
}

/// A value alone in at most `columns` where that is possible: as it is stored if it fits, else with
/// fewer digits.
pub fn within(value: f64, unit: Unit, columns: usize) -> String {
    let text = exact(value, unit);
    if width(&text) <= columns {
        return text;
    }
    let name = unit.suffix();
    format!("{}{name}", number::value(value, columns.saturating_sub(width(name))))
}

/// A value alone, to five significant digits.
pub fn short(value: f64, unit: Unit) -> String {
    if !value.is_finite() {
        return number::short(value);
    }
    let Some(prefixed) = unit.prefixed() else {
        return format!("{}{}", number::exact(number::rounded_to_five(value)), unit.suffix());
    };
    let text = number::scaled(value, prefixed);
    let is_prefixed = text.ends_with(|c: char| c.is_alphabetic());
    let name = if is_prefixed { unit.name() } else { unit.suffix() };
    format!("{text}{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_suggest_units() {
        for (key, unit) in [
            ("palm.memory_used", Unit::Bytes),
            ("palm.net.rx_bytes_total", Unit::Bytes),
            ("palm.mem.percent", Unit::Percent),
            ("palm.mem_usage", Unit::Plain),
            ("palm.memory_total", Unit::Bytes),
            ("palm.memory_faults_total", Unit::Plain),
            ("member.count", Unit::Plain),
            ("palm.cpu", Unit::Plain),
            ("a.RSS", Unit::Bytes),
            ("palm.wait_ms", Unit::Milliseconds),
            ("palm.request.duration.seconds", Unit::Seconds),
            ("palm.gc_micros", Unit::Microseconds),
            ("palm.ms.count", Unit::Plain),
            ("palm.requests_per_ms", Unit::Plain),
            ("palm.seconds_total", Unit::Plain),
        ] {
            assert_eq!(Unit::of(key), unit, "{key}");
        }
    }

    #[test]
    fn a_unit_is_common_to_all_or_to_none() {
        assert_eq!(Unit::common([Unit::Bytes; 2].into_iter()), Unit::Bytes);
        assert_eq!(Unit::common([Unit::Bytes, Unit::Plain].into_iter()), Unit::Plain);
    }

    #[test]
    fn labels_share_a_scale() {
        let times = Scale::new(Unit::Milliseconds, 60.0);
        assert_eq!([0.0, 20.0].map(|value| times.label(value, 20.0)), ["0", "20 ms"]);
        let scale = Scale::new(Unit::Bytes, 1_500_000.0);
        let labels = [0.0, 500_000.0, 1_500_000.0].map(|value| scale.label(value, 500_000.0));
        assert_eq!(labels, ["0", "0.5 MB", "1.5 MB"]);
        assert_eq!(Scale::new(Unit::Plain, 25.0).label(20.0, 5.0), "20");
        assert_eq!(Scale::new(Unit::Plain, 0.05).label(0.025, 0.005), "0.025");
        let quarters = [0.0, 2.5, 5.0].map(|value| Scale::new(Unit::Plain, 5.0).label(value, 2.5));
        assert_eq!(quarters, ["0", "2.5", "5.0"]);
        assert_eq!(Scale::new(Unit::Plain, 0.5).label(0.25, 0.25), "0.25");
        assert_eq!(Scale::new(Unit::Plain, 50.0).label(25.0, 25.0), "25");
        assert_eq!(Scale::new(Unit::Plain, 1e300).label(1e300, 1e299), "1e+300");
        assert_eq!(Scale::new(Unit::Percent, 5000.0).label(5000.0, 1000.0), "5000%");
        assert_eq!(Scale::new(Unit::Plain, 20.0).label(20.000_02, 0.000_01), "20.00002");
        let small = Scale::new(Unit::Plain, 3e-6);
        assert_eq!(
            [0.0, 5e-7, 2e-6].map(|value| small.label(value, 5e-7)),
            ["0", "0.5 µ", "2.0 µ"]
        );
        let tiny = Scale::new(Unit::Plain, 3e-12);
        assert_eq!([1e-12, 2e-12].map(|value| tiny.label(value, 1e-12)), ["1e-12", "2e-12"]);
        assert_eq!(tiny.label(1.000_001e-12, 1e-18), "1.000001e-12");
        assert_eq!(Scale::new(Unit::Plain, 60_000.0).label(20_000.0, 20_000.0), "20000");
        assert_eq!(Scale::new(Unit::Plain, 600_000.0).label(20_000.0, 20_000.0), "20 k");
    }

    #[test]
    fn exact_values_are_as_they_are_stored() {
        for (value, unit, text) in [
            (1_234_557.0, Unit::Plain, "1234557"),
            (20.0001, Unit::Plain, "20.0001"),
            (81_235_000_123.0, Unit::Bytes, "81235000123 (81.235 GB)"),
            (512.0, Unit::Bytes, "512 B"),
            (0.1 + 0.2, Unit::Percent, "0.30000000000000004%"),
        ] {
            assert_eq!(exact(value, unit), text);
        }
    }

    #[test]
    fn a_value_that_does_not_fit_has_fewer_digits() {
        for (value, unit, text) in [
            (1.0 / 60.0, Unit::Plain, "0.016666666667"),
            (81_235_000_123.0, Unit::Bytes, "81235000123 B"),
            (0.1 + 0.2, Unit::Percent, "0.30000000000%"),
            (-1.234_567_890_123_4e-300, Unit::Plain, "-1.234568e-300"),
            (20.5, Unit::Plain, "20.5"),
        ] {
            assert_eq!(within(value, unit, 14), text);
        }
    }

    #[test]
    fn short_values() {
        for (value, unit, text) in [
            (1_385_143.28, Unit::Bytes, "1.3851 MB"),
            (512.0, Unit::Bytes, "512 B"),
            (-1234.56, Unit::Percent, "-1234.6%"),
            (26.59, Unit::Plain, "26.59"),
            (-1234.0, Unit::Plain, "-1234"),
            (0.0, Unit::Percent, "0%"),
            (1234.56, Unit::Milliseconds, "1234.6 ms"),
            (0.012, Unit::Seconds, "0.012 s"),
            (1e-9, Unit::Plain, "1 n"),
            (f64::MAX, Unit::Bytes, "1.7977e+308 B"),
            (f64::NAN, Unit::Plain, "–"),
        ] {
            assert_eq!(short(value, unit), text);
        }
    }
}
