mod readings;

use proptest::prelude::*;
use shared::Point;

use super::axis::Axes;
use super::*;
use crate::metrics::gaps::Gaps;
use crate::metrics::rollups::{Samples, View};
use crate::metrics::series::recent_points::RecentPoints;

fn points(points: &[(i64, f64)]) -> Line {
    let points = points.iter().map(|&(timestamp, value)| Point { timestamp, value });
    points.collect::<RecentPoints>().into()
}

fn spec<'a>(lines: &'a [Line], zone: &'a TimeZone) -> ChartSpec<'a> {
    let times = || lines.iter().flat_map(Line::iter).map(|point| point.timestamp);
    ChartSpec {
        lines,
        range: (times().min().unwrap_or(0), times().max().unwrap_or(0)),
        log: false,
        thresholds: &[],
        cursor: None,
        events: &[],
        units: &[],
        has_right: false,
        columns: 40,
        rows: 10,
        zone,
    }
}

fn labels(ticks: &[AxisTick]) -> Vec<&str> {
    ticks.iter().map(|tick| &*tick.label).collect()
}

#[test]
fn a_rising_line_goes_from_tick_to_tick() {
    let lines = [points(&[(0, 0.0), (60, 10.0)])];
    let chart = Chart::new(&spec(&lines, &TimeZone::UTC));
    assert_eq!(labels(&chart.values), ["0", "5", "10"]);
    let rows: Vec<_> = chart.values.iter().map(|tick| tick.at).collect();
    assert_eq!((rows, ends(&chart)), (vec![9, 5, 1], [vec![9], vec![1]]));
    assert_eq!(labels(&chart.times), ["01-01 00:00:00", "00:00:30", "00:01:00"]);
}

#[test]
fn missing_points_leave_a_gap() {
    let steady: Vec<_> = (0..20).chain(60..81).map(|at| (at, 1.0)).collect();
    let lines = [points(&steady)];
    let chart = Chart::new(&spec(&lines, &TimeZone::UTC));
    let row = chart.cells.chunks(40).find(|row| row.iter().any(|cell| cell.dots > 0)).unwrap();
    let drawn: String = row.iter().map(|c| if c.dots > 0 { '#' } else { ' ' }).collect();
    assert_eq!(drawn, format!("{}{}{}", "#".repeat(10), " ".repeat(19), "#".repeat(11)));
}

/// The rows in which the first and the last column of the plot have dots.
fn ends(chart: &Chart) -> [Vec<usize>; 2] {
    let rows = || chart.cells.chunks(chart.columns).enumerate();
    let drawn = |column: usize| {
        let drawn = rows().filter(|(_, cells)| cells[column].dots > 0);
        drawn.map(|(row, _)| row).collect()
    };
    [drawn(0), drawn(chart.columns - 1)]
}

#[test]
fn lines_cross_the_edges_of_what_is_shown() {
    let zone = TimeZone::UTC;
    // A step that is usual: three times the same one.
    let usual =
        |a: f64, b: f64| [points(&[(-200, a), (-100, a), (0, a), (100, b), (200, b), (300, b)])];
    let lines = usual(0.0, 100.0);
    for range in [(50, 100), (0, 50), (20, 60)] {
        let chart = Chart::new(&ChartSpec { range, rows: 5, ..spec(&lines, &zone) });
        assert_eq!(ends(&chart), [vec![4], vec![0]], "from corner to corner: {range:?}");
    }
    let lines = usual(1.0, 100.0);
    let chart = Chart::new(&ChartSpec { range: (50, 100), log: true, ..spec(&lines, &zone) });
    assert_eq!(labels(&chart.values)[0], "10", "straight where values are logarithms");
    assert_eq!(ends(&chart), [vec![9], vec![0]]);
    let lines = usual(0.0, 100.0);
    let chart = Chart::new(&ChartSpec { range: (50, 100), log: true, ..spec(&lines, &zone) });
    assert_eq!(ends(&chart), [vec![], vec![5]], "it comes from nowhere");
}

