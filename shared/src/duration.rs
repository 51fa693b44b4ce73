//! Spans of time as a selector has them: `90s`, `15m`, `6h`, `7d`, `2w`.

use std::fmt;
use std::str::FromStr;

/// Units and their seconds, the longest first.
const UNITS: [(char, u32); 5] = [('w', 604_800), ('d', 86_400), ('h', 3600), ('m', 60), ('s', 1)];

/// A span of whole seconds, from 0 to 2^63 - 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(i64);

/// Why a word is no duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Not digits and one unit.
    #[error("a duration is a whole number and s, m, h, d or w, such as 90s, 15m or 6h")]
    Malformed,
    /// More than 2^63 - 1 seconds.
    #[error("a duration fits 63 bits")]
    OutOfRange,
}

impl Duration {
    /// A span of so many seconds; `None` below 0.
    pub fn from_seconds(seconds: i64) -> Option<Self> {
        (seconds >= 0).then_some(Self(seconds))
    }

    /// Its seconds, never below 0.
    pub fn seconds(self) -> i64 {
        self.0
    }
}

impl FromStr for Duration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        let (digits, seconds) = split_unit(text).ok_or(DurationError::Malformed)?;
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(DurationError::Malformed);
        }
        let count: i64 = digits.parse().map_err(|_| DurationError::OutOfRange)?;
        count.checked_mul(seconds.into()).map(Self).ok_or(DurationError::OutOfRange)
    }
}

impl fmt::Display for Duration {
    /// With the longest unit that leaves a whole number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = |&&(_, seconds): &&(char, u32)| self.0 != 0 && self.0 % i64::from(seconds) == 0;
        let (unit, seconds) = UNITS.iter().find(whole).unwrap_or(&('s', 1));
        write!(f, "{}{unit}", self.0 / i64::from(*seconds))
    }
}

/// Cuts the unit off the end of `text`: what stands before it, and the seconds of the unit.
pub fn split_unit(text: &str) -> Option<(&str, u32)> {
    UNITS.iter().find_map(|&(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_digits_and_a_unit() {
        for (text, seconds, printed) in [
            ("90s", 90, "90s"),
            ("15m", 900, "15m"),
            ("6h", 21_600, "6h"),
            ("7d", 604_800, "1w"),
            ("2w", 1_209_600, "2w"),
            ("0w", 0, "0s"),
            ("0060s", 60, "1m"),
            ("9223372036854775807s", i64::MAX, "9223372036854775807s"),
        ] {
            let duration: Duration = text.parse().unwrap();
            assert_eq!((duration.seconds(), duration.to_string().as_str()), (seconds, printed));
        }
        for text in ["", "s", "1", "+1s", "-1s", "1.5h", "1e3s", "1ms", "1S", "1 s", "1h30m", "١s"]
        {
            assert_eq!(text.parse::<Duration>(), Err(DurationError::Malformed), "{text}");
        }
        for text in ["9223372036854775808s", "153722867280912931m", "99999999999999999999w"] {
            assert_eq!(text.parse::<Duration>(), Err(DurationError::OutOfRange), "{text}");
        }
    }
}
