//! Requests that the server accepts though they are probably mistakes.

use crate::request::normalize;
use crate::request::selector::{needs_extension, selector_of};

/// In seconds. A timestamp further ahead is suspicious.
const YEAR: i64 = 31_557_600;

/// 1990 in Unix seconds: metrics are hardly older.
const OLDEST: i64 = 631_152_000;

/// Finer units of clocks, and how many of each are a second.
const FINER: [(&str, i64); 3] =
    [("milliseconds", 1_000), ("microseconds", 1_000_000), ("nanoseconds", 1_000_000_000)];

/// Where the selector extension is missing, a glob is an unknown key.
pub const NO_GLOBS: &str = "this server knows no globs";

/// The line is a `get` with a selector that only the extension of the protocol has.
pub fn is_extended(text: &str) -> bool {
    let request = &text.as_bytes()[normalize::body(text.as_bytes())];
    selector_of(request).is_some_and(needs_extension)
}

/// The unit in which a timestamp far ahead would be one of metrics, or a question; none when it is not far
/// ahead.
pub fn suspicious_timestamp(timestamp: i64, now: i64) -> Option<&'static str> {
    if timestamp.saturating_sub(now) <= YEAR {
        return None;
    }
    let is_usual = |per: i64| (OLDEST..=now.saturating_add(YEAR)).contains(&(timestamp / per));
    let finer = FINER.into_iter().find(|&(_, per)| is_usual(per));
    Some(finer.map_or("is that meant", |(name, _)| name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finer_units_than_seconds_are_recognized() {
        let now = 1_795_388_797;
        for (timestamp, what) in [
            (now, None),
            (0, None),
            (i64::MIN, None),
            (now + YEAR, None),
            (now + 2 * YEAR, Some("is that meant")),
            (now * 1_000 + 999, Some("milliseconds")),
            (1_150_864_247_000, Some("milliseconds")),
            (now * 1_000_000, Some("microseconds")),
            (1_150_864_247_000_000, Some("microseconds")),
            (now * 1_000_000_000, Some("nanoseconds")),
            (i64::MAX, Some("is that meant")),
        ] {
            assert_eq!(suspicious_timestamp(timestamp, now), what, "{timestamp}");
        }
    }
}
