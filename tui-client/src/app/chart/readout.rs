//! The reading at the cursor of a chart.

use crate::metrics::rollups::Sample;

/// The samples of the first line at the cursor: as many as one column shows, none of them later.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// The sample that stood at the cursor.
    pub sample: Sample,
    /// The Unix time of the first sample.
    pub from: i64,
    /// The number of samples.
    pub count: usize,
    /// The least value.
    pub least: f64,
    /// The greatest value.
    pub greatest: f64,
}

impl Reading {
    /// The reading of the sample that stood at `time`, with those before it in less than the seconds of a
    /// column: single steps of the cursor leave none out.
    pub(super) fn at(
        time: i64,
        samples: impl Iterator<Item = Sample> + Clone,
        seconds: u64,
    ) -> Option<Self> {
        let sample = standing(samples.clone(), time)?;
        let (from, least, greatest) = (sample.timestamp, sample.min, sample.max);
        let alone = Self { sample, from, count: 0, least, greatest };
        let with = |reading: Self, sample: Sample| Self {
            from: reading.from.min(sample.timestamp),
            count: reading.count + 1,
            least: reading.least.min(sample.min),
            greatest: reading.greatest.max(sample.max),
            ..reading
        };
        let is_beside = |at: i64| at <= sample.timestamp && sample.timestamp.abs_diff(at) < seconds;
        let beside = samples.filter(|sample| is_beside(sample.timestamp));
        Some(beside.fold(alone, with))
    }
}

/// The sample that stood at a time: the newest that is not later. Before the first one nothing stood.
pub(super) fn standing(samples: impl IntoIterator<Item = Sample>, time: i64) -> Option<Sample> {
    let stood = samples.into_iter().filter(|sample| sample.timestamp <= time);
    stood.max_by_key(|sample| sample.timestamp)
}
