//! Which points are older than the retention, and which of them may be deleted.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use crate::store::query::MAX_CLOCK_SKEW;

use shared::Point;

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

/// About how many of the `points` of a chunk are before `cutoff`, as if they were evenly spread over
/// its `range`.
pub fn estimate_expired(range: (i64, i64), points: u32, cutoff: i64) -> u64 {
    let (first, last) = range;
    if cutoff <= first {
        return 0;
    }
    if last < cutoff {
        return points.into();
    }
    let share = u128::from(cutoff.abs_diff(first)) * u128::from(points);
    // At most the points, since the cutoff is not beyond the last one.
    u64::try_from(share / u128::from(last.abs_diff(first)).max(1)).unwrap_or(points.into())
}

/// A span of time in whole seconds, as options take it: `30d`, `1d12h`, `90s` as `1min30s`.
#[derive(Debug, Clone, Copy)]
pub struct Age(pub Duration);

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = self.0.as_secs();
        for (unit, seconds) in [("d", 86_400), ("h", 3600), ("min", 60)] {
            if left >= seconds {
                write!(f, "{}{unit}", left / seconds)?;
                left %= seconds;
            }
        }
        if left > 0 || self.0.as_secs() == 0 { write!(f, "{left}s") } else { Ok(()) }
    }
}

/// The newest timestamp at the Unix time `now` that is not stray.
pub fn newest_present(now: i64) -> i64 {
    now.saturating_add(MAX_CLOCK_SKEW)
}

/// What is expired at a moment.
#[derive(Debug, Clone, Copy)]
pub struct Expiry {
    /// Points before this are.
    pub cutoff: i64,
    /// Points beyond this are stray: they lie in the future, and when they expire says nothing about
    /// the others.
    pub newest: i64,
}

/// Whose points a chunk holds, as far as its index entry and a look into it say.
#[derive(Debug, Clone, Copy)]
pub struct ChunkSpan {
    /// The first timestamp.
    pub first: i64,
    /// The last timestamp.
    pub last: i64,
    /// Number of points.
    pub points: u32,
    /// Those that are not stray; `None` when the chunk was not read.
    pub present: Option<Present>,
}

/// The points of a chunk that are not stray.
#[derive(Debug, Clone, Copy)]
pub struct Present {
    /// Number of points.
    pub points: u32,
    /// The last timestamp.
    pub last: i64,
}

impl Expiry {
    /// Whether a point lies in the future.
    pub fn is_stray(&self, timestamp: i64) -> bool {
        timestamp > self.newest
    }

    /// Whether anything can be expired: nothing is without a retention, nor in the first hour of a process.
    pub fn expires_any(&self) -> bool {
        self.cutoff > i64::MIN
    }

    /// Whether a chunk with these timestamps has to be read to know what of it is expired: its last
    /// point is stray, its first one is too old.
    pub fn has_to_read(&self, first: i64, last: i64) -> bool {
        first < self.cutoff && self.is_stray(last)
    }

    /// The points of a chunk to be, and the stray ones behind them as a chunk of their own.
    pub fn split_strays<'p>(&self, points: &'p [Point]) -> [&'p [Point]; 2] {
        points.split_at(points.partition_point(|point| !self.is_stray(point.timestamp))).into()
    }

    /// The share of the points that are expired, from 0 to 1. Stray points don't count, so they keep
    /// no others. The points of a chunk expire together, with its last one that is not stray.
    pub fn share(&self, chunks: impl IntoIterator<Item = ChunkSpan>) -> f64 {
        let (mut expired, mut all) = (0_u64, 0_u64);
        if !self.expires_any() {
            return 0.0;
        }
        for chunk in chunks {
            let whole = Present { points: chunk.points, last: chunk.last };
            let known = chunk.present.unwrap_or(whole);
            let present = if self.is_stray(chunk.last) { known } else { whole };
            if !self.is_stray(chunk.first) {
                all += u64::from(present.points);
            }
            let gone = [whole, known].into_iter().find(|points| points.last < self.cutoff);
            expired += gone.map_or(0, |gone| u64::from(gone.points));
        }
        #[expect(clippy::cast_precision_loss, reason = "a share needs no more")]
        let share = expired as f64 / all.max(1) as f64;
        share
    }
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
            let expiry = Expiry { cutoff: expected, newest: i64::MAX };
            assert_eq!(expiry.expires_any(), expected != i64::MIN, "{expected}");
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
    fn expired_points_are_estimated_by_time() {
        for (range, points, cutoff, expected) in [
            ((0, 99), 100, 0, 0),
            ((0, 99), 100, 100, 100),
            ((0, 100), 10, 50, 5),
            ((5, 5), 1, 5, 0),
            ((5, 5), 1, 6, 1),
            ((i64::MIN, i64::MAX), u32::MAX, 0, (1 << 31) - 1),
            ((i64::MIN, i64::MAX), 7, i64::MAX, 7),
        ] {
            assert_eq!(estimate_expired(range, points, cutoff), expected, "{range:?} {cutoff}");
        }
    }

    #[test]
    fn ages_are_written_as_they_are_typed() {
        for (seconds, text) in [
            (0, "0s"),
            (90, "1min30s"),
            (3600, "1h"),
            (36 * 3600, "1d12h"),
            (30 * 86_400, "30d"),
            (31_557_600, "365d6h"),
        ] {
            assert_eq!(Age(Duration::from_secs(seconds)).to_string(), text);
        }
    }

    #[test]
    fn chunks_expire_with_their_last_point_that_is_not_stray() {
        let expiry = Expiry { cutoff: 10, newest: 100 };
        let chunk = |first, last, points| ChunkSpan { first, last, points, present: None };
        let read = |first, last, points, present: (u32, i64)| ChunkSpan {
            present: Some(Present { points: present.0, last: present.1 }),
            ..chunk(first, last, points)
        };
        for (what, chunks, share) in [
            ("nothing", vec![], 0.0),
            ("all present", vec![chunk(10, 100, 5)], 0.0),
            ("all expired", vec![chunk(1, 9, 5)], 1.0),
            ("by points", vec![chunk(1, 9, 9), chunk(10, 11, 3)], 0.75),
            ("partly expired", vec![chunk(1, 10, 9)], 0.0),
            ("a stray, not read", vec![chunk(1, 101, 9)], 0.0),
            ("a stray", vec![read(1, 101, 9, (8, 9))], 1.0),
            ("a stray, the others partly expired", vec![read(1, 101, 9, (8, 10))], 0.0),
            ("more strays than others", vec![chunk(101, 900, 90), chunk(1, 9, 2)], 1.0),
            ("strays alone", vec![chunk(101, 900, 90)], 0.0),
            ("a stray whose time has come", vec![read(1, 100, 10, (8, 9))], 0.8),
            ("a stray whose time is over", vec![read(1, 9, 10, (8, 8))], 1.0),
        ] {
            assert!((expiry.share(chunks) - share).abs() < 1e-9, "{what}");
        }
        for (first, last, has_to_read) in [(9, 101, true), (9, 100, false), (10, 101, false)] {
            assert_eq!(expiry.has_to_read(first, last), has_to_read, "{first} {last}");
        }
    }
}
