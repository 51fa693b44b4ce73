//! The reading at the cursor of a chart.

use shared::Point;

/// The points of the first line in the column of the cursor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// The point nearest to the cursor.
    pub point: Point,
    /// The number of points in the column.
    pub count: usize,
    /// The least value in the column.
    pub least: f64,
    /// The greatest value in the column.
    pub greatest: f64,
}

impl Reading {
    /// The reading of the column with the point nearest to `time`.
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

/// The point nearest to a time.
pub(super) fn nearest<'a>(points: impl IntoIterator<Item = &'a Point>, time: i64) -> Option<Point> {
    points.into_iter().min_by_key(|point| point.timestamp.abs_diff(time)).copied()
}
