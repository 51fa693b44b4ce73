//! Series that are told points, and asked for numbers.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn point(timestamp: i64, value: i32) -> Point {
    Point { timestamp, value: value.into() }
}

proptest! {
    /// In whatever order points are told, and however often, the series is that of a server which
    /// has stored them.
    #[test]
    fn told_points_are_those_of_a_store(
        told in proptest::collection::vec((0..12_i64, -3..3_i32), 1..40),
        limit in 1..20_usize,
    ) {
        let (first, value) = told[0];
        let mut series = Series::new("a".parse().unwrap(), point(first, value), limit);
        let mut stored = BTreeMap::from([(first, value)]);
        for &(timestamp, value) in &told[1..] {
            let before = series.clone();
            let changed = series.tell(point(timestamp, value), Bounds::of_all(1000));
            let replaced = stored.insert(timestamp, value);
            if !changed {
                prop_assert_eq!(&series, &before);
            } else if limit > 12 {
                prop_assert!(replaced != Some(value), "nothing is new");
            }
        }
        let mut newest = stored.iter().rev().map(|(&timestamp, &value)| point(timestamp, value));
        prop_assert_eq!(Some(series.last), newest.next());
        prop_assert_eq!(series.before, newest.next());
        if limit > 12 {
            prop_assert_eq!(series.count(), Some(stored.len() as u64));
            let all = stored.iter().map(|(&timestamp, &value)| point(timestamp, value));
            prop_assert!(series.recent().iter().copied().eq(all));
        }
        prop_assert!(series.recent().len() <= limit);
        let times: Vec<_> = series.recent().iter().map(|point| point.timestamp).collect();
        prop_assert!(times.is_sorted());
    }
}

#[test]
fn a_told_stray_of_the_future_does_not_hide_the_present() {
    let mut series = Series::new("a".parse().unwrap(), point(9000, 1), 4);
    series.tell(point(9001, 2), Bounds::of_all(100));
    assert_eq!(series.last, point(9001, 2), "all are too far ahead");
    series.tell(point(90, 3), Bounds::of_all(100));
    series.tell(point(9002, 4), Bounds::of_all(100));
    assert_eq!((series.last, series.count()), (point(90, 3), Some(4)));
}

#[test]
fn a_series_without_numbers_is_small() {
    assert!(size_of::<Series>() <= 64);
    // What an order by a number adds to each of a million: allocators give 48 bytes as much room.
    assert!(size_of::<Stats>() <= 56);
    let mut sorted = Series::new("a".parse().unwrap(), point(1, 1), 0);
    sorted.set(Aggregate::Count, Some(1.0), &[]);
    sorted.set(Aggregate::Avg, Some(1.0), &[]);
    sorted.tell(point(2, 4), Bounds::of_all(100));
    assert_eq!((sorted.count(), sorted.mean()), (Some(2), Some(2.5)));
    assert!(sorted.detail().is_none(), "no more than the numbers");
    let mut series = Series::new("a".parse().unwrap(), point(1, 1), 0);
    series.tell(point(3, 3), Bounds::of_all(100));
    series.tell(point(2, 2), Bounds::of_all(100));
    assert_eq!((series.change(), series.count(), series.recent().len()), (Some(1.0), None, 0));
    series.set_recent(&[point(0, 0), point(2, 2)], 16);
    series.set(Aggregate::Max, Some(9.0), &[]);
    series.tell(point(4, 10), Bounds::of_all(100));
    assert_eq!((series.max(), series.min(), series.recent().len()), (Some(10.0), None, 4));
}

#[test]
fn a_point_that_is_told_late_counts_in_no_window_that_has_begun_since() {
    let bounds = Bounds { from: 90, present: 1000 };
    for with_recent in [true, false] {
        let mut series = Series::new("a".parse().unwrap(), point(99, 5), 0);
        let numbers = |series: &Series| {
            let trend = series.trend().map(|trend| trend.columns(48));
            (series.count(), series.min(), series.max(), series.mean(), trend)
        };
        if with_recent {
            series.set_recent(&[point(80, 7), point(99, 5)], 16);
            series.set_trend(Trend::new(1, 48, &[point(99, 5)]));
        }
        for of in [Aggregate::Count, Aggregate::Min, Aggregate::Max, Aggregate::Avg] {
            series.set(of, Some(if of == Aggregate::Count { 1.0 } else { 5.0 }), &[]);
        }
        let before = numbers(&series);
        for old in [point(7, -999), point(80, 999), point(85, -999), point(89, 999)] {
            series.tell(old, bounds);
            assert_eq!((numbers(&series), series.last), (before.clone(), point(99, 5)));
        }
        series.tell(point(90, 6), bounds);
        assert_eq!((series.count(), series.max()), (Some(2), Some(6.0)));
        // The newest point of a key may be before the window, too.
        let mut old = Series::new("a".parse().unwrap(), point(7, 1), 0);
        for of in [Aggregate::Count, Aggregate::Min, Aggregate::Max, Aggregate::Avg] {
            old.set(of, None, &[]);
        }
        old.tell(point(8, 2), bounds);
        assert_eq!((old.last, old.count(), old.max()), (point(8, 2), Some(0), None));
        old.tell(point(91, 3), bounds);
        assert_eq!((old.count(), old.max(), old.mean()), (Some(1), Some(3.0), Some(3.0)));
    }
}
