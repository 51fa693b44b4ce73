//! What a chart opens on: decided once for the keys in it, so that the chart never jumps by itself.

use crate::app::chart::MAX_LINES;
use crate::app::chart::viewport::{OPENING, TimeBounds};
use crate::app::watch::{Watch, Watched};

/// Points that show how often they come.
pub(super) const SEVERAL: usize = 3;

/// Two points so close to each other, in seconds, are not those of a job of every quarter of an hour.
pub(super) const CLOSE: i64 = OPENING / 4;

/// The times of the points of a key.
#[derive(Debug, Clone, Copy)]
pub(super) struct KeyTimes {
    /// The first point.
    pub first: i64,
    /// The newest point that is not too far ahead of the clock; of all when all are.
    pub newest: i64,
    /// The last point.
    pub last: i64,
    /// The first one of the points that the opening window begins with, once it is known.
    pub begin: Option<i64>,
    /// The opening window has at least two points.
    pub has_two: bool,
    /// At least [`SEVERAL`] points are known.
    pub has_several: bool,
    /// At least [`SEVERAL`] points are in the opening window, or the newest two are [`CLOSE`].
    pub comes_often: bool,
}

/// What the chart of some keys opens on.
#[derive(Debug, Default)]
pub(super) struct Opening {
    /// The selected key and the kept ones, as many as a chart has lines.
    keys: Vec<String>,
    span: Option<Span>,
}

/// How much of the time the chart opens on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Span {
    /// Everything.
    All,
    /// So many seconds, which may grow up to the opening window.
    Newest(i64),
}

/// The times of the points of all keys in a chart.
struct ChartTimes {
    first: i64,
    newest: i64,
    last: i64,
    /// The first time of the opening window; none if that has fewer than two points.
    recent: Option<i64>,
    /// That time is known.
    is_known: bool,
    /// How often points come is known.
    has_several: bool,
    /// So are those of one key that has points there.
    comes_often: bool,
}

impl ChartTimes {
    fn of(keys: &[KeyTimes]) -> Option<Self> {
        let newest = keys.iter().map(|key| key.newest).max()?;
        let opening = newest.saturating_sub(OPENING);
        let recent = || keys.iter().filter(|key| key.newest >= opening);
        let begin = |key: &KeyTimes| key.begin.unwrap_or(opening).max(opening).max(key.first);
        Some(Self {
            first: keys.iter().map(|key| key.first).min()?,
            newest,
            last: keys.iter().map(|key| key.last).max()?,
            recent: recent().filter(|key| key.has_two).map(begin).min(),
            is_known: recent().all(|key| key.begin.is_some()),
            has_several: recent().any(|key| key.has_several),
            comes_often: recent().any(|key| key.comes_often),
        })
    }
}

impl Opening {
    /// Takes the times of the points of the keys in the chart into the decision.
    fn settle(&mut self, times: &ChartTimes) {
        let shown = times.recent.filter(|_| times.is_known);
        let shown = shown.map(|recent| times.newest.saturating_sub(recent));
        // Until there are more, all points are shown anyway.
        let is_long = times.newest.saturating_sub(times.first) > OPENING;
        self.span = match (self.span, shown) {
            (Some(Span::Newest(span)), Some(shown)) => Some(Span::Newest(span.max(shown))),
            (None, Some(shown)) if is_long => Some(Span::Newest(shown)),
            // Points began to come after the chart was opened on old ones. Two of them that are not
            // close may be those of a rare job that came a little early.
            (Some(Span::All), Some(shown)) if times.comes_often => Some(Span::Newest(shown)),
            (None, None) if is_long && times.recent.is_none() && times.has_several => {
                Some(Span::All)
            }
            (before, _) => before,
        };
    }

    /// The first time of the chart; none if it shows everything.
    fn begin(&self, times: &ChartTimes) -> Option<i64> {
        match self.span {
            None => times.recent,
            Some(Span::All) => None,
            Some(Span::Newest(span)) => {
                let begin = times.newest.saturating_sub(span).max(times.first);
                Some(times.recent.filter(|_| times.is_known).map_or(begin, |at| at.min(begin)))
            }
        }
    }
}

impl Watch {
    /// Decides what the chart opens on, if that is known and not decided yet.
    pub fn settle_opening(&mut self) {
        let keys = || self.charted().take(MAX_LINES).map(|watched| &watched.key);
        if !self.opening.keys.iter().eq(keys()) {
            self.opening = Opening { keys: keys().cloned().collect(), span: None };
        }
        if let Some(times) = self.chart_times() {
            self.opening.settle(&times);
        }
    }

    /// Decides anew what the chart opens on.
    pub(super) fn open_anew(&mut self) {
        self.opening = Opening::default();
    }

    /// The chart shows another time than the newest points, which it would open on.
    pub fn is_chart_moved(&self) -> bool {
        self.viewport.is_moved() || self.opening.span == Some(Span::All)
    }

    fn chart_times(&self) -> Option<ChartTimes> {
        let keys: Vec<_> = self.in_chart().filter_map(Watched::times).collect();
        ChartTimes::of(&keys)
    }

    /// The times of the points of the keys in the chart.
    pub fn chart_bounds(&self) -> Option<TimeBounds> {
        let times = self.chart_times()?;
        let ChartTimes { first, newest, last, .. } = times;
        if self.has_runs() {
            // All of them, also where an earlier run took longer than the last one so far.
            return Some(TimeBounds { first, newest: last, last, recent: None });
        }
        Some(TimeBounds { first, newest, last, recent: self.opening.begin(&times) })
    }
}
