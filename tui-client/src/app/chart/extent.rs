//! The extent of the visible lines: their visible parts, and the range of the value axis.

use std::ops::Range;

use crate::app::chart::axis::Axes;
use crate::app::chart::line::Line;
use crate::app::chart::{AxisTick, ChartSpec, MAX_LINES};
use crate::metrics::rollups::Sample;

/// Where a line crosses an edge of the range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Edge {
    /// The time of the edge.
    pub timestamp: i64,
    /// The position on the value axis.
    pub place: f64,
}

/// The visible part of a line.
#[derive(Debug)]
pub(super) struct VisibleLine<'a> {
    line: &'a Line,
    /// The range of the visible samples.
    visible: Range<usize>,
    /// Where the line enters at the left edge and leaves at the right edge, if it crosses them.
    pub entry: Option<Edge>,
    pub exit: Option<Edge>,
    /// The longest time between joined samples.
    pub gap: u64,
}

impl<'a> VisibleLine<'a> {
    /// The visible samples.
    pub fn samples(&self) -> impl Iterator<Item = Sample> + Clone + use<'a> {
        self.line.range(self.visible.clone())
    }

    /// The sample represents the line at a time: the line is drawn there, or the sample is as near
    /// as samples usually are.
    pub fn is_near(&self, sample: &Sample, time: i64) -> bool {
        let Range { start, end } = self.visible;
        let shown = |at: usize| self.line.get(at).filter(|_| self.visible.contains(&at));
        let shown = |at: usize| shown(at).map(|sample| sample.timestamp);
        let first = self.entry.map(|edge| edge.timestamp).or_else(|| shown(start));
        let last = self.exit.map(|edge| edge.timestamp);
        let last = last.or_else(|| end.checked_sub(1).and_then(shown));
        let within =
            first.is_some_and(|first| first <= time) && last.is_some_and(|last| time <= last);
        let has_habit = self.gap < i64::MAX.unsigned_abs();
        (within || has_habit) && sample.timestamp.abs_diff(time) <= self.gap
    }

    fn new(line: &'a Line, spec: &ChartSpec<'_>) -> Self {
        let (from, to) = spec.range;
        let gap = gap(line).unsigned_abs();
        let crossing = |pair: Option<(Sample, Sample)>, edge: i64| {
            let (before, after) = pair?;
            let crosses = before.timestamp < edge && edge < after.timestamp;
            let joined = after.timestamp.abs_diff(before.timestamp) <= gap;
            let (old, new) = (spec.visible(&before)?, spec.visible(&after)?);
            (crosses && joined).then(|| {
                let (old, new) = joint(old, new);
                let ends = (before.timestamp, spec.place(old));
                let place = between(ends, (after.timestamp, spec.place(new)), edge);
                Edge { timestamp: edge, place }
            })
        };
        let visible = |sample: Sample| spec.shows(&sample);
        let Some(first) = line.iter().position(visible) else {
            let over = |(a, b): &(Sample, Sample)| a.timestamp < from && to < b.timestamp;
            let pair = line.iter().zip(line.iter().skip(1)).find(over);
            let (entry, exit) = (crossing(pair, from), crossing(pair, to));
            return Self { line, visible: 0..0, entry, exit, gap };
        };
        let behind = line.iter().rev().position(visible).unwrap_or(0);
        let end = line.len() - behind;
        let pair = |at: usize| Some((line.get(at)?, line.get(at + 1)?));
        let entry = crossing(first.checked_sub(1).and_then(pair), from);
        let exit = crossing(pair(end - 1), to);
        Self { line, visible: first..end, entry, exit, gap }
    }
}

/// The values at both ends of the line from one range of values to the next: as near as they can be.
fn joint((min, max): (f64, f64), (low, high): (f64, f64)) -> (f64, f64) {
    match (max < low, high < min) {
        (true, _) => (max, low),
        (_, true) => (min, high),
        _ => (min.max(low), min.max(low)),
    }
}

/// The value at a time on the straight line between two points.
#[expect(clippy::cast_precision_loss, reason = "a dot is coarser")]
fn between((t0, v0): (i64, f64), (t1, v1): (i64, f64), time: i64) -> f64 {
    let part = time.abs_diff(t0) as f64 / t1.abs_diff(t0) as f64;
    // The difference of the values may overflow.
    v0 * (1.0 - part) + v1 * part
}

/// The visible lines, and the range of their positions on the value axis.
pub(super) struct Survey<'a> {
    pub lines: Vec<VisibleLine<'a>>,
    pub places: Option<(f64, f64)>,
}

impl<'a> Survey<'a> {
    pub fn of(spec: &ChartSpec<'a>) -> Self {
        let lines: Vec<VisibleLine<'_>> =
            spec.lines.iter().take(MAX_LINES).map(|line| VisibleLine::new(line, spec)).collect();
        let samples = lines.iter().flat_map(VisibleLine::samples);
        let samples = samples.filter(|sample| spec.shows(sample));
        let values = samples.flat_map(|sample| [sample.min, sample.max]);
        let values = values.chain(spec.thresholds.iter().copied());
        let wider = |range: Option<(f64, f64)>, value: f64| {
            let (low, high) = range.unwrap_or((value, value));
            Some((low.min(value), high.max(value)))
        };
        let values = values.filter(|&value| spec.fits(value)).fold(None, wider);
        let values = values.map(|(low, high)| (spec.place(low), spec.place(high)));
        // Lines are visible where they cross the edges.
        let edges = lines.iter().flat_map(|line| [line.entry, line.exit]).flatten();
        let places = edges.map(|edge| edge.place).fold(values, wider);
        Self { lines, places }
    }

    /// The axes; without values, those of the time alone are meaningful.
    pub fn axes(&self, spec: &ChartSpec<'_>) -> Option<Axes> {
        Axes::around(spec, self.places.unwrap_or((0.0, 1.0)))
    }

    pub fn value_ticks(&self, spec: &ChartSpec<'_>, axes: &Axes) -> Vec<AxisTick> {
        match self.places {
            None => Vec::new(),
            Some(_) if spec.log => axes.log_ticks(spec.rows),
            Some(_) => axes.value_ticks(spec.rows),
        }
    }
}

/// The longest time between joined samples, four times the usual one; points are missing in longer
/// gaps.
pub(super) fn gap(line: &Line) -> i64 {
    /// Gaps that are sampled for the usual one.
    const SAMPLE: usize = 1024;
    let pairs = (1..line.len()).step_by(line.len() / SAMPLE + 1);
    let step = |at: usize| {
        let (before, after) = (line.get(at - 1)?, line.get(at)?);
        Some(after.timestamp.saturating_sub(before.timestamp))
    };
    let mut steps: Vec<i64> = pairs.filter_map(step).collect();
    if steps.is_empty() {
        return i64::MAX;
    }
    let middle = steps.len() / 2;
    let (_, &mut median, _) = steps.select_nth_unstable(middle);
    // Two or three gaps say nothing of the usual one.
    if steps.len() < 4 { i64::MAX } else { median.saturating_mul(4).max(2) }
}
