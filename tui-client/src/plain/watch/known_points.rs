//! The newest points of each followed key: what is printed, so that repeats are told apart, and
//! what alerts evaluate.

use std::collections::{BTreeMap, HashMap};

use shared::{Key, KeyBuf, Point};

use crate::metrics::series::summary::Summarizer;
use crate::metrics::series::{Series, present_until};

/// Seconds before the newest point from which on a follow is asked for again, so that points are
/// remembered as long.
const REPEATED: i64 = 60;

/// Points of a key that are remembered at most, besides those that are evaluated.
const MAX_REMEMBERED: usize = 1024;

/// Points of a key that are remembered at least, as many as a change or a rate needs.
const MIN_REMEMBERED: usize = 2;

/// What is remembered of a point.
#[derive(Debug, Clone, Copy)]
struct Known {
    value: f64,
    is_printed: bool,
}

/// The points of a key by their times.
#[derive(Debug)]
struct KnownKey {
    points: BTreeMap<i64, Known>,
    /// The last point that was printed without those before it.
    first: i64,
    /// The newest point at the start, while the history up to it is still to come.
    history_until: i64,
}

impl Default for KnownKey {
    fn default() -> Self {
        Self { points: BTreeMap::new(), first: i64::MIN, history_until: i64::MIN }
    }
}

/// The newest points of each key.
#[derive(Debug, Default)]
pub(super) struct KnownPoints {
    keys: HashMap<KeyBuf, KnownKey>,
    /// The newest time of all that is not too far ahead.
    newest: Option<i64>,
}

impl KnownPoints {
    /// Nothing is known.
    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The time from which on a follow repeats what may have been missed; none without points.
    pub(super) fn resume_from(&self) -> Option<i64> {
        self.newest.map(|newest| newest.saturating_sub(REPEATED))
    }

    /// Some point is known of a key of which this holds.
    pub(super) fn any(&self, mut holds: impl FnMut(&str) -> bool) -> bool {
        self.keys.keys().any(|key| holds(key.as_str()))
    }

    /// Some point of the key is known.
    pub(super) fn has(&self, key: &str) -> bool {
        self.keys.contains_key(key)
    }

    /// The point was there before the key was first printed, or is so old as if it had been.
    pub(super) fn is_history(&self, key: &str, timestamp: i64) -> bool {
        let known = self.keys.get(key);
        known.is_some_and(|known| timestamp < known.first && !known.points.contains_key(&timestamp))
    }

    /// Adds the last point of a key, which is printed without those before it.
    pub(super) fn begin_with(&mut self, key: Key<'_>, last: Point, now: i64) {
        self.add(key, last, true, now);
        if let Some(known) = self.keys.get_mut(key.as_str()) {
            known.first = last.timestamp;
        }
    }

    /// The follow brings the history of a key up to this time before it brings news.
    pub(super) fn expect_history(&mut self, key: Key<'_>, until: i64) {
        if let Some(known) = self.keys.get_mut(key.as_str()) {
            known.history_until = known.history_until.max(until);
        }
    }

    /// A point of the follow is news, not one of the expected history. The end of the history is
    /// noticed.
    pub(super) fn is_news(&mut self, key: &str, timestamp: i64) -> bool {
        let Some(known) = self.keys.get_mut(key) else { return true };
        let is_news = timestamp >= known.history_until;
        if is_news {
            known.history_until = i64::MIN;
        }
        is_news
    }

    /// Adds a point; says whether it was known, and whether it was printed, with this value.
    pub(super) fn add(
        &mut self,
        key: Key<'_>,
        point: Point,
        is_printed: bool,
        now: i64,
    ) -> (bool, bool) {
        let Point { timestamp, value } = point;
        if timestamp <= present_until(now) {
            self.newest = self.newest.max(Some(timestamp));
        }
        let KnownKey { points, .. } = match self.keys.get_mut(key.as_str()) {
            Some(known) => known,
            None => self.keys.entry(key.to_owned()).or_default(),
        };
        let before = points.insert(timestamp, Known { value, is_printed });
        let before = before.filter(|before| before.value.to_bits() == value.to_bits());
        let oldest = self.newest.map_or(i64::MIN, |newest| newest.saturating_sub(REPEATED));
        while points.len() > MIN_REMEMBERED
            && let Some(first) = points.first_entry()
            && (*first.key() < oldest || points.len() > MAX_REMEMBERED)
        {
            points.pop_first();
        }
        (before.is_some(), before.is_some_and(|before| before.is_printed))
    }

    /// Forgets a point that is taken back; says whether it was the last known one of its key.
    pub(super) fn remove(&mut self, key: Key<'_>, timestamp: i64) -> bool {
        let Some(KnownKey { points, .. }) = self.keys.get_mut(key.as_str()) else { return false };
        points.remove(&timestamp);
        let is_gone = points.is_empty();
        if is_gone {
            self.keys.remove(key.as_str());
        }
        is_gone
    }