#[test]
fn what_is_missing_at_an_edge_stays_a_gap() {
    let steady: Vec<_> = (0..20).chain(60..81).map(|at| (at, 1.0)).collect();
    let lines = [points(&steady)];
    let zone = TimeZone::UTC;
    let drawn = |range| {
        let chart = Chart::new(&ChartSpec { range, ..spec(&lines, &zone) });
        let column = |column: usize| chart.cells.chunks(40).any(|row| row[column].dots > 0);
        (0..40).map(column).collect::<Vec<_>>()
    };
    assert_eq!(drawn((40, 79)), [[false; 20], [true; 20]].concat());
    assert_eq!(drawn((0, 39)), [[true; 20], [false; 20]].concat());
    assert_eq!(drawn((25, 45)), [false; 40]);
    let nothing = Chart::new(&ChartSpec { range: (25, 45), ..spec(&lines, &zone) });
    assert_eq!((nothing.values.len(), nothing.times.len()), (0, 2), "there is still time");
}

#[test]
fn no_line_is_drawn_over_a_time_without_points() {
    const OLD: i64 = -600_000_000;
    let zone = TimeZone::UTC;
    let drawn = |times: &[i64], range| {
        let lines = [points(&times.iter().map(|&at| (at, 1.0)).collect::<Vec<_>>())];
        let chart = Chart::new(&ChartSpec { range, ..spec(&lines, &zone) });
        let column = |column: usize| chart.cells.chunks(40).any(|row| row[column].dots > 0);
        (0..40).filter(|&at| column(at)).collect::<Vec<_>>()
    };
    for newer in 1..9 {
        let times: Vec<i64> = [OLD].into_iter().chain((0..newer).map(|n| 899 + n)).collect();
        let drawn = drawn(&times, (0, 910));
        assert!(drawn.iter().all(|&at| at > 36), "{newer} new points: {drawn:?}");
    }
    // Steps of the years before do not make one of the years since a usual one.
    let mut seed: Vec<i64> = (0..100).map(|n| OLD + 60 * n).collect();
    assert_eq!(drawn(&seed, (0, 900)), [0; 0]);
    seed.extend([900, 901]);
    assert_eq!(drawn(&seed, (0, 900)), [39]);
    seed.extend((902..950).collect::<Vec<_>>());
    assert_eq!(drawn(&seed, (0, 949)), [37, 38, 39]);
    // Two buckets of many points with none between them.
    let sample = |timestamp| Sample { timestamp, min: 1.0, max: 2.0 };
    let samples = Samples { samples: vec![sample(0), sample(600_000)], step: Some(8192) };
    let lines = [Line::of_samples(samples, &View { from: 0, to: 600_000, dots: 80 })];
    let chart = Chart::new(&spec(&lines, &zone));
    let is_drawn = |at: &usize| chart.cells.chunks(40).any(|row| row[*at].dots > 0);
    assert_eq!((0..40).filter(is_drawn).collect::<Vec<_>>(), [0, 39]);
    // Where points come each second, minutes are a gap, whatever the pace was before.
    let paused: Vec<i64> = (0..100).chain((400..450).map(|n| n * 100)).collect();
    assert_eq!(drawn(&paused, (40_000, 44_000)).len(), 40, "a new pace is usual");
}

#[test]
fn a_line_goes_on_where_its_interval_changes() {
    // A point a minute for days, then one a second.
    const CHANGE: i64 = 6000 * 60;
    let times = (0..6000).map(|n| n * 60).chain((0..4000).map(|n| CHANGE + n));
    let times: Vec<i64> = times.collect();
    let zone = TimeZone::UTC;
    let dots = |lines: &[Line], range| {
        let chart = Chart::new(&ChartSpec { range, ..spec(lines, &zone) });
        (0..80).filter(|&x| dots_of(&chart, x).is_some()).count()
    };
    let lines = [points(&times.iter().map(|&at| (at, 1.0)).collect::<Vec<_>>())];
    assert_eq!(dots(&lines, (CHANGE - 1200, CHANGE + 1199)), 80, "a minute is two dots");
    for step in [2, 16] {
        let mut samples: Vec<Sample> = Vec::new();
        for &time in &times {
            let start = time / step * step;
            if samples.last().is_none_or(|last| last.timestamp < start) {
                samples.push(Sample { timestamp: start, min: 1.0, max: 1.0 });
            }
        }
        let range = (CHANGE - 1200, CHANGE + 1184);
        let samples = Samples { samples, step: Some(step.unsigned_abs()) };
        let lines = [Line::of_samples(samples, &View { from: range.0, to: range.1, dots: 80 })];
        assert_eq!(dots(&lines, range), 80, "in steps of {step} s");
    }
}

