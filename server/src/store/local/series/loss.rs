//! What the disk no longer gives back: of which series, from when to when.

use super::series_index::{EVERY_SERIES, SeriesId};
use super::time_ranges::TimeRanges;
use crate::store::query::Window;

/// Losses beyond which a deletion that covers only a part of one leaves it as it is.
const MAX_SPLIT: usize = 4096;

/// Series and timestamps, the first and the last of both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Extent {
    /// The least id.
    pub first_series: SeriesId,
    /// The greatest id.
    pub last_series: SeriesId,
    /// The least timestamp.
    pub from: i64,
    /// The greatest timestamp.
    pub to: i64,
}

impl Extent {
    /// No series and no time.
    pub const EMPTY: Self =
        Self { first_series: SeriesId::MAX, last_series: 0, from: i64::MAX, to: i64::MIN };

    /// Every series at any time.
    pub const ALL: Self =
        Self { first_series: 0, last_series: SeriesId::MAX, from: i64::MIN, to: i64::MAX };

    /// One series from `from` to `to`.
    pub fn of(series: SeriesId, (from, to): (i64, i64)) -> Self {
        Self { first_series: series, last_series: series, from, to }
    }

    /// Whether there is no series or no time in it.
    pub fn is_empty(&self) -> bool {
        self.first_series > self.last_series || self.from > self.to
    }

    /// Whether a series is in it; of [`EVERY_SERIES`] any.
    pub fn has_series(&self, series: SeriesId) -> bool {
        series == EVERY_SERIES || (self.first_series..=self.last_series).contains(&series)
    }

    /// The times.
    pub fn times(&self) -> (i64, i64) {
        (self.from, self.to)
    }

    /// Grows to hold a series and the times from `from` to `to`.
    pub fn add(&mut self, series: SeriesId, (from, to): (i64, i64)) {
        self.first_series = self.first_series.min(series);
        self.last_series = self.last_series.max(series);
        self.from = self.from.min(from);
        self.to = self.to.max(to);
    }

    /// Grows to hold another one, unless that is empty.
    pub fn extend(&mut self, other: &Self) {
        if !other.is_empty() {
            self.add(other.first_series, other.times());
            self.add(other.last_series, other.times());
        }
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self {
            first_series: self.first_series.max(other.first_series),
            last_series: self.last_series.min(other.last_series),
            from: self.from.max(other.from),
            to: self.to.min(other.to),
        }
    }
}

/// Points that a damaged file no longer gives back: all that it had of some series in some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Loss {
    /// Of which series and times.
    pub extent: Extent,
    /// `None` when the keys of all its series are known from elsewhere. Otherwise a series whose id is
    /// this or a later one may have been begun because nothing knew its key any more.
    pub unnamed: Option<SeriesId>,
}

impl Loss {
    /// All that something was about, along with the keys: no id up to the last one is given again, and
    /// nothing is known about that without an extent.
    pub fn with_names(extent: Extent) -> Self {
        let is_known = extent.last_series < Extent::ALL.last_series;
        Self { extent, unnamed: Some(if is_known { extent.last_series + 1 } else { 0 }) }
    }

    /// All of both and what is between them.
    fn united(&self, other: &Self) -> Self {
        let mut extent = self.extent;
        extent.extend(&other.extent);
        let unnamed = [self.unnamed, other.unnamed].into_iter().flatten().min();
        Self { extent, unnamed }
    }
}

/// What was lost of a file or of several.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Losses(Vec<Loss>);

impl Losses {
    /// Adds a loss, unless it is empty. Beyond [`MAX_SPLIT`] it becomes one with the last: more may be
    /// refused then than was lost, and never less.
    pub fn add(&mut self, loss: Loss) {
        if loss.extent.is_empty() || self.0.last() == Some(&loss) {
            return;
        }
        let is_full = self.0.len() >= MAX_SPLIT;
        if is_full && let Some(last) = self.0.last_mut() {
            *last = last.united(&loss);
        } else if !self.0.contains(&loss) {
            self.0.push(loss);
        }
    }

