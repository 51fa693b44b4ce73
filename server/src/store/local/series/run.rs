//! Sorted points of one series, shared without copying.

use std::sync::Arc;

use shared::Point;

/// Points by strictly rising timestamp, shared with the readers of a snapshot.
pub type Run = Arc<[Point]>;

/// Points that a head gathers before they become a run; also the most that a snapshot of a head
/// copies.
pub const MAX_RUN_POINTS: usize = 4096;

/// The last of points by strictly rising timestamp that is not later than `to`.
pub fn last_until(points: &[Point], to: i64) -> Option<Point> {
    // Mostly all of them or none, and they may be far away in memory.
    if points.first()?.timestamp > to {
        return None;
    }
    if let Some(last) = points.last().filter(|last| last.timestamp <= to) {
        return Some(*last);
    }
    let before = points.partition_point(|point| point.timestamp <= to);
    points.get(before.checked_sub(1)?).copied()
}

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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_last_point_until_a_time_is_found(
            timestamps in prop::collection::btree_set(0..60i64, 0..30),
            to in -1..61i64,
        ) {
            let point = |timestamp| Point { timestamp, value: 0.0 };
            let points: Vec<_> = timestamps.iter().copied().map(point).collect();
            let expected = timestamps.range(..=to).next_back().copied();
            prop_assert_eq!(last_until(&points, to).map(|point| point.timestamp), expected);
        }
    }
}
