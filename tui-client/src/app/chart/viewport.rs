//! The viewport of a chart: its window of time, its scale and its cursor.

use crate::metrics::recent_points::RecentPoints;

/// The shortest window in seconds.
const MIN_SPAN: i128 = 4;

/// The window of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum TimeWindow {
    /// All points.
    #[default]
    All,
    /// The newest seconds; the window follows new points.
    Last(i64),
    /// A fixed first and last time.
    Fixed(i64, i64),
}

/// The window of time, the scale and the cursor of a chart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Viewport {
    window: TimeWindow,
    /// A logarithmic value axis.
    pub log: bool,
    cursor: Option<i64>,
}

impl Viewport {
    /// The first and the last visible time; `bounds` are the times of the first and last point.
    pub fn range(&self, bounds: (i64, i64)) -> (i64, i64) {
        match self.window {
            TimeWindow::All => bounds,
            TimeWindow::Last(span) => (bounds.1.saturating_sub(span), bounds.1),
            TimeWindow::Fixed(from, to) => (from, to),
        }
    }

    /// The window follows new points.
    pub fn follows(&self) -> bool {
        !matches!(self.window, TimeWindow::Fixed(..))
    }

    /// All points are visible.
    pub fn shows_all(&self) -> bool {
        self.window == TimeWindow::All
    }

    /// The time under the cursor.
    pub fn cursor(&self) -> Option<i64> {
        self.cursor
    }

    /// Halves or doubles the window around the cursor; without a cursor, the right end stays.
    pub fn zoom(&mut self, closer: bool, bounds: (i64, i64)) {
        let (from, to) = wide(self.range(bounds));
        let (first, last) = wide(bounds);
        let span = (to - from).max(1);
        let new = if closer { (span / 2).max(MIN_SPAN) } else { span * 2 };
        if closer && span <= MIN_SPAN {
            return;
        }
        if new >= last - first {
            self.window = TimeWindow::All;
            return;
        }
        let anchor = self.cursor.map_or(to, i128::from).clamp(from, to);
        let from = anchor - (anchor - from) * new / span;
        self.set(from, new, bounds);
    }

    /// Moves the window and the cursor by quarters of the width, to the past if negative.
    pub fn pan(&mut self, quarters: i8, bounds: (i64, i64)) {
        if self.shows_all() {
            return;
        }
        let (from, to) = wide(self.range(bounds));
        let span = to - from;
        let shift = (span / 4).max(1) * i128::from(quarters);
        self.set(from + shift, span, bounds);
        let moved = wide(self.range(bounds)).0 - from;
        self.cursor = self.cursor.map(|cursor| narrow(i128::from(cursor) + moved));
    }

    /// Shows all points, follows new ones and removes the cursor.
    pub fn whole(&mut self) {
        self.window = TimeWindow::All;
        self.cursor = None;
    }

    /// Moves the cursor to the visible point nearest to a column.
    pub fn point_at(
        &mut self,
        column: u16,
        columns: u16,
        points: &RecentPoints,
        bounds: (i64, i64),
    ) {
        let (from, to) = wide(self.range(bounds));
        let middle =
            from + (to - from) * (2 * i128::from(column) + 1) / (2 * i128::from(columns.max(1)));
        let visible = points
            .iter()
            .map(|point| point.timestamp)
            .filter(|&time| (from..=to).contains(&time.into()));
        let nearest = visible.min_by_key(|&time| (i128::from(time) - middle).abs());
        self.cursor = nearest.or(self.cursor);
    }

    /// Removes the cursor; false if there was none.
    pub fn drop_cursor(&mut self) -> bool {
        self.cursor.take().is_some()
    }

    /// Moves the cursor by `step` columns to the next point, or to the last one in that direction,
    /// and the window so that the cursor is visible.
    pub fn move_cursor(
        &mut self,
        step: i8,
        columns: u16,
        points: &RecentPoints,
        bounds: (i64, i64),
    ) {
        let (from, to) = wide(self.range(bounds));
        let column = ((to - from) / i128::from(columns.max(1))).max(1);
        let times = || points.iter().map(|point| i128::from(point.timestamp));
        let visible = || times().filter(|time| (from..=to).contains(time));
        let back = step < 0;
        let next = match self.cursor.map(i128::from) {
            None => visible().max(),
            Some(at) => {
                let goal = at + column * i128::from(step);
                if back {
                    let beyond = times().filter(|&time| time <= goal).max();
                    beyond.or_else(|| times().filter(|&time| time < at).min())
                } else {
                    let beyond = times().filter(|&time| time >= goal).min();
                    beyond.or_else(|| times().filter(|&time| time > at).max())
                }
            }
        };
        let Some(next) = next.and_then(|next| i64::try_from(next).ok()) else {
            return;
        };
        self.cursor = Some(next);
        let next = i128::from(next);
        if next < from {
            self.set(next - (to - from) / 4, to - from, bounds);
        } else if next > to {
            self.set(next - (to - from) * 3 / 4, to - from, bounds);
        }
    }

