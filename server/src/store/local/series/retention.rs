//! Which points are older than the retention, and which of them may be deleted.

use std::collections::VecDeque;
use std::time::Duration;

/// How long points have to be too old, in running time, before they are deleted.
pub const DELETION_DELAY: Duration = Duration::from_secs(60 * 60);

/// How often the cutoff has to be sampled.
pub const SAMPLE_INTERVAL: Duration = Duration::from_secs(60);

/// The most running time that a sample vouches for. A process that was stopped, or did not sample for
/// other reasons, has not seen what the cutoff was meanwhile.
const MAX_SAMPLE_GAP: Duration = Duration::from_secs(2 * SAMPLE_INTERVAL.as_secs());

/// The oldest timestamp that is kept at the Unix time `now`; the least one when points are kept for
/// ever.
pub fn cutoff(now: i64, retention: Option<Duration>) -> i64 {
    let age = retention.map(|age| i64::try_from(age.as_secs()).unwrap_or(i64::MAX));
    age.map_or(i64::MIN, |age| now.saturating_sub(age))
}

/// The timestamp below which points have been too old throughout the last [`DELETION_DELAY`] of
/// running time, whatever the cutoff was before. So an option or a system time that was wrong for
/// less than that deletes nothing.
///
/// Takes at most a sample a second: some 60 KiB.
#[derive(Debug, Default)]
pub struct DeletionCutoff {
    /// Running time that samples vouch for.
    age: Duration,
    /// The uptime at the last sample; `None` before the first one.
    sampled: Option<Duration>,
    /// Since which age the cutoff has been at least so high, both rising; the first one since before
    /// the delay.
    samples: VecDeque<(Duration, i64)>,
}

impl DeletionCutoff {
    /// Takes the `cutoff` that holds at an `uptime`; calls come by rising uptime.
    pub fn sample(&mut self, uptime: Duration, cutoff: i64) {
        let gap = self.sampled.map_or(Duration::ZERO, |before| uptime.saturating_sub(before));
        self.sampled = self.sampled.max(Some(uptime));
        self.age = self.age.saturating_add(gap.min(MAX_SAMPLE_GAP));
        let mut since = self.age;
        while let Some(&(age, _)) = self.samples.back().filter(|(_, before)| *before >= cutoff) {
            since = age;
            self.samples.pop_back();
        }
        let second = Duration::from_secs(1);
        if self.samples.back().is_none_or(|&(age, _)| since.saturating_sub(age) >= second) {
            self.samples.push_back((since, cutoff));
        }
        // One counts until the next one has held for the delay.
        while self.samples.get(1).is_some_and(|&(age, _)| self.has_held(age)) {
            self.samples.pop_front();
        }
    }

    /// The first timestamp that must not be deleted; the least one before the first delay is over.
    pub fn get(&self) -> i64 {
        let samples = if self.has_held(Duration::ZERO) { self.samples.front() } else { None };
        samples.map_or(i64::MIN, |&(_, cutoff)| cutoff)
    }

    /// The uptime at the last sample; `None` before the first one.
    pub fn sampled(&self) -> Option<Duration> {
        self.sampled
    }

    fn has_held(&self, since: Duration) -> bool {
        self.age.saturating_sub(since) >= DELETION_DELAY
    }
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
    use proptest::prelude::*;

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

    const MINUTE: Duration = SAMPLE_INTERVAL;

    #[test]
    fn an_hour_of_samples_has_to_agree() {
        let hour = 60;
        let steady = |minutes| vec![(minutes, 1000)];
        for (what, spans, expected) in [
            ("nothing", vec![], i64::MIN),
            ("59 minutes", steady(hour), i64::MIN),
            ("an hour", steady(hour + 1), 1000),
            ("a jump of 59 minutes", vec![(100, 1000), (59, 9000), (1, 1000)], 1000),
            ("a jump at the start", vec![(59, 9000), (2, 1000)], 1000),
            ("a jump that stays", vec![(100, 1000), (hour, 9000)], 1000),
            ("a jump that stayed", vec![(100, 1000), (hour + 1, 9000)], 9000),
            ("two jumps", vec![(100, 1000), (50, 9000), (1, 1000), (50, 9000)], 1000),
            ("back for a moment", vec![(100, 1000), (1, -5), (59, 1000)], -5),
            ("back an hour ago", vec![(100, 1000), (1, -5), (hour, 1000), (1, 1000)], 1000),
        ] {
            let mut deletion = DeletionCutoff::default();
            let samples = spans.into_iter().flat_map(|(minutes, cutoff)| vec![cutoff; minutes]);
            for (minute, cutoff) in (0..).zip(samples) {
                deletion.sample(MINUTE * minute, cutoff);
            }
            assert_eq!(deletion.get(), expected, "{what}");
        }
    }

    #[test]
    fn a_time_without_samples_counts_for_little() {
        let mut deletion = DeletionCutoff::default();
        for day in 0..=30 {
            assert_eq!(deletion.get(), i64::MIN, "{day}");
            deletion.sample(MINUTE * 60 * 24 * day, 1000);
        }
        assert_eq!(deletion.get(), 1000);
    }

    proptest! {
        #[test]
        fn what_may_be_deleted_was_too_old_all_the_time(
            samples in prop::collection::vec((1..200u64, -20..20i64), 0..300),
        ) {
            let mut deletion = DeletionCutoff::default();
            let (mut uptime, mut age) = (Duration::ZERO, Duration::ZERO);
            let mut all: Vec<(Duration, i64)> = Vec::new();
            for (gap, cutoff) in samples {
                let gap = Duration::from_secs(gap);
                uptime += gap;
                age += if all.is_empty() { Duration::ZERO } else { gap.min(MAX_SAMPLE_GAP) };
                all.push((age, cutoff));
                deletion.sample(uptime, cutoff);
                let before = all.iter().rposition(|&(at, _)| at + DELETION_DELAY <= age);
                let lowest = before.map(|at| all[at..].iter().map(|&(_, cutoff)| cutoff).min());
                prop_assert_eq!(deletion.get(), lowest.flatten().unwrap_or(i64::MIN));
                prop_assert!(deletion.samples.len() < 40);
            }
        }
    }

    #[test]
    fn many_samples_take_little_room() {
        let mut deletion = DeletionCutoff::default();
        for tick in 0..40_000 {
            deletion.sample(Duration::from_millis(200) * tick, tick.into());
        }
        assert!(deletion.samples.len() <= 3602, "{}", deletion.samples.len());
        assert_eq!(deletion.get(), (40_000 - 3600 * 5) / 5 * 5 - 5);
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