    /// Adds all of others.
    pub fn extend(&mut self, others: &Self) {
        if !others.is_empty() {
            self.0.extend(others.iter());
            self.0.sort_unstable();
            self.0.dedup();
        }
    }

    /// Whether nothing was lost.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Number of losses.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Loss> {
        self.0.iter()
    }

    /// The series of which anything was lost, first to last, by rising id, without overlap.
    pub fn series(&self) -> Vec<(SeriesId, SeriesId)> {
        union(self.0.iter().map(|loss| (loss.extent.first_series, loss.extent.last_series)))
    }

    /// Whether anything of a series was lost.
    pub fn has_series(&self, series: SeriesId) -> bool {
        self.0.iter().any(|loss| loss.extent.has_series(series))
    }

    /// Whether anything of an extent may have been lost.
    pub fn touches(&self, extent: &Extent) -> bool {
        self.0.iter().any(|loss| !loss.extent.intersection(extent).is_empty())
    }

    /// From when to when points of a series in a window may have been lost.
    pub fn times(&self, series: SeriesId, window: Window) -> impl Iterator<Item = (i64, i64)> {
        let of_series = self.0.iter().filter(move |loss| loss.extent.has_series(series));
        of_series.map(|loss| loss.extent.times()).filter(move |times| window.intersects(*times))
    }

    /// Leaves out what was taken back of a series later.
    pub fn subtract(&mut self, series: SeriesId, deleted: &TimeRanges) {
        let is_hit =
            |loss: &Loss| loss.extent.has_series(series) && deleted.intersects(loss.extent.times());
        if !self.0.iter().any(is_hit) {
            return;
        }
        let mut left = Vec::with_capacity(self.0.len());
        let is_full = self.0.len() >= MAX_SPLIT;
        for loss in &self.0 {
            let Extent { first_series, last_series, from, to } = loss.extent;
            let is_whole = deleted.covers((from, to));
            let is_at_the_edge = [first_series, last_series, EVERY_SERIES].contains(&series);
            if !is_hit(loss) || is_full && !(is_whole && is_at_the_edge) {
                left.push(*loss);
                continue;
            }
            let mut keep = |extent: Extent| {
                if !extent.is_empty() {
                    left.push(Loss { extent, ..*loss });
                }
            };
            if series == EVERY_SERIES {
                for (from, to) in deleted.uncovered((from, to)) {
                    keep(Extent { from, to, ..loss.extent });
                }
                continue;
            }
            if let Some(before) = series.checked_sub(1) {
                keep(Extent { last_series: before, ..loss.extent });
            }
            for times in deleted.uncovered((from, to)) {
                keep(Extent::of(series, times));
            }
            if let Some(behind) = series.checked_add(1) {
                keep(Extent { first_series: behind, ..loss.extent });
            }
        }
        self.0 = left;
    }

    /// Leaves out what is older than `cutoff`.
    pub fn expire(&mut self, cutoff: i64) {
        self.0.iter_mut().for_each(|loss| loss.extent.from = loss.extent.from.max(cutoff));
        self.0.retain(|loss| !loss.extent.is_empty());
    }
}

/// Ranges of series, first to last, by rising id, without overlap.
pub fn union(ranges: impl IntoIterator<Item = (SeriesId, SeriesId)>) -> Vec<(SeriesId, SeriesId)> {
    let mut ranges: Vec<_> = ranges.into_iter().collect();
    ranges.sort_unstable();
    let mut all: Vec<(SeriesId, SeriesId)> = Vec::new();
    for (first, last) in ranges {
        match all.last_mut() {
            Some(before) if first <= before.1 => before.1 = before.1.max(last),
            _ => all.push((first, last)),
        }
    }
    all
}

