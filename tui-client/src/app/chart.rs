//! The chart: points as lines of braille dots with labels on both axes; geometry only, no colours.

mod axis;
mod extent;
pub mod line;
pub mod readout;
pub mod viewport;

use crate::metrics::rollups::Sample;
use crate::text::units::Unit;
use extent::{Edge, Survey, VisibleLine};
use jiff::tz::TimeZone;
use line::Line;
use readout::{Reading, nearest};

/// The least columns for the labels of the value axis; none on a narrow screen.
const LABELS: u16 = 9;

/// The most lines in one chart; more could not be told apart.
pub const MAX_LINES: usize = 6;

/// The least rows of a chart with a legend.
const WITH_LEGEND: u16 = 5;

/// Divides the height: rows of the legend, and of the plot without the axis below it.
pub fn rows(height: u16) -> (u16, u16) {
    let legend = u16::from(height >= WITH_LEGEND);
    (legend, height.saturating_sub(legend + 1))
}

/// Divides the width: columns of the labels, and of the plot without the axis between them.
pub fn columns(spec: &ChartSpec<'_>, width: u16) -> (u16, u16) {
    divided(spec, &Survey::of(spec), width)
}

/// Columns of a plot whose labels are as wide as most.
pub fn usual_columns(width: u16) -> u16 {
    let labels = if width >= 3 * LABELS { LABELS } else { 0 };
    width.saturating_sub(labels + 1)
}

fn divided(spec: &ChartSpec<'_>, survey: &Survey<'_>, width: u16) -> (u16, u16) {
    let axes = survey.axes(&ChartSpec { columns: usize::from(width.max(1)), ..*spec });
    let ticks = axes.map_or(Vec::new(), |axes| survey.value_ticks(spec, &axes));
    let longest = ticks.iter().map(|tick| tick.label.len()).max().unwrap_or(0);
    let longest = u16::try_from(longest).unwrap_or(u16::MAX);
    let labels = if width >= 3 * LABELS { longest.clamp(LABELS, width / 2) } else { 0 };
    (labels, width.saturating_sub(labels + 1))
}

/// The data and the size of a chart.
#[derive(Debug, Clone, Copy)]
pub struct ChartSpec<'a> {
    /// The data of each line; the first line is on top.
    pub lines: &'a [Line],
    /// The first and the last time.
    pub range: (i64, i64),
    /// A logarithmic value axis.
    pub log: bool,
    /// Values marked by a horizontal line.
    pub thresholds: &'a [f64],
    /// The time under the cursor.
    pub cursor: Option<i64>,
    /// The unit of the values.
    pub unit: Unit,
    /// Columns of the plot.
    pub columns: usize,
    /// Rows of the plot.
    pub rows: usize,
    /// The zone for times of day.
    pub zone: &'a TimeZone,
}

/// A label on an axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AxisTick {
    /// The column or row, counted from the left or the top.
    pub at: usize,
    /// The text.
    pub label: String,
}

/// A cell of the plot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PlotCell {
    /// A braille pattern, as the offset from U+2800.
    pub dots: u8,
    /// The line that the dots belong to.
    pub line: u8,
}

/// A chart, ready to be drawn.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chart {
    /// Columns for the labels of the value axis.
    pub labels: u16,
    /// Columns of the plot.
    pub columns: usize,
    /// The cells, row by row from the top.
    pub cells: Vec<PlotCell>,
    /// Labels of the value axis.
    pub values: Vec<AxisTick>,
    /// Labels of the time axis, at the column of their middle.
    pub times: Vec<AxisTick>,
    /// The rows and values of the thresholds that the axis can show.
    pub thresholds: Vec<(usize, f64)>,
    /// The column of the cursor.
    pub cursor: Option<usize>,
    /// The column, row and line of the points under the cursor.
    pub marks: Vec<(usize, usize, usize)>,
    /// The sample of each line under the cursor, if there is one near it.
    pub read: Vec<Option<Sample>>,
    /// The newest visible sample of each line.
    pub newest: Vec<Option<Sample>>,
    /// The samples of the first line under the cursor.
    pub reading: Option<Reading>,
    /// Seconds of a bucket of the first line; none when its samples are points.
    pub step: Option<u64>,
    /// The number of points, or buckets with points, that a logarithmic axis can't show.
    pub not_positive: usize,
}

/// The samples of a line in one column of dots, drawn at once. Dots are counted from the top.
#[derive(Debug, Clone, Copy)]
struct DotColumn {
    x: i64,
    /// The highest and the lowest dot.
    range: (i64, i64),
    /// The same of the last sample.
    last: (i64, i64),
}

