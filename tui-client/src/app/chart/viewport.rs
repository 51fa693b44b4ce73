//! The viewport of a chart: its window of time, its scale and its cursor.

mod lengths;

use crate::app::chart::line::Line;
use crate::metrics::window::ChartWindow;
use lengths::{at_least, longer, shorter};

/// The shortest window in seconds; those that grow with the points begin with it.
const MIN_SPAN: i128 = 4;

/// The window at the start, in seconds, once there are points for so long.
pub const OPENING: i64 = 900;

/// The times of the points that a window can show.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TimeBounds {
    /// The first point.
    pub first: i64,
    /// The newest point that is not too far ahead of the clock; of all when all are.
    pub newest: i64,
    /// The last point.
    pub last: i64,
    /// The first time of the window at the start; none if that shows everything.
    pub recent: Option<i64>,
}

impl TimeBounds {
    /// The first and the last time, without strays of the future.
    pub fn all(&self) -> (i64, i64) {
        (self.first, self.newest.max(self.first))
    }

    /// The first and the last time.
    pub fn with_strays(&self) -> (i64, i64) {
        (self.first, self.last)
    }

    /// Some points are strays of the future.
    pub fn has_strays(&self) -> bool {
        self.last > self.newest
    }
}

/// The window of time, the scale and the cursor of a chart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Viewport {
    window: ChartWindow,
    /// A logarithmic value axis.
    pub log: bool,
    cursor: Option<i64>,
}

impl Viewport {
    /// The first and the last visible time.
    pub fn range(&self, bounds: TimeBounds) -> (i64, i64) {
        match self.window {
            ChartWindow::Opening => match bounds.recent {
                Some(recent) => newest(OPENING, recent, bounds),
                None => bounds.all(),
            },
            ChartWindow::All => bounds.all(),
            ChartWindow::WithStrays => bounds.with_strays(),
            ChartWindow::Last(span) => newest(span, bounds.first, bounds),
            ChartWindow::Fixed(from, to) => (from, to),
        }
    }

    /// The window, to be shown again elsewhere.
    pub fn window(&self) -> ChartWindow {
        self.window
    }

    /// Shows a window that was shown elsewhere, with a cursor or none.
    pub fn show(&mut self, window: ChartWindow, cursor: Option<i64>) {
        (self.window, self.cursor) = (window, cursor);
    }

    /// The window follows new points.
    pub fn follows(&self) -> bool {
        !matches!(self.window, ChartWindow::Fixed(..))
    }

    /// The window is not the one at the start.
    pub fn is_moved(&self) -> bool {
        self.window != ChartWindow::Opening
    }

    /// All points are visible.
    pub fn shows_all(&self, bounds: TimeBounds) -> bool {
        let (from, to) = self.range(bounds);
        self.follows() && from <= bounds.first && bounds.last <= to
    }

    /// All points are visible but strays of the future.
    pub fn shows_all_but_strays(&self, bounds: TimeBounds) -> bool {
        let (from, to) = self.range(bounds);
        self.follows() && from <= bounds.first && bounds.newest <= to
    }

    /// The time under the cursor.
    pub fn cursor(&self) -> Option<i64> {
        self.cursor
    }