#[test]
fn a_logarithmic_axis_has_decades_and_no_place_for_zero() {
    let lines = [points(&[(0, 1.0), (1, 0.0), (2, 1000.0), (3, -5.0), (4, 10.0)])];
    let zone = TimeZone::UTC;
    let chart = Chart::new(&ChartSpec { log: true, ..spec(&lines, &zone) });
    assert_eq!(labels(&chart.values), ["1", "10", "100", "1000"]);
    assert_eq!(chart.not_positive, 2);
    let rows: Vec<_> = chart.values.iter().map(|tick| tick.at).collect();
    assert_eq!(rows, [9, 6, 3, 0]);
}

#[test]
fn a_narrow_logarithmic_axis_has_labels_enough() {
    let lines = [points(&[(0, 0.38), (9, 0.69)])];
    let zone = TimeZone::UTC;
    let chart = Chart::new(&ChartSpec { log: true, rows: 24, ..spec(&lines, &zone) });
    let labels: Vec<_> = chart.values.iter().map(|tick| tick.label.as_str()).collect();
    assert_eq!(labels, ["0.40", "0.45", "0.50", "0.55", "0.60", "0.65"]);
    assert!(chart.values.windows(2).all(|pair| pair[0].at > pair[1].at));
}

#[test]
fn thresholds_are_within_the_axis() {
    let lines = [points(&[(0, 10.0), (9, 20.0)])];
    let zone = TimeZone::UTC;
    let chart = Chart::new(&ChartSpec { thresholds: &[100.0], ..spec(&lines, &zone) });
    assert_eq!(chart.thresholds, [(0, 100.0)]);
    let thresholds = &[-1.0, 15.0];
    let chart = Chart::new(&ChartSpec { thresholds, log: true, ..spec(&lines, &zone) });
    assert_eq!(chart.thresholds, [(4, 15.0)], "the other one has no place");
    let nothing = Chart::new(&ChartSpec { lines: &[], ..spec(&lines, &zone) });
    assert_eq!((nothing.thresholds, nothing.values), (vec![], vec![]));
}

#[test]
fn the_cursor_marks_what_it_reads() {
    let lines = [points(&[(0, 0.0), (60, 10.0)]), points(&[(0, 5.0)])];
    let zone = TimeZone::UTC;
    let chart = Chart::new(&ChartSpec { cursor: Some(60), ..spec(&lines, &zone) });
    assert_eq!((chart.cursor, chart.cursor_points), (Some(39), vec![(39, 1, 0)]), "what is there");
    let chart = Chart::new(&ChartSpec { cursor: Some(0), ..spec(&lines, &zone) });
    assert_eq!((chart.cursor, chart.cursor_points), (Some(0), vec![(0, 5, 1), (0, 9, 0)]));
    let chart = Chart::new(&ChartSpec { cursor: Some(61), ..spec(&lines, &zone) });
    assert_eq!((chart.cursor, chart.cursor_points), (None, vec![]));
}

