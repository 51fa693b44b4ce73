//! The data of a line: all points that are known, or samples of the visible range.

use std::ops::Range;

use crate::metrics::rollups::{Sample, Samples, View};
use crate::metrics::series::recent_points::RecentPoints;

/// The data of a line, oldest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Line {
    points: RecentPoints,
    /// In place of the points.
    samples: Option<Samples>,
}

impl From<RecentPoints> for Line {
    fn from(points: RecentPoints) -> Self {
        Self { points, samples: None }
    }
}

impl Line {
    /// A line of the samples of a view.
    pub fn of_samples(mut samples: Samples, view: &View) -> Self {
        // A bucket that begins before the view is drawn at its edge.
        if let Some(step) = samples.step {
            let first = samples.samples.iter_mut().rfind(|sample| sample.timestamp < view.from);
            if let Some(first) = first.filter(|first| view.from.abs_diff(first.timestamp) < step) {
                first.timestamp = view.from;
            }
        }
        Self { points: RecentPoints::default(), samples: Some(samples) }
    }

    /// Nothing is known of the line.
    pub fn is_unknown(&self) -> bool {
        self.points.is_empty() && self.samples.is_none()
    }

    /// The number of samples.
    pub fn len(&self) -> usize {
        self.samples.as_ref().map_or(self.points.len(), |samples| samples.samples.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The sample at a place, counted from the oldest.
    pub fn get(&self, at: usize) -> Option<Sample> {
        match &self.samples {
            Some(samples) => samples.samples.get(at).copied(),
            None => self.points.get(at).copied().map(Sample::from),
        }
    }

    /// The samples, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Sample> + Clone + use<'_> {
        let samples = self.samples.iter().flat_map(|samples| &samples.samples).copied();
        self.points.iter().copied().map(Sample::from).chain(samples)
    }

    /// The samples of a range of places, oldest first.
    pub fn range(&self, places: Range<usize>) -> impl Iterator<Item = Sample> + Clone + use<'_> {
        let samples = self.samples.as_ref().and_then(|all| all.samples.get(places.clone()));
        // The pieces of the points can be skipped at once, but not what is made of them.
        let points = self.points.iter().skip(places.start).take(places.len());
        points.copied().map(Sample::from).chain(samples.into_iter().flatten().copied())
    }

    /// Seconds of a bucket; none when each sample is a point.
    pub fn step(&self) -> Option<u64> {
        self.samples.as_ref()?.step
    }
}
