//! The extent of the visible lines: their visible parts, and the range of the value axis.

use std::ops::Range;

use crate::app::chart::axis::Axes;
use crate::app::chart::line::Line;
use crate::app::chart::{AxisTick, ChartSpec, MAX_LINES};
use crate::metrics::gaps::{AROUND, Gaps};
use crate::metrics::rollups::Sample;
use crate::text::units::Unit;

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
    /// The steps between the samples from a place on: the visible ones and those around them.
    gaps: Gaps,
    gaps_from: usize,
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

    /// The visible samples, each with whether the line goes on to it from the sample or the edge
    /// before it.
    pub fn joined_samples(&self) -> impl Iterator<Item = (Sample, bool)> + use<'_> {
        let Range { start, .. } = self.visible;
        let is_joined = move |at: usize| match at {
            0 => self.entry.is_some(),
            _ => self.gaps.is_joined(start + at - 1 - self.gaps_from).unwrap_or(true),
        };
        self.samples().enumerate().map(move |(at, sample)| (sample, is_joined(at)))
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
        let places = 0..self.line.len();
        let place = partition_point(places, |at| {
            self.line.get(at).is_some_and(|before| before.timestamp < sample.timestamp)
        });
        let longest = self.gaps.longest_at(place.saturating_sub(self.gaps_from));
        longest.map_or(within, |longest| distance <= longest)
    }

    fn new(line: &'a Line, spec: &ChartSpec<'_>) -> Self {
        let (from, to) = spec.range;
        let visible = |sample: Sample| spec.shows(&sample);
        let first = line.iter().position(visible);
        let behind = line.iter().rev().position(visible).unwrap_or(0);
        let visible = first.map_or(0..0, |first| first..line.len() - behind);
        let (before, after) = if visible.is_empty() {
            let at = line.iter().take_while(|sample| sample.timestamp < from).count();
            let over = at.checked_sub(1);
            (over, over)
        } else {
            (visible.start.checked_sub(1), Some(visible.end - 1))
        };
        let near = match (before, after) {
            _ if !visible.is_empty() => visible.clone(),
            (Some(over), _) => over..over + 2,
            _ => 0..0,
        };
        let gaps_from = near.start.saturating_sub(AROUND + 1);
        let near = gaps_from..line.len().min(near.end + AROUND + 1);
        let near = line.range(near);
        let gaps = match line.step() {
            None => Gaps::of(near.map(|sample| sample.timestamp), None),
            // Points of one value may be one.
            Some(step) => Gaps::of_buckets(near.map(|it| (it.timestamp, it.min < it.max)), step),
        };
        let crossing = |at: Option<usize>, edge: i64| {
            let at = at?;
            let (before, after) = (line.get(at)?, line.get(at + 1)?);
            let crosses = before.timestamp < edge && edge < after.timestamp;
            let joined = gaps.is_joined(at - gaps_from)?;
            let (old, new) = (spec.visible(&before)?, spec.visible(&after)?);
            (crosses && joined).then(|| {
                let (old, new) = joint(old, new);
                let ends = (before.timestamp, spec.place(old));
                let place = between(ends, (after.timestamp, spec.place(new)), edge);
                Edge { timestamp: edge, place }
            })
        };
        let (entry, exit) = (crossing(before, from), crossing(after, to));
        Self { line, visible, entry, exit, gaps, gaps_from }
    }
}

/// The first place of a range at which a property of its first places does not hold.
fn partition_point(places: Range<usize>, holds: impl Fn(usize) -> bool) -> usize {
    let Range { mut start, mut end } = places;
    while start < end {
        let middle = start + (end - start) / 2;
        (start, end) = if holds(middle) { (middle + 1, end) } else { (start, middle) };
    }
    start
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

/// How many times greater the values of a line are than those of another that are of no use on the
/// same axis: one of them would be flat.
const FAR: f64 = 50.0;

/// The visible lines, and the ranges of their positions on the value axes.
pub(super) struct Survey<'a> {
    pub lines: Vec<VisibleLine<'a>>,
    pub places: Option<(f64, f64)>,
    /// The range of the lines on the right axis, if there is one.
    right: Option<(f64, f64)>,
    /// The units of the left and of the right axis.
    units: [Unit; 2],
    /// Whether each line is on the right axis.
    pub is_right: Vec<bool>,
    /// Some line would be on the right axis if there were room for one.
    pub is_flat: bool,
}

