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
    /// How far apart joined samples are.
    pub gap: Gap,
}

impl<'a> VisibleLine<'a> {
    /// The visible samples.
    pub fn samples(&self) -> impl Iterator<Item = Sample> + Clone + use<'a> {
        self.line.range(self.visible.clone())
    }

    /// The last visible sample.
    pub fn newest(&self) -> Option<Sample> {
        let last = self.visible.end.checked_sub(1).filter(|last| self.visible.contains(last));
        self.line.get(last?)
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
        let distance = sample.timestamp.abs_diff(time);
        within && distance <= self.gap.within
            || self.gap.beyond.is_some_and(|beyond| distance <= beyond)
    }

    fn new(line: &'a Line, spec: &ChartSpec<'_>) -> Self {
        let (from, to) = spec.range;
        let visible = |sample: Sample| spec.shows(&sample);
        let first = line.iter().position(visible);
        let behind = line.iter().rev().position(visible).unwrap_or(0);
        let visible = first.map_or(0..0, |first| first..line.len() - behind);
        let gap = Gap::of(line, visible.clone());
        let crossing = |pair: Option<(Sample, Sample)>, edge: i64| {
            let (before, after) = pair?;
            let crosses = before.timestamp < edge && edge < after.timestamp;
            let joined = after.timestamp.abs_diff(before.timestamp) <= gap.beyond?;
            let (old, new) = (spec.visible(&before)?, spec.visible(&after)?);
            (crosses && joined).then(|| {
                let (old, new) = joint(old, new);
                let ends = (before.timestamp, spec.place(old));
                let place = between(ends, (after.timestamp, spec.place(new)), edge);
                Edge { timestamp: edge, place }
            })
        };
        let pair = |at: usize| Some((line.get(at)?, line.get(at + 1)?));
        let (before, after) = if visible.is_empty() {
            let over = |(a, b): &(Sample, Sample)| a.timestamp < from && to < b.timestamp;
            let pair = line.iter().zip(line.iter().skip(1)).find(over);
            (pair, pair)
        } else {
            (visible.start.checked_sub(1).and_then(pair), pair(visible.end - 1))
        };
        let (entry, exit) = (crossing(before, from), crossing(after, to));
        Self { line, visible, entry, exit, gap }
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

/// The longest times between joined samples: points are missing where it is longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gap {
    /// Between samples in the range.
    pub within: u64,
    /// To a sample outside of the range; none as long as no step is usual.
    pub beyond: Option<u64>,
}

impl Gap {
    /// The gap of a line by the steps around its visible samples, or by all where those are few.
    pub fn of(line: &Line, visible: Range<usize>) -> Self {
        /// Fewer steps tell less of the usual one.
        const FEW: usize = 4;
        let near = visible.start.saturating_sub(1)..line.len().min(visible.end + 1);
        let mut steps = steps(line, near);
        if steps.len() < FEW {
            steps = self::steps(line, 0..line.len());
        }
        // The lower one of two: a single long step is not the usual one.
        let middle = steps.len().saturating_sub(1) / 2;
        let times = if steps.len() < FEW { 16 } else { 4 };
        // Points of buckets come more often than buckets.
        if let Some(step) = line.step().filter(|_| steps.len() < FEW) {
            let gap = step.saturating_mul(4);
            return Self { within: gap, beyond: Some(gap) };
        }
        if steps.len() < 2 {
            return Self { within: u64::MAX, beyond: None };
        }
        let (_, &mut usual, _) = steps.select_nth_unstable(middle);
        let gap = usual.saturating_mul(times).max(2);
        Self { within: gap, beyond: Some(gap) }
    }
}

/// Times between neighbouring samples of a range of places; of many samples some of them.
fn steps(line: &Line, places: Range<usize>) -> Vec<u64> {
    /// The most times.
    const SAMPLE: usize = 1024;
    let every = places.len() / SAMPLE + 1;
    let step = |at: usize| {
        let (before, after) = (line.get(at - 1)?, line.get(at)?);
        Some(after.timestamp.abs_diff(before.timestamp))
    };
    (places.start + 1..places.end).step_by(every).filter_map(step).collect()
}