impl DotColumn {
    fn of(x: i64, range: (i64, i64)) -> Self {
        Self { x, range, last: range }
    }

    /// This column with a later sample of it.
    fn with(self, next: Self) -> Self {
        let ((top, bottom), (above, below)) = (self.range, next.range);
        Self { range: (top.min(above), bottom.max(below)), ..next }
    }
}

/// The ends of the line from one range of dots to the next: as short as it can be.
fn joint((top, bottom): (i64, i64), (above, below): (i64, i64)) -> (i64, i64) {
    match (bottom < above, below < top) {
        (true, _) => (bottom, above),
        (_, true) => (top, below),
        _ => (top.max(above), top.max(above)),
    }
}

impl ChartSpec<'_> {
    /// The sample is within the range of time.
    fn shows(&self, sample: &Sample) -> bool {
        (self.range.0..=self.range.1).contains(&sample.timestamp)
            && sample.min.is_finite()
            && sample.max.is_finite()
    }

    /// The part of a sample that the value axis can show, least value first.
    fn visible(&self, sample: &Sample) -> Option<(f64, f64)> {
        let low = if self.fits(sample.min) { sample.min } else { sample.max };
        self.fits(sample.max).then_some((low, sample.max))
    }

    /// The value axis can show the value.
    fn fits(&self, value: f64) -> bool {
        value.is_finite() && (!self.log || value > 0.0)
    }

    /// The position of a value on the value axis.
    fn place(&self, value: f64) -> f64 {
        if self.log { logarithm(value) } else { value }
    }
}

/// The logarithm of a value. Not inlined, because the compiler would compute it for linear axes
/// too.
#[inline(never)]
fn logarithm(value: f64) -> f64 {
    value.log10()
}

impl Chart {
    /// Plots in a width that includes the value axis and its labels.
    pub fn fitted(spec: &ChartSpec<'_>, width: u16) -> Self {
        let survey = Survey::of(spec);
        let (labels, columns) = divided(spec, &survey, width);
        let spec = ChartSpec { columns: columns.into(), ..*spec };
        Self { labels, ..Self::of(&spec, &survey) }
    }

    /// Plots in the size of the spec.
    #[cfg(test)]
    fn new(spec: &ChartSpec<'_>) -> Self {
        Self::of(spec, &Survey::of(spec))
    }