#[test]
fn labels_that_need_more_room_get_it() {
    let label = |values: &[(i64, f64)], unit: Unit, width: u16| {
        let (lines, zone) = ([points(values)], TimeZone::UTC);
        let chart = Chart::fitted(&ChartSpec { units: &[unit], ..spec(&lines, &zone) }, width);
        let ends = usize::from(end_columns(width));
        assert_eq!(usize::from(chart.labels) + 1 + chart.columns + ends, usize::from(width));
        let labels = labels(&chart.values).join(" ");
        (chart.labels, labels)
    };
    let close = [(0, 81_235_000_000.0), (9, 81_235_050_000.0)];
    let labels = "81.235000 GB 81.235025 GB 81.235050 GB";
    assert_eq!(label(&close, Unit::Bytes, 80), (12, labels.to_owned()));
    let labels = "81.235000 G 81.235025 G 81.235050 G";
    assert_eq!(label(&close, Unit::Plain, 80), (11, labels.to_owned()));
    assert_eq!(label(&[(0, 0.0), (9, 10.0)], Unit::Plain, 80).0, 9);
    assert_eq!(label(&close, Unit::Bytes, 26).0, 0, "no room for any");
}

#[test]
fn the_first_line_is_on_top() {
    let flat = points(&[(0, 1.0), (9, 1.0)]);
    let lines = [flat.clone(), flat];
    let chart = Chart::new(&spec(&lines, &TimeZone::UTC));
    assert!(chart.cells.iter().all(|cell| cell.line == 0));
}

#[test]
fn lines_do_not_hide_each_other() {
    let zone = TimeZone::UTC;
    let flat = |value: f64| points(&[(0, value), (60, value)]);
    let same = [flat(1.0), flat(1.0)];
    let chart = Chart::new(&spec(&same, &zone));
    let seen = chart.cells.iter().enumerate().filter(|(_, cell)| cell.dots > 0);
    let seen: Vec<_> = seen.map(|(at, cell)| cell.seen(at % 40 % 2 == 1).1).collect();
    assert_eq!(seen, [0, 1].repeat(20), "the colours by turns");
    // The flat line goes on where the rising one is above it.
    let crossing = [points(&[(0, 0.0), (60, 10.0)]), flat(5.0)];
    let chart = Chart::new(&spec(&crossing, &zone));
    let whole = |cell: &&PlotCell| {
        [0x09, 0x12, 0x24, 0xc0].iter().any(|row| cell.seen(false).0 & row == *row)
    };
    let rows: Vec<usize> =
        chart.cells.chunks(40).map(|row| row.iter().filter(whole).count()).collect();
    assert!(rows.contains(&40), "{rows:?}");
}

#[test]
fn a_line_of_another_unit_has_an_axis_on_the_right() {
    use Unit::{Bytes, Milliseconds, Plain};
    let zone = TimeZone::UTC;
    let line = |low: f64, high: f64| points(&[(0, low), (60, high)]);
    let lines = [line(0.0, 40.0), line(0.0, 50.0), line(0.0, 60.0), line(0.0, 70.0)];
    let units = [Milliseconds, Bytes, Plain, Milliseconds];
    // As wide as beside a table on a screen of 120 columns.
    let chart = Chart::fitted(&ChartSpec { units: &units, ..spec(&lines, &zone) }, 58);
    assert_eq!(chart.is_right, [false, true, true, false], "one that is not known is another");
    assert!(labels(&chart.right_values).contains(&"60"), "{:?}", chart.right_values);
    assert!(labels(&chart.values).last().unwrap().ends_with(" ms"), "{:?}", chart.values);
    let chart = Chart::fitted(&ChartSpec { units: &units, ..spec(&lines[..2], &zone) }, 58);
    assert!(labels(&chart.values).contains(&"20 ms"), "{:?}", chart.values);
    assert_eq!(labels(&chart.right_values).last(), Some(&"50 B"));
    assert_eq!(chart.ends.len(), 2);
    let log = ChartSpec { units: &units, log: true, ..spec(&lines, &zone) };
    assert_eq!(Chart::fitted(&log, 58).is_right, [false; 4]);
    let narrow = Chart::fitted(&ChartSpec { units: &units, ..spec(&lines[..2], &zone) }, 55);
    assert_eq!((narrow.is_right, narrow.is_flat), (vec![false; 2], false));
    assert!(labels(&narrow.values).contains(&"25"), "{:?}", narrow.values);
}