    /// Makes the window about half or twice as long, a round length, around the cursor; without a
    /// cursor, the right end stays. Where the longer window would show no more points than before,
    /// it goes on to `before`, the next earlier point, or to the points nearest to it.
    pub fn zoom(&mut self, closer: bool, bounds: TimeBounds, before: Option<i64>) {
        let (from, to) = wide(self.range(bounds));
        let (first, last) = wide(bounds.with_strays());
        let span = (to - from).max(1);
        if closer && span <= MIN_SPAN || !closer && self.shows_all(bounds) {
            return;
        }
        if closer && self.follows() && self.cursor.is_none() {
            let shown = i128::from(bounds.newest) - from;
            self.window = ChartWindow::Last(narrow(shorter(shown)));
            return;
        }
        // Beyond that it is everything.
        let longest = i128::from(i64::MAX) + 1;
        let mut new = if closer { shorter(span) } else { longer(span).min(longest) };
        let anchor = self.cursor.map_or(to, i128::from).clamp(from, to);
        let left = anchor - from;
        let mut start = anchor - left * new / span;
        if !closer {
            // A little room, so that the point does not stand at the edge.
            let past = |gap: i128| at_least(gap + gap / 16);
            let before = before.map_or(last, i128::from);
            if before < start {
                new = past(to - before);
                start = to - new;
            } else if start + new < first {
                new = past(first - from);
                start = from;
            }
        }
        if !closer && self.reachable(bounds) != bounds.with_strays() {
            // Everything would be without the cursor.
            let (first, last) = wide(self.reachable(bounds));
            new = new.min((last - first).max(span));
            start = start.min(last - new).max(first);
        } else if !closer {
            let newest = i128::from(bounds.newest);
            if from <= first && to >= newest || to > newest && new >= last - first {
                self.window = ChartWindow::WithStrays;
                return;
            }
            // Nor is everything a little longer than the window before it.
            if new + new / 2 >= newest - first || new > i64::MAX.into() {
                self.window = ChartWindow::All;
                return;
            }
            if self.follows() && self.cursor.is_none() {
                self.window = ChartWindow::Last(narrow(new));
                return;
            }
        }
        self.set(start, new, bounds);
    }

    /// Moves the window and the cursor by quarters of the width, to the past if negative; over a
    /// time without points to the nearest point `before` or `after` a time.
    pub fn pan(
        &mut self,
        quarters: i8,
        bounds: TimeBounds,
        before: impl Fn(i64) -> Option<i64>,
        after: impl Fn(i64) -> Option<i64>,
    ) {
        if self.shows_all(bounds) {
            return;
        }
        let (from, to) = wide(self.range(bounds));
        let span = to - from;
        let mut start = from + (span / 4).max(1) * i128::from(quarters);
        let next =
            if quarters < 0 { before(narrow(start + span + 1)) } else { after(narrow(start - 1)) };
        match next.map(i128::from) {
            Some(next) if quarters < 0 && next < start => start = next - span * 3 / 4,
            Some(next) if quarters > 0 && next > start + span => start = next - span / 4,
            _ => {}
        }
        self.set(start, span, bounds);
        let moved = wide(self.range(bounds)).0 - from;
        self.cursor = self.cursor.map(|cursor| narrow(i128::from(cursor) + moved));
    }

    /// Shows the newest points as at the start, follows new ones and removes the cursor.
    pub fn live(&mut self) {
        (self.window, self.cursor) = (ChartWindow::Opening, None);
    }

    /// Shows the newest seconds, or everything, follows new points and removes the cursor.
    pub fn choose(&mut self, seconds: Option<u32>) {
        self.window =
            seconds.map_or(ChartWindow::All, |seconds| ChartWindow::Last(i64::from(seconds)));
        self.cursor = None;
    }

    /// Moves the cursor to the visible sample nearest to a column.
    pub fn point_at(&mut self, column: u16, columns: u16, line: &Line, bounds: TimeBounds) {
        let (from, to) = wide(self.range(bounds));
        let middle =
            from + (to - from) * (2 * i128::from(column) + 1) / (2 * i128::from(columns.max(1)));
        let visible = line
            .iter()
            .map(|sample| sample.timestamp)
            .filter(|&time| (from..=to).contains(&time.into()));
        let nearest = visible.min_by_key(|&time| (i128::from(time) - middle).abs());
        self.cursor = nearest.or(self.cursor);
    }

    /// Removes the cursor; false if there was none.
    pub fn drop_cursor(&mut self) -> bool {
        self.cursor.take().is_some()
    }

