//! The extent of the visible lines: their visible parts, and the range of the value axis.

use std::ops::Range;

use shared::Point;

use crate::app::chart::axis::Axes;
use crate::app::chart::{AxisTick, ChartSpec, MAX_LINES};
use crate::metrics::recent_points::RecentPoints;

/// The visible part of a line.
#[derive(Debug)]
pub(super) struct VisibleLine<'a> {
    points: &'a RecentPoints,
    /// The range of the visible points.
    visible: Range<usize>,
    /// The points where the line enters at the left edge and leaves at the right edge, if it
    /// crosses them; the value is a position on the value axis.
    pub entry: Option<Point>,
    pub exit: Option<Point>,
    /// The longest time between joined points.
    pub gap: u64,
}

impl<'a> VisibleLine<'a> {
    /// The visible points.
    pub fn points(&self) -> impl Iterator<Item = &'a Point> + Clone + use<'a> {
        self.points.iter().skip(self.visible.start).take(self.visible.len())
    }

    /// The point represents the line at a time: the line is drawn there, or the point is as near as
    /// points usually are.
    pub fn is_near(&self, point: &Point, time: i64) -> bool {
        let Range { start, end } = self.visible;
        let shown = |at: usize| self.points.get(at).filter(|_| self.visible.contains(&at));
        let first = self.entry.as_ref().or(shown(start));
        let last = self.exit.as_ref().or(end.checked_sub(1).and_then(shown));
        let within = first.is_some_and(|first| first.timestamp <= time)
            && last.is_some_and(|last| time <= last.timestamp);
        let has_habit = self.gap < i64::MAX.unsigned_abs();
        (within || has_habit) && point.timestamp.abs_diff(time) <= self.gap
    }

    fn new(points: &'a RecentPoints, spec: &ChartSpec<'_>) -> Self {
        let (from, to) = spec.range;
        let gap = gap(points).unsigned_abs();
        let crossing = |pair: Option<(&Point, &Point)>, edge: i64| {
            let (before, after) = pair?;
            let crosses = before.timestamp < edge && edge < after.timestamp;
            let joined = after.timestamp.abs_diff(before.timestamp) <= gap;
            let drawn = crosses && joined && spec.fits(before.value) && spec.fits(after.value);
            drawn.then(|| {
                let value = between(
                    (before.timestamp, spec.place(before.value)),
                    (after.timestamp, spec.place(after.value)),
                    edge,
                );
                Point { timestamp: edge, value }
            })
        };
        let visible = |point: &Point| spec.shows(point);
        let Some(first) = points.iter().position(visible) else {
            let over = |(a, b): &(&Point, &Point)| a.timestamp < from && to < b.timestamp;
            let pair = points.iter().zip(points.iter().skip(1)).find(over);
            let (entry, exit) = (crossing(pair, from), crossing(pair, to));
            return Self { points, visible: 0..0, entry, exit, gap };
        };
        let behind = points.iter().rev().position(visible).unwrap_or(0);
        let end = points.len() - behind;
        let pair = |at: usize| Some((points.get(at)?, points.get(at + 1)?));
        let entry = crossing(first.checked_sub(1).and_then(pair), from);
        let exit = crossing(pair(end - 1), to);
        Self { points, visible: first..end, entry, exit, gap }
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
        let lines: Vec<VisibleLine<'_>> = spec
            .lines
            .iter()
            .take(MAX_LINES)
            .map(|points| VisibleLine::new(points, spec))
            .collect();
        let points = lines.iter().flat_map(VisibleLine::points).filter(|point| spec.shows(point));
        let values = points.map(|point| point.value).chain(spec.thresholds.iter().copied());
        let wider = |range: Option<(f64, f64)>, value: f64| {
            let (low, high) = range.unwrap_or((value, value));
            Some((low.min(value), high.max(value)))
        };
        let values = values.filter(|&value| spec.fits(value)).fold(None, wider);
        let values = values.map(|(low, high)| (spec.place(low), spec.place(high)));
        // Lines are visible where they cross the edges.
        let edges = lines.iter().flat_map(|line| [line.entry, line.exit]).flatten();
        let places = edges.map(|edge| edge.value).fold(values, wider);
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

/// The longest time between joined points, four times the usual one; points are missing in longer
/// gaps.
pub(super) fn gap(points: &RecentPoints) -> i64 {
    /// Gaps that are sampled for the usual one.
    const SAMPLE: usize = 1024;
    let pairs = (1..points.len()).step_by(points.len() / SAMPLE + 1);
    let step = |at: usize| {
        let (before, after) = (points.get(at - 1)?, points.get(at)?);
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
