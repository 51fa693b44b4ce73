//! The chart: points as lines of braille dots with labels on both axes; geometry only, no colours.

mod axis;
mod calendar;
mod extent;
pub mod line;
pub mod readout;
#[cfg(test)]
mod tests;
pub mod viewport;

use crate::metrics::rollups::Sample;
use crate::text::units::Unit;
use crate::text::width::width;
use axis::Axes;
use extent::{Edge, Survey, VisibleLine};
use jiff::tz::TimeZone;
use line::Line;
use readout::{Reading, standing};

/// The least columns for the labels of the value axis; none on a narrow screen.
const LABELS: u16 = 9;

/// Columns for the values at the right ends of lines, and the least columns of a chart with them: those
/// of a chart beside a table.
const ENDS: u16 = 10;
const WITH_ENDS: u16 = 56;

/// The most lines in one chart; more could not be told apart.
pub const MAX_LINES: usize = 6;

/// The least rows of a chart with a legend.
const WITH_LEGEND: u16 = 5;

/// Divides the height for so many lines: rows of the legend, and of the plot without the axis below it.
/// Only a legend tells several lines apart.
pub fn rows(height: u16, lines: usize) -> (u16, u16) {
    let least = if lines > 1 { WITH_LEGEND - 1 } else { WITH_LEGEND };
    let legend = u16::from(height >= least);
    (legend, height.saturating_sub(legend + 1))
}

/// Divides the width: columns of the labels, and of the plot without the axis between them. The rest is
/// for the values at the ends of lines.
pub fn columns(spec: &ChartSpec<'_>, width: u16) -> (u16, u16) {
    let spec = spec.in_width(width);
    divided(&spec, &Survey::of(&spec), width)
}

/// Columns of a plot whose labels are as wide as most.
pub fn usual_columns(width: u16) -> u16 {
    let labels = if width >= 3 * LABELS { LABELS } else { 0 };
    width.saturating_sub(labels + 1 + end_columns(width))
}

/// Columns for the values at the ends of lines.
fn end_columns(width: u16) -> u16 {
    if width >= WITH_ENDS { ENDS } else { 0 }
}

fn divided(spec: &ChartSpec<'_>, survey: &Survey<'_>, width: u16) -> (u16, u16) {
    let axes = survey.axes(&ChartSpec { columns: usize::from(width.max(1)), ..*spec });
    let ticks = axes.map_or(Vec::new(), |axes| survey.value_ticks(spec, &axes));
    let longest = ticks.iter().map(AxisTick::wide).max().unwrap_or(0);
    let longest = u16::try_from(longest).unwrap_or(u16::MAX);
    let labels = if width >= 3 * LABELS { longest.clamp(LABELS, width / 2) } else { 0 };
    (labels, width.saturating_sub(labels + 1 + end_columns(width)))
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
    /// Times that have a line of their own, within the range.
    pub events: &'a [i64],
    /// The unit of each line; that of others is not known.
    pub units: &'a [Unit],
    /// Lines of another unit or magnitude than the first have an axis of their own.
    pub has_right: bool,
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

impl AxisTick {
    /// Columns of the label.
    fn wide(&self) -> usize {
        width(&self.label)
    }

    /// The first column of the label in a row of `room` columns that begins with the axis: centred
    /// below the tick, as far as the ends allow.
    pub fn start(&self, room: usize) -> usize {
        let wide = self.wide();
        (self.at + 1).saturating_sub(wide / 2).min(room.saturating_sub(wide))
    }
}

/// A cell of the plot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PlotCell {
    /// A braille pattern, as the offset from U+2800.
    pub dots: u8,
    /// The line that the dots belong to.
    pub line: u8,
    /// The dots of the line below it in this cell, if there is one.
    pub under: u8,
    /// The line that these dots belong to.
    pub under_line: u8,
}

impl PlotCell {
    /// The dots of both lines, and the line whose colour they have in an even or odd column: that on
    /// top, but by turns the other one where that would be hidden.
    pub fn seen(self, is_odd: bool) -> (u8, u8) {
        let is_hidden = self.under != 0 && self.under & !self.dots == 0;
        (self.dots | self.under, if is_hidden && is_odd { self.under_line } else { self.line })
    }