    /// Moves the cursor by `step` columns: back to the newest sample that far away at least, onwards to the
    /// newest that far away at most, or else to the nearest one in that direction. Moves the window so that
    /// the cursor is visible. The first single step goes to the newest sample.
    pub fn move_cursor(&mut self, step: i8, columns: u16, line: &Line, bounds: TimeBounds) {
        let (from, to) = wide(self.range(bounds));
        let column = ((to - from) / i128::from(columns.max(1))).max(1);
        let times = || line.iter().map(|sample| i128::from(sample.timestamp));
        let visible = || times().filter(|time| (from..=to).contains(time));
        // A reading goes back a column: single steps to the newest sample up to a time leave none out.
        let moved = |at: i128| {
            let goal = at + column * i128::from(step);
            if step < 0 {
                let beyond = times().filter(|&time| time <= goal).max();
                beyond.or_else(|| times().filter(|&time| time < at).min())
            } else {
                let within = times().filter(|&time| at < time && time <= goal).max();
                within.or_else(|| times().filter(|&time| time > at).min())
            }
        };
        let next = if let Some(at) = self.cursor {
            moved(at.into())
        } else {
            // The first step goes to the newest point, and more than one go on from there.
            let newest = visible().max();
            newest.filter(|_| step.unsigned_abs() > 1).and_then(moved).or(newest)
        };
        let Some(next) = next.and_then(|next| i64::try_from(next).ok()) else {
            return;
        };
        self.go_to(next, bounds);
    }

    /// Moves the cursor to a time, and the window so that the cursor is visible.
    pub fn go_to(&mut self, time: i64, bounds: TimeBounds) {
        let (from, to) = wide(self.range(bounds));
        self.cursor = Some(time);
        let next = i128::from(time);
        if next < from {
            self.set(next - (to - from) / 4, to - from, bounds);
        } else if next > to {
            self.set(next - (to - from) * 3 / 4, to - from, bounds);
        }
    }

    /// Sets the window to a span from a time on, moved into the bounds, or to a cursor beyond them.
    fn set(&mut self, from: i128, span: i128, bounds: TimeBounds) {
        let (first, last) = wide(self.reachable(bounds));
        let present = i128::from(bounds.newest);
        let from = from.min(last - span).max(first.min(last - span));
        let to = from + span;
        // A window that follows new points would lose a cursor before the newest point.
        // Nor does it reach one beyond the last point.
        let followed = bounds.newest..=bounds.last.max(bounds.newest);
        let at_end = self.cursor.is_none_or(|cursor| followed.contains(&cursor));
        // Strays of the future are beyond what is followed.
        let was_past = i128::from(self.range(bounds).1) <= present;
        self.window = if to >= present && at_end && (was_past || present == last) {
            ChartWindow::Last(narrow(span))
        } else {
            ChartWindow::Fixed(narrow(from), narrow(to))
        };
    }

    /// The first and the last time that the window can show: of points, or of a cursor beyond them.
    fn reachable(&self, bounds: TimeBounds) -> (i64, i64) {
        let (first, last) = bounds.with_strays();
        self.cursor.map_or((first, last), |cursor| (first.min(cursor), last.max(cursor)))
    }
}

/// The range of the newest seconds, as far as there are points from the first one on, but not too
/// short.
fn newest(span: i64, first: i64, bounds: TimeBounds) -> (i64, i64) {
    let first = first.min(bounds.newest.saturating_sub(narrow(MIN_SPAN)));
    (bounds.newest.saturating_sub(span).max(first), bounds.newest)
}

fn narrow(time: i128) -> i64 {
    i64::try_from(time).unwrap_or(if time < 0 { i64::MIN } else { i64::MAX })
}

