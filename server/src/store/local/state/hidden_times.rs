//! What was taken back, of many series.

use std::collections::BTreeMap;

use crate::store::local::part::Part;
use crate::store::local::series::series_index::SeriesId;
use crate::store::local::series::time_ranges::SharedRanges;

/// Timestamps that are taken back, by series.
#[derive(Debug, Default)]
pub struct HiddenTimes(BTreeMap<SeriesId, SharedRanges>);

impl HiddenTimes {
    /// Adds what is hidden of a series.
    pub fn add(&mut self, series: SeriesId, ranges: &SharedRanges) {
        self.0.entry(series).or_default().extend(ranges);
    }

    /// Adds what a part hides of older ones.
    pub fn add_part(&mut self, part: &Part) {
        for (series, ranges) in part.all_deletes() {
            self.0.entry(*series).or_default().insert_all(ranges);
        }
    }

    /// Whether all timestamps of a range are hidden.
    pub fn covers(&self, series: SeriesId, range: (i64, i64)) -> bool {
        self.0.get(&series).is_some_and(|hidden| hidden.covers(range))
    }

    /// Whether nothing is hidden.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
