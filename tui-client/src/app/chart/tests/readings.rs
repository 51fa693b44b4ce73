use super::*;
use crate::app::chart::readout::standing;
use crate::app::chart::viewport::{TimeBounds, Viewport};
use crate::metrics::window::ChartWindow;

#[test]
fn a_reading_is_of_the_points_of_a_column_up_to_the_cursor() {
    let mut dense: Vec<_> = (0..400).map(|at| (at, 5.0)).collect();
    dense[203].1 = 100_000.0;
    let (lines, zone) = ([points(&dense), points(&[(0, 7.0)])], TimeZone::UTC);
    let read = |cursor: i64, range: (i64, i64)| {
        let chart = Chart::new(&ChartSpec { cursor: Some(cursor), range, ..spec(&lines, &zone) });
        let read = chart.reading.unwrap();
        (read.sample.timestamp, read.count, read.least, read.greatest)
    };
    assert_eq!(read(200, (0, 399)), (200, 9, 5.0, 5.0), "none later");
    assert_eq!(read(204, (0, 399)), (204, 9, 5.0, 100_000.0));
    assert_eq!(read(120, (0, 399)), (120, 9, 5.0, 5.0));
    assert_eq!(read(203, (190, 210)), (203, 1, 100_000.0, 100_000.0), "zoomed in");
}

#[test]
fn steps_of_the_cursor_leave_no_point_out() {
    // In a column, a little more than one apart, and after a gap.
    let times = [0, 4, 17, 25, 31, 100, 101, 102, 240, 255, 266, 399];
    let (lines, zone) = ([points(&times.map(|at| (at, 1.0)))], TimeZone::UTC);
    let range = (0, 399);
    let bounds = TimeBounds { first: 0, newest: 399, last: 399, recent: None };
    for step in [1, -1] {
        let mut viewport = Viewport::default();
        viewport.show(ChartWindow::All, Some(if step > 0 { 0 } else { 399 }));
        let mut read: Vec<i64> = Vec::new();
        for _ in times {
            let cursor = viewport.cursor();
            let chart = Chart::new(&ChartSpec { range, cursor, ..spec(&lines, &zone) });
            let reading = chart.reading.unwrap();
            let is_read = |at: &&i64| (reading.from..=reading.sample.timestamp).contains(at);
            read.extend(times.iter().filter(is_read));
            viewport.move_cursor(step, 40, &lines[0], bounds);
        }
        read.sort_unstable();
        read.dedup();
        assert_eq!(read, times, "{step}");
    }
}

#[test]
fn of_a_line_that_is_missing_there_nothing_is_read() {
    let every = |step: i64, from: i64| -> Vec<(i64, f64)> {
        (0..20).map(|at| (from + at * step, 1.0)).collect()
    };
    let lines = [points(&every(10, 0)), points(&every(1, 0)), points(&every(1, 180))];
    let zone = TimeZone::UTC;
    let read = |cursor: i64| {
        let range = (0, 200);
        let chart = Chart::new(&ChartSpec { cursor: Some(cursor), range, ..spec(&lines, &zone) });
        let times = chart.read.iter().map(|read| read.map(|point| point.timestamp));
        times.collect::<Vec<_>>()
    };
    assert_eq!(read(100), [Some(100), None, None]);
    assert_eq!(read(10), [Some(10), Some(10), None]);
    assert_eq!(read(190), [Some(190), None, Some(190)]);
}

#[test]
fn a_reading_is_what_stood_then() {
    let points = points(&[(0, 1.0), (10, 2.0), (20, 3.0)]);
    assert_eq!(standing(points.iter(), 14).map(|point| point.max), Some(2.0));
    assert_eq!(standing(points.iter(), 19).map(|point| point.max), Some(2.0));
    assert_eq!(standing(points.iter(), -1), None, "the first one is later");
    assert_eq!(standing(points.iter(), i64::MAX).map(|point| point.max), Some(3.0));
    assert_eq!(standing([], 0), None);
}