    /// The series of the newest points of a key, without those too far ahead unless all are.
    pub(super) fn series(&self, key: &str, now: i64) -> Option<Series> {
        let (key, KnownKey { points, .. }) = self.keys.get_key_value(key)?;
        let present = points.range(..=present_until(now));
        let newest = |points: &mut dyn DoubleEndedIterator<Item = (&i64, &Known)>| {
            let mut summarizer = Summarizer::new(MIN_REMEMBERED);
            let newest: Vec<_> = points.rev().take(MIN_REMEMBERED).collect();
            for (&timestamp, &Known { value, .. }) in newest.into_iter().rev() {
                summarizer.add(key.as_key(), Point { timestamp, value });
            }
            summarizer.finish().series.pop()
        };
        newest(&mut present.into_iter()).or_else(|| newest(&mut points.iter()))
    }

    /// The series of all keys that are wanted.
    pub(super) fn all_series(&self, is_wanted: impl Fn(&str) -> bool, now: i64) -> Vec<Series> {
        let keys = self.keys.keys().map(KeyBuf::as_str).filter(|key| is_wanted(key));
        keys.filter_map(|key| self.series(key, now)).collect()
    }

    /// Takes out the last point of each key that is wanted, not one too far ahead unless all are.
    pub(super) fn take_last(
        &mut self,
        is_wanted: impl Fn(&str) -> bool,
        now: i64,
    ) -> impl Iterator<Item = (KeyBuf, Point)> {
        let taken = self.keys.extract_if(move |key, _| is_wanted(key.as_str()));
        taken.filter_map(move |(key, known)| {
            let present = known.points.range(..=present_until(now)).next_back();
            let (&timestamp, &Known { value, .. }) = present.or(known.points.last_key_value())?;
            Some((key, Point { timestamp, value }))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(points: &[(i64, f64)], now: i64) -> KnownPoints {
        let mut known = KnownPoints::default();
        for &(timestamp, value) in points {
            known.add(Key::new("a").unwrap(), Point { timestamp, value }, true, now);
        }
        known
    }

    #[test]
    fn repeats_are_told_apart_by_time_and_value() {
        let key = Key::new("a").unwrap();
        let mut known = known(&[(1000, 1.0), (1010, 2.0)], 1010);
        let mut add = |timestamp, value| known.add(key, Point { timestamp, value }, true, 1010);
        assert_eq!(add(1000, 1.0), (true, true));
        assert_eq!(add(1000, 1.5), (false, false), "a new value");
        assert_eq!(add(990, 1.0), (false, false), "late");
        assert_eq!(known.resume_from(), Some(950));
        assert_eq!(
            (known.remove(key, 1000), known.remove(key, 990), known.remove(key, 7)),
            (false, false, false)
        );
        assert!(known.remove(key, 1010) && known.is_empty());
    }

    #[test]
    fn memory_is_bounded_by_a_minute_and_a_number() {
        let points: Vec<_> = (0..10_000).map(|time| (time, 1.0)).collect();
        assert_eq!(known(&points, 10_000).keys["a"].points.len(), 61);
        assert_eq!(known(&points, 0).keys["a"].points.len(), MAX_REMEMBERED, "all of them ahead");
        assert_eq!(known(&[(1, 1.0), (2, 1.0), (9000, 1.0)], 9000).keys["a"].points.len(), 2);
    }

    #[test]
    fn points_before_the_first_printed_one_are_history() {
        let mut known = KnownPoints::default();
        let key = Key::new("a").unwrap();
        known.begin_with(key, Point { timestamp: 1000, value: 1.0 }, 1000);
        known.add(key, Point { timestamp: 970, value: 1.0 }, true, 1000);
        let is_history = |timestamp| known.is_history("a", timestamp);
        assert_eq!([970, 980, 1000, 1010].map(is_history), [false, true, false, false]);
        assert!(!known.is_history("b", 980));
    }

    #[test]
    fn history_ends_with_the_newest_point_at_the_start() {
        let mut known = known(&[(1000, 1.0), (1010, 2.0)], 1010);
        assert!(known.is_news("a", 980), "none is expected");
        for until in [1000, 1010] {
            known.expect_history(Key::new("a").unwrap(), until);
        }
        let mut is_news = |timestamp| known.is_news("a", timestamp);
        assert_eq!([980, 1000, 1010, 980].map(&mut is_news), [false, false, true, true]);
        assert!(known.is_news("b", 1));
    }

    #[test]
    fn a_point_far_ahead_is_not_the_present() {
        let known = known(&[(1000, 1.0), (1010, 2.0), (999_999, 9.0)], 1010);
        let series = known.series("a", 1010).unwrap();
        assert_eq!((series.last.value, series.change()), (2.0, Some(1.0)));
        assert_eq!(known.resume_from(), Some(950));
        assert_eq!(known.series("a", 999_999).unwrap().last.timestamp, 999_999);
    }
}