    fn set(&mut self, dot: u8, line: u8) {
        if self.line != line {
            let (under, under_line) =
                if self.dots != 0 { (self.dots, self.line) } else { (self.under, self.under_line) };
            *self = Self { dots: 0, line, under, under_line };
        }
        self.dots |= dot;
    }
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
    /// Labels of the value axis on the right; none where all lines share one.
    pub right_values: Vec<AxisTick>,
    /// Whether each line is on the right axis.
    pub is_right: Vec<bool>,
    /// Some lines are flat beside others, and there is no room for an axis of their own.
    pub is_flat: bool,
    /// Labels of the time axis, at the column of their middle; as many as have room.
    pub times: Vec<AxisTick>,
    /// The rows and values of the thresholds that the axis can show.
    pub thresholds: Vec<(usize, f64)>,
    /// The column of the cursor.
    pub cursor: Option<usize>,
    /// The columns of the events.
    pub events: Vec<usize>,
    /// The column, row and line of the points under the cursor.
    pub cursor_points: Vec<(usize, usize, usize)>,
    /// The sample of each line under the cursor, if there is one near it.
    pub read: Vec<Option<Sample>>,
    /// The newest visible sample of each line.
    pub newest: Vec<Option<Sample>>,
    /// Row and line of the values at the right ends, each in a row of its own.
    pub ends: Vec<(usize, usize)>,
    /// The column and the row of the newest visible sample of each line.
    pub last_cells: Vec<Option<(usize, usize)>>,
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

/// Rows of lines as near to those they are in as they can be without sharing one. The last lines have
/// none where there are too few rows.
fn spread(mut ends: Vec<(usize, usize)>, rows: usize) -> Vec<(usize, usize)> {
    ends.truncate(rows);
    // Of one row, in the order in which they came.
    ends.sort_by_key(|&(row, _)| row);
    let mut free = 0;
    for (row, _) in &mut ends {
        *row = free.max(*row);
        free = *row + 1;
    }
    let mut free = rows;
    for (row, _) in ends.iter_mut().rev() {
        free -= 1;
        *row = free.min(*row);
        free = *row;
    }
    ends
}

impl ChartSpec<'_> {
    /// The spec of a chart as wide as this: the values at the ends leave room for an axis.
    fn in_width(&self, width: u16) -> Self {
        Self { has_right: end_columns(width) > 0, ..*self }
    }

