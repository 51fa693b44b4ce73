//! Sorted points of one series, shared without copying.

use std::sync::Arc;

use shared::Point;

/// Points by strictly rising timestamp, shared with the readers of a snapshot.
pub type Run = Arc<[Point]>;

/// Points that a head gathers before they become a run; also the most that a snapshot of a head
/// copies.
pub const MAX_RUN_POINTS: usize = 4096;

/// Brings points in the order of their puts into strictly rising order of their timestamps. Of
/// equal timestamps the last put is kept.
pub fn sort_points(points: &mut Vec<Point>) {
    // Stable, so that of equal timestamps the last put stays last.
    points.sort_by_key(|point| point.timestamp);
    let mut kept = 0;
    for at in 1..points.len() {
        if points[at].timestamp != points[kept].timestamp {
            kept += 1;
        }
        points[kept] = points[at];
    }
    points.truncate(kept + 1);
}
