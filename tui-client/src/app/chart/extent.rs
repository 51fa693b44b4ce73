//! What is in view of the lines, and between which places on the value axis.

use shared::Point;

use crate::app::chart::axis::Frame;
use crate::app::chart::{MAX_LINES, Spec, Tick};

/// The part of a line that is in view.
#[derive(Debug)]
pub(super) struct Line<'a> {
    /// From the first visible point to the last.
    pub points: &'a [Point],
    /// Where it comes in on the left and goes out on the right, if it does: the value is a place
    /// on the value axis, along what is drawn.
    pub entry: Option<Point>,
    pub exit: Option<Point>,
    /// Points that are farther from each other are not joined.
    pub gap: u64,
}

impl<'a> Line<'a> {
    /// At this moment the line is drawn for the point, or as near as points usually are.
    pub fn is_near(&self, point: &Point, time: i64) -> bool {
        let first = self.entry.as_ref().or(self.points.first());
        let last = self.exit.as_ref().or(self.points.last());
        let within = first.is_some_and(|first| first.timestamp <= time)
            && last.is_some_and(|last| time <= last.timestamp);
        let has_habit = self.gap < i64::MAX.unsigned_abs();
        (within || has_habit) && point.timestamp.abs_diff(time) <= self.gap
    }

    fn new(points: &'a [Point], spec: &Spec<'_>) -> Self {
        let (from, to) = spec.range;
        let gap = gap(points).unsigned_abs();
        let crossing = |pair: Option<&[Point]>, edge: i64| {
            let &[before, after] = pair? else { return None };
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
            let over = |pair: &&[Point]| pair[0].timestamp < from && to < pair[1].timestamp;
            let pair = points.windows(2).find(over);
            return Self {
                points: &[],
                entry: crossing(pair, from),
                exit: crossing(pair, to),
                gap,
            };
        };
        let end = points.iter().rposition(visible).map_or(first, |last| last + 1);
        let entry = first.checked_sub(1).and_then(|before| points.get(before..=first));
        let exit = points.get(end - 1..=end);
        let (entry, exit) = (crossing(entry, from), crossing(exit, to));
        Self { points: &points[first..end], entry, exit, gap }
    }
}

/// The height at a moment of the straight line between two places.
#[expect(clippy::cast_precision_loss, reason = "a dot is coarser")]
fn between((t0, v0): (i64, f64), (t1, v1): (i64, f64), time: i64) -> f64 {
    let part = time.abs_diff(t0) as f64 / t1.abs_diff(t0) as f64;
    // The difference of the two may overflow.
    v0 * (1.0 - part) + v1 * part
}

/// What is in view of the lines, and between which places on the value axis.
pub(super) struct Survey<'a> {
    pub lines: Vec<Line<'a>>,
    pub places: Option<(f64, f64)>,
}

impl<'a> Survey<'a> {
    pub fn of(spec: &Spec<'a>) -> Self {
        let lines: Vec<Line<'_>> =
            spec.lines.iter().take(MAX_LINES).map(|points| Line::new(points, spec)).collect();
        let points = lines.iter().flat_map(|line| line.points).filter(|point| spec.shows(point));
        let values = points.map(|point| point.value).chain(spec.thresholds.iter().copied());
        let wider = |range: Option<(f64, f64)>, value: f64| {
            let (low, high) = range.unwrap_or((value, value));
            Some((low.min(value), high.max(value)))
        };
        let values = values.filter(|&value| spec.fits(value)).fold(None, wider);
        let values = values.map(|(low, high)| (spec.place(low), spec.place(high)));
        // What comes in from beside is to be seen where it does.
        let edges = lines.iter().flat_map(|line| [line.entry, line.exit]).flatten();
        let places = edges.map(|edge| edge.value).fold(values, wider);
        Self { lines, places }
    }

    /// Where there is nothing, there is still time.
    pub fn frame(&self, spec: &Spec<'_>) -> Option<Frame> {
        Frame::around(spec, self.places.unwrap_or((0.0, 1.0)))
    }

    pub fn value_ticks(&self, spec: &Spec<'_>, frame: &Frame) -> Vec<Tick> {
        match self.places {
            None => Vec::new(),
            Some(_) if spec.log => frame.log_ticks(spec.rows),
            Some(_) => frame.value_ticks(spec.rows),
        }
    }
}

/// The distance beyond which two points are not joined, because some between them are missing:
/// four times the usual one.
pub(super) fn gap(points: &[Point]) -> i64 {
    /// So many distances say well enough what is usual.
    const SAMPLE: usize = 1024;
    let pairs = points.windows(2).step_by(points.len() / SAMPLE + 1);
    let mut steps: Vec<i64> =
        pairs.map(|pair| pair[1].timestamp.saturating_sub(pair[0].timestamp)).collect();
    if steps.is_empty() {
        return i64::MAX;
    }
    let middle = steps.len() / 2;
    let (_, &mut median, _) = steps.select_nth_unstable(middle);
    // The median of two or three is no habit.
    if steps.len() < 4 { i64::MAX } else { median.saturating_mul(4).max(2) }
}
