//! Which points are older than the retention.

use std::time::Duration;

/// The oldest timestamp that is kept at the Unix time `now`; the least one when points are kept for
/// ever.
pub fn cutoff(now: i64, retention: Option<Duration>) -> i64 {
    let age = retention.map(|age| i64::try_from(age.as_secs()).unwrap_or(i64::MAX));
    age.map_or(i64::MIN, |age| now.saturating_sub(age))
}

/// The newest timestamp that is taken at the Unix time `now`; the greatest one when there is no
/// limit.
pub fn newest_accepted(now: i64, max_ahead: Option<Duration>) -> i64 {
    let ahead = max_ahead.map(|ahead| i64::try_from(ahead.as_secs()).unwrap_or(i64::MAX));
    ahead.map_or(i64::MAX, |ahead| now.saturating_add(ahead))
}

/// The share of chunks all of whose points are expired, from 0 to 1; `last` are the last timestamps
/// of the chunks.
pub fn expired_share(last: impl IntoIterator<Item = i64>, cutoff: i64) -> f64 {
    let (mut expired, mut all) = (0_u64, 0_u64);
    for last in last {
        all += 1;
        expired += u64::from(last < cutoff);
    }
    #[expect(clippy::cast_precision_loss, reason = "a share needs no more")]
    let share = expired as f64 / all.max(1) as f64;
    share
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cutoff_is_the_age_before_now() {
        let second = Duration::from_secs(1);
        for (now, retention, expected) in [
            (1000, None, i64::MIN),
            (1000, Some(second), 999),
            (0, Some(second), -1),
            (-5, Some(second * 10), -15),
            (i64::MIN + 1, Some(second * 10), i64::MIN),
            (1000, Some(Duration::MAX), 1000 - i64::MAX),
        ] {
            assert_eq!(cutoff(now, retention), expected, "{now} {retention:?}");
        }
    }

    #[test]
    fn the_newest_timestamp_is_ahead_of_now() {
        let day = Some(Duration::from_secs(86_400));
        for (now, max_ahead, expected) in [
            (1000, None, i64::MAX),
            (1000, day, 87_400),
            (i64::MAX - 1, day, i64::MAX),
            (-5, Some(Duration::MAX), i64::MAX - 5),
        ] {
            assert_eq!(newest_accepted(now, max_ahead), expected, "{now} {max_ahead:?}");
        }
    }

    #[test]
    fn a_chunk_expires_with_its_last_point() {
        for (last, share) in
            [(vec![], 0.0), (vec![10], 0.0), (vec![9], 1.0), (vec![9, 10, 11, 8], 0.5)]
        {
            assert!((expired_share(last.clone(), 10) - share).abs() < 1e-9, "{last:?}");
        }
    }
}