    fn of(spec: &ChartSpec<'_>, survey: &Survey<'_>) -> Self {
        let (columns, rows) = (spec.columns, spec.rows);
        let mut chart =
            Self { columns, cells: vec![PlotCell::default(); columns * rows], ..Self::default() };
        let within = |sample: &Sample| spec.shows(sample);
        let lines = &survey.lines;
        chart.newest = lines.iter().map(VisibleLine::newest).collect();
        if spec.log {
            let all = lines.iter().flat_map(VisibleLine::samples).filter(within);
            chart.not_positive = all.filter(|sample| sample.min <= 0.0).count();
        }
        let Some(axes) = survey.axes(spec) else {
            return chart;
        };
        chart.times = axes.time_ticks(columns, spec.zone);
        chart.step = spec.lines.first().and_then(Line::step);
        if survey.places.is_none() {
            return chart;
        }
        // The first line is drawn last, on top of the others.
        for (number, line) in lines.iter().enumerate().rev() {
            let number = u8::try_from(number).unwrap_or(u8::MAX);
            let mut before: Option<(i64, DotColumn)> = None;
            let places = |sample: &Sample| {
                let (low, high) = spec.visible(sample)?;
                Some((spec.place(low), spec.place(high)))
            };
            let spots = line.samples().filter(within).map(|at| (at.timestamp, places(&at)));
            let spot = |edge: Edge| (edge.timestamp, Some((edge.place, edge.place)));
            let spots = line.entry.map(spot).into_iter().chain(spots).chain(line.exit.map(spot));
            for (time, places) in spots {
                let next = places.map(|(low, high)| {
                    let (x, top) = axes.dot(time, high);
                    // Most are points.
                    let bottom = if low < high { axes.dot(time, low).1 } else { top };
                    DotColumn::of(x, (top, bottom))
                });
                if let Some((earlier, column)) = before {
                    match next.filter(|_| time.abs_diff(earlier) <= line.gap.within) {
                        Some(next) if column.x == next.x => {
                            before = Some((time, column.with(next)));
                            continue;
                        }
                        Some(next) => {
                            let (from, to) = joint(column.last, next.range);
                            chart.line((column.x, from), (next.x, to), number);
                        }
                        None => {}
                    }
                    chart.column(&column, number);
                }
                before = next.map(|next| (time, next));
            }
            before.inspect(|(_, column)| chart.column(column, number));
        }
        if let Some(time) = spec.cursor.filter(|time| (spec.range.0..=spec.range.1).contains(time))
        {
            let column = |time: i64| axes.dot(time, 0.0).0 / 2;
            chart.cursor = usize::try_from(column(time)).ok();
            // A line without points near the cursor has no reading.
            let is_near = |line: &VisibleLine<'_>, at: &Sample| {
                line.is_near(at, time) || column(at.timestamp) == column(time)
            };
            let read = lines.iter().map(|line| {
                let nearest = nearest(line.samples().filter(within), time);
                nearest.filter(|sample| is_near(line, sample))
            });
            chart.read = read.collect();
            if let (Some(line), Some(Some(_))) = (lines.first(), chart.read.first()) {
                chart.reading = Reading::at(time, line.samples().filter(within), column);
            }
            for (line, read) in chart.read.iter().enumerate().rev() {
                let Some((read, (low, high))) =
                    read.and_then(|read| Some((read, spec.visible(&read)?)))
                else {
                    continue;
                };
                let mark = |value| {
                    let (x, y) = axes.dot(read.timestamp, spec.place(value));
                    Some((usize::try_from(x / 2).ok()?, usize::try_from(y / 4).ok()?, line))
                };
                chart.marks.extend(mark(high));
                chart.marks.extend(mark(low).filter(|_| low < high));
            }
        }
        let thresholds = spec.thresholds.iter().filter(|&&value| spec.fits(value));
        let row = |value: f64| axes.row(spec.place(value), rows);
        chart.thresholds = thresholds.map(|&value| (row(value), value)).collect();
        chart.values = survey.value_ticks(spec, &axes);
        chart
    }

    /// Sets the dots of a column.
    fn column(&mut self, column: &DotColumn, line: u8) {
        let (top, bottom) = column.range;
        self.line((column.x, top), (column.x, bottom), line);
    }

    /// Sets the dots of a straight line, with both ends.
    fn line(&mut self, (x0, y0): (i64, i64), (x1, y1): (i64, i64), line: u8) {
        let steps = (x1 - x0).abs().max((y1 - y0).abs()).max(1);
        for step in 0..=steps {
            self.dot(x0 + (x1 - x0) * step / steps, y0 + (y1 - y0) * step / steps, line);
        }
    }

    fn dot(&mut self, x: i64, y: i64, line: u8) {
        /// The bits of a braille pattern, by row and column of the dot.
        const DOTS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else {
            return;
        };
        if x / 2 < self.columns
            && let Some(cell) = self.cells.get_mut(y / 4 * self.columns + x / 2)
        {
            if cell.line != line {
                *cell = PlotCell { dots: 0, line };
            }
            cell.dots |= DOTS[y % 4][x % 2];
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use shared::Point;

    use super::axis::Axes;
    use super::extent::Gap;
    use super::*;
    use crate::metrics::recent_points::RecentPoints;
    use crate::metrics::rollups::{Samples, View};

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
            unit: Unit::Plain,
            columns: 40,
            rows: 10,
            zone,
        }
    }

    fn labels(ticks: &[AxisTick]) -> Vec<&str> {
        ticks.iter().map(|tick| &*tick.label).collect()
    }

    #[test]
    fn a_rising_line_goes_from_corner_to_corner() {
        let lines = [points(&[(0, 0.0), (60, 10.0)])];
        let chart = Chart::new(&spec(&lines, &TimeZone::UTC));
        assert_eq!(chart.cells[9 * 40].dots & 0x40, 0x40, "bottom left");
        assert_eq!(chart.cells[39].dots & 0x08, 0x08, "top right");
        assert_eq!(labels(&chart.values), ["0", "5", "10"]);
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
        let usual = |a: f64, b: f64| {
            [points(&[(-200, a), (-100, a), (0, a), (100, b), (200, b), (300, b)])]
        };
        let lines = usual(0.0, 100.0);
        for range in [(50, 100), (0, 50), (20, 60)] {
            let chart = Chart::new(&ChartSpec { range, ..spec(&lines, &zone) });
            assert_eq!(ends(&chart), [vec![9], vec![0]], "from corner to corner: {range:?}");
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
        // Where points come each second, minutes are a gap, whatever the pace was before.
        let paused: Vec<i64> = (0..100).chain((400..450).map(|n| n * 100)).collect();
        assert_eq!(drawn(&paused, (40_000, 44_000)).len(), 40, "a new pace is usual");
    }

    #[test]
    fn a_logarithmic_axis_has_decades_and_no_place_for_zero() {
        let lines = [points(&[(0, 1.0), (1, 0.0), (2, 1000.0), (3, -5.0), (4, 10.0)])];
        let zone = TimeZone::UTC;
        let chart = Chart::new(&ChartSpec { log: true, ..spec(&lines, &zone) });
        assert_eq!(labels(&chart.values), ["1", "10", "100", "1k"]);
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
        let chart = Chart::new(&ChartSpec { cursor: Some(59), ..spec(&lines, &zone) });
        assert_eq!((chart.cursor, chart.marks), (Some(39), vec![(39, 0, 0)]), "what is there");
        let chart = Chart::new(&ChartSpec { cursor: Some(0), ..spec(&lines, &zone) });
        assert_eq!((chart.cursor, chart.marks), (Some(0), vec![(0, 5, 1), (0, 9, 0)]));
        let chart = Chart::new(&ChartSpec { cursor: Some(61), ..spec(&lines, &zone) });
        assert_eq!((chart.cursor, chart.marks), (None, vec![]));
    }

    #[test]
    fn the_cursor_knows_what_shares_its_column() {
        let mut dense: Vec<_> = (0..400).map(|at| (at, 5.0)).collect();
        dense[203].1 = 100_000.0;
        let (lines, zone) = ([points(&dense), points(&[(0, 7.0)])], TimeZone::UTC);
        let read = |cursor: i64, range: (i64, i64)| {
            let chart =
                Chart::new(&ChartSpec { cursor: Some(cursor), range, ..spec(&lines, &zone) });
            let read = chart.reading.unwrap();
            (read.sample.timestamp, read.count, read.least, read.greatest)
        };
        assert_eq!(read(200, (0, 399)), (200, 10, 5.0, 100_000.0));
        assert_eq!(read(120, (0, 399)), (120, 10, 5.0, 5.0));
        assert_eq!(read(203, (190, 210)), (203, 1, 100_000.0, 100_000.0), "zoomed in");
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
            let chart =
                Chart::new(&ChartSpec { cursor: Some(cursor), range, ..spec(&lines, &zone) });
            let times = chart.read.iter().map(|read| read.map(|point| point.timestamp));
            times.collect::<Vec<_>>()
        };
        assert_eq!(read(100), [Some(100), None, None]);
        assert_eq!(read(10), [Some(10), Some(10), None]);
        assert_eq!(read(190), [Some(190), None, Some(190)]);
    }

    #[test]
    fn labels_that_need_more_room_get_it() {
        let label = |values: &[(i64, f64)], unit: Unit, width: u16| {
            let (lines, zone) = ([points(values)], TimeZone::UTC);
            let chart = Chart::fitted(&ChartSpec { unit, ..spec(&lines, &zone) }, width);
            assert_eq!(usize::from(chart.labels) + 1 + chart.columns, usize::from(width));
            let labels = labels(&chart.values).join(" ");
            (chart.labels, labels)
        };
        let close = [(0, 81_235_000_000.0), (9, 81_235_050_000.0)];
        let labels = "81.23500GB 81.23502GB 81.23504GB";
        assert_eq!(label(&close, Unit::Bytes, 80), (10, labels.to_owned()));
        let labels = "81.23500G 81.23502G 81.23504G";
        assert_eq!(label(&close, Unit::Plain, 80), (9, labels.to_owned()));
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
    fn the_nearest_point_is_found() {
        let points = points(&[(0, 1.0), (10, 2.0), (20, 3.0)]);
        assert_eq!(nearest(points.iter(), 14).map(|point| point.max), Some(2.0));
        assert_eq!(nearest(points.iter(), i64::MAX).map(|point| point.max), Some(3.0));
        assert_eq!(nearest([], 0), None);
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
            let axes = Axes::around(&spec, range).unwrap();
            let cells = vec![PlotCell::default(); columns * rows];
            let mut expected = Chart { columns, cells, ..Chart::default() };
            let dot = |point: Sample| axes.dot(point.timestamp, point.max);
            let gap = Gap::of(&lines[0], 0..lines[0].len());
            for (before, point) in lines[0].iter().zip(lines[0].iter().skip(1)) {
                let joined = point.timestamp.abs_diff(before.timestamp) <= gap.within;
                let from = if joined { before } else { point };
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
                        assert!(chart.marks.iter().all(|&(x, y, _)| x < columns && y < rows));
                        assert!(chart.thresholds.iter().all(|&(row, _)| row < rows));
                    }
                }
            }
        }
    }
}