fn wide((from, to): (i64, i64)) -> (i128, i128) {
    (i128::from(from), i128::from(to))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use shared::Point;

    use super::*;
    use crate::metrics::series::recent_points::RecentPoints;
    use crate::text::time::duration;

    const BOUNDS: TimeBounds = until(1000);

    const fn until(newest: i64) -> TimeBounds {
        TimeBounds { first: 0, newest, last: newest, recent: Some(0) }
    }

    fn line(times: impl IntoIterator<Item = i64>) -> Line {
        let points = times.into_iter().map(|timestamp| Point { timestamp, value: 1.0 });
        points.collect::<RecentPoints>().into()
    }

    /// A viewport of everything.
    fn whole() -> Viewport {
        let mut look = Viewport::default();
        look.choose(None);
        look
    }

    #[test]
    fn zooming_follows_the_newest_until_one_looks_back() {
        let mut look = whole();
        assert_eq!(look.range(BOUNDS), (0, 1000));
        look.pan(-1, BOUNDS, |_| None, |_| None);
        assert!(look.shows_all(BOUNDS), "there is nothing beside all");
        look.zoom(true, BOUNDS, None);
        assert_eq!(look.range(BOUNDS), (700, 1000));
        assert_eq!(look.range(until(1010)), (710, 1010), "new points come into view");
        look.pan(-1, BOUNDS, |_| None, |_| None);
        assert_eq!(look.range(BOUNDS), (625, 925));
        assert_eq!(look.range(until(1010)), (625, 925), "what is read stays");
        look.pan(-9, BOUNDS, |_| None, |_| None);
        assert_eq!(look.range(BOUNDS), (0, 300));
        look.pan(10, BOUNDS, |_| None, |_| None);
        assert!(look.follows());
        look.zoom(false, BOUNDS, None);
        assert!(look.shows_all(BOUNDS));
        for _ in 0..100 {
            look.zoom(true, BOUNDS, None);
        }
        assert_eq!(look.range(BOUNDS), (996, 1000));
    }

    #[test]
    fn zooming_goes_through_round_lengths_and_back() {
        let years = 20 * 31_557_600 + 23_644_800;
        let bounds = TimeBounds { first: 0, newest: years, last: years, recent: None };
        let mut look = whole();
        look.move_cursor(-1, 50, &line([years / 2]), bounds);
        let mut ways = [Vec::new(), Vec::new()];
        for (closer, way) in [true, false].into_iter().zip(&mut ways) {
            for _ in 0..24 {
                let (from, to) = look.range(bounds);
                assert!((from..=to).contains(&(years / 2)));
                way.push((from, to));
                look.zoom(closer, bounds, None);
            }
        }
        let [closer, mut wider] = ways;
        let lengths = closer.iter().map(|(from, to)| u64::try_from(to - from).unwrap());
        let lengths = lengths.map(|seconds| duration(Duration::from_secs(seconds)));
        assert_eq!(
            lengths.collect::<Vec<_>>().join(" "),
            "20y273d 10y 5y 2y 1y 180d 90d 30d 14d 7d 2d 1d 12h 6h 3h 1h 30m 15m 5m 2m 1m 30s 10s 4s",
        );
        wider.reverse();
        assert_eq!(wider.last(), closer.last());
        let length = |&(from, to): &(i64, i64)| to - from;
        assert!(wider.iter().map(length).eq(closer.iter().map(length)));
    }

    #[test]
    fn the_cursor_goes_from_point_to_point_and_holds_the_view() {
        let points = line((0..=10).map(|n| n * 100));
        let mut look = whole();
        let step = |look: &mut Viewport, step| {
            look.move_cursor(step, 50, &points, BOUNDS);
            look.cursor()
        };
        assert_eq!(step(&mut look, -1), Some(1000));
        assert_eq!(step(&mut look, -1), Some(900));
        assert_eq!(step(&mut look, 1), Some(1000));
        assert_eq!(step(&mut look, 1), Some(1000));
        assert_eq!(step(&mut look, -20), Some(600));
        for (first, at) in [(-1, 1000), (1, 1000), (-10, 800), (10, 1000)] {
            assert!(look.drop_cursor());
            assert_eq!(step(&mut look, first), Some(at), "the first step: {first}");
        }
        look.point_at(30, 50, &points, BOUNDS);
        assert_eq!(look.cursor(), Some(600));
        look.zoom(true, BOUNDS, None);
        assert_eq!(look.range(BOUNDS), (420, 720), "the point under the cursor stays there");
        assert!(!look.follows());
        assert_eq!(step(&mut look, -40), Some(300));
        assert_eq!(look.range(BOUNDS).0, 225, "the cursor is in view");
        look.pan(1, BOUNDS, |_| None, |_| None);
        assert_eq!((look.range(BOUNDS).0, look.cursor()), (300, Some(375)), "it goes along");
        assert!(look.drop_cursor() && !look.drop_cursor());
        look.choose(None);
        look.point_at(7, 10, &points, BOUNDS);
        assert_eq!(look.cursor(), Some(700), "750 is in the middle of the column");
    }

    #[test]
    fn the_window_reaches_a_time_beyond_all_points() {
        for (at, window) in [(5000, (4100, 5000)), (-3000, (-3000, -2100))] {
            let bounds = TimeBounds { recent: Some(100), ..BOUNDS };
            let mut look = Viewport::default();
            look.go_to(at, bounds);
            assert_eq!((look.range(bounds), look.cursor()), (window, Some(at)));
            let sees = |look: &Viewport| {
                let (from, to) = look.range(bounds);
                assert!((from..=to).contains(&at), "{at} in {from} to {to}");
                to - from
            };
            look.zoom(true, bounds, None);
            assert!(sees(&look) < 900);
            for _ in 0..9 {
                look.zoom(false, bounds, None);
                sees(&look);
            }
            let (first, last) = look.range(bounds);
            assert_eq!((first, last), (at.min(0), at.max(1000)), "with all points in the end");
            look.live();
            assert_eq!(look.range(bounds), (100, 1000));
        }
    }

    #[test]
    fn the_newest_point_is_read_without_leaving_what_is_live() {
        let points = line((0..=10).map(|n| n * 100));
        let mut look = whole();
        look.move_cursor(-1, 50, &points, BOUNDS);
        look.zoom(true, BOUNDS, None);
        assert_eq!((look.range(BOUNDS), look.cursor()), ((700, 1000), Some(1000)));
        assert!(look.follows());
        look.move_cursor(-1, 50, &points, BOUNDS);
        look.zoom(true, BOUNDS, None);
        assert!(!look.follows(), "one looks back");
    }

    #[test]
    fn the_chart_opens_on_the_newest_quarter_of_an_hour() {
        let look = Viewport::default();
        let bounds = TimeBounds { first: -5000, recent: Some(100), ..BOUNDS };
        assert_eq!(look.range(bounds), (100, 1000));
        let begun = |recent| TimeBounds { recent: Some(recent), ..bounds };
        assert_eq!(look.range(begun(700)), (700, 1000), "as far as there are points");
        assert_eq!(look.range(begun(990)), (990, 1000));
        assert_eq!(look.range(begun(999)), (996, 1000), "but not too short");
        assert_eq!(look.range(until(10)), (0, 10));
        assert_eq!(look.range(until(300)), (0, 300), "there is no more");
        assert!(look.shows_all(until(300)) && !look.shows_all(bounds));
        let sparse = TimeBounds { recent: None, ..bounds };
        assert_eq!(look.range(sparse), (-5000, 1000), "there is nothing to see");
        let strays = TimeBounds { last: 1 << 40, ..bounds };
        assert_eq!(look.range(strays), (100, 1000));
    }

    #[test]
    fn zooming_out_ends_with_everything_there_is() {
        const YEARS: i64 = 20 * 31_557_600;
        let recent = Some(YEARS - 900);
        let live = TimeBounds { first: 0, newest: YEARS, last: YEARS, recent };
        let with_strays = TimeBounds { last: 9 * YEARS, ..live };
        let alone = TimeBounds { first: 7, newest: 7, last: 7, recent: None };
        let ends = TimeBounds { first: i64::MIN, last: i64::MAX, newest: 0, ..live };
        let ends = TimeBounds { recent: Some(-900), ..ends };
        // The newest of the old points, a little before the end of the first window.
        let before = |bounds: TimeBounds| (bounds.newest > 7).then_some(1000);
        for (bounds, most) in [(live, 2), (with_strays, 3), (alone, 1), (ends, 64)] {
            let mut look = Viewport::default();
            let mut presses = 0;
            while !look.shows_all(bounds) && presses < 99 {
                presses += 1;
                look.zoom(false, bounds, before(bounds));
            }
            assert_eq!(look.range(bounds), bounds.with_strays());
            assert!(presses <= most, "{presses}: {bounds:?}");
            look.zoom(true, bounds, None);
            let (from, to) = look.range(bounds);
            assert!(from <= bounds.newest && bounds.newest <= to, "not into the void: {bounds:?}");
        }
    }

    #[test]
    fn a_time_without_points_is_passed_over() {
        let bounds = TimeBounds { first: 0, newest: 1_000_000, last: 1_000_000, recent: None };
        let mut look = Viewport::default();
        look.choose(Some(60));
        let before = |time: i64| Some(if time > 999_900 { 999_900 } else { 5000 });
        let after = |time: i64| Some(if time < 6000 { 5000 } else { 999_900 });
        look.pan(-1, bounds, before, after);
        assert_eq!(look.range(bounds), (999_925 - 70, 999_985 - 70), "a point at three quarters");
        look.pan(-4, bounds, before, after);
        assert_eq!(look.range(bounds), (5000 - 45, 5000 + 15));
        look.pan(1, bounds, before, after);
        look.pan(1, bounds, before, |time| Some(if time < 5000 { 5000 } else { 999_900 }));
        assert_eq!(look.range(bounds), (4985, 5045), "it is still in sight");
        look.pan(2, bounds, before, |time| Some(if time < 5000 { 5000 } else { 999_900 }));
        assert_eq!(look.range(bounds), (999_885, 999_945), "a point at a quarter");
    }

    /// A cursor a year before or behind all points.
    #[test]
    fn a_time_without_points_between_them_and_a_place_is_passed_over() {
        const YEAR: i64 = 31_557_600;
        for (at, before) in [(1000 + YEAR, Some(1000)), (1000 + YEAR, None), (-YEAR, None)] {
            let mut look = Viewport::default();
            look.go_to(at, BOUNDS);
            look.zoom(false, BOUNDS, before);
            let (from, to) = look.range(BOUNDS);
            assert!((from..=to).contains(&at), "{at}: {from} to {to}");
            let nearest = if at < 0 { 0 } else { 1000 };
            assert!((from..=to).contains(&nearest), "{at}: {from} to {to}");
        }
        // Nor are those in sight all of them.
        let bounds = TimeBounds { first: -9 * YEAR, ..BOUNDS };
        let mut look = Viewport::default();
        look.go_to(1500, bounds);
        look.zoom(false, bounds, Some(-5 * YEAR));
        let (from, to) = look.range(bounds);
        assert!(from < -5 * YEAR && to == 1500, "{from} to {to}");
    }

    proptest! {
        #[test]
        fn any_way_to_look_is_a_range(
            times in proptest::collection::vec(any::<i64>(), 1..8),
            steps in proptest::collection::vec((0..7_u8, any::<i8>()), 0..40),
        ) {
            let points = line(times.iter().copied());
            let (first, last) = (*times.iter().min().unwrap(), *times.iter().max().unwrap());
            let recent = times.iter().copied().filter(|_| times.len() > 2).max();
            let bounds = TimeBounds { first, newest: times[0], last, recent };
            let before = |time: i64| times.iter().copied().filter(|&at| at < time).max();
            let mut look = Viewport::default();
            for (what, by) in steps {
                match what {
                    0 => look.zoom(by > 0, bounds, before(look.range(bounds).0)),
                    1 => look.pan(by, bounds, before, |time| {
                        times.iter().copied().filter(|&at| at > time).min()
                    }),
                    2 => look.move_cursor(by, 40, &points, bounds),
                    3 => { look.drop_cursor(); }
                    4 => look.point_at(by.unsigned_abs().into(), 40, &points, bounds),
                    5 => look.live(),
                    _ => look.choose(u32::try_from(by).ok()),
                }
                let (from, to) = look.range(bounds);
                prop_assert!(from <= to);
            }
        }
    }
}