    /// Sets the window to a span from a time on, moved into the bounds.
    fn set(&mut self, from: i128, span: i128, bounds: (i64, i64)) {
        let (first, last) = wide(bounds);
        let from = from.min(last - span).max(first.min(last - span));
        let to = from + span;
        // A window that follows new points would lose a cursor before the newest point.
        let newest = self.cursor.is_none_or(|cursor| i128::from(cursor) >= last);
        self.window = if to >= last && newest {
            TimeWindow::Last(narrow(span))
        } else {
            TimeWindow::Fixed(narrow(from), narrow(to))
        };
    }
}

fn narrow(time: i128) -> i64 {
    i64::try_from(time).unwrap_or(if time < 0 { i64::MIN } else { i64::MAX })
}

fn wide((from, to): (i64, i64)) -> (i128, i128) {
    (i128::from(from), i128::from(to))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use shared::Point;

    use super::*;

    const BOUNDS: (i64, i64) = (0, 1000);

    #[test]
    fn zooming_follows_the_newest_until_one_looks_back() {
        let mut look = Viewport::default();
        assert_eq!(look.range(BOUNDS), (0, 1000));
        look.pan(-1, BOUNDS);
        assert!(look.shows_all(), "there is nothing beside all");
        look.zoom(true, BOUNDS);
        assert_eq!(look.range(BOUNDS), (500, 1000));
        assert_eq!(look.range((0, 1010)), (510, 1010), "new points come into view");
        look.pan(-1, BOUNDS);
        assert_eq!(look.range(BOUNDS), (375, 875));
        assert_eq!(look.range((0, 1010)), (375, 875), "what is read stays");
        look.pan(-9, BOUNDS);
        assert_eq!(look.range(BOUNDS), (0, 500));
        look.pan(9, BOUNDS);
        assert!(look.follows());
        look.zoom(false, BOUNDS);
        assert!(look.shows_all());
        for _ in 0..100 {
            look.zoom(true, BOUNDS);
        }
        assert_eq!(look.range(BOUNDS), (996, 1000));
    }

    #[test]
    fn the_cursor_goes_from_point_to_point_and_holds_the_view() {
        let points: RecentPoints =
            (0..=10).map(|n| Point { timestamp: n * 100, value: 1.0 }).collect();
        let mut look = Viewport::default();
        let step = |look: &mut Viewport, step| {
            look.move_cursor(step, 50, &points, BOUNDS);
            look.cursor()
        };
        assert_eq!(step(&mut look, -1), Some(1000));
        assert_eq!(step(&mut look, -1), Some(900));
        assert_eq!(step(&mut look, 1), Some(1000));
        assert_eq!(step(&mut look, 1), Some(1000));
        assert_eq!(step(&mut look, -20), Some(600));
        look.zoom(true, BOUNDS);
        assert_eq!(look.range(BOUNDS), (300, 800), "the point under the cursor stays there");
        assert!(!look.follows());
        assert_eq!(step(&mut look, -40), Some(200));
        assert_eq!(look.range(BOUNDS).0, 75, "the cursor is in view");
        look.pan(1, BOUNDS);
        assert_eq!((look.range(BOUNDS).0, look.cursor()), (200, Some(325)), "it goes along");
        assert!(look.drop_cursor() && !look.drop_cursor());
        look.whole();
        look.point_at(7, 10, &points, BOUNDS);
        assert_eq!(look.cursor(), Some(700), "750 is in the middle of the column");
    }

    #[test]
    fn the_newest_point_is_read_without_leaving_what_is_live() {
        let points: RecentPoints =
            (0..=10).map(|n| Point { timestamp: n * 100, value: 1.0 }).collect();
        let mut look = Viewport::default();
        look.move_cursor(-1, 50, &points, BOUNDS);
        look.zoom(true, BOUNDS);
        assert_eq!((look.range(BOUNDS), look.cursor()), ((500, 1000), Some(1000)));
        assert!(look.follows());
        look.move_cursor(-1, 50, &points, BOUNDS);
        look.zoom(true, BOUNDS);
        assert!(!look.follows(), "one looks back");
    }

    proptest! {
        #[test]
        fn any_way_to_look_is_a_range(
            times in proptest::collection::vec(any::<i64>(), 1..8),
            steps in proptest::collection::vec((0..6_u8, any::<i8>()), 0..40),
        ) {
            let points: RecentPoints =
                times.iter().map(|&timestamp| Point { timestamp, value: 1.0 }).collect();
            let bounds = (*times.iter().min().unwrap(), *times.iter().max().unwrap());
            let mut look = Viewport::default();
            for (what, by) in steps {
                match what {
                    0 => look.zoom(by > 0, bounds),
                    1 => look.pan(by, bounds),
                    2 => look.move_cursor(by, 40, &points, bounds),
                    3 => { look.drop_cursor(); }
                    4 => look.point_at(by.unsigned_abs().into(), 40, &points, bounds),
                    _ => look.whole(),
                }
                let (from, to) = look.range(bounds);
                prop_assert!(from <= to);
            }
        }
    }
}