#[test]
fn a_line_of_another_magnitude_has_an_axis_on_the_right() {
    let zone = TimeZone::UTC;
    let line = |low: f64, high: f64| points(&[(0, low), (60, high)]);
    let lines = [line(0.0, 100.0), line(0.001, 0.004), line(0.0, 50.0), line(0.0, 0.0)];
    let chart = Chart::fitted(&ChartSpec { rows: 20, ..spec(&lines, &zone) }, 80);
    assert_eq!(chart.is_right, [false, true, false, false]);
    let right: Vec<_> = chart.right_values.iter().map(|tick| &*tick.label).collect();
    assert_eq!(right, ["0.0010", "0.0015", "0.0020", "0.0025", "0.0030", "0.0035", "0.0040"]);
    // It ends where its value is on its own axis.
    let row = chart.right_values[6].at;
    assert!(chart.ends.contains(&(row, 1)), "{:?} {row}", chart.ends);
    assert!(chart.values.iter().any(|tick| tick.label == "100"));
    let narrow = Chart::fitted(&spec(&lines, &zone), 55);
    assert_eq!((narrow.is_right, narrow.right_values.len()), (vec![false; 4], 0));
    let log = Chart::fitted(&ChartSpec { log: true, ..spec(&lines, &zone) }, 80);
    assert_eq!(log.is_right, [false; 4], "a logarithmic axis has room for all");
}

#[test]
fn values_at_the_ends_have_rows_of_their_own() {
    assert_eq!(spread(vec![(3, 0), (3, 1), (0, 2), (4, 3)], 10), [(0, 2), (3, 0), (4, 1), (5, 3)]);
    assert_eq!(spread(vec![(9, 0), (9, 1), (8, 2)], 10), [(7, 2), (8, 0), (9, 1)]);
    assert_eq!(spread(vec![(1, 0), (0, 1), (1, 2)], 2), [(0, 1), (1, 0)], "no room for the third");
    let zone = TimeZone::UTC;
    let lines = [points(&[(0, 0.0), (60, 10.0)]), points(&[(0, 10.0), (60, 9.9)])];
    let chart = Chart::fitted(&spec(&lines, &zone), 80);
    let top = chart.values.last().unwrap().at;
    assert_eq!(chart.ends, [(top, 0), (top + 1, 1)]);
    let [first, second] = lines.clone();
    let chart = Chart::fitted(&spec(&[second, first], &zone), 80);
    assert_eq!(chart.ends, [(top, 1), (top + 1, 0)], "the greater one on top");
    assert_eq!(Chart::fitted(&spec(&lines, &zone), 55).ends, [], "no room for any");
}

#[test]
fn ticks_are_in_rows_at_even_distances_and_lines_go_through_them() {
    let zone = TimeZone::UTC;
    for (low, high) in
        [(0.0, 100.0), (3.7, 97.3), (-12.0, 5.0), (900.0, 910.0), (1e9, 1.07e9), (0.02, 0.9)]
    {
        for rows in 6..60 {
            let lines = [points(&[(0, low), (60, high)])];
            let chart = Chart::new(&ChartSpec { rows, ..spec(&lines, &zone) });
            let at: Vec<usize> = chart.values.iter().map(|tick| tick.at).collect();
            let steps: Vec<usize> = at.windows(2).map(|pair| pair[0] - pair[1]).collect();
            assert!(at.len() >= 2 && at.len() <= 14, "{low} to {high} in {rows}: {at:?}");
            assert!(steps.windows(2).all(|pair| pair[0] == pair[1]), "{at:?}");
            // Most of the rows are used.
            let [first, last] = ends(&chart);
            assert!(
                (first[0] - last[0]) * 5 >= rows * 3,
                "{low} to {high} in {rows}: {first:?} {last:?}"
            );
        }
    }
    let lines = [points(&[(0, 0.0), (60, 100.0)])];
    let chart = Chart::new(&ChartSpec { rows: 20, ..spec(&lines, &zone) });
    let ticks: Vec<_> = chart.values.iter().map(|tick| (tick.at, &*tick.label)).collect();
    assert_eq!(ends(&chart), [vec![ticks[0].0], vec![ticks[ticks.len() - 1].0]]);
}

