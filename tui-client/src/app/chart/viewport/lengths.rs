//! The lengths of a window that zooming goes through: round ones, each at least twice the one
//! before, so that the way back leads through the same windows.

use super::MIN_SPAN;

const MINUTE: i128 = 60;
const HOUR: i128 = 60 * MINUTE;
const DAY: i128 = 24 * HOUR;
const YEAR: i128 = 31_557_600;

/// In seconds; those behind are years.
const UP_TO_HALF_A_YEAR: [i128; 19] = [
    MIN_SPAN,
    10,
    30,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
    14 * DAY,
    30 * DAY,
    90 * DAY,
    180 * DAY,
];

/// The round lengths in rising order; the longest is longer than all of time.
fn lengths() -> impl Iterator<Item = i128> {
    let powers = (0..13).map(|power| 10_i128.pow(power));
    let years = powers.flat_map(|power| [1, 2, 5].map(|times| times * power * YEAR));
    UP_TO_HALF_A_YEAR.into_iter().chain(years)
}

/// The next longer round length, about twice as long at least.
pub(super) fn longer(span: i128) -> i128 {
    at_least(span * 9 / 5)
}

/// The least round length that is at least so long.
pub(super) fn at_least(span: i128) -> i128 {
    lengths().find(|&length| length >= span).unwrap_or(span)
}

/// The next shorter round length, about half as long at most.
pub(super) fn shorter(span: i128) -> i128 {
    let shorter = lengths().take_while(|length| length * 9 / 5 <= span);
    shorter.last().unwrap_or(MIN_SPAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_length_is_about_twice_the_one_before_and_leads_back_to_it() {
        let lengths: Vec<i128> = lengths().collect();
        for pair in lengths.windows(2) {
            assert!(2 * pair[0] <= pair[1] && pair[1] <= 4 * pair[0], "{pair:?}");
            assert_eq!((longer(pair[0]), shorter(pair[1])), (pair[1], pair[0]));
        }
        assert!(lengths.last() > Some(&(1 << 64)));
        assert_eq!((longer(1000), shorter(1000)), (1800, 300));
        assert_eq!((longer(273 * DAY + 16 * HOUR), shorter(273 * DAY)), (2 * YEAR, 90 * DAY));
        assert_eq!((longer(0), shorter(0)), (MIN_SPAN, MIN_SPAN));
    }
}
