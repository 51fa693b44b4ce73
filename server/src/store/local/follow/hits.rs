//! Where the changes of watched series are in a commit.

use std::mem::size_of;

use crate::store::local::series::series_index::SeriesId;

/// Where the changes of the watched series are in a commit.
#[derive(Debug, Default)]
pub struct Hits {
    /// The series and the place of each change.
    changes: Vec<(SeriesId, u32)>,
    series_end: SeriesId,
}

impl Hits {
    /// Notes that a change of a series is in the commit.
    pub fn extend_to(&mut self, series: SeriesId) {
        self.series_end = self.series_end.max(series.saturating_add(1));
    }

    /// Adds a change of a watched series; places rise.
    pub fn push(&mut self, series: SeriesId, place: u32) {
        self.changes.push((series, place));
    }

    /// All series of the commit are below this id.
    pub fn series_end(&self) -> SeriesId {
        self.series_end
    }

    /// The series and the places of all changes, by rising place.
    pub fn iter(&self) -> impl Iterator<Item = (SeriesId, u32)> {
        self.changes.iter().copied()
    }

    /// The same, to be looked up by series.
    #[must_use]
    pub fn by_series(mut self) -> HitsBySeries {
        self.changes.sort_unstable();
        HitsBySeries { changes: self.changes }
    }
}

/// The same, by series.
#[derive(Debug)]
pub struct HitsBySeries {
    /// The series and the place of each change, sorted.
    changes: Vec<(SeriesId, u32)>,
}

impl HitsBySeries {
    /// Whether there are changes of a series.
    pub fn contain(&self, series: SeriesId) -> bool {
        self.places(series).next().is_some()
    }

    /// The places of the changes of a series, rising.
    pub fn places(&self, series: SeriesId) -> impl Iterator<Item = usize> {
        let first = self.changes.partition_point(|&(other, _)| other < series);
        let of_series =
            self.changes[first..].iter().take_while(move |&&(other, _)| other == series);
        of_series.map(|&(_, place)| place as usize)
    }

    /// The series that have changes, by rising id.
    pub fn series(&self) -> impl Iterator<Item = SeriesId> {
        self.changes.chunk_by(|(one, _), (next, _)| one == next).map(|changes| changes[0].0)
    }

    /// Bytes that the hits take in memory.
    pub fn bytes(&self) -> usize {
        self.changes.capacity() * size_of::<(SeriesId, u32)>()
    }
}