proptest! {
    #[test]
    fn many_points_in_a_column_look_like_lines_from_point_to_point(
        steps in proptest::collection::vec((0..9_i64, -9..9_i32), 2..300),
        columns in 1..30_usize,
        rows in 1..12_usize,
    ) {
        let mut at = (0, 0.0);
        let walk = steps.iter().map(|&(seconds, by)| {
            at = (at.0 + seconds, at.1 + f64::from(by));
            at
        });
        let lines = [points(&walk.collect::<Vec<_>>())];
        let zone = TimeZone::UTC;
        let spec = ChartSpec { columns, rows, ..spec(&lines, &zone) };
        let chart = Chart::new(&spec);

        let values = || lines[0].iter().map(|point| point.max);
        let range = (values().fold(f64::MAX, f64::min), values().fold(f64::MIN, f64::max));
        let axes = Axes::around(&spec, Unit::Plain, range).unwrap();
        let cells = vec![PlotCell::default(); columns * rows];
        let mut expected = Chart { columns, cells, ..Chart::default() };
        let dot = |point: Sample| axes.dot(point.timestamp, point.max);
        let gaps = Gaps::of(lines[0].iter().map(|point| point.timestamp), None);
        for (at, (before, point)) in lines[0].iter().zip(lines[0].iter().skip(1)).enumerate() {
            let from = if gaps.is_joined(at).unwrap_or(true) { before } else { point };
            expected.line(dot(before), dot(before), 0);
            expected.line(dot(from), dot(point), 0);
        }
        prop_assert_eq!(chart.cells, expected.cells);
    }
}

/// The highest and the lowest dot in a column of dots.
fn dots_of(chart: &Chart, x: usize) -> Option<(i64, i64)> {
    const DOTS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
    let rows = chart.cells.len() / chart.columns;
    let is_set =
        |y: &usize| chart.cells[y / 4 * chart.columns + x / 2].dots & DOTS[y % 4][x % 2] != 0;
    let mut set = (0..4 * rows).filter(is_set).map(|y| i64::try_from(y).unwrap());
    let first = set.next()?;
    Some((first, set.next_back().unwrap_or(first)))
}