    /// The seconds of a column, at least one.
    fn column_seconds(&self) -> u64 {
        (self.range.1.abs_diff(self.range.0) / self.columns.max(1) as u64).max(1)
    }

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
        let spec = spec.in_width(width);
        let survey = Survey::of(&spec);
        let (labels, columns) = divided(&spec, &survey, width);
        let spec = ChartSpec { columns: columns.into(), ..spec };
        let chart = Self::of(&spec, &survey);
        let ends = if end_columns(width) > 0 { chart.ends } else { Vec::new() };
        Self { labels, ends, ..chart }
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
        let right_axes = survey.right_axes(spec);
        chart.is_right.clone_from(&survey.is_right);
        chart.is_flat = survey.is_flat;
        let axes_of = |line: usize| {
            let right = right_axes.as_ref().filter(|_| survey.is_right.get(line) == Some(&true));
            right.unwrap_or(&axes)
        };
        chart.times = axes.time_ticks(columns, spec.zone);
        chart.events = spec.events.iter().map(|&time| axes.column(time, columns)).collect();
        chart.step = spec.lines.first().and_then(Line::step);
        if survey.places.is_none() {
            return chart;
        }
        // The first line is drawn last, on top of the others.
        for (number, line) in lines.iter().enumerate().rev() {
            chart.draw(line, number, spec, axes_of(number));
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
                let read = standing(line.samples().filter(within), time);
                read.filter(|sample| is_near(line, sample))
            });
            chart.read = read.collect();
            if let (Some(line), Some(Some(_))) = (lines.first(), chart.read.first()) {
                chart.reading =
                    Reading::at(time, line.samples().filter(within), spec.column_seconds());
            }
            for (line, read) in chart.read.iter().enumerate().rev() {
                let Some((read, (low, high))) =
                    read.and_then(|read| Some((read, spec.visible(&read)?)))
                else {
                    continue;
                };
                let mark = |value| {
                    let (x, y) = axes_of(line).dot(read.timestamp, spec.place(value));
                    Some((usize::try_from(x / 2).ok()?, usize::try_from(y / 4).ok()?, line))
                };
                chart.cursor_points.extend(mark(high));
                chart.cursor_points.extend(mark(low).filter(|_| low < high));
            }
        }
        let thresholds = spec.thresholds.iter().filter(|&&value| spec.fits(value));
        let row = |value: f64| axes.row(spec.place(value), rows);
        chart.thresholds = thresholds.map(|&value| (row(value), value)).collect();
        chart.values = survey.value_ticks(spec, &axes);
        let right = right_axes.as_ref();
        chart.right_values = right.map_or_else(Vec::new, |axes| axes.value_ticks(rows));
        chart.last_cells = chart.last_cells_on(spec, axes_of);
        chart.ends = chart.ends_on(spec, axes_of);
        chart
    }

    /// Draws a line.
    fn draw(&mut self, line: &VisibleLine<'_>, number: usize, spec: &ChartSpec<'_>, axes: &Axes) {
        let number = u8::try_from(number).unwrap_or(u8::MAX);
        let mut before: Option<DotColumn> = None;
        let places = |sample: &Sample| {
            let (low, high) = spec.visible(sample)?;
            Some((spec.place(low), spec.place(high)))
        };
        let spots = line.joined_samples().filter(|(sample, _)| spec.shows(sample));
        let spots = spots.map(|(at, is_joined)| (at.timestamp, places(&at), is_joined));
        let spot = |edge: Edge| (edge.timestamp, Some((edge.place, edge.place)), true);
        let spots = line.entry.map(spot).into_iter().chain(spots).chain(line.exit.map(spot));
        for (time, places, is_joined) in spots {
            let next = places.map(|(low, high)| {
                let (x, top) = axes.dot(time, high);
                // Most are points.
                let bottom = if low < high { axes.dot(time, low).1 } else { top };
                DotColumn::of(x, (top, bottom))
            });
            if let Some(column) = before {
                match next.filter(|_| is_joined) {
                    Some(next) if column.x == next.x => {
                        before = Some(column.with(next));
                        continue;
                    }
                    Some(next) => {
                        let (from, to) = joint(column.last, next.range);
                        self.line((column.x, from), (next.x, to), number);
                    }
                    None => {}
                }
                self.column(&column, number);
            }
            before = next;
        }
        before.inspect(|column| self.column(column, number));
    }

    /// The column and the row of the newest visible sample of each line.
    fn last_cells_on<'a>(
        &self,
        spec: &ChartSpec<'_>,
        axes_of: impl Fn(usize) -> &'a Axes,
    ) -> Vec<Option<(usize, usize)>> {
        let last_cell = |(line, newest): (usize, &Option<Sample>)| {
            let newest = newest.as_ref()?;
            let axes = axes_of(line);
            let row = axes.row(spec.place(spec.visible(newest)?.1), spec.rows);
            Some((axes.column(newest.timestamp, spec.columns), row))
        };
        self.newest.iter().enumerate().map(last_cell).collect()
    }

    /// Row and line of the values at the right ends, but for those of a step with many values.
    fn ends_on<'a>(
        &self,
        spec: &ChartSpec<'_>,
        axes_of: impl Fn(usize) -> &'a Axes,
    ) -> Vec<(usize, usize)> {
        let end = |(line, newest): (usize, &Option<Sample>)| {
            /// Rows that a value may be away from its place.
            const MAX_AWAY: usize = 1;
            let (low, high) = spec.visible(newest.as_ref()?)?;
            let row = |place| axes_of(line).row(place, spec.rows);
            let (top, bottom) = (row(spec.place(high)), row(spec.place(low)));
            let middle = spec.place(low) / 2.0 + spec.place(high) / 2.0;
            (bottom - top <= 2 * MAX_AWAY).then_some((middle, (top.midpoint(bottom), line)))
        };
        let mut ends: Vec<_> = self.newest.iter().enumerate().filter_map(end).collect();
        ends.truncate(spec.rows);
        // The greatest on top, also where they share a row.
        ends.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        spread(ends.into_iter().map(|(_, end)| end).collect(), spec.rows)
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
            cell.set(DOTS[y % 4][x % 2], line);
        }
    }
}