/// A range with a position in it.
#[expect(clippy::unnecessary_wraps, reason = "for a fold")]
fn wider(range: Option<(f64, f64)>, place: f64) -> Option<(f64, f64)> {
    let (low, high) = range.unwrap_or((place, place));
    Some((low.min(place), high.max(place)))
}

impl<'a> Survey<'a> {
    pub fn of(spec: &ChartSpec<'a>) -> Self {
        let lines: Vec<VisibleLine<'_>> =
            spec.lines.iter().take(MAX_LINES).map(|line| VisibleLine::new(line, spec)).collect();
        let ranges: Vec<_> = lines.iter().map(|line| range_of(line, spec)).collect();
        let far = far_lines(&ranges, spec);
        let is_flat = !spec.has_right && far.contains(&true);
        let unit = |line: usize| spec.units.get(line).copied().unwrap_or_default();
        // Where the units do not say it, the magnitudes do.
        let is_other = |line: usize| !spec.log && unit(line) != unit(0);
        let is_apart = |(line, far)| spec.has_right && (far || is_other(line));
        let is_right: Vec<_> = far.into_iter().enumerate().map(is_apart).collect();
        let unit_of = |right: bool| {
            let lines = is_right.iter().enumerate().filter(move |&(_, &it)| it == right);
            Unit::common(lines.map(|(line, _)| unit(line)))
        };
        let units = [unit_of(false), unit_of(true)];
        let thresholds = spec.thresholds.iter().filter(|&&value| spec.fits(value));
        let thresholds = thresholds.map(|&value| spec.place(value));
        let of_lines = |right: bool| {
            let ranges =
                ranges.iter().zip(&is_right).filter(move |&(_, &is_right)| is_right == right);
            ranges.filter_map(|(range, _)| *range).flat_map(|(low, high)| [low, high])
        };
        let places = of_lines(false).chain(thresholds).fold(None, wider);
        let right = of_lines(true).fold(None, wider);
        Self { lines, places, right, units, is_right, is_flat }
    }

    /// The axes of the lines on the right.
    pub fn right_axes(&self, spec: &ChartSpec<'_>) -> Option<Axes> {
        Axes::around(spec, self.units[1], self.right?)
    }

    /// The axes; without values, those of the time alone are meaningful.
    pub fn axes(&self, spec: &ChartSpec<'_>) -> Option<Axes> {
        Axes::around(spec, self.units[0], self.places.unwrap_or((0.0, 1.0)))
    }

    pub fn value_ticks(&self, spec: &ChartSpec<'_>, axes: &Axes) -> Vec<AxisTick> {
        match self.places {
            None => Vec::new(),
            Some(_) if spec.log => axes.log_ticks(spec.rows),
            Some(_) => axes.value_ticks(spec.rows),
        }
    }
}

/// The range of the positions of a line. It is visible where it crosses the edges, too.
fn range_of(line: &VisibleLine<'_>, spec: &ChartSpec<'_>) -> Option<(f64, f64)> {
    let samples = line.samples().filter(|sample| spec.shows(sample));
    let values = samples.flat_map(|sample| [sample.min, sample.max]);
    // Of the values, because a logarithm costs much and keeps their order.
    let range = values.filter(|&value| spec.fits(value)).fold(None, wider);
    let range = range.map(|(low, high)| (spec.place(low), spec.place(high)));
    [line.entry, line.exit].iter().flatten().map(|edge| edge.place).fold(range, wider)
}

/// Which lines are for the right axis: those that are of another magnitude than the first one.
fn far_lines(ranges: &[Option<(f64, f64)>], spec: &ChartSpec<'_>) -> Vec<bool> {
    let magnitude = |range: &Option<(f64, f64)>| {
        let greatest = range.map(|(low, high)| low.abs().max(high.abs()));
        greatest.filter(|&greatest| greatest > 0.0)
    };
    let first = ranges.iter().find_map(magnitude).filter(|_| !spec.log);
    let is_far = |range| {
        let (first, greatest) = (first?, magnitude(range)?);
        Some(greatest.max(first) / FAR >= greatest.min(first))
    };
    ranges.iter().map(|range| is_far(range) == Some(true)).collect()
}
