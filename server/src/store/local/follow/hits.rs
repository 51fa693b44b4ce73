//! Where the changes of watched series are in a commit.

use std::mem::size_of;

use crate::store::local::series::series_index::SeriesId;

/// The number of no hit.
pub const NONE: u32 = u32::MAX;

/// Where the changes of the watched series are in a commit.
#[derive(Debug, Default)]
pub struct Hits {
    /// By series, sorted: its newest hit.
    newest: Vec<(SeriesId, u32)>,
    /// The place of a hit in the commit, and the hit before it of the same series.
    chain: Vec<(u32, u32)>,
    series_end: SeriesId,
}

impl Hits {
    /// Notes that a change of a series is in the commit.
    pub fn extend_to(&mut self, series: SeriesId) {
        self.series_end = self.series_end.max(series.saturating_add(1));
    }

    /// Adds the place of a change. `before` is the number of the hit before it of the same series,
    /// [`NONE`] for the first. Answers the number of this one.
    pub fn push(&mut self, series: SeriesId, place: u32, before: u32) -> u32 {
        if before == NONE {
            self.newest.push((series, NONE));
        }
        self.chain.push((place, before));
        u32::try_from(self.chain.len() - 1).unwrap_or(NONE)
    }

    /// Ends the search; `newest` answers the number of the newest hit of a series.
    pub fn finish(&mut self, mut newest: impl FnMut(SeriesId) -> u32) {
        self.newest.sort_unstable();
        for (series, number) in &mut self.newest {
            *number = newest(*series);
        }
    }

    /// All series of the commit are below this id.
    pub fn series_end(&self) -> SeriesId {
        self.series_end
    }

    /// Whether there are changes of a series.
    pub fn contains(&self, series: SeriesId) -> bool {
        self.newest.binary_search_by_key(&series, |&(series, _)| series).is_ok()
    }

    /// Appends the places of the changes of a series, newest first.
    pub fn places(&self, series: SeriesId, places: &mut Vec<usize>) {
        let found = self.newest.binary_search_by_key(&series, |&(series, _)| series);
        let mut next = found.map_or(NONE, |at| self.newest[at].1);
        while let Some(&(place, before)) = self.chain.get(next as usize) {
            places.push(place as usize);
            next = before;
        }
    }

    /// The places of all hits, rising.
    pub fn all_places(&self) -> impl Iterator<Item = usize> {
        self.chain.iter().map(|&(place, _)| place as usize)
    }

    /// The hits of a commit that has nothing else.
    #[must_use]
    pub fn renumbered(mut self) -> Self {
        for (number, (place, _)) in (0..).zip(&mut self.chain) {
            *place = number;
        }
        self
    }

    /// Bytes that the hits take in memory.
    pub fn bytes(&self) -> usize {
        self.newest.capacity() * size_of::<(SeriesId, u32)>()
            + self.chain.capacity() * size_of::<(u32, u32)>()
    }
}
