//! What the cursor of a chart reads.

use shared::Point;

/// What the cursor reads of the first line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// The point that it stands at.
    pub point: Point,
    /// Points in the column of that one.
    pub count: usize,
    /// The least value among them.
    pub least: f64,
    /// The greatest value among them.
    pub greatest: f64,
}

impl Reading {
    /// Of some points, those that are in one column with the one nearest to `time`.
    pub(super) fn at<'a>(
        time: i64,
        points: impl Iterator<Item = &'a Point> + Clone,
        column: impl Fn(i64) -> i64,
    ) -> Option<Self> {
        let point = nearest(points.clone(), time)?;
        let here = column(point.timestamp);
        let alone = Self { point, count: 0, least: point.value, greatest: point.value };
        let with = |reading: Self, value: f64| Self {
            count: reading.count + 1,
            least: reading.least.min(value),
            greatest: reading.greatest.max(value),
            ..reading
        };
        let beside = points.filter(|point| column(point.timestamp) == here);
        Some(beside.map(|point| point.value).fold(alone, with))
    }
}

/// The point nearest to a moment.
pub(super) fn nearest<'a>(points: impl IntoIterator<Item = &'a Point>, time: i64) -> Option<Point> {
    points.into_iter().min_by_key(|point| point.timestamp.abs_diff(time)).copied()
}