proptest! {
    #[test]
    fn each_column_reaches_from_the_least_to_the_greatest_value_in_it(
        steps in proptest::collection::vec((1..40_i64, -9..9_i32), 2..400),
        columns in 1..30_usize,
        rows in 1..12_usize,
        part in (0..90_i64, 10..110_i64),
    ) {
        let mut at = (0, 0.0);
        let walk = steps.iter().map(|&(seconds, by)| {
            at = (at.0 + seconds, at.1 + f64::from(by));
            Point { timestamp: at.0, value: at.1 }
        });
        let walk: Vec<Point> = walk.collect();
        let span = at.0 + 1;
        let view = View { from: span * part.0 / 100, to: span * (part.0 + part.1) / 100, dots: 0 };
        let dot = (view.to - view.from + 1) / i64::try_from(columns * 2).unwrap();
        let step = 1_i64 << dot.max(1).ilog2();
        let mut samples: Vec<Sample> = Vec::new();
        for &Point { timestamp, value } in &walk {
            let start = timestamp.div_euclid(step) * step;
            match samples.last_mut().filter(|last| last.timestamp == start) {
                Some(last) => (last.min, last.max) = (last.min.min(value), last.max.max(value)),
                None => samples.push(Sample { timestamp: start, min: value, max: value }),
            }
        }
        let samples = Samples { samples, step: Some(step.unsigned_abs()) };
        let lines = [Line::of_samples(samples.clone(), &view)];
        let zone = TimeZone::UTC;
        let range = (view.from, view.to);
        let spec = ChartSpec { range, columns, rows, ..spec(&lines, &zone) };
        let chart = Chart::new(&spec);
        // By the points themselves, each where its bucket begins.
        let shown = |point: &&Point| {
            (view.from.div_euclid(step) * step..=view.to).contains(&point.timestamp)
        };
        let shown: Vec<Point> = walk.iter().filter(shown).copied().collect();
        let survey = Survey::of(&spec);
        prop_assert_eq!(survey.places.is_none() && !shown.is_empty(), false);
        let Some(axes) = survey.axes(&spec) else { return Ok(()) };
        let last = columns * 2 - 1;
        let mut expected = vec![None; columns * 2];
        for point in &shown {
            let start = (point.timestamp.div_euclid(step) * step).max(view.from);
            let (x, y) = axes.dot(start, point.value);
            let column: &mut Option<(i64, i64)> = &mut expected[usize::try_from(x).unwrap()];
            let (top, bottom) = column.unwrap_or((y, y));
            *column = Some((top.min(y), bottom.max(y)));
        }
        for x in 0..=last {
            let Some((top, bottom)) = expected[x] else { continue };
            let drawn = dots_of(&chart, x).unwrap();
            prop_assert!(drawn.0 <= top && bottom <= drawn.1, "column {x}");
            // A line to a neighbour begins here; at the ends it may go on beyond the edge.
            let before = expected[..x].iter().rev().flatten().next();
            let after = expected[x + 1..].iter().flatten().next();
            if let (Some(before), Some(after)) = (before, after) {
                let all = [(top, bottom), *before, *after];
                prop_assert!(drawn.0 >= all.iter().map(|column| column.0).min().unwrap());
                prop_assert!(drawn.1 <= all.iter().map(|column| column.1).max().unwrap());
            }
        }
    }
}

#[test]
fn extremes_do_not_break_it() {
    let zone = TimeZone::UTC;
    for line in [
        &[][..],
        &[(5, 1.0)],
        &[(i64::MIN, f64::MIN), (i64::MAX, f64::MAX)],
        &[(0, f64::MAX), (1, f64::MAX)],
        &[(0, 0.0), (0, 5e-324)],
        &[(0, 5e-324), (1, f64::MAX)],
        &[(0, 1e16), (1, 1e16 + 2.0)],
    ] {
        let lines = [points(line), points(&[(0, 1.0)])];
        for (columns, rows) in [(0, 0), (1, 1), (40, 10), (200, 60)] {
            for log in [false, true] {
                let thresholds = &[f64::MIN, 0.0, f64::MAX];
                let cursor = Some(1);
                let whole =
                    ChartSpec { log, thresholds, cursor, columns, rows, ..spec(&lines, &zone) };
                for range in [whole.range, (-1, 1), (2, 4), (i64::MIN, 0), (5, i64::MAX)] {
                    let chart = Chart::new(&ChartSpec { range, ..whole });
                    assert_eq!(chart.cells.len(), columns * rows);
                    assert!(chart.times.iter().all(|tick| tick.at < columns));
                    assert!(chart.cursor_points.iter().all(|&(x, y, _)| x < columns && y < rows));
                    assert!(chart.thresholds.iter().all(|&(row, _)| row < rows));
                }
            }
        }
    }
}

/// The labels of the time axis of a line from one time to another, in RFC 3339, in a time zone.
fn time_labels(zone: &str, from: &str, to: &str, columns: usize) -> Vec<String> {
    let time = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_second();
    let lines = [points(&[(time(from), 1.0), (time(to), 2.0)])];
    let zone = TimeZone::get(zone).unwrap();
    let chart = Chart::new(&ChartSpec { columns, ..spec(&lines, &zone) });
    chart.times.into_iter().map(|tick| tick.label).collect()
}

