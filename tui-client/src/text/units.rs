//! Numbers on an axis: scaled by k, M, G and with the unit that a key's name suggests.

use crate::text::number;

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
}

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
        if any(&PERCENT) {
            Self::Percent
        } else if words().any(|word| word == "bytes") || (any(&BYTES) && !any(&COUNTS)) {
            Self::Bytes
        } else {
            Self::Plain
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Bytes => "B",
            Self::Percent => "%",
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
        const PREFIXES: [(f64, &str); 6] =
            [(1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, "")];
        let fits = PREFIXES.into_iter().find(|&(divisor, _)| greatest.abs() >= divisor);
        let (divisor, prefix) = match (fits, unit) {
            (Some(fits), Unit::Plain | Unit::Bytes) => fits,
            _ => (1.0, ""),
        };
        Self { unit, divisor, prefix }
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
        format!("{}{}", number::exact(rounded), self.unit.name())
    }

    fn suffix(self) -> String {
        format!("{}{}", self.prefix, self.unit.name())
    }
}

/// A value alone as it is stored; beside it what its size is, where there is a unit to say it in.
pub fn exact(value: f64, unit: Unit) -> String {
    let text = number::exact(value);
    match unit {
        Unit::Plain => text,
        Unit::Percent => format!("{text}%"),
        Unit::Bytes => match short(value, unit) {
            short if short.strip_suffix('B') == Some(&text) => short,
            short => format!("{text} ({short})"),
        },
    }
}

/// A value alone in at most `width` columns where that is possible: as it is stored if it fits, else
/// with fewer digits.
pub fn within(value: f64, unit: Unit, width: usize) -> String {
    let text = exact(value, unit);
    if text.len() <= width {
        return text;
    }
    let name = unit.name();
    format!("{}{name}", number::value(value, width.saturating_sub(name.len())))
}

/// A value alone, to four digits.
pub fn short(value: f64, unit: Unit) -> String {
    if !value.is_finite() {
        return number::rounded(value, 9);
    }
    let scale = Scale::new(unit, value);
    let scaled = value / scale.divisor;
    let magnitude = scaled.abs();
    if magnitude >= 1e6 || (magnitude < 1e-3 && value != 0.0) {
        return format!("{}{}", number::rounded(value, 9), unit.name());
    }
    let rounded: f64 = format!("{scaled:.3e}").parse().unwrap_or(scaled);
    format!("{}{}", number::value(rounded + 0.0, 9), scale.suffix())
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
            ("member.count", Unit::Plain),
            ("palm.cpu", Unit::Plain),
            ("a.RSS", Unit::Bytes),
        ] {
            assert_eq!(Unit::of(key), unit, "{key}");
        }
    }

    #[test]
    fn labels_share_a_scale() {
        let scale = Scale::new(Unit::Bytes, 1_500_000.0);
        let labels = [0.0, 500_000.0, 1_500_000.0].map(|value| scale.label(value, 500_000.0));
        assert_eq!(labels, ["0", "0.5MB", "1.5MB"]);
        assert_eq!(Scale::new(Unit::Plain, 25.0).label(20.0, 5.0), "20");
        assert_eq!(Scale::new(Unit::Plain, 0.05).label(0.025, 0.005), "0.025");
        assert_eq!(Scale::new(Unit::Plain, 1e300).label(1e300, 1e299), "1e+300");
        assert_eq!(Scale::new(Unit::Percent, 5000.0).label(5000.0, 1000.0), "5000%");
        assert_eq!(Scale::new(Unit::Plain, 20.0).label(20.000_02, 0.000_01), "20.00002");
        let tiny = Scale::new(Unit::Plain, 3e-9);
        assert_eq!([0.0, 1e-9, 2e-9].map(|value| tiny.label(value, 1e-9)), ["0", "1e-09", "2e-09"]);
        assert_eq!(tiny.label(1.000_001e-9, 1e-15), "1.000001e-09");
    }

    #[test]
    fn exact_values_are_as_they_are_stored() {
        for (value, unit, text) in [
            (1_234_557.0, Unit::Plain, "1234557"),
            (20.0001, Unit::Plain, "20.0001"),
            (81_235_000_123.0, Unit::Bytes, "81235000123 (81.24GB)"),
            (512.0, Unit::Bytes, "512B"),
            (0.1 + 0.2, Unit::Percent, "0.30000000000000004%"),
        ] {
            assert_eq!(exact(value, unit), text);
        }
    }

    #[test]
    fn a_value_that_does_not_fit_has_fewer_digits() {
        for (value, unit, text) in [
            (1.0 / 60.0, Unit::Plain, "0.016666666667"),
            (81_235_000_123.0, Unit::Bytes, "81235000123B"),
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
            (1_385_143.28, Unit::Bytes, "1.385MB"),
            (26.59, Unit::Plain, "26.59"),
            (-1234.0, Unit::Plain, "-1.234k"),
            (0.0, Unit::Percent, "0%"),
            (1e-9, Unit::Plain, "1e-09"),
            (f64::MAX, Unit::Bytes, "1.798e308B"),
            (f64::NAN, Unit::Plain, "–"),
        ] {
            assert_eq!(short(value, unit), text);
        }
    }
}
