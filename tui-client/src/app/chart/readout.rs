//! The reading at the cursor of a chart.

use crate::metrics::rollups::Sample;

/// The samples of the first line in the column of the cursor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// The sample that stood at the cursor.
    pub sample: Sample,
    /// The number of samples in the column.
    pub count: usize,
    /// The least value in the column.
    pub least: f64,
    /// The greatest value in the column.
    pub greatest: f64,
}

impl Reading {
    /// The reading of the column with the sample that stood at `time`.
    pub(super) fn at(
        time: i64,
        samples: impl Iterator<Item = Sample> + Clone,
        column: impl Fn(i64) -> i64,
    ) -> Option<Self> {
        let sample = standing(samples.clone(), time)?;
        let here = column(sample.timestamp);
        let alone = Self { sample, count: 0, least: sample.min, greatest: sample.max };
        let with = |reading: Self, sample: Sample| Self {
            count: reading.count + 1,
            least: reading.least.min(sample.min),
            greatest: reading.greatest.max(sample.max),
            ..reading
        };
        let beside = samples.filter(|sample| column(sample.timestamp) == here);
        Some(beside.fold(alone, with))
    }
}

/// The sample that stood at a time: the newest that is not later. Before the first one nothing stood.
pub(super) fn standing(samples: impl IntoIterator<Item = Sample>, time: i64) -> Option<Sample> {
    let stood = samples.into_iter().filter(|sample| sample.timestamp <= time);
    stood.max_by_key(|sample| sample.timestamp)
}