#[test]
fn ticks_of_time_are_dates_of_the_calendar() {
    let end = "2026-11-29T00:17:00Z";
    let labels = |from: &str| time_labels("UTC", from, end, 69).join(" ");
    assert_eq!(labels("2023-12-01T00:00:00Z"), "2024 2025 2026");
    assert_eq!(labels("2025-05-31T00:17:00Z"), "2025-07 2026-01 2026-07");
    assert_eq!(labels("2026-03-01T00:17:00Z"), "2026-05 2026-07 2026-09 2026-11");
    assert_eq!(labels("2026-07-15T00:17:00Z"), "2026-08 2026-09 2026-10 2026-11");
    assert_eq!(labels("2026-11-01T00:17:00Z"), "2026-11-02 2026-11-09 2026-11-16 2026-11-23");
    assert_eq!(labels("2006-11-29T00:17:00Z"), "2010 2015 2020 2025");
    assert_eq!(labels("1726-11-29T00:17:00Z"), "1800 1900 2000");
    assert_eq!(labels("2026-11-29T00:12:00Z"), "2026-11-29 00:12 00:14 00:16");
}

#[test]
fn ticks_of_time_follow_the_clock_when_it_is_changed() {
    let berlin = |from: &str, to: &str| time_labels("Europe/Berlin", from, to, 100).join(" ");
    let spring = berlin("2026-03-28T21:00:00Z", "2026-03-30T00:00:00Z");
    assert_eq!(spring, "2026-03-29 00:00 06:00 12:00 18:00 2026-03-30 00:00");
    let hours = berlin("2026-03-29T00:00:00Z", "2026-03-29T04:00:00Z");
    assert_eq!(hours, "2026-03-29 01:00 03:00 04:00 05:00 06:00", "there is no 02:00");
    let autumn = berlin("2026-10-24T22:00:00Z", "2026-10-25T02:00:00Z");
    assert_eq!(autumn, "2026-10-25 00:00 01:00 02:00 02:00 03:00", "02:00 comes twice");
    let autumn = berlin("2026-10-24T22:00:00Z", "2026-10-25T20:00:00Z");
    assert_eq!(autumn, "2026-10-25 00:00 06:00 12:00 18:00");
    let days = berlin("2026-03-26T12:00:00Z", "2026-04-01T12:00:00Z");
    assert_eq!(days, "2026-03-27 2026-03-28 2026-03-29 2026-03-30 2026-03-31 2026-04-01");
    let months = berlin("2025-12-01T00:00:00Z", "2026-05-20T00:00:00Z");
    assert_eq!(months, "2026-01 2026-02 2026-03 2026-04 2026-05");
    let lord_howe = "Australia/Lord_Howe";
    let island = time_labels(lord_howe, "2026-04-04T13:00:00Z", "2026-04-04T17:00:00Z", 79);
    assert_eq!(island.join(" "), "2026-04-05 00:00 01:00 02:00 03:00", "half an hour back");
}

proptest! {
    #[test]
    fn a_time_axis_has_two_labels_that_do_not_touch(
        to in -60_000_000_000_i64..200_000_000_000,
        (power, part) in (3..36_u32, 0.5..1.0_f64),
        columns in 24..250_usize,
        zone in prop_oneof![Just("UTC"), Just("Europe/Berlin"), Just("Asia/Kathmandu"), Just("America/St_Johns")],
    ) {
        #[expect(clippy::cast_possible_truncation, reason = "below 2^36")]
        let span = (2_f64.powi(power.cast_signed()) * part) as i64;
        let lines = [points(&[(to - span, 1.0), (to, 2.0)])];
        let zone = TimeZone::get(zone).unwrap();
        let chart = Chart::new(&ChartSpec { columns, ..spec(&lines, &zone) });
        prop_assert!(chart.times.len() >= 2, "{:?}", chart.times);
        let ends = |tick: &AxisTick| (tick.start(columns + 1), tick.start(columns + 1) + tick.label.len());
        for pair in chart.times.windows(2) {
            prop_assert!(ends(&pair[0]).1 < ends(&pair[1]).0, "{:?}", chart.times);
        }
        prop_assert!(chart.times.iter().all(|tick| ends(tick).1 <= columns + 1));
    }
}
