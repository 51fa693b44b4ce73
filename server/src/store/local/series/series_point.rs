//! Points and stretches of time with their series.

use shared::Point;

use super::series_index::SeriesId;
use crate::store::query::Window;

/// A point on its way into the store.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeriesPoint {
    /// The series of the point.
    pub series: SeriesId,
    /// The point.
    pub point: Point,
}

/// Points of a series that are taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeriesWindow {
    /// The series of the points.
    pub series: SeriesId,
    /// Their timestamps, at least one.
    pub window: Window,
}
