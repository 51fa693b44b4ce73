//! A point with its series.

use shared::Point;

use super::series_index::SeriesId;

/// A point on its way into the store.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeriesPoint {
    /// The series of the point.
    pub series: SeriesId,
    /// The point.
    pub point: Point,
}