impl FromIterator<Loss> for Losses {
    fn from_iter<I: IntoIterator<Item = Loss>>(losses: I) -> Self {
        let mut losses: Vec<_> =
            losses.into_iter().filter(|loss| !loss.extent.is_empty()).collect();
        losses.sort_unstable();
        losses.dedup();
        Self(losses)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_lost(losses: &Losses, series: SeriesId, at: i64) -> bool {
        losses.times(series, Window { from: at, to: at }).next().is_some()
    }

    proptest! {
        #[test]
        fn what_is_taken_back_or_expired_is_no_loss(
            boxes in prop::collection::vec((0..6u32, 0..4u32, -9..9i64, 0..9i64), 0..5),
            deletes in prop::collection::vec((0..8u32, -12..12i64, 0..9i64), 0..8),
            cutoff in -12..12i64,
        ) {
            let mut losses: Losses = boxes.iter().map(|&(first, more, from, length)| {
                let extent =
                    Extent { first_series: first, last_series: first + more, from, to: from + length };
                Loss { extent, unnamed: None }
            }).collect();
            for &(series, from, length) in &deletes {
                let mut ranges = TimeRanges::default();
                ranges.insert(from, from + length);
                losses.subtract(series, &ranges);
            }
            losses.expire(cutoff);
            for series in 0..12 {
                for at in -15..20 {
                    let was_lost = boxes.iter().any(|&(first, more, from, length)| {
                        (first..=first + more).contains(&series) && (from..=from + length).contains(&at)
                    });
                    let is_deleted = deletes.iter().any(|&(of, from, length)| {
                        of == series && (from..=from + length).contains(&at)
                    });
                    let expected = was_lost && !is_deleted && at >= cutoff;
                    prop_assert_eq!(is_lost(&losses, series, at), expected, "{} at {}", series, at);
                }
            }
        }
    }

    #[test]
    fn deletions_of_many_series_split_no_loss_without_end() {
        let extent = Extent { first_series: 0, last_series: 100_000, from: 0, to: 9 };
        let mut losses: Losses = [Loss { extent, unnamed: None }].into_iter().collect();
        let mut part = TimeRanges::default();
        part.insert(3, 4);
        for series in (0..20_000).step_by(2) {
            losses.subtract(series, &part);
        }
        assert!(losses.len() <= 2 * MAX_SPLIT, "{}", losses.len());
        let mut all = TimeRanges::default();
        all.insert(0, 9);
        let mut losses: Losses = [Loss { extent, unnamed: None }].into_iter().collect();
        for series in 0..=100_000 {
            losses.subtract(series, &all);
        }
        assert!(losses.is_empty());
    }

    #[test]
    fn a_deletion_of_every_series_ends_all_of_its_times() {
        let loss = |extent| Loss { extent, unnamed: Some(0) };
        let mut losses: Losses =
            [loss(Extent::ALL), loss(Extent::of(7, (0, 9)))].into_iter().collect();
        let mut deleted = TimeRanges::default();
        deleted.insert(0, 100);
        losses.subtract(EVERY_SERIES, &deleted);
        for series in [0, 7, SeriesId::MAX - 1] {
            assert!(!is_lost(&losses, series, 0) && !is_lost(&losses, series, 100));
            assert!(is_lost(&losses, series, -1) && is_lost(&losses, series, 101));
        }
        deleted.insert(i64::MIN, i64::MAX);
        losses.subtract(EVERY_SERIES, &deleted);
        assert!(losses.is_empty());
    }

    #[test]
    fn losses_without_end_become_one_that_has_them_all() {
        let mut losses = Losses::default();
        let places = || (0..3 * u32::try_from(MAX_SPLIT).unwrap()).map(|at| (at, i64::from(at)));
        for (series, time) in places() {
            losses.add(Loss { extent: Extent::of(series, (time, time)), unnamed: None });
        }
        assert_eq!(losses.len(), MAX_SPLIT);
        assert!(places().all(|(series, time)| is_lost(&losses, series, time)));
    }

    #[test]
    fn an_extent_grows_and_shrinks() {
        let mut extent = Extent::EMPTY;
        assert!(extent.is_empty() && !extent.has_series(0));
        extent.extend(&Extent::EMPTY);
        assert_eq!(extent, Extent::EMPTY);
        extent.add(7, (3, 3));
        extent.extend(&Extent::of(5, (-1, 2)));
        assert_eq!(extent, Extent { first_series: 5, last_series: 7, from: -1, to: 3 });
        assert!(extent.intersection(&Extent::of(8, (0, 1))).is_empty());
        assert_eq!(Extent::ALL.intersection(&extent), extent);
    }
}
